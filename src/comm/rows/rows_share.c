/* Contiguous rows of every rank to all ranks: a ring.
 *
 *     size 3    rank 0          rank 1          rank 2       sends to the right, each step
 *     step 0    rows of 0 ->    rows of 1 ->    rows of 2 ->    what came in the last one
 *     step 1    rows of 2 ->    rows of 0 ->    rows of 1 ->
 *
 * size - 1 steps; every rank sends and receives each row once, all but those of its neighbour or
 * its own. No memory is needed, so nothing can fail on one rank alone. */
#include "trireme/comm/rows_share.h"
#include "comm_internal.h"

enum { TAG_SHARE = 3 };

static trm_status check(const trm_comm *comm, const int64_t *from, int64_t row_bytes) {
  bool good = row_bytes >= 0 && from[0] >= 0;
  for (int r = 0; r < comm->size; ++r) good = good && from[r] <= from[r + 1];
  if (good) return TRM_OK;
  return trm_fail(TRM_ERR_ARG,
                  "rows of %lld bytes to share: ranges of ranks must follow each other",
                  (long long)row_bytes);
}

trm_status trm_rows_share(trm_comm *comm, void *rows, const int64_t *from, int64_t row_bytes) {
  const int size = comm->size;
  unsigned char *bytes = rows;
  TRM_TRY(check(comm, from, row_bytes));
  const int right = (comm->rank + 1) % size, left = (comm->rank + size - 1) % size;
  for (int step = 0; step + 1 < size; ++step) {
    const int out = (comm->rank + size - step) % size, in = (out + size - 1) % size;
    trm_send_and_receive(
        comm, bytes + from[out] * row_bytes, (from[out + 1] - from[out]) * row_bytes, right,
        bytes + from[in] * row_bytes, (from[in + 1] - from[in]) * row_bytes, left, TAG_SHARE);
  }
  return TRM_OK;
}
