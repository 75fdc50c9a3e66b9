/** What an ensemble came to, beside its members: kept for reports in the folder of the first of them. */
#ifndef TRIREME_TRAIN_ENSEMBLE_TABLE_H
#define TRIREME_TRAIN_ENSEMBLE_TABLE_H

#include "trireme/train/train.h"

#define TRM_ENSEMBLE_TABLE "ensemble.tsv"

/**
 * Writes TRM_ENSEMBLE_TABLE, a line for each score of each member, then of the whole: "member, step, score,
 * value", whose `member` is the run as it was given, or "mean of 3" or "votes of 3". By one process.
 *
 * @param[in] results  [members->n + 1] as trm_evaluate_ensemble makes them
 * @return TRM_ERR_USAGE where the first member is not a run directory; TRM_ERR_IO, TRM_ERR_MEMORY
 */
trm_status trm_ensemble_table_write(const trm_members *members, const trm_evaluation *results);

#endif
