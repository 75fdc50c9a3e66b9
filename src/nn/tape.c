/* The tape: its life, the records of a pass, and what is asked of it. */
#include "trireme/nn/tape.h"

#include <string.h>

#include "tape_parts.h"
#include "trireme/math/kernels.h"

trm_status trm_tape_create(trm_params *params, trm_tape **out) {
  TRM_ASSERT(params->sealed);
  trm_status status = TRM_OK;
  trm_tape *tape = NULL;
  TRM_TRY(TRM_ALLOC(&tape, 1, "tape"));
  tape->params = params;
  tape->invalid.param = -1;
  trm_arena_init_dry(&tape->plan);
  trm_arena_init_dry(&tape->arena);
  TRM_TRY_OUT(TRM_ALLOC(&tape->param_vars, params->n_rows, "tape"));
  TRM_TRY_OUT(TRM_ALLOC(&tape->param_uses, params->n_rows, "tape"));
  TRM_TRY_OUT(TRM_ALLOC(&tape->param_touched, params->n_rows, "tape"));
  TRM_TRY_OUT(TRM_ALLOC(&tape->param_merged, params->n_rows, "tape"));
  TRM_TRY_OUT(trm_packs_create(params, &tape->packs));
  TRM_TRY_OUT(TRM_ALLOC(&tape->block_sums, TRM_PASS_MAX_BLOCKS, "tape"));
  TRM_TRY_OUT(TRM_ALLOC(&tape->block_counts, TRM_PASS_MAX_BLOCKS, "tape"));
  *out = tape;
  return TRM_OK;
out:
  trm_tape_destroy(&tape);
  return status;
}

void trm_tape_destroy(trm_tape **tape_ref) {
  trm_tape *tape = *tape_ref;
  if (!tape) return;
  for (int i = 0; i < tape->n_chunks; ++i) TRM_FREE(tape->chunks[i]);
  TRM_FREE(tape->order);
  TRM_FREE(tape->param_vars);
  TRM_FREE(tape->param_uses);
  TRM_FREE(tape->param_touched);
  TRM_FREE(tape->param_merged);
  trm_packs_destroy(&tape->packs);
  TRM_FREE(tape->block_sums);
  TRM_FREE(tape->block_counts);
  trm_arena_release(&tape->arena);
  TRM_FREE(*tape_ref);
}

void trm_tape_begin(trm_tape *tape, const trm_pass *pass) {
  TRM_ASSERT(pass->dry || !tape->arena.dry);
  TRM_ASSERT(pass->n_blocks >= 0 && pass->n_blocks <= TRM_PASS_MAX_BLOCKS);
  tape->pass = *pass;
  tape->status = TRM_OK;
  trm_arena_reset(trm_tape_arena(tape));
  tape->n_records = 0;
  tape->n_nodes = 0;
  tape->n_spares = 0;
  tape->n_dropouts = 0;
  tape->nudge_size = -1;
  tape->loss_sum = pass->loss_before;
  tape->loss_count = 0;
  tape->n_right = 0;
  tape->block = 0;
  tape->row = 0;
  for (int k = 0; k < pass->n_blocks; ++k) {
    tape->block_sums[k] = 0;
    tape->block_counts[k] = 0;
  }
  for (int i = 0; i < tape->params->n_rows; ++i) {
    tape->param_vars[i] = NULL;
    tape->param_uses[i] = 0;
    tape->param_touched[i] = false;
    tape->param_merged[i] = false;
  }
  if (pass->weights_use != TRM_WEIGHTS_SAME && !pass->dry) trm_packs_forget(tape->packs);
}

void trm_tape_nudge(trm_tape *tape, const trm_nudge *nudge) {
  tape->pass.nudge = nudge;
}
int64_t trm_tape_nudge_size(const trm_tape *tape) {
  return tape->nudge_size;
}
void trm_tape_set_nudge_size(trm_tape *tape, int64_t n) {
  tape->nudge_size = n;
}
const trm_pass *trm_tape_pass(const trm_tape *tape) {
  return &tape->pass;
}
trm_status trm_tape_status(const trm_tape *tape) {
  return tape->status;
}
size_t trm_tape_arena_bytes(const trm_tape *tape) {
  return tape->arena.capacity_bytes;
}
size_t trm_tape_packed_bytes(const trm_tape *tape) {
  return trm_packs_bytes(tape->packs);
}
double trm_tape_loss_sum(const trm_tape *tape) {
  return tape->loss_sum;
}
double trm_tape_loss_count(const trm_tape *tape) {
  return tape->loss_count;
}
int64_t trm_tape_right(const trm_tape *tape) {
  return tape->n_right;
}
void trm_tape_block_loss(const trm_tape *tape, int block, double *sum, double *count) {
  *sum = tape->block_sums[block];
  *count = tape->block_counts[block];
}
int trm_tape_block(const trm_tape *tape) {
  return tape->block;
}
int64_t trm_tape_row(const trm_tape *tape) {
  return tape->row;
}
double trm_tape_block_weight(const trm_tape *tape) {
  return tape->pass.n_blocks > 0 ? tape->pass.weights[tape->block] : tape->pass.weight;
}

