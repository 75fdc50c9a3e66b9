/** Scores of numbers, by subset of the split: RMSE, MAE, R2. */
#ifndef TRIREME_TRAIN_NUMBER_SCORES_H
#define TRIREME_TRAIN_NUMBER_SCORES_H

#include "task.h"
#include "trireme/input/lists.h"

/** Tells the task the names of the scores, in the order in which they are added; bit s of `scored`:
 *  subset s is. */
void trm_number_scores_declare(trm_task *task, unsigned scored);

/** What one rank has to say: predictions for some of the samples, in the unit of the data set. */
typedef struct trm_number_rows {
  const double *values;  /* [n] */
  const int32_t *ids;    /* [n] samples, in [0, n_samples) */
  const float *targets;  /* [n_samples], NaN: missing; NULL: all missing, for predictions */
  const int8_t *subsets; /* [n_samples] bit s: the sample is in subset s of the split */
  int64_t n, n_samples;
  const trm_texts *names; /* [n_samples] NULL or empty: samples have none */
} trm_number_rows;

/** Adds the scores over all ranks' rows, which together have each sample at most once; samples without
 *  a row or a target do not count. Added up in the order of samples, the same for any ranks. Collective.
 *  @return TRM_ERR_MEMORY, the same on all ranks */
trm_status trm_number_scores_add(trm_task *task, const trm_number_rows *rows, unsigned scored,
                                 trm_evaluation *result);

/** Writes "id, prediction, target" of every sample that has a finite prediction, with its name where it has
 *  one; the target is empty where it is missing. Rank 0 writes. Collective.
 *  @param[in]  unit    what a sample is: "sample"
 *  @param[out] n_rows  lines, on rank 0 */
trm_status trm_number_predictions_write(trm_comm *comm, const char *unit,
                                        const trm_number_rows *rows, const char *path,
                                        int64_t *n_rows);

#endif
