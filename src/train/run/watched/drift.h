/** Whether all ranks still hold the same weights. */
#ifndef TRIREME_TRAIN_DRIFT_H
#define TRIREME_TRAIN_DRIFT_H

#include <stdint.h>

#include "trireme/comm/comm.h"

/**
 * Compares every rank's hash of its weights. Collective; the status is the same on all ranks.
 * @param hashes  [ranks] scratch: a step does not allocate
 * @return TRM_ERR_RANK_LOST with a message that names the ranks that differ from most
 */
trm_status trm_drift_check(trm_comm *comm, uint64_t weights_hash, int64_t step, uint64_t *hashes);

#endif
