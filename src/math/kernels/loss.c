#include "isa.h"

#include "real_math.h"
#include "simd.h"
#include "team.h"

enum { EXP_BLOCK = 512 };

static trm_real sum_exp(const trm_real *x, trm_real max, int64_t n) {
  trm_real e[EXP_BLOCK];
  trm_real sum = 0;
  for (int64_t begin = 0; begin < n; begin += EXP_BLOCK) {
    const int64_t count = trm_min_i64(EXP_BLOCK, n - begin);
    for (int64_t i = 0; i < count; ++i) e[i] = trm_exp(x[begin + i] - max);
    sum += trm_sum_row(e, count);
  }
  return sum;
}

/* NaN and infinity in the row show in the result: the maximum may pass over a NaN, the sum does not. */
static trm_real log_sum_exp(const trm_real *x, int64_t n) {
  const trm_real max = trm_max_row(x, n);
  return max + trm_log(sum_exp(x, max, n));
}

int64_t trm_softmax_xent_forward(double *loss, trm_real *lse, const trm_real *logits,
                                 const int32_t *targets, int64_t N, int64_t V) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *V))
  for (int64_t r = 0; r < N; ++r) lse[r] = log_sum_exp(logits + r * V, V);
  double sum = 0;
  int64_t n_rows = 0;
  for (int64_t r = 0; r < N; ++r) {
    if (targets[r] < 0) continue;
    sum += (double)lse[r] - (double)logits[r * V + targets[r]];
    ++n_rows;
  }
  *loss = sum;
  return n_rows;
}

static void backward_row(trm_real *dx, const trm_real *x, trm_real lse, int32_t target,
                         trm_real dloss, int64_t V, bool add) {
  if (target < 0) {
    for (int64_t i = 0; !add && i < V; ++i) dx[i] = 0;
    return;
  }
  if (add) {
    for (int64_t i = 0; i < V; ++i) dx[i] = trm_fma(dx[i], dloss, trm_exp(x[i] - lse));
  } else {
    for (int64_t i = 0; i < V; ++i) dx[i] = dloss * trm_exp(x[i] - lse);
  }
  dx[target] -= dloss;
}

void trm_softmax_xent_backward(trm_real *dlogits, const trm_real *logits, const trm_real *lse,
                               const int32_t *targets, trm_real dloss, int64_t N, int64_t V,
                               bool add) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *V))
  for (int64_t r = 0; r < N; ++r) {
    backward_row(dlogits + r * V, logits + r * V, lse[r], targets[r], dloss, V, add);
  }
}

/* ---- by tiles of columns ---------------------------------------------------------------------- */

void trm_xent_tile_forward(trm_real *max, trm_real *sum, trm_real *at, const trm_real *logits,
                           const int32_t *targets, int64_t N, int64_t first, int64_t n) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *n))
  for (int64_t r = 0; r < N; ++r) {
    const trm_real *row = logits + r * n;
    const trm_real here = trm_max_row(row, n);
    const int64_t target = targets[r] - first;
    if (first == 0) {
      max[r] = here;
      sum[r] = 0;
    } else if (here > max[r]) {
      sum[r] *= trm_exp(max[r] - here);
      max[r] = here;
    }
    /* As long as all are -inf they add 0, but a NaN that the maximum passed over shows. */
    sum[r] += sum_exp(row, max[r] == (trm_real)-INFINITY ? 0 : max[r], n);
    if (target >= 0 && target < n) at[r] = row[target];
  }
}

int64_t trm_xent_tiles_end(double *loss, trm_real *lse, const trm_real *max, const trm_real *sum,
                           const trm_real *at, const int32_t *targets, int64_t N) {
  double total = 0;
  int64_t n_rows = 0;
  for (int64_t r = 0; r < N; ++r) {
    lse[r] = max[r] + trm_log(sum[r]);
    if (targets[r] < 0) continue;
    total += (double)lse[r] - (double)at[r];
    ++n_rows;
  }
  *loss = total;
  return n_rows;
}

void trm_xent_tile_backward(trm_real *dlogits, const trm_real *logits, const trm_real *lse,
                            const int32_t *targets, trm_real dloss, int64_t N, int64_t first,
                            int64_t n) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *n))
  for (int64_t r = 0; r < N; ++r) {
    trm_real *to = dlogits + r * n;
    const trm_real *row = logits + r * n;
    const int64_t target = targets[r] - first;
    /* A row that does not count is written as zeros, not as 0 times what may be infinite. */
    if (targets[r] < 0) {
      for (int64_t i = 0; i < n; ++i) to[i] = 0;
      continue;
    }
    for (int64_t i = 0; i < n; ++i) to[i] = dloss * trm_exp(row[i] - lse[r]);
    if (target >= 0 && target < n) to[target] -= dloss;
  }
}
