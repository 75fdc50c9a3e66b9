/* Small collectives over MPI's own: used at start, at agreements and at the end of evaluations,
 * never inside a step. Messages longer than the limit are cut, so that MPI's int counts suffice. */
#include <string.h>

#include "comm_internal.h"
#include "trireme/comm/watch.h"

trm_status trm_comm_barrier(trm_comm *comm) {
  trm_watch_wait_begin(comm);
  TRM_MPI(comm, MPI_Barrier(comm->mpi));
  trm_watch_wait_end(comm, true);
  return TRM_OK;
}

/* Length of the next piece when `left` units of `unit_bytes` are still to go: the one place where
 * a 64-bit count becomes MPI's int. */
static int next_piece(const trm_comm *comm, int64_t left, int64_t unit_bytes) {
  const int64_t most = comm->max_message_bytes / unit_bytes;
  return (int)(left < most ? left : most);
}

trm_status trm_comm_broadcast(trm_comm *comm, void *data, int64_t bytes, int root) {
  if (bytes < 0 || root < 0 || root >= comm->size) {
    return trm_fail(TRM_ERR_ARG, "broadcast of %lld bytes from rank %d of %d", (long long)bytes,
                    root, comm->size);
  }
  unsigned char *next = data;
  trm_watch_wait_begin(comm);
  while (bytes > 0) {
    const int n = next_piece(comm, bytes, 1);
    TRM_MPI(comm, MPI_Bcast(next, n, MPI_BYTE, root, comm->mpi));
    next += n;
    bytes -= n;
  }
  trm_watch_wait_end(comm, false);
  return TRM_OK;
}

static trm_status check_peer(const trm_comm *comm, int64_t bytes, int peer) {
  if (bytes >= 0 && peer >= 0 && peer < comm->size && peer != comm->rank) return TRM_OK;
  return trm_fail(TRM_ERR_ARG, "message of %lld bytes between ranks %d and %d of %d",
                  (long long)bytes, comm->rank, peer, comm->size);
}

trm_status trm_comm_send(trm_comm *comm, const void *data, int64_t bytes, int to) {
  TRM_TRY(check_peer(comm, bytes, to));
  const unsigned char *next = data;
  trm_watch_wait_begin(comm);
  while (bytes > 0) {
    const int n = next_piece(comm, bytes, 1);
    TRM_MPI(comm, MPI_Send(next, n, MPI_BYTE, to, 0, comm->mpi));
    next += n;
    bytes -= n;
  }
  trm_watch_wait_end(comm, false);
  return TRM_OK;
}

trm_status trm_comm_receive(trm_comm *comm, void *data, int64_t bytes, int from) {
  TRM_TRY(check_peer(comm, bytes, from));
  unsigned char *next = data;
  trm_watch_wait_begin(comm);
  while (bytes > 0) {
    const int n = next_piece(comm, bytes, 1);
    TRM_MPI(comm, MPI_Recv(next, n, MPI_BYTE, from, 0, comm->mpi, MPI_STATUS_IGNORE));
    next += n;
    bytes -= n;
  }
  trm_watch_wait_end(comm, false);
  return TRM_OK;
}

int64_t trm_message_count(const trm_comm *comm, int64_t bytes) {
  return (bytes + comm->max_message_bytes - 1) / comm->max_message_bytes;
}

int64_t trm_send_begin(trm_comm *comm, const void *data, int64_t bytes, int to, int tag,
                       MPI_Request *requests) {
  const unsigned char *next = data;
  int64_t n_requests = 0;
  while (bytes > 0) {
    const int n = next_piece(comm, bytes, 1);
    TRM_MPI(comm, MPI_Isend(next, n, MPI_BYTE, to, tag, comm->mpi, &requests[n_requests++]));
    next += n;
    bytes -= n;
  }
  return n_requests;
}

int64_t trm_receive_begin(trm_comm *comm, void *data, int64_t bytes, int from, int tag,
                          MPI_Request *requests) {
  unsigned char *next = data;
  int64_t n_requests = 0;
  while (bytes > 0) {
    const int n = next_piece(comm, bytes, 1);
    TRM_MPI(comm, MPI_Irecv(next, n, MPI_BYTE, from, tag, comm->mpi, &requests[n_requests++]));
    next += n;
    bytes -= n;
  }
  return n_requests;
}

void trm_send_and_receive(trm_comm *comm, const void *data, int64_t bytes, int to, void *in,
                          int64_t in_bytes, int from, int tag) {
  const unsigned char *next = data;
  unsigned char *next_in = in;
  trm_watch_wait_begin(comm);
  while (bytes > 0 || in_bytes > 0) {
    const int n = next_piece(comm, bytes, 1), n_in = next_piece(comm, in_bytes, 1);
    TRM_MPI(comm, MPI_Sendrecv(next, n, MPI_BYTE, n > 0 ? to : MPI_PROC_NULL, tag, next_in, n_in,
                               MPI_BYTE, n_in > 0 ? from : MPI_PROC_NULL, tag, comm->mpi,
                               MPI_STATUS_IGNORE));
    if (n > 0) next += n;
    if (n_in > 0) next_in += n_in;
    bytes -= n;
    in_bytes -= n_in;
  }
  trm_watch_wait_end(comm, false);
}

trm_status trm_comm_allgather(trm_comm *comm, const void *mine, void *all, int64_t bytes) {
  if (bytes < 0) {
    return trm_fail(TRM_ERR_ARG, "all-gather of %lld bytes", (long long)bytes);
  }
  if (bytes <= comm->max_message_bytes / comm->size) {
    trm_watch_wait_begin(comm);
    TRM_MPI(comm, MPI_Allgather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, comm->mpi));
    trm_watch_wait_end(comm, true);
    return TRM_OK;
  }
  unsigned char *rows = all;
  memcpy(rows + comm->rank * bytes, mine, (size_t)bytes);
  for (int r = 0; r < comm->size; ++r) {
    TRM_TRY(trm_comm_broadcast(comm, rows + r * bytes, bytes, r));
  }
  return TRM_OK;
}

static trm_status reduce(trm_comm *comm, void *values, int64_t n, MPI_Datatype type, MPI_Op op) {
  if (n < 0) return trm_fail(TRM_ERR_ARG, "reduction of %lld values", (long long)n);
  unsigned char *next = values;
  const bool meets = n > 0;
  trm_watch_wait_begin(comm);
  while (n > 0) { /* all types here have 8 bytes */
    const int piece = next_piece(comm, n, 8);
    TRM_MPI(comm, MPI_Allreduce(MPI_IN_PLACE, next, piece, type, op, comm->mpi));
    next += (int64_t)piece * 8;
    n -= piece;
  }
  trm_watch_wait_end(comm, meets);
  return TRM_OK;
}

trm_status trm_comm_sum_f64(trm_comm *comm, double *values, int64_t n) {
  return reduce(comm, values, n, MPI_DOUBLE, MPI_SUM);
}

trm_status trm_comm_max_f64(trm_comm *comm, double *values, int64_t n) {
  return reduce(comm, values, n, MPI_DOUBLE, MPI_MAX);
}

trm_status trm_comm_or_u64(trm_comm *comm, uint64_t *values, int64_t n) {
  return reduce(comm, values, n, MPI_UINT64_T, MPI_BOR);
}
