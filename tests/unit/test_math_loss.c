/* Softmax cross-entropy, plain, smoothed and weighted, and squared errors: loss, count, gradient;
 * ignored rows; NaN and infinity show in the loss. */
#include "kernel_check.h"
#include "reference.h"

typedef struct loss_case {
  trm_real *x, *lse, *mean;
  int32_t *targets;
  int64_t N, V;
  trm_xent how;
  double loss, count;
  bool add;
} loss_case;

static const double dloss = 0.25;

static void run_forward(void *p, trm_real **out) {
  loss_case *k = p;
  trm_real *mean = k->how.smoothing > 0 ? out[1] : NULL;
  k->count =
      trm_softmax_xent_forward(&k->loss, out[0], mean, k->x, k->targets, &k->how, k->N, k->V);
}
static void run_backward(void *p, trm_real **out) {
  const loss_case *k = p;
  trm_softmax_xent_backward(out[0], k->x, k->lse, k->targets, &k->how, (trm_real)dloss, k->N, k->V,
                            k->add);
}

static double bits_of_loss;
static void check_loss_bits(void *p, const char *isa) {
  loss_case *k = p;
  (void)isa;
  for (int threads = 1; threads <= MAX_THREADS; ++threads) {
    trm_threads_set(threads);
    trm_softmax_xent_forward(&k->loss, k->lse, k->mean, k->x, k->targets, &k->how, k->N, k->V);
    if (threads == 1) bits_of_loss = k->loss;
    CHECK(memcmp(&k->loss, &bits_of_loss, sizeof k->loss) == 0);
  }
  trm_threads_set(1);
}

static void check_one(int64_t N, int64_t V, double scale, double smoothing, bool weighted) {
  uint64_t state = (uint64_t)(N * 31 + V);
  loss_case k = {.N = N, .V = V, .how = {.smoothing = smoothing}};
  trm_real *drawn = test_random(V, 1, &state, NULL);
  float *weights = test_calloc(V, sizeof *weights);
  for (int64_t i = 0; i < V; ++i) weights[i] = i % 7 == 2 ? 0 : (float)drawn[i] + 1;
  if (weighted) k.how.weights = weights;
  double *x;
  k.x = test_random(N * V, scale, &state, &x);
  trm_real *start = test_random(N * V, 1, &state, NULL);
  k.targets = test_calloc(N, sizeof *k.targets);
  k.lse = NEW_REALS(N);
  k.mean = NEW_REALS(N);
  double *lse = NEW_DOUBLES(N), *mean = NEW_DOUBLES(N), *dx = NEW_DOUBLES(N * V);
  double loss = 0, count = 0;
  for (int64_t r = 0; r < N; ++r) {
    k.targets[r] = (int32_t)(r % 5 == 3 ? -1 : test_below(&state, V));
    lse[r] = ref_log_sum_exp(x + r * V, V);
    for (int64_t i = 0; i < V; ++i) mean[r] += x[r * V + i] / (double)V;
    if (k.targets[r] < 0) continue;
    const double weight = weighted ? (double)weights[k.targets[r]] : 1;
    loss += weight * (lse[r] - (1 - smoothing) * x[r * V + k.targets[r]] - smoothing * mean[r]);
    count += weight;
  }
  check_kernel((kernel_case){.name = "xent",
                             .run = run_forward,
                             .context = &k,
                             .n = {N, smoothing > 0 ? N : 0},
                             .want = {lse, mean},
                             .tolerance = {8, 8}});
  CHECK_NEAR(k.count, count, weighted ? 1e-14 * (1 + count) : 0);
  CHECK_NEAR(k.loss, loss, 4 * REAL_EPSILON * (1 + (double)N * (scale + 5)));
  for_each_isa(check_loss_bits, &k);
  for (int64_t i = 0; i < N * V; ++i) {
    const int32_t target = k.targets[i / V];
    const double softmax = exp(x[i] - (double)k.lse[i / V]);
    const double want = (1 - smoothing) * (i % V == target) + smoothing / (double)V;
    const double weight = target >= 0 && weighted ? (double)weights[target] : 1;
    dx[i] = target < 0 ? 0 : dloss * weight * (softmax - want);
  }
  kernel_case c = {.name = "xent backward",
                   .run = run_backward,
                   .context = &k,
                   .n = {N * V},
                   .want = {dx},
                   .tolerance = {4 + scale}};
  check_kernel(c);
  k.add = true;
  c.start[0] = start;
  check_kernel(c);
  free(k.x);
  free(k.lse);
  free(k.mean);
  free(drawn);
  free(weights);
  free(mean);
  free(k.targets);
  free(x);
  free(start);
  free(lse);
  free(dx);
}

