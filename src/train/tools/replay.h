/** Training again what was trained before, without writing anything. */
#ifndef TRIREME_TRAIN_REPLAY_H
#define TRIREME_TRAIN_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"
#include "trireme/nn/params.h"

/** A row of hashes.csv. */
typedef struct trm_hash_row {
  int64_t step;
  uint64_t weights, samples;
} trm_hash_row;

/** Reads folder/hashes.csv; *rows is a counted block (TRM_FREE). A row cut short is left out. */
trm_status trm_hash_rows_read(const char *folder, trm_hash_row **rows, int64_t *n);

/** What a replay compares, and found; rank 0's is filled. */
typedef struct trm_replay {
  const trm_hash_row *rows; /* [n_rows] in order of steps */
  int64_t n_rows;
  int64_t differs, samples_differ; /* first step, -1: none */
  bool to_the_end;                 /* do not stop at the first difference */
  /** Called on rank 0 after the last step, with the weights as they are; may be NULL. */
  trm_status (*at_end)(void *context, const trm_params *params);
  void *context;
} trm_replay;

/** Compares the hashes after `step`; true when the replay should go on. */
bool trm_replay_compare(trm_replay *replay, int64_t step, uint64_t weights, uint64_t samples);

#endif
