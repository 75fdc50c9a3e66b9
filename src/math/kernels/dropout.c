/**
 * Dropout by counter: the mask is a function of key, sample and position only, made again in the
 * backward pass and never stored.
 *
 * One call of Philox 4x32-10 with counter (position / 8, sample) serves eight positions, 16 bits
 * each: position 8 i + 2 k takes the low half of word k, 8 i + 2 k + 1 the high half. Calls are made
 * in batches with one array per word, so that the compiler vectorises over counters.
 * Source: Salmon et al. 2011 (SC'11), algorithm of section 3.3 and constants of Random123.
 */
#include "isa.h"

#include <string.h>

#include "simd.h"
#include "team.h"
#include "trireme/core/status.h"

enum {
  PER_CALL = 8,                   /* positions a call of the generator serves */
  BATCH_CALLS = 64,               /* calls side by side */
  BATCH = BATCH_CALLS * PER_CALL, /* positions */
  PIECE = 8 * BATCH,              /* positions of one unit of work */
};

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "words are split into 16-bit halves by their place in memory: little-endian only"
#endif

/* Ten rounds for counters (first .. first + BATCH_CALLS - 1, sample); words[4 i + k] is word k of
 * call i. */
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
  for (int i = 0; i < BATCH_CALLS; ++i) {
    uint32_t a = c0[i], b = c1[i], c = c2[i], d = c3[i];
    uint32_t k0 = key.k[0], k1 = key.k[1];
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      const uint64_t p = (uint64_t)a * UINT32_C(0xD2511F53);
      const uint64_t q = (uint64_t)c * UINT32_C(0xCD9E8D57);
      a = (uint32_t)(q >> 32) ^ b ^ k0;
      b = (uint32_t)q;
      c = (uint32_t)(p >> 32) ^ d ^ k1;
      d = (uint32_t)p;
      k0 += UINT32_C(0x9E3779B9);
      k1 += UINT32_C(0xBB67AE85);
    }
    words[4 * i] = a;
    words[4 * i + 1] = b;
    words[4 * i + 2] = c;
    words[4 * i + 3] = d;
  }
}

typedef struct dropout {
  trm_random_key key;
  uint32_t threshold; /* 16-bit values below it drop their element */
  trm_real scale;     /* of the elements that stay */
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
      for (int64_t i = 0; i < count; ++i) to[i] += from[i] * (draw[i] < p.threshold ? 0 : p.scale);
    } else {
      for (int64_t i = 0; i < count; ++i) to[i] = from[i] * (draw[i] < p.threshold ? 0 : p.scale);
    }
  }
}

void trm_dropout(trm_real *y, const trm_real *x, int64_t N, int64_t C, double p, trm_random_key key,
                 int64_t sample0, int64_t rows, bool add) {
  TRM_ASSERT(p >= 0 && p < 1 && rows > 0);
  const uint32_t rounded = (uint32_t)(p * 65536.0 + 0.5);
  const uint32_t threshold = rounded > 65535 ? 65535 : rounded;
  const dropout d = {key, threshold, (trm_real)(65536.0 / (65536.0 - threshold))};
  /* Rows of a sample follow each other, so its positions are a contiguous span of x. */
  const int64_t span = rows * C, total = N * C;
  const int64_t n_pieces = trm_ceil_div(span, PIECE);
  const int64_t n_samples = trm_ceil_div(N, rows);
#pragma omp parallel for schedule(static) num_threads(trm_team(n_samples *n_pieces, total))
  for (int64_t u = 0; u < n_samples * n_pieces; ++u) {
    const int64_t sample = u / n_pieces, first = (u % n_pieces) * PIECE;
    const int64_t at = sample * span + first;
    const int64_t n = trm_min_i64(trm_min_i64(PIECE, span - first), total - at);
    if (n > 0) drop_piece(y + at, x + at, d, (uint64_t)(sample0 + sample), first, n, add);
  }
}
