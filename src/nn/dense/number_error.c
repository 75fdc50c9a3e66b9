/* Errors of numbers: the sum of what they cost over the rows whose target counts. */
#include <math.h>

#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct number_error {
  const float *targets; /* borrowed for the pass */
  trm_number_error how;
} number_error;

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
  return TRM_ATTR(node, number_error)->targets + trm_tape_row(tape);
}

static void forward(trm_tape *tape, trm_node *node) {
  const trm_var *y = node->in[0];
  double loss;
  const double count = trm_number_error_forward(&loss, y->data, targets_of(tape, node),
                                                &TRM_ATTR(node, number_error)->how, y->dims[0]);
  node->out->data[0] = (trm_real)loss;
  trm_tape_add_loss(tape, loss, count);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *y = node->in[0];
  bool add;
  trm_real *dy = trm_node_grad(tape, node, 0, &add);
  if (!dy) return;
  trm_number_error_backward(dy, y->data, targets_of(tape, node), &TRM_ATTR(node, number_error)->how,
                            node->out->grad[0], y->dims[0], add);
}

/* Targets lie far from where errors have kinks: 0, and deltas of 1e-3 and 100. */
static trm_var *sample(trm_op_case *c, int variant) {
  static const float targets[] = {10.5F, NAN, -12.0F, 13.25F};
  static const int64_t N[] = {1, 4, 0, 4, 4, 4};
  static const trm_number_error hows[] = {{TRM_ERROR_SQUARED, 0},  {TRM_ERROR_SQUARED, 0},
                                          {TRM_ERROR_SQUARED, 0},  {TRM_ERROR_ABSOLUTE, 0},
                                          {TRM_ERROR_HUBER, 1e-3}, {TRM_ERROR_HUBER, 100}};
  if (variant > 5) return NULL;
  trm_var *y = trm_case_real(c, 0, 2, (int64_t[]){N[variant], 1});
  return trm_op_number_error(c->tape, y, targets, &hows[variant]);
}

const trm_op trm_op_table_number_error = {.name = "number_error",
                                          .shape = shape,
                                          .forward = forward,
                                          .backward = backward,
                                          .sample = sample,
                                          .rowwise = true,
                                          .sums_rows = true};

trm_var *trm_op_number_error(trm_tape *tape, trm_var *y, const float *targets,
                             const trm_number_error *how) {
  const number_error a = {targets, how ? *how : (trm_number_error){TRM_ERROR_SQUARED, 0}};
  return trm_tape_apply(tape, &trm_op_table_number_error, (trm_var *[]){y}, 1, &a, sizeof a);
}
