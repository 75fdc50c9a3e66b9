#include "isa.h"

#include "columns.h"
#include "real_math.h"
#include "simd.h"

static trm_real sum_square_distance(const trm_real *x, trm_real mean, int64_t C) {
  const trm_lanes m = trm_lanes_set(mean);
  trm_lanes sum = trm_lanes_set(0);
  for (int64_t c = 0; c + TRM_LANES <= C; c += TRM_LANES) {
    const trm_lanes d = trm_lanes_sub(trm_lanes_load(x + c), m);
    sum = trm_lanes_fma(sum, d, d);
  }
  const int64_t rest = C % TRM_LANES;
  if (rest > 0) {
    const trm_lanes d = trm_lanes_sub(trm_lanes_load_last(x, C, mean), m);
    sum = trm_lanes_fma(sum, d, trm_lanes_keep_last(d, rest));
  }
  return trm_lanes_sum(sum);
}

/* The variance is taken in a second pass over the row, which is in cache then: one pass by sums of
 * squares loses all digits when the mean is large. */
void trm_layernorm_forward(trm_real *y, trm_real *mean, trm_real *rstd, const trm_real *x,
                           const trm_real *w, const trm_real *b, int64_t N, int64_t C,
                           trm_real eps) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *C))
  for (int64_t r = 0; r < N; ++r) {
    const trm_real *row = x + r * C;
    trm_real *out = y + r * C;
    const trm_real m = trm_sum_row(row, C) / (trm_real)C;
    const trm_real s = 1 / trm_sqrt(sum_square_distance(row, m, C) / (trm_real)C + eps);
    if (b) {
      for (int64_t c = 0; c < C; ++c) out[c] = trm_fma(b[c], (row[c] - m) * s, w[c]);
    } else {
      for (int64_t c = 0; c < C; ++c) out[c] = (row[c] - m) * s * w[c];
    }
    mean[r] = m;
    rstd[r] = s;
  }
}

typedef struct row_sums {
  trm_real g, gx; /* sums over the row of dy w and dy w xhat */
} row_sums;

static row_sums sum_row_gradients(const trm_real *dy, const trm_real *x, const trm_real *w,
                                  trm_real mean, trm_real rstd, int64_t C) {
  const trm_lanes m = trm_lanes_set(mean), s = trm_lanes_set(rstd);
  trm_lanes sum_g = trm_lanes_set(0), sum_gx = sum_g;
  for (int64_t c = 0; c + TRM_LANES <= C; c += TRM_LANES) {
    const trm_lanes g = trm_lanes_mul(trm_lanes_load(dy + c), trm_lanes_load(w + c));
    const trm_lanes xhat = trm_lanes_mul(trm_lanes_sub(trm_lanes_load(x + c), m), s);
    sum_g = trm_lanes_add(sum_g, g);
    sum_gx = trm_lanes_fma(sum_gx, g, xhat);
  }
  const int64_t rest = C % TRM_LANES;
  if (rest > 0) {
    const trm_lanes last_dy = trm_lanes_keep_last(trm_lanes_load_last(dy, C, 0), rest);
    const trm_lanes g = trm_lanes_mul(last_dy, trm_lanes_load_last(w, C, 0));
    const trm_lanes d = trm_lanes_sub(trm_lanes_load_last(x, C, mean), m);
    sum_g = trm_lanes_add(sum_g, g);
    sum_gx = trm_lanes_fma(sum_gx, g, trm_lanes_mul(d, s));
  }
  return (row_sums){trm_lanes_sum(sum_g), trm_lanes_sum(sum_gx)};
}

/* g - mean(g) - xhat mean(g xhat), g = dy w. */
TRM_INLINE trm_real centred(trm_real dy, trm_real w, trm_real xhat, trm_real g_mean,
                            trm_real gx_mean) {
  return trm_fma(trm_fma(-g_mean, dy, w), -xhat, gx_mean);
}

/* dx = rstd (g - mean(g) - xhat mean(g xhat)). */
static void backward_row(trm_real *dx, const trm_real *dy, const trm_real *x, const trm_real *w,
                         trm_real mean, trm_real rstd, int64_t C, bool add) {
  const row_sums sums = sum_row_gradients(dy, x, w, mean, rstd, C);
  const trm_real g_mean = sums.g / (trm_real)C, gx_mean = sums.gx / (trm_real)C;
  if (add) {
    for (int64_t c = 0; c < C; ++c) {
      const trm_real xhat = (x[c] - mean) * rstd;
      dx[c] = trm_fma(dx[c], rstd, centred(dy[c], w[c], xhat, g_mean, gx_mean));
    }
  } else {
    for (int64_t c = 0; c < C; ++c) {
      const trm_real xhat = (x[c] - mean) * rstd;
      dx[c] = rstd * centred(dy[c], w[c], xhat, g_mean, gx_mean);
    }
  }
}

