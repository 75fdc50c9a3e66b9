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

static trm_real mean_row(const trm_real *x, int64_t n) {
  return trm_sum_row(x, n) / (trm_real)n;
}

static double weight_of(const trm_xent *how, int64_t row, int32_t target) {
  double weight = how->weights ? (double)how->weights[target] : 1;
  if (how->shares) weight *= how->rest ? 1 - (double)how->shares[row] : (double)how->shares[row];
  return weight;
}

static bool is_weighted(const trm_xent *how) {
  return how->weights || how->shares;
}

/* The loss of a row from its log-sum-exp, the target's logit and the mean logit. */
static double row_loss(const trm_xent *how, int64_t row, int32_t target, trm_real lse, trm_real at,
                       trm_real mean) {
  double loss = (double)lse - (double)at;
  if (how->smoothing > 0) loss += how->smoothing * ((double)at - (double)mean);
  return is_weighted(how) ? weight_of(how, row, target) * loss : loss;
}

double trm_softmax_xent_forward(double *loss, trm_real *lse, trm_real *mean, const trm_real *logits,
                                const int32_t *targets, const trm_xent *how, int64_t N, int64_t V) {
  const bool smooth = how->smoothing > 0;
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *V))
  for (int64_t r = 0; r < N; ++r) {
    lse[r] = log_sum_exp(logits + r * V, V);
    if (smooth) mean[r] = mean_row(logits + r * V, V);
  }
  double sum = 0, count = 0;
  for (int64_t r = 0; r < N; ++r) {
    if (targets[r] < 0) continue;
    sum += row_loss(how, r, targets[r], lse[r], logits[r * V + targets[r]], smooth ? mean[r] : 0);
    count += weight_of(how, r, targets[r]);
  }
  *loss = sum;
  return count;
}

/* What a row's gradient is made of: scale (softmax - share - (1 - smoothing) onehot). */
typedef struct row_slope {
  trm_real scale, share, target;
} row_slope;

static row_slope slope_of(const trm_xent *how, double weight, trm_real dloss, int64_t V) {
  const double scale = (double)dloss * weight;
  return (row_slope){.scale = (trm_real)scale,
                     .share = (trm_real)(how->smoothing / (double)V),
                     .target = (trm_real)(scale * (1 - how->smoothing))};
}

static void backward_row(trm_real *dx, const trm_real *x, trm_real lse, int32_t target, row_slope s,
                         int64_t V, bool add) {
  const trm_real scale = s.scale, share = s.share;
  if (add) {
    for (int64_t i = 0; i < V; ++i) dx[i] = trm_fma(dx[i], scale, trm_exp(x[i] - lse) - share);
  } else {
    for (int64_t i = 0; i < V; ++i) dx[i] = scale * (trm_exp(x[i] - lse) - share);
  }
  dx[target] -= s.target;
}

void trm_softmax_xent_backward(trm_real *dlogits, const trm_real *logits, const trm_real *lse,
                               const int32_t *targets, const trm_xent *how, trm_real dloss,
                               int64_t N, int64_t V, bool add) {
  const row_slope plain = slope_of(how, 1, dloss, V);
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *V))
  for (int64_t r = 0; r < N; ++r) {
    trm_real *dx = dlogits + r * V;
    if (targets[r] < 0) {
      for (int64_t i = 0; !add && i < V; ++i) dx[i] = 0;
      continue;
    }
    const row_slope s =
        is_weighted(how) ? slope_of(how, weight_of(how, r, targets[r]), dloss, V) : plain;
    backward_row(dx, logits + r * V, lse[r], targets[r], s, V, add);
  }
}

/* ---- divergence ------------------------------------------------------------------------------- */

enum { LSE_A, LSE_B, DIVERGENCE, N_KEPT };

/* What class i adds to the divergence: p (log p - log q). A class that has no share adds nothing. */
static trm_real kl_term(const trm_real *a, const trm_real *b, const trm_real *kept, int64_t i) {
  const trm_real log_p = a[i] - kept[LSE_A], log_q = b[i] - kept[LSE_B];
  const trm_real p = trm_exp(log_p);
  return p > 0 ? p * (log_p - log_q) : p;
}

void trm_softmax_kl_forward(double *loss, trm_real *kept, const trm_real *a, const trm_real *b,
                            const int32_t *targets, int64_t N, int64_t V) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *V))
  for (int64_t r = 0; r < N; ++r) {
    const trm_real *ra = a + r * V, *rb = b + r * V;
    trm_real *k = kept + r * N_KEPT;
    k[LSE_A] = log_sum_exp(ra, V);
    k[LSE_B] = log_sum_exp(rb, V);
    double sum = 0; /* in order */
    for (int64_t i = 0; i < V; ++i) sum += (double)kl_term(ra, rb, k, i);
    k[DIVERGENCE] = (trm_real)sum;
  }
  double sum = 0;
  for (int64_t r = 0; r < N; ++r) {
    if (!targets || targets[r] >= 0) sum += (double)kept[r * N_KEPT + DIVERGENCE];
  }
  *loss = sum;
}

static void put(trm_real *to, trm_real value, bool add) {
  *to = add ? *to + value : value;
}

static void kl_backward_row(trm_real *da, trm_real *db, const trm_real *a, const trm_real *b,
                            const trm_real *k, trm_real dloss, int64_t V, bool add_da,
                            bool add_db) {
  for (int64_t i = 0; i < V; ++i) {
    const trm_real log_p = a[i] - k[LSE_A], log_q = b[i] - k[LSE_B];
    const trm_real p = trm_exp(log_p);
    const trm_real slope = p > 0 ? p * (log_p - log_q - k[DIVERGENCE]) : p;
    if (da) put(da + i, dloss * slope, add_da);
    if (db) put(db + i, dloss * (trm_exp(log_q) - p), add_db);
  }
}

