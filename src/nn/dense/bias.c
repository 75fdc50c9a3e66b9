/* Bias: y = x + b on every row, written over x when it is free. db = sum of dy over rows. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { X, B };

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X], *b = node->in[B];
  if (x->n_dims < 2 || b->n != trm_var_width(x)) {
    return trm_op_fail(node, "x has rows of %lld, b %lld elements", (long long)trm_var_width(x),
                       (long long)b->n);
  }
  shape->n_dims = x->n_dims;
  for (int d = 0; d < x->n_dims; ++d) shape->dims[d] = x->dims[d];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_var *x = node->in[X];
  trm_bias_forward(node->out->data, x->data, node->in[B]->data, trm_var_rows(x), trm_var_width(x));
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[X];
  const trm_real *dy = node->out->grad;
  bool add;
  trm_real *db = trm_node_grad(tape, node, B, &add);
  if (db) trm_bias_backward(db, dy, trm_var_rows(x), trm_var_width(x), add);
  trm_real *dx = trm_node_grad(tape, node, X, &add);
  if (dx) trm_scale(dx, dy, 1, x->n, add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const int64_t dims[][4] = {{1, 1}, {5, 3}, {7, 17}, {0, 4}, {2, 3, 2, 5}};
  if (variant > 4) return NULL;
  const int n_dims = variant == 4 ? 4 : 2;
  trm_var *x = trm_case_real(c, 0, n_dims, dims[variant]);
  return trm_op_bias(c->tape, x, trm_case_real(c, 0, 1, &dims[variant][n_dims - 1]));
}

const trm_op trm_op_table_bias = {.name = "bias",
                                  .shape = shape,
                                  .forward = forward,
                                  .backward = backward,
                                  .sample = sample,
                                  .rowwise = true};

trm_var *trm_op_bias(trm_tape *tape, trm_var *x, trm_var *b) {
  return trm_tape_apply_over(tape, &trm_op_table_bias, (trm_var *[]){x, b}, 2, NULL, 0, X);
}
