/* Engine "ring": reduce-scatter and all-gather around a ring, for pieces past the small ones.
 *
 * Size 3, slices 0 1 2 of a piece; x.y is the sum of the slices of ranks x and y. Each rank sends
 * to the next and receives from the one before; what it receives it adds to its own slice.
 *
 *                 rank 0            rank 1            rank 2         sent by rank 0
 *     start       0 0 0             1 1 1             2 2 2
 *     reduce  0   0 0 2.0           0.1 1 1           2 1.2 2        slice 0
 *             1   0 1.2.0 2.0       0.1 1 2.0.1       0.1.2 1.2 2    slice 2
 *     gather  0   all of slices     all of 1, 2       all of 2, 0    slice 1
 *             1     0, 1            all of 0, 1, 2                   slice 0
 *
 *     reduce step s: rank r sends slice r - s, receives slice r - s - 1 into staging, adds it
 *     gather step s: rank r sends slice r + 1 - s, receives slice r - s in place
 *
 * Steps 2 (size - 1); bytes sent per rank 2 (size - 1) / size of the piece, the least possible.
 * The order of the sum depends on the slice and on the rank count: the same bits on every rank and
 * in every run of one layout, other bits with another number of ranks. "canonical" is for the rest.
 * Limits: a step waits for its neighbour, so latency grows with the rank count; see exchange.c.
 * Source: Patarasuk, Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters of
 * workstations", J. Parallel Distrib. Comput. 69(2).
 */
#include "reducer_internal.h"

static int next_rank(const trm_reducer *reducer) {
  return (reducer->comm->rank + 1) % reducer->comm->size;
}

static int previous_rank(const trm_reducer *reducer) {
  return (reducer->comm->rank + reducer->comm->size - 1) % reducer->comm->size;
}

/* A phase begins when all its predecessor's requests are complete, so a slice that is received in
 * place is no longer being sent. */
void trm_ring_gather(trm_reducer *reducer, trm_piece *piece, int step) {
  float *array = trm_slot(reducer, 0);
  const int rank = reducer->comm->rank;
  int64_t at = 0;
  int64_t n = trm_piece_slice(reducer, piece, rank - step, &at);
  trm_piece_receive(reducer, piece, array + at, n, previous_rank(reducer));
  n = trm_piece_slice(reducer, piece, rank + 1 - step, &at);
  trm_piece_send(reducer, piece, array + at, n, next_rank(reducer));
}

/* The second half of a ring alone. The sums' order is none of its business, so it serves both. */
bool trm_ring_gather_advance(trm_reducer *reducer, trm_piece *piece) {
  const int step = piece->phase++;
  if (step == reducer->comm->size - 1) return true;
  trm_ring_gather(reducer, piece, step);
  return false;
}

static void ring_reduce(trm_reducer *reducer, trm_piece *piece, int step) {
  const int rank = reducer->comm->rank;
  int64_t at = 0;
  int64_t n = trm_piece_slice(reducer, piece, rank - step - 1, &at);
  trm_piece_receive(reducer, piece, piece->staging, n, previous_rank(reducer));
  n = trm_piece_slice(reducer, piece, rank - step, &at);
  trm_piece_send(reducer, piece, trm_slot(reducer, 0) + at, n, next_rank(reducer));
}

static void ring_add(trm_reducer *reducer, trm_piece *piece, int step) {
  int64_t at = 0;
  const int64_t n = trm_piece_slice(reducer, piece, reducer->comm->rank - step - 1, &at);
  trm_sum_add(&reducer->plan, trm_slot(reducer, 0) + at, piece->staging, n);
}

static bool ring_advance(trm_reducer *reducer, trm_piece *piece) {
  const int n_steps = reducer->comm->size - 1;
  const int step = piece->phase++;
  if (step > 0 && step <= n_steps) ring_add(reducer, piece, step - 1);
  if (step == 2 * n_steps) return true;
  if (step < n_steps) {
    ring_reduce(reducer, piece, step);
  } else {
    trm_ring_gather(reducer, piece, step - n_steps);
  }
  return false;
}

static int64_t ring_staging(const trm_reducer *reducer, int64_t slice) {
  (void)reducer;
  return slice;
}

static int64_t ring_n_requests(const trm_reducer *reducer) {
  (void)reducer;
  return 2;
}

const trm_engine trm_engine_ring = {
    TRM_ENGINE_PART("ring"),       .subtrees = false,       .staging = ring_staging,
    .n_requests = ring_n_requests, .advance = ring_advance,
};
