/** Pooling by windows. Channels lie side by side: each window's pixels are met row by row of channels. */
#include "isa.h"

#include "ranges.h"
#include "simd.h"
#include "team.h"

static int64_t forward_work(const trm_windows *w) {
  return w->N * w->down * w->across * w->C * w->height * w->width;
}

/* ---- maximum ----------------------------------------------------------------------------------- */

/* The window at (down, across) of image n. */
static void max_window(trm_real *restrict y, trm_winner *restrict winners, const trm_real *x,
                       const trm_windows *w, int64_t n, int64_t down, int64_t across) {
  const range rows = rows_of(w, down), columns = columns_of(w, across);
  const int64_t C = w->C;
  bool first = true;
  for (int64_t r = rows.first; r < rows.end; ++r) {
    for (int64_t k = columns.first; k < columns.end; ++k) {
      const trm_real *restrict from = x + ((n * w->H + r) * w->W + k) * C;
      const trm_winner tap = (trm_winner)((r - down * w->stride + w->padding) * w->width + k -
                                          across * w->stride + w->padding);
      for (int64_t c = 0; first && c < C; ++c) {
        y[c] = from[c];
        winners[c] = tap;
      }
      for (int64_t c = 0; !first && c < C; ++c) {
        const bool takes = (from[c] > y[c]) | (from[c] != from[c]);
        winners[c] = takes ? tap : winners[c];
        y[c] = takes ? from[c] : y[c];
      }
      first = false;
    }
  }
}

void trm_pool_max_forward(trm_real *y, trm_winner *winners, const trm_real *x,
                          const trm_windows *windows) {
  const trm_windows *w = windows;
  const int64_t rows = w->N * w->down;
#pragma omp parallel for schedule(static) num_threads(trm_team(rows, forward_work(w)))
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t k = 0; k < w->across; ++k) {
      const int64_t at = (i * w->across + k) * w->C;
      max_window(y + at, winners + at, x, w, i / w->down, i % w->down, k);
    }
  }
}

/* The pixel (row, column) of image n. */
static void max_pixel(trm_real *restrict dx, const trm_real *dy, const trm_winner *winners,
                      const trm_windows *w, int64_t n, int64_t row, int64_t column, bool add) {
  const range down = places_down(w, row), across = places_across(w, column);
  const int64_t C = w->C;
  for (int64_t r = down.first; r < down.end; ++r) {
    for (int64_t k = across.first; k < across.end; ++k) {
      const int64_t at = ((n * w->down + r) * w->across + k) * C;
      const trm_real *restrict from = dy + at;
      const trm_winner *restrict won = winners + at;
      const trm_winner tap = (trm_winner)((row - r * w->stride + w->padding) * w->width + column -
                                          k * w->stride + w->padding);
      if (add) {
        for (int64_t c = 0; c < C; ++c) dx[c] += won[c] == tap ? from[c] : 0;
      } else {
        for (int64_t c = 0; c < C; ++c) dx[c] = won[c] == tap ? from[c] : 0;
      }
      add = true;
    }
  }
  for (int64_t c = 0; !add && c < C; ++c) dx[c] = 0;
}

void trm_pool_max_backward(trm_real *dx, const trm_real *dy, const trm_winner *winners,
                           const trm_windows *windows, bool add) {
  const trm_windows *w = windows;
  const int64_t rows = w->N * w->H;
#pragma omp parallel for schedule(static) num_threads(trm_team(rows, forward_work(w)))
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t k = 0; k < w->W; ++k) {
      max_pixel(dx + (i * w->W + k) * w->C, dy, winners, w, i / w->H, i % w->H, k, add);
    }
  }
}

/* ---- sum and mean ------------------------------------------------------------------------------ */

/* What a window's sum is multiplied by. */
static trm_real scale_of(range rows, range columns, bool mean) {
  const int64_t n = (rows.end - rows.first) * (columns.end - columns.first);
  return mean ? 1 / (trm_real)n : 1;
}

static void sum_window(trm_real *restrict y, const trm_real *x, const trm_windows *w, int64_t n,
                       range rows, range columns, bool mean) {
  const int64_t C = w->C;
  const trm_real scale = scale_of(rows, columns, mean);
  for (int64_t c = 0; c < C; ++c) y[c] = 0;
  for (int64_t r = rows.first; r < rows.end; ++r) {
    for (int64_t k = columns.first; k < columns.end; ++k) {
      const trm_real *restrict from = x + ((n * w->H + r) * w->W + k) * C;
      for (int64_t c = 0; c < C; ++c) y[c] += from[c];
    }
  }
  for (int64_t c = 0; mean && c < C; ++c) y[c] *= scale;
}

void trm_pool_sum_forward(trm_real *y, const trm_real *x, const trm_windows *windows, bool mean) {
  const trm_windows *w = windows;
  const int64_t rows = w->N * w->down;
#pragma omp parallel for schedule(static) num_threads(trm_team(rows, forward_work(w)))
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t k = 0; k < w->across; ++k) {
      sum_window(y + (i * w->across + k) * w->C, x, w, i / w->down, rows_of(w, i % w->down),
                 columns_of(w, k), mean);
    }
  }
}

static void sum_pixel(trm_real *restrict dx, const trm_real *dy, const trm_windows *w, int64_t n,
                      int64_t row, int64_t column, bool mean, bool add) {
  const range down = places_down(w, row), across = places_across(w, column);
  const int64_t C = w->C;
  for (int64_t r = down.first; r < down.end; ++r) {
    for (int64_t k = across.first; k < across.end; ++k) {
      const trm_real *restrict from = dy + ((n * w->down + r) * w->across + k) * C;
      const trm_real scale = scale_of(rows_of(w, r), columns_of(w, k), mean);
      if (add) {
        for (int64_t c = 0; c < C; ++c) dx[c] = trm_fma(dx[c], from[c], scale);
      } else {
        for (int64_t c = 0; c < C; ++c) dx[c] = from[c] * scale;
      }
      add = true;
    }
  }
  for (int64_t c = 0; !add && c < C; ++c) dx[c] = 0;
}

void trm_pool_sum_backward(trm_real *dx, const trm_real *dy, const trm_windows *windows, bool mean,
                           bool add) {
  const trm_windows *w = windows;
  const int64_t rows = w->N * w->H;
#pragma omp parallel for schedule(static) num_threads(trm_team(rows, forward_work(w)))
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t k = 0; k < w->W; ++k) {
      sum_pixel(dx + (i * w->W + k) * w->C, dy, w, i / w->H, i % w->H, k, mean, add);
    }
  }
}
