/**
 * Rows of a matrix that is shared out by rows: who has which, and fetching those of others.
 * One message a peer; on one host through a shared window when that can be had.
 */
#ifndef TRIREME_COMM_ROWS_H
#define TRIREME_COMM_ROWS_H

#include "trireme/comm/comm.h"

/** A fixed pattern: each process needs the same rows every time. */
typedef struct trm_halo trm_halo;

/**
 * Collective. The pattern is agreed on once: each process tells the owners which rows it needs.
 * @param own     [n_own] ids of own rows, in order of rows, each once
 * @param halo    [n_halo] ids of rows needed, by owner: those of process p are [from[p], from[p + 1])
 * @return TRM_ERR_ARG when an id is asked of a process that does not have it
 */
trm_status trm_halo_create(trm_comm *comm, const int32_t *own, int64_t n_own, const int32_t *halo,
                           const int64_t *from, trm_halo **out);
void trm_halo_destroy(trm_halo **halo);
/** Takes the memory for rows of up to `bytes`. Collective, equal `bytes`; the status is the same on all. */
trm_status trm_halo_reserve(trm_halo *halo, int64_t row_bytes);
/** rows[n_own + n_halo, C] with `bytes` a row: own rows are there, the others are filled in. Collective:
 *  the same order of calls on all processes. Allocates only for rows wider than any before. */
trm_status trm_halo_exchange(trm_halo *halo, void *rows, int64_t row_bytes);
/** Bytes sent by this process so far. */
int64_t trm_halo_bytes(const trm_halo *halo);

/** rows[n, C]: process p's contiguous range [from[p], from[p + 1]) becomes everyone's. Collective. */
trm_status trm_rows_share(trm_comm *comm, void *rows, const int64_t *from, int64_t row_bytes);

/**
 * Fetching: feature rows by node id from their owners, different ones every step.
 * start tells what is needed (each once) and returns; poll makes progress; finish waits. Between them
 * one may compute. Requests: one message to each peer asked, one back. A cache keeps rows of others up
 * to a budget of bytes: those asked for most often in the first fetches stay.
 */
typedef struct trm_fetch trm_fetch;
typedef struct trm_fetch_options {
  int64_t row_bytes;
  const int32_t *owner; /* [n_nodes] process of each node; kept */
  const int64_t *place; /* [n_nodes] row of each node at its owner; kept */
  int64_t n_nodes;
  const void *own_rows; /* this process's rows; kept */
  int64_t cache_bytes;  /* 0: no cache */
  int64_t max_rows;     /* most rows a fetch asks for */
} trm_fetch_options;
typedef struct trm_fetch_counts {
  int64_t asked, own, cached, fetched, bytes;
} trm_fetch_counts;
trm_status trm_fetch_create(trm_comm *comm, const trm_fetch_options *options, trm_fetch **out);
void trm_fetch_destroy(trm_fetch **fetch); /* collective; ends a fetch under way */
/** Collective in order: every process starts its k-th fetch, also of no nodes. out[n] rows is written
 *  until finish. One may be under way. What is wrong with `nodes` is told by finish, to all. */
trm_status trm_fetch_start(trm_fetch *fetch, const int32_t *nodes, int64_t n, void *out);
trm_status trm_fetch_poll(trm_fetch *fetch);
/** Waits for the own rows and for those that others asked of this process: every process comes to it
 *  (or polls) before any other wait for one another. The status is the same on all. */
trm_status trm_fetch_finish(trm_fetch *fetch);
trm_fetch_counts trm_fetch_count(const trm_fetch *fetch);

/** Groups of processes: those of equal `color`, in order of rank. Collective. The group has its own
 *  agreement and messages, in which ranks have their numbers of the whole job; it shares the process's
 *  deadline thread (watch.h). trm_comm_free ends it. */
trm_status trm_comm_split(trm_comm *comm, int color, trm_comm **out);

/** Memory that the processes of a host share: one writes, all read. */
typedef struct trm_shared trm_shared;
trm_status trm_shared_create(trm_comm *comm, trm_shared **out);
void trm_shared_destroy(trm_shared **shared); /* collective */
/** Collective, equal bytes. Zeroed; 64-byte aligned. *fill is true on every process that must write
 *  it: one of each host, or all where no memory can be shared. */
trm_status trm_shared_take(trm_shared *shared, int64_t bytes, const char *what, void **memory,
                           bool *fill);
/** Agreement of all processes, after which what was written may be read. Collective. */
trm_status trm_shared_settle(trm_shared *shared, trm_status status);
/** Bytes of this host's shared memory. */
int64_t trm_shared_bytes(const trm_shared *shared);

#endif