static double loss_with(trm_real bad, int at, int32_t target) {
  enum { V = 37 };
  trm_real x[V], lse;
  for (int i = 0; i < V; ++i) x[i] = (trm_real)(i % 5);
  x[at] = bad;
  const trm_xent plain = {0};
  double loss;
  CHECK_EQ(trm_softmax_xent_forward(&loss, &lse, NULL, x, &target, &plain, 1, V), target >= 0);
  return loss;
}

static void check_not_finite(void *context, const char *isa) {
  (void)context;
  (void)isa;
  static const int places[] = {0, 1, 15, 16, 31, 32, 36};
  for (size_t i = 0; i < sizeof places / sizeof places[0]; ++i) {
    CHECK(isnan(loss_with((trm_real)NAN, places[i], 5)));
    CHECK(!isfinite(loss_with((trm_real)INFINITY, places[i], 5)));
    CHECK(isfinite(loss_with(-(trm_real)INFINITY, places[i], 5)));
    CHECK(isinf(loss_with(-(trm_real)INFINITY, places[i], places[i])));
    CHECK_EQ(loss_with((trm_real)NAN, places[i], -1), 0);
  }
}

/* ---- errors of numbers ------------------------------------------------------------------------ */

typedef struct error_case {
  trm_real *y;
  float *targets;
  trm_number_error how;
  int64_t N;
  bool add;
} error_case;

static void run_errors(void *p, trm_real **out) {
  const error_case *k = p;
  trm_number_error_backward(out[0], k->y, k->targets, &k->how, (trm_real)dloss, k->N, k->add);
}

/* Cost and slope of an error, as their definitions stand. */
static double cost_of(const trm_number_error *how, double e, double *slope) {
  const double sign = e < 0 ? -1 : 1;
  switch (how->kind) {
  case TRM_ERROR_SQUARED:
    *slope = 2 * e;
    return e * e;
  case TRM_ERROR_ABSOLUTE:
    *slope = sign;
    return sign * e;
  default:
    *slope = sign * e <= how->delta ? e : sign * how->delta;
    return sign * e <= how->delta ? 0.5 * e * e : how->delta * (sign * e - 0.5 * how->delta);
  }
}

static void check_errors(int64_t N, bool add, trm_number_error how) {
  uint64_t state = (uint64_t)N;
  error_case k = {.N = N, .add = add, .how = how, .targets = test_calloc(N, sizeof(float))};
  double *y, *dy = NEW_DOUBLES(N), loss, want = 0;
  k.y = test_random(N, 3, &state, &y);
  trm_real *start = test_random(N, 1, &state, NULL);
  int64_t count = 0;
  for (int64_t i = 0; i < N; ++i) {
    k.targets[i] = i % 4 == 1 ? (float)NAN : (float)test_uniform(&state);
    if (i % 4 == 1) continue;
    double slope;
    want += cost_of(&how, y[i] - (double)k.targets[i], &slope);
    dy[i] = dloss * slope;
    ++count;
  }
  CHECK_NEAR(trm_number_error_forward(&loss, k.y, k.targets, &how, N), count, 0);
  CHECK_NEAR(loss, want, 1e-14 * (1 + want));
  check_kernel((kernel_case){.name = "errors of numbers backward",
                             .run = run_errors,
                             .context = &k,
                             .n = {N},
                             .want = {dy},
                             .start = {add ? start : NULL},
                             .tolerance = {4}});
  free(k.y), free(k.targets), free(y), free(dy), free(start);
}

