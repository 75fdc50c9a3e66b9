/* Rows of heads (dot products, means) and what else works on whole rows of variables: combinations,
 * maxima, ELU, columns side by side, dot products; against plain loops. */
#include "kernel_check.h"

typedef struct heads_case {
  trm_real *x, *a, *ds, *dy;
  int64_t N, H, C;
  bool add;
} heads_case;

static void run_dot(void *p, trm_real **out) {
  const heads_case *k = p;
  trm_head_dot_forward(out[0], k->x, k->a, k->N, k->H, k->C);
}
static void run_dot_backward(void *p, trm_real **out) {
  const heads_case *k = p;
  trm_head_dot_backward(out[0], out[1], k->ds, k->x, k->a, k->N, k->H, k->C, k->add, k->add);
}
static void run_mean(void *p, trm_real **out) {
  const heads_case *k = p;
  trm_head_mean_forward(out[0], k->x, k->N, k->H, k->C);
}
static void run_mean_backward(void *p, trm_real **out) {
  const heads_case *k = p;
  trm_head_mean_backward(out[0], k->dy, k->N, k->H, k->C, k->add);
}

static void check_heads(int64_t N, int64_t H, int64_t C, bool add) {
  uint64_t state = (uint64_t)(N * 7919 + H * 31 + C);
  heads_case k = {.N = N, .H = H, .C = C, .add = add};
  const int64_t width = H * C;
  double *x, *a, *ds, *dy;
  k.x = test_random(N * width, 1, &state, &x);
  k.a = test_random(width, 1, &state, &a);
  k.ds = test_random(N * H, 1, &state, &ds);
  k.dy = test_random(N * C, 1, &state, &dy);
  double *s = NEW_DOUBLES(N * H), *dx = NEW_DOUBLES(N * width), *da = NEW_DOUBLES(width);
  double *y = NEW_DOUBLES(N * C), *dm = NEW_DOUBLES(N * width);
  for (int64_t i = 0; i < N * width; ++i) {
    const int64_t r = i / width, h = i % width / C, c = i % C;
    s[r * H + h] += x[i] * a[i % width];
    dx[i] = ds[r * H + h] * a[i % width];
    da[i % width] += ds[r * H + h] * x[i];
    y[r * C + c] += x[i] / (double)H;
    dm[i] = dy[r * C + c] / (double)H;
  }
  kernel_case c = {.run = run_dot, .context = &k, .n = {N * H}, .want = {s}};
  c.name = "head_dot";
  c.tolerance[0] = 16 + 4 * sqrt((double)C);
  check_kernel(c);
  c.name = "head_mean";
  c.run = run_mean;
  c.n[0] = N * C;
  c.want[0] = y;
  check_kernel(c);
  trm_real *dx0 = test_random(N * width, 1, &state, NULL),
           *da0 = test_random(width, 1, &state, NULL);
  c.start[0] = add ? dx0 : NULL;
  c.name = "head_mean backward";
  c.run = run_mean_backward;
  c.n[0] = N * width;
  c.want[0] = dm;
  check_kernel(c);
  c.name = "head_dot backward";
  c.run = run_dot_backward;
  c.want[0] = dx;
  c.n[1] = width;
  c.want[1] = da;
  c.start[1] = add ? da0 : NULL;
  c.tolerance[1] = 16 + 8 * sqrt((double)N);
  check_kernel(c);
  free(x), free(a), free(ds), free(dy), free(k.x), free(k.a), free(k.ds), free(k.dy), free(s);
  free(dx), free(da), free(y), free(dm), free(dx0), free(da0);
}

typedef struct pair_case {
  trm_real *a, *b, *dy;
  int64_t n;
  bool add, second;
} pair_case;

static void run_combine(void *p, trm_real **out) {
  const pair_case *k = p;
  trm_combine(out[0], k->a, (trm_real)0.75, k->b, (trm_real)-2, k->n);
}
static void run_maximum(void *p, trm_real **out) {
  const pair_case *k = p;
  trm_maximum_forward(out[0], k->a, k->b, k->n);
}
static void run_maximum_backward(void *p, trm_real **out) {
  const pair_case *k = p;
  trm_maximum_backward(out[0], k->a, k->b, k->dy, k->second, k->n, k->add);
}
static void run_elu(void *p, trm_real **out) {
  const pair_case *k = p;
  trm_elu_forward(out[0], k->a, k->n);
}
static void run_elu_backward(void *p, trm_real **out) {
  const pair_case *k = p;
  trm_elu_backward(out[0], k->a, k->dy, k->n, k->add);
}

static void check_pair(kernel_case *c, const char *name, void (*run)(void *, trm_real **),
                       const double *want) {
  c->name = name;
  c->run = run;
  c->want[0] = want;
  check_kernel(*c);
}

