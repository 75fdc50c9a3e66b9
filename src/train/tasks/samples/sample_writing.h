/** Scores of what a model writes: every input of a subset once, against all its right targets. */
#ifndef TRIREME_TRAIN_SAMPLE_WRITING_H
#define TRIREME_TRAIN_SAMPLE_WRITING_H

#include "task.h"
#include "trireme/input/sample_batches.h"

/** Keys of evaluations that write. */
extern const trm_config_rows trm_sample_writing_keys;

typedef struct trm_sample_writing trm_sample_writing;

/** Names of the scores that targets have, NULL past the last; none where nothing is to be written. */
const char *const *trm_sample_writing_scores(const trm_task *task, const trm_samples *data);
/** Says to the log how texts are scored, where they are. */
void trm_sample_writing_introduce(const trm_task *task, const trm_samples *data);
/** Plans writing for samples[n] of one subset. Keeps all it is given. Not collective. */
trm_status trm_sample_writing_create(const trm_task *task, const trm_sample_view *view,
                                     trm_learner *learner, trm_ids samples,
                                     trm_sample_writing **out);
/** NULL is accepted; sets NULL. */
void trm_sample_writing_destroy(trm_sample_writing **writing);
/** Writes all and gives the scores, in the order of their names. Collective; `stopped`: asked to. */
trm_status trm_sample_writing_run(trm_sample_writing *writing, trm_task_stop stop, void *context,
                                  double *scores, bool *stopped);

#endif
