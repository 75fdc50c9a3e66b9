/* Softmax cross-entropy: loss, count, gradient; ignored rows; NaN and infinity show in the loss. */
#include "kernel_check.h"
#include "reference.h"

typedef struct loss_case {
  trm_real *x, *lse;
  int32_t *targets;
  int64_t N, V, n_rows;
  double loss;
  bool add;
} loss_case;

static const double dloss = 0.25;

static void run_forward(void *p, trm_real **out) {
  loss_case *k = p;
  k->n_rows = trm_softmax_xent_forward(&k->loss, out[0], k->x, k->targets, k->N, k->V);
}
static void run_backward(void *p, trm_real **out) {
  const loss_case *k = p;
  trm_softmax_xent_backward(out[0], k->x, k->lse, k->targets, (trm_real)dloss, k->N, k->V, k->add);
}

static double bits_of_loss;
static void check_loss_bits(void *p, const char *isa) {
  loss_case *k = p;
  (void)isa;
  for (int threads = 1; threads <= MAX_THREADS; ++threads) {
    trm_threads_set(threads);
    trm_softmax_xent_forward(&k->loss, k->lse, k->x, k->targets, k->N, k->V);
    if (threads == 1) bits_of_loss = k->loss;
    CHECK(memcmp(&k->loss, &bits_of_loss, sizeof k->loss) == 0);
  }
  trm_threads_set(1);
}

static void check_one(int64_t N, int64_t V, double scale) {
  uint64_t state = (uint64_t)(N * 31 + V);
  loss_case k = {.N = N, .V = V};
  double *x;
  k.x = test_random(N * V, scale, &state, &x);
  trm_real *start = test_random(N * V, 1, &state, NULL);
  k.targets = test_calloc(N, sizeof *k.targets);
  k.lse = NEW_REALS(N);
  double *lse = NEW_DOUBLES(N), *dx = NEW_DOUBLES(N * V), loss = 0;
  int64_t n_rows = 0;
  for (int64_t r = 0; r < N; ++r) {
    k.targets[r] = (int32_t)(r % 5 == 3 ? -1 : test_below(&state, V));
    lse[r] = ref_log_sum_exp(x + r * V, V);
    if (k.targets[r] < 0) continue;
    loss += lse[r] - x[r * V + k.targets[r]];
    ++n_rows;
  }
  check_kernel((kernel_case){.name = "xent",
                             .run = run_forward,
                             .context = &k,
                             .n = {N},
                             .want = {lse},
                             .tolerance = {8}});
  CHECK_EQ(k.n_rows, n_rows);
  CHECK_NEAR(k.loss, loss, 4 * REAL_EPSILON * (1 + (double)N * (scale + 5)));
  for_each_isa(check_loss_bits, &k);
  for (int64_t i = 0; i < N * V; ++i) {
    const int32_t target = k.targets[i / V];
    const double softmax = exp(x[i] - (double)k.lse[i / V]);
    dx[i] = target < 0 ? 0 : dloss * (softmax - (i % V == target));
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
  double loss;
  CHECK_EQ(trm_softmax_xent_forward(&loss, &lse, x, &target, 1, V), target >= 0);
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

int main(void) {
  check_one(0, 3, 1);
  check_one(1, 1, 1);
  check_one(7, 2, 30);
  check_one(300, 65, 4);
  check_one(64, 512, 4);
  check_one(40, 1500, 4);
  for_each_isa(check_not_finite, NULL);
  return check_verdict();
}
