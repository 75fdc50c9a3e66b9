/** Bayesian personalised ranking: every triplet's loss, and gradients pulled by the rows it uses. */
#include "isa.h"

#include <math.h>
#include <string.h>

#include "csr_rows.h"
#include "real_math.h"
#include "row_dot.h"

/* log(1 + x), all digits near 0. */
static trm_real log_one_plus(trm_real x) {
#if TRM_REAL_IS_DOUBLE
  return log1p(x);
#else
  return log1pf(x);
#endif
}

/* -log sigmoid(x) = max(-x, 0) + log(1 + e^-|x|): no exponential overflows. NaN stays NaN. */
static trm_real loss_of(trm_real x) {
  const trm_real positive = x > 0 ? x : -x;
  return (x > 0 ? 0 : -x) + log_one_plus(trm_exp(-positive));
}

/* -sigmoid(-x). */
static trm_real slope_of(trm_real x) {
  const trm_real e = trm_exp(x > 0 ? -x : x);
  return x > 0 ? -e / (1 + e) : -1 / (1 + e);
}

void trm_bpr_forward(trm_real *loss, trm_real *slope, const trm_real *e, const trm_real *z,
                     const int32_t *users, const int32_t *positives, const int32_t *negatives,
                     int64_t n, int64_t C, trm_real l2) {
#pragma omp parallel for schedule(static) num_threads(trm_team(n, 8 * n * C))
  for (int64_t t = 0; t < n; ++t) {
    const int64_t u = users[t] * C, p = positives[t] * C, q = negatives[t] * C;
    const trm_real x = trm_dot_row(e + u, e + p, C) - trm_dot_row(e + u, e + q, C);
    loss[t] = loss_of(x);
    slope[t] = slope_of(x);
    if (l2 > 0) {
      const trm_real squares = trm_dot_row(z + u, z + u, C) + trm_dot_row(z + p, z + p, C) +
                               trm_dot_row(z + q, z + q, C);
      loss[t] = trm_fma(loss[t], l2 / 2, squares);
    }
  }
}

/* to += what use `use` of the row gives: slope times the other rows of the triplet. */
static void add_use(trm_real *to, const trm_real *e, const trm_real *slope, int32_t use,
                    const int32_t *users, const int32_t *positives, const int32_t *negatives,
                    trm_real dloss, int64_t C) {
  const int64_t t = use / 3;
  const trm_real g = dloss * slope[t];
  const trm_real *u = e + users[t] * C, *p = e + positives[t] * C, *q = e + negatives[t] * C;
  switch (use % 3) {
  case 0:
    for (int64_t c = 0; c < C; ++c) to[c] = trm_fma(to[c], g, p[c] - q[c]);
    break;
  case 1:
    for (int64_t c = 0; c < C; ++c) to[c] = trm_fma(to[c], g, u[c]);
    break;
  default:
    for (int64_t c = 0; c < C; ++c) to[c] = trm_fma(to[c], -g, u[c]);
  }
}

void trm_bpr_backward(trm_real *de, const trm_real *e, const trm_real *slope, const trm_csr *uses,
                      const int32_t *users, const int32_t *positives, const int32_t *negatives,
                      trm_real dloss, int64_t C, bool add) {
  TRM_FOR_CSR_CHUNKS(uses->offsets, uses->n_rows, 4 * C, begin, end, {
    for (int64_t k = begin; k < end; ++k) {
      trm_real *to = de + k * C;
      if (!add) memset(to, 0, (size_t)C * sizeof *to);
      for (int64_t i = uses->offsets[k]; i < uses->offsets[k + 1]; ++i) {
        add_use(to, e, slope, uses->columns[i], users, positives, negatives, dloss, C);
      }
    }
  });
}

void trm_bpr_decay_backward(trm_real *dz, const trm_real *z, const trm_csr *uses, trm_real scale,
                            int64_t C, bool add) {
#pragma omp parallel for schedule(static) num_threads(trm_team(uses->n_rows, uses->n_rows *C))
  for (int64_t k = 0; k < uses->n_rows; ++k) {
    const trm_real g = scale * (trm_real)(uses->offsets[k + 1] - uses->offsets[k]);
    for (int64_t c = 0; c < C; ++c) {
      dz[k * C + c] = add ? trm_fma(dz[k * C + c], g, z[k * C + c]) : g * z[k * C + c];
    }
  }
}
