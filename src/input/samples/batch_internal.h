/** Memory of one batch of samples, and filling it. */
#ifndef TRIREME_INPUT_BATCH_INTERNAL_H
#define TRIREME_INPUT_BATCH_INTERNAL_H

#include "trireme/input/sample_batches.h"

typedef struct trm_batch_store {
  int32_t *samples; /* ids in the data set, for who fills it */
  int64_t *input_offsets, *output_offsets;
  int32_t *input_tokens, *output_tokens, *targets;
  float *numbers;
  int64_t samples_room, input_offsets_room, output_offsets_room;
  int64_t input_tokens_room, output_tokens_room, targets_room, numbers_room;
} trm_batch_store;

/** Frees the arrays and zeroes the struct. */
void trm_batch_store_release(trm_batch_store *store);
/** The batch of samples[n]. Memory grows and is kept. @return TRM_ERR_MEMORY */
trm_status trm_batch_fill(trm_batch_store *store, const trm_sample_view *view,
                          const int32_t *samples, int64_t n, trm_sample_batch *batch);

/** Makes *most the larger of sizes, of batches of which nothing else is looked at. */
void trm_batch_grow_bounds(trm_sample_batch *most, const trm_sample_batch *batch);

#endif
