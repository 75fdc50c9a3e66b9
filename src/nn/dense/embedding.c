/* Embedding: y[i] = w[ids[i]]; dw[id] = sum of the rows of dy with that id, in index order. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct embedding {
  const int32_t *ids; /* borrowed for the pass, as are the blocks of its sequences */
  int64_t n;
  const int64_t *blocks; /* NULL: in one */
} embedding;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *w = node->in[0];
  if (w->n_dims != 2) return trm_op_fail(node, "w has %d axes, not 2", w->n_dims);
  shape->n_dims = 2;
  shape->dims[0] = TRM_ATTR(node, embedding)->n;
  shape->dims[1] = w->dims[1];
  shape->blocks = TRM_ATTR(node, embedding)->blocks;
  return TRM_OK;
}

/* Of the block that is being run. */
static const int32_t *ids_of(const trm_tape *tape, const trm_node *node) {
  const embedding *e = TRM_ATTR(node, embedding);
  return e->blocks ? e->ids + trm_tape_row(tape) : e->ids;
}

static void forward(trm_tape *tape, trm_node *node) {
  const trm_var *out = node->out;
  trm_embedding_forward(out->data, node->in[0]->data, ids_of(tape, node), out->dims[0],
                        out->dims[1]);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *w = node->in[0], *out = node->out;
  bool add;
  trm_real *dw = trm_node_grad(tape, node, 0, &add);
  if (!dw) return;
  trm_embedding_backward(dw, out->grad, ids_of(tape, node), out->dims[0], w->dims[1], w->dims[0],
                         add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 2) return NULL;
  const int64_t V[] = {1, 5, 3}, C[] = {1, 3, 2}, n[] = {1, 9, 0};
  trm_var *w = trm_case_real(c, 0, 2, (int64_t[]){V[variant], C[variant]});
  const int32_t *ids = trm_case_ids(c, n[variant], 0, (int32_t)V[variant]);
  return trm_op_embedding(c->tape, w, ids, n[variant]);
}

const trm_op trm_op_table_embedding = {.name = "embedding",
                                       .shape = shape,
                                       .forward = forward,
                                       .backward = backward,
                                       .sample = sample,
                                       .rowwise = true};

trm_var *trm_op_embedding(trm_tape *tape, trm_var *w, const int32_t *ids, int64_t n) {
  const embedding e = {ids, n, trm_tape_pass(tape)->sequence_blocks};
  return trm_tape_apply(tape, &trm_op_table_embedding, (trm_var *[]){w}, 1, &e, sizeof e);
}
