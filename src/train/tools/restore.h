/** A learner made from a checkpoint alone, for evaluation and generation. */
#ifndef TRIREME_TRAIN_RESTORE_H
#define TRIREME_TRAIN_RESTORE_H

#include "trireme/comm/comm.h"
#include "trireme/train/learner.h"

typedef struct trm_restored {
  trm_config *config;
  trm_ckpt_info info;
  trm_learner learner;
} trm_restored;

/** The configuration of a checkpoint on every rank. Collective. */
trm_status trm_restore_config(trm_comm *comm, const char *path, trm_config **config);

/** Configuration and facts that say how to build the model: text needs no more, graphs their data.
 *  Collective. */
trm_status trm_restore_begin(trm_comm *comm, const char *path, trm_restored *restored,
                             int64_t *vocab);
/** Builds the model and reads the file: rank 0 reads and broadcasts. The tape's memory is the
 *  caller's to plan. Collective (comm of one rank for a single process). */
trm_status trm_restore_weights(trm_comm *comm, const char *path, const trm_model_dims *dims,
                               trm_restored *restored);
void trm_restored_free(trm_restored *restored);

#endif
