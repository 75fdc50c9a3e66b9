/**
 * Functions of one trm_real. In float the exponential is a branch-free polynomial which loops over
 * arrays vectorise; in double, where only gradient checks run, it is the C library's.
 */
#ifndef TRIREME_MATH_KERNELS_REAL_MATH_H
#define TRIREME_MATH_KERNELS_REAL_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "simd.h"

#if TRM_REAL_IS_DOUBLE

TRM_INLINE trm_real trm_exp(trm_real x) {
  return exp(x);
}
TRM_INLINE trm_real trm_log(trm_real x) {
  return log(x);
}
TRM_INLINE trm_real trm_sqrt(trm_real x) {
  return sqrt(x);
}

#else

TRM_INLINE float trm_float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

TRM_INLINE uint32_t trm_bits_of_float(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/**
 * e^x within 1 unit in the last place, over the whole range: 0 and subnormals below, infinity
 * above, NaN stays NaN (the comparisons are written so that it passes through).
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2; e^r = 1 + r + r^2 q(r), q the polynomial of degree 4 with
 * least maximum relative error of e^r (3e-9, found by Lawson's iteration). ln 2 is taken in two
 * parts, the first short enough for n times it to be exact (Cody, Waite 1980). 2^n is applied in two
 * halves since n runs past what one exponent field holds. What is out of range is chosen last: a
 * bound on x in front would lengthen the chain of operations.
 */
TRM_INLINE float trm_exp(float x) {
  const float rounder = 0x1.8p23f;
  const float shifted = trm_fma(rounder, x, 0x1.715476p0f);
  const float n = shifted - rounder;
  float r = trm_fma(x, n, -0x1.63p-1f);
  r = trm_fma(r, n, 0x1.bd0106p-13f);
  float q = 0x1.6a23dp-10f;
  q = trm_fma(0x1.123a2p-7f, q, r);
  q = trm_fma(0x1.5558f2p-5f, q, r);
  q = trm_fma(0x1.555492p-3f, q, r);
  q = trm_fma(0x1.fffffcp-2f, q, r);
  const float e = trm_fma(r, q, r * r) + 1.0f;
  const int32_t k = (int32_t)(trm_bits_of_float(shifted) - trm_bits_of_float(rounder));
  const int32_t half = k >> 1;
  const float a = trm_float_of_bits((uint32_t)(half + 127) << 23);
  const float b = trm_float_of_bits((uint32_t)(k - half + 127) << 23);
  const float y = e * a * b;
  return x > 89.0f ? INFINITY : x < -104.0f ? 0.0f : y;
}

TRM_INLINE float trm_log(float x) {
  return logf(x);
}
TRM_INLINE float trm_sqrt(float x) {
  return sqrtf(x);
}

#endif

#endif
