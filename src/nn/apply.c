/* Applying an operator: shape, memory, forward, and the record for the way back. */
#include <string.h>

#include "tape_parts.h"
#include "trireme/math/gemm.h"

static trm_var *fail(trm_tape *tape, trm_status status) {
  if (tape->status == TRM_OK) tape->status = status;
  return &tape->invalid;
}

static trm_status push_node(trm_tape *tape, trm_node *node) {
  if (tape->n_nodes == tape->order_capacity) {
    const int64_t capacity = tape->order_capacity ? 2 * tape->order_capacity : 256;
    trm_node **order = NULL;
    TRM_TRY(TRM_ALLOC(&order, capacity, "tape"));
    if (tape->order) memcpy(order, tape->order, (size_t)tape->n_nodes * sizeof *order);
    TRM_FREE(tape->order);
    tape->order = order;
    tape->order_capacity = capacity;
  }
  tape->order[tape->n_nodes++] = node;
  return TRM_OK;
}

/* Whether the output of `op` may be written over input v. */
static bool may_take_over(const trm_var *v, const trm_shape *shape) {
  if (!v->maker || v->maker->reads_output || v->n_uses != 1) return false;
  int64_t n = 1;
  for (int d = 0; d < shape->n_dims; ++d) n *= shape->dims[d];
  return v->n == n;
}

/* What a node keeps for the backward pass. */
static void take_saved(trm_tape *tape, trm_node *node, const trm_shape *shape) {
  const bool blocked = tape->pass.n_blocks > 0 && node->op->rowwise && node->out->blocks;
  const int64_t rows = blocked ? node->out->blocks[tape->pass.n_blocks] : 0;
  node->saved_by_block = shape->saved_by_block;
  for (int i = 0; i < TRM_OP_MAX_SAVED; ++i) {
    if (shape->saved[i] <= 0) continue;
    int64_t n = shape->saved[i];
    node->n_saved[i] = n;
    if (blocked && shape->saved_by_block) {
      n *= tape->pass.n_blocks;
    } else if (blocked && rows > 0) {
      TRM_ASSERT(n % rows == 0);
      node->n_saved[i] = n / rows;
    }
    node->saved[i] = TRM_NEW(trm_tape_arena(tape), trm_real, n);
  }
}

void trm_tape_plan_matrix(trm_tape *tape, const trm_node *node, bool transposed) {
  const trm_var *w = node->op->matrix > 0 ? node->in[node->op->matrix] : NULL;
  if (node->op->turns && node->in[0]->param >= 0)
    trm_packs_plan_plain(tape->packs, node->in[0]->param);
  if (!w || w->param < 0 || tape->pass.weights_use == TRM_WEIGHTS_ONCE) return;
  trm_packs_plan(tape->packs, w->param, transposed);
}

static trm_var *apply(trm_tape *tape, const trm_op *op, trm_var *const *in, int n_in,
                      const void *attr, size_t attr_bytes, int over) {
  TRM_ASSERT(n_in <= TRM_OP_MAX_INPUTS && attr_bytes <= TRM_OP_ATTR_BYTES);
  if (tape->status != TRM_OK) return &tape->invalid;
  trm_tape_record *r = trm_tape_new_record(tape);
  if (!r) return &tape->invalid;
  trm_node *node = &r->node;
  node->op = op;
  node->n_in = n_in;
  node->out = &r->var;
  if (attr_bytes) memcpy(node->attr, attr, attr_bytes);
  r->var.needs_grad = op->starts && (tape->pass.dry || tape->pass.nudge->grad);
  for (int i = 0; i < n_in; ++i) {
    node->in[i] = in[i];
    if (!in[i]) continue;
    TRM_ASSERT(!in[i]->consumed && (!in[i]->bf16 || (i == 0 && op->multiplies)));
    ++in[i]->n_uses;
    if (in[i]->needs_grad) r->var.needs_grad = true;
  }
  trm_shape shape = {0};
  const trm_status status = op->shape(node, &shape);
  if (status != TRM_OK) return fail(tape, status);
  if (!trm_var_set_dims(&r->var, shape.n_dims, shape.dims)) {
    return fail(tape, trm_op_fail(node, "the result is too large"));
  }
  r->var.maker = op;

  trm_arena *arena = trm_tape_arena(tape);
  r->var.blocks = shape.blocks ? shape.blocks : trm_node_blocks_of_inputs(node);
  take_saved(tape, node, &shape);
  if (over >= 0 && may_take_over(in[over], &shape)) {
    r->var.data = in[over]->data;
    r->data_at = trm_tape_record_of(in[over])->data_at;
    in[over]->consumed = true;
  } else { /* last of all, so that it can be made shorter (trm_tape_operand) */
    r->data_at = arena->used_bytes;
    r->var.data = TRM_NEW(arena, trm_real, r->var.n);
  }
  node->scratch_backward = shape.scratch_backward;
  const size_t mark = arena->used_bytes;
  if (shape.scratch_forward > 0) node->scratch = TRM_NEW(arena, trm_real, shape.scratch_forward);
  if (!tape->pass.dry) {
    trm_node_run_forward(tape, node);
  } else {
    trm_tape_plan_matrix(tape, node, true);
  }
  arena->used_bytes = mark;

  if (!r->var.needs_grad) return &r->var;
  const trm_status pushed = push_node(tape, node);
  if (pushed != TRM_OK) return fail(tape, pushed);
  for (int i = 0; i < n_in; ++i) {
    if (in[i] && in[i]->param >= 0) ++tape->param_uses[in[i]->param];
  }
  return &r->var;
}

trm_var *trm_tape_apply(trm_tape *tape, const trm_op *op, trm_var *const *in, int n_in,
                        const void *attr, size_t attr_bytes) {
  return apply(tape, op, in, n_in, attr, attr_bytes, -1);
}

trm_var *trm_tape_apply_over(trm_tape *tape, const trm_op *op, trm_var *const *in, int n_in,
                             const void *attr, size_t attr_bytes, int over) {
  return apply(tape, op, in, n_in, attr, attr_bytes, over);
}

trm_var *trm_tape_operand(trm_tape *tape, trm_var *x) {
  if (tape->status != TRM_OK || !trm_gemm_bf16()) return x;
  if (!x->maker || x->maker->reads_output || x->n_uses > 0 || x->bf16) return x;
  trm_arena *arena = trm_tape_arena(tape);
  const size_t at = trm_tape_record_of(x)->data_at;
  if (at + trm_arena_cost(x->n, sizeof *x->data) != arena->used_bytes) return x;
  arena->used_bytes = at + trm_arena_cost(x->n, sizeof *x->bf16);
  if (tape->pass.dry) return x;
  trm_bf16_round(x->data, x->n);
  x->bf16 = (trm_bf16 *)(void *)x->data;
  x->data = NULL;
  return x;
}

const trm_real *trm_tape_packed(trm_tape *tape, const trm_var *w, bool transposed) {
  if (w->param < 0 || tape->pass.weights_use == TRM_WEIGHTS_ONCE) return NULL;
  return trm_packs_get(tape->packs, w->param, transposed);
}

const trm_real *trm_tape_transposed(trm_tape *tape, const trm_var *w) {
  return trm_packs_get_plain(tape->packs, w->param);
}
