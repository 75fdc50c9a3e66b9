/**
 * Normal random numbers as floats, many side by side, each with bounds that hold what
 * trm_random_normal gives.
 *
 * trm_random_normal takes logarithm and cosine from the C library, in double. Here they are short
 * series, and what comes out is an interval: where both of its ends are one float, that float is the
 * rounded result, whatever the library's last digits are and whether or not products were contracted.
 * Where they are not (about one number in 20,000), the caller asks trm_random_normal itself.
 */
#ifndef TRIREME_MATH_KERNELS_NORMALS_H
#define TRIREME_MATH_KERNELS_NORMALS_H

#include "simd.h"
#include "trireme/core/random.h"

typedef double trm_doubles __attribute__((vector_size(TRM_VECTOR_BYTES)));
typedef uint64_t trm_words __attribute__((vector_size(TRM_VECTOR_BYTES)));
enum { TRM_DOUBLES = TRM_VECTOR_BYTES / (int)sizeof(double) };
typedef float trm_narrow __attribute__((vector_size(TRM_VECTOR_BYTES / 2)));

/** The words of a vector of calls of the generator, each in the low half of 64 bits. */
typedef struct trm_calls {
  trm_words w[4];
} trm_calls;

/** Product of b and the low half of each a. */
TRM_INLINE trm_words trm_words_mul(trm_words a, uint32_t b) {
#if defined(__AVX512F__)
  return (trm_words)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(b));
#elif defined(__AVX2__)
  return (trm_words)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(b));
#elif defined(__SSE2__) && !defined(__AVX__)
  return (trm_words)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(b));
#else
  return (a & UINT32_MAX) * b;
#endif
}

TRM_INLINE trm_doubles trm_doubles_sqrt(trm_doubles x) {
#if defined(__AVX512F__)
  return (trm_doubles)_mm512_sqrt_pd((__m512d)x);
#elif defined(__AVX__)
  return (trm_doubles)_mm256_sqrt_pd((__m256d)x);
#elif defined(__SSE2__)
  return (trm_doubles)_mm_sqrt_pd((__m128d)x);
#else
  for (int i = 0; i < TRM_DOUBLES; ++i) x[i] = __builtin_sqrt(x[i]);
  return x;
#endif
}

/**
 * trm_random_words(key, 0, first + i) for the numbers i of two vectors, one after the other: two, so
 * that one's products hide the latency of the other's. The high halves of a to d hold what the
 * products left there; no product reads them, and the end cuts them off.
 */
TRM_INLINE void trm_calls_make(trm_calls calls[2], trm_random_key key, uint64_t first) {
  static const uint64_t steps[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  trm_words a[2], b[2], c[2] = {{0}}, d[2] = {{0}};
  memcpy(a, steps, sizeof a);
  for (int j = 0; j < 2; ++j) a[j] += first;
  for (int j = 0; j < 2; ++j) b[j] = a[j] >> 32;
  uint32_t k0 = key.k[0], k1 = key.k[1];
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    for (int j = 0; j < 2; ++j) {
      const trm_words p = trm_words_mul(a[j], UINT32_C(0xD2511F53));
      const trm_words q = trm_words_mul(c[j], UINT32_C(0xCD9E8D57));
      a[j] = (q >> 32) ^ b[j] ^ k0;
      b[j] = q;
      c[j] = (p >> 32) ^ d[j] ^ k1;
      d[j] = p;
    }
    k0 += UINT32_C(0x9E3779B9);
    k1 += UINT32_C(0xBB67AE85);
  }
  for (int j = 0; j < 2; ++j) {
    const trm_words low = (trm_words){0} + UINT32_MAX;
    calls[j] = (trm_calls){{a[j] & low, b[j] & low, c[j] & low, d[j] & low}};
  }
}

/** Integers below 2^52 as doubles: as the mantissa of a number in [2^52, 2^53), which is no more
 *  than an addition on every instruction set. */
TRM_INLINE trm_doubles trm_doubles_of_words(trm_words x) {
  return (trm_doubles)(x | UINT64_C(0x4330000000000000)) - 0x1p52;
}

/** The upper 53 bits of two words as an integer: 2^53 times trm_random_uniform, exactly. */
TRM_INLINE trm_doubles trm_doubles_of_53_bits(trm_words high, trm_words low) {
  return trm_doubles_of_words(high) * 0x1p21 + trm_doubles_of_words(low >> 11);
}

