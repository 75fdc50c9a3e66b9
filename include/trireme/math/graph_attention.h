/**
 * Graph attention: every target weighs its neighbours by a softmax of its own. The rules are those of
 * trireme/math/kernels.h; a row of a result is always made by one thread, its terms added in index
 * order.
 */
#ifndef TRIREME_MATH_GRAPH_ATTENTION_H
#define TRIREME_MATH_GRAPH_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/batch.h"
#include "trireme/core/random.h"
#include "trireme/math/real.h"

/** H heads of C elements each. */
typedef struct trm_gat {
  const trm_hop *hop;
  int64_t H, C;
  bool self;      /* a target is its own neighbour too, before its edges */
  trm_real slope; /* of LeakyReLU below 0; >= 0 */
  double dropout; /* of weights, by the counter (sample = target id, position = source id
                     ceil(H / 8) + head / 8) and there the 16 bits of number head % 8 */
  trm_random_key key;
} trm_gat;

/**
 * out_i = sum over self (first) and edges (j -> i), per head, of p_ij mask_ij h_j, where p_i is the
 * softmax of LeakyReLU(target_i + source_j) over the same j. 0 without any. Nothing is kept per edge.
 *
 * @param[out] out     [hop->in.n_rows, H C]
 * @param[out] lse     [hop->in.n_rows, H] log-sum-exp of the scores, for the backward pass
 * @param[out] kept    [hop->in.n_rows, H C + H] A_i = sum of p_ij mask_ij g_ij h_j and, after it,
 *                     B_i = sum of p_ij g_ij, g the slope of LeakyReLU; NULL without backward pass
 * @param[in]  h       [hop->in.n_columns, H C] with rows `h_stride` apart
 * @param[in]  source  [hop->in.n_columns, H] with rows `source_stride` apart
 * @param[in]  target  [hop->in.n_rows, H]
 *
 * Cost: for each edge a row of h, two of source, H exponentials, and ceil(H / 8) calls of the
 * generator with dropout.
 * Source: Velickovic et al. 2018, arXiv:1710.10903, equations 3 to 6.
 */
void trm_gat_forward(trm_real *out, trm_real *lse, trm_real *kept, const trm_real *h,
                     int64_t h_stride, const trm_real *source, int64_t source_stride,
                     const trm_real *target, const trm_gat *gat);

/**
 * The backward pass, first half: D_i = dout_i . out_i per head, and what the target's score gets,
 * dtarget_i (+)= sum over j of p_ij g_ij (mask_ij dout_i . h_j - D_i) = dout_i . A_i - D_i B_i, which
 * needs no edge.
 *
 * @param[out] dtarget  [hop->in.n_rows, H]; NULL: not wanted
 * @param[out] D        [hop->in.n_rows, H] with rows `D_stride` apart
 */
void trm_gat_backward_targets(trm_real *dtarget, trm_real *D, int64_t D_stride,
                              const trm_real *dout, const trm_real *out, const trm_real *kept,
                              const trm_gat *gat, bool add);

/** What sources need of their targets: [hop->out.n_columns, ..], rows of each a stride apart. */
typedef struct trm_gat_targets {
  const trm_real *dout, *target, *lse, *D;
  int64_t dout_stride, stride; /* of dout; of the others */
} trm_gat_targets;

/**
 * The second half: every source pulls from its targets, by the transpose hop->out, with weights made
 * again from lse. dh_j (+)= sum over i of p_ij mask_ij dout_i and
 * dsource_j (+)= h_j . sum of p_ij g_ij mask_ij dout_i - sum of p_ij g_ij D_i.
 *
 * @param[out] dh       [hop->out.n_rows, H C]; NULL: not wanted
 * @param[out] dsource  [hop->out.n_rows, H]; NULL: not wanted
 * @param[in]  h, source  [hop->out.n_rows, ..] of own sources, rows a stride apart
 */
void trm_gat_backward_sources(trm_real *dh, trm_real *dsource, const trm_real *h, int64_t h_stride,
                              const trm_real *source, int64_t source_stride,
                              const trm_gat_targets *targets, const trm_gat *gat, bool add_dh,
                              bool add_dsource);

#endif
