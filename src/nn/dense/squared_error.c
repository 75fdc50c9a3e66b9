/* Squared errors: the sum over the rows whose target counts. */
#include <math.h>

#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct squared_error {
  const float *targets; /* borrowed for the pass */
} squared_error;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *y = node->in[0];
  if (y->n_dims != 2 || y->dims[1] != 1) {
    return trm_op_fail(node, "y has rows of %lld, not 1", (long long)trm_var_width(y));
  }
  shape->n_dims = 1;
  shape->dims[0] = 1;
  return TRM_OK;
}

/* Of the rows that are being run. */
static const float *targets_of(const trm_tape *tape, const trm_node *node) {
  return TRM_ATTR(node, squared_error)->targets + trm_tape_row(tape);
}

static void forward(trm_tape *tape, trm_node *node) {
  const trm_var *y = node->in[0];
  double loss;
  const double count =
      trm_squared_error_forward(&loss, y->data, targets_of(tape, node), y->dims[0]);
  node->out->data[0] = (trm_real)loss;
  trm_tape_add_loss(tape, loss, count);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *y = node->in[0];
  bool add;
  trm_real *dy = trm_node_grad(tape, node, 0, &add);
  if (!dy) return;
  trm_squared_error_backward(dy, y->data, targets_of(tape, node), node->out->grad[0], y->dims[0],
                             add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const float targets[] = {0.5F, NAN, -2.0F, 3.25F};
  static const int64_t N[] = {1, 4, 0};
  if (variant > 2) return NULL;
  trm_var *y = trm_case_real(c, 0, 2, (int64_t[]){N[variant], 1});
  return trm_op_squared_error(c->tape, y, targets);
}

const trm_op trm_op_table_squared_error = {.name = "squared_error",
                                           .shape = shape,
                                           .forward = forward,
                                           .backward = backward,
                                           .sample = sample,
                                           .rowwise = true,
                                           .sums_rows = true};

trm_var *trm_op_squared_error(trm_tape *tape, trm_var *y, const float *targets) {
  const squared_error a = {targets};
  return trm_tape_apply(tape, &trm_op_table_squared_error, (trm_var *[]){y}, 1, &a, sizeof a);
}
