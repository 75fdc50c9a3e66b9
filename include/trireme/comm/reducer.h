/**
 * All-reduce of a flat array, bucket by bucket, while the rest of it is still being computed.
 *
 * A reducer owns the array's slots (they may live in an MPI shared window) and moves buckets
 * through an engine of the table below. Engines make progress only inside trm_reducer_poll and
 * trm_reducer_wait, so the caller chooses: poll between operators, or from one thread of its own
 * (never from two threads at a time). Buckets must be started in the same order on all ranks.
 *
 * Blocks: the array is the sum over V blocks. A rank holds blocks [first_block, first_block +
 * n_local_blocks) of them; see trm_block_range. What a rank has to hand over is a list of *parts*:
 * for engine "ring" one part, the sum of all its blocks, in slot 0; for engine "canonical" the
 * maximal aligned subtrees (2^j blocks, the first a multiple of 2^j) that its range falls into,
 * part i in slot i, in block order (trm_block_parts).
 *
 * Sharing out: with n_striped > 0 the sums of elements [0, n_striped) reach the owners of their
 * stripes only (trm_stripes_make(n_striped, ranks)), half of an all-reduce. The other half is
 * trm_reducer_start_gather, which may return something else made of them, e.g. updated weights.
 */
#ifndef TRIREME_COMM_REDUCER_H
#define TRIREME_COMM_REDUCER_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/comm/comm.h"
#include "trireme/core/config.h"
#include "trireme/math/stripes.h"

typedef struct trm_reducer trm_reducer;

typedef struct trm_reducer_options {
  const char *engine;    /* a name of trm_reducer_engines */
  int64_t n_elements;    /* of the array: float */
  int64_t n_blocks;      /* V, at least the number of ranks */
  int64_t segment_bytes; /* pipelining grain of point-to-point messages; 0: the measured default */
  bool shared_window;    /* on a host, reduce through shared memory */
  int64_t
      n_striped; /* of elements [0, n_striped) each rank needs its stripes only; 0: all of all */
} trm_reducer_options;

/** Contiguous range of the V blocks that `rank` of `size` owns: [rank V / size, (rank+1) V / size). */
void trm_block_range(int64_t n_blocks, int rank, int size, int64_t *first, int64_t *n_local);

/** A maximal aligned subtree of a range of blocks. */
typedef struct trm_block_part {
  int64_t first, n;
} trm_block_part;
enum { TRM_MAX_BLOCK_PARTS = 128 };
/** Parts of [first, first + n), in block order; returns how many. */
int trm_block_parts(int64_t first, int64_t n, trm_block_part parts[TRM_MAX_BLOCK_PARTS]);

/**
 * How a rank adds its blocks up one by one, in the order of a binary counter, so that after block
 * i its parts of [first, first + i] lie in slots 0, 1, ...: the gradient of local block `i` is
 * written into slot trm_block_slot (a stack: one past the parts so far); then `*n_merges` times the
 * top slot is added to the one below it and the top is given up. Example, first = 5:
 *
 *     block   5      6      7              8      9
 *     slot    0      1      2              2      3
 *     merges  0      0      1 (6 += 7)     0      1 (8 += 9)
 *     parts  {5}   {5 6}  {5 67}       {5 67 8} {5 67 89}
 */
int trm_block_slot(int64_t first, int64_t i, int *n_merges);
/** Slots that blocks [first, first + n) need that way; at most 2 log2(V) + 2. */
int trm_block_slots(int64_t first, int64_t n);

/** Names of the engines, NULL-terminated. */
const char *const *trm_reducer_engines(void);
/** Arrays of n_elements that `rank` of `size` has with an engine. */
int trm_reducer_slots(const char *engine, int64_t n_blocks, int rank, int size);
/** Adds the parts of all engines, and the key that chooses among them. */
void trm_reducer_parts(trm_config_parts *parts);

/**
 * Collective. All options must be equal on all ranks. Nothing is allocated later.
 * @return TRM_ERR_CONFIG for an unknown engine or more ranks than blocks, TRM_ERR_ARG for sizes that are
 *         none, TRM_ERR_MEMORY; the same on all ranks
 */
trm_status trm_reducer_create(trm_comm *comm, const trm_reducer_options *options,
                              trm_reducer **out);
/** Collective; nothing may be under way. NULL is accepted. */
void trm_reducer_destroy(trm_reducer **reducer);

/** Slots: arrays of n_elements floats, 64-byte aligned, zeroed at creation. A rank has as many as
 *  its blocks need at any time while they are added up one by one (1 for "ring"). */
int trm_reducer_n_slots(const trm_reducer *reducer);
float *trm_reducer_slot(trm_reducer *reducer, int slot);
/** Whether parts are subtrees ("canonical") or one running sum ("ring"). */
bool trm_reducer_wants_subtrees(const trm_reducer *reducer);

/**
 * How buckets travel: "shared window"; "window and messages", on several hosts, the first rank of each
 * speaking for it; "point to point"; or "one rank" when there is nobody to talk to. A window that was
 * asked for and could not be had on every rank (separate containers, no memory; on several hosts engine
 * "ring", hosts whose ranks are not neighbours) becomes point to point.
 */
const char *trm_reducer_transport(const trm_reducer *reducer);

/** Buckets that may be under way at a time. */
enum { TRM_MAX_BUCKETS = 4096 };

/**
 * Hands over elements [offset, offset + count) of every part. Returns at once; makes no MPI call,
 * and may be called while another thread polls.
 * Afterwards the caller must not touch that span of any slot until the reducer is done with it;
 * then slot 0 holds the sum over all V blocks, the same bits on every rank. Of elements below
 * n_striped only the rank's own stripes do; the others are undefined.
 * @return TRM_ERR_ARG for a span outside the array, or more than TRM_MAX_BUCKETS under way
 */
trm_status trm_reducer_start(trm_reducer *reducer, int64_t offset, int64_t count);
/**
 * Hands over elements [offset, offset + count) of slot 0, below n_striped, to be given by their
 * owners to all ranks. Otherwise as trm_reducer_start; afterwards slot 0 is the same on every rank.
 */
trm_status trm_reducer_start_gather(trm_reducer *reducer, int64_t offset, int64_t count);
/** Who owns what of [0, n_striped). */
trm_stripes trm_reducer_stripes(const trm_reducer *reducer);
/** Makes what progress is possible without waiting; *idle is true when nothing is under way. By one
 *  thread at a time. @return TRM_OK */
trm_status trm_reducer_poll(trm_reducer *reducer, bool *idle);
/** Waits until everything started is done. Collective in that all ranks have to start the same
 *  buckets, and poll or wait. Yields the processor while it waits. @return TRM_OK */
trm_status trm_reducer_wait(trm_reducer *reducer);
/** Seconds spent waiting in trm_reducer_wait since the last call (exposed communication). */
double trm_reducer_exposed_s(trm_reducer *reducer);

/** Blocking convenience for tests and benchmarks: start + wait over the whole array. */
trm_status trm_reducer_run(trm_reducer *reducer);

#endif
