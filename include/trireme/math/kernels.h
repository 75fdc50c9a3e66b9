/**
 * Kernels on raw pointers. Row-major, outputs first, then inputs, then sizes.
 *
 * All of them: not collective; thread-parallel inside (never call them from a parallel region);
 * result independent of the thread count, because sums run in an order fixed by shapes.
 * Backward kernels take `bool add`: false writes the gradient, true adds to what is there.
 * Pointers must not alias unless said so. Any count may be 0.
 */
#ifndef TRIREME_MATH_KERNELS_H
#define TRIREME_MATH_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/batch.h"
#include "trireme/core/csr.h"
#include "trireme/core/random.h"
#include "trireme/math/real.h"
#include "trireme/math/xent.h"

/* ---- element by element, n elements -------------------------------------------------------- */

/** y = value. */
void trm_fill(trm_real *y, trm_real value, int64_t n);
/**
 * y[i] = scale * trm_random_normal(key, 0, first + i), rounded: to the bit what these calls give, on
 * every instruction set.
 */
void trm_fill_normal(trm_real *y, double scale, trm_random_key key, uint64_t first, int64_t n);
/** y[i] = scale * (2 trm_random_uniform(key, 0, first + i) - 1), rounded; likewise to the bit. */
void trm_fill_uniform(trm_real *y, double scale, trm_random_key key, uint64_t first, int64_t n);
/** y = a x (add: y += a x). y may equal x when add is false. */
void trm_scale(trm_real *y, const trm_real *x, trm_real a, int64_t n, bool add);
/** y = a + b. y may equal a or b. */
void trm_add(trm_real *y, const trm_real *a, const trm_real *b, int64_t n);
/** y[N,C] = x[N,C] + b[C]. y may equal x. */
void trm_bias_forward(trm_real *y, const trm_real *x, const trm_real *b, int64_t N, int64_t C);
/** db[C] (+)= sum over rows of dy[N,C]. */
void trm_bias_backward(trm_real *db, const trm_real *dy, int64_t N, int64_t C, bool add);

/** GELU, tanh form: y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
 *  Source: Hendrycks, Gimpel 2016, arXiv:1606.08415, section 2. */
void trm_gelu_forward(trm_real *y, const trm_real *x, int64_t n);
/** dx (+)= dy y'(x), from the input x. */
void trm_gelu_backward(trm_real *dx, const trm_real *x, const trm_real *dy, int64_t n, bool add);
/** ReLU: y = max(x, 0). */
void trm_relu_forward(trm_real *y, const trm_real *x, int64_t n);
/** dx (+)= dy where x > 0, else 0; the derivative at 0 is 0. */
void trm_relu_backward(trm_real *dx, const trm_real *x, const trm_real *dy, int64_t n, bool add);

/** ELU: y = x > 0 ? x : e^x - 1. Source: Clevert et al. 2016, arXiv:1511.07289, equation 15. */
void trm_elu_forward(trm_real *y, const trm_real *x, int64_t n);
/** dx (+)= dy where x > 0, else dy e^x, from the input x. */
void trm_elu_backward(trm_real *dx, const trm_real *x, const trm_real *dy, int64_t n, bool add);
/** y = alpha a + beta b. y may equal a or b. */
void trm_combine(trm_real *y, const trm_real *a, trm_real alpha, const trm_real *b, trm_real beta,
                 int64_t n);
/** y = max(a, b); a NaN wins. */
void trm_maximum_forward(trm_real *y, const trm_real *a, const trm_real *b, int64_t n);
/** dx (+)= dy where a (second: b) was the maximum, 0 elsewhere; of equals a was. */
void trm_maximum_backward(trm_real *dx, const trm_real *a, const trm_real *b, const trm_real *dy,
                          bool second, int64_t n, bool add);
/** y[N, C] (+)= x[N, C] where rows of y and x are y_stride and x_stride apart. */
void trm_copy_columns(trm_real *y, int64_t y_stride, const trm_real *x, int64_t x_stride, int64_t N,
                      int64_t C, bool add);

