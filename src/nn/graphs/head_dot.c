/* Dot products by head: s_nh = x_nh . a_h. dx_nh = ds_nh a_h, da_h = sum over rows of ds_nh x_nh. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { X, A };

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X], *a = node->in[A];
  if (x->n_dims != 2 || a->n_dims != 2 || x->dims[1] != a->n) {
    return trm_op_fail(node, "x has rows of %lld, a is [%lld, %lld]", (long long)trm_var_width(x),
                       (long long)a->dims[0], (long long)a->dims[1]);
  }
  shape->n_dims = 2;
  shape->dims[0] = x->dims[0];
  shape->dims[1] = a->dims[0];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_var *x = node->in[X], *a = node->in[A];
  trm_head_dot_forward(node->out->data, x->data, a->data, x->dims[0], a->dims[0], a->dims[1]);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[X], *a = node->in[A];
  bool add_dx, add_da;
  trm_real *dx = trm_node_grad(tape, node, X, &add_dx);
  trm_real *da = trm_node_grad(tape, node, A, &add_da);
  trm_head_dot_backward(dx, da, node->out->grad, x->data, a->data, x->dims[0], a->dims[0],
                        a->dims[1], add_dx, add_da);
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 3) return NULL;
  const int64_t n[] = {1, 5, 3, 0}, H[] = {1, 3, 2, 2}, C[] = {1, 2, 17, 3};
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){n[variant], H[variant] * C[variant]});
  trm_var *a = trm_case_real(c, 0, 2, (int64_t[]){H[variant], C[variant]});
  return trm_op_head_dot(c->tape, x, a);
}

const trm_op trm_op_table_head_dot = {.name = "head_dot",
                                      .shape = shape,
                                      .forward = forward,
                                      .backward = backward,
                                      .sample = sample,
                                      .rowwise = true};

trm_var *trm_op_head_dot(trm_tape *tape, trm_var *x, trm_var *a) {
  return trm_tape_apply(tape, &trm_op_table_head_dot, (trm_var *[]){x, a}, 2, NULL, 0);
}
