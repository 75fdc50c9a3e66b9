/** Scale and shift of channels by given numbers. Few channels make short rows: those are taken many at a
 *  time, against a pattern of the channels' numbers. */
#include "isa.h"

#include "simd.h"
#include "team.h"
#include "trireme/math/images.h"

enum { PATTERN = 1024 };

/* The numbers of `channels` channels from `first` on, again and again for so many rows. */
typedef struct pattern {
  int64_t channels, rows;
  trm_real scale[PATTERN], shift[PATTERN];
} pattern;

static void make_pattern(pattern *p, const float *scale, const float *shift, int64_t first,
                         int64_t C) {
  p->channels = trm_min_i64(C - first, PATTERN);
  p->rows = C <= PATTERN ? PATTERN / trm_max_i64(C, 1) : 1;
  for (int64_t i = 0; i < p->rows * p->channels; ++i) {
    const int64_t c = first + i % p->channels;
    p->scale[i] = scale ? (trm_real)scale[c] : 1;
    p->shift[i] = shift ? (trm_real)shift[c] : 0;
  }
}

static void forward_piece(trm_real *y, const trm_real *x, const pattern *p, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = trm_fma(p->shift[i], x[i], p->scale[i]);
}

static void backward_piece(trm_real *dx, const trm_real *dy, const pattern *p, int64_t n,
                           bool add) {
  if (add) {
    for (int64_t i = 0; i < n; ++i) dx[i] = trm_fma(dx[i], dy[i], p->scale[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) dx[i] = dy[i] * p->scale[i];
  }
}

void trm_channel_scale_forward(trm_real *y, const trm_real *x, const float *scale,
                               const float *shift, int64_t N, int64_t C) {
  for (int64_t first = 0; first < C; first += PATTERN) {
    pattern p;
    make_pattern(&p, scale, shift, first, C);
    const int64_t pieces = trm_ceil_div(N, p.rows);
#pragma omp parallel for schedule(static) num_threads(trm_team(pieces, N *p.channels))
    for (int64_t i = 0; i < pieces; ++i) {
      const int64_t at = i * p.rows * C + first;
      const int64_t n = trm_min_i64(p.rows, N - i * p.rows) * p.channels;
      forward_piece(y + at, x + at, &p, n);
    }
  }
}

void trm_channel_scale_backward(trm_real *dx, const trm_real *dy, const float *scale, int64_t N,
                                int64_t C, bool add) {
  for (int64_t first = 0; first < C; first += PATTERN) {
    pattern p;
    make_pattern(&p, scale, NULL, first, C);
    const int64_t pieces = trm_ceil_div(N, p.rows);
#pragma omp parallel for schedule(static) num_threads(trm_team(pieces, N *p.channels))
    for (int64_t i = 0; i < pieces; ++i) {
      const int64_t at = i * p.rows * C + first;
      const int64_t n = trm_min_i64(p.rows, N - i * p.rows) * p.channels;
      backward_piece(dx + at, dy + at, &p, n, add);
    }
  }
}