/* ---- layer normalisation -------------------------------------------------------------------- */

/**
 * y[N,C] = (x - mean) / sqrt(var + eps) * w + b over the last axis; var is the biased variance.
 * @param[out] mean, rstd  [N] kept for the backward pass; rstd = 1 / sqrt(var + eps)
 * @param[in]  x           [N, C] read again by the backward pass
 * @param[in]  w           [C]
 * @param[in]  b           [C] or NULL (no bias)
 * @param[in]  eps         > 0
 * Source: Ba, Kiros, Hinton 2016, arXiv:1607.06450, section 3.
 */
void trm_layernorm_forward(trm_real *y, trm_real *mean, trm_real *rstd, const trm_real *x,
                           const trm_real *w, const trm_real *b, int64_t N, int64_t C,
                           trm_real eps);
/** dx [N,C] per `add_dx`; dw [C], db [C] (NULL without bias) per `add_dw`; from dy, x [N,C], mean,
 *  rstd [N] and w [C]. Sums over rows run in tiles of rows fixed by N. */
void trm_layernorm_backward(trm_real *dx, trm_real *dw, trm_real *db, const trm_real *dy,
                            const trm_real *x, const trm_real *mean, const trm_real *rstd,
                            const trm_real *w, int64_t N, int64_t C, bool add_dx, bool add_dw);

/* ---- batch normalisation --------------------------------------------------------------------- */

/** mean[C] and biased variance[C] of the columns of x[N, C], the variance in a second pass; 0 for
 *  N = 0. */
void trm_moments(trm_real *mean, trm_real *variance, const trm_real *x, int64_t N, int64_t C);
/** Columns of x[N, C], standardised, scaled and shifted: z = (x - mean[C]) rstd[C], y = w[C] z + b[C], with
 *  `relu` the greater of that and 0. */
typedef struct trm_batchnorm {
  int64_t N, C;
  const trm_real *x, *mean, *rstd, *w, *b;
  bool relu;
} trm_batchnorm;
/** y[N, C]. The backward pass reads x again, not y. */
void trm_batchnorm_forward(trm_real *y, const trm_batchnorm *norm);
/** sums[4, C]: over rows, of dy, dy z, dy w and dy w z; with `relu` dy is 0 where y is. The first two are
 *  the gradients of b and w. */
void trm_batchnorm_sums(trm_real *sums, const trm_real *dy, const trm_batchnorm *norm);
/** dx[N, C] (+)= rstd (dy w - mean(dy w) - z mean(dy w z)), means over rows, where mean and rstd were those
 *  of x; `given`: they were not, rstd dy w. Source: Ioffe, Szegedy 2015, arXiv:1502.03167, section 3.
 *  @param[out]    dx    must not be dy, of which elements may be read twice
 *  @param[in,out] sums  of trm_batchnorm_sums; not read when given. The last two become means */
void trm_batchnorm_backward(trm_real *dx, trm_real *sums, const trm_real *dy,
                            const trm_batchnorm *norm, bool given, bool add);
/** y[N, C] = w[C] x[N, C] + b[C] by column. y may equal x. */
void trm_scale_shift_forward(trm_real *y, const trm_real *x, const trm_real *w, const trm_real *b,
                             int64_t N, int64_t C);
/** dx[N, C] (+)= dy[N, C] w[C] by column. dx may equal dy when add is false. */
void trm_scale_shift_backward(trm_real *dx, const trm_real *dy, const trm_real *w, int64_t N,
                              int64_t C, bool add);
/** sum[C] (+)= sum over rows of a[N, C] b[N, C]. */
void trm_column_products(trm_real *sum, const trm_real *a, const trm_real *b, int64_t N, int64_t C,
                         bool add);

/* ---- embeddings ----------------------------------------------------------------------------- */

/** y[N,C] = rows ids[N] of w[V,C]. Ids were checked against the vocabulary when the data were read. */
void trm_embedding_forward(trm_real *y, const trm_real *w, const int32_t *ids, int64_t N,
                           int64_t C);
