/** Random sparse matrices for tests, after kernel_check.h. */
#ifndef TRIREME_TESTS_CSR_CHECK_H
#define TRIREME_TESTS_CSR_CHECK_H

#include "kernel_check.h"
#include "trireme/core/csr.h"

typedef struct test_csr {
  trm_csr a;
  int64_t *offsets, *map;
  int32_t *columns;
  float *values;
} test_csr;

/**
 * Rows with no edges, with a few (some of them twice), and one with many. The first edge stands at
 * place `first`, whatever stands before it is out of bounds for columns.
 * @param weighted  0: no values, 1: values, 2: values by a map
 */
static inline test_csr test_csr_new(int64_t n_rows, int64_t n_columns, int64_t degree,
                                    int64_t first, int weighted, uint64_t *state) {
  test_csr t = {.a = {.n_rows = n_rows, .n_columns = n_columns}};
  t.offsets = test_calloc(n_rows + 1, sizeof *t.offsets);
  t.offsets[0] = first;
  for (int64_t i = 0; i < n_rows; ++i) {
    int64_t d = n_columns > 0 && test_below(state, 4) > 0 ? test_below(state, 2 * degree + 1) : 0;
    if (i == n_rows / 2 && n_columns > 0) d = 10 * degree;
    t.offsets[i + 1] = t.offsets[i] + d;
  }
  const int64_t end = t.offsets[n_rows];
  t.columns = test_calloc(end, sizeof *t.columns);
  t.map = test_calloc(end, sizeof *t.map);
  t.values = test_calloc(end, sizeof *t.values);
  for (int64_t e = 0; e < end; ++e) {
    t.columns[e] = e < first ? INT32_MAX : (int32_t)test_below(state, n_columns);
    if (e > first && test_below(state, 5) == 0) t.columns[e] = t.columns[e - 1];
    t.map[e] = end - 1 - e;
    t.values[e] = (float)test_uniform(state);
  }
  t.a.n_edges = end - first;
  t.a.offsets = t.offsets;
  t.a.columns = t.columns;
  if (weighted > 0) t.a.values = t.values;
  if (weighted > 1) t.a.map = t.map;
  return t;
}

static inline double test_csr_value(const trm_csr *a, int64_t e) {
  return a->values ? (double)a->values[a->map ? a->map[e] : e] : 1;
}

static inline void test_csr_free(test_csr *t) {
  free(t->offsets);
  free(t->columns);
  free(t->map);
  free(t->values);
}

/** The transpose; columns of a row rise. */
static inline test_csr test_csr_transposed(const trm_csr *a) {
  test_csr t = {.a = {.n_rows = a->n_columns, .n_columns = a->n_rows, .n_edges = a->n_edges}};
  t.offsets = test_calloc(a->n_columns + 1, sizeof *t.offsets);
  t.columns = test_calloc(a->n_edges, sizeof *t.columns);
  t.map = test_calloc(a->n_edges, sizeof *t.map);
  trm_csr_transpose(a, t.offsets, t.columns, t.map);
  t.a.offsets = t.offsets;
  t.a.columns = t.columns;
  t.a.values = a->values;
  t.a.map = t.map;
  return t;
}

#endif
