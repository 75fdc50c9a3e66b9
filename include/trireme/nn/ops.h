/**
 * Operators on the tape. Each is one file below src/nn with its forward, backward, shape rule and
 * sampler of small random cases; src/nn/op_list.h has one line for each, which the gradient check
 * walks. Shapes that do not fit set the tape's status with a message that names the operator.
 */
#ifndef TRIREME_NN_OPS_H
#define TRIREME_NN_OPS_H

#include "trireme/core/batch.h"
#include "trireme/math/choice.h"
#include "trireme/math/xent.h"
#include "trireme/nn/graph.h"
#include "trireme/nn/tape.h"

/** y[N, out] = x[N, in] w[out, in]^T + b[out]; b may be NULL. Leading axes of x are rows. */
trm_var *trm_op_linear(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b);
/** y[N, C] = x + b[C] on every row. */
trm_var *trm_op_bias(trm_tape *tape, trm_var *x, trm_var *b);
/** y = a + b, equal shapes. */
trm_var *trm_op_add(trm_tape *tape, trm_var *a, trm_var *b);
/** y = gelu(x) (tanh form) and y = max(x, 0). */
trm_var *trm_op_gelu(trm_tape *tape, trm_var *x);
trm_var *trm_op_relu(trm_tape *tape, trm_var *x);
/** y[N, C] = layer normalisation of x over the last axis; b may be NULL; eps = 1e-5. */
trm_var *trm_op_layernorm(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b);
/** y[n, C] = rows `ids` of w[V, C]; ids[n] is borrowed for the pass. */
trm_var *trm_op_embedding(trm_tape *tape, trm_var *w, const int32_t *ids, int64_t n);

/* Sequences are the rows of x, or of what is said; a sequence's result depends on its own rows alone. The
 * struct is copied, its offsets are borrowed for the pass. Random numbers are keyed by (seed, step,
 * sample0 + the sequence's number, the place in it, call number in this pass). In a pass over several blocks
 * (trm_pass.sequence_blocks) dropout is keyed by the ids of rows, positions are an input, and attention and
 * paths have no dropout. */

/** y[R, C] = scale x + p[place of the row in its sequence]; the table p[at least the longest, C] is a
 *  parameter (learned) or an input (sinusoidal). */
trm_var *trm_op_position(trm_tape *tape, trm_var *x, trm_var *p, const trm_sequences *s,
                         double scale);
/** out[R, C] = attention of qkv[R, 3C] with H heads within each sequence; causal: to itself and what is
 *  before. Dropout acts on the probabilities, when training. */
trm_var *trm_op_attention(trm_tape *tape, trm_var *qkv, const trm_sequences *s, int64_t H,
                          bool causal, double dropout);
/** out[Rq, C] = attention of queries q[Rq, C] to kv[Rk, 2C], all keys of the sequence with the same
 *  number; 0 where it has none. */
trm_var *trm_op_cross_attention(trm_tape *tape, trm_var *q, trm_var *kv,
                                const trm_sequences *queries, const trm_sequences *keys, int64_t H,
                                double dropout);
/** Keys and values that stay from pass to pass. Copied, its arrays are borrowed for the pass. */
typedef struct trm_kept {
  trm_real *rows;            /* [.., 2C] a key and a value each; NULL in a dry pass */
  const int32_t *append;     /* [rows of x] where this pass's go; NULL: none are added, which a dry
                                pass, that does not read it, must be told too */
  const trm_sequences *keys; /* of each sequence of queries, what this pass appends included */
  const int32_t *key_rows;   /* [keys->n_rows] their places in `rows`; NULL: in their order */
} trm_kept;
/** out[R, C] = attention of queries to kept keys; x is [R, 3C], whose keys and values are appended
 *  first, or, without `append`, queries [R, C]. Causal: the last query stands beside the last key. The
 *  bits are those of the whole sequence in one pass. No gradient, no dropout. */
trm_var *trm_op_kept_attention(trm_tape *tape, trm_var *x, const trm_sequences *queries,
                               const trm_kept *kept, int64_t H, bool causal);
/** y = dropout(x, p) when training, x itself otherwise or when p = 0. */
trm_var *trm_op_dropout(trm_tape *tape, trm_var *x, double p, const trm_sequences *s);
/** The same by whole sequences, which are samples: stochastic depth, at the end of a residual's part. */
trm_var *trm_op_drop_path(trm_tape *tape, trm_var *x, double p, const trm_sequences *s);

/* Losses: scalars, summed over rows. Smoothing and weights act in training passes only; evaluation is
 * plain. `how` is copied (its weights are borrowed), NULL: plain. */

/** Cross-entropy of logits[N, V] against targets[N] (-1: not counted; borrowed). */
trm_var *trm_op_softmax_xent(trm_tape *tape, trm_var *logits, const int32_t *targets,
                             const trm_xent *how);
/** The same of logits x[N, C] w[V, C]^T, which are never all there: by tiles of the vocabulary. */
trm_var *trm_op_linear_xent(trm_tape *tape, trm_var *x, trm_var *w, const int32_t *targets,
                            const trm_xent *how);
