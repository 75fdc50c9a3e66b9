/** Memory of one batch of samples, and filling it. */
#ifndef TRIREME_INPUT_BATCH_INTERNAL_H
#define TRIREME_INPUT_BATCH_INTERNAL_H

#include "trireme/input/sample_batches.h"

/** Arrays that grow and are kept, each with its room. */
typedef struct trm_batch_store {
  int32_t *samples; /* ids in the data set, for who fills it */
  int64_t *input_offsets, *output_offsets;
  int32_t *input_tokens, *output_tokens, *targets;
  float *numbers;
  float *values, *channels,
      *scratch; /* channels: scale, then shift; scratch: an input or classes */
  int32_t *levels;
  float *class_shares, *mix;
  int32_t *mixed_targets;
  int64_t samples_room, input_offsets_room, output_offsets_room;
  int64_t input_tokens_room, output_tokens_room, targets_room, numbers_room;
  int64_t values_room, channels_room, scratch_room, levels_room;
  int64_t class_shares_room, mix_room, mixed_targets_room;
} trm_batch_store;

/** What a batch is made of. */
typedef struct trm_batch_samples {
  const int32_t *ids; /* [n] in the data set */
  int64_t n;
  int64_t epoch; /* they are augmented for; -1: they stay as they are */
} trm_batch_samples;

/** Frees the arrays and zeroes the struct. */
void trm_batch_store_release(trm_batch_store *store);
/** The batch of some samples: a function of view and samples, which touches nothing but `store` and
 *  *batch. Memory grows and is kept. @return TRM_ERR_MEMORY */
trm_status trm_batch_fill(trm_batch_store *store, const trm_sample_view *view,
                          trm_batch_samples samples, trm_sample_batch *batch);

/** Whether augmentation is asked for. */
static inline bool trm_batch_augmented(const trm_sample_view *view, trm_batch_samples samples) {
  return view->augment && samples.epoch >= 0;
}
/** Who draws for sample i of a batch. */
static inline trm_augment_sample trm_batch_draws_of(trm_batch_samples samples, int64_t i) {
  return (trm_augment_sample){.epoch = samples.epoch, .sample = samples.ids[i]};
}

/** Sizes of the images or rows of batches; zeros where inputs are tokens. */
trm_values trm_batch_value_sizes(const trm_sample_view *view);
/** Fills images or rows, augmented where that is asked for. @return TRM_ERR_MEMORY */
trm_status trm_batch_fill_values(trm_batch_store *store, const trm_sample_view *view,
                                 trm_batch_samples samples, trm_sample_batch *batch);
/** Mixes each sample of a filled batch with the next, the last with the first: values and targets.
 *  Levels stay those of the sample. @return TRM_ERR_MEMORY */
trm_status trm_batch_mix(trm_batch_store *store, const trm_sample_view *view,
                         trm_batch_samples samples, trm_sample_batch *batch);

/** Makes *most the larger of sizes, of batches of which nothing else is looked at. */
void trm_batch_grow_bounds(trm_sample_batch *most, const trm_sample_batch *batch);

#endif
