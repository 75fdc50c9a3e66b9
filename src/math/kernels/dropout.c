/**
 * Dropout by counter: the mask is a function of key, sample and position only, made again in the
 * backward pass and never stored.
 */
#include "isa.h"

#include <string.h>

#include "draws.h"
#include "simd.h"
#include "team.h"

enum { PIECE = 8 * BATCH }; /* positions of one unit of work */

/* Counters (first .. first + BATCH_CALLS - 1, sample). */
static void philox_batch(uint32_t *restrict words, trm_random_key key, uint64_t sample,
                         uint64_t first) {
  uint32_t c0[BATCH_CALLS], c1[BATCH_CALLS], c2[BATCH_CALLS], c3[BATCH_CALLS];
  for (int i = 0; i < BATCH_CALLS; ++i) {
    const uint64_t position = first + (uint64_t)i;
    c0[i] = (uint32_t)position;
    c1[i] = (uint32_t)(position >> 32);
    c2[i] = (uint32_t)sample;
    c3[i] = (uint32_t)(sample >> 32);
  }
  trm_philox_batch(words, key, c0, c1, c2, c3, BATCH_CALLS);
}

typedef struct dropout {
  trm_random_key key;
  trm_drop drop;
} dropout;

/* n <= PIECE elements from position `first` (a multiple of 8) of a sample. The factor is multiplied
 * in, not selected, so that NaN and infinity in x do not vanish with the dropped elements. */
static void drop_piece(trm_real *y, const trm_real *x, dropout p, uint64_t sample, int64_t first,
                       int64_t n, bool add) {
  for (int64_t begin = 0; begin < n; begin += BATCH) {
    uint32_t words[4 * BATCH_CALLS];
    uint16_t draw[BATCH];
    philox_batch(words, p.key, sample, (uint64_t)(first + begin) / PER_CALL);
    memcpy(draw, words, sizeof draw);
    const int64_t count = trm_min_i64(BATCH, n - begin);
    const trm_real *from = x + begin;
    trm_real *to = y + begin;
    if (add) {
      for (int64_t i = 0; i < count; ++i) {
        to[i] = trm_fma(to[i], from[i], draw[i] < p.drop.threshold ? 0 : p.drop.scale);
      }
    } else {
      for (int64_t i = 0; i < count; ++i) {
        to[i] = from[i] * (draw[i] < p.drop.threshold ? 0 : p.drop.scale);
      }
    }
  }
}

void trm_dropout(trm_real *y, const trm_real *x, const trm_sequences *s, int64_t C, double p,
                 trm_random_key key, int64_t sample0, bool add) {
  const dropout d = {key, trm_drop_make(p)};
  /* Rows of a sequence follow each other, so its positions are a contiguous span of x. */
  const int64_t n_pieces = trm_ceil_div(s->longest * C, PIECE);
#pragma omp parallel for schedule(static) num_threads(trm_team(s->n *n_pieces, s->n_rows *C))
  for (int64_t u = 0; u < s->n * n_pieces; ++u) {
    const int64_t i = u / n_pieces, first = (u % n_pieces) * PIECE;
    const int64_t at = trm_sequence_first(s, i) * C + first;
    const int64_t n = trm_min_i64(PIECE, trm_sequence_rows(s, i) * C - first);
    if (n > 0) drop_piece(y + at, x + at, d, (uint64_t)(sample0 + i), first, n, add);
  }
}

/* Calls of the generator for rows r0 .. r0 + n - 1, `calls` a row from number `first` on. */
static void philox_rows(uint32_t *restrict words, trm_random_key key, const int32_t *ids, int64_t n,
                        int64_t first, int64_t calls) {
  uint32_t c0[BATCH_CALLS], c1[BATCH_CALLS], c2[BATCH_CALLS], c3[BATCH_CALLS];
  int at = 0;
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t i = 0; i < calls; ++i, ++at) {
      c0[at] = (uint32_t)(first + i);
      c1[at] = 0;
      c2[at] = (uint32_t)ids[r];
      c3[at] = 0;
    }
  }
  trm_philox_batch(words, key, c0, c1, c2, c3, at);
}

/* A piece of n rows and columns [c0, c1), c0 a multiple of 8: at most BATCH_CALLS calls. */
static void drop_rows(trm_real *y, const trm_real *x, dropout p, const int32_t *ids, int64_t n,
                      int64_t c0, int64_t c1, int64_t C, bool add) {
  uint32_t words[4 * BATCH_CALLS];
  uint16_t draws[BATCH];
  const int64_t calls = trm_ceil_div(c1 - c0, PER_CALL);
  philox_rows(words, p.key, ids, n, c0 / PER_CALL, calls);
  memcpy(draws, words, (size_t)(n * calls * 4) * sizeof *words);
  for (int64_t r = 0; r < n; ++r) {
    const uint16_t *draw = draws + r * calls * PER_CALL;
    const trm_real *from = x + r * C + c0;
    trm_real *to = y + r * C + c0;
    if (add) {
      for (int64_t i = 0; i < c1 - c0; ++i) {
        to[i] = trm_fma(to[i], from[i], draw[i] < p.drop.threshold ? 0 : p.drop.scale);
      }
    } else {
      for (int64_t i = 0; i < c1 - c0; ++i) {
        to[i] = from[i] * (draw[i] < p.drop.threshold ? 0 : p.drop.scale);
      }
    }
  }
}

void trm_dropout_rows(trm_real *y, const trm_real *x, const int32_t *ids, int64_t N, int64_t C,
                      double p, trm_random_key key, bool add) {
  const dropout d = {key, trm_drop_make(p)};
  const int64_t columns = trm_min_i64(trm_max_i64(C, 1), BATCH);
  const int64_t rows = BATCH_CALLS / trm_ceil_div(columns, PER_CALL);
  const int64_t n_pieces = trm_ceil_div(N, rows);
#pragma omp parallel for schedule(static) num_threads(trm_team(n_pieces, N *C))
  for (int64_t u = 0; u < n_pieces; ++u) {
    const int64_t r = u * rows, n = trm_min_i64(rows, N - r);
    for (int64_t c = 0; c < C; c += columns) {
      drop_rows(y + r * C, x + r * C, d, ids + r, n, c, trm_min_i64(c + columns, C), C, add);
    }
  }
}
