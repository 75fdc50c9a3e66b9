/* Mean over heads: y[N, C] of x[N, H C]. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct heads {
  int64_t H;
} heads;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  const int64_t H = TRM_ATTR(node, heads)->H;
  if (x->n_dims != 2 || H < 1 || x->dims[1] % H != 0) {
    return trm_op_fail(node, "rows of %lld for %lld heads", (long long)trm_var_width(x),
                       (long long)H);
  }
  shape->n_dims = 2;
  shape->dims[0] = x->dims[0];
  shape->dims[1] = x->dims[1] / H;
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_var *y = node->out;
  trm_head_mean_forward(y->data, node->in[0]->data, y->dims[0], TRM_ATTR(node, heads)->H,
                        y->dims[1]);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *y = node->out;
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  trm_head_mean_backward(dx, y->grad, y->dims[0], TRM_ATTR(node, heads)->H, y->dims[1], add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 2) return NULL;
  const int64_t n[] = {1, 5, 0}, H[] = {1, 3, 2}, C[] = {1, 7, 3};
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){n[variant], H[variant] * C[variant]});
  return trm_op_head_mean(c->tape, x, H[variant]);
}

const trm_op trm_op_table_head_mean = {.name = "head_mean",
                                       .shape = shape,
                                       .forward = forward,
                                       .backward = backward,
                                       .sample = sample,
                                       .rowwise = true};

trm_var *trm_op_head_mean(trm_tape *tape, trm_var *x, int64_t H) {
  const heads a = {H};
  return trm_tape_apply(tape, &trm_op_table_head_mean, (trm_var *[]){x}, 1, &a, sizeof a);
}
