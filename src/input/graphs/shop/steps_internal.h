/** What the files of trireme/input/shop_steps.h share. */
#ifndef TRIREME_INPUT_STEPS_INTERNAL_H
#define TRIREME_INPUT_STEPS_INTERNAL_H

#include "trireme/input/shop_steps.h"

/** Arrays of a step, taken once for the largest. */
typedef struct trm_step_store {
  int32_t *customers, *products; /* [batch], [n_products] node ids, then places in the collection */
  float *log_shares;             /* [n_products] */
  int64_t *bought_offsets, *known_offsets; /* [batch + 1] */
  int32_t *bought, *rivals;                /* [most_bought] */
  int32_t *known;                          /* [most_known] */
  float *habits;                           /* [most_known, TRM_SHOP_HABITS] */
  int64_t *blocks;                         /* [n_local + 1] */
  int32_t *rows;                           /* [own nodes] of the collection */
  int32_t *id_rows, *id_places;            /* [own nodes] */
  trm_collection collection;
  trm_choices choices;
} trm_step_store;

struct trm_shop_steps {
  trm_shop_steps_options options;
  /* windows */
  int64_t n_windows;
  int64_t *days;      /* [n_windows] */
  int64_t *lists;     /* [n_windows + 1] first sample of each */
  int32_t *customers; /* [samples] of each sample */
  int64_t *chunks;    /* [n_windows + 1] first step of each, in the order of windows */
  int64_t most_bought, most_known;
  /* products to draw */
  double *shares; /* [n_products] of what was sold, one added to each */
  double *sums;   /* [n_products + 1] of them */
  float *log_in;  /* [n_products] log of how probable it is that one of the draws is this one */
  /* scratch of a step */
  int32_t *place;  /* [n_nodes] of a node in the partition's order */
  int32_t *number; /* [n_nodes] products: number in the step, -1: not in it; nodes: place in the
                      collection */
  int64_t *ids, *offsets; /* [batch], [V + 1] */
  trm_step_store store;
};

/** Window and part of a step: the customers are sample `first` to `first + n` of a permutation. */
typedef struct trm_step_place {
  int64_t epoch, window, first, n;
} trm_step_place;
trm_step_place trm_shop_step_place(const trm_shop_steps *steps, int64_t step);

/** Memory of a step's arrays. */
trm_status trm_step_store_init(trm_shop_steps *steps);
void trm_step_store_release(trm_step_store *store);

#endif
