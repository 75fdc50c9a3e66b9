/**
 * The loader: reads ahead, on a thread of its own, the samples of this rank for each step.
 * Global batch `step` holds samples [step B, (step + 1) B) of the endless stream of epochs; the
 * caller owns [first, first + n) of those B. Which they are depends on (seed, step) alone.
 */
#ifndef TRIREME_INPUT_LOADER_H
#define TRIREME_INPUT_LOADER_H

#include <stdint.h>

#include "trireme/core/batch.h"
#include "trireme/input/dataset.h"

typedef struct trm_loader trm_loader;

typedef struct trm_loader_options {
  uint64_t seed;
  int64_t context;    /* T */
  int64_t batch;      /* B, global */
  int64_t first, n;   /* this caller's share of each batch */
  int64_t first_step; /* O(1) seek */
  int64_t end_step;   /* one past the last step to read */
  int depth;          /* batches read ahead, >= 1 */
} trm_loader_options;

/** This caller's part of one batch. */
typedef struct trm_text_batch {
  int64_t step;
  trm_tokens tokens;      /* N: this caller's n */
  const int64_t *samples; /* [n] index in the stream: epoch * samples an epoch + window */
} trm_text_batch;

/** Keeps `dataset`; from now on only the loader's thread reads training data through it. */
trm_status trm_loader_create(trm_dataset *dataset, const trm_loader_options *options,
                             trm_loader **out);
/** Waits for the next step's batch; valid until the following call. */
trm_status trm_loader_next(trm_loader *loader, trm_text_batch *batch);
/** At once whatever the thread does: it looks whether to stop before each window and in its wait. NULL
 *  is accepted; sets NULL. */
void trm_loader_destroy(trm_loader **loader);

#endif
