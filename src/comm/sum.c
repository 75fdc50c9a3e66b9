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
 * counter), and what is left at the end from the top down: the tree of blocks.c for any V. */
#include <string.h>

#include "reducer_internal.h"
#include "trireme/core/memory.h"

/* The stack covers blocks [0, first) in subtrees of falling sizes, the binary digits of `first`, so a
 * part as large as the top is its sibling. The last leaf also takes the merges left at the end. */
static void plan_leaves(trm_sum_plan *plan, bool subtrees, int64_t n_blocks, int size) {
  trm_block_part parts[TRM_MAX_BLOCK_PARTS];
  int64_t sizes[TRM_MAX_BLOCK_PARTS], n_leaves = 0;
  int top = 0;
  plan->depth = 0;
  for (int r = 0; r < size; ++r) {
    int64_t first = 0, n_local = 0;
    trm_block_range(n_blocks, r, size, &first, &n_local);
    const int n_parts = subtrees ? trm_block_parts(first, n_local, parts) : 1;
    plan->first_leaf[r] = n_leaves;
    for (int p = 0; p < n_parts; ++p) {
      trm_sum_leaf *leaf = &plan->leaves[n_leaves++];
      *leaf = (trm_sum_leaf){.rank = r, .slot = p};
      sizes[top++] = subtrees ? parts[p].n : 1;
      if (top > plan->depth) plan->depth = top;
      const bool last = r == size - 1 && p == n_parts - 1;
      while (top > 1 && (!subtrees || last || sizes[top - 1] == sizes[top - 2])) {
        --top;
        sizes[top - 1] += sizes[top];
        ++leaf->n_merges;
      }
    }
  }
  plan->first_leaf[size] = n_leaves;
  plan->n_leaves = n_leaves;
  TRM_ASSERT(top == 1);
}

trm_status trm_sum_plan_create(trm_sum_plan *plan, bool subtrees, int64_t n_blocks, int size) {
  int64_t n_leaves = size;
  if (subtrees) {
    trm_block_part parts[TRM_MAX_BLOCK_PARTS];
    n_leaves = 0;
    for (int r = 0; r < size; ++r) {
      int64_t first = 0, n_local = 0;
      trm_block_range(n_blocks, r, size, &first, &n_local);
      n_leaves += trm_block_parts(first, n_local, parts);
    }
  }
  TRM_TRY(TRM_ALLOC(&plan->leaves, n_leaves, "order of the gradient sum"));
  TRM_TRY(TRM_ALLOC(&plan->first_leaf, (int64_t)size + 1, "order of the gradient sum"));
  plan_leaves(plan, subtrees, n_blocks, size);
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

/* The planned sum of elements [i, i + n), n <= TRM_SUM_TILE; points into `scratch` or a leaf. */
static const float *sum_tile(const trm_sum_plan *plan, const float *const *leaves, int64_t i,
                             int64_t n, float *scratch) {
  const float *stack[TRM_MAX_BLOCK_PARTS];
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
  return stack[0];
}

void trm_sum_run(const trm_sum_plan *plan, float *const *targets, int n_targets,
                 const float *const *leaves, int64_t n, float *scratch) {
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
    const float *sum = sum_tile(plan, leaves, i, m, scratch);
    for (int t = 0; t < n_targets; ++t) {
      if (targets[t] + i != sum) memcpy(targets[t] + i, sum, (size_t)m * sizeof *sum);
    }
  }
}
