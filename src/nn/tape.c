#include "trireme/nn/tape.h"

#include <stddef.h>
#include <string.h>

#include "packs.h"
#include "tape_internal.h"
#include "trireme/math/kernels.h"

/* Nodes and variables come from chunks that are kept from pass to pass: pointers stay valid within
 * a pass, and only the first passes allocate. */
enum { CHUNK = 64, MAX_CHUNKS = 4096, MAX_SPARE = 256 };

typedef struct record {
  trm_node node;
  trm_var var;     /* the node's output, or a parameter or input without node */
  bool grad_taken; /* var has memory for its gradient, */
  size_t grad_at;  /* here in the arena */
} record;

static record *record_of(trm_var *v) {
  return (record *)(void *)((unsigned char *)v - offsetof(record, var));
}

/* Gradients of activations that are spent: a place in the arena waiting for the same size. */
typedef struct spare {
  size_t at;
  int64_t n;
} spare;

struct trm_tape {
  trm_params *params; /* kept */
  trm_pass pass;
  trm_status status;
  trm_arena arena; /* owned; real once reserved */
  trm_arena plan;  /* dry: counts, and remembers the high-water mark of all dry passes */

  record *chunks[MAX_CHUNKS]; /* owned */
  int n_chunks;
  int64_t n_records;
  trm_node **order; /* nodes in the order of the forward pass; owned, [order_capacity] */
  int64_t n_nodes, order_capacity;

  trm_var **param_vars; /* [params->n_rows], NULL until used in this pass; owned */
  int *param_uses;      /* nodes that still have to give their gradient */
  bool *param_touched;
  bool *param_merged; /* its gradient stands in the lowest array (trm_pass) */
  trm_packs *packs;   /* owned */
  spare spares[MAX_SPARE];
  int n_spares;

  uint64_t n_dropouts;
  int64_t nudge_size;
  double loss_sum;
  double loss_count;
  int64_t n_right;
  /* In a pass over several blocks. */
  int block;            /* that is being run */
  int64_t row;          /* its first row */
  double *block_sums;   /* [TRM_PASS_MAX_BLOCKS] losses; owned */
  double *block_counts; /* [TRM_PASS_MAX_BLOCKS]; owned */
  trm_var invalid;      /* what a failed pass hands out */
};

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

/* The arena of this pass. */
static trm_arena *arena_of(trm_tape *tape) {
  return tape->pass.dry ? &tape->plan : &tape->arena;
}

