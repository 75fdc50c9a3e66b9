/* Bayesian personalised ranking: losses and gradients against a plain loop over triplets that adds
 * to three rows each, and differences of scores that are extreme. */
#include "kernel_check.h"

typedef struct bpr_case {
  trm_real *e, *z, *slope;
  int32_t *ids[3]; /* users, positives, negatives */
  trm_csr uses;
  int64_t n, nodes, C;
  trm_real l2, dloss;
  bool add;
} bpr_case;

static void run_forward(void *p, trm_real **out) {
  const bpr_case *k = p;
  trm_bpr_forward(out[0], out[1], k->e, k->z, k->ids[0], k->ids[1], k->ids[2], k->n, k->C, k->l2);
}
static void run_backward(void *p, trm_real **out) {
  const bpr_case *k = p;
  trm_bpr_backward(out[0], k->e, k->slope, &k->uses, k->ids[0], k->ids[1], k->ids[2], k->dloss,
                   k->C, k->add);
  trm_bpr_decay_backward(out[1], k->z, &k->uses, k->dloss * k->l2, k->C, k->add);
}

static void find_uses(bpr_case *k) {
  int64_t *offsets = test_calloc(k->nodes + 1, sizeof *offsets), at = 0;
  int32_t *columns = test_calloc(3 * k->n, sizeof *columns);
  for (int64_t node = 0; node < k->nodes; ++node) {
    for (int64_t use = 0; use < 3 * k->n; ++use) {
      if (k->ids[use % 3][use / 3] == node) columns[at++] = (int32_t)use;
    }
    offsets[node + 1] = at;
  }
  k->uses = (trm_csr){k->nodes, 3 * k->n, at, offsets, columns, NULL, NULL};
}

static void reference(const bpr_case *k, const double *e, const double *z, double *loss,
                      double *slope, double *de, double *dz) {
  const int64_t C = k->C;
  const double l2 = (double)k->l2, dloss = (double)k->dloss;
  for (int64_t t = 0; t < k->n; ++t) {
    const int64_t u = k->ids[0][t] * C, p = k->ids[1][t] * C, q = k->ids[2][t] * C;
    double x = 0, squares = 0;
    for (int64_t c = 0; c < C; ++c) {
      x += e[u + c] * (e[p + c] - e[q + c]);
      squares += z[u + c] * z[u + c] + z[p + c] * z[p + c] + z[q + c] * z[q + c];
    }
    loss[t] = log1p(exp(-x)) + l2 / 2 * squares;
    slope[t] = -1 / (1 + exp(x));
    k->slope[t] = (trm_real)slope[t];
    const double g = dloss * (double)k->slope[t];
    for (int64_t c = 0; c < C; ++c) {
      de[u + c] += g * (e[p + c] - e[q + c]);
      de[p + c] += g * e[u + c];
      de[q + c] -= g * e[u + c];
      dz[u + c] += dloss * l2 * z[u + c];
      dz[p + c] += dloss * l2 * z[p + c];
      dz[q + c] += dloss * l2 * z[q + c];
    }
  }
}

static void check_one(int64_t n, int64_t nodes, int64_t C, double l2, bool add) {
  uint64_t state = (uint64_t)(n * 31 + C);
  bpr_case k = {.n = n, .nodes = nodes, .C = C, .l2 = (trm_real)l2, .add = add};
  k.dloss = (trm_real)1.5;
  double *e, *z;
  k.e = test_random(nodes * C, 1, &state, &e);
  k.z = test_random(nodes * C, 1, &state, &z);
  k.slope = NEW_REALS(n);
  for (int i = 0; i < 3; ++i) {
    k.ids[i] = test_calloc(n, sizeof(int32_t));
    for (int64_t t = 0; t < n; ++t) k.ids[i][t] = (int32_t)test_below(&state, nodes);
  }
  find_uses(&k);
  double *loss = NEW_DOUBLES(n), *slope = NEW_DOUBLES(n), *de = NEW_DOUBLES(nodes * C);
  double *dz = NEW_DOUBLES(nodes * C);
  reference(&k, e, z, loss, slope, de, dz);
  const double wide = 32 + 8 * (double)C;
  check_kernel((kernel_case){.name = "bpr",
                             .run = run_forward,
                             .context = &k,
                             .n = {n, n},
                             .want = {loss, slope},
                             .tolerance = {wide, wide}});
  trm_real *start = test_random(nodes * C, 1, &state, NULL);
  const double uses = 32 + 16 * sqrt(3 * (double)n / (double)nodes);
  check_kernel((kernel_case){.name = "bpr backward",
                             .run = run_backward,
                             .context = &k,
                             .n = {nodes * C, nodes * C},
                             .want = {de, dz},
                             .start = {add ? start : NULL, add ? start : NULL},
                             .tolerance = {uses, uses}});
  for (int i = 0; i < 3; ++i) free(k.ids[i]);
  free((void *)(uintptr_t)k.uses.offsets), free((void *)(uintptr_t)k.uses.columns);
  free(k.e), free(k.z), free(k.slope), free(e), free(z), free(loss), free(slope), free(de);
  free(dz), free(start);
}

/* Scores whose exponentials overflow, and NaN. */
static void check_extremes(void *context, const char *isa) {
  (void)context;
  (void)isa;
  const int32_t u[] = {0, 0, 0, 0}, p[] = {1, 2, 3, 4}, q[] = {2, 1, 3, 1};
  const trm_real e[] = {1, 1000, -1000, 5, (trm_real)NAN};
  trm_real loss[4], slope[4];
  trm_bpr_forward(loss, slope, e, e, u, p, q, 4, 1, 0);
  CHECK(loss[0] == 0 && slope[0] == 0);
  CHECK(loss[1] == 2000 && slope[1] == -1);
  CHECK_NEAR(loss[2], 0.69314718055994531, 1e-7);
  CHECK_NEAR(slope[2], -0.5, 1e-7);
  CHECK(isnan(loss[3]) && isnan(slope[3]));
}

int main(void) {
  for (int add = 0; add < 2; ++add) {
    check_one(0, 3, 2, 0.1, add);
    check_one(1, 3, 1, 0, add);
    check_one(17, 5, 7, 0.1, add);
    check_one(513, 60, 64, 0.01, add);
  }
  for_each_isa(check_extremes, NULL);
  return check_verdict();
}