void trm_softmax_kl_backward(trm_real *da, trm_real *db, const trm_real *a, const trm_real *b,
                             const trm_real *kept, const int32_t *targets, trm_real dloss,
                             int64_t N, int64_t V, bool add_da, bool add_db) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *V))
  for (int64_t r = 0; r < N; ++r) {
    trm_real *ra = da ? da + r * V : NULL, *rb = db ? db + r * V : NULL;
    if (!targets || targets[r] >= 0) {
      kl_backward_row(ra, rb, a + r * V, b + r * V, kept + r * N_KEPT, dloss, V, add_da, add_db);
      continue;
    }
    for (int64_t i = 0; ra && !add_da && i < V; ++i) ra[i] = 0;
    for (int64_t i = 0; rb && !add_db && i < V; ++i) rb[i] = 0;
  }
}

/* ---- by tiles of columns ---------------------------------------------------------------------- */

void trm_xent_tile_forward(trm_real *max, trm_real *sum, trm_real *at, trm_real *total,
                           const trm_real *logits, const int32_t *targets, int64_t N, int64_t first,
                           int64_t n) {
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
    if (total) total[r] = first == 0 ? trm_sum_row(row, n) : total[r] + trm_sum_row(row, n);
    if (target >= 0 && target < n) at[r] = row[target];
  }
}

double trm_xent_tiles_end(double *loss, trm_real *lse, const trm_real *max, const trm_real *sum,
                          const trm_real *at, const trm_real *total, const int32_t *targets,
                          const trm_xent *how, int64_t N, int64_t V) {
  const bool smooth = how->smoothing > 0;
  double all = 0, count = 0;
  for (int64_t r = 0; r < N; ++r) {
    lse[r] = max[r] + trm_log(sum[r]);
    if (targets[r] < 0) continue;
    all += row_loss(how, r, targets[r], lse[r], at[r], smooth ? total[r] / (trm_real)V : 0);
    count += weight_of(how, r, targets[r]);
  }
  *loss = all;
  return count;
}

void trm_xent_tile_backward(trm_real *dlogits, const trm_real *logits, const trm_real *lse,
                            const int32_t *targets, const trm_xent *how, trm_real dloss, int64_t N,
                            int64_t V, int64_t first, int64_t n) {
  const row_slope plain = slope_of(how, 1, dloss, V);
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
    const row_slope s =
        is_weighted(how) ? slope_of(how, weight_of(how, r, targets[r]), dloss, V) : plain;
    for (int64_t i = 0; i < n; ++i) to[i] = s.scale * (trm_exp(row[i] - lse[r]) - s.share);
    if (target >= 0 && target < n) to[target] -= s.target;
  }
}

/* ---- numbers ---------------------------------------------------------------------------------- */

static double error_cost(const trm_number_error *how, double error) {
  const double size = fabs(error);
  if (how->kind == TRM_ERROR_SQUARED) return error * error;
  if (how->kind == TRM_ERROR_ABSOLUTE) return size;
  return size <= how->delta ? error * error / 2 : how->delta * (size - how->delta / 2);
}

static trm_real error_slope(const trm_number_error *how, trm_real error) {
  const trm_real delta = (trm_real)how->delta;
  if (how->kind == TRM_ERROR_SQUARED) return 2 * error;
  if (how->kind == TRM_ERROR_HUBER && !(error > delta || error < -delta)) return error;
  const trm_real size = how->kind == TRM_ERROR_HUBER ? delta : 1;
  if (error > 0) return size;
  return error < 0 ? -size : error; /* NaN stays one */
}

double trm_number_error_forward(double *loss, const trm_real *y, const float *targets,
                                const trm_number_error *how, int64_t N) {
  double sum = 0;
  int64_t count = 0;
  for (int64_t r = 0; r < N; ++r) {
    if (isnan(targets[r])) continue;
    sum += error_cost(how, (double)y[r] - (double)targets[r]);
    ++count;
  }
  *loss = sum;
  return (double)count;
}

void trm_number_error_backward(trm_real *dy, const trm_real *y, const float *targets,
                               const trm_number_error *how, trm_real dloss, int64_t N, bool add) {
  for (int64_t r = 0; r < N; ++r) {
    const trm_real slope =
        isnan(targets[r]) ? 0 : dloss * error_slope(how, y[r] - (trm_real)targets[r]);
    dy[r] = add ? dy[r] + slope : slope;
  }
}

/* ---- sigmoids --------------------------------------------------------------------------------- */

void trm_sigmoid_xent_forward(double *loss, const trm_real *x, const float *shares, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double at = (double)x[i], softplus = (at > 0 ? at : 0) + log1p(exp(-fabs(at)));
    sum += isnan(at) ? at : softplus - at * (double)shares[i];
  }
  *loss = sum;
}

void trm_sigmoid_xent_backward(trm_real *dx, const trm_real *x, const float *shares, trm_real dloss,
                               int64_t n, bool add) {
#pragma omp parallel for schedule(static) num_threads(trm_team(n, n))
  for (int64_t i = 0; i < n; ++i) {
    const trm_real slope = dloss * (1 / (1 + trm_exp(-x[i])) - (trm_real)shares[i]);
    dx[i] = add ? dx[i] + slope : slope;
  }
}
