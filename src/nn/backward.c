/* The way back: memory of gradients, what parameters get, and the walk. */
#include <string.h>

#include "tape_parts.h"
#include "trireme/math/kernels.h"

/* Gives the activation v memory for its gradient: a spent one of the same size, or new. Offsets
 * instead of pointers, so that a dry pass takes the same path. */
static void take_grad(trm_tape *tape, trm_var *v) {
  trm_tape_record *r = trm_tape_record_of(v);
  if (r->grad_taken) return;
  trm_arena *arena = trm_tape_arena(tape);
  /* Where sizes are bounds, equal ones may come out different: nothing is used twice. */
  int i = tape->pass.bounds ? -1 : tape->n_spares - 1;
  while (i >= 0 && tape->spares[i].n != v->n) --i;
  if (i >= 0) {
    r->grad_at = tape->spares[i].at;
    tape->spares[i] = tape->spares[--tape->n_spares];
  } else {
    r->grad_at = arena->used_bytes;
    (void)TRM_NEW(arena, trm_real, v->n);
  }
  r->grad_taken = true;
  v->grad = arena->base ? (trm_real *)(void *)(arena->base + r->grad_at) : NULL;
}

static void spend_grad(trm_tape *tape, trm_var *v) {
  trm_tape_record *r = trm_tape_record_of(v);
  /* Past TRM_TAPE_MAX_SPARE the memory is not used again in this pass; a dry pass comes to the same. */
  if (!tape->pass.bounds && tape->n_spares < TRM_TAPE_MAX_SPARE) {
    tape->spares[tape->n_spares++] = (trm_tape_spare){r->grad_at, v->n};
  }
  r->grad_taken = false;
  v->grad = NULL;
  v->has_grad = false;
}

trm_real *trm_node_grad(trm_tape *tape, trm_node *node, int i, bool *add) {
  trm_var *v = node->in[i];
  *add = false;
  if (!v || !v->needs_grad) return NULL;
  if (v->param >= 0) {
    const int64_t offset = tape->params->rows[v->param].offset;
    if (tape->pass.n_blocks > 0) {
      TRM_ASSERT(!tape->param_touched[v->param]); /* one operator a parameter */
      tape->param_touched[v->param] = true;
      return tape->pass.sink->target(tape->pass.sink->context, tape->block, add) + offset;
    }
    *add = tape->pass.add || tape->param_touched[v->param];
    tape->param_touched[v->param] = true;
    return tape->pass.grads + offset;
  }
  *add = v->has_grad;
  v->has_grad = true;
  return v->grad;
}

int trm_node_merges(trm_tape *tape, const trm_node *node, int i) {
  const trm_var *v = node->in[i];
  if (!v || v->param < 0 || tape->pass.n_blocks > 0 || tape->pass.n_merges == 0) return 0;
  /* Where other operators add to it later, it is not complete. */
  if (tape->param_uses[v->param] > 1 || tape->param_touched[v->param]) return 0;
  tape->param_merged[v->param] = true;
  return tape->pass.n_merges;
}

bool trm_tape_merged(const trm_tape *tape, int param) {
  return tape->param_merged[param];
}

/* The gradient of a parameter to which this pass gives nothing. */
static void clear_param(trm_tape *tape, const trm_param *row) {
  bool add = tape->pass.add;
  if (tape->pass.dry) return;
  trm_real *grads = tape->pass.grads;
  if (tape->pass.n_blocks > 0) grads = tape->pass.sink->target(tape->pass.sink->context, 0, &add);
  if (!add) trm_fill(grads + row->offset, 0, row->n);
  if (tape->pass.n_blocks > 0) {
    tape->pass.sink->whole(tape->pass.sink->context, row->offset, row->n);
  }
}

/* A parameter has lost one of the nodes that use it. */
static void release_params(trm_tape *tape, const trm_node *node, trm_grad_ready ready,
                           void *context) {
  if (!trm_tape_trains(tape)) return;
  for (int i = 0; i < node->n_in; ++i) {
    if (!node->in[i] || node->in[i]->param < 0) continue;
    const int p = node->in[i]->param;
    if (--tape->param_uses[p] > 0) continue;
    const trm_param *row = &tape->params->rows[p];
    if (!tape->param_touched[p]) clear_param(tape, row);
    if (ready) ready(context, p);
  }
}

/* One node of the way back: memory first, then the operator, then what is spent and complete. */
static void node_backward(trm_tape *tape, trm_node *node, trm_grad_ready ready, void *context) {
  trm_arena *arena = trm_tape_arena(tape);
  for (int i = 0; i < node->n_in; ++i) {
    if (node->in[i] && node->in[i]->needs_grad && node->in[i]->param < 0) {
      take_grad(tape, node->in[i]);
    }
  }
  const size_t mark = arena->used_bytes;
  if (node->scratch_backward > 0) node->scratch = TRM_NEW(arena, trm_real, node->scratch_backward);
  if (tape->pass.dry) trm_tape_plan_matrix(tape, node, false);
  if (!tape->pass.dry) {
    trm_node_run_backward(tape, node);
    for (int i = 0; i < node->n_in; ++i) {
      const trm_var *v = node->in[i];
      TRM_ASSERT(!v || !v->needs_grad || v->param >= 0 || v->has_grad);
    }
  }
  arena->used_bytes = mark;
  spend_grad(tape, node->out);
  release_params(tape, node, ready, context);
}

void trm_tape_backward_from(trm_tape *tape, trm_var *out, const trm_real *seed,
                            trm_grad_ready ready, trm_tape_between between, void *context) {
  if (tape->status != TRM_OK) return;
  TRM_ASSERT(trm_tape_trains(tape) || tape->nudge_size >= 0);
  TRM_ASSERT(out->maker && out->needs_grad);
  take_grad(tape, out);
  out->has_grad = true;
  if (!tape->pass.dry) memcpy(out->grad, seed, (size_t)out->n * sizeof *seed);

  for (int p = 0; p < tape->params->n_rows; ++p) { /* parameters this pass did not use */
    if (!trm_tape_trains(tape) || tape->param_uses[p] > 0) continue;
    clear_param(tape, &tape->params->rows[p]);
    if (ready) ready(context, p);
  }
  for (int64_t i = tape->n_nodes - 1; i >= 0; --i) {
    trm_node *node = tape->order[i];
    if (node->out != out && !trm_tape_record_of(node->out)->grad_taken) {
      /* A side branch that does not lead to `out`: its parameters get nothing from it. */
      release_params(tape, node, ready, context);
      continue;
    }
    node_backward(tape, node, ready, context);
    if (between) between(context);
  }
}

void trm_tape_backward(trm_tape *tape, trm_var *loss, trm_grad_ready ready,
                       trm_tape_between between, void *context) {
  if (tape->status != TRM_OK) return;
  TRM_ASSERT(loss->n == 1);
  const trm_real seed = (trm_real)trm_tape_loss_scale(tape);
  trm_tape_backward_from(tape, loss, &seed, ready, between, context);
}
