/*
 * Batch normalisation, in two operators: this one takes the statistics out, scale_shift puts weight
 * and bias in. In training the statistics are those of the rows it sees, which are a block's; the
 * running ones are buffers, and get as their gradient what the moving average shall take in: the
 * block's mean and unbiased variance times its weight. A block of one row has the variance 0, one
 * without rows gives nothing.
 */
#include <math.h>

#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { X, MEAN, VARIANCE };
enum { OWN_MEAN, OWN_VARIANCE }; /* kept: mean [C]; variance [C], then 1 / deviation [C] */
static const double eps = 1e-5;  /* as PyTorch's default */

typedef struct batchnorm {
  bool training;
} batchnorm;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X];
  const int64_t C = trm_var_width(x);
  if (x->n_dims < 2 || node->in[MEAN]->n != C || node->in[VARIANCE]->n != C) {
    return trm_op_fail(node, "x has rows of %lld, mean %lld and variance %lld elements",
                       (long long)C, (long long)node->in[MEAN]->n,
                       (long long)node->in[VARIANCE]->n);
  }
  shape->n_dims = x->n_dims;
  for (int d = 0; d < x->n_dims; ++d) shape->dims[d] = x->dims[d];
  shape->saved[OWN_MEAN] = C;
  shape->saved[OWN_VARIANCE] = 2 * C;
  shape->saved_by_block = true;
  shape->scratch_backward = 2 * C;
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_var *x = node->in[X];
  const int64_t N = trm_var_rows(x), C = trm_var_width(x);
  trm_real *mean = node->saved[OWN_MEAN], *variance = node->saved[OWN_VARIANCE];
  trm_real *rstd = variance + C;
  if (TRM_ATTR(node, batchnorm)->training) {
    trm_moments(mean, variance, x->data, N, C);
  } else {
    trm_scale(mean, node->in[MEAN]->data, 1, C, false);
    trm_scale(variance, node->in[VARIANCE]->data, 1, C, false);
  }
  for (int64_t c = 0; c < C; ++c) rstd[c] = (trm_real)(1 / sqrt((double)variance[c] + eps));
  trm_standardize_forward(node->out->data, x->data, mean, rstd, N, C);
}

/* The statistics as contributions to the moving average; nothing in evaluation. */
static void give_statistics(trm_tape *tape, trm_node *node) {
  const int64_t N = trm_var_rows(node->in[X]), C = trm_var_width(node->in[X]);
  const double weight = TRM_ATTR(node, batchnorm)->training ? trm_tape_block_weight(tape) : 0;
  const double unbiased = N > 1 ? (double)N / (double)(N - 1) : 1;
  bool add;
  trm_real *to = trm_node_grad(tape, node, MEAN, &add);
  if (to) trm_scale(to, node->saved[OWN_MEAN], (trm_real)weight, C, add);
  to = trm_node_grad(tape, node, VARIANCE, &add);
  if (to) trm_scale(to, node->saved[OWN_VARIANCE], (trm_real)(weight * unbiased), C, add);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *y = node->out;
  const int64_t N = trm_var_rows(y), C = trm_var_width(y);
  const trm_real *rstd = node->saved[OWN_VARIANCE] + C;
  give_statistics(tape, node);
  bool add;
  trm_real *dx = trm_node_grad(tape, node, X, &add);
  if (!dx) return;
  if (TRM_ATTR(node, batchnorm)->training) {
    trm_standardize_backward(dx, node->scratch, y->grad, y->data, rstd, N, C, add);
  } else {
    trm_scale_shift_backward(dx, y->grad, rstd, N, C, add);
  }
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const int64_t dims[][4] = {{1, 2}, {5, 3},       {7, 17},     {0, 4},
                                    {2, 1}, {2, 3, 2, 5}, {0, 2, 2, 3}};
  static const int n_dims[] = {2, 2, 2, 2, 2, 4, 4};
  if (variant > 6) return NULL;
  const int64_t *C = &dims[variant][n_dims[variant] - 1];
  trm_var *x = trm_case_real(c, 0, n_dims[variant], dims[variant]);
  trm_var *w = trm_case_real(c, 0, 1, C);
  trm_var *b = trm_case_real(c, 0, 1, C);
  trm_var *mean = trm_case_real(c, 0, 1, C);
  trm_var *variance = trm_case_real(c, 0, 1, C);
  return trm_op_batchnorm(c->tape, x, w, b, mean, variance);
}

const trm_op trm_op_table_batchnorm = {.name = "batchnorm",
                                       .shape = shape,
                                       .forward = forward,
                                       .backward = backward,
                                       .sample = sample,
                                       .reads_output = true,
                                       .rowwise = true};

trm_var *trm_op_batchnorm(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b, trm_var *mean,
                          trm_var *variance) {
  const batchnorm a = {.training = trm_tape_pass(tape)->training};
  trm_var *y = trm_tape_apply(tape, &trm_op_table_batchnorm, (trm_var *[]){x, mean, variance}, 3,
                              &a, sizeof a);
  return trm_op_scale_shift(tape, y, w, b);
}
