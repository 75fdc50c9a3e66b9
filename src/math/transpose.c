/* Transposing a matrix, by tiles that stay in the first-level cache. */
#include "trireme/math/transpose.h"

#include "kernels/micro.h"
#include "team.h"
#include "trireme/core/integers.h"

enum { TILE = 32, BAND = 64 }; /* rows or columns; a band is one thread's */

/* y[j, i] (+)= x[i, j] for i in [i0, i1), j in [j0, j1), at most TILE each. */
static void put_tile(trm_real *y, const trm_real *x, int64_t R, int64_t C, int64_t i0, int64_t i1,
                     int64_t j0, int64_t j1, bool add) {
  trm_real tile[TILE * TILE];
  if (!add) {
    trm_transpose(y + j0 * R + i0, R, x + i0 * C + j0, C, i1 - i0, j1 - j0);
    return;
  }
  trm_transpose(tile, TILE, x + i0 * C + j0, C, i1 - i0, j1 - j0);
  for (int64_t j = j0; j < j1; ++j) {
    for (int64_t i = i0; i < i1; ++i) y[j * R + i] += tile[(j - j0) * TILE + i - i0];
  }
}

/* Rows [i0, i1) and columns [j0, j1) of x. */
static void put_band(trm_real *y, const trm_real *x, int64_t R, int64_t C, int64_t i0, int64_t i1,
                     int64_t j0, int64_t j1, bool add) {
  for (int64_t j = j0; j < j1; j += TILE) {
    for (int64_t i = i0; i < i1; i += TILE) {
      put_tile(y, x, R, C, i, trm_min_i64(i + TILE, i1), j, trm_min_i64(j + TILE, j1), add);
    }
  }
}

void trm_transpose_matrix(trm_real *y, const trm_real *x, int64_t rows, int64_t columns, bool add) {
  const bool tall = rows >= columns;
  const int64_t longer = tall ? rows : columns, n_bands = trm_ceil_div(longer, BAND);
#pragma omp parallel for schedule(static) num_threads(trm_team(n_bands, rows *columns))
  for (int64_t k = 0; k < n_bands; ++k) {
    const int64_t begin = k * BAND, end = trm_min_i64(begin + BAND, longer);
    put_band(y, x, rows, columns, tall ? begin : 0, tall ? end : rows, tall ? 0 : begin,
             tall ? columns : end, add);
  }
}
