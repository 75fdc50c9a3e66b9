/* Sets of rows: gathering, sorting by id, pooling of segments; and the scales of edges. */
#include "isa.h"

#include <string.h>

#include "chunks.h"
#include "csr_rows.h"
#include "real_math.h"

enum { AHEAD = 8, AHEAD_LINES = 8 }; /* rows asked for before they are copied, lines of each */

TRM_INLINE const trm_real *row_of(const trm_real *x, const int32_t *ids, int64_t i, int64_t C) {
  const int64_t id = ids ? ids[i] : i;
  return id >= 0 ? x + id * C : NULL;
}

void trm_gather_rows(trm_real *y, const trm_real *x, const int32_t *ids, int64_t n, int64_t C,
                     bool add) {
  enum { LINE = 64 / (int)sizeof(trm_real) };
  const int64_t asked = trm_min_i64(C, AHEAD_LINES * LINE);
#pragma omp parallel for schedule(static) num_threads(trm_team(n, n *C))
  for (int64_t i = 0; i < n; ++i) {
    const trm_real *next = row_of(x, ids, trm_min_i64(i + AHEAD, n - 1), C);
    for (int64_t c = 0; next && c < asked; c += LINE) __builtin_prefetch(next + c);
    const trm_real *from = row_of(x, ids, i, C);
    trm_real *to = y + i * C;
    if (add) {
      for (int64_t c = 0; from && c < C; ++c) to[c] += from[c];
    } else if (from) {
      memcpy(to, from, (size_t)C * sizeof *to);
    } else {
      memset(to, 0, (size_t)C * sizeof *to);
    }
  }
}

void trm_sort_rows(int64_t *offsets, int32_t *order, const int32_t *ids, int64_t n,
                   int64_t n_rows) {
  memset(offsets, 0, (size_t)(n_rows + 1) * sizeof *offsets);
  for (int64_t i = 0; i < n; ++i) ++offsets[ids[i] + 1];
  for (int64_t r = 0; r < n_rows; ++r) offsets[r + 1] += offsets[r];
  /* offsets[r] walks through row r and ends where row r + 1 begins. */
  for (int64_t i = 0; i < n; ++i) order[offsets[ids[i]]++] = (int32_t)i;
  memmove(offsets + 1, offsets, (size_t)n_rows * sizeof *offsets);
  offsets[0] = 0;
}

/* ---- scales of edges ----------------------------------------------------------------------- */

void trm_target_scales(trm_real *y, const float *over, const float *under, bool self, int64_t n) {
  const trm_real s = self ? 1 : 0;
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) {
      const trm_real sum = (trm_real)under[i] + s;
      y[i] = sum == 0 ? 0 : 1 / sum;
    }
    for (int64_t i = begin; over && i < end; ++i) {
      const trm_real sum = (trm_real)under[i] + s, root = trm_sqrt((trm_real)over[i] + s);
      y[i] = sum == 0 ? 0 : root / sum;
    }
  });
}

void trm_source_scales(trm_real *y, const float *degrees, bool self, int64_t n) {
  const trm_real s = self ? 1 : 0;
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) {
      const trm_real sum = (trm_real)degrees[i] + s;
      y[i] = sum == 0 ? 0 : 1 / trm_sqrt(sum);
    }
  });
}

/* ---- segments ------------------------------------------------------------------------------ */

static void sum_segment(trm_real *y, const trm_real *x, int64_t n_rows, int64_t C, bool mean) {
  memset(y, 0, (size_t)C * sizeof *y);
  for (int64_t r = 0; r < n_rows; ++r) {
    for (int64_t c = 0; c < C; ++c) y[c] += x[r * C + c];
  }
  if (!mean || n_rows == 0) return;
  const trm_real scale = 1 / (trm_real)n_rows;
  for (int64_t c = 0; c < C; ++c) y[c] *= scale;
}

void trm_segment_sum(trm_real *y, const trm_real *x, const int64_t *offsets, int64_t n, int64_t C,
                     bool mean) {
  TRM_FOR_CSR_CHUNKS(offsets, n, C, begin, end, {
    for (int64_t s = begin; s < end; ++s) {
      sum_segment(y + s * C, x + offsets[s] * C, offsets[s + 1] - offsets[s], C, mean);
    }
  });
}

