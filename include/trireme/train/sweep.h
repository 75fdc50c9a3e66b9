/** Several runs of one configuration: over values of keys, seeds, splits or folds, shared out among the
 *  ranks. */
#ifndef TRIREME_TRAIN_SWEEP_H
#define TRIREME_TRAIN_SWEEP_H

#include "trireme/comm/comm.h"
#include "trireme/core/config.h"
#include "trireme/core/log.h"

/* ---- the grid -------------------------------------------------------------------------------- */

enum { TRM_GRID_AXES = 16, TRM_GRID_MOST = 100000 };

/** A key and the values that it takes in turn. */
typedef struct trm_grid_axis {
  char *text;          /* that the rest points into; owned */
  const char *key;     /* "optimizer.name" */
  const char **values; /* [n] owned */
  int64_t n;
} trm_grid_axis;

/** Every choice of one value of each axis is a point, the last axis running fastest. Zero it first. */
typedef struct trm_grid {
  trm_grid_axis axes[TRM_GRID_AXES];
  int n_axes;
} trm_grid;

/** Adds "KEY=a,b,c"; a value in brackets may have commas: "data.augment=[crop 4, flip],[]".
 *  @return TRM_ERR_USAGE for no assignment, a key or a value that is there already, too many points */
trm_status trm_grid_add(trm_grid *grid, const char *text);
void trm_grid_free(trm_grid *grid);
/** 1 without axes. */
int64_t trm_grid_points(const trm_grid *grid);
const char *trm_grid_value(const trm_grid *grid, int64_t point, int axis);

/* ---- the sweep ------------------------------------------------------------------------------- */

typedef struct trm_sweep_options {
  trm_config *config;            /* of every run; what follows and run.dir are theirs */
  const trm_grid *grid;          /* NULL: one point */
  const int64_t *seeds, *splits; /* values of run.seed and data.split */
  int64_t n_seeds, n_splits;     /* 0: as the configuration has it */
  int64_t at_once;               /* most runs at a time; 0: one a rank */
  bool resume;                   /* go on with each run */
  bool allow_changes;            /* although keys that change the result differ */
} trm_sweep_options;

/**
 * Runs every point of the grid with every pair of split and seed, in <run.dir>/seed_S, split_K,
 * split_K_seed_S, with the point's keys and values before it. With more runs than ranks each rank trains
 * runs of its own, one after another; otherwise the ranks of a run work together. The bits of a run are
 * those that it has alone.
 *
 * Says of each run its score at its best evaluation (eval.select), with the test score there, or why it
 * failed; the others go on. Then prints, and writes to <run.dir>/sweep.csv and, of a grid, points.csv, the
 * scores of each run at its best, and their mean and deviation over the runs of a point. Of one point
 * besides: at the last evaluation, and at the one step whose mean is the best.
 *
 * Collective; the status, of the first run that failed, is the same on all ranks.
 */
trm_status trm_sweep(trm_comm *comm, const trm_sweep_options *options, trm_log *log);

/** "0-9", "1,3,5" or a mixture, rising or not, into counted memory. `what` names the option.
 *  @return TRM_ERR_USAGE */
trm_status trm_sweep_numbers(const char *text, const char *what, int64_t **numbers, int64_t *n);

/** Number of splits or folds of the data set in a file. */
trm_status trm_sweep_count_splits(const char *path, int64_t *n);

#endif
