#include "isa.h"

#include "chunks.h"
#include "columns.h"
#include "real_math.h"
#include "simd.h"

/* sqrt(2/pi) and the coefficient of the cubic term. */
#define GELU_SLOPE ((trm_real)0.79788456080286535588)
#define GELU_CUBIC ((trm_real)0.044715)

void trm_fill(trm_real *y, trm_real value, int64_t n) {
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) y[i] = value;
  });
}

void trm_scale(trm_real *y, const trm_real *x, trm_real a, int64_t n, bool add) {
  if (add) {
    TRM_FOR_CHUNKS(n, begin, end, {
      for (int64_t i = begin; i < end; ++i) y[i] = trm_fma(y[i], a, x[i]);
    });
  } else {
    TRM_FOR_CHUNKS(n, begin, end, {
      for (int64_t i = begin; i < end; ++i) y[i] = a * x[i];
    });
  }
}

void trm_add(trm_real *y, const trm_real *a, const trm_real *b, int64_t n) {
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) y[i] = a[i] + b[i];
  });
}

void trm_bias_forward(trm_real *y, const trm_real *x, const trm_real *b, int64_t N, int64_t C) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *C))
  for (int64_t r = 0; r < N; ++r) {
    for (int64_t c = 0; c < C; ++c) y[r * C + c] = x[r * C + c] + b[c];
  }
}

/* Sums of the columns of so many groups of 16. */
TRM_INLINE void sum_groups(int groups, trm_real *sum, const trm_real *dy, int64_t rows, int64_t C) {
  trm_lanes s[4];
#pragma GCC unroll 4
  for (int g = 0; g < groups; ++g) s[g] = trm_lanes_set(0);
  for (int64_t r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int g = 0; g < groups; ++g) {
      s[g] = trm_lanes_add(s[g], trm_lanes_load(dy + r * C + g * TRM_LANES));
    }
  }
#pragma GCC unroll 4
  for (int g = 0; g < groups; ++g) trm_lanes_store(sum + g * TRM_LANES, s[g]);
}

/* Sums of a tile of rows and columns. */
static void sum_tile(trm_real *sum, const trm_real *dy, int64_t rows, int64_t columns, int64_t C) {
  int64_t c = 0;
  for (; c + 4 * TRM_LANES <= columns; c += 4 * TRM_LANES) sum_groups(4, sum + c, dy + c, rows, C);
  for (; c + TRM_LANES <= columns; c += TRM_LANES) sum_groups(1, sum + c, dy + c, rows, C);
  if (c < columns && columns > TRM_LANES) { /* some of them again */
    c = columns - TRM_LANES;
    sum_groups(1, sum + c, dy + c, rows, C);
    return;
  }
  for (int64_t k = c; k < columns; ++k) sum[k] = 0;
  for (int64_t r = 0; c < columns && r < rows; ++r) {
    for (int64_t k = c; k < columns; ++k) sum[k] += dy[r * C + k];
  }
}

void trm_bias_backward(trm_real *db, const trm_real *dy, int64_t N, int64_t C, bool add) {
  const int64_t chunk_rows = trm_column_chunk_rows(N);
  const int64_t n_chunks = trm_ceil_div(N, chunk_rows);
  for (int64_t c0 = 0; c0 < C; c0 += TRM_COLUMN_SPAN) {
    const int64_t span = trm_min_i64(TRM_COLUMN_SPAN, C - c0);
    const int64_t n_tiles = trm_ceil_div(span, TRM_COLUMN_TILE);
    trm_real partial[TRM_ROW_CHUNKS * TRM_COLUMN_SPAN];
#pragma omp parallel for schedule(static) num_threads(trm_team(n_chunks *n_tiles, N *span))
    for (int64_t u = 0; u < n_chunks * n_tiles; ++u) {
      const int64_t row0 = (u / n_tiles) * chunk_rows, column0 = (u % n_tiles) * TRM_COLUMN_TILE;
      sum_tile(partial + (u / n_tiles) * TRM_COLUMN_SPAN + column0, dy + row0 * C + c0 + column0,
               trm_min_i64(chunk_rows, N - row0), trm_min_i64(TRM_COLUMN_TILE, span - column0), C);
    }
    trm_add_partials(db + c0, partial, n_chunks, span, add);
  }
}

/* tanh is written by the logistic function s = (1 + tanh(u)) / 2 = 1 / (1 + e^-2u), which keeps all
 * digits where tanh(u) is near -1. */
TRM_INLINE trm_real gelu_logistic(trm_real x) {
  const trm_real u = GELU_SLOPE * trm_fma(x, GELU_CUBIC * x, x * x);
  return 1 / (1 + trm_exp(-2 * u));
}