/** dw[V,C] (+)= sum of the rows of dy[N,C] by ids[N], added in index order. add false: dw is cleared
 *  first. */
void trm_embedding_backward(trm_real *dw, const trm_real *dy, const int32_t *ids, int64_t N,
                            int64_t C, int64_t V, bool add);
/** y[R, C] = scale x[R, C] + p[place of the row in its sequence]; p[longest, C]. y may equal x. */
void trm_position_forward(trm_real *y, const trm_real *x, const trm_real *p, trm_real scale,
                          const trm_sequences *s, int64_t C);
/** dp[longest, C] (+)= sum over the sequences that are so long of dy[R, C], in index order. */
void trm_position_backward(trm_real *dp, const trm_real *dy, const trm_sequences *s, int64_t C,
                           bool add);
/** p[T,C]: sin (even columns) and cos (odd) of t / 10000^(2i/C).
 *  Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5. */
void trm_position_sinusoidal(trm_real *p, int64_t T, int64_t C);

/* ---- heads; attention itself is in attention.h ------------------------------------------------ */

/** s[N, H] = dot products of each head's C elements of x[N, H C] with a[H, C]. */
void trm_head_dot_forward(trm_real *s, const trm_real *x, const trm_real *a, int64_t N, int64_t H,
                          int64_t C);
/** dx[N, H C] per `add_dx`, da[H, C] per `add_da`; either may be NULL. ds[N, H]. */
void trm_head_dot_backward(trm_real *dx, trm_real *da, const trm_real *ds, const trm_real *x,
                           const trm_real *a, int64_t N, int64_t H, int64_t C, bool add_dx,
                           bool add_da);
/** y[N, C] = mean over the H heads of x[N, H C]. */
void trm_head_mean_forward(trm_real *y, const trm_real *x, int64_t N, int64_t H, int64_t C);
/** dx[N, H C] (+)= dy[N, C] / H for each head. */
void trm_head_mean_backward(trm_real *dx, const trm_real *dy, int64_t N, int64_t H, int64_t C,
                            bool add);

/* ---- dropout -------------------------------------------------------------------------------- */

/**
 * y[R, C] (+)= x * mask / (1 - p), mask drawn by counter: element c of row r of sequence i has the
 * counter (sample = sample0 + i, position = r C + c). Backward is the same call on dy.
 * p in [0, 1) is rounded to a multiple of 2^-16. y may equal x when add is false.
 */
void trm_dropout(trm_real *y, const trm_real *x, const trm_sequences *s, int64_t C, double p,
                 trm_random_key key, int64_t sample0, bool add);

/** The same keyed by rows, ids[N]: element c of row r has the counter (sample = ids[r], position = c). */
void trm_dropout_rows(trm_real *y, const trm_real *x, const int32_t *ids, int64_t N, int64_t C,
                      double p, trm_random_key key, bool add);

/* ---- losses --------------------------------------------------------------------------------- */

/**
 * Divergence KL(softmax(a) || softmax(b)) summed over the rows whose target is >= 0 (NULL: all).
 * @param[out] loss  in double, rows in order
 * @param[out] kept  [N, 3] log-sum-exp of a and of b, and the row's divergence, for the backward pass
 * @param[in]  a, b  [N, V] logits
 */
void trm_softmax_kl_forward(double *loss, trm_real *kept, const trm_real *a, const trm_real *b,
                            const int32_t *targets, int64_t N, int64_t V);
/** da[N, V] (+)= dloss p (log p - log q - divergence of the row) and db[N, V] (+)= dloss (q - p), where p
 *  and q are the softmax of a and b; either may be NULL. Rows that do not count get 0. */
void trm_softmax_kl_backward(trm_real *da, trm_real *db, const trm_real *a, const trm_real *b,
                             const trm_real *kept, const int32_t *targets, trm_real dloss,
                             int64_t N, int64_t V, bool add_da, bool add_db);

