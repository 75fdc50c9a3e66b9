/**
 * Batch normalisation: statistics of columns, and what uses them. Sums over rows run in the chunks
 * and tiles of columns.h.
 */
#include "isa.h"

#include "columns.h"
#include "real_math.h"
#include "simd.h"

/* Sums of a tile of rows and columns of a b, or of (a - shift) (b - shift). */
static void sum_tile(trm_real *restrict sum, const trm_real *a, const trm_real *b,
                     const trm_real *shift, int64_t rows, int64_t columns, int64_t C) {
  for (int64_t c = 0; c < columns; ++c) sum[c] = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const trm_real *p = a + r * C, *q = b + r * C;
    if (shift) {
      for (int64_t c = 0; c < columns; ++c) {
        sum[c] = trm_fma(sum[c], p[c] - shift[c], q[c] - shift[c]);
      }
    } else {
      for (int64_t c = 0; c < columns; ++c) sum[c] = trm_fma(sum[c], p[c], q[c]);
    }
  }
}

/* sum (+)= sums over rows of a b, or of (a - shift) (b - shift). */
static void sum_products(trm_real *sum, const trm_real *a, const trm_real *b, const trm_real *shift,
                         int64_t N, int64_t C, bool add) {
  const int64_t chunk_rows = trm_column_chunk_rows(N);
  const int64_t n_chunks = trm_ceil_div(N, chunk_rows);
  for (int64_t c0 = 0; c0 < C; c0 += TRM_COLUMN_SPAN) {
    const int64_t span = trm_min_i64(TRM_COLUMN_SPAN, C - c0);
    const int64_t n_tiles = trm_ceil_div(span, TRM_COLUMN_TILE);
    trm_real partial[TRM_ROW_CHUNKS * TRM_COLUMN_SPAN];
#pragma omp parallel for schedule(static) num_threads(trm_team(n_chunks *n_tiles, N *span))
    for (int64_t u = 0; u < n_chunks * n_tiles; ++u) {
      const int64_t row0 = (u / n_tiles) * chunk_rows, column0 = (u % n_tiles) * TRM_COLUMN_TILE;
      const int64_t from = row0 * C + c0 + column0;
      sum_tile(partial + (u / n_tiles) * TRM_COLUMN_SPAN + column0, a + from, b + from,
               shift ? shift + c0 + column0 : NULL, trm_min_i64(chunk_rows, N - row0),
               trm_min_i64(TRM_COLUMN_TILE, span - column0), C);
    }
    trm_add_partials(sum + c0, partial, n_chunks, span, add);
  }
}

void trm_column_products(trm_real *sum, const trm_real *a, const trm_real *b, int64_t N, int64_t C,
                         bool add) {
  sum_products(sum, a, b, NULL, N, C, add);
}

/* The variance is taken in a second pass: one pass by sums of squares loses all digits when the mean
 * is large. */
void trm_moments(trm_real *mean, trm_real *variance, const trm_real *x, int64_t N, int64_t C) {
  const trm_real n = (trm_real)trm_max_i64(N, 1);
  trm_bias_backward(mean, x, N, C, false);
  for (int64_t c = 0; c < C; ++c) mean[c] /= n;
  sum_products(variance, x, x, mean, N, C, false);
  for (int64_t c = 0; c < C; ++c) variance[c] /= n;
}

void trm_standardize_forward(trm_real *y, const trm_real *x, const trm_real *mean,
                             const trm_real *rstd, int64_t N, int64_t C) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *C))
  for (int64_t r = 0; r < N; ++r) {
    for (int64_t c = 0; c < C; ++c) y[r * C + c] = (x[r * C + c] - mean[c]) * rstd[c];
  }
}

void trm_standardize_backward(trm_real *dx, trm_real *sums, const trm_real *dy, const trm_real *y,
                              const trm_real *rstd, int64_t N, int64_t C, bool add) {
  const trm_real n = (trm_real)trm_max_i64(N, 1);
  trm_real *g = sums, *gy = sums + C;
  trm_bias_backward(g, dy, N, C, false);
  trm_column_products(gy, dy, y, N, C, false);
  for (int64_t c = 0; c < 2 * C; ++c) sums[c] /= n;
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *C))
  for (int64_t r = 0; r < N; ++r) {
    const trm_real *from = dy + r * C, *row = y + r * C;
    trm_real *to = dx + r * C;
    if (add) {
      for (int64_t c = 0; c < C; ++c) {
        to[c] = trm_fma(to[c], rstd[c], trm_fma(from[c] - g[c], -row[c], gy[c]));
      }
    } else {
      for (int64_t c = 0; c < C; ++c) to[c] = rstd[c] * trm_fma(from[c] - g[c], -row[c], gy[c]);
    }
  }
}

void trm_scale_shift_forward(trm_real *y, const trm_real *x, const trm_real *w, const trm_real *b,
                             int64_t N, int64_t C) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *C))
  for (int64_t r = 0; r < N; ++r) {
    for (int64_t c = 0; c < C; ++c) y[r * C + c] = trm_fma(b[c], x[r * C + c], w[c]);
  }
}

void trm_scale_shift_backward(trm_real *dx, const trm_real *dy, const trm_real *w, int64_t N,
                              int64_t C, bool add) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *C))
  for (int64_t r = 0; r < N; ++r) {
    if (add) {
      for (int64_t c = 0; c < C; ++c) dx[r * C + c] = trm_fma(dx[r * C + c], dy[r * C + c], w[c]);
    } else {
      for (int64_t c = 0; c < C; ++c) dx[r * C + c] = dy[r * C + c] * w[c];
    }
  }
}
