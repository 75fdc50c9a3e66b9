/* Layer normalisation over the last axis. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { X, W, B };
enum { MEAN, RSTD };
static const double eps = 1e-5; /* as PyTorch's default */

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X], *w = node->in[W], *b = node->in[B];
  const int64_t C = trm_var_width(x);
  if (x->n_dims != 2 || w->n != C || (b && b->n != C)) {
    return trm_op_fail(node, "x has rows of %lld, w %lld and b %lld elements", (long long)C,
                       (long long)w->n, (long long)(b ? b->n : -1));
  }
  shape->n_dims = 2;
  shape->dims[0] = x->dims[0];
  shape->dims[1] = C;
  shape->saved[MEAN] = shape->saved[RSTD] = x->dims[0];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_var *x = node->in[X], *b = node->in[B];
  trm_layernorm_forward(node->out->data, node->saved[MEAN], node->saved[RSTD], x->data,
                        node->in[W]->data, b ? b->data : NULL, x->dims[0], x->dims[1],
                        (trm_real)eps);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[X];
  bool add_dx, add_dw, add_db;
  trm_real *dx = trm_node_grad(tape, node, X, &add_dx);
  trm_real *dw = trm_node_grad(tape, node, W, &add_dw);
  trm_real *db = trm_node_grad(tape, node, B, &add_db);
  TRM_ASSERT(!db || add_db == add_dw); /* w and b are always used together */
  trm_layernorm_backward(dx, dw, db, node->out->grad, x->data, node->saved[MEAN], node->saved[RSTD],
                         node->in[W]->data, x->dims[0], x->dims[1], add_dx, add_dw);
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 3) return NULL;
  const int64_t dims[4][2] = {{1, 2}, {3, 5}, {2, 17}, {0, 4}};
  trm_var *x = trm_case_real(c, 0, 2, dims[variant]);
  trm_var *w = trm_case_real(c, 0, 1, &dims[variant][1]);
  trm_var *b = variant == 2 ? NULL : trm_case_real(c, 0, 1, &dims[variant][1]);
  return trm_op_layernorm(c->tape, x, w, b);
}

const trm_op trm_op_table_layernorm = {.name = "layernorm",
                                       .shape = shape,
                                       .forward = forward,
                                       .backward = backward,
                                       .sample = sample,
                                       .rowwise = true};

trm_var *trm_op_layernorm(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b) {
  return trm_tape_apply(tape, &trm_op_table_layernorm, (trm_var *[]){x, w, b}, 3, NULL, 0);
}
