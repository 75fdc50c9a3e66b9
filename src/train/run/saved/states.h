/**
 * Checkpoints of optimizer state that is shared out among the ranks. A checkpoint always holds whole
 * arrays, so it fits any number of ranks, sharded or not; here rank 0 puts them together and takes
 * them apart. In between it has all of the state, besides the copy that is being written.
 */
#ifndef TRIREME_TRAIN_STATES_H
#define TRIREME_TRAIN_STATES_H

#include "trireme/comm/comm.h"
#include "trireme/train/learner.h"

/** A learner to train with on these ranks: it has all of the state, or where optimizer.sharded says so
 *  this rank's share. Not collective. */
trm_status trm_states_learner(trm_comm *comm, const trm_config *config, const trm_model_dims *dims,
                              trm_learner *learner);
/** Whether this rank has only a share of the state; the same on every rank. */
bool trm_states_shared_out(const trm_learner *learner);

/** Rank 0 gets all of the state in *states (owned by the caller) and in its regions. Collective; the
 *  status is the same on all ranks. */
trm_status trm_states_collect(trm_comm *comm, trm_learner *learner, trm_regions *regions,
                              trm_real **states);
/** Frees what was collected. */
void trm_states_release(const trm_learner *learner, trm_regions *regions, trm_real **states);

/** Every rank gets its share of the state in the checkpoint at `path`, which rank 0 reads.
 *  Collective; the status is the same on all ranks. */
trm_status trm_states_load(trm_comm *comm, trm_learner *learner, trm_regions *regions,
                           const char *path);

#endif
