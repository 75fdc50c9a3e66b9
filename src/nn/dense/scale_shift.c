/* Scale and shift by column: y = w x + b. dx = dy w, dw = sum over rows of dy x, db = sum of dy. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { X, W, B };

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X], *w = node->in[W], *b = node->in[B];
  const int64_t C = trm_var_width(x);
  if (x->n_dims < 2 || w->n != C || b->n != C) {
    return trm_op_fail(node, "x has rows of %lld, w %lld and b %lld elements", (long long)C,
                       (long long)w->n, (long long)b->n);
  }
  shape->n_dims = x->n_dims;
  for (int d = 0; d < x->n_dims; ++d) shape->dims[d] = x->dims[d];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_var *x = node->in[X];
  trm_scale_shift_forward(node->out->data, x->data, node->in[W]->data, node->in[B]->data,
                          trm_var_rows(x), trm_var_width(x));
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[X];
  const trm_real *dy = node->out->grad;
  const int64_t N = trm_var_rows(x), C = trm_var_width(x);
  bool add;
  trm_real *dw = trm_node_grad(tape, node, W, &add);
  if (dw) trm_column_products(dw, dy, x->data, N, C, add);
  trm_real *db = trm_node_grad(tape, node, B, &add);
  if (db) trm_bias_backward(db, dy, N, C, add);
  trm_real *dx = trm_node_grad(tape, node, X, &add);
  if (dx) trm_scale_shift_backward(dx, dy, node->in[W]->data, N, C, add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const int64_t dims[][4] = {{1, 1}, {5, 3}, {7, 17}, {0, 4}, {2, 3, 2, 5}};
  if (variant > 4) return NULL;
  const int n_dims = variant == 4 ? 4 : 2;
  trm_var *x = trm_case_real(c, 0, n_dims, dims[variant]);
  trm_var *w = trm_case_real(c, 0, 1, &dims[variant][n_dims - 1]);
  trm_var *b = trm_case_real(c, 0, 1, &dims[variant][n_dims - 1]);
  return trm_op_scale_shift(c->tape, x, w, b);
}

const trm_op trm_op_table_scale_shift = {.name = "scale_shift",
                                         .shape = shape,
                                         .forward = forward,
                                         .backward = backward,
                                         .sample = sample,
                                         .rowwise = true};

trm_var *trm_op_scale_shift(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b) {
  return trm_tape_apply(tape, &trm_op_table_scale_shift, (trm_var *[]){x, w, b}, 3, NULL, 0);
}
