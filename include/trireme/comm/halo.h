/**
 * The halo: rows of other ranks, the same ones every time, of a matrix that is shared out by rows.
 * One message to each peer; on one host through a shared window when that can be had.
 */
#ifndef TRIREME_COMM_HALO_H
#define TRIREME_COMM_HALO_H

#include "trireme/comm/comm.h"

/** A fixed pattern: which rows each rank gives and takes. */
typedef struct trm_halo trm_halo;

/**
 * Agrees on the pattern once: each rank tells the owners which rows it needs. Collective.
 *
 * @param[in] comm  kept; its message limit is the halo's
 * @param[in] own   [n_own] ids of own rows, in order of rows, each once; n_own < 2^31
 * @param[in] halo  [n_halo] ids of rows needed, by owner: those of rank r are [from[r], from[r + 1]);
 *                  an own row may be asked for, and a row several times
 * @param[in] from  [size + 1] not decreasing, n_halo = from[size]
 * @return TRM_ERR_ARG (an id is asked of a rank that does not have it), TRM_ERR_MEMORY, the same on
 *         all ranks
 *
 * Cost: sorts the own ids; two small all-to-alls; 4 bytes a row asked for.
 */
trm_status trm_halo_create(trm_comm *comm, const int32_t *own, int64_t n_own, const int32_t *halo,
                           const int64_t *from, trm_halo **out);
/** Collective when there is a window. Accepts NULL, sets NULL. */
void trm_halo_destroy(trm_halo **halo);

/**
 * Takes the memory for rows of up to `row_bytes`. Collective.
 *
 * @param[in] row_bytes  bytes a row, >= 0, equal on all ranks
 * @return TRM_ERR_ARG, TRM_ERR_MEMORY, the same on all ranks
 */
trm_status trm_halo_reserve(trm_halo *halo, int64_t row_bytes);

/**
 * Fills in the rows of others. Collective: all ranks come to the same exchanges, of the same widths,
 * in the same order as their other collectives on this communicator.
 *
 * @param[in,out] rows       [n_own + n_halo, row_bytes] own rows are there
 * @param[in]     row_bytes  bytes a row, >= 0, equal on all ranks; a wider row than before allocates
 * @return TRM_ERR_ARG, TRM_ERR_MEMORY, the same on all ranks; none but for a new width
 *
 * Cost by messages: packs and sends each row given, receives in place. By window: packs and copies.
 * 2 ranks on one host, 20,000 rows of 512 bytes each way: see src/comm/README.md.
 */
trm_status trm_halo_exchange(trm_halo *halo, void *rows, int64_t row_bytes);

/** Bytes sent by this rank so far. Not collective. */
int64_t trm_halo_bytes(const trm_halo *halo);

#endif