/**
 * sqrt(-2 ln(1 - m / 2^53)) of integers m in [0, 2^53), with a relative error below 2^-45.
 *
 * 1 - m / 2^53 = 2^e f with f in [sqrt 1/2, sqrt 2), exactly; ln f = 2 s (1 + s^2/3 + s^4/5 + ...)
 * with s = (f - 1) / (f + 1), |s| < 0.1716. The terms left out begin with s^16/17: together less than
 * 2^-44.7 of ln f; and where e < 0, the whole is no smaller than ln f. The root halves that.
 */
TRM_INLINE trm_doubles trm_doubles_radius(trm_doubles m) {
  const uint64_t one = UINT64_C(0x3ff0000000000000), root_half = UINT64_C(0x3fe6a09e00000000);
  const trm_words bits = (trm_words)(1.0 - m * 0x1p-53);
  const trm_words biased = (bits + (one - root_half)) >> 52; /* e + 1023 */
  const trm_doubles e = (trm_doubles)(biased | UINT64_C(0x4330000000000000)) - (0x1p52 + 1023);
  const trm_doubles f = (trm_doubles)(bits - (biased << 52) + one);
  const trm_doubles s = (f - 1.0) / (f + 1.0);
  const trm_doubles z = s * s;
  trm_doubles p = z * (1.0 / 15) + 1.0 / 13;
  p = p * z + 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  const trm_doubles quarter = p * z * s + s;                         /* of ln f^2 */
  return trm_doubles_sqrt(e * -0x1.62e42fefa39efp0 - 4.0 * quarter); /* 2 ln 2 */
}

/**
 * cos(2 pi m / 2^53) of integers m in [0, 2^53), with an absolute error below 2^-44.
 *
 * It is sin(2 pi t) with t = |m / 2^53 - 1/2| - 1/4 in [-1/4, 1/4], exactly; the sine's series up to
 * x^17 alternates, so at most the next term is missing, (pi/2)^19 / 19! < 2^-44.3.
 */
TRM_INLINE trm_doubles trm_doubles_cosine(trm_doubles m) {
  const trm_doubles centred = m * 0x1p-53 - 0.5;
  const trm_words sign = (trm_words){0} + (UINT64_C(1) << 63);
  const trm_doubles t = (trm_doubles)((trm_words)centred & ~sign) - 0.25;
  const trm_doubles x = t * 6.283185307179586476925;
  const trm_doubles z = x * x;
  trm_doubles p = z * (1.0 / 355687428096000) - 1.0 / 1307674368000; /* 1/17!, 1/15! */
  p = p * z + 1.0 / 6227020800;
  p = p * z - 1.0 / 39916800;
  p = p * z + 1.0 / 362880;
  p = p * z - 1.0 / 5040;
  p = p * z + 1.0 / 120;
  p = p * z - 1.0 / 6;
  return p * z * x + x;
}

/**
 * Twice what radius times cosine may be off, over the radius: 2^-44 and 2^-45 from above, less than
 * 2^-49 from rounding here, and as much from the C library's functions and the rounding of 2 pi.
 */
#define TRM_NORMAL_ERROR 0x1p-42

/**
 * Floats that hold scale times the normal numbers of the calls between them, rounded: where
 * low[i] and high[i] have the same bits, each is (float)(scale * trm_random_normal(...)), since
 * rounding is monotone. 2^-200 lets nothing that may be a zero through: its sign is the library's.
 */
TRM_INLINE void trm_normals_bound(float *low, float *high, const trm_calls *calls, double scale,
                                  double error) {
  const trm_doubles radius = trm_doubles_radius(trm_doubles_of_53_bits(calls->w[0], calls->w[1]));
  const trm_doubles cosine = trm_doubles_cosine(trm_doubles_of_53_bits(calls->w[2], calls->w[3]));
  const trm_doubles x = radius * cosine * scale;
  const trm_doubles off = radius * (__builtin_fabs(scale) * error) + 0x1p-200;
  const trm_narrow under = __builtin_convertvector(x - off, trm_narrow);
  const trm_narrow over = __builtin_convertvector(x + off, trm_narrow);
  memcpy(low, &under, sizeof under);
  memcpy(high, &over, sizeof over);
}

/** scale (2 u - 1), u the uniform numbers of the calls: exact up to the product, whose rounding and
 *  the float's are those of the same formula with trm_random_uniform. */
TRM_INLINE void trm_uniforms_put(float *y, const trm_calls *calls, double scale) {
  const trm_doubles m = trm_doubles_of_53_bits(calls->w[0], calls->w[1]);
  const trm_narrow x = __builtin_convertvector((m * 0x1p-52 - 1.0) * scale, trm_narrow);
  memcpy(y, &x, sizeof x);
}

#endif
