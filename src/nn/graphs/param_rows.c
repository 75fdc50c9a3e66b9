/*
 * Rows of a parameter, each at most once: y_i = w_ids[i], dw_ids[i] = dy_i, 0 elsewhere. Where rows
 * are shared out among processes each gives the gradient of its own; the sum over processes is whole.
 */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct rows {
  const int32_t *ids; /* borrowed for the pass */
  int64_t n;
} rows;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *w = node->in[0];
  const int64_t n = TRM_ATTR(node, rows)->n;
  if (w->n_dims != 2 || n < 0 || n > w->dims[0]) {
    return trm_op_fail(node, "%lld rows of w with %d axes and %lld rows", (long long)n, w->n_dims,
                       (long long)w->dims[0]);
  }
  shape->n_dims = 2;
  shape->dims[0] = n;
  shape->dims[1] = w->dims[1];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const rows *r = TRM_ATTR(node, rows);
  trm_embedding_forward(node->out->data, node->in[0]->data, r->ids, r->n, node->out->dims[1]);
}

static void backward(trm_tape *tape, trm_node *node) {
  const rows *r = TRM_ATTR(node, rows);
  const trm_var *w = node->in[0];
  bool add;
  trm_real *dw = trm_node_grad(tape, node, 0, &add);
  if (dw) trm_embedding_backward(dw, node->out->grad, r->ids, r->n, w->dims[1], w->dims[0], add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 2) return NULL;
  static const int32_t ids[] = {4, 0, 3};
  const int64_t V[] = {5, 7, 3}, C[] = {1, 3, 2}, n[] = {1, 3, 0};
  trm_var *w = trm_case_real(c, 0, 2, (int64_t[]){V[variant], C[variant]});
  return trm_op_param_rows(c->tape, w, ids, n[variant]);
}

const trm_op trm_op_table_param_rows = {.name = "param_rows",
                                        .shape = shape,
                                        .forward = forward,
                                        .backward = backward,
                                        .sample = sample};

trm_var *trm_op_param_rows(trm_tape *tape, trm_var *w, const int32_t *ids, int64_t n) {
  const rows r = {ids, n};
  return trm_tape_apply(tape, &trm_op_table_param_rows, (trm_var *[]){w}, 1, &r, sizeof r);
}