static void check_pairs(int64_t n, bool add) {
  uint64_t state = (uint64_t)n + 5;
  pair_case k = {.n = n, .add = add};
  double *a, *b, *dy, *want[6];
  k.a = test_random(n, 3, &state, &a);
  k.b = test_random(n, 3, &state, &b);
  k.dy = test_random(n, 1, &state, &dy);
  for (int i = 0; i < 6; ++i) want[i] = NEW_DOUBLES(n);
  for (int64_t i = 0; i < n; ++i) {
    if (i % 5 == 0) k.b[i] = k.a[i], b[i] = a[i]; /* equals */
    want[0][i] = 0.75 * a[i] - 2 * b[i];
    want[1][i] = fmax(a[i], b[i]);
    want[2][i] = a[i] >= b[i] ? dy[i] : 0;
    want[3][i] = a[i] >= b[i] ? 0 : dy[i];
    want[4][i] = a[i] > 0 ? a[i] : expm1(a[i]);
    want[5][i] = a[i] > 0 ? dy[i] : dy[i] * exp(a[i]);
  }
  trm_real *start = test_random(n, 1, &state, NULL);
  kernel_case c = {.context = &k, .n = {n}, .tolerance = {8}};
  check_pair(&c, "combine", run_combine, want[0]);
  check_pair(&c, "maximum", run_maximum, want[1]);
  check_pair(&c, "elu", run_elu, want[4]);
  c.start[0] = add ? start : NULL;
  check_pair(&c, "maximum backward", run_maximum_backward, want[2]);
  k.second = true;
  check_pair(&c, "maximum backward, second", run_maximum_backward, want[3]);
  check_pair(&c, "elu backward", run_elu_backward, want[5]);
  for (int i = 0; i < 6; ++i) free(want[i]);
  free(a), free(b), free(dy), free(k.a), free(k.b), free(k.dy), free(start);
}

static void check_dot(void *context, const char *isa) {
  const int64_t n = *(const int64_t *)context;
  uint64_t state = (uint64_t)n;
  double *a, *b, want = 0, first = 0;
  trm_real *x = test_random(n, 1, &state, &a), *y = test_random(n, 1, &state, &b);
  for (int64_t i = 0; i < n; ++i) want += a[i] * b[i];
  for (int threads = 1; threads <= 3; ++threads) {
    trm_threads_set(threads);
    const double got = trm_dot(x, y, n);
    if (threads == 1) first = got;
    if (!CHECK(got == first)) fprintf(stderr, "  %s, %d threads\n", isa, threads);
    CHECK_NEAR(got, want, 1e-12 * (1 + (double)n));
  }
  trm_threads_set(1);
  free(x), free(y), free(a), free(b);
}

static void check_columns(void *context, const char *isa) {
  (void)context;
  (void)isa;
  const trm_real x[] = {1, 2, 3, 4, 5, 6}; /* [2, 3] */
  trm_real y[] = {-1, -2, -3, -4, -5, -6, -7, -8};
  trm_copy_columns(y + 1, 4, x, 3, 2, 2, false);
  const trm_real want[] = {-1, 1, 2, -4, -5, 4, 5, -8};
  CHECK(memcmp(y, want, sizeof y) == 0);
  trm_copy_columns(y + 1, 4, x + 1, 3, 2, 2, true);
  const trm_real sum[] = {-1, 3, 5, -4, -5, 9, 11, -8};
  CHECK(memcmp(y, sum, sizeof y) == 0);
}

/* A NaN is larger than anything. */
static void check_nan(void *context, const char *isa) {
  (void)context;
  (void)isa;
  const trm_real a[] = {(trm_real)NAN, 1, (trm_real)NAN}, b[] = {1, (trm_real)NAN, (trm_real)NAN};
  trm_real y[3];
  trm_maximum_forward(y, a, b, 3);
  for (int i = 0; i < 3; ++i) CHECK(isnan(y[i]));
  trm_elu_forward(y, a, 3);
  CHECK(isnan(y[0]) && y[1] == 1);
}

int main(void) {
  for (int add = 0; add < 2; ++add) {
    check_heads(0, 2, 3, add);
    check_heads(1, 1, 1, add);
    check_heads(5, 3, 7, add);
    check_heads(70, 8, 8, add);
    check_heads(301, 9, 65, add);
    check_pairs(0, add);
    check_pairs(1, add);
    check_pairs(40001, add);
  }
  for (int i = 0; i < 4; ++i) {
    int64_t n = (int64_t[]){0, 1, 4097, 100003}[i];
    for_each_isa(check_dot, &n);
  }
  for_each_isa(check_columns, NULL);
  for_each_isa(check_nan, NULL);
  return check_verdict();
}
