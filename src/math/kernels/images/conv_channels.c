/**
 * Convolution by channel (depthwise): an output sees one channel, so there is no product; channels lie side
 * by side. Pixels outside of the image are left out.
 */
#include "isa.h"

#include "ranges.h"
#include "team.h"

enum { GROUPS = 4 }; /* of 16 channels, whose sums wait in registers */

static int64_t work_of(const trm_windows *w) {
  return w->N * w->down * w->across * w->C * w->height * w->width;
}

/* to[C] (+)= from[C] w[C]. */
static void add_channels(trm_real *restrict to, const trm_real *restrict from,
                         const trm_real *restrict w, int64_t C) {
  for (int64_t c = 0; c < C; ++c) to[c] = trm_fma(to[c], from[c], w[c]);
}

void trm_conv_channels_forward(trm_real *y, const trm_real *x, const trm_real *w,
                               const trm_windows *windows) {
  const trm_windows *s = windows;
  const int64_t C = s->C, n_rows = s->N * s->down;
#pragma omp parallel for schedule(static) num_threads(trm_team(n_rows, work_of(s)))
  for (int64_t i = 0; i < n_rows; ++i) {
    const int64_t top = i % s->down * s->stride - s->padding;
    const trm_real *image = x + i / s->down * s->H * s->W * C;
    const range rows = rows_of(s, i % s->down);
    for (int64_t place = 0; place < s->across; ++place) {
      const int64_t left = place * s->stride - s->padding;
      const range columns = columns_of(s, place);
      trm_real *to = y + (i * s->across + place) * C;
      for (int64_t c = 0; c < C; ++c) to[c] = 0;
      for (int64_t r = rows.first; r < rows.end; ++r) {
        for (int64_t k = columns.first; k < columns.end; ++k) {
          add_channels(to, image + (r * s->W + k) * C, w + ((r - top) * s->width + k - left) * C,
                       C);
        }
      }
    }
  }
}

void trm_conv_channels_backward_input(trm_real *dx, const trm_real *dy, const trm_real *w,
                                      const trm_windows *windows, bool add) {
  const trm_windows *s = windows;
  const int64_t C = s->C, n_rows = s->N * s->H;
#pragma omp parallel for schedule(static) num_threads(trm_team(n_rows, work_of(s)))
  for (int64_t i = 0; i < n_rows; ++i) {
    const int64_t row = i % s->H + s->padding;
    const trm_real *image = dy + i / s->H * s->down * s->across * C;
    const range down = places_down(s, i % s->H);
    for (int64_t k = 0; k < s->W; ++k) {
      const int64_t column = k + s->padding;
      const range across = places_across(s, k);
      trm_real *to = dx + (i * s->W + k) * C;
      for (int64_t c = 0; !add && c < C; ++c) to[c] = 0;
      for (int64_t r = down.first; r < down.end; ++r) {
        for (int64_t p = across.first; p < across.end; ++p) {
          const int64_t tap = (row - r * s->stride) * s->width + column - p * s->stride;
          add_channels(to, image + (r * s->across + p) * C, w + tap * C, C);
        }
      }
    }
  }
}

/* ---- weights ----------------------------------------------------------------------------------- */

/* A tap, and the places whose windows have it inside of the image. */
typedef struct tap {
  int64_t row, column; /* in the window */
  range down, across;
} tap;

/* Places p with 0 <= p stride + offset < size. */
static range places_inside(int64_t offset, int64_t stride, int64_t size, int64_t places) {
  const int64_t last = size - 1 - offset;
  return (range){offset < 0 ? trm_ceil_div(-offset, stride) : 0,
                 last < 0 ? 0 : trm_min_i64(last / stride + 1, places)};
}

static tap tap_make(const trm_windows *w, int64_t number) {
  tap t = {.row = number / w->width, .column = number % w->width};
  t.down = places_inside(t.row - w->padding, w->stride, w->H, w->down);
  t.across = places_inside(t.column - w->padding, w->stride, w->W, w->across);
  return t;
}

