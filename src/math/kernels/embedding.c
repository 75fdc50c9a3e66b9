#include "isa.h"

#include <math.h>
#include <string.h>

#include "chunks.h"
#include "simd.h"

/* Columns per piece of work of the backward pass: two cache lines of float. */
enum { EMBEDDING_COLUMNS = 32 };

void trm_embedding_forward(trm_real *y, const trm_real *w, const int32_t *ids, int64_t N,
                           int64_t C) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *C))
  for (int64_t r = 0; r < N; ++r) {
    memcpy(y + r * C, w + (int64_t)ids[r] * C, (size_t)C * sizeof *y);
  }
}

/* Two rows of dy may go to one row of dw: threads share out columns, each walks all rows in order. */
void trm_embedding_backward(trm_real *dw, const trm_real *dy, const int32_t *ids, int64_t N,
                            int64_t C, int64_t V, bool add) {
  if (!add) trm_fill(dw, 0, V * C);
  const int64_t n_tiles = trm_ceil_div(C, EMBEDDING_COLUMNS);
#pragma omp parallel for schedule(static) num_threads(trm_team(n_tiles, N *C))
  for (int64_t tile = 0; tile < n_tiles; ++tile) {
    const int64_t c0 = tile * EMBEDDING_COLUMNS, c1 = trm_min_i64(c0 + EMBEDDING_COLUMNS, C);
    for (int64_t r = 0; r < N; ++r) {
      trm_real *to = dw + (int64_t)ids[r] * C;
      const trm_real *from = dy + r * C;
      for (int64_t c = c0; c < c1; ++c) to[c] += from[c];
    }
  }
}

void trm_position_forward(trm_real *y, const trm_real *x, const trm_real *p, trm_real scale,
                          const trm_sequences *s, int64_t C) {
  const int64_t R = s->n_rows;
#pragma omp parallel for schedule(static) num_threads(trm_team(R, R *C))
  for (int64_t r = 0; r < R; ++r) {
    const trm_real *row = p + (r - trm_sequence_first(s, trm_sequence_of_row(s, r))) * C;
    for (int64_t c = 0; c < C; ++c) y[r * C + c] = trm_fma(row[c], scale, x[r * C + c]);
  }
}

void trm_position_backward(trm_real *dp, const trm_real *dy, const trm_sequences *s, int64_t C,
                           bool add) {
  const int64_t T = s->longest;
#pragma omp parallel for schedule(static) num_threads(trm_team(T, s->n_rows *C))
  for (int64_t t = 0; t < T; ++t) {
    trm_real *row = dp + t * C;
    if (!add) memset(row, 0, (size_t)C * sizeof *row);
    for (int64_t i = 0; i < s->n; ++i) {
      if (t >= trm_sequence_rows(s, i)) continue;
      const trm_real *from = dy + (trm_sequence_first(s, i) + t) * C;
      for (int64_t c = 0; c < C; ++c) row[c] += from[c];
    }
  }
}

void trm_position_sinusoidal(trm_real *p, int64_t T, int64_t C) {
  for (int64_t t = 0; t < T; ++t) {
    for (int64_t c = 0; c < C; ++c) {
      const double angle = (double)t / pow(10000.0, (double)(c - c % 2) / (double)C);
      p[t * C + c] = (trm_real)(c % 2 == 0 ? sin(angle) : cos(angle));
    }
  }
}
