/* Maximum over edges and its way back against plain loops, winners included: ties, repeated edges,
 * selves that are edges too, ids, NaN. */
#include "csr_check.h"
#include "trireme/math/graph_kernels.h"

typedef struct max_case {
  test_csr m, t; /* t: the transpose */
  trm_real *x, *dy;
  trm_winner *winners;
  int32_t *self, *self_of, *ids;
  int64_t n_self, C;
  bool add;
} max_case;

static void run_forward(void *p, trm_real **out) {
  const max_case *k = p;
  trm_winner *winners = k->winners;
  trm_neighbor_max(out[0], winners, k->x, &k->m.a, k->self, k->n_self, k->ids, k->C);
  for (int64_t i = 0; i < k->m.a.n_rows * k->C; ++i) out[1][i] = (trm_real)winners[i];
}
static void run_backward(void *p, trm_real **out) {
  const max_case *k = p;
  trm_neighbor_max_backward(out[0], k->dy, k->winners, &k->t.a, k->self_of,
                            k->self_of ? k->t.a.n_rows
                            : k->n_self > 0
                                ? (k->m.a.n_rows < k->t.a.n_rows ? k->m.a.n_rows : k->t.a.n_rows)
                                : 0,
                            k->ids, k->C, k->add);
}

/* y, the column that won (-1: none) and what the columns get back. */
static void reference(const max_case *k, double *y, double *winners, double *dx) {
  const trm_csr *a = &k->m.a;
  for (int64_t i = 0; i < a->n_rows; ++i) {
    const int64_t s = i >= k->n_self ? -1 : k->self ? k->self[i] : i;
    for (int64_t c = 0; c < k->C; ++c) {
      int64_t best = s;
      for (int64_t e = a->offsets[i]; e < a->offsets[i + 1]; ++e) {
        const int64_t j = a->columns[e];
        if (best < 0 || k->x[j * k->C + c] > k->x[best * k->C + c]) best = j;
      }
      const int64_t at = i * k->C + c;
      y[at] = best < 0 ? 0 : (double)k->x[best * k->C + c];
      winners[at] = best < 0 ? -1 : k->ids ? k->ids[best] : (double)best;
      if (best >= 0) dx[best * k->C + c] += (double)k->dy[at];
    }
  }
}

static void check_one(int64_t n_rows, int64_t n_columns, int64_t degree, int64_t C, bool self,
                      bool selves, bool ids) {
  uint64_t state = (uint64_t)(n_rows + 31 * C + 977 * degree);
  max_case k = {.m = test_csr_new(n_rows, n_columns, degree, 0, 0, &state), .C = C};
  k.t = test_csr_transposed(&k.m.a);
  k.x = NEW_REALS(n_columns * C);
  for (int64_t i = 0; i < n_columns * C; ++i) { /* many ties */
    k.x[i] = (trm_real)(test_below(&state, 9) - 5);
  }
  k.dy = test_random(n_rows * C, 1, &state, NULL);
  k.winners = test_calloc(n_rows * C, sizeof *k.winners);
  if (self) k.n_self = n_rows < n_columns ? n_rows : n_columns;
  if (selves) { /* the last columns are the rows' own */
    k.n_self = n_rows;
    k.self = test_calloc(n_rows, sizeof *k.self);
    k.self_of = test_calloc(n_columns, sizeof *k.self_of);
    for (int64_t j = 0; j < n_columns; ++j) k.self_of[j] = -1;
    for (int64_t i = 0; i < n_rows; ++i) {
      k.self[i] = (int32_t)(n_columns - 1 - i);
      k.self_of[n_columns - 1 - i] = (int32_t)i;
    }
  }
  if (ids) {
    k.ids = test_calloc(n_columns, sizeof *k.ids);
    for (int64_t j = 0; j < n_columns; ++j) k.ids[j] = (int32_t)((n_columns - j) * 1000);
  }
  double *y = NEW_DOUBLES(n_rows * C), *winners = NEW_DOUBLES(n_rows * C);
  double *dx = NEW_DOUBLES(n_columns * C);
  trm_real *start = test_random(n_columns * C, 1, &state, NULL);
  reference(&k, y, winners, dx);
  check_kernel((kernel_case){.name = "neighbor max",
                             .run = run_forward,
                             .context = &k,
                             .n = {n_rows * C, n_rows * C},
                             .want = {y, winners}});
  kernel_case back = {.name = "neighbor max backward",
                      .run = run_backward,
                      .context = &k,
                      .n = {n_columns * C},
                      .want = {dx},
                      .tolerance = {8 + 4 * sqrt(20.0 * (double)degree)}};
  check_kernel(back);
  k.add = true;
  back.start[0] = start;
  check_kernel(back);
  test_csr_free(&k.m);
  test_csr_free(&k.t);
  free(k.x);
  free(k.dy);
  free(k.winners);
  free(k.self);
  free(k.self_of);
  free(k.ids);
  free(y);
  free(winners);
  free(dx);
  free(start);
}

/* A NaN wins wherever it stands, also among minus infinities, and winners may be left out. */
static void check_nan(void *context, const char *isa) {
  (void)context;
  (void)isa;
  enum { N = 5, C = 19 };
  const int64_t offsets[2] = {0, N};
  const int32_t columns[N] = {0, 1, 2, 3, 4};
  const trm_csr a = {
      .n_rows = 1, .n_columns = N, .n_edges = N, .offsets = offsets, .columns = columns};
  for (int at = 0; at < N; ++at) {
    trm_real x[N * C], y[C];
    trm_winner winners[C];
    for (int i = 0; i < N * C; ++i) x[i] = (trm_real)-INFINITY;
    trm_neighbor_max(y, winners, x, &a, NULL, 0, NULL, C);
    for (int c = 0; c < C; ++c) CHECK(y[c] == (trm_real)-INFINITY && winners[c] == 0);
    for (int i = 0; i < N * C; ++i) x[i] = (trm_real)(i % 7);
    for (int c = 0; c < C; ++c) x[at * C + c] = (trm_real)NAN;
    trm_neighbor_max(y, winners, x, &a, NULL, 0, NULL, C);
    for (int c = 0; c < C; ++c) CHECK(isnan(y[c]) && winners[c] == at);
    trm_neighbor_max(y, NULL, x, &a, NULL, 0, NULL, C);
    for (int c = 0; c < C; ++c) CHECK(isnan(y[c]));
  }
}

int main(void) {
  check_one(0, 3, 1, 2, false, false, false);
  check_one(3, 0, 1, 2, false, false, false);
  check_one(1, 1, 1, 1, true, false, false);
  check_one(4, 9, 2, 0, false, false, false);
  for (int64_t C = 1; C <= 70; C += C < 20 ? 1 : 7) {
    check_one(13, 17, 3, C, C % 3 == 0, C % 3 == 1, C % 2 == 0);
  }
  check_one(17, 5, 3, 6, true, false, true); /* fewer columns than rows */
  check_one(9, 9, 2, 140, true, false, true);
  check_one(2000, 2500, 8, 24, false, true, true);
  check_one(3000, 2500, 4, 33, true, false, false);
  for_each_isa(check_nan, NULL);
  return check_verdict();
}
