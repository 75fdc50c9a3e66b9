/** What the runs of a sweep came to: from their metrics.csv. */
#ifndef TRIREME_TRAIN_SWEEP_TABLE_H
#define TRIREME_TRAIN_SWEEP_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trireme/core/status.h"

enum { TRM_SWEEP_SCORES = 17 };

/** Evaluations of one run, one row a step. */
typedef struct trm_curve {
  int64_t n;
  int64_t *steps;
  double *values; /* [n, n_columns] */
} trm_curve;

/** Curves of all runs; column 0 is the validation loss. */
typedef struct trm_curves {
  int n_columns;
  char names[TRM_SWEEP_SCORES][32];
  int64_t n_runs;
  trm_curve *runs; /* [n_runs]; owned; n = 0: no result */
} trm_curves;

trm_status trm_curves_create(int64_t n_runs, trm_curves *curves);
void trm_curves_free(trm_curves *curves);
/** Reads folder/metrics.csv as run number `run`. */
trm_status trm_curves_read(trm_curves *curves, int64_t run, const char *folder);

/** Column that decides what is best ("loss" or a score), and whether more is better. */
trm_status trm_curves_select(const trm_curves *curves, const char *metric, int *column,
                             bool *higher);
/** Row of the best value, the first of equals; -1 without rows. */
int64_t trm_curve_best(const trm_curve *curve, int n_columns, int column, bool higher);
/** The step whose mean over the runs is best; -1 when no step is in all runs. */
int64_t trm_curves_best_step(const trm_curves *curves, int column, bool higher);

/** Mean and deviation of every score: at each run's best, at the last, at the best common step. */
trm_status trm_curves_print(const trm_curves *curves, int column, bool higher, FILE *file);

/** "81.52 +- 0.61" of the score `name`, of a single run "81.52": shares as percent, losses and numbers as they
 *  are. */
void trm_curves_cell(const char *name, int64_t n, double mean, double deviation, char *cell,
                     size_t size);

#endif
