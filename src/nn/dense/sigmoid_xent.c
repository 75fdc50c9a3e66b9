/* Cross-entropy of sigmoids: the sum over all classes of all rows, each for itself. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct sigmoid_xent {
  const float *shares; /* borrowed for the pass */
} sigmoid_xent;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *logits = node->in[0];
  if (logits->n_dims != 2) return trm_op_fail(node, "logits have %d axes, not 2", logits->n_dims);
  shape->n_dims = 1;
  shape->dims[0] = 1;
  return TRM_OK;
}

/* Of the rows that are being run. */
static const float *shares_of(const trm_tape *tape, const trm_node *node) {
  return TRM_ATTR(node, sigmoid_xent)->shares + trm_tape_row(tape) * node->in[0]->dims[1];
}

static void forward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[0];
  double loss;
  trm_sigmoid_xent_forward(&loss, x->data, shares_of(tape, node), x->n);
  node->out->data[0] = (trm_real)loss;
  trm_tape_add_loss(tape, loss, (double)x->n);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[0];
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  trm_sigmoid_xent_backward(dx, x->data, shares_of(tape, node), node->out->grad[0], x->n, add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const float shares[] = {1, 0, 0.25F, 1, 0, 1};
  static const int64_t N[] = {1, 2, 0}, V[] = {1, 3, 4};
  if (variant > 2) return NULL;
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){N[variant], V[variant]});
  return trm_op_sigmoid_xent(c->tape, x, shares);
}

const trm_op trm_op_table_sigmoid_xent = {.name = "sigmoid_xent",
                                          .shape = shape,
                                          .forward = forward,
                                          .backward = backward,
                                          .sample = sample,
                                          .rowwise = true,
                                          .sums_rows = true};

trm_var *trm_op_sigmoid_xent(trm_tape *tape, trm_var *logits, const float *shares) {
  const sigmoid_xent a = {shares};
  return trm_tape_apply(tape, &trm_op_table_sigmoid_xent, (trm_var *[]){logits}, 1, &a, sizeof a);
}
