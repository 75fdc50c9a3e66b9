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

/** Reads the file on every rank that needs it: rank 0 reads and broadcasts. Passes run over up to
 *  `max_samples` sequences. Collective (comm of one rank for a single process). */
trm_status trm_restore(trm_comm *comm, const char *path, int64_t max_samples,
                       trm_restored *restored);
void trm_restored_free(trm_restored *restored);

#endif
