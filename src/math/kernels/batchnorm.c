/**
 * Batch normalisation: statistics of columns, and what uses them. Sums over rows run in the chunks
 * and tiles of columns.h.
 */
#include "isa.h"

#include "columns.h"
#include "real_math.h"
#include "simd.h"

/* Of a group of 16 columns. */
static void sum_group(trm_real *sum, const trm_real *a, const trm_real *b, const trm_real *shift,
                      int64_t rows, int64_t C) {
  trm_lanes s = trm_lanes_set(0);
  const trm_lanes away = shift ? trm_lanes_load(shift) : s;
  for (int64_t r = 0; r < rows; ++r) {
    trm_lanes p = trm_lanes_load(a + r * C), q = trm_lanes_load(b + r * C);
    if (shift) {
      p = trm_lanes_sub(p, away);
      q = trm_lanes_sub(q, away);
    }
    s = trm_lanes_fma(s, p, q);
  }
  trm_lanes_store(sum, s);
}

/* Sums of a tile of rows and columns of a b, or of (a - shift) (b - shift). */
static void sum_tile(trm_real *restrict sum, const trm_real *a, const trm_real *b,
                     const trm_real *shift, int64_t rows, int64_t columns, int64_t C) {
  int64_t first = 0;
  for (; first + TRM_LANES <= columns; first += TRM_LANES) {
    sum_group(sum + first, a + first, b + first, shift ? shift + first : NULL, rows, C);
  }
  if (first < columns && columns > TRM_LANES) { /* some of them again */
    first = columns - TRM_LANES;
    sum_group(sum + first, a + first, b + first, shift ? shift + first : NULL, rows, C);
    return;
  }
  for (int64_t c = first; c < columns; ++c) sum[c] = 0;
  for (int64_t r = 0; first < columns && r < rows; ++r) {
    const trm_real *p = a + r * C, *q = b + r * C;
    if (shift) {
      for (int64_t c = first; c < columns; ++c) {
        sum[c] = trm_fma(sum[c], p[c] - shift[c], q[c] - shift[c]);
      }
    } else {
      for (int64_t c = first; c < columns; ++c) sum[c] = trm_fma(sum[c], p[c], q[c]);
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

/* ---- normalised, scaled and shifted ------------------------------------------------------------- */

/* Rows are taken some at a time, so that what belongs to a group of columns is loaded once for them. */
enum { BLOCK_ROWS = 64 };

/* What belongs to 16 columns, or to one: the same operations for both. */
typedef struct group {
  trm_lanes mean, rstd, w, b;
} group;
static group group_at(const trm_batchnorm *n, int64_t c) {
  return (group){trm_lanes_load(n->mean + c), trm_lanes_load(n->rstd + c), trm_lanes_load(n->w + c),
                 trm_lanes_load(n->b + c)};
}

/* The group after the one at c; the last one begins early, where a row is long enough, and makes some
 * columns again. */
static int64_t next_group(int64_t c, int64_t C) {
  c += TRM_LANES;
  return c < C && c + TRM_LANES > C ? C - TRM_LANES : c;
}

TRM_INLINE trm_lanes standard_lanes(const group *k, trm_lanes x) {
  return trm_lanes_mul(trm_lanes_sub(x, k->mean), k->rstd);
}
TRM_INLINE trm_real standard_one(const trm_batchnorm *n, int64_t c, trm_real x) {
  return (x - n->mean[c]) * n->rstd[c];
}

/* a where y > 0, 0 elsewhere; and without the choice NaN would be lost: a where not y <= 0. */
TRM_INLINE trm_lanes lanes_where_positive(trm_lanes a, trm_lanes y) {
  for (int i = 0; i < TRM_LANE_VECTORS; ++i) {
    a.v[i] = (trm_vector)((trm_mask_vector)a.v[i] & (trm_mask_vector)(y.v[i] > 0));
  }
  return a;
}
TRM_INLINE trm_lanes lanes_relu(trm_lanes y) {
  for (int i = 0; i < TRM_LANE_VECTORS; ++i) {
    y.v[i] = (trm_vector)((trm_mask_vector)y.v[i] & ~(trm_mask_vector)(y.v[i] <= 0));
  }
  return y;
}

static void forward_rows(trm_real *y, const trm_batchnorm *n, int64_t first, int64_t end) {
  const int64_t C = n->C;
  int64_t c = 0;
  for (; c + TRM_LANES <= C; c = next_group(c, C)) {
    const group k = group_at(n, c);
    for (int64_t at = first * C + c; at < end * C; at += C) {
      const trm_lanes x = standard_lanes(&k, trm_lanes_load(n->x + at));
      const trm_lanes to = trm_lanes_fma(k.b, x, k.w);
      trm_lanes_store(y + at, n->relu ? lanes_relu(to) : to);
    }
  }
  for (int64_t r = first; c < C && r < end; ++r) {
    const trm_real *x = n->x + r * C;
    for (int64_t k = c; k < C; ++k) {
      const trm_real to = trm_fma(n->b[k], standard_one(n, k, x[k]), n->w[k]);
      y[r * C + k] = n->relu && to <= 0 ? 0 : to;
    }
  }
}

void trm_batchnorm_forward(trm_real *y, const trm_batchnorm *norm) {
  const int64_t n_blocks = trm_ceil_div(norm->N, BLOCK_ROWS);
#pragma omp parallel for schedule(static) num_threads(trm_team(n_blocks, norm->N * norm->C))
  for (int64_t k = 0; k < n_blocks; ++k) {
    const int64_t first = k * BLOCK_ROWS;
    forward_rows(y, norm, first, trm_min_i64(first + BLOCK_ROWS, norm->N));
  }
}

/* ---- backward ---------------------------------------------------------------------------------- */

/* Sums over rows, by column: of dy and dy x, x standardised; and of both with dy w in the place of dy. */
enum { DY, DY_X, DYW, DYW_X, N_SUMS };
enum { SUMS_SPAN = 128 }; /* columns done at once: 32 KiB of the stack */

/* dy as it comes before the ReLU. */
TRM_INLINE trm_lanes dy_lanes(const trm_batchnorm *n, const group *k, trm_lanes dy, trm_lanes x) {
  return n->relu ? lanes_where_positive(dy, trm_lanes_fma(k->b, x, k->w)) : dy;
}
TRM_INLINE trm_real dy_one(const trm_batchnorm *n, int64_t c, trm_real dy, trm_real x) {
  return n->relu && !(trm_fma(n->b[c], x, n->w[c]) > 0) ? 0 : dy;
}

static void sums_of_group(trm_real *sums, const trm_real *dy, const trm_batchnorm *n, int64_t c,
                          int64_t first, int64_t end) {
  const group k = group_at(n, c);
  trm_lanes s[N_SUMS];
  for (int i = 0; i < N_SUMS; ++i) s[i] = trm_lanes_set(0);
  for (int64_t at = first * n->C + c; at < end * n->C; at += n->C) {
    const trm_lanes x = standard_lanes(&k, trm_lanes_load(n->x + at));
    const trm_lanes d = dy_lanes(n, &k, trm_lanes_load(dy + at), x), dw = trm_lanes_mul(d, k.w);
    s[DY] = trm_lanes_add(s[DY], d);
    s[DY_X] = trm_lanes_fma(s[DY_X], d, x);
    s[DYW] = trm_lanes_add(s[DYW], dw);
    s[DYW_X] = trm_lanes_fma(s[DYW_X], dw, x);
  }
  for (int i = 0; i < N_SUMS; ++i) trm_lanes_store(sums + i * SUMS_SPAN, s[i]);
}

static void sums_of_column(trm_real *sums, const trm_real *dy, const trm_batchnorm *n, int64_t c,
                           int64_t first, int64_t end) {
  trm_real s[N_SUMS] = {0};
  for (int64_t at = first * n->C + c; at < end * n->C; at += n->C) {
    const trm_real x = standard_one(n, c, n->x[at]), d = dy_one(n, c, dy[at], x), dw = d * n->w[c];
    s[DY] += d;
    s[DY_X] = trm_fma(s[DY_X], d, x);
    s[DYW] += dw;
    s[DYW_X] = trm_fma(s[DYW_X], dw, x);
  }
  for (int i = 0; i < N_SUMS; ++i) sums[i * SUMS_SPAN] = s[i];
}

/* Of the last n columns, fewer than a group, in a group that begins early. */
static void sums_of_last(trm_real *sums, const trm_real *dy, const trm_batchnorm *norm, int64_t n,
                         int64_t first, int64_t end) {
  trm_real all[N_SUMS * SUMS_SPAN];
  sums_of_group(all, dy, norm, norm->C - TRM_LANES, first, end);
  for (int i = 0; i < N_SUMS; ++i) {
    memcpy(sums + i * SUMS_SPAN, all + i * SUMS_SPAN + TRM_LANES - n, (size_t)n * sizeof *sums);
  }
}

/* Rows and columns as in columns.h. */
void trm_batchnorm_sums(trm_real *sums, const trm_real *dy, const trm_batchnorm *norm) {
  const int64_t N = norm->N, C = norm->C, chunk_rows = trm_column_chunk_rows(N);
  const int64_t n_chunks = trm_ceil_div(N, chunk_rows);
  for (int64_t c0 = 0; c0 < C; c0 += SUMS_SPAN) {
    const int64_t span = trm_min_i64(SUMS_SPAN, C - c0), groups = trm_ceil_div(span, TRM_LANES);
    trm_real partial[TRM_ROW_CHUNKS][N_SUMS][SUMS_SPAN];
#pragma omp parallel for schedule(static) num_threads(trm_team(n_chunks *groups, N *span))
    for (int64_t u = 0; u < n_chunks * groups; ++u) {
      const int64_t chunk = u / groups, at = u % groups * TRM_LANES, first = chunk * chunk_rows;
      const int64_t end = trm_min_i64(first + chunk_rows, N);
      trm_real *to = &partial[chunk][0][at];
      if (at + TRM_LANES <= span) {
        sums_of_group(to, dy, norm, c0 + at, first, end);
      } else if (C > TRM_LANES) {
        sums_of_last(to, dy, norm, span - at, first, end);
      } else {
        for (int64_t c = at; c < span; ++c) {
          sums_of_column(to + c - at, dy, norm, c0 + c, first, end);
        }
      }
    }
    for (int i = 0; i < N_SUMS; ++i) {
      for (int64_t c = 0; c < span; ++c) {
        trm_real s = 0;
        for (int64_t k = 0; k < n_chunks; ++k) s += partial[k][i][c];
        sums[i * C + c0 + c] = s;
      }
    }
  }
}

/* Rows of dx; g and gx: means of dy w and of dy w x, NULL where the statistics were given. */
static void backward_rows(trm_real *dx, const trm_real *dy, const trm_real *g, const trm_real *gx,
                          const trm_batchnorm *n, bool add, int64_t first, int64_t end) {
  const int64_t C = n->C;
  int64_t c = 0;
  for (; c + TRM_LANES <= C; c = add ? c + TRM_LANES : next_group(c, C)) {
    const group k = group_at(n, c);
    const trm_lanes mean = trm_lanes_load(g ? g + c : n->mean + c);
    const trm_lanes mean_x = trm_lanes_load(gx ? gx + c : n->mean + c), zero = trm_lanes_set(0);
    for (int64_t at = first * C + c; at < end * C; at += C) {
      const trm_lanes x = standard_lanes(&k, trm_lanes_load(n->x + at));
      trm_lanes d = dy_lanes(n, &k, trm_lanes_load(dy + at), x);
      d = trm_lanes_mul(d, k.w);
      if (g) d = trm_lanes_fma(trm_lanes_sub(d, mean), trm_lanes_sub(zero, x), mean_x);
      d = add ? trm_lanes_fma(trm_lanes_load(dx + at), k.rstd, d) : trm_lanes_mul(k.rstd, d);
      trm_lanes_store(dx + at, d);
    }
  }
  for (int64_t r = first; c < C && r < end; ++r) {
    for (int64_t k = c; k < C; ++k) {
      const int64_t at = r * C + k;
      const trm_real x = standard_one(n, k, n->x[at]);
      trm_real d = dy_one(n, k, dy[at], x) * n->w[k];
      if (g) d = trm_fma(d - g[k], -x, gx[k]);
      dx[at] = add ? trm_fma(dx[at], n->rstd[k], d) : n->rstd[k] * d;
    }
  }
}

void trm_batchnorm_backward(trm_real *dx, trm_real *sums, const trm_real *dy,
                            const trm_batchnorm *norm, bool given, bool add) {
  const int64_t N = norm->N, C = norm->C, n_blocks = trm_ceil_div(N, BLOCK_ROWS);
  const trm_real n = (trm_real)trm_max_i64(N, 1);
  trm_real *g = sums + DYW * C, *gx = sums + DYW_X * C;
  for (int64_t c = 0; c < C; ++c) g[c] /= n;
  for (int64_t c = 0; c < C; ++c) gx[c] /= n;
#pragma omp parallel for schedule(static) num_threads(trm_team(n_blocks, N *C))
  for (int64_t k = 0; k < n_blocks; ++k) {
    const int64_t first = k * BLOCK_ROWS;
    backward_rows(dx, dy, given ? NULL : g, given ? NULL : gx, norm, add, first,
                  trm_min_i64(first + BLOCK_ROWS, N));
  }
}

/* ---- scale and shift --------------------------------------------------------------------------- */

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