void trm_tape_begin(trm_tape *tape, const trm_pass *pass) {
  TRM_ASSERT(pass->dry || !tape->arena.dry);
  TRM_ASSERT(pass->n_blocks >= 0 && pass->n_blocks <= TRM_PASS_MAX_BLOCKS);
  tape->pass = *pass;
  tape->status = TRM_OK;
  trm_arena_reset(arena_of(tape));
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

static record *new_record(trm_tape *tape) {
  const int64_t chunk = tape->n_records / CHUNK;
  if (chunk == tape->n_chunks) {
    if (chunk == MAX_CHUNKS) {
      tape->status = trm_fail(TRM_ERR_ARG, "a pass has more than %d operators", CHUNK * MAX_CHUNKS);
      return NULL;
    }
    tape->status = TRM_ALLOC(&tape->chunks[chunk], CHUNK, "tape");
    if (tape->status != TRM_OK) return NULL;
    ++tape->n_chunks;
  }
  record *r = &tape->chunks[chunk][tape->n_records++ % CHUNK];
  memset(r, 0, sizeof *r);
  r->var.param = -1;
  return r;
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

static bool set_dims(trm_var *v, int n_dims, const int64_t *dims) {
  v->n_dims = n_dims;
  v->n = 1;
  for (int d = 0; d < n_dims; ++d) {
    v->dims[d] = dims[d];
    if (!trm_size_mul(v->n, dims[d], &v->n)) return false;
  }
  return true;
}

/* Whether gradients of parameters are wanted; a dry pass counts the memory for all of them. */
static bool trains(const trm_tape *tape) {
  return tape->pass.grads || tape->pass.sink || tape->pass.dry;
}

bool trm_tape_goes_back(const trm_tape *tape) {
  return trains(tape) || (tape->pass.nudge && tape->pass.nudge->grad);
}

trm_var *trm_tape_param(trm_tape *tape, int param) {
  TRM_ASSERT(param >= 0 && param < tape->params->n_rows);
  if (tape->status != TRM_OK) return &tape->invalid;
  if (tape->param_vars[param]) return tape->param_vars[param];
  record *r = new_record(tape);
  if (!r) return &tape->invalid;
  const trm_param *row = &tape->params->rows[param];
  (void)set_dims(&r->var, row->n_dims, row->dims);
  r->var.data = tape->params->weights + row->offset;
  r->var.param = param;
  r->var.needs_grad = trains(tape);
  return tape->param_vars[param] = &r->var;
}

trm_var *trm_tape_input(trm_tape *tape, trm_real *data, int n_dims, const int64_t *dims,
                        bool needs_grad) {
  if (tape->status != TRM_OK) return &tape->invalid;
  record *r = new_record(tape);
  if (!r) return &tape->invalid;
  (void)set_dims(&r->var, n_dims, dims);
  r->var.data = data;
  r->var.needs_grad = needs_grad;
  return &r->var;
}

/* ---- forward -------------------------------------------------------------------------------- */

static trm_var *fail(trm_tape *tape, trm_status status) {
  if (tape->status == TRM_OK) tape->status = status;
  return &tape->invalid;
}

/* Whether the output of `op` may be written over input v. */
static bool may_take_over(const trm_var *v, const trm_shape *shape) {
  if (!v->maker || v->maker->reads_output || v->n_uses != 1) return false;
  int64_t n = 1;
  for (int d = 0; d < shape->n_dims; ++d) n *= shape->dims[d];
  return v->n == n;
}

/* ---- blocks of rows -------------------------------------------------------------------------- */

/* Blocks of the rows an operator works on: those of its inputs, where all inputs with rows have them. */
static const int64_t *blocks_of_inputs(const trm_node *node) {
  const int64_t *blocks = NULL;
  if (!node->op->rowwise) return NULL;
  for (int i = 0; i < node->n_in; ++i) {
    if (!node->in[i] || node->in[i]->param >= 0) continue;
    if (!node->in[i]->blocks) return NULL;
    blocks = node->in[i]->blocks;
  }
  return blocks;
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
    node->saved[i] = TRM_NEW(arena_of(tape), trm_real, n);
  }
}

/* A variable cut down to the rows of one block. */
static void cut_rows(trm_var *v, int64_t first, int64_t n) {
  const int64_t width = v->dims[0] > 0 ? v->n / v->dims[0] : 0;
  v->dims[0] = n;
  v->n = n * width;
  if (v->data) v->data += first * width;
  if (v->grad) v->grad += first * width;
}

/* A node as one block sees it. */
typedef struct part {
  trm_node node;
  trm_var in[TRM_OP_MAX_INPUTS], out;
} part;

static void make_part(trm_tape *tape, const trm_node *node, int block, part *p) {
  const int64_t first = node->out->blocks[block], n = node->out->blocks[block + 1] - first;
  p->node = *node;
  for (int i = 0; i < node->n_in; ++i) {
    if (!node->in[i] || node->in[i]->param >= 0) continue; /* parameters are whole */
    p->in[i] = *node->in[i];
    cut_rows(&p->in[i], first, n);
    p->node.in[i] = &p->in[i];
  }
  if (!node->op->sums_rows) {
    p->out = *node->out;
    cut_rows(&p->out, first, n);
    p->node.out = &p->out;
  }
  for (int i = 0; i < TRM_OP_MAX_SAVED; ++i) {
    if (!node->saved[i]) continue;
    p->node.saved[i] += (node->saved_by_block ? block : first) * node->n_saved[i];
  }
  tape->block = block;
  tape->row = first;
}

/* A dry pass that others follow with the same weights. */
static void plan_matrix(trm_tape *tape, const trm_node *node, bool transposed) {
  const trm_var *w = node->op->matrix > 0 ? node->in[node->op->matrix] : NULL;
  if (node->op->turns && node->in[0]->param >= 0)
    trm_packs_plan_plain(tape->packs, node->in[0]->param);
  if (!w || w->param < 0 || tape->pass.weights_use == TRM_WEIGHTS_ONCE) return;
  trm_packs_plan(tape->packs, w->param, transposed);
}

static bool in_blocks(const trm_tape *tape, const trm_node *node) {
  return tape->pass.n_blocks > 0 && node->op->rowwise && node->out->blocks;
}

static void run_forward(trm_tape *tape, trm_node *node) {
  if (!in_blocks(tape, node)) {
    node->op->forward(tape, node);
    return;
  }
  trm_real sum = 0;
  for (int k = 0; k < tape->pass.n_blocks; ++k) {
    part p;
    make_part(tape, node, k, &p);
    node->op->forward(tape, &p.node);
    if (node->op->sums_rows) sum += node->out->data[0];
  }
  if (node->op->sums_rows) node->out->data[0] = sum;
  tape->block = 0;
  tape->row = 0;
}

/* The operator's way back, in a pass over several blocks block by block: the sink is told of each
 * parameter as a block is through with it, of one that no block has for itself once. */
static void run_backward(trm_tape *tape, trm_node *node) {
  const trm_block_sink *sink = tape->pass.sink;
  if (!in_blocks(tape, node)) {
    node->op->backward(tape, node);
    for (int i = 0; sink && i < node->n_in; ++i) {
      if (!node->in[i] || node->in[i]->param < 0) continue;
      const trm_param *row = &tape->params->rows[node->in[i]->param];
      sink->whole(sink->context, row->offset, row->n);
    }
    return;
  }
  for (int k = 0; k < tape->pass.n_blocks; ++k) {
    part p;
    make_part(tape, node, k, &p);
    node->op->backward(tape, &p.node);
    for (int i = 0; sink && i < node->n_in; ++i) {
      if (!node->in[i] || node->in[i]->param < 0) continue;
      const trm_param *row = &tape->params->rows[node->in[i]->param];
      sink->merge(sink->context, k, row->offset, row->n);
      tape->param_touched[node->in[i]->param] = false; /* each block writes its own */
    }
  }
  for (int i = 0; i < node->n_in; ++i) {
    trm_var *v = node->in[i];
    if (!v) continue;
    if (v->param >= 0)
      tape->param_touched[v->param] = true;
    else if (v->needs_grad)
      v->has_grad = true;
  }
  tape->block = 0;
  tape->row = 0;
}

static trm_var *apply(trm_tape *tape, const trm_op *op, trm_var *const *in, int n_in,
                      const void *attr, size_t attr_bytes, int over) {
  TRM_ASSERT(n_in <= TRM_OP_MAX_INPUTS && attr_bytes <= TRM_OP_ATTR_BYTES);
  if (tape->status != TRM_OK) return &tape->invalid;
  record *r = new_record(tape);
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
    TRM_ASSERT(!in[i]->consumed);
    ++in[i]->n_uses;
    if (in[i]->needs_grad) r->var.needs_grad = true;
  }
  trm_shape shape = {0};
  const trm_status status = op->shape(node, &shape);
  if (status != TRM_OK) return fail(tape, status);
  if (!set_dims(&r->var, shape.n_dims, shape.dims)) {
    return fail(tape, trm_op_fail(node, "the result is too large"));
  }
  r->var.maker = op;

  trm_arena *arena = arena_of(tape);
  if (over >= 0 && may_take_over(in[over], &shape)) {
    r->var.data = in[over]->data;
    in[over]->consumed = true;
  } else {
    r->var.data = TRM_NEW(arena, trm_real, r->var.n);
  }
  r->var.blocks = shape.blocks ? shape.blocks : blocks_of_inputs(node);
  take_saved(tape, node, &shape);
  node->scratch_backward = shape.scratch_backward;
  const size_t mark = arena->used_bytes;
  if (shape.scratch_forward > 0) node->scratch = TRM_NEW(arena, trm_real, shape.scratch_forward);
  if (!tape->pass.dry) {
    run_forward(tape, node);
  } else {
    plan_matrix(tape, node, true);
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

uint64_t trm_tape_next_dropout(trm_tape *tape) {
  return tape->n_dropouts++;
}

static double loss_scale(const trm_tape *tape) {
  return tape->pass.loss_scale != 0 ? tape->pass.loss_scale : 1;
}

void trm_tape_add_loss(trm_tape *tape, double sum, double count) {
  sum *= loss_scale(tape);
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

/* ---- backward ------------------------------------------------------------------------------- */

/* Gives the activation v memory for its gradient: a spent one of the same size, or new. Offsets
 * instead of pointers, so that a dry pass takes the same path. */
static void take_grad(trm_tape *tape, trm_var *v) {
  record *r = record_of(v);
  if (r->grad_taken) return;
  trm_arena *arena = arena_of(tape);
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
  record *r = record_of(v);
  /* Past MAX_SPARE the memory is not used again in this pass; a dry pass comes to the same. */
  if (!tape->pass.bounds && tape->n_spares < MAX_SPARE) {
    tape->spares[tape->n_spares++] = (spare){r->grad_at, v->n};
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

const trm_real *trm_tape_packed(trm_tape *tape, const trm_var *w, bool transposed) {
  if (w->param < 0 || tape->pass.weights_use == TRM_WEIGHTS_ONCE) return NULL;
  return trm_packs_get(tape->packs, w->param, transposed);
}

const trm_real *trm_tape_transposed(trm_tape *tape, const trm_var *w) {
  return trm_packs_get_plain(tape->packs, w->param);
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
  if (!trains(tape)) return;
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
  trm_arena *arena = arena_of(tape);
  for (int i = 0; i < node->n_in; ++i) {
    if (node->in[i] && node->in[i]->needs_grad && node->in[i]->param < 0) {
      take_grad(tape, node->in[i]);
    }
  }
  const size_t mark = arena->used_bytes;
  if (node->scratch_backward > 0) node->scratch = TRM_NEW(arena, trm_real, node->scratch_backward);
  if (tape->pass.dry) plan_matrix(tape, node, false);
  if (!tape->pass.dry) {
    run_backward(tape, node);
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
  TRM_ASSERT(trains(tape) || tape->nudge_size >= 0);
  TRM_ASSERT(out->maker && out->needs_grad);
  take_grad(tape, out);
  out->has_grad = true;
  if (!tape->pass.dry) memcpy(out->grad, seed, (size_t)out->n * sizeof *seed);

  for (int p = 0; p < tape->params->n_rows; ++p) { /* parameters this pass did not use */
    if (!trains(tape) || tape->param_uses[p] > 0) continue;
    clear_param(tape, &tape->params->rows[p]);
    if (ready) ready(context, p);
  }
  for (int64_t i = tape->n_nodes - 1; i >= 0; --i) {
    trm_node *node = tape->order[i];
    if (node->out != out && !record_of(node->out)->grad_taken) {
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
  const trm_real seed = (trm_real)loss_scale(tape);
  trm_tape_backward_from(tape, loss, &seed, ready, between, context);
}
