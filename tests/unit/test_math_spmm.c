/* Sparse times dense against plain loops: every width of block, weights, scales, selves, views of a
 * larger matrix; the scales of edges. */
#include "csr_check.h"
#include "trireme/math/graph_kernels.h"

typedef struct spmm_case {
  test_csr m;
  trm_real *x, *row_scale, *column_scale; /* scales may be NULL */
  int32_t *self;                          /* may be NULL */
  int64_t n_self, C;
  bool add;
} spmm_case;

static void run(void *p, trm_real **out) {
  const spmm_case *k = p;
  trm_spmm(out[0], k->x, &k->m.a, k->row_scale, k->column_scale, k->self, k->n_self, k->C, k->add);
}

static double column_scale(const spmm_case *k, int64_t j) {
  return k->column_scale ? (double)k->column_scale[j] : 1;
}

static double *reference(const spmm_case *k) {
  const trm_csr *a = &k->m.a;
  double *y = NEW_DOUBLES(a->n_rows * k->C);
  for (int64_t i = 0; i < a->n_rows; ++i) {
    for (int64_t c = 0; c < k->C; ++c) {
      double sum = 0;
      const int64_t s = i >= k->n_self ? -1 : k->self ? k->self[i] : i;
      if (s >= 0) sum += column_scale(k, s) * (double)k->x[s * k->C + c];
      for (int64_t e = a->offsets[i]; e < a->offsets[i + 1]; ++e) {
        const int64_t j = a->columns[e];
        sum += test_csr_value(a, e) * column_scale(k, j) * (double)k->x[j * k->C + c];
      }
      y[i * k->C + c] = sum * (k->row_scale ? (double)k->row_scale[i] : 1);
    }
  }
  return y;
}

typedef struct options {
  int64_t first;
  int weighted;
  bool scaled, self, selves;
} options;

static void check_one(int64_t n_rows, int64_t n_columns, int64_t degree, int64_t C, options o) {
  uint64_t state = (uint64_t)(n_rows + 31 * C + 977 * degree + o.weighted);
  spmm_case k = {.m = test_csr_new(n_rows, n_columns, degree, o.first, o.weighted, &state), .C = C};
  k.x = test_random(n_columns * C, 1, &state, NULL);
  if (o.scaled) {
    k.row_scale = test_random(n_rows, 1, &state, NULL);
    k.column_scale = test_random(n_columns, 1, &state, NULL);
  }
  if (o.self) k.n_self = n_rows < n_columns ? n_rows : n_columns;
  if (o.selves) {
    k.self = test_calloc(n_rows, sizeof *k.self);
    k.n_self = n_rows;
    for (int64_t i = 0; i < n_rows; ++i) k.self[i] = (int32_t)test_below(&state, n_columns + 1) - 1;
  }
  trm_real *start = test_random(n_rows * C, 1, &state, NULL);
  double *y = reference(&k);
  kernel_case c = {.name = "spmm",
                   .run = run,
                   .context = &k,
                   .n = {n_rows * C},
                   .want = {y},
                   .tolerance = {8 + 4 * sqrt(10.0 * (double)degree)}};
  check_kernel(c);
  k.add = true;
  c.start[0] = start;
  check_kernel(c);
  test_csr_free(&k.m);
  free(k.x);
  free(k.row_scale);
  free(k.column_scale);
  free(k.self);
  free(start);
  free(y);
}

/* The sum is r_i times the terms one after another, self first: exactly, where nothing is rounded but
 * the sum itself. */
static void check_order(void *context, const char *isa) {
  (void)context;
  (void)isa;
  enum { C = 21, N = 40 };
  int32_t columns[N];
  trm_real x[N * C], y[C];
  uint64_t state = 5;
  for (int i = 0; i < N; ++i) columns[i] = (i * 7) % N;
  for (int i = 0; i < N * C; ++i) x[i] = (trm_real)test_uniform(&state);
  const int64_t offsets[2] = {0, N};
  const int32_t self = 3;
  const trm_csr a = {
      .n_rows = 1, .n_columns = N, .n_edges = N, .offsets = offsets, .columns = columns};
  trm_spmm(y, x, &a, NULL, NULL, &self, 1, C, false);
  for (int c = 0; c < C; ++c) {
    trm_real sum = x[self * C + c];
    for (int i = 0; i < N; ++i) sum += x[columns[i] * C + c];
    CHECK(y[c] == sum);
  }
}

static void check_scales(void *context, const char *isa) {
  (void)context;
  (void)isa;
  enum { N = 5000 };
  static float degrees[N], counts[N];
  static trm_real y[N];
  for (int i = 0; i < N; ++i) {
    degrees[i] = (float)(i % 9) / 2;
    counts[i] = (float)(i % 5);
  }
  for (int self = 0; self < 2; ++self) {
    trm_target_scales(y, NULL, counts, self, N);
    for (int i = 0; i < N; ++i) {
      const double s = (double)counts[i] + self, want = s == 0 ? 0 : 1 / s;
      CHECK_NEAR_AT(y[i], want, 2 * REAL_EPSILON, i);
    }
    trm_target_scales(y, degrees, counts, self, N);
    for (int i = 0; i < N; ++i) {
      const double s = (double)counts[i] + self;
      const double want = s == 0 ? 0 : sqrt((double)degrees[i] + self) / s;
      CHECK_NEAR_AT(y[i], want, 4 * REAL_EPSILON, i);
    }
    trm_source_scales(y, degrees, self, N);
    for (int i = 0; i < N; ++i) {
      const double s = (double)degrees[i] + self, want = s == 0 ? 0 : 1 / sqrt(s);
      CHECK_NEAR_AT(y[i], want, 4 * REAL_EPSILON, i);
    }
  }
}

int main(void) {
  const options plain = {0}, weighted = {.weighted = 1},
                full = {.first = 7, .weighted = 2, .scaled = true, .self = true};
  const options scaled = {.scaled = true, .selves = true};
  check_one(0, 5, 2, 4, plain);
  check_one(3, 0, 2, 4, plain);
  check_one(1, 1, 1, 1, full);
  check_one(5, 9, 2, 0, plain);
  for (int64_t C = 1; C <= 36; ++C) check_one(23, 17, 3, C, C % 2 ? full : scaled);
  for (int64_t C = 47; C <= 145; C += 7) check_one(11, 19, 2, C, C % 2 ? weighted : full);
  check_one(9, 9, 2, 128, plain);
  check_one(9, 9, 2, 256, full);
  check_one(9, 9, 2, 512, weighted);
  check_one(9, 9, 2, 515, plain);
  check_one(4000, 3000, 8, 40, full); /* several chunks and threads */
  check_one(2000, 3000, 8, 64, scaled);
  check_one(30000, 100, 1, 3, plain);
  for_each_isa(check_order, NULL);
  for_each_isa(check_scales, NULL);
  return check_verdict();
}
