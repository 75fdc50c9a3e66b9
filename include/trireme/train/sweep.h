/** Several runs of one configuration: over seeds, splits or folds, shared out among the ranks. */
#ifndef TRIREME_TRAIN_SWEEP_H
#define TRIREME_TRAIN_SWEEP_H

#include "trireme/comm/comm.h"
#include "trireme/core/config.h"
#include "trireme/core/log.h"

typedef struct trm_sweep_options {
  trm_config *config;            /* of every run; run.seed, data.split and run.dir are theirs */
  const int64_t *seeds, *splits; /* values of run.seed and data.split; every pair is a run */
  int64_t n_seeds, n_splits;     /* 0: as the configuration has it */
  bool resume;                   /* go on with each run */
  bool allow_changes;            /* although keys that change the result differ */
} trm_sweep_options;

/**
 * Runs every pair of seed and split in <run.dir>/seed_S, split_K or split_K_seed_S. With more runs
 * than ranks each rank trains runs of its own, one after another; otherwise the ranks of a run work
 * together. Then prints, and writes to <run.dir>/sweep.csv, the scores of each run at its best
 * evaluation (eval.select), and their mean and deviation over the runs: at each run's best, at the
 * last, and at the one step whose mean is the best. A run that fails is named and the others go on.
 * Collective; the status, of the first run that failed, is the same on all ranks.
 */
trm_status trm_sweep(trm_comm *comm, const trm_sweep_options *options, trm_log *log);

/** "0-9", "1,3,5" or a mixture, rising or not, into counted memory. `what` names the option.
 *  @return TRM_ERR_USAGE */
trm_status trm_sweep_numbers(const char *text, const char *what, int64_t **numbers, int64_t *n);

/** Number of splits or folds of the data set in a file. */
trm_status trm_sweep_count_splits(const char *path, int64_t *n);

#endif