/** y[N, 1 + 2K]: log-sum-exp of the logits x[N, C] w[V, C]^T of each row, the K greatest, the greatest
 *  first, of equals the lower column, and their columns as numbers (V below 2^24). The logits are never
 *  all there. No gradient. */
trm_var *trm_op_linear_top_k(trm_tape *tape, trm_var *x, trm_var *w, int64_t K);
/** Errors of y[N, 1] against targets[N] (NaN: not counted; borrowed). `how` is copied, NULL: squared. */
trm_var *trm_op_number_error(trm_tape *tape, trm_var *y, const float *targets,
                             const trm_number_error *how);
/** Cross-entropy of the sigmoids of logits[N, V], each a class for itself, against shares[N, V] in [0, 1]
 *  (borrowed); all N V of them count. */
trm_var *trm_op_sigmoid_xent(trm_tape *tape, trm_var *logits, const float *shares);

/** scale times the divergence KL(softmax(a) || softmax(b)) of logits a[N, V] and b[N, V], summed over the
 *  rows whose target is >= 0 (targets[N] is borrowed; NULL: all). It adds to the sum of losses and not to
 *  its count. Source: Zhang et al. 2019, arXiv:1901.08573, equation 5 (TRADES). */
trm_var *trm_op_softmax_kl(trm_tape *tape, trm_var *a, trm_var *b, const int32_t *targets,
                           double scale);

/* ---- images --------------------------------------------------------------------------------- */
/* Images are x[N, height, width, channels]: channels last. Sizes of outputs are rounded down. */

/** x[n, dims] of the numbers of a batch: as they are, a copy. No gradient. */
trm_var *trm_op_values(trm_tape *tape, const trm_values *values, int64_t n);
/** y = x scale[C] + shift[C] by channel or column; both borrowed, NULL: y is x. */
trm_var *trm_op_channel_scale(trm_tape *tape, trm_var *x, const float *scale, const float *shift);
/** y = x + the nudge of the pass (trm_pass), where it has one; else x itself. To be called once each time a
 *  model is run, on what attacks may change: raw values, vectors of tokens, features of nodes. */
trm_var *trm_op_nudge(trm_tape *tape, trm_var *x);

/** How a window of height x width moves over an image. */
typedef struct trm_window {
  int64_t height, width;
  int64_t stride;  /* >= 1, both ways */
  int64_t padding; /* on each side, of zeros (maximum: of nothing); less than the window */
} trm_window;
/** y[N, H', W', O] = convolution (cross-correlation) of x[N, H, W, C] with w[height * width * C / groups, O]:
 *  rows in the order (row, column, channel); the window says height and width. H' = (H + 2 padding - height)
 *  / stride + 1. With groups, output channels [g O / groups, (g + 1) O / groups) see input channels
 *  [g C / groups, (g + 1) C / groups) alone. Bias: trm_op_bias, or batch normalisation. */
trm_var *trm_op_conv2d(trm_tape *tape, trm_var *x, trm_var *w, trm_window window, int64_t groups);
/** The maximum (the first of equals gets the gradient) or the mean, over as many as there are, of each
 *  window. TRM_POOL_MAX, TRM_POOL_MEAN. */
trm_var *trm_op_pool2d(trm_tape *tape, trm_var *x, trm_window window, trm_pool pool);
/** y[N, C]: the mean, sum or maximum over all places of x[N, H, W, C]. */
trm_var *trm_op_global_pool(trm_tape *tape, trm_var *x, trm_pool pool);
/** The same elements with other axes: y[dims], at most 4; the product stays. */
trm_var *trm_op_reshape(trm_tape *tape, trm_var *x, int n_dims, const int64_t *dims);

/* ---- graphs --------------------------------------------------------------------------------- */
/* Hops, features and index arrays are borrowed for the pass. Where nothing else is said, a variable
 * that enters a hop has a row for each own source, one that leaves it for each own target. */

/** y[n, F] = the rows of dense features, with dropout keyed by node id. No gradient. */
trm_var *trm_op_features(trm_tape *tape, const trm_features *x, double dropout);
/** y[n, out] = X w^T + b for sparse features X[n, in], w[out, in], b[out] or NULL.
 *  Dropout acts on the stored values, keyed by (node id, feature). No gradient for X. */
trm_var *trm_op_sparse_linear(trm_tape *tape, const trm_features *x, trm_var *w, trm_var *b,
                              double dropout);
/** y_i = sum over edges (j -> i), and j = i first when `self`, of norm * weight * x_j. */
trm_var *trm_op_spmm(trm_tape *tape, trm_var *x, const trm_hop *hop, trm_edge_norm norm, bool self);
/** y_i = element-wise maximum of x_j over edges (j -> i), and j = i when `self`; 0 without any. The
 *  first of equals gets the gradient. */
