/** Evaluation of samples under attack. */
#ifndef TRIREME_TRAIN_SAMPLE_ATTACK_H
#define TRIREME_TRAIN_SAMPLE_ATTACK_H

#include "task.h"
#include "trireme/input/sample_batches.h"

/** As trm_task_kind.attack. Collective. */
trm_status trm_sample_attack(trm_task *task, const trm_sample_view *view, trm_learner *learner,
                             const trm_attack_options *options, trm_robustness *result);

#endif
