/* Rows of features: copies, and the masks of dense rows and of stored values against the documented
 * use of the generator. */
#include "csr_check.h"
#include "trireme/math/graph_kernels.h"

typedef struct features_case {
  float *x;
  int32_t *rows, *ids;
  int64_t n, F;
  double p;
  trm_random_key key;
} features_case;

static void run(void *p, trm_real **out) {
  const features_case *k = p;
  trm_feature_rows(out[0], k->x, k->rows, k->n, k->F, k->p, k->key, k->ids);
}

/* The factor of element (node, feature). */
static double factor(double p, trm_random_key key, int32_t node, int64_t feature) {
  const double threshold = fmin(65535, floor(p * 65536 + 0.5));
  uint32_t words[4];
  trm_random_words(key, (uint64_t)node, (uint64_t)feature / 8, words);
  const uint32_t word = words[feature % 8 / 2];
  const uint32_t draw = feature % 2 == 0 ? word & 0xffffu : word >> 16;
  return draw < threshold ? 0 : 65536 / (65536 - threshold);
}

static void check_dense(int64_t n, int64_t total, int64_t F, double p, bool chosen) {
  uint64_t state = (uint64_t)(n + 31 * F);
  features_case k = {.n = n, .F = F, .p = p, .key = {{123, 456}}};
  k.x = test_calloc(total * F, sizeof *k.x);
  for (int64_t i = 0; i < total * F; ++i) k.x[i] = (float)test_uniform(&state);
  k.rows = chosen ? test_calloc(n, sizeof *k.rows) : NULL;
  k.ids = p > 0 ? test_calloc(n, sizeof *k.ids) : NULL;
  double *y = NEW_DOUBLES(n * F);
  for (int64_t i = 0; i < n; ++i) {
    if (chosen) k.rows[i] = (int32_t)test_below(&state, total);
    if (k.ids) k.ids[i] = (int32_t)test_below(&state, 1 << 20) * 2047;
    for (int64_t f = 0; f < F; ++f) {
      const double v = (double)k.x[(chosen ? k.rows[i] : i) * F + f];
      y[i * F + f] = v * (k.ids ? factor(p, k.key, k.ids[i], f) : 1);
    }
  }
  check_kernel((kernel_case){.name = "features",
                             .run = run,
                             .context = &k,
                             .n = {n * F},
                             .want = {y},
                             .tolerance = {p > 0 ? 2 : 0}});
  free(k.x);
  free(k.rows);
  free(k.ids);
  free(y);
}

typedef struct sparse_case {
  test_csr m;
  int32_t *ids;
  double p;
  trm_random_key key;
} sparse_case;

/* In float whatever trm_real is. */
static void run_sparse(void *p, trm_real **out) {
  const sparse_case *k = p;
  float *values = test_calloc(k->m.a.n_edges, sizeof *values);
  trm_sparse_dropout(values, &k->m.a, k->ids, k->p, k->key);
  for (int64_t e = 0; e < k->m.a.n_edges; ++e) out[0][e] = (trm_real)values[e];
  free(values);
}

static void check_sparse(int64_t n_rows, int64_t n_columns, int64_t first, int weighted, double p) {
  uint64_t state = (uint64_t)(n_rows + 31 * n_columns);
  sparse_case k = {.p = p, .key = {{99, 7}}};
  k.m = test_csr_new(n_rows, n_columns, 5, first, weighted, &state);
  k.ids = test_calloc(n_rows, sizeof *k.ids);
  for (int64_t i = 0; i < n_rows; ++i) k.ids[i] = (int32_t)test_below(&state, 1 << 20) * 2047;
  const trm_csr *a = &k.m.a;
  double *want = NEW_DOUBLES(a->n_edges);
  for (int64_t i = 0; i < n_rows; ++i) {
    for (int64_t e = a->offsets[i]; e < a->offsets[i + 1]; ++e) {
      const double keep = factor(p, k.key, k.ids[i], e - a->offsets[i]);
      want[e - a->offsets[0]] = test_csr_value(a, e) * keep;
    }
  }
  check_kernel((kernel_case){.name = "sparse dropout",
                             .run = run_sparse,
                             .context = &k,
                             .n = {a->n_edges},
                             .want = {want},
                             .tolerance = {2 * (double)FLT_EPSILON / REAL_EPSILON}});
  test_csr_free(&k.m);
  free(k.ids);
  free(want);
}

int main(void) {
  check_dense(0, 1, 3, 0.5, false);
  check_dense(1, 1, 1, 0.5, false);
  check_dense(5, 9, 7, 0, true);
  check_dense(9, 9, 8, 0.25, false);
  check_dense(40, 30, 17, 0.6, true);
  check_dense(3, 3, 1433, 0.5, false);
  check_dense(900, 700, 33, 0.1, true);
  check_dense(900, 900, 33, 0, false);
  check_sparse(0, 5, 0, 0, 0.5);
  check_sparse(1, 1, 0, 1, 0.5);
  check_sparse(30, 200, 3, 2, 0.5);
  check_sparse(200, 30, 3, 1, 0.3);
  check_sparse(3000, 1433, 0, 0, 0.5);
  check_sparse(1433, 3000, 0, 2, 0.9999999);
  return check_verdict();
}
