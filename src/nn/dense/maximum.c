/* Maximum: y = max(a, b) by element; of equals a gets the gradient. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *a = node->in[0], *b = node->in[1];
  if (a->n_dims != 2 || b->n_dims != 2 || a->dims[0] != b->dims[0] || a->dims[1] != b->dims[1]) {
    return trm_op_fail(node, "a is [%lld, %lld], b [%lld, %lld]", (long long)a->dims[0],
                       (long long)a->dims[1], (long long)b->dims[0], (long long)b->dims[1]);
  }
  shape->n_dims = 2;
  shape->dims[0] = a->dims[0];
  shape->dims[1] = a->dims[1];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  trm_maximum_forward(node->out->data, node->in[0]->data, node->in[1]->data, node->out->n);
}

static void backward(trm_tape *tape, trm_node *node) {
  for (int i = 0; i < 2; ++i) {
    bool add;
    trm_real *dx = trm_node_grad(tape, node, i, &add);
    if (!dx) continue;
    trm_maximum_backward(dx, node->in[0]->data, node->in[1]->data, node->out->grad, i == 1,
                         node->out->n, add);
  }
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 3) return NULL;
  const int64_t dims[4][2] = {{1, 1}, {3, 5}, {0, 4}, {2, 3}};
  trm_var *a = trm_case_real(c, 0, 2, dims[variant]);
  if (variant == 3) return trm_op_maximum(c->tape, a, a); /* equals */
  return trm_op_maximum(c->tape, a, trm_case_real(c, 0, 2, dims[variant]));
}

const trm_op trm_op_table_maximum = {.name = "maximum",
                                     .shape = shape,
                                     .forward = forward,
                                     .backward = backward,
                                     .sample = sample,
                                     .rowwise = true};

trm_var *trm_op_maximum(trm_tape *tape, trm_var *a, trm_var *b) {
  return trm_tape_apply(tape, &trm_op_table_maximum, (trm_var *[]){a, b}, 2, NULL, 0);
}