/* Sums of dy xhat and dy over a tile of rows and columns. */
static void sum_tile(trm_real *dw, trm_real *db, const trm_real *dy, const trm_real *x,
                     const trm_real *mean, const trm_real *rstd, int64_t rows, int64_t columns,
                     int64_t C) {
  int64_t c = 0;
  for (; c + 2 * TRM_LANES <= columns; c += 2 * TRM_LANES) {
    trm_lanes w0 = trm_lanes_set(0), w1 = w0, b0 = w0, b1 = w0;
    for (int64_t r = 0; r < rows; ++r) {
      const trm_lanes m = trm_lanes_set(mean[r]), s = trm_lanes_set(rstd[r]);
      const trm_real *py = dy + r * C + c, *px = x + r * C + c;
      const trm_lanes y0 = trm_lanes_load(py), y1 = trm_lanes_load(py + TRM_LANES);
      const trm_lanes x0 = trm_lanes_load(px), x1 = trm_lanes_load(px + TRM_LANES);
      w0 = trm_lanes_fma(w0, y0, trm_lanes_mul(trm_lanes_sub(x0, m), s));
      w1 = trm_lanes_fma(w1, y1, trm_lanes_mul(trm_lanes_sub(x1, m), s));
      b0 = trm_lanes_add(b0, y0);
      b1 = trm_lanes_add(b1, y1);
    }
    trm_lanes_store(dw + c, w0);
    trm_lanes_store(dw + c + TRM_LANES, w1);
    trm_lanes_store(db + c, b0);
    trm_lanes_store(db + c + TRM_LANES, b1);
  }
  for (int64_t i = c; i < columns; ++i) dw[i] = db[i] = 0;
  for (int64_t r = 0; r < rows && c < columns; ++r) {
    for (int64_t i = c; i < columns; ++i) {
      dw[i] = trm_fma(dw[i], dy[r * C + i], (x[r * C + i] - mean[r]) * rstd[r]);
      db[i] += dy[r * C + i];
    }
  }
}

/* A second reading of dy and x, which is cheaper than a partial sum per row chunk as wide as C. */
static void backward_parameters(trm_real *dw, trm_real *db, const trm_real *dy, const trm_real *x,
                                const trm_real *mean, const trm_real *rstd, int64_t N, int64_t C,
                                bool add) {
  const int64_t chunk_rows = trm_column_chunk_rows(N);
  const int64_t n_chunks = trm_ceil_div(N, chunk_rows);
  for (int64_t c0 = 0; c0 < C; c0 += TRM_COLUMN_SPAN) {
    const int64_t span = trm_min_i64(TRM_COLUMN_SPAN, C - c0);
    const int64_t n_tiles = trm_ceil_div(span, TRM_COLUMN_TILE);
    trm_real partial_w[TRM_ROW_CHUNKS * TRM_COLUMN_SPAN];
    trm_real partial_b[TRM_ROW_CHUNKS * TRM_COLUMN_SPAN];
#pragma omp parallel for schedule(static) num_threads(trm_team(n_chunks *n_tiles, N *span))
    for (int64_t u = 0; u < n_chunks * n_tiles; ++u) {
      const int64_t row0 = (u / n_tiles) * chunk_rows, column0 = (u % n_tiles) * TRM_COLUMN_TILE;
      const int64_t at = (u / n_tiles) * TRM_COLUMN_SPAN + column0;
      const int64_t from = row0 * C + c0 + column0;
      sum_tile(partial_w + at, partial_b + at, dy + from, x + from, mean + row0, rstd + row0,
               trm_min_i64(chunk_rows, N - row0), trm_min_i64(TRM_COLUMN_TILE, span - column0), C);
    }
    trm_add_partials(dw + c0, partial_w, n_chunks, span, add);
    if (db) trm_add_partials(db + c0, partial_b, n_chunks, span, add);
  }
}

void trm_layernorm_backward(trm_real *dx, trm_real *dw, trm_real *db, const trm_real *dy,
                            const trm_real *x, const trm_real *mean, const trm_real *rstd,
                            const trm_real *w, int64_t N, int64_t C, bool add_dx, bool add_dw) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *C))
  for (int64_t r = 0; r < N; ++r) {
    backward_row(dx + r * C, dy + r * C, x + r * C, w, mean[r], rstd[r], C, add_dx);
  }
  if (dw) backward_parameters(dw, db, dy, x, mean, rstd, N, C, add_dw);
}
