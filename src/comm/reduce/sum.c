/* The order in which the parts of all ranks are added, and the adding itself.
 *
 * Adding is element by element, so vector width and tiling cannot change a bit; only the order of
 * the parts can, and that is the plan. The plan is a stack program:
 *
 *     engine "ring", 3 ranks         r0 r1 + r2 +                    ((r0 + r1) + r2)
 *     engine "canonical", V = 5,     [0 1] [2] [3] + + [4] +         ((01 + (2 + 3)) + 4)
 *       2 ranks with 2 and 3 blocks
 *
 * For "canonical" two neighbours on the stack are added as soon as they are siblings (binary
 * counter), and what is left at the end from the top down: the tree of blocks.c for any V. A plan
 * of the ranks of one host leaves several sums, the parts of the host's range of blocks. */
#include <string.h>

#include "reducer_internal.h"
#include "trireme/core/memory.h"

/* Whether the two on top of a stack are the halves of one subtree. */
static bool are_siblings(const trm_block_part *lower) {
  return lower[0].n == lower[1].n && lower[0].first % (2 * lower[0].n) == 0;
}

/* Two neighbours are added as soon as they are siblings. The last leaf of all also takes the merges that are left
 * at the end; of a range, what is left is its parts (trm_block_parts). */
static void plan_leaves(trm_sum_plan *plan, bool subtrees, int64_t n_blocks, const int64_t *bounds,
                        int size) {
  trm_block_part parts[TRM_MAX_BLOCK_PARTS], stack[TRM_MAX_BLOCK_PARTS];
  const bool whole = bounds[0] == 0 && bounds[size] == n_blocks;
  int64_t n_leaves = 0;
  int top = 0;
  plan->depth = 0;
  for (int r = 0; r < size; ++r) {
    const int64_t n_local = bounds[r + 1] - bounds[r];
    const int n_parts = subtrees ? trm_block_parts(bounds[r], n_local, parts) : 1;
    if (!subtrees) parts[0] = (trm_block_part){bounds[r], n_local};
    plan->first_leaf[r] = n_leaves;
    for (int p = 0; p < n_parts; ++p) {
      trm_sum_leaf *leaf = &plan->leaves[n_leaves++];
      *leaf = (trm_sum_leaf){.rank = r, .slot = p};
      stack[top++] = parts[p];
      if (top > plan->depth) plan->depth = top;
      const bool last = whole && r == size - 1 && p == n_parts - 1;
      while (top > 1 && (!subtrees || last || are_siblings(&stack[top - 2]))) {
        --top;
        stack[top - 1].n += stack[top].n;
        ++leaf->n_merges;
      }
    }
  }
  plan->first_leaf[size] = n_leaves;
  plan->n_leaves = n_leaves;
  plan->n_sums = top;
}

trm_status trm_sum_plan_create(trm_sum_plan *plan, bool subtrees, int64_t n_blocks,
                               const int64_t *bounds, int size) {
  int64_t n_leaves = size;
  if (subtrees) {
    trm_block_part parts[TRM_MAX_BLOCK_PARTS];
    n_leaves = 0;
    for (int r = 0; r < size; ++r) {
      n_leaves += trm_block_parts(bounds[r], bounds[r + 1] - bounds[r], parts);
    }
  }
  TRM_TRY(TRM_ALLOC(&plan->leaves, n_leaves, "order of the gradient sum"));
  TRM_TRY(TRM_ALLOC(&plan->first_leaf, (int64_t)size + 1, "order of the gradient sum"));
  plan_leaves(plan, subtrees, n_blocks, bounds, size);
  plan->kernels = trm_sum_kernels_best();
  return TRM_OK;
}

void trm_sum_plan_release(trm_sum_plan *plan) {
  TRM_FREE(plan->leaves);
  TRM_FREE(plan->first_leaf);
}

int64_t trm_sum_scratch(const trm_sum_plan *plan) {
  return (int64_t)plan->depth * TRM_SUM_TILE;
}

void trm_sum_add(const trm_sum_plan *plan, float *y, const float *x, int64_t n) {
  plan->kernels->add(y, y, x, n);
}

/* The planned sums of elements [i, i + n), n <= TRM_SUM_TILE: stack[0 .. plan->n_sums), which point into
 * `scratch` or a leaf. */
static void sum_tile(const trm_sum_plan *plan, const float *const *leaves, int64_t i, int64_t n,
                     float *scratch, const float *stack[TRM_MAX_BLOCK_PARTS]) {
  int top = 0;
  for (int64_t l = 0; l < plan->n_leaves; ++l) {
    stack[top++] = leaves[l] + i;
    for (int m = 0; m < plan->leaves[l].n_merges; ++m) {
      --top;
      float *out = scratch + (int64_t)(top - 1) * TRM_SUM_TILE;
      plan->kernels->add(out, stack[top - 1], stack[top], n);
      stack[top - 1] = out;
    }
  }
}

void trm_sum_run(const trm_sum_plan *plan, float *const *targets, int n_targets,
                 const float *const *leaves, int64_t n, float *scratch) {
  const float *sum[TRM_MAX_BLOCK_PARTS];
  TRM_ASSERT(plan->n_sums == 1);
  if (plan->n_leaves == 2 && n_targets == 2 && targets[0] == leaves[0] && targets[1] == leaves[1]) {
    plan->kernels->add_both(targets[0], targets[1], n);
    return;
  }
  if (plan->n_leaves == 2 && n_targets == 1) {
    plan->kernels->add(targets[0], leaves[0], leaves[1], n);
    return;
  }
  for (int64_t i = 0; i < n; i += TRM_SUM_TILE) {
    const int64_t m = n - i < TRM_SUM_TILE ? n - i : TRM_SUM_TILE;
    sum_tile(plan, leaves, i, m, scratch, sum);
    for (int t = 0; t < n_targets; ++t) {
      if (targets[t] + i != sum[0]) memcpy(targets[t] + i, sum[0], (size_t)m * sizeof **sum);
    }
  }
}

void trm_sum_run_parts(const trm_sum_plan *plan, float *const *targets, const float *const *leaves,
                       int64_t n, float *scratch) {
  const float *sums[TRM_MAX_BLOCK_PARTS];
  for (int64_t i = 0; i < n; i += TRM_SUM_TILE) {
    const int64_t m = n - i < TRM_SUM_TILE ? n - i : TRM_SUM_TILE;
    sum_tile(plan, leaves, i, m, scratch, sums);
    for (int p = 0; p < plan->n_sums; ++p)
      memcpy(targets[p] + i, sums[p], (size_t)m * sizeof **sums);
  }
}
