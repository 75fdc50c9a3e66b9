/**
 * Philox 4x32-10 for many counters side by side, and what dropout makes of its words.
 *
 * One call with counter (position / 8, sample) serves eight positions, 16 bits each: position
 * 8 i + 2 k takes the low half of word k, 8 i + 2 k + 1 the high half.
 * Source: Salmon et al. 2011 (SC'11), algorithm of section 3.3 and constants of Random123.
 */
#ifndef TRIREME_MATH_KERNELS_DRAWS_H
#define TRIREME_MATH_KERNELS_DRAWS_H

#include <stdint.h>

#include "simd.h"
#include "trireme/core/random.h"
#include "trireme/core/status.h"

enum {
  PER_CALL = 8,                   /* positions a call of the generator serves */
  BATCH_CALLS = 64,               /* calls side by side, at most */
  BATCH = BATCH_CALLS * PER_CALL, /* positions */
};

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "words are split into 16-bit halves by their place in memory: little-endian only"
#endif

/** Ten rounds for n counters (c0 | c1 << 32: position / 8, c2 | c3 << 32: sample); words[4 i + k] is
 *  word k of call i. */
TRM_INLINE void trm_philox_batch(uint32_t *restrict words, trm_random_key key,
                                 const uint32_t *restrict c0, const uint32_t *restrict c1,
                                 const uint32_t *restrict c2, const uint32_t *restrict c3, int n) {
  for (int i = 0; i < n; ++i) {
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

typedef struct trm_drop {
  uint32_t threshold; /* 16-bit values below it drop their element */
  trm_real scale;     /* of the elements that stay */
} trm_drop;

/** p in [0, 1) is rounded to a multiple of 2^-16. */
TRM_INLINE trm_drop trm_drop_make(double p) {
  TRM_ASSERT(p >= 0 && p < 1);
  const uint32_t rounded = (uint32_t)(p * 65536.0 + 0.5);
  const uint32_t threshold = rounded > 65535 ? 65535 : rounded;
  return (trm_drop){threshold, (trm_real)(65536.0 / (65536.0 - threshold))};
}

#endif
