/*
 * Rows of some nodes, brought together on every process. The gradient of the result is the same on
 * every process too, so the backward pass takes the own rows out of it and asks nobody.
 */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct collect {
  const trm_collection *collection; /* borrowed for the pass */
} collect;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  const trm_collection *c = TRM_ATTR(node, collect)->collection;
  if (x->n_dims != 2 || c->first < 0 || c->n_own < 0 || c->first + c->n_own > c->n ||
      (!c->exchange && c->n_own != c->n)) {
    return trm_op_fail(node, "x has %d axes; %lld own rows from %lld of %lld", x->n_dims,
                       (long long)c->n_own, (long long)c->first, (long long)c->n);
  }
  shape->n_dims = 2;
  shape->dims[0] = c->n;
  shape->dims[1] = x->dims[1];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_collection *c = TRM_ATTR(node, collect)->collection;
  const int64_t C = node->out->dims[1];
  trm_embedding_forward(node->out->data + c->first * C, node->in[0]->data, c->rows, c->n_own, C);
  if (c->exchange) c->exchange->fill(c->exchange->context, node->out->data, C);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_collection *c = TRM_ATTR(node, collect)->collection;
  const trm_var *x = node->in[0];
  const int64_t C = x->dims[1];
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  trm_embedding_backward(dx, node->out->grad + c->first * C, c->rows, c->n_own, C, x->dims[0], add);
}

/* Rows of others: not the own ones, so that a wrong place shows. */
static void fill_case(void *context, trm_real *rows, int64_t C) {
  const trm_collection *c = context;
  for (int64_t i = 0; i < c->n * C; ++i) {
    if (i < c->first * C || i >= (c->first + c->n_own) * C) rows[i] = (trm_real)7;
  }
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 3) return NULL;
  static const int32_t rows[] = {2, 0, 3};
  static trm_collection collection;
  static trm_row_exchange exchange = {.context = &collection, .fill = fill_case};
  const int64_t n[] = {1, 3, 0, 6}, n_own[] = {1, 3, 0, 3}, C[] = {1, 5, 2, 3};
  collection = (trm_collection){.n = n[variant], .n_own = n_own[variant], .rows = rows};
  if (variant == 3) {
    collection.first = 2;
    collection.exchange = &exchange;
  }
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){5, C[variant]});
  return trm_op_collect(c->tape, x, &collection);
}

const trm_op trm_op_table_collect = {
    .name = "collect", .shape = shape, .forward = forward, .backward = backward, .sample = sample};

trm_var *trm_op_collect(trm_tape *tape, trm_var *x, const trm_collection *collection) {
  const collect a = {collection};
  return trm_tape_apply(tape, &trm_op_table_collect, (trm_var *[]){x}, 1, &a, sizeof a);
}
