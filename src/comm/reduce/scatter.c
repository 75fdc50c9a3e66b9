/* Engine "canonical": the same bits for any number of ranks.
 *
 * Every rank holds parts, the sums of aligned subtrees of blocks (blocks.c). Slice r + 1 of a
 * piece belongs to rank r. All ranks send their parts of the slice to its owner, who adds all
 * parts of all ranks along the one tree over the blocks (sum.c), whoever computed them; then a
 * ring all-gather as in ring.c gives every rank every slice, in slot 0.
 *
 *     size 2, V = 6: rank 0 has parts [0 1] [2], rank 1 has [3] [4 5]
 *
 *                 rank 0 (owns slice 1)                rank 1 (owns slice 0)
 *     scatter     [0 1] [2] of slice 0 ->              <- [3] [4 5] of slice 1
 *     add         (01 + (2 + 3)) + 45 of slice 1       (01 + (2 + 3)) + 45 of slice 0
 *     gather      slice 1 ->                           <- slice 0
 *
 * Steps 1 + (size - 1). Elements sent per rank: parts * n (size - 1) / size, then the same with
 * one part. With V a multiple of the rank count and both powers of two, parts is 1 and the cost is
 * the ring's. Staging: the parts of all other ranks for one slice.
 */
#include "reducer_internal.h"

static void scatter(trm_reducer *reducer, trm_piece *piece) {
  const trm_sum_plan *plan = &reducer->plan;
  const int rank = reducer->comm->rank, size = reducer->comm->size;
  float *staging = piece->staging;
  int64_t at = 0;
  const int64_t own = trm_piece_slice(reducer, piece, rank + 1, &at);
  for (int64_t l = 0; l < plan->n_leaves; ++l) {
    const trm_sum_leaf *leaf = &plan->leaves[l];
    if (leaf->rank == rank) {
      piece->leaves[l] = trm_slot(reducer, leaf->slot) + at;
      continue;
    }
    trm_piece_receive(reducer, piece, staging, own, leaf->rank);
    piece->leaves[l] = staging;
    staging += trm_round_up_line(own);
  }
  for (int i = 1; i < size; ++i) {
    const int owner = (rank + i) % size;
    const int64_t n = trm_piece_slice(reducer, piece, owner + 1, &at);
    for (int64_t l = plan->first_leaf[rank]; l < plan->first_leaf[rank + 1]; ++l) {
      trm_piece_send(reducer, piece, trm_slot(reducer, plan->leaves[l].slot) + at, n, owner);
    }
  }
}

static void add(trm_reducer *reducer, trm_piece *piece) {
  int64_t at = 0;
  const int64_t own = trm_piece_slice(reducer, piece, reducer->comm->rank + 1, &at);
  float *target = trm_slot(reducer, 0) + at;
  trm_sum_run(&reducer->plan, &target, 1, piece->leaves, own, piece->scratch);
}

static bool canonical_advance(trm_reducer *reducer, trm_piece *piece) {
  const int n_steps = reducer->comm->size - 1;
  const int phase = piece->phase++;
  if (phase == 0) {
    scatter(reducer, piece);
    return false;
  }
  if (phase == 1) add(reducer, piece);
  if (phase == 1 + n_steps || piece->motion == TRM_SUM_TO_OWNERS) return true;
  trm_ring_gather(reducer, piece, phase - 1);
  return false;
}

const trm_engine trm_engine_canonical = {
    TRM_ENGINE_PART("canonical"),    .subtrees = true,
    .staging = trm_exchange_staging, .n_requests = trm_exchange_n_requests,
    .advance = canonical_advance,    .to_owners = true,
};