/* ---- sigmoids --------------------------------------------------------------------------------- */

typedef struct sigmoid_case {
  trm_real *x;
  float *shares;
  int64_t n;
  bool add;
} sigmoid_case;

static void run_sigmoids(void *p, trm_real **out) {
  const sigmoid_case *k = p;
  trm_sigmoid_xent_backward(out[0], k->x, k->shares, (trm_real)dloss, k->n, k->add);
}

static void check_sigmoids(int64_t n, bool add) {
  uint64_t state = (uint64_t)n;
  sigmoid_case k = {.n = n, .add = add, .shares = test_calloc(n, sizeof(float))};
  double *x, *dx = NEW_DOUBLES(n), loss, want = 0;
  k.x = test_random(n, 3, &state, &x);
  trm_real *start = test_random(n, 1, &state, NULL);
  for (int64_t i = 0; i < n; ++i) {
    k.shares[i] = (float)(i % 3) / 2;
    const double z = (double)k.shares[i], p = 1 / (1 + exp(-x[i]));
    want -= z * log(p) + (1 - z) * log(1 - p);
    dx[i] = dloss * (p - z);
  }
  trm_sigmoid_xent_forward(&loss, k.x, k.shares, n);
  CHECK_NEAR(loss, want, 1e-12 * (1 + want));
  check_kernel((kernel_case){.name = "sigmoid cross-entropy backward",
                             .run = run_sigmoids,
                             .context = &k,
                             .n = {n},
                             .want = {dx},
                             .start = {add ? start : NULL},
                             .tolerance = {4}});
  free(k.x), free(k.shares), free(x), free(dx), free(start);
}

/* What is far from 0 stays finite, what is no number shows. */
static void check_far_sigmoids(void) {
  const trm_real x[3] = {1000, -1000, (trm_real)NAN};
  const float shares[3] = {1, 0, 1};
  trm_real dx[3];
  double loss;
  trm_sigmoid_xent_forward(&loss, x, shares, 2);
  CHECK_NEAR(loss, 0, 0);
  trm_sigmoid_xent_forward(&loss, x, shares, 3);
  CHECK(isnan(loss));
  trm_sigmoid_xent_backward(dx, x, shares, 1, 3, false);
  CHECK_NEAR(dx[0], 0, 0);
  CHECK_NEAR(dx[1], 0, 0);
  CHECK(isnan(dx[2]));
}

int main(void) {
  for (int way = 0; way < 4; ++way) {
    const double smoothing = way % 2 == 0 ? 0 : 0.1;
    const bool weighted = way >= 2;
    check_one(0, 3, 1, smoothing, weighted);
    check_one(1, 1, 1, smoothing, weighted);
    check_one(7, 2, 30, smoothing, weighted);
    check_one(300, 65, 4, smoothing, weighted);
    check_one(64, 512, 4, smoothing, weighted);
    check_one(40, 1500, 4, smoothing, weighted);
  }
  static const trm_number_error hows[] = {
      {TRM_ERROR_SQUARED, 0}, {TRM_ERROR_ABSOLUTE, 0}, {TRM_ERROR_HUBER, 0.7}};
  for (int i = 0; i < 3; ++i) {
    check_errors(0, false, hows[i]);
    check_errors(1, true, hows[i]);
    check_errors(50, false, hows[i]);
  }
  check_sigmoids(0, false);
  check_sigmoids(1, true);
  check_sigmoids(500, false);
  check_far_sigmoids();
  for_each_isa(check_not_finite, NULL);
  return check_verdict();
}
