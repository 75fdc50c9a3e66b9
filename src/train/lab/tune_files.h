/** What a search leaves besides its journal. On rank 0. */
#ifndef TRIREME_TRAIN_TUNE_FILES_H
#define TRIREME_TRAIN_TUNE_FILES_H

#include "trial.h"
#include "trireme/train/train.h"

/** trials.csv: a row a trial with what its longest job came to; parallel.csv: the same with values from 0 to 1,
 *  by logarithm where they are drawn so, choices by place; importance.csv. */
trm_status trm_tune_write_tables(const trm_trials *trials);
/** report.html: the trials as runs side by side, with the parameters' importance and parallel coordinates. */
trm_status trm_tune_write_page(const trm_trials *trials);
/** best.yaml: the configuration with the values of the trial. */
trm_status trm_tune_write_best(const trm_trials *trials, int64_t trial);
/** test.csv: the trial, its score in the search, and every score of `tested`. */
trm_status trm_tune_write_test(const trm_trials *trials, int64_t trial, double score,
                               const trm_evaluation *tested);
/** Reads it back; *found is false where there is none of that trial. */
trm_status trm_tune_read_test(const trm_trials *trials, int64_t trial, trm_evaluation *tested,
                              bool *found);
/** The best trial's values, the parameters' importance, and the scores of `tested`, for people. */
trm_status trm_tune_print(const trm_trials *trials, int64_t trial, const trm_evaluation *tested,
                          FILE *file);

#endif
