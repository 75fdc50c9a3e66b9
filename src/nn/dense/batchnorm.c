/*
 * Batch normalisation, with its weight and bias, and with a ReLU where that follows: nothing but the output
 * is kept of the rows, the backward pass standardises x again. In training the statistics are those of the
 * rows it sees, which are a block's; the running ones are buffers, and get as their gradient what the moving
 * average shall take in: the block's mean and unbiased variance times its weight. A block of one row has the
 * variance 0, one without rows gives nothing.
 */
#include <math.h>

#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { X, W, B, MEAN, VARIANCE };
enum { OWN_MEAN, OWN_VARIANCE }; /* kept: mean [C]; variance [C], then 1 / deviation [C] */
static const double eps = 1e-5;  /* as PyTorch's default */

typedef struct batchnorm {
  bool training, relu;
} batchnorm;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X];
  const int64_t C = trm_var_width(x);
  bool fits = x->n_dims >= 2;
  for (int i = W; i <= VARIANCE; ++i) fits = fits && node->in[i]->n == C;
  if (!fits) {
    return trm_op_fail(node,
                       "x has rows of %lld, w %lld, b %lld, mean %lld and variance %lld elements",
                       (long long)C, (long long)node->in[W]->n, (long long)node->in[B]->n,
                       (long long)node->in[MEAN]->n, (long long)node->in[VARIANCE]->n);
  }
  shape->n_dims = x->n_dims;
  for (int d = 0; d < x->n_dims; ++d) shape->dims[d] = x->dims[d];
  shape->saved[OWN_MEAN] = C;
  shape->saved[OWN_VARIANCE] = 2 * C;
  shape->saved_by_block = true;
  shape->scratch_backward = 4 * C;
  return TRM_OK;
}

static trm_batchnorm norm_of(const trm_node *node) {
  const trm_var *x = node->in[X];
  return (trm_batchnorm){.N = trm_var_rows(x),
                         .C = trm_var_width(x),
                         .x = x->data,
                         .mean = node->saved[OWN_MEAN],
                         .rstd = node->saved[OWN_VARIANCE] + trm_var_width(x),
                         .w = node->in[W]->data,
                         .b = node->in[B]->data,
                         .relu = TRM_ATTR(node, batchnorm)->relu};
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_batchnorm norm = norm_of(node);
  const int64_t C = norm.C;
  trm_real *mean = node->saved[OWN_MEAN], *variance = node->saved[OWN_VARIANCE];
  trm_real *rstd = variance + C;
  if (TRM_ATTR(node, batchnorm)->training) {
    trm_moments(mean, variance, norm.x, norm.N, C);
  } else {
    trm_scale(mean, node->in[MEAN]->data, 1, C, false);
    trm_scale(variance, node->in[VARIANCE]->data, 1, C, false);
  }
  for (int64_t c = 0; c < C; ++c) rstd[c] = (trm_real)(1 / sqrt((double)variance[c] + eps));
  trm_batchnorm_forward(node->out->data, &norm);
}

/* The statistics as contributions to the moving average; nothing in evaluation. */
static void give_statistics(trm_tape *tape, trm_node *node, int64_t N, int64_t C) {
  const double weight = TRM_ATTR(node, batchnorm)->training ? trm_tape_block_weight(tape) : 0;
  const double unbiased = N > 1 ? (double)N / (double)(N - 1) : 1;
  bool add;
  trm_real *to = trm_node_grad(tape, node, MEAN, &add);
  if (to) trm_scale(to, node->saved[OWN_MEAN], (trm_real)weight, C, add);
  to = trm_node_grad(tape, node, VARIANCE, &add);
  if (to) trm_scale(to, node->saved[OWN_VARIANCE], (trm_real)(weight * unbiased), C, add);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_batchnorm norm = norm_of(node);
  const int64_t N = norm.N, C = norm.C;
  const trm_real *dy = node->out->grad;
  trm_real *sums = node->scratch;
  give_statistics(tape, node, N, C);
  trm_batchnorm_sums(sums, dy, &norm);
  bool add;
  trm_real *to = trm_node_grad(tape, node, B, &add);
  if (to) trm_scale(to, sums, 1, C, add);
  to = trm_node_grad(tape, node, W, &add);
  if (to) trm_scale(to, sums + C, 1, C, add);
  to = trm_node_grad(tape, node, X, &add);
  if (to) {
    trm_batchnorm_backward(to, sums, dy, &norm, !TRM_ATTR(node, batchnorm)->training, add);
  }
}

static trm_var *sample_with(trm_op_case *c, int variant, bool relu) {
  static const int64_t dims[][4] = {{1, 2}, {5, 3},       {7, 17},     {0, 4},
                                    {2, 1}, {2, 3, 2, 5}, {0, 2, 2, 3}};
  static const int n_dims[] = {2, 2, 2, 2, 2, 4, 4};
  if (variant > 6) return NULL;
  const int64_t *C = &dims[variant][n_dims[variant] - 1];
  trm_var *x = trm_case_real(c, 0, n_dims[variant], dims[variant]);
  trm_var *w = trm_case_real(c, 0, 1, C);
  trm_var *b = trm_case_real(c, 0.1, 1, C); /* of one row all is 0 but b */
  trm_var *mean = trm_case_real(c, 0, 1, C);
  trm_var *variance = trm_case_real(c, 0, 1, C);
  return relu ? trm_op_batchnorm_relu(c->tape, x, w, b, mean, variance)
              : trm_op_batchnorm(c->tape, x, w, b, mean, variance);
}
static trm_var *sample(trm_op_case *c, int variant) {
  return sample_with(c, variant, false);
}
static trm_var *sample_relu(trm_op_case *c, int variant) {
  return sample_with(c, variant, true);
}

const trm_op trm_op_table_batchnorm = {.name = "batchnorm",
                                       .shape = shape,
                                       .forward = forward,
                                       .backward = backward,
                                       .sample = sample,
                                       .rowwise = true};
const trm_op trm_op_table_batchnorm_relu = {.name = "batchnorm_relu",
                                            .shape = shape,
                                            .forward = forward,
                                            .backward = backward,
                                            .sample = sample_relu,
                                            .rowwise = true};

trm_var *trm_op_batchnorm(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b, trm_var *mean,
                          trm_var *variance) {
  const batchnorm a = {.training = trm_tape_pass(tape)->training};
  return trm_tape_apply(tape, &trm_op_table_batchnorm, (trm_var *[]){x, w, b, mean, variance}, 5,
                        &a, sizeof a);
}

trm_var *trm_op_batchnorm_relu(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b, trm_var *mean,
                               trm_var *variance) {
  const batchnorm a = {.training = trm_tape_pass(tape)->training, .relu = true};
  return trm_tape_apply(tape, &trm_op_table_batchnorm_relu, (trm_var *[]){x, w, b, mean, variance},
                        5, &a, sizeof a);
}