trm_var *trm_op_neighbor_max(trm_tape *tape, trm_var *x, const trm_hop *hop, bool self);
/** Rows of the targets' own nodes: y_i = x_self(i). */
trm_var *trm_op_own_rows(trm_tape *tape, trm_var *x, const trm_hop *hop);
/** s[N, H] = dot products of each head's part of x[N, H*C] with a[H, C]. */
trm_var *trm_op_head_dot(trm_tape *tape, trm_var *x, trm_var *a);
/** Graph attention: softmax over a target's edges (and itself when `self`) of LeakyReLU(target_i +
 *  source_j), weights of h_j[H*C]; source[.., H], target[.., H]. Dropout of weights is keyed by
 *  (target id, source id, head). Source: Velickovic et al. 2018, arXiv:1710.10903, equations 3-6. */
trm_var *trm_op_graph_attention(trm_tape *tape, trm_var *h, trm_var *source, trm_var *target,
                                const trm_hop *hop, bool self, double slope, double dropout);
/** y[N, C] = mean over the H heads of x[N, H*C]. */
trm_var *trm_op_head_mean(trm_tape *tape, trm_var *x, int64_t H);
/** y[n, C] = rows ids[n] of x (gather), and y[n_rows, C]: y_ids[i] += x_i in order of i (scatter). */
trm_var *trm_op_gather_rows(trm_tape *tape, trm_var *x, const int32_t *ids, int64_t n);
trm_var *trm_op_scatter_rows(trm_tape *tape, trm_var *x, const int32_t *ids, int64_t n_rows);
/** y[n, C]: pool of the rows [offsets[s], offsets[s+1]) of x; 0 for an empty segment. */
trm_var *trm_op_segment_pool(trm_tape *tape, trm_var *x, const int64_t *offsets, int64_t n,
                             trm_pool pool);
/**
 * Batch normalisation over rows: in training by the statistics of each block of the pass, otherwise
 * by the running ones. mean[C] and variance[C] are buffers (nn/params.h): their "gradient" is the
 * block's statistics times the block's weight (trm_pass), from which the optimizer makes the moving
 * average. eps = 1e-5. Source: Ioffe, Szegedy 2015, arXiv:1502.03167, algorithm 1.
 */
trm_var *trm_op_batchnorm(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b, trm_var *mean,
                          trm_var *variance);
/** The same with y = max(y, 0): one pass over memory for both. */
trm_var *trm_op_batchnorm_relu(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b, trm_var *mean,
                               trm_var *variance);
/** y = w[C] x + b[C] by column. */
trm_var *trm_op_scale_shift(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b);
/** y = x > 0 ? x : exp(x) - 1. */
trm_var *trm_op_elu(trm_tape *tape, trm_var *x);
/** y = alpha a + beta b; y = max(a, b), the first of equals gets the gradient; y = [a | b]. */
trm_var *trm_op_combine(trm_tape *tape, trm_var *a, double alpha, trm_var *b, double beta);
trm_var *trm_op_maximum(trm_tape *tape, trm_var *a, trm_var *b);
trm_var *trm_op_concat(trm_tape *tape, trm_var *a, trm_var *b);
/** y = (1 + eps[1]) x + a. Source: Xu et al. 2019, arXiv:1810.00826, equation 4.1. */
trm_var *trm_op_gin_combine(trm_tape *tape, trm_var *x, trm_var *a, trm_var *eps);
/** Dropout keyed by node: row r has the counter (ids[r], column). */
trm_var *trm_op_dropout_rows(trm_tape *tape, trm_var *x, double p, const int32_t *ids);
/** y[n, C] = rows ids[n], each once, of the parameter w: those of this process. */
trm_var *trm_op_param_rows(trm_tape *tape, trm_var *w, const int32_t *ids, int64_t n);
/** y[n, C] = rows of a collection, on every process the same. */
trm_var *trm_op_collect(trm_tape *tape, trm_var *x, const trm_collection *collection);
/** Rows of spmm(x, TRM_EDGE_NORM_SYMMETRIC) for the nodes of a collection, on every process the same:
 *  y[n, C]. The hop's targets are the collection's nodes: own ones in rows of `in`, all in columns of
 *  `out`. */
trm_var *trm_op_collect_spmm(trm_tape *tape, trm_var *x, const trm_hop *hop,
                             const trm_collection *collection);
/**
 * Scalar: summed Bayesian personalised ranking loss -log sigmoid(e_u . e_p - e_u . e_n) of the
 * pass's triplets, plus l2/2 (|z_u|^2 + |z_p|^2 + |z_n|^2); e[n, C] and z[n, C] are collections.
 * Source: Rendle et al. 2009, arXiv:1205.2618; He et al. 2020, arXiv:2002.02126, equation 15.
 */
trm_var *trm_op_bpr(trm_tape *tape, trm_var *e, trm_var *z, const trm_triplets *triplets,
                    double l2);
/**
 * Scalar: summed loss of customers who choose among products (math/choice.h), each product that a
 * customer buys n of counting n^-balance. x[customers + products, C + 1 + habits] is a collection whose
 * rows are [vector | bias | weights of habits]; the weights of products are not read. The count is the sum
 * of what counts; of TRM_CHOICE_EACH, that of customers.
 */
trm_var *trm_op_choice(trm_tape *tape, trm_var *x, const trm_choices *choices, trm_choice_loss kind,
                       double balance);

#endif
