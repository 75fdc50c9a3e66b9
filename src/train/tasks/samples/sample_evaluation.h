/** Evaluation and prediction of samples: every one once, in groups that are dealt to the ranks. */
#ifndef TRIREME_TRAIN_SAMPLE_EVALUATION_H
#define TRIREME_TRAIN_SAMPLE_EVALUATION_H

#include "task.h"
#include "trireme/input/sample_batches.h"

/** Keys of evaluations of samples. */
extern const trm_config_rows trm_sample_evaluation_keys;

typedef struct trm_sample_evaluation trm_sample_evaluation;

/** Tells the task the names of the scores of a data set. */
void trm_sample_scores_declare(trm_task *task, const trm_samples *data);
/** For the use that the task was opened for; plans the passes. Keeps task, learner and what `view` points
 *  to. The status may differ between ranks. */
trm_status trm_sample_evaluation_create(trm_task *task, const trm_sample_view *view,
                                        trm_learner *learner, trm_sample_evaluation **out);
/** NULL is accepted; sets NULL. */
void trm_sample_evaluation_destroy(trm_sample_evaluation **evaluation);
/** As trm_task_kind.evaluate. Collective. */
trm_status trm_sample_evaluation_run(trm_sample_evaluation *evaluation, trm_task_stop stop,
                                     void *context, trm_evaluation *result, bool *stopped);
/** As trm_task_kind.predict. Collective. */
trm_status trm_sample_evaluation_predict(trm_sample_evaluation *evaluation,
                                         const trm_predict_options *options, int64_t *n_rows);

#endif