void trm_gelu_forward(trm_real *y, const trm_real *x, int64_t n) {
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) y[i] = x[i] * gelu_logistic(x[i]);
  });
}

/* d/dx (x s) = s + x s', s' = 2 s (1 - s) u'. */
TRM_INLINE trm_real gelu_slope(trm_real x) {
  const trm_real s = gelu_logistic(x);
  const trm_real du = GELU_SLOPE * trm_fma(1, 3 * GELU_CUBIC * x, x);
  return trm_fma(s, 2 * x * du, s * (1 - s));
}

void trm_gelu_backward(trm_real *dx, const trm_real *x, const trm_real *dy, int64_t n, bool add) {
  if (add) {
    TRM_FOR_CHUNKS(n, begin, end, {
      for (int64_t i = begin; i < end; ++i) dx[i] = trm_fma(dx[i], dy[i], gelu_slope(x[i]));
    });
  } else {
    TRM_FOR_CHUNKS(n, begin, end, {
      for (int64_t i = begin; i < end; ++i) dx[i] = dy[i] * gelu_slope(x[i]);
    });
  }
}

/* NaN compares false and must not turn into 0. */
void trm_relu_forward(trm_real *y, const trm_real *x, int64_t n) {
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) y[i] = x[i] <= 0 ? 0 : x[i];
  });
}

void trm_relu_backward(trm_real *dx, const trm_real *x, const trm_real *dy, int64_t n, bool add) {
  if (add) {
    TRM_FOR_CHUNKS(n, begin, end, {
      for (int64_t i = begin; i < end; ++i) dx[i] += x[i] > 0 ? dy[i] : 0;
    });
  } else {
    TRM_FOR_CHUNKS(n, begin, end, {
      for (int64_t i = begin; i < end; ++i) dx[i] = x[i] > 0 ? dy[i] : 0;
    });
  }
}

void trm_elu_forward(trm_real *y, const trm_real *x, int64_t n) {
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) {
      const trm_real below = trm_exp(x[i]) - 1;
      y[i] = x[i] > 0 ? x[i] : below;
    }
  });
}

void trm_elu_backward(trm_real *dx, const trm_real *x, const trm_real *dy, int64_t n, bool add) {
  if (add) {
    TRM_FOR_CHUNKS(n, begin, end, {
      for (int64_t i = begin; i < end; ++i) {
        const trm_real below = trm_exp(x[i]);
        dx[i] = trm_fma(dx[i], dy[i], x[i] > 0 ? 1 : below);
      }
    });
  } else {
    TRM_FOR_CHUNKS(n, begin, end, {
      for (int64_t i = begin; i < end; ++i) {
        const trm_real below = trm_exp(x[i]);
        dx[i] = dy[i] * (x[i] > 0 ? 1 : below);
      }
    });
  }
}

void trm_combine(trm_real *y, const trm_real *a, trm_real alpha, const trm_real *b, trm_real beta,
                 int64_t n) {
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) y[i] = trm_fma(beta * b[i], alpha, a[i]);
  });
}

/* Whether b is the maximum of a and b: not when they are equal; a NaN is. */
TRM_INLINE bool second_wins(trm_real a, trm_real b) {
  return b > a || b != b;
}

void trm_maximum_forward(trm_real *y, const trm_real *a, const trm_real *b, int64_t n) {
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) y[i] = second_wins(a[i], b[i]) ? b[i] : a[i];
  });
}

void trm_maximum_backward(trm_real *dx, const trm_real *a, const trm_real *b, const trm_real *dy,
                          bool second, int64_t n, bool add) {
  if (add) {
    TRM_FOR_CHUNKS(n, begin, end, {
      for (int64_t i = begin; i < end; ++i) {
        dx[i] += second_wins(a[i], b[i]) == second ? dy[i] : 0;
      }
    });
  } else {
    TRM_FOR_CHUNKS(n, begin, end, {
      for (int64_t i = begin; i < end; ++i) {
        dx[i] = second_wins(a[i], b[i]) == second ? dy[i] : 0;
      }
    });
  }
}

void trm_copy_columns(trm_real *y, int64_t y_stride, const trm_real *x, int64_t x_stride, int64_t N,
                      int64_t C, bool add) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *C))
  for (int64_t r = 0; r < N; ++r) {
    const trm_real *from = x + r * x_stride;
    trm_real *to = y + r * y_stride;
    if (add) {
      for (int64_t c = 0; c < C; ++c) to[c] += from[c];
    } else {
      for (int64_t c = 0; c < C; ++c) to[c] = from[c];
    }
  }
}
