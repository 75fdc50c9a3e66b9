/* Batch normalisation: statistics, both directions, scale and shift, against plain loops. */
#include "kernel_check.h"

typedef struct norm_case {
  trm_real *x, *dy, *mean, *rstd, *w, *b;
  int64_t N, C;
  bool relu, given, add;
} norm_case;

static void run_moments(void *p, trm_real **out) {
  const norm_case *k = p;
  trm_moments(out[0], out[1], k->x, k->N, k->C);
}
static trm_batchnorm norm_of(const norm_case *k) {
  return (trm_batchnorm){k->N, k->C, k->x, k->mean, k->rstd, k->w, k->b, k->relu};
}
static void run_forward(void *p, trm_real **out) {
  const trm_batchnorm norm = norm_of(p);
  trm_batchnorm_forward(out[0], &norm);
}
static void run_backward(void *p, trm_real **out) {
  const norm_case *k = p;
  const trm_batchnorm norm = norm_of(k);
  trm_real *sums = NEW_REALS(4 * k->C);
  trm_batchnorm_sums(sums, k->dy, &norm);
  memcpy(out[1], sums, (size_t)(2 * k->C) * sizeof *sums);
  trm_batchnorm_backward(out[0], sums, k->dy, &norm, k->given, k->add);
  free(sums);
}
static void run_shift(void *p, trm_real **out) {
  const norm_case *k = p;
  trm_scale_shift_forward(out[0], k->x, k->w, k->b, k->N, k->C);
}
static void run_shift_backward(void *p, trm_real **out) {
  const norm_case *k = p;
  trm_scale_shift_backward(out[0], k->dy, k->w, k->N, k->C, k->add);
  trm_column_products(out[1], k->dy, k->x, k->N, k->C, k->add);
}

/* What comes out of the normalisation of column c; dx and the sums with what precedes the ReLU. */
typedef struct expected {
  double *mean, *variance, *y, *dx, *sums;
} expected;

static void reference(const norm_case *k, const double *x, const double *dy, int64_t c,
                      expected *e) {
  const int64_t N = k->N, C = k->C;
  const double w = (double)k->w[c], b = (double)k->b[c];
  for (int64_t r = 0; r < N; ++r) e->mean[c] += x[r * C + c] / (double)N;
  for (int64_t r = 0; r < N; ++r) e->variance[c] += pow(x[r * C + c] - e->mean[c], 2) / (double)N;
  k->mean[c] = (trm_real)e->mean[c];
  k->rstd[c] = (trm_real)(1 / sqrt(e->variance[c] + 1e-2));
  double g = 0, gz = 0;
  for (int64_t r = c; r < N * C; r += C) {
    const double z = (x[r] - (double)k->mean[c]) * (double)k->rstd[c], y = w * z + b;
    const double d = k->relu && y <= 0 ? 0 : dy[r];
    e->y[r] = k->relu && y <= 0 ? 0 : y;
    e->sums[c] += d;
    e->sums[C + c] += d * z;
    g += d * w / (double)N;
    gz += d * w * z / (double)N;
  }
  for (int64_t r = c; r < N * C; r += C) {
    const double z = (x[r] - (double)k->mean[c]) * (double)k->rstd[c];
    const double d = k->relu && w * z + b <= 0 ? 0 : dy[r];
    e->dx[r] = (double)k->rstd[c] * (k->given ? d * w : d * w - g - z * gz);
  }
}

static void check_norm(norm_case *k, const double *x, const double *dy, const trm_real *dx0) {
  const int64_t N = k->N, C = k->C;
  expected e = {NEW_DOUBLES(C), NEW_DOUBLES(C), NEW_DOUBLES(N * C), NEW_DOUBLES(N * C),
                NEW_DOUBLES(2 * C)};
  for (int64_t c = 0; c < C; ++c) reference(k, x, dy, c, &e);
  const double column = 16 + 8 * sqrt((double)N);
  check_kernel((kernel_case){.name = "moments",
                             .run = run_moments,
                             .context = k,
                             .n = {C, C},
                             .want = {e.mean, e.variance},
                             .tolerance = {column, column}});
  check_kernel((kernel_case){.name = "batchnorm",
                             .run = run_forward,
                             .context = k,
                             .n = {N * C},
                             .want = {e.y},
                             .tolerance = {16}});
  check_kernel((kernel_case){.name = "batchnorm backward",
                             .run = run_backward,
                             .context = k,
                             .n = {N * C, 2 * C},
                             .want = {e.dx, e.sums},
                             .start = {k->add ? dx0 : NULL},
                             .tolerance = {10 * column, 4 * column}});
  free(e.mean), free(e.variance), free(e.y), free(e.dx), free(e.sums);
}

