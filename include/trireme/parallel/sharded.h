/**
 * The update with optimizer state shared out among the ranks: each rank keeps and updates its own
 * stripes (math/stripes.h), then gathers the weights of the others. The same bits as an update of
 * everything on every rank, with 1/ranks of the state and of the work.
 */
#ifndef TRIREME_PARALLEL_SHARDED_H
#define TRIREME_PARALLEL_SHARDED_H

#include "trireme/comm/comm.h"
#include "trireme/optim/optim.h"
#include "trireme/parallel/gradsync.h"

typedef struct trm_sharded trm_sharded;

/** Keeps all arguments: an optimizer made by trm_optimizer_create_share for this rank, and a `sync`
 *  made with `sharded`. Collective. @return TRM_ERR_MEMORY, the same on all ranks */
trm_status trm_sharded_create(trm_comm *comm, trm_gradsync *sync, trm_optimizer *optimizer,
                              trm_sharded **out);
/** Frees nothing of what was kept. Not collective. */
void trm_sharded_destroy(trm_sharded **sharded);

/**
 * One update from the gradients of trm_gradsync_finish, as trm_optimizer_step; *info is the same on
 * every rank. Adds what it waited for communication to sums->exposed_s. Collective; does not allocate.
 * @param[in] step  number of the update, from 1
 * @return TRM_OK
 */
trm_status trm_sharded_step(trm_sharded *sharded, trm_gradsync_result *sums, int64_t step,
                            trm_step_info *info);

/** State array number `state` of all ranks into full[n_elements] on rank 0; others pass NULL.
 *  Collective. */
trm_status trm_sharded_collect(trm_comm *comm, trm_optimizer *optimizer, int state, trm_real *full);
/** The reverse: rank 0's full[n_elements] into every rank's share of the state. Collective. */
trm_status trm_sharded_distribute(trm_comm *comm, trm_optimizer *optimizer, int state,
                                  const trm_real *full);

#endif
