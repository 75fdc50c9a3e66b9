/* Add: y = a + b, written over b when nobody else reads it. da = db = dy. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *a = node->in[0], *b = node->in[1];
  bool equal = a->n_dims == b->n_dims;
  for (int d = 0; equal && d < a->n_dims; ++d) equal = a->dims[d] == b->dims[d];
  if (!equal) {
    return trm_op_fail(node, "a has %lld elements in %d axes, b %lld in %d", (long long)a->n,
                       a->n_dims, (long long)b->n, b->n_dims);
  }
  shape->n_dims = a->n_dims;
  for (int d = 0; d < a->n_dims; ++d) shape->dims[d] = a->dims[d];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  trm_add(node->out->data, node->in[0]->data, node->in[1]->data, node->out->n);
}

static void backward(trm_tape *tape, trm_node *node) {
  for (int i = 0; i < 2; ++i) {
    bool add;
    trm_real *dx = trm_node_grad(tape, node, i, &add);
    if (dx) trm_scale(dx, node->out->grad, 1, node->out->n, add);
  }
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 2) return NULL;
  const int64_t dims[3][2] = {{1, 1}, {3, 5}, {0, 4}};
  trm_var *a = trm_case_real(c, 0, 2, dims[variant]);
  trm_var *b = trm_case_real(c, 0, 2, dims[variant]);
  return trm_op_add(c->tape, a, variant == 1 ? trm_op_add(c->tape, b, a) : b);
}

const trm_op trm_op_table_add = {.name = "add",
                                 .shape = shape,
                                 .forward = forward,
                                 .backward = backward,
                                 .sample = sample,
                                 .rowwise = true};

trm_var *trm_op_add(trm_tape *tape, trm_var *a, trm_var *b) {
  return trm_tape_apply_over(tape, &trm_op_table_add, (trm_var *[]){a, b}, 2, NULL, 0, 1);
}
