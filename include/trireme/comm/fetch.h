/**
 * Fetching: rows by node id from their owners, different ones every time.
 *
 * start tells what is needed (each once) and returns; poll makes progress; finish waits. Between them
 * one may compute. Requests: one message to each peer asked, one back, large ones cut. A cache keeps
 * rows of others up to a budget of bytes: those asked for most often in the first fetches stay.
 */
#ifndef TRIREME_COMM_FETCH_H
#define TRIREME_COMM_FETCH_H

#include "trireme/comm/comm.h"

typedef struct trm_fetch trm_fetch;

typedef struct trm_fetch_options {
  int64_t row_bytes;
  const int32_t *owner; /* [n_nodes] rank of each node, below 0: nobody's; kept */
  const int64_t *place; /* [n_nodes] row of each node at its owner; kept */
  int64_t n_nodes;
  const void *own_rows; /* [own rows, row_bytes] of this rank; kept */
  int64_t cache_bytes;  /* 0: no cache */
  int64_t max_rows;     /* most rows a fetch asks for */
} trm_fetch_options;

/** Rows so far, by where they came from, and the bytes this rank sent: ids and rows. */
typedef struct trm_fetch_counts {
  int64_t asked, own, cached, fetched, bytes;
} trm_fetch_counts;

/**
 * Collective; `comm` is kept. row_bytes, n_nodes, owner and place must be equal on all ranks, which
 * is checked; max_rows and cache_bytes may differ.
 *
 * @return TRM_ERR_ARG, TRM_ERR_CONFIG (not equal), TRM_ERR_MEMORY, the same on all ranks
 *
 * Memory: the cache and 4 bytes a node for it; 8 bytes a row of max_rows; 4 bytes a row that others
 * may ask for; up to 64 MiB of staging each way.
 */
trm_status trm_fetch_create(trm_comm *comm, const trm_fetch_options *options, trm_fetch **out);
/** Ends a fetch under way. Collective. Accepts NULL, sets NULL. */
void trm_fetch_destroy(trm_fetch **fetch);

/**
 * Begins a fetch; one may be under way. Every rank starts its k-th, when it likes, also of no nodes;
 * between start and finish a rank may compute, and come to collectives only if all ranks come to
 * them between the same two.
 *
 * @param[in]  nodes  [n] each once; borrowed until this returns
 * @param[out] out    [n, row_bytes] kept until finish; own and cached rows are there at once
 * @return TRM_OK; what is wrong with `nodes` is told by trm_fetch_finish, to all ranks
 */
trm_status trm_fetch_start(trm_fetch *fetch, const int32_t *nodes, int64_t n, void *out);

/** Answers and takes what there is, without waiting. Not collective. @return TRM_OK */
trm_status trm_fetch_poll(trm_fetch *fetch);

/**
 * Waits until the rows are there and others have theirs of this rank. Collective: all ranks have to
 * start this fetch, and to poll or finish it, before any other wait for one another.
 *
 * @return TRM_ERR_ARG, on all ranks alike, when one asked for a node that nobody has, for one several
 *         times, or for too many; what `out` holds is then undefined
 */
trm_status trm_fetch_finish(trm_fetch *fetch);

/** What was fetched so far. Not collective. */
trm_fetch_counts trm_fetch_count(const trm_fetch *fetch);

#endif
