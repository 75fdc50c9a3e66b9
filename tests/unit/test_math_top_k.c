/* The K greatest of each row, with columns left out and many equals, against sorting the row. */
#include "csr_check.h"
#include "trireme/math/graph_kernels.h"

typedef struct top_case {
  const trm_real *x;
  const trm_csr *exclude;
  int64_t n, C, K;
} top_case;

static void run(void *p, trm_real **out) {
  const top_case *t = p;
  int32_t *top = test_calloc(t->n * t->K, sizeof *top);
  trm_top_k(top, t->x, t->exclude, t->n, t->C, t->K);
  for (int64_t i = 0; i < t->n * t->K; ++i) out[0][i] = (trm_real)top[i];
  free(top);
}

/* The same in tiles of 100 columns. */
static void run_tiles(void *p, trm_real **out) {
  const top_case *t = p;
  int32_t *columns = test_calloc(t->n * t->K, sizeof *columns);
  trm_real *tile = NEW_REALS(t->n * 100);
  for (int64_t first = 0; first < t->C; first += 100) {
    const int64_t n = t->C - first < 100 ? t->C - first : 100;
    for (int64_t i = 0; i < t->n * n; ++i) tile[i] = t->x[i / n * t->C + first + i % n];
    trm_top_k_tile(columns, out[1], tile, t->n, first, n, t->K);
  }
  for (int64_t i = 0; i < t->n * t->K; ++i) out[0][i] = (trm_real)columns[i];
  free(columns);
  free(tile);
}

static bool excluded(const trm_csr *exclude, int64_t row, int64_t column) {
  for (int64_t e = exclude ? exclude->offsets[row] : 0; exclude && e < exclude->offsets[row + 1];
       ++e) {
    if (exclude->columns[e] == column) return true;
  }
  return false;
}

/* Takes the best again and again; the row has no NaN. */
static void reference(const top_case *t, double *want) {
  bool *taken = test_calloc(t->C, sizeof *taken);
  for (int64_t i = 0; i < t->n; ++i) {
    for (int64_t c = 0; c < t->C; ++c) taken[c] = excluded(t->exclude, i, c);
    for (int64_t k = 0; k < t->K; ++k) {
      int64_t best = -1;
      for (int64_t c = 0; c < t->C; ++c) {
        if (!taken[c] && (best < 0 || t->x[i * t->C + c] > t->x[i * t->C + best])) best = c;
      }
      want[i * t->K + k] = (double)best;
      if (best >= 0) taken[best] = true;
    }
  }
  free(taken);
}

/* Values are of `levels` kinds, or all different; every `out_of`th column is left out, in the rows
 * [first, first + n) of a longer list. */
static void check(int64_t n, int64_t C, int64_t K, int64_t levels, int64_t out_of) {
  enum { FIRST = 3 };
  uint64_t state = (uint64_t)(n + 31 * C + 977 * K + levels);
  trm_real *x = NEW_REALS(n * C);
  int64_t *offsets = test_calloc(n + FIRST + 1, sizeof *offsets);
  int32_t *columns = test_calloc((n + FIRST) * C, sizeof *columns);
  int64_t e = 0;
  for (int64_t i = 0; i < n * C; ++i) {
    x[i] = (trm_real)(levels > 0 ? (double)test_below(&state, levels) : test_uniform(&state));
  }
  for (int64_t i = 0; i < n + FIRST; ++i) {
    for (int64_t c = 0; c < C; ++c) {
      if (out_of > 0 && (c + i) % out_of == 0) columns[e++] = (int32_t)c;
    }
    offsets[i + 1] = e;
  }
  const trm_csr exclude = {n, C, e, offsets + FIRST, columns, NULL, NULL};
  top_case t = {x, out_of > 0 ? &exclude : NULL, n, C, K};
  double *want = NEW_DOUBLES(n * K);
  reference(&t, want);
  check_kernel((kernel_case){
      .name = "top_k", .run = run, .context = &t, .n = {n * K}, .want = {want}, .tolerance = {0}});
  if (!t.exclude && K <= C) {
    double *values = NEW_DOUBLES(n * K);
    for (int64_t i = 0; i < n * K; ++i) values[i] = (double)x[i / K * C + (int64_t)want[i]];
    check_kernel((kernel_case){.name = "top_k_tile",
                               .run = run_tiles,
                               .context = &t,
                               .n = {n * K, n * K},
                               .want = {want, values},
                               .tolerance = {0, 0}});
    free(values);
  }
  free(x);
  free(offsets);
  free(columns);
  free(want);
}

int main(void) {
  static const int64_t widths[] = {1, 5, 64, 65, 127, 128, 700}, firsts[] = {1, 2, 20, 64, 200};
  for (size_t c = 0; c < sizeof widths / sizeof widths[0]; ++c) {
    for (size_t k = 0; k < sizeof firsts / sizeof firsts[0]; ++k) {
      for (int64_t levels = 0; levels <= 4; levels += 2) {
        check(9, widths[c], firsts[k], levels, 0);
        check(9, widths[c], firsts[k], levels, 3);
        check(2, widths[c], firsts[k], levels, 1); /* nothing is left */
      }
    }
  }
  check(0, 5, 3, 0, 0);
  check(300, 300, 10, 50, 7); /* shared out among threads */
  return check_verdict();
}
