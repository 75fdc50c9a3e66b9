/** Small operations on rows of several heads, H parts of C elements one after another. */
#include "isa.h"

#include "columns.h"
#include "row_dot.h"
#include "simd.h"

/* Sums of a tile: rows of x and ds, columns [column, column + columns) of all heads' together. */
static void sum_tile(trm_real *restrict sum, const trm_real *ds, const trm_real *x, int64_t rows,
                     int64_t column, int64_t columns, int64_t H, int64_t C) {
  for (int64_t k = 0; k < columns; ++k) sum[k] = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const trm_real *row = x + r * H * C + column;
    for (int64_t k = 0; k < columns;) { /* up to where the next head begins */
      const int64_t h = (column + k) / C;
      const int64_t end = trm_min_i64(columns, (h + 1) * C - column);
      const trm_real d = ds[r * H + h];
      for (; k < end; ++k) sum[k] = trm_fma(sum[k], d, row[k]);
    }
  }
}

void trm_head_dot_forward(trm_real *s, const trm_real *x, const trm_real *a, int64_t N, int64_t H,
                          int64_t C) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *H *C))
  for (int64_t r = 0; r < N; ++r) {
    for (int64_t h = 0; h < H; ++h) {
      s[r * H + h] = trm_dot_row(x + (r * H + h) * C, a + h * C, C);
    }
  }
}

static void backward_a(trm_real *da, const trm_real *ds, const trm_real *x, int64_t N, int64_t H,
                       int64_t C, bool add) {
  const int64_t chunk_rows = trm_column_chunk_rows(N), width = H * C;
  const int64_t n_chunks = trm_ceil_div(N, chunk_rows);
  for (int64_t c0 = 0; c0 < width; c0 += TRM_COLUMN_SPAN) {
    const int64_t span = trm_min_i64(TRM_COLUMN_SPAN, width - c0);
    const int64_t n_tiles = trm_ceil_div(span, TRM_COLUMN_TILE);
    trm_real partial[TRM_ROW_CHUNKS * TRM_COLUMN_SPAN];
#pragma omp parallel for schedule(static) num_threads(trm_team(n_chunks *n_tiles, N *span))
    for (int64_t u = 0; u < n_chunks * n_tiles; ++u) {
      const int64_t row0 = (u / n_tiles) * chunk_rows, column0 = (u % n_tiles) * TRM_COLUMN_TILE;
      sum_tile(partial + (u / n_tiles) * TRM_COLUMN_SPAN + column0, ds + row0 * H, x + row0 * width,
               trm_min_i64(chunk_rows, N - row0), c0 + column0,
               trm_min_i64(TRM_COLUMN_TILE, span - column0), H, C);
    }
    trm_add_partials(da + c0, partial, n_chunks, span, add);
  }
}

void trm_head_dot_backward(trm_real *dx, trm_real *da, const trm_real *ds, const trm_real *x,
                           const trm_real *a, int64_t N, int64_t H, int64_t C, bool add_dx,
                           bool add_da) {
  if (da) backward_a(da, ds, x, N, H, C, add_da);
  if (!dx) return;
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *H *C))
  for (int64_t r = 0; r < N; ++r) {
    for (int64_t h = 0; h < H; ++h) {
      const trm_real d = ds[r * H + h];
      const trm_real *from = a + h * C;
      trm_real *to = dx + (r * H + h) * C;
      if (add_dx) {
        for (int64_t c = 0; c < C; ++c) to[c] = trm_fma(to[c], d, from[c]);
      } else {
        for (int64_t c = 0; c < C; ++c) to[c] = d * from[c];
      }
    }
  }
}

void trm_head_mean_forward(trm_real *y, const trm_real *x, int64_t N, int64_t H, int64_t C) {
  const trm_real share = 1 / (trm_real)H;
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *H *C))
  for (int64_t r = 0; r < N; ++r) {
    const trm_real *from = x + r * H * C;
    trm_real *to = y + r * C;
    for (int64_t c = 0; c < C; ++c) to[c] = from[c];
    for (int64_t h = 1; h < H; ++h) {
      for (int64_t c = 0; c < C; ++c) to[c] += from[h * C + c];
    }
    for (int64_t c = 0; c < C; ++c) to[c] *= share;
  }
}

void trm_head_mean_backward(trm_real *dx, const trm_real *dy, int64_t N, int64_t H, int64_t C,
                            bool add) {
  const trm_real share = 1 / (trm_real)H;
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *H *C))
  for (int64_t r = 0; r < N; ++r) {
    const trm_real *from = dy + r * C;
    for (int64_t h = 0; h < H; ++h) {
      trm_real *to = dx + (r * H + h) * C;
      if (add) {
        for (int64_t c = 0; c < C; ++c) to[c] = trm_fma(to[c], share, from[c]);
      } else {
        for (int64_t c = 0; c < C; ++c) to[c] = share * from[c];
      }
    }
  }
}
