/** Weights of another run to begin with. */
#ifndef TRIREME_TRAIN_TRANSFER_H
#define TRIREME_TRAIN_TRANSFER_H

#include "task.h"
#include "trireme/comm/comm.h"
#include "trireme/core/log.h"
#include "trireme/train/learner.h"

/**
 * Takes from the checkpoint of train.init_from, if there is one, every parameter and running statistic
 * of the same name and shape but those of train.init_new, and says what it took, what is new and what
 * it left. Optimizer, step and schedule begin anew.
 *
 * A parameter of another shape is an error, and so are vectors of tokens of another vocabulary.
 * Collective; the status is the same on all ranks. @return TRM_ERR_CONFIG, TRM_ERR_DATA, TRM_ERR_IO
 */
trm_status trm_transfer(trm_comm *comm, const trm_config *config, trm_task *task,
                        trm_learner *learner, trm_log *log);

#endif
