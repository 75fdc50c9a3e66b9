/** Contiguous rows of each rank to all ranks. */
#ifndef TRIREME_COMM_ROWS_SHARE_H
#define TRIREME_COMM_ROWS_SHARE_H

#include "trireme/comm/comm.h"

/**
 * Each rank's range of rows becomes everyone's. Collective; `from` and `row_bytes` must be equal on
 * all ranks.
 *
 * @param[in,out] rows       [from[size], row_bytes] own range there, the others are filled in
 * @param[in]     from       [size + 1] not decreasing: rank r has rows [from[r], from[r + 1])
 * @param[in]     row_bytes  bytes a row, >= 0
 * @return TRM_ERR_ARG, on all ranks alike
 *
 * Cost: size - 1 steps; the rows of all other ranks are received once. Takes no memory.
 */
trm_status trm_rows_share(trm_comm *comm, void *rows, const int64_t *from, int64_t row_bytes);

#endif
