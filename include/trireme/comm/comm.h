/**
 * Our communicator: named collectives, one agreement on status, deadlines. MPI lives only here.
 *
 * Rules (docs/ARCHITECTURE.md): a collective function must not return, between its first and last
 * collective, on a condition that only one rank can see; a failure on one rank becomes one orderly
 * stop on all through trm_comm_agree. An MPI error is fatal and is reported, not retried.
 */
#ifndef TRIREME_COMM_COMM_H
#define TRIREME_COMM_COMM_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

typedef struct trm_comm trm_comm;

/** How much of MPI's thread support was granted. */
typedef enum trm_thread_level {
  TRM_THREAD_SINGLE,
  TRM_THREAD_FUNNELED,
  TRM_THREAD_SERIALIZED,
  TRM_THREAD_MULTIPLE,
} trm_thread_level;

/**
 * Starts MPI and duplicates the world. Collective. Sets the abort hook of `core`.
 * Also fills in the host name of every rank and which ranks share this rank's host.
 * @return TRM_ERR_MEMORY, on all ranks
 */
trm_status trm_comm_init(int *argc, char ***argv, trm_comm **out);
/** Ends MPI. Collective: all ranks must come here together (a rank that finalises alone hangs the
 *  others); call trm_comm_agree before. NULL is accepted. */
void trm_comm_finalize(trm_comm **comm);
/** Ends every rank at once, with `exit_code`. Not collective. */
_Noreturn void trm_comm_abort(trm_comm *comm, int exit_code);

/** A communicator of the same ranks with its own message space. Collective.
 *  @return TRM_ERR_MEMORY, the same on all ranks */
trm_status trm_comm_dup(trm_comm *comm, trm_comm **out);
/** Ends a communicator of trm_comm_dup or trm_comm_split. Collective. NULL is accepted. */
void trm_comm_free(trm_comm **comm);

/* What follows, up to trm_comm_agree, is not collective; texts live as long as `comm`. */

/** Rank, from 0, and number of ranks. */
int trm_comm_rank(const trm_comm *comm);
int trm_comm_size(const trm_comm *comm);
/** Rank among, and number of, the ranks on this host. */
int trm_comm_node_rank(const trm_comm *comm);
int trm_comm_node_size(const trm_comm *comm);
/** True when all ranks are on one host. */
bool trm_comm_one_host(const trm_comm *comm);
/** Name of the host that a rank is on. */
const char *trm_comm_host(const trm_comm *comm, int rank);
/** What MPI granted; asked for was TRM_THREAD_MULTIPLE. */
trm_thread_level trm_comm_thread_level(const trm_comm *comm);
/** "Open MPI v4.1.4, ..." on one line. */
const char *trm_comm_library(void);
/**
 * More than 1 when the launcher or scheduler says there are that many tasks, yet MPI sees one rank: N
 * copies of a job instead of a job of N ranks; else 0 or 1. Not collective. Reads the environment.
 *
 * The nearest launcher has the last word: what mpirun says about this job (also when srun started
 * the daemons of mpirun, whose environment the ranks inherit), then PMI, then the Slurm step.
 * SLURM_NTASKS alone says nothing: it is set in every batch script of a job with many tasks.
 * SLURM_STEP_NUM_TASKS is set by srun for the tasks of a step, together with SLURM_PROCID.
 */
int trm_comm_suspected_tasks(const trm_comm *comm);

/**
 * The ranks agree on a status. Collective.
 * If every rank passes TRM_OK, returns TRM_OK. Otherwise every rank returns the status of the
 * lowest failing rank, and its message becomes every rank's message, prefixed by "rank R (host): "
 * when there is more than one rank and extended by " (N ranks failed)" when N > 1.
 * Cost when all is well: one all-reduce of 8 bytes.
 */
trm_status trm_comm_agree(trm_comm *comm, trm_status status);

/* The functions below fail with TRM_ERR_ARG alone, for a negative count or a rank that is not there,
 * unless said otherwise: an MPI error is fatal. What must be equal on all ranks, n and bytes, fails on
 * all alike. */

/** Waits until all ranks are here. Collective. */
trm_status trm_comm_barrier(trm_comm *comm);
/** Broadcast of bytes from `root`; any length (cut below 2^31 inside). Collective, equal `bytes`. */
trm_status trm_comm_broadcast(trm_comm *comm, void *data, int64_t bytes, int root);
/** Each rank's `bytes` bytes, by rank, into all[size * bytes] on every rank. Collective, equal
 *  `bytes`. */
trm_status trm_comm_allgather(trm_comm *comm, const void *mine, void *all, int64_t bytes);
/** Any length from one rank to another: both call, at the same place among their collectives. Waits
 *  for the data, or until they may be overwritten. Set-up and checkpoints only. */
trm_status trm_comm_send(trm_comm *comm, const void *data, int64_t bytes, int to);
trm_status trm_comm_receive(trm_comm *comm, void *data, int64_t bytes, int from);
/** Element-wise sum in place of values[n]. The order of sums depends on the rank count: use it where
 *  all but one rank give 0, or for values that are exact in double. Collective, equal n. */
trm_status trm_comm_sum_f64(trm_comm *comm, double *values, int64_t n);
/** Element-wise maximum in place of values[n], without NaN. Collective, equal n. */
trm_status trm_comm_max_f64(trm_comm *comm, double *values, int64_t n);
/** Bitwise or in place of values[n], e.g. of stop flags. Collective, equal n. */
trm_status trm_comm_or_u64(trm_comm *comm, uint64_t *values, int64_t n);
/** Fails on every rank when `value` is not the same on all; `what` names it, e.g. "the
 *  configuration", in the message, which also names a rank that differs. Collective.
 *  @return TRM_ERR_CONFIG, the same on all ranks */
trm_status trm_comm_check_equal(trm_comm *comm, uint64_t value, const char *what);
/**
 * Fails on every rank when `facts`, lines "name<TAB>value", are not the same on all. The message names
 * the first fact that differs from rank 0's, both ranks and both values, and ends with `remedy`.
 * Cost when all is well: a broadcast and an all-reduce of 8 bytes. Collective.
 * @return TRM_ERR_CONFIG, or TRM_ERR_MEMORY, the same on all ranks
 */
trm_status trm_comm_check_same(trm_comm *comm, const char *facts, const char *remedy);

/** For tests: messages are cut into pieces of at most `bytes` (>= 8), the same on all ranks. */
void trm_comm_limit_message(trm_comm *comm, int64_t bytes);
/** For tests: from now on rank r and its duplicates count as one of host r mod n. Collective. */
void trm_comm_pretend_hosts(trm_comm *comm, int n);
/** For tests: likewise on n <= size hosts, each with a share of neighbouring ranks. Collective. */
void trm_comm_pretend_neighbours(trm_comm *comm, int n);

#endif
