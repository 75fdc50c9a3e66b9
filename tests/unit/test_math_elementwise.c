/* fill, scale, add, bias, GELU and ReLU against plain formulas. */
#include "kernel_check.h"
#include "reference.h"

typedef struct flat_case {
  trm_real *a, *b;
  int64_t n, N, C;
  bool add;
} flat_case;

static void run_fill(void *p, trm_real **out) {
  trm_fill(out[0], (trm_real)1.5, ((flat_case *)p)->n);
}
static void run_scale(void *p, trm_real **out) {
  const flat_case *f = p;
  trm_scale(out[0], f->a, (trm_real)0.75, f->n, f->add);
}
static void run_scale_in_place(void *p, trm_real **out) {
  const flat_case *f = p;
  memcpy(out[0], f->a, (size_t)f->n * sizeof **out);
  trm_scale(out[0], out[0], (trm_real)0.75, f->n, false);
}
static void run_add(void *p, trm_real **out) {
  const flat_case *f = p;
  trm_add(out[0], f->a, f->b, f->n);
}
static void run_add_in_place(void *p, trm_real **out) {
  const flat_case *f = p;
  memcpy(out[0], f->b, (size_t)f->n * sizeof **out);
  trm_add(out[0], f->a, out[0], f->n);
}
static void run_gelu(void *p, trm_real **out) {
  const flat_case *f = p;
  trm_gelu_forward(out[0], f->a, f->n);
}
static void run_gelu_backward(void *p, trm_real **out) {
  const flat_case *f = p;
  trm_gelu_backward(out[0], f->a, f->b, f->n, f->add);
}
static void run_relu(void *p, trm_real **out) {
  const flat_case *f = p;
  trm_relu_forward(out[0], f->a, f->n);
}
static void run_relu_backward(void *p, trm_real **out) {
  const flat_case *f = p;
  trm_relu_backward(out[0], f->a, f->b, f->n, f->add);
}
static void run_bias(void *p, trm_real **out) {
  const flat_case *f = p;
  trm_bias_forward(out[0], f->a, f->b, f->N, f->C);
}
static void run_bias_backward(void *p, trm_real **out) {
  const flat_case *f = p;
  trm_bias_backward(out[0], f->a, f->N, f->C, f->add);
}

static void check_flat(int64_t n) {
  uint64_t state = (uint64_t)n + 11;
  flat_case f = {.n = n};
  double *a, *b;
  f.a = test_random(n, 6, &state, &a);
  f.b = test_random(n, 2, &state, &b);
  trm_real *start = test_random(n, 1, &state, NULL);
  double *want = NEW_DOUBLES(n);
  if (n > 2) f.a[1] = 0, a[1] = 0; /* the kink of ReLU */
#define TRY(label, function, expression, with_start, tol)                                          \
  do {                                                                                             \
    f.add = with_start;                                                                            \
    for (int64_t i = 0; i < n; ++i) want[i] = (expression);                                        \
    check_kernel((kernel_case){.name = label,                                                      \
                               .run = function,                                                    \
                               .context = &f,                                                      \
                               .n = {n},                                                           \
                               .want = {want},                                                     \
                               .start = {(with_start) ? start : NULL},                             \
                               .tolerance = {tol}});                                               \
  } while (0)
  TRY("fill", run_fill, 1.5, false, 0);
  TRY("scale", run_scale, 0.75 * a[i], false, 1);
  TRY("scale add", run_scale, 0.75 * a[i], true, 2);
  TRY("scale in place", run_scale_in_place, 0.75 * a[i], false, 1);
  TRY("add", run_add, a[i] + b[i], false, 1);
  TRY("add in place", run_add_in_place, a[i] + b[i], false, 1);
  TRY("gelu", run_gelu, ref_gelu(a[i]), false, 4);
  TRY("gelu backward", run_gelu_backward, b[i] * ref_gelu_slope(a[i]), false, 48);
  TRY("gelu backward add", run_gelu_backward, b[i] * ref_gelu_slope(a[i]), true, 48);
  TRY("relu", run_relu, a[i] > 0 ? a[i] : 0, false, 0);
  TRY("relu backward", run_relu_backward, a[i] > 0 ? b[i] : 0, false, 0);
  TRY("relu backward add", run_relu_backward, a[i] > 0 ? b[i] : 0, true, 1);
#undef TRY
  free(f.a);
  free(f.b);
  free(a);
  free(b);
  free(start);
  free(want);
}

static void check_bias(int64_t N, int64_t C) {
  uint64_t state = (uint64_t)(N * 131 + C);
  flat_case f = {.N = N, .C = C};
  double *a, *b;
  f.a = test_random(N * C, 2, &state, &a);
  f.b = test_random(C, 2, &state, &b);
  trm_real *start = test_random(C, 1, &state, NULL);
  double *want = NEW_DOUBLES(N * C), *want_db = NEW_DOUBLES(C);
  for (int64_t i = 0; i < N * C; ++i) {
    want[i] = a[i] + b[i % C];
    want_db[i % C] += a[i];
  }
  const double tolerance = 8 * sqrt((double)N) + 4;
  check_kernel((kernel_case){.name = "bias",
                             .run = run_bias,
                             .context = &f,
                             .n = {N * C},
                             .want = {want},
                             .tolerance = {1}});
  check_kernel((kernel_case){.name = "bias backward",
                             .run = run_bias_backward,
                             .context = &f,
                             .n = {C},
                             .want = {want_db},
                             .tolerance = {tolerance}});
  f.add = true;
  check_kernel((kernel_case){.name = "bias backward add",
                             .run = run_bias_backward,
                             .context = &f,
                             .n = {C},
                             .want = {want_db},
                             .start = {start},
                             .tolerance = {tolerance}});
  free(f.a);
  free(f.b);
  free(a);
  free(b);
  free(start);
  free(want);
  free(want_db);
}

static void check_nan_body(void *context, const char *isa) {
  (void)context;
  (void)isa;
  const trm_real x[2] = {(trm_real)NAN, (trm_real)INFINITY};
  trm_real y[2];
  trm_relu_forward(y, x, 2);
  CHECK(isnan(y[0]) && isinf(y[1]));
  trm_gelu_forward(y, x, 2);
  CHECK(isnan(y[0]) && isinf(y[1]));
}

int main(void) {
  static const int64_t counts[] = {0, 1, 7, 16, 33, 4095, 4097, 70001};
  static const int64_t shapes[][2] = {{0, 5},    {1, 1},    {3, 64},    {33, 65},
                                      {520, 63}, {97, 600}, {700, 130}, {2, 1100}};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) check_flat(counts[i]);
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; ++i) {
    check_bias(shapes[i][0], shapes[i][1]);
  }
  for_each_isa(check_nan_body, NULL);
  return check_verdict();
}
