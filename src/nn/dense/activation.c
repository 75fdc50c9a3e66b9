/* GELU (tanh form), ReLU and ELU, element by element. The backward pass reads x again. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct activation {
  void (*forward)(trm_real *y, const trm_real *x, int64_t n);
  void (*backward)(trm_real *dx, const trm_real *x, const trm_real *dy, int64_t n, bool add);
} activation;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  shape->n_dims = x->n_dims;
  for (int d = 0; d < x->n_dims; ++d) shape->dims[d] = x->dims[d];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  TRM_ATTR(node, activation)->forward(node->out->data, node->in[0]->data, node->out->n);
}

static void backward(trm_tape *tape, trm_node *node) {
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  TRM_ATTR(node, activation)->backward(dx, node->in[0]->data, node->out->grad, node->out->n, add);
}

static trm_var *sample_x(trm_op_case *c, int variant, double gap) {
  if (variant > 2) return NULL;
  const int64_t dims[3][2] = {{1, 1}, {5, 7}, {0, 3}};
  return trm_case_real(c, gap, 2, dims[variant]);
}

static trm_var *sample_gelu(trm_op_case *c, int variant) {
  trm_var *x = sample_x(c, variant, 0);
  return x ? trm_op_gelu(c->tape, x) : NULL;
}

static trm_var *sample_relu(trm_op_case *c, int variant) {
  trm_var *x = sample_x(c, variant, 0.1);
  return x ? trm_op_relu(c->tape, x) : NULL;
}

static trm_var *sample_elu(trm_op_case *c, int variant) {
  trm_var *x = sample_x(c, variant, 0.1);
  return x ? trm_op_elu(c->tape, x) : NULL;
}

const trm_op trm_op_table_gelu = {.name = "gelu",
                                  .shape = shape,
                                  .forward = forward,
                                  .backward = backward,
                                  .sample = sample_gelu,
                                  .rowwise = true};
const trm_op trm_op_table_relu = {.name = "relu",
                                  .shape = shape,
                                  .forward = forward,
                                  .backward = backward,
                                  .sample = sample_relu,
                                  .rowwise = true};
const trm_op trm_op_table_elu = {.name = "elu",
                                 .shape = shape,
                                 .forward = forward,
                                 .backward = backward,
                                 .sample = sample_elu,
                                 .rowwise = true};

trm_var *trm_op_gelu(trm_tape *tape, trm_var *x) {
  const activation a = {trm_gelu_forward, trm_gelu_backward};
  return trm_tape_apply(tape, &trm_op_table_gelu, (trm_var *[]){x}, 1, &a, sizeof a);
}

trm_var *trm_op_relu(trm_tape *tape, trm_var *x) {
  const activation a = {trm_relu_forward, trm_relu_backward};
  return trm_tape_apply(tape, &trm_op_table_relu, (trm_var *[]){x}, 1, &a, sizeof a);
}

trm_var *trm_op_elu(trm_tape *tape, trm_var *x) {
  const activation a = {trm_elu_forward, trm_elu_backward};
  return trm_tape_apply(tape, &trm_op_table_elu, (trm_var *[]){x}, 1, &a, sizeof a);
}
