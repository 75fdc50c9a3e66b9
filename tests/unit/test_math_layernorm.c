/* Layer normalisation forward and backward against plain loops, with and without bias and adding. */
#include "kernel_check.h"
#include "reference.h"

typedef struct norm_case {
  trm_real *x, *w, *b, *dy, *mean, *rstd;
  int64_t N, C;
  bool add, with_bias;
} norm_case;

static const double eps = 1e-5;

static void run_forward(void *p, trm_real **out) {
  const norm_case *k = p;
  trm_layernorm_forward(out[0], out[1], out[2], k->x, k->w, k->with_bias ? k->b : NULL, k->N, k->C,
                        (trm_real)eps);
}

static void run_backward(void *p, trm_real **out) {
  const norm_case *k = p;
  trm_layernorm_backward(out[0], out[1], k->with_bias ? out[2] : NULL, k->dy, k->x, k->mean,
                         k->rstd, k->w, k->N, k->C, k->add, k->add);
}

static void check_one(int64_t N, int64_t C, bool with_bias, bool add) {
  uint64_t state = (uint64_t)(N * 7919 + C);
  norm_case k = {.N = N, .C = C, .add = add, .with_bias = with_bias};
  double *x, *w, *b, *dy;
  k.x = test_random(N * C, 3, &state, &x);
  k.w = test_random(C, 1, &state, &w);
  k.b = test_random(C, 1, &state, &b);
  k.dy = test_random(N * C, 1, &state, &dy);
  double *y = NEW_DOUBLES(N * C), *mean = NEW_DOUBLES(N), *rstd = NEW_DOUBLES(N);
  ref_layernorm_forward(y, mean, rstd, x, w, with_bias ? b : NULL, N, C, eps);
  /* At C = 1 every x equals its mean and rstd is 316. */
  check_kernel((kernel_case){.name = "layernorm",
                             .run = run_forward,
                             .context = &k,
                             .n = {N * C, N, N},
                             .want = {y, mean, rstd},
                             .tolerance = {64, 8, 64}});

  k.mean = NEW_REALS(N);
  k.rstd = NEW_REALS(N);
  for (int64_t i = 0; i < N; ++i) {
    k.mean[i] = (trm_real)mean[i];
    k.rstd[i] = (trm_real)rstd[i];
    mean[i] = (double)k.mean[i];
    rstd[i] = (double)k.rstd[i];
  }
  double *dx = NEW_DOUBLES(N * C), *dw = NEW_DOUBLES(C), *db = NEW_DOUBLES(C);
  ref_layernorm_backward(dx, dw, db, dy, x, mean, rstd, w, N, C);
  trm_real *dx0 = test_random(N * C, 1, &state, NULL);
  trm_real *dw0 = test_random(C, 1, &state, NULL), *db0 = test_random(C, 1, &state, NULL);
  const double column = 16 + 8 * sqrt((double)N), row = C == 1 ? 1e4 : 64;
  check_kernel((kernel_case){.name = "layernorm backward",
                             .run = run_backward,
                             .context = &k,
                             .n = {N * C, C, with_bias ? C : 0},
                             .want = {dx, dw, db},
                             .start = {add ? dx0 : NULL, add ? dw0 : NULL, add ? db0 : NULL},
                             .tolerance = {row, C == 1 ? 1e3 * column : column, column}});
  trm_real *const reals[] = {k.x, k.w, k.b, k.dy, k.mean, k.rstd, dx0, dw0, db0};
  double *const doubles[] = {x, w, b, dy, y, mean, rstd, dx, dw, db};
  for (size_t i = 0; i < sizeof reals / sizeof reals[0]; ++i) free(reals[i]);
  for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; ++i) free(doubles[i]);
}

/* A mean of 1000 with deviations of 1 must not cost the variance its digits. */
static void check_large_mean(void *context, const char *isa) {
  (void)context;
  (void)isa;
  trm_real x[128], w[128], y[128], mean, rstd;
  for (int i = 0; i < 128; ++i) {
    x[i] = (trm_real)(1000 + (i % 2 == 0 ? 1 : -1));
    w[i] = 1;
  }
  trm_layernorm_forward(y, &mean, &rstd, x, w, NULL, 1, 128, 0);
  CHECK_NEAR(mean, 1000, 1e-3);
  CHECK_NEAR(rstd, 1, 1e-5);
}

int main(void) {
  static const int64_t shapes[][2] = {{0, 8},    {1, 1},     {5, 3},     {3, 16},    {33, 17},
                                      {70, 128}, {768, 128}, {300, 384}, {40, 1050}, {600, 31}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; ++i) {
    for (int form = 0; form < 4; ++form) {
      check_one(shapes[i][0], shapes[i][1], form & 1, form & 2);
    }
  }
  for_each_isa(check_large_mean, NULL);
  return check_verdict();
}