/**
 * Softmax cross-entropy summed over the rows whose target is >= 0, plain or as trm_xent says.
 *
 * @param[out] loss     sum over rows of -log softmax(logits)[target], in double, rows in order
 * @param[out] lse      [N] log-sum-exp, kept for the backward pass
 * @param[out] mean     [N] of each row's logits; not written without smoothing, and may be NULL then
 * @param[in]  logits   [N, V]
 * @param[in]  targets  [N], -1: the row does not count
 * @return number of rows that count, or the sum of their weights
 */
double trm_softmax_xent_forward(double *loss, trm_real *lse, trm_real *mean, const trm_real *logits,
                                const int32_t *targets, const trm_xent *how, int64_t N, int64_t V);
/** dlogits[N, V] (+)= dloss * weight * (softmax(logits) - smoothed onehot(target)); rows that do not
 *  count get 0. lse[N] comes from the forward pass. */
void trm_softmax_xent_backward(trm_real *dlogits, const trm_real *logits, const trm_real *lse,
                               const int32_t *targets, const trm_xent *how, trm_real dloss,
                               int64_t N, int64_t V, bool add);

/**
 * The same over a vocabulary cut into tiles of columns, of which one is there at a time: logits[N, n]
 * of columns first .. first + n - 1. A tile with first = 0 begins.
 * @param[in,out] max, sum  [N] greatest logit so far, and sum of e^(logit - max)
 * @param[in,out] at        [N] logit of the target, once its tile has come
 * @param[in,out] total     [N] sum of the logits so far; NULL: not wanted (no smoothing)
 * Source: Milakov, Gimelshein 2018, arXiv:1805.02867, algorithm 3 (online softmax), by tiles.
 */
void trm_xent_tile_forward(trm_real *max, trm_real *sum, trm_real *at, trm_real *total,
                           const trm_real *logits, const int32_t *targets, int64_t N, int64_t first,
                           int64_t n);
/** After the last tile: lse[N], and the loss and count as trm_softmax_xent_forward; lse may be max. */
double trm_xent_tiles_end(double *loss, trm_real *lse, const trm_real *max, const trm_real *sum,
                          const trm_real *at, const trm_real *total, const int32_t *targets,
                          const trm_xent *how, int64_t N, int64_t V);
/** dlogits[N, n] = dloss * weight * (softmax - smoothed onehot) of a tile of V columns. dlogits may be
 *  logits. */
void trm_xent_tile_backward(trm_real *dlogits, const trm_real *logits, const trm_real *lse,
                            const int32_t *targets, const trm_xent *how, trm_real dloss, int64_t N,
                            int64_t V, int64_t first, int64_t n);

/** loss = sum over rows of what the error y[N] - target costs, in double, rows in order; a target that is
 *  NaN does not count. @return number of rows that count */
double trm_number_error_forward(double *loss, const trm_real *y, const float *targets,
                                const trm_number_error *how, int64_t N);
/** dy[N] (+)= dloss times the slope of the cost, 0 where the target is NaN and at an absolute error of
 *  0. */
void trm_number_error_backward(trm_real *dy, const trm_real *y, const float *targets,
                               const trm_number_error *how, trm_real dloss, int64_t N, bool add);

/** Cross-entropy of n sigmoids, each for itself: loss = sum of softplus(x) - share x, in double, in order,
 *  shares[n] in [0, 1]. */
void trm_sigmoid_xent_forward(double *loss, const trm_real *x, const float *shares, int64_t n);
/** dx[n] (+)= dloss (sigmoid(x) - share). */
void trm_sigmoid_xent_backward(trm_real *dx, const trm_real *x, const float *shares, trm_real dloss,
                               int64_t n, bool add);

/**
 * Bayesian personalised ranking of triplets (u, p, n) of rows of e[.., C], x = e_u . e_p - e_u . e_n:
 * loss = -log sigmoid(x) + l2/2 (|z_u|^2 + |z_p|^2 + |z_n|^2).
 *
 * @param[out] loss   [n] of each triplet
 * @param[out] slope  [n] d loss / d x = -sigmoid(-x), kept for the backward pass
 * @param[in]  z      [rows of e, C] vectors that are penalised; not read when l2 is 0
 * @param[in]  users, positives, negatives  [n] rows of e and z
 * Source: Rendle et al. 2009, arXiv:1205.2618, section 4.1.
 */
