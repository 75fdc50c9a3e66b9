/** A learner made from a checkpoint, for evaluation and generation. */
#ifndef TRIREME_TRAIN_RESTORE_H
#define TRIREME_TRAIN_RESTORE_H

#include "trireme/comm/comm.h"
#include "trireme/train/learner.h"

typedef struct trm_restored {
  trm_comm *comm; /* borrowed */
  trm_config *config;
  trm_ckpt_info info;
  trm_learner learner;
  bool average; /* the weights are the average that the checkpoint has */
} trm_restored;

/** What a checkpoint says, on every rank: configuration and facts. Collective; the status is the same
 *  on all ranks. After a failure there is nothing to free.
 *  @param raw  the weights as they were trained, also where there is an average of them */
trm_status trm_restore_begin(trm_comm *comm, const char *path, bool raw, trm_restored *restored);
/** Kind of data set that the model was trained on. Borrowed. */
const char *trm_restored_data(const trm_restored *restored);
/** Builds the model and reads the file: rank 0 reads and broadcasts. The tape's memory is the
 *  caller's to plan. Collective; the status is the same on all ranks. */
trm_status trm_restore_weights(const char *path, const trm_model_dims *dims,
                               trm_restored *restored);
void trm_restored_free(trm_restored *restored);

#endif