/* Sums of a tap over all places, row by row, of so many groups of channels from x and dy on. */
TRM_INLINE void tap_groups(int groups, trm_real *sums, const trm_real *dy, const trm_real *x,
                           const trm_windows *w, const tap *t) {
  const int64_t step = w->stride * w->C;
  trm_lanes all[GROUPS];
#pragma GCC unroll 4
  for (int g = 0; g < groups; ++g) all[g] = trm_lanes_set(0);
  for (int64_t n = 0; n < w->N; ++n) {
    for (int64_t down = t->down.first; down < t->down.end; ++down) {
      const int64_t row = n * w->H + down * w->stride - w->padding + t->row;
      const int64_t column = t->across.first * w->stride - w->padding + t->column;
      const trm_real *a = x + (row * w->W + column) * w->C;
      const trm_real *b = dy + ((n * w->down + down) * w->across + t->across.first) * w->C;
      trm_lanes sum[GROUPS];
#pragma GCC unroll 4
      for (int g = 0; g < groups; ++g) sum[g] = trm_lanes_set(0);
      for (int64_t k = t->across.first; k < t->across.end; ++k, a += step, b += w->C) {
#pragma GCC unroll 4
        for (int g = 0; g < groups; ++g) {
          sum[g] = trm_lanes_fma(sum[g], trm_lanes_load(a + g * TRM_LANES),
                                 trm_lanes_load(b + g * TRM_LANES));
        }
      }
#pragma GCC unroll 4
      for (int g = 0; g < groups; ++g) all[g] = trm_lanes_add(all[g], sum[g]);
    }
  }
#pragma GCC unroll 4
  for (int g = 0; g < groups; ++g) trm_lanes_store(sums + g * TRM_LANES, all[g]);
}

/* The same of one channel. */
static trm_real tap_channel(const trm_real *dy, const trm_real *x, const trm_windows *w,
                            const tap *t) {
  trm_real all = 0;
  for (int64_t n = 0; n < w->N; ++n) {
    for (int64_t down = t->down.first; down < t->down.end; ++down) {
      const int64_t row = n * w->H + down * w->stride - w->padding + t->row;
      trm_real sum = 0;
      for (int64_t k = t->across.first; k < t->across.end; ++k) {
        const int64_t column = k * w->stride - w->padding + t->column;
        sum = trm_fma(sum, x[(row * w->W + column) * w->C],
                      dy[((n * w->down + down) * w->across + k) * w->C]);
      }
      all += sum;
    }
  }
  return all;
}

/* n <= 64 channels from `first` on. */
static void tap_sums(trm_real *sums, const trm_real *dy, const trm_real *x, const trm_windows *w,
                     const tap *t, int64_t first, int64_t n) {
  int64_t c = 0;
  if (n == GROUPS * TRM_LANES) {
    tap_groups(GROUPS, sums, dy + first, x + first, w, t);
    return;
  }
  for (; c + TRM_LANES <= n; c += TRM_LANES) {
    tap_groups(1, sums + c, dy + first + c, x + first + c, w, t);
  }
  for (; c < n; ++c) sums[c] = tap_channel(dy + first + c, x + first + c, w, t);
}

void trm_conv_channels_backward_weights(trm_real *dw, const trm_real *dy, const trm_real *x,
                                        const trm_windows *windows, bool add, int n_merges,
                                        int64_t merge_step) {
  enum { MOST = GROUPS * TRM_LANES };
  const int64_t C = windows->C, parts = trm_ceil_div(C, MOST);
  const int64_t units = parts * windows->height * windows->width;
#pragma omp parallel for schedule(dynamic) num_threads(trm_team(units, work_of(windows)))
  for (int64_t i = 0; i < units; ++i) {
    const tap t = tap_make(windows, i / parts);
    const int64_t first = i % parts * MOST, n = trm_min_i64(MOST, C - first);
    trm_real sums[MOST];
    tap_sums(sums, dy, x, windows, &t, first, n);
    for (int64_t c = 0; c < n; ++c) {
      trm_real *at = dw + i / parts * C + first + c;
      trm_real sum = add ? sums[c] + *at : sums[c];
      for (int m = 0; m < n_merges; ++m) {
        at -= merge_step;
        sum += *at;
      }
      *at = sum;
    }
  }
}
