/** A sweep's results by run and by point of its grid. */
#ifndef TRIREME_TRAIN_SWEEP_SUMMARY_H
#define TRIREME_TRAIN_SWEEP_SUMMARY_H

#include <stdio.h>

#include "sweep_table.h"
#include "trireme/train/sweep.h"

/** What came of a run. */
typedef enum trm_outcome {
  TRM_RUN_NOT_RUN,
  TRM_RUN_DONE,
  TRM_RUN_FAILED,
  TRM_RUN_STOPPED
} trm_outcome;

/** Runs in order: those of a point follow each other. Borrows all. */
typedef struct trm_sweep_summary {
  const trm_grid *grid;
  const trm_curves *curves; /* n = 0: a run without a result */
  int64_t runs_a_point;
  int column;  /* that decides what is best */
  bool higher; /* whether more is better */
} trm_sweep_summary;

enum { TRM_SWEEP_SHOWN = 4 };
/** What is shown of an evaluation: the column that decides, the first score besides where that is the loss,
 *  and the test and training parts' scores of the same kind; -1 past the last. */
void trm_sweep_shown(const trm_curves *curves, int column, int shown[TRM_SWEEP_SHOWN]);
/** "valid_accuracy 97.10, test_accuracy 96.55 (step 200)" of a run's best evaluation, into text[size]; shares
 *  in percent. */
void trm_sweep_say_best(const trm_curve *curve, const trm_curves *curves, int column, bool higher,
                        char *text, size_t size);
/** A row a point: how many runs, and what is shown of them. */
trm_status trm_sweep_print_points(const trm_sweep_summary *summary, FILE *file);
/** The same of all scores: count, mean and deviation. */
trm_status trm_sweep_write_points(const trm_sweep_summary *summary, FILE *file);

#endif
