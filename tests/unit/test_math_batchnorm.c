/* Batch normalisation: statistics, both directions, scale and shift, against plain loops. */
#include "kernel_check.h"

typedef struct norm_case {
  trm_real *x, *dy, *y, *mean, *rstd, *w, *b;
  int64_t N, C;
  bool add;
} norm_case;

static void run_moments(void *p, trm_real **out) {
  const norm_case *k = p;
  trm_moments(out[0], out[1], k->x, k->N, k->C);
}
static void run_forward(void *p, trm_real **out) {
  const norm_case *k = p;
  trm_standardize_forward(out[0], k->x, k->mean, k->rstd, k->N, k->C);
}
static void run_in_place(void *p, trm_real **out) {
  const norm_case *k = p;
  memcpy(out[0], k->x, (size_t)(k->N * k->C) * sizeof **out);
  trm_standardize_forward(out[0], out[0], k->mean, k->rstd, k->N, k->C);
}
static void run_backward(void *p, trm_real **out) {
  const norm_case *k = p;
  trm_real *sums = NEW_REALS(2 * k->C);
  trm_standardize_backward(out[0], sums, k->dy, k->y, k->rstd, k->N, k->C, k->add);
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

/* Column c of the reference. */
static void reference(const norm_case *k, const double *x, const double *dy, int64_t c,
                      double *mean, double *variance, double *y, double *dx) {
  const int64_t N = k->N, C = k->C;
  double g = 0, gy = 0;
  for (int64_t r = 0; r < N; ++r) mean[c] += x[r * C + c] / (double)N;
  for (int64_t r = 0; r < N; ++r) variance[c] += pow(x[r * C + c] - mean[c], 2) / (double)N;
  k->mean[c] = (trm_real)mean[c];
  k->rstd[c] = (trm_real)(1 / sqrt(variance[c] + 1e-2));
  for (int64_t r = c; r < N * C; r += C) {
    y[r] = (x[r] - (double)k->mean[c]) * (double)k->rstd[c];
    k->y[r] = (trm_real)y[r];
    g += dy[r] / (double)N;
    gy += dy[r] * (double)k->y[r] / (double)N;
  }
  for (int64_t r = c; r < N * C; r += C) {
    dx[r] = (double)k->rstd[c] * (dy[r] - g - (double)k->y[r] * gy);
  }
}

static void check_one(int64_t N, int64_t C, bool add) {
  uint64_t state = (uint64_t)(N * 7919 + C);
  norm_case k = {.N = N, .C = C, .add = add, .mean = NEW_REALS(C), .rstd = NEW_REALS(C)};
  double *x, *dy, *w, *b;
  k.x = test_random(N * C, 3, &state, &x);
  k.dy = test_random(N * C, 1, &state, &dy);
  k.w = test_random(C, 1, &state, &w);
  k.b = test_random(C, 1, &state, &b);
  k.y = NEW_REALS(N * C);
  double *mean = NEW_DOUBLES(C), *variance = NEW_DOUBLES(C), *y = NEW_DOUBLES(N * C);
  double *dx = NEW_DOUBLES(N * C), *s = NEW_DOUBLES(N * C), *ds = NEW_DOUBLES(N * C);
  double *dw = NEW_DOUBLES(C);
  for (int64_t c = 0; c < C; ++c) reference(&k, x, dy, c, mean, variance, y, dx);
  for (int64_t i = 0; i < N * C; ++i) {
    s[i] = x[i] * w[i % C] + b[i % C];
    ds[i] = dy[i] * w[i % C];
    dw[i % C] += dy[i] * x[i];
  }
  const double column = 16 + 8 * sqrt((double)N);
  kernel_case c = {.name = "moments",
                   .run = run_moments,
                   .context = &k,
                   .n = {C, C},
                   .want = {mean, variance},
                   .tolerance = {column, column}};
  check_kernel(c);
  c = (kernel_case){.run = run_forward, .context = &k, .n = {N * C}, .want = {y}, .tolerance = {8}};
  c.name = "standardize";
  check_kernel(c);
  c.run = run_in_place;
  check_kernel(c);
  c.name = "scale_shift";
  c.run = run_shift;
  c.want[0] = s;
  check_kernel(c);
  trm_real *dx0 = test_random(N * C, 1, &state, NULL), *dw0 = test_random(C, 1, &state, NULL);
  c.start[0] = add ? dx0 : NULL;
  c.name = "standardize backward";
  c.run = run_backward;
  c.want[0] = dx;
  c.tolerance[0] = 10 * column;
  check_kernel(c);
  c.name = "scale_shift backward";
  c.run = run_shift_backward;
  c.want[0] = ds;
  c.want[1] = dw;
  c.n[1] = C;
  c.start[1] = add ? dw0 : NULL;
  c.tolerance[0] = 8;
  c.tolerance[1] = 4 * column;
  check_kernel(c);
  free(x), free(dy), free(w), free(b), free(k.x), free(k.dy), free(k.w), free(k.b), free(k.y);
  free(k.mean), free(k.rstd), free(mean), free(variance), free(y), free(dx), free(s), free(ds);
  free(dw), free(dx0), free(dw0);
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
  return check_verdict();
}