void trm_bpr_forward(trm_real *loss, trm_real *slope, const trm_real *e, const trm_real *z,
                     const int32_t *users, const int32_t *positives, const int32_t *negatives,
                     int64_t n, int64_t C, trm_real l2);
/**
 * de_k (+)= dloss times the sum, over the uses of row k in rising order, of a triplet's slope times
 * e_p - e_n (user), e_u (positive) or -e_u (negative).
 * @param[in] uses  rows are those of e; columns 3 t + (0 user, 1 positive, 2 negative)
 */
void trm_bpr_backward(trm_real *de, const trm_real *e, const trm_real *slope, const trm_csr *uses,
                      const int32_t *users, const int32_t *positives, const int32_t *negatives,
                      trm_real dloss, int64_t C, bool add);
/** dz_k (+)= scale times the number of uses of row k times z_k; dz, z [uses->n_rows, C]. */
void trm_bpr_decay_backward(trm_real *dz, const trm_real *z, const trm_csr *uses, trm_real scale,
                            int64_t C, bool add);

/* ---- over flat arrays ----------------------------------------------------------------------- */

/** Sum of squares in double, in an order fixed by n. */
double trm_sum_squares(const trm_real *x, int64_t n);
/** Dot product in double, in an order fixed by n. */
double trm_dot(const trm_real *a, const trm_real *b, int64_t n);
/** The sums of squares of x's chunks of TRM_CHUNK elements (math/stripes.h), the last one shorter.
 *  Added one by one from 0 they are trm_sum_squares(x, n) to the bit. */
void trm_sum_squares_chunks(double *sums, const trm_real *x, int64_t n);
/** 64-bit hash (XXH3) of n elements: equal exactly when every bit is, up to 2^-64. */
uint64_t trm_hash_reals(const trm_real *x, int64_t n);
/** Index of the first element that is not finite, -1 if none. */
int64_t trm_find_not_finite(const trm_real *x, int64_t n);

/** One AdamW update of n elements; scalars are prepared by `optim`. No multiply-add is fused: the same
 *  bits on every instruction set. g is scaled by `scale` first. */
typedef struct trm_adamw_scalars {
  trm_real scale;      /* of the gradient: 1/count times the clipping factor */
  trm_real lr;         /* learning rate of this step */
  double beta1, beta2; /* double: 1 - beta is taken of them */
  trm_real eps;
  trm_real correction1; /* 1 - beta1^t */
  trm_real correction2; /* 1 - beta2^t */
} trm_adamw_scalars;
/** w, m, v [n] updated from g [n]: Loshchilov, Hutter 2019, arXiv:1711.05101, algorithm 2, with
 *  w -= lr * decay * w first, and the denominator sqrt(v / correction2) + eps as PyTorch has it. */
void trm_adamw_update(trm_real *w, trm_real *m, trm_real *v, const trm_real *g, trm_real decay,
                      trm_adamw_scalars s, int64_t n);
/** The same for Adam as PyTorch has it: decay w is added to the scaled gradient instead.
 *  Source: Kingma, Ba 2015, arXiv:1412.6980, algorithm 1. */
void trm_adam_update(trm_real *w, trm_real *m, trm_real *v, const trm_real *g, trm_real decay,
                     trm_adamw_scalars s, int64_t n);
/** A moving average: w += rate (scale g - w). */
void trm_average_update(trm_real *w, const trm_real *g, trm_real scale, trm_real rate, int64_t n);
/** SGD with momentum as PyTorch has it: g += decay w; u = momentum u + rest g; w -= lr (nesterov ?
 *  g + momentum u : u); `rest` is 1 without dampening. `u` may be NULL when momentum is 0. */
void trm_sgd_update(trm_real *w, trm_real *u, const trm_real *g, trm_real decay, trm_real scale,
                    trm_real lr, trm_real momentum, trm_real rest, bool nesterov, int64_t n);

#endif
