/**
 * Memory that the ranks of a host share: one writes, all read.
 * Where a host cannot share memory each of its ranks has a copy of its own.
 */
#ifndef TRIREME_COMM_SHARED_H
#define TRIREME_COMM_SHARED_H

#include "trireme/comm/comm.h"

typedef struct trm_shared trm_shared;

/**
 * Collective; `comm` is kept.
 *
 * @return TRM_ERR_MEMORY, the same on all ranks
 */
trm_status trm_shared_create(trm_comm *comm, trm_shared **out);
/** Frees all that was taken. Collective. Accepts NULL, sets NULL. */
void trm_shared_destroy(trm_shared **shared);

/**
 * Zeroed memory of this host. Collective.
 *
 * @param[in]  bytes   >= 0, equal on all ranks, which is checked
 * @param[in]  what    names it in messages; borrowed
 * @param[out] memory  64-byte aligned; valid until trm_shared_destroy. A rank that does not fill may
 *                     not look at it before trm_shared_settle
 * @param[out] fill    true on every rank that must write it: one of each host, all ranks of a host
 *                     that cannot share memory
 * @return TRM_ERR_ARG, TRM_ERR_CONFIG (not equal), TRM_ERR_MEMORY, the same on all ranks
 */
trm_status trm_shared_take(trm_shared *shared, int64_t bytes, const char *what, void **memory,
                           bool *fill);

/**
 * Agreement, after which what was written may be read. Collective.
 *
 * @param[in] status  how this rank's writing went
 * @return as trm_comm_agree
 */
trm_status trm_shared_settle(trm_shared *shared, trm_status status);

/** Bytes taken on this host so far, all copies together. Not collective. */
int64_t trm_shared_bytes(const trm_shared *shared);

#endif
