/**
 * Operators on the tape. Each is one file in src/nn with its forward, backward, shape rule and
 * sampler of small random cases; src/nn/op_list.h has one line for each, which the gradient check
 * walks. Shapes that do not fit set the tape's status with a message that names the operator.
 */
#ifndef TRIREME_NN_OPS_H
#define TRIREME_NN_OPS_H

#include "trireme/nn/tape.h"

/** y[N, out] = x[N, in] w[out, in]^T + b[out]; b may be NULL. Leading axes of x are rows. */
trm_var *trm_op_linear(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b);
/** y = a + b, equal shapes. */
trm_var *trm_op_add(trm_tape *tape, trm_var *a, trm_var *b);
/** y = gelu(x) (tanh form) and y = max(x, 0). */
trm_var *trm_op_gelu(trm_tape *tape, trm_var *x);
trm_var *trm_op_relu(trm_tape *tape, trm_var *x);
/** y[N, C] = layer normalisation of x over the last axis; b may be NULL; eps = 1e-5. */
trm_var *trm_op_layernorm(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b);
/** y[n, C] = rows `ids` of w[V, C]; ids[n] is borrowed for the pass. */
trm_var *trm_op_embedding(trm_tape *tape, trm_var *w, const int32_t *ids, int64_t n);
/** y[N*T, C] = x + the first T rows of the table p[max T, C]; N sequences one after another.
 *  p is a parameter (learned) or an input (sinusoidal). */
trm_var *trm_op_position(trm_tape *tape, trm_var *x, trm_var *p, int64_t T);
/** out[N*T, C] = causal attention of qkv[N*T, 3C] with H heads over sequences of T. */
trm_var *trm_op_attention(trm_tape *tape, trm_var *qkv, int64_t T, int64_t H);
/**
 * y = dropout(x, p) when training, x itself otherwise or when p = 0. Rows of x belong to samples,
 * `rows` of them each; masks are keyed by (seed, step, sample, place in the sample, call number in
 * this pass).
 */
trm_var *trm_op_dropout(trm_tape *tape, trm_var *x, double p, int64_t rows);
/** Scalar: summed cross-entropy of logits[N, V] against targets[N] (-1: not counted; borrowed). */
trm_var *trm_op_softmax_xent(trm_tape *tape, trm_var *logits, const int32_t *targets);

#endif
