/* Groups of ranks: communicators that share nothing but the process, its watcher and its job. */
#include "trireme/comm/split.h"
#include "comm_internal.h"

trm_status trm_comm_split(trm_comm *comm, int color, trm_comm **out) {
  trm_comm *group = NULL;
  *out = NULL;
  trm_status status = TRM_OK;
  if (color < 0) status = trm_fail(TRM_ERR_ARG, "group number %d; they begin at 0", color);
  /* How many there will be is not known yet: no more than now. */
  if (status == TRM_OK) status = trm_comm_allocate(comm->job, comm->size, &group);
  status = trm_comm_agree(comm, status);
  if (status != TRM_OK) {
    trm_comm_release(&group);
    return status;
  }
  /* Until it is settled in, its errors are reported as those of `comm`. */
  TRM_MPI(comm, MPI_Comm_split(comm->mpi, color, comm->rank, &group->mpi));
  group->max_message_bytes = comm->max_message_bytes;
  trm_comm_settle_in(group);
  *out = group;
  return TRM_OK;
}