/* Rows before the first segment and after the last. */
static void clear_outside(trm_real *dx, const int64_t *offsets, int64_t n, int64_t n_rows,
                          int64_t C) {
  const int64_t first = n > 0 ? offsets[0] : 0, last = n > 0 ? offsets[n] : 0;
  trm_fill(dx, 0, first * C);
  trm_fill(dx + last * C, 0, (n_rows - last) * C);
}

void trm_segment_sum_backward(trm_real *dx, const trm_real *dy, const int64_t *offsets, int64_t n,
                              int64_t n_rows, int64_t C, bool mean, bool add) {
  if (!add) clear_outside(dx, offsets, n, n_rows, C);
  TRM_FOR_CSR_CHUNKS(offsets, n, C, begin, end, {
    for (int64_t s = begin; s < end; ++s) {
      const trm_real *from = dy + s * C;
      const trm_real scale = mean ? 1 / (trm_real)(offsets[s + 1] - offsets[s]) : 1;
      for (int64_t r = offsets[s]; r < offsets[s + 1]; ++r) {
        trm_real *to = dx + r * C;
        for (int64_t c = 0; c < C; ++c) to[c] = trm_fma(add ? to[c] : 0, scale, from[c]);
      }
    }
  });
}

/* The first row is taken as it is; after that the larger, and what is not a number. */
static void max_segment(trm_real *restrict y, trm_winner *restrict winners,
                        const trm_real *restrict x, int64_t n_rows, int64_t C) {
  for (int64_t c = 0; c < C; ++c) {
    y[c] = n_rows > 0 ? x[c] : 0;
    winners[c] = n_rows > 0 ? 0 : -1;
  }
  for (int64_t r = 1; r < n_rows; ++r) {
    for (int64_t c = 0; c < C; ++c) {
      const trm_real v = x[r * C + c];
      const bool wins = (v > y[c]) | (v != v);
      y[c] = wins ? v : y[c];
      winners[c] = wins ? (trm_winner)r : winners[c];
    }
  }
}

void trm_segment_max(trm_real *y, trm_winner *winners, const trm_real *x, const int64_t *offsets,
                     int64_t n, int64_t C) {
  TRM_FOR_CSR_CHUNKS(offsets, n, C, begin, end, {
    for (int64_t s = begin; s < end; ++s) {
      max_segment(y + s * C, winners + s * C, x + offsets[s] * C, offsets[s + 1] - offsets[s], C);
    }
  });
}

void trm_segment_max_backward(trm_real *dx, const trm_real *dy, const trm_winner *winners,
                              const int64_t *offsets, int64_t n, int64_t n_rows, int64_t C,
                              bool add) {
  if (!add) clear_outside(dx, offsets, n, n_rows, C);
  TRM_FOR_CSR_CHUNKS(offsets, n, C, begin, end, {
    for (int64_t s = begin; s < end; ++s) {
      const trm_real *from = dy + s * C;
      const trm_winner *chosen = winners + s * C;
      for (int64_t r = offsets[s]; r < offsets[s + 1]; ++r) {
        const trm_winner row = (trm_winner)(r - offsets[s]);
        trm_real *to = dx + r * C;
        for (int64_t c = 0; c < C; ++c) {
          to[c] = (add ? to[c] : 0) + (chosen[c] == row ? from[c] : 0);
        }
      }
    }
  });
}

void trm_segment_first(trm_real *y, const trm_real *x, const int64_t *offsets, int64_t n,
                       int64_t C) {
  for (int64_t s = 0; s < n; ++s) {
    const bool empty = offsets[s] == offsets[s + 1];
    for (int64_t c = 0; c < C; ++c) y[s * C + c] = empty ? 0 : x[offsets[s] * C + c];
  }
}

void trm_segment_first_backward(trm_real *dx, const trm_real *dy, const int64_t *offsets, int64_t n,
                                int64_t n_rows, int64_t C, bool add) {
  if (!add) trm_fill(dx, 0, n_rows * C);
  for (int64_t s = 0; s < n; ++s) {
    if (offsets[s] == offsets[s + 1]) continue;
    trm_real *to = dx + offsets[s] * C;
    for (int64_t c = 0; c < C; ++c) to[c] += dy[s * C + c];
  }
}
