/**
 * What the files of the reducer share.
 *
 *     reducer.c    the public face: options, slots, the queue of buckets, waiting
 *     blocks.c     which blocks and parts a rank has
 *     sum.c        the order in which all parts are added; sum_kernels.c the adding
 *     window.c     transport: shared memory of one host (segments by shm.c)
 *     hosts.c      transport: several hosts, a window on each and lanes between their first ranks
 *     lanes.c      transport: point-to-point messages; buckets cut into pieces, pieces in flight
 *     exchange.c     a small piece: every rank sends its parts to all
 *     ring.c         a large piece, engine "ring": reduce-scatter and all-gather
 *     scatter.c      a large piece, engine "canonical": parts to the owner of a slice, all-gather
 *
 * Sharing out (n_striped > 0) cuts the same ways shorter: "window" writes a sum to its owner only,
 * "scatter" stops before its all-gather, and a gather is that all-gather alone. Engine "ring" by
 * messages still returns all sums to all ranks, since its slices, which are part of the order of its
 * sums, are not the owners' stripes.
 */
#ifndef TRIREME_COMM_REDUCER_INTERNAL_H
#define TRIREME_COMM_REDUCER_INTERNAL_H

#include <stdatomic.h>

#include "comm_internal.h"
#include "trireme/comm/reducer.h"

/** Floats in a cache line: slots, slices and chunks begin at multiples of it. */
enum { TRM_LINE_FLOATS = 16 };

static inline int64_t trm_round_up_line(int64_t n) {
  return (n + TRM_LINE_FLOATS - 1) / TRM_LINE_FLOATS * TRM_LINE_FLOATS;
}

/* ---- the order of sums (sum.c) --------------------------------------------------------------- */

/** A part of some rank; after it is pushed, the two top entries of the stack are added n_merges
 *  times. */
typedef struct trm_sum_leaf {
  int rank, slot, n_merges;
} trm_sum_leaf;

/** The adding, for one instruction set (sum_kernels.c). */
typedef struct trm_sum_kernels {
  const char *name;
  /** out = a + b; out may be a or b. */
  void (*add)(float *out, const float *a, const float *b, int64_t n);
  /** a = b = a + b: two ranks through shared memory, each array read and written once. */
  void (*add_both)(float *a, float *b, int64_t n);
} trm_sum_kernels;
/** The best this processor has. */
const trm_sum_kernels *trm_sum_kernels_best(void);

/** All parts of all ranks in block order: evaluating it as a stack program gives the sum, or, where
 *  the ranks have a range of the blocks only, the sums of that range's parts. */
typedef struct trm_sum_plan {
  const trm_sum_kernels *kernels;
  int64_t n_leaves;
  int n_sums;           /* left on the stack; 1 over all blocks */
  int depth;            /* entries the stack needs */
  trm_sum_leaf *leaves; /* [n_leaves], owned */
  int64_t *first_leaf;  /* [size + 1], owned: leaves of rank r are [first[r], first[r+1]) */
} trm_sum_plan;

/** Elements a sum is evaluated for at a time, so that its scratch stays in the first cache. */
enum { TRM_SUM_TILE = 1024 };

/** Rank r of `size` has blocks [bounds[r], bounds[r + 1]) of n_blocks. */
trm_status trm_sum_plan_create(trm_sum_plan *plan, bool subtrees, int64_t n_blocks,
                               const int64_t *bounds, int size);
void trm_sum_plan_release(trm_sum_plan *plan);
/** Floats of scratch that trm_sum_run needs. */
int64_t trm_sum_scratch(const trm_sum_plan *plan);
/**
 * targets[0..n_targets)[i] = the planned sum of leaves[0..n_leaves)[i], i in [0, n).
 * A target may be a leaf; targets are else disjoint from leaves. All pointers are 4-byte aligned.
 */
void trm_sum_run(const trm_sum_plan *plan, float *const *targets, int n_targets,
                 const float *const *leaves, int64_t n, float *scratch);
/** targets[p][i] = sum p of the plan's n_sums, i in [0, n); targets are disjoint from leaves. */
void trm_sum_run_parts(const trm_sum_plan *plan, float *const *targets, const float *const *leaves,
                       int64_t n, float *scratch);
/** y += x. */
void trm_sum_add(const trm_sum_plan *plan, float *y, const float *x, int64_t n);

/* ---- transports ------------------------------------------------------------------------------ */

/** What is to become of a span of the array. */
typedef enum trm_motion {
  TRM_SUM_TO_ALL,    /* parts to sums in slot 0 of every rank */
  TRM_SUM_TO_OWNERS, /* parts to sums in slot 0 of the owner of each stripe */
  TRM_GATHER,        /* stripes in their owners' slot 0 to slot 0 of every rank */
} trm_motion;

/** Span of the array handed over. Sums are for owners below n_striped and for all from there on. */
typedef struct trm_bucket {
  int64_t offset, count;
  bool gather;
} trm_bucket;

