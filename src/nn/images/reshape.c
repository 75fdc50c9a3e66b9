/* The same elements with other axes, in the same memory where it is free. dx = dy. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct reshape {
  int n_dims;
  int64_t dims[4];
} reshape;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const reshape *a = TRM_ATTR(node, reshape);
  int64_t n = 1;
  bool fits = a->n_dims >= 1 && a->n_dims <= 4;
  for (int d = 0; fits && d < a->n_dims; ++d) fits = trm_size_mul(n, a->dims[d], &n);
  if (!fits || n != node->in[0]->n) {
    return trm_op_fail(node, "x has %lld elements, %d axes are asked for that have %lld together",
                       (long long)node->in[0]->n, a->n_dims, (long long)n);
  }
  shape->n_dims = a->n_dims;
  for (int d = 0; d < a->n_dims; ++d) shape->dims[d] = a->dims[d];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_var *x = node->in[0];
  if (node->out->data != x->data) trm_scale(node->out->data, x->data, 1, x->n, false);
}

static void backward(trm_tape *tape, trm_node *node) {
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (dx) trm_scale(dx, node->out->grad, 1, node->out->n, add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 3) return NULL;
  static const int64_t from[][4] = {{1, 1, 1, 1}, {2, 3, 2, 5}, {4, 3, 1, 5}, {0, 2, 2, 3}};
  static const int64_t to[][4] = {{1}, {2, 30}, {2, 6, 5}, {0, 3, 2, 2}};
  static const int n_dims[] = {1, 2, 3, 4};
  trm_var *x = trm_case_real(c, 0.1, 4, from[variant]);
  if (variant == 2) x = trm_op_relu(c->tape, trm_op_reshape(c->tape, x, 1, (int64_t[]){60}));
  return trm_op_reshape(c->tape, x, n_dims[variant], to[variant]);
}

const trm_op trm_op_table_reshape = {
    .name = "reshape", .shape = shape, .forward = forward, .backward = backward, .sample = sample};

trm_var *trm_op_reshape(trm_tape *tape, trm_var *x, int n_dims, const int64_t *dims) {
  reshape a = {.n_dims = n_dims};
  for (int d = 0; d < n_dims && d < 4; ++d) a.dims[d] = dims[d];
  return trm_tape_apply_over(tape, &trm_op_table_reshape, (trm_var *[]){x}, 1, &a, sizeof a, 0);
}
