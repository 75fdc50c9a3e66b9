/**
 * Early stopping: a run ends when evaluations have been no better for a while. What counts as better is
 * the value that makes an evaluation the best (trm_task_rank_value), which is the same on all ranks, and
 * so is the decision. Not collective.
 */
#ifndef TRIREME_TRAIN_EARLY_STOP_H
#define TRIREME_TRAIN_EARLY_STOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trireme/ckpt/facts.h"
#include "trireme/core/config.h"

extern const trm_config_rows trm_early_stop_keys;

/** How long to wait; one of them at most is not 0. */
typedef struct trm_patience {
  int64_t steps, evaluations;
  double min_delta; /* a better value is lower by more than this */
} trm_patience;

/** What evaluations that were due have come to. Zero it first. */
typedef struct trm_early_stop {
  double any;   /* 1: `best` is known */
  double best;  /* the lower the better */
  double step;  /* of `best` */
  double n_bad; /* evaluations since then */
} trm_early_stop;
enum { TRM_EARLY_STOP_VALUES = 4 }; /* doubles, for checkpoints */

/** Key by which patience is given, NULL: it is endless. */
const char *trm_patience_key(const trm_config *config);
/** Whether the keys fit together and evaluations are made. @return TRM_ERR_CONFIG */
trm_status trm_patience_check(const trm_config *config);
/** @param epoch_steps  steps of an epoch */
trm_patience trm_patience_of(const trm_config *config, double epoch_steps);

/** Takes in an evaluation that was due at `step`. What is not finite is never better. */
void trm_early_stop_observe(trm_early_stop *state, const trm_patience *patience, int64_t step,
                            double value);
/** Whether the run ends at `step`; the reason in words, without commas, goes into why[size]. */
bool trm_early_stop_over(const trm_early_stop *state, const trm_patience *patience, int64_t step,
                         char *why, size_t size);

/** For a checkpoint. @return TRM_ERR_MEMORY */
trm_status trm_early_stop_keep(const trm_early_stop *state, trm_facts *facts);
/** Leaves the state as it is where a checkpoint says nothing. */
void trm_early_stop_restore(const trm_facts *facts, trm_early_stop *state);

#endif
