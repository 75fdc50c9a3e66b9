/* Small pieces, both engines: every rank sends its parts to all others and adds all of them.
 *
 *     size 3           rank 0            rank 1            rank 2
 *     own parts        a                 b                 c
 *     one step         a -> 1, 2         b -> 0, 2         c -> 0, 1
 *     every rank       adds all parts in the planned order, into slot 0
 *
 * One step, (size - 1) * parts * n elements sent per rank: cheapest while latency dominates. The
 * order is the plan's on every rank, so all get the same bits.
 */
#include "reducer_internal.h"

/* Parts of the other ranks, of `count` elements each. */
int64_t trm_exchange_staging(const trm_reducer *reducer, int64_t count) {
  const int64_t *first = reducer->plan.first_leaf;
  const int rank = reducer->comm->rank;
  return (reducer->plan.n_leaves - (first[rank + 1] - first[rank])) * trm_round_up_line(count);
}

int64_t trm_exchange_n_requests(const trm_reducer *reducer) {
  const int64_t *first = reducer->plan.first_leaf;
  const int64_t n_own = first[reducer->comm->rank + 1] - first[reducer->comm->rank];
  return (reducer->comm->size - 1) * n_own + reducer->plan.n_leaves - n_own;
}

bool trm_exchange_advance(trm_reducer *reducer, trm_piece *piece) {
  const trm_sum_plan *plan = &reducer->plan;
  const int rank = reducer->comm->rank, size = reducer->comm->size;
  if (piece->phase++ > 0) {
    float *target = trm_slot(reducer, 0) + piece->offset;
    trm_sum_run(plan, &target, 1, piece->leaves, piece->count, piece->scratch);
    return true;
  }
  float *staging = piece->staging;
  for (int64_t l = 0; l < plan->n_leaves; ++l) {
    const trm_sum_leaf *leaf = &plan->leaves[l];
    if (leaf->rank == rank) {
      piece->leaves[l] = trm_slot(reducer, leaf->slot) + piece->offset;
      continue;
    }
    trm_piece_receive(reducer, piece, staging, piece->count, leaf->rank);
    piece->leaves[l] = staging;
    staging += trm_round_up_line(piece->count);
  }
  /* Begin with the next rank, so that not all ranks send to rank 0 first. */
  for (int i = 1; i < size; ++i) {
    for (int64_t l = plan->first_leaf[rank]; l < plan->first_leaf[rank + 1]; ++l) {
      trm_piece_send(reducer, piece, piece->leaves[l], piece->count, (rank + i) % size);
    }
  }
  return false;
}