void trm_tape_visit(const trm_tape *tape, trm_tape_visitor visit, void *context) {
  for (int64_t k = 0; k < tape->n_nodes; ++k) {
    const trm_node *node = tape->order[k];
    int params[TRM_OP_MAX_INPUTS];
    trm_tape_step step = {.name = node->op->name,
                          .params = params,
                          .n_dims = node->out->n_dims,
                          .dims = node->out->dims};
    for (int i = 0; i < node->n_in; ++i) {
      if (node->in[i] && node->in[i]->param >= 0) params[step.n_params++] = node->in[i]->param;
    }
    visit(context, &step);
  }
}

trm_status trm_tape_reserve(trm_tape *tape) {
  TRM_TRY(trm_packs_reserve(tape->packs));
  if (!tape->arena.dry && tape->arena.capacity_bytes >= tape->plan.high_bytes) return TRM_OK;
  trm_arena_release(&tape->arena);
  return trm_arena_reserve(&tape->arena, tape->plan.high_bytes, "activations");
}

/* ---- records -------------------------------------------------------------------------------- */

trm_tape_record *trm_tape_new_record(trm_tape *tape) {
  const int64_t chunk = tape->n_records / TRM_TAPE_CHUNK;
  if (chunk == tape->n_chunks) {
    if (chunk == TRM_TAPE_MAX_CHUNKS) {
      tape->status = trm_fail(TRM_ERR_ARG, "a pass has more than %d operators",
                              TRM_TAPE_CHUNK * TRM_TAPE_MAX_CHUNKS);
      return NULL;
    }
    tape->status = TRM_ALLOC(&tape->chunks[chunk], TRM_TAPE_CHUNK, "tape");
    if (tape->status != TRM_OK) return NULL;
    ++tape->n_chunks;
  }
  trm_tape_record *r = &tape->chunks[chunk][tape->n_records++ % TRM_TAPE_CHUNK];
  memset(r, 0, sizeof *r);
  r->var.param = -1;
  return r;
}

bool trm_var_set_dims(trm_var *v, int n_dims, const int64_t *dims) {
  v->n_dims = n_dims;
  v->n = 1;
  for (int d = 0; d < n_dims; ++d) {
    v->dims[d] = dims[d];
    if (!trm_size_mul(v->n, dims[d], &v->n)) return false;
  }
  return true;
}

bool trm_tape_goes_back(const trm_tape *tape) {
  return trm_tape_trains(tape) || (tape->pass.nudge && tape->pass.nudge->grad);
}

trm_var *trm_tape_param(trm_tape *tape, int param) {
  TRM_ASSERT(param >= 0 && param < tape->params->n_rows);
  if (tape->status != TRM_OK) return &tape->invalid;
  if (tape->param_vars[param]) return tape->param_vars[param];
  trm_tape_record *r = trm_tape_new_record(tape);
  if (!r) return &tape->invalid;
  const trm_param *row = &tape->params->rows[param];
  (void)trm_var_set_dims(&r->var, row->n_dims, row->dims);
  r->var.data = tape->params->weights + row->offset;
  r->var.param = param;
  r->var.needs_grad = trm_tape_trains(tape);
  return tape->param_vars[param] = &r->var;
}

trm_var *trm_tape_input(trm_tape *tape, trm_real *data, int n_dims, const int64_t *dims,
                        bool needs_grad) {
  if (tape->status != TRM_OK) return &tape->invalid;
  trm_tape_record *r = trm_tape_new_record(tape);
  if (!r) return &tape->invalid;
  (void)trm_var_set_dims(&r->var, n_dims, dims);
  r->var.data = data;
  r->var.needs_grad = needs_grad;
  return &r->var;
}

/* ---- losses ---------------------------------------------------------------------------------- */

uint64_t trm_tape_next_dropout(trm_tape *tape) {
  return tape->n_dropouts++;
}

void trm_tape_add_loss(trm_tape *tape, double sum, double count) {
  sum *= trm_tape_loss_scale(tape);
  tape->loss_sum += sum;
  tape->loss_count += count;
  if (tape->pass.n_blocks == 0) return;
  tape->block_sums[tape->block] += sum;
  tape->block_counts[tape->block] += count;
}

void trm_tape_add_right(trm_tape *tape, int64_t n) {
  tape->n_right += n;
}

void trm_tape_add_block_loss(trm_tape *tape, int block, double sum, double count) {
  const int before = tape->block;
  tape->block = block;
  trm_tape_add_loss(tape, sum, count);
  tape->block = before;
}
