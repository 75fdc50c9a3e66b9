/** Keys and values that writing keeps: for each layer an array of rows. */
#ifndef TRIREME_TRAIN_KEPT_ROWS_H
#define TRIREME_TRAIN_KEPT_ROWS_H

#include "trireme/model/model.h"

typedef struct trm_kept_rows {
  int64_t layers;
  trm_real **rows; /* [layers][n_rows, 2 width], owned */
  trm_kept *kept;  /* [layers] for trm_step_batch; owned */
} trm_kept_rows;

/** n_rows of each layer. After a failure too, *k is for trm_kept_rows_free. @return TRM_ERR_MEMORY */
trm_status trm_kept_rows_create(const trm_kept_sizes *sizes, int64_t n_rows, trm_kept_rows *k);
void trm_kept_rows_free(trm_kept_rows *k);
/** All layers alike: where new rows go (NULL: none are added), and which rows are looked at. */
void trm_kept_rows_point(trm_kept_rows *k, const int32_t *append, const trm_sequences *keys,
                         const int32_t *key_rows);

#endif