static void check_one(int64_t N, int64_t C, bool add) {
  uint64_t state = (uint64_t)(N * 7919 + C);
  norm_case k = {.N = N, .C = C, .add = add, .mean = NEW_REALS(C), .rstd = NEW_REALS(C)};
  double *x, *dy, *w, *b;
  k.x = test_random(N * C, 3, &state, &x);
  k.dy = test_random(N * C, 1, &state, &dy);
  k.w = test_random(C, 1, &state, &w);
  k.b = test_random(C, 1, &state, &b);
  trm_real *dx0 = test_random(N * C, 1, &state, NULL), *dw0 = test_random(C, 1, &state, NULL);
  for (int i = 0; i < 4; ++i) {
    k.relu = i % 2 == 1;
    k.given = i / 2 == 1;
    check_norm(&k, x, dy, dx0);
  }
  double *s = NEW_DOUBLES(N * C), *ds = NEW_DOUBLES(N * C), *dw = NEW_DOUBLES(C);
  for (int64_t i = 0; i < N * C; ++i) {
    s[i] = x[i] * w[i % C] + b[i % C];
    ds[i] = dy[i] * w[i % C];
    dw[i % C] += dy[i] * x[i];
  }
  check_kernel((kernel_case){.name = "scale_shift",
                             .run = run_shift,
                             .context = &k,
                             .n = {N * C},
                             .want = {s},
                             .tolerance = {8}});
  check_kernel((kernel_case){.name = "scale_shift backward",
                             .run = run_shift_backward,
                             .context = &k,
                             .n = {N * C, C},
                             .want = {ds, dw},
                             .start = {add ? dx0 : NULL, add ? dw0 : NULL},
                             .tolerance = {8, 4 * (16 + 8 * sqrt((double)N))}});
  free(x), free(dy), free(w), free(b), free(k.x), free(k.dy), free(k.w), free(k.b);
  free(k.mean), free(k.rstd), free(s), free(ds), free(dw), free(dx0), free(dw0);
}

/* A NaN that the normalisation meets or makes is not lost in the ReLU. */
static void check_nan(void *context, const char *isa) {
  (void)context;
  (void)isa;
  enum { C = 19 };
  trm_real x[2 * C], y[2 * C], ones[C];
  for (int64_t i = 0; i < 2 * C; ++i) x[i] = i < C ? (trm_real)NAN : -1;
  for (int64_t c = 0; c < C; ++c) ones[c] = 1;
  trm_batchnorm_forward(y, &(trm_batchnorm){2, C, x, ones, ones, ones, ones, true});
  for (int64_t c = 0; c < C; ++c) CHECK(isnan(y[c]) && y[C + c] == 0);
}

/* A mean that is large against the deviation leaves the variance its digits. */
static void check_large_mean(void *context, const char *isa) {
  (void)context;
  (void)isa;
  trm_real x[100], mean, variance;
  for (int i = 0; i < 100; ++i) x[i] = (trm_real)(i % 2 ? 10001 : 9999);
  trm_moments(&mean, &variance, x, 100, 1);
  CHECK_NEAR(mean, 10000, 1e-2);
  CHECK_NEAR(variance, 1, 1e-4);
}

int main(void) {
  for (int add = 0; add < 2; ++add) {
    check_one(0, 3, add);
    check_one(1, 1, add);
    check_one(1, 5, add);
    check_one(7, 17, add);
    check_one(33, 64, add);
    check_one(700, 65, add);
    check_one(130, 600, add);
  }
  for_each_isa(check_large_mean, NULL);
  for_each_isa(check_nan, NULL);
  return check_verdict();
}