/** How buckets travel. All functions are required but `submitted`. */
typedef struct trm_transport {
  const char *name;
  /** Called by the thread that starts bucket number `index`, after it has been queued. */
  void (*submitted)(trm_reducer *reducer, uint64_t index);
  /** Makes what progress is possible; true when all buckets queued are done. */
  bool (*poll)(trm_reducer *reducer);
  void (*destroy)(trm_reducer *reducer); /* collective */
} trm_transport;

/** An algorithm over ranks: what it wants as parts and how it moves a large piece. */
struct trm_piece;

typedef struct trm_engine {
  trm_config_part part; /* its name, a value of comm.allreduce */
  bool subtrees;
  /** Floats of staging memory a lane needs for pieces whose slices have `slice` elements. */
  int64_t (*staging)(const trm_reducer *reducer, int64_t slice);
  /** Requests a lane needs. */
  int64_t (*n_requests)(const trm_reducer *reducer);
  /** Next phase of a piece whose requests are all complete; true when the piece is done. */
  bool (*advance)(trm_reducer *reducer, struct trm_piece *piece);
  /** Optional: whether `advance` can bring sums to the owners of stripes only. If not, every rank
   *  gets all of them. */
  bool to_owners;
} trm_engine;

struct trm_reducer {
  trm_comm *comm; /* own duplicate: own message space */
  const trm_engine *engine;
  const trm_transport *transport;
  void *transport_state;
  int64_t n_elements, n_blocks;
  trm_stripes stripes; /* of [0, n_striped) */
  trm_sum_plan plan;

  int n_slots;
  int64_t slot_stride; /* floats */
  float *slots;        /* slot s begins at slots + s * slot_stride */
  float *heap_slots;   /* owned; NULL when the slots live in the window */

  /* Of the ranks of a host among several (hosts.c): sums are left in the host's parts, which lie in the
   * window's memory, and its rank 0 is rank first_rank among the owners of stripes. Else n_parts is 0. */
  int n_parts, first_rank;
  float *parts; /* part p begins at parts + p * slot_stride */

  /* Buckets by number modulo TRM_MAX_BUCKETS. The starting thread writes an entry and then
   * n_started; the polling thread reads and then writes n_done. */
  trm_bucket *queue;
  _Atomic uint64_t n_started, n_done;

  bool yield_at_once; /* more ranks here than processors */
  double exposed_s;
};

static inline float *trm_slot(const trm_reducer *reducer, int slot) {
  return reducer->slots + slot * reducer->slot_stride;
}

/** Shared window. Sets *made on all ranks or on none; false is no failure. Gives the slots, and the
 *  parts if there are to be any. */
trm_status trm_window_create(trm_reducer *reducer, bool *made);
/** A number in the window's memory for who made it, 0 at first. */
_Atomic uint64_t *trm_window_number(trm_reducer *reducer);
/** Several hosts, a window on each. As trm_window_create; *made is also false where the layout does not
 *  allow it: hosts whose ranks are not neighbours, one rank on each, or owners of stripes that do not
 *  fall on hosts. */
trm_status trm_hosts_create(trm_reducer *reducer, int64_t segment_bytes, bool *made);
trm_status trm_lanes_create(trm_reducer *reducer, int64_t segment_bytes);

/* ---- pieces of point-to-point traffic (lanes.c) ---------------------------------------------- */

/** A span of one bucket in flight in a lane. */
typedef struct trm_piece {
  int64_t offset, count;
  trm_motion motion;
  int64_t slice; /* elements of every slice but the last ones; unused where slices are stripes */
  int tag;
  int phase;
  bool (*advance)(trm_reducer *reducer, struct trm_piece *piece);
  /* Memory of the lane. */
  float *staging;
  const float **leaves; /* [plan.n_leaves] */
  float *scratch;
  int n_requests;
  MPI_Request *requests;
} trm_piece;

/** Span of slice `index` (mod size) of a piece, relative to the array; returns its length. Slice
 *  r + 1 belongs to rank r. Unless the motion is to all, it is what the piece has of a stripe. */
int64_t trm_piece_slice(const trm_reducer *reducer, const trm_piece *piece, int index,
                        int64_t *offset);
void trm_piece_send(trm_reducer *reducer, trm_piece *piece, const float *data, int64_t n, int to);
void trm_piece_receive(trm_reducer *reducer, trm_piece *piece, float *data, int64_t n, int from);

#define TRM_ENGINE(name) extern const trm_engine trm_engine_##name;
#include "engine_list.h"
#undef TRM_ENGINE

#define TRM_ENGINE_PART(engine) .part = {.selector = "comm.allreduce", .name = engine}

/** Small pieces, both engines (exchange.c). */
int64_t trm_exchange_staging(const trm_reducer *reducer, int64_t count);
int64_t trm_exchange_n_requests(const trm_reducer *reducer);
bool trm_exchange_advance(trm_reducer *reducer, trm_piece *piece);
/** Step `step` (0 .. size-2) of the all-gather in which rank r began with slice r + 1 (ring.c). */
void trm_ring_gather(trm_reducer *reducer, trm_piece *piece, int step);
/** Motion TRM_GATHER, both engines (ring.c). */
bool trm_ring_gather_advance(trm_reducer *reducer, trm_piece *piece);

#endif
