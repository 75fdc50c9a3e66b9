/** Rows added up by id: the way back of gathering, the way there of scattering. */
#ifndef TRIREME_NN_SORTED_ROWS_H
#define TRIREME_NN_SORTED_ROWS_H

#include "hop_rows.h"
#include "trireme/math/graph_kernels.h"

/** Elements of scratch for n rows that go to n_rows. */
static inline int64_t trm_add_rows_cost(int64_t n, int64_t n_rows) {
  const int64_t bytes = (n_rows + 1) * (int64_t)sizeof(int64_t) + n * (int64_t)sizeof(int32_t);
  return trm_scratch_cost((bytes + (int64_t)sizeof(trm_real) - 1) / (int64_t)sizeof(trm_real));
}

/** y[n_rows, C] (+)= the rows of x[n, C] by id, in order of rows. */
static inline void trm_add_rows(trm_real *y, const trm_real *x, const int32_t *ids, int64_t n,
                                int64_t n_rows, int64_t C, bool add, trm_real *scratch) {
  int64_t *offsets = (int64_t *)(void *)scratch;
  int32_t *order = (int32_t *)(void *)(offsets + n_rows + 1);
  trm_sort_rows(offsets, order, ids, n, n_rows);
  const trm_csr places = {
      .n_rows = n_rows, .n_columns = n, .n_edges = n, .offsets = offsets, .columns = order};
  trm_spmm(y, x, &places, NULL, NULL, NULL, 0, C, add);
}

#endif
