/**
 * Sums over rows. Rows are cut into at most 16 chunks by their number alone, each chunk is summed
 * in row order, and the chunk sums are added in chunk order; columns are cut into tiles, so there is
 * work for several threads at any width. Partial sums lie on the stack of the calling thread.
 */
#ifndef TRIREME_MATH_KERNELS_COLUMNS_H
#define TRIREME_MATH_KERNELS_COLUMNS_H

#include "simd.h"
#include "team.h"

enum {
  TRM_ROW_CHUNKS = 16,
  TRM_COLUMN_TILE = 64,  /* 4 x 16 lanes */
  TRM_COLUMN_SPAN = 512, /* columns done at once: bounds the stack at 32 KiB per sum */
};

TRM_INLINE int64_t trm_column_chunk_rows(int64_t N) {
  return trm_max_i64(32, trm_ceil_div(N, TRM_ROW_CHUNKS));
}

/** sum[c] (+)= partial[chunk][c] in chunk order. */
TRM_INLINE void trm_add_partials(trm_real *sum, const trm_real *partial, int64_t n_chunks,
                                 int64_t columns, bool add) {
  for (int64_t c = 0; c < columns; ++c) {
    trm_real s = 0;
    for (int64_t k = 0; k < n_chunks; ++k) s += partial[k * TRM_COLUMN_SPAN + c];
    sum[c] = add ? sum[c] + s : s;
  }
}

#endif
