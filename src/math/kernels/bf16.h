/**
 * bfloat16: the upper half of a float. Two of them that stand next to each other along K make a pair,
 * one 32-bit word with the first in the lower half, which is what dot products of bfloat16 take.
 *
 * The dot product of pairs is AVX512_BF16's VDPBF16PS: sum + a1 b1, then + a0 b0, each one fused
 * multiply-add rounded to nearest even, subnormal inputs and results taken as zero whatever the mode of
 * the processor. The loops here give its bits where there is no such instruction.
 */
#ifndef TRIREME_MATH_KERNELS_BF16_H
#define TRIREME_MATH_KERNELS_BF16_H

#include <math.h>

#include "real_math.h"
#include "simd.h"

#if !TRM_REAL_IS_DOUBLE

typedef uint32_t trm_words __attribute__((vector_size(TRM_VECTOR_BYTES)));

/** The one place where float is rounded to bfloat16: to nearest, ties to even; NaN stays NaN. */
TRM_INLINE uint32_t trm_bf16_of(float x) {
  const uint32_t bits = trm_bits_of_float(x);
  const uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  const bool is_nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
  return is_nan ? bits >> 16 | 0x40u : rounded;
}

/** A pair as the float of the same bits. */
TRM_INLINE float trm_bf16_pair(float first, float second) {
  return trm_float_of_bits(trm_bf16_of(first) | trm_bf16_of(second) << 16);
}

/** Subnormal numbers become zeros of their sign. */
TRM_INLINE trm_vector trm_flush(trm_vector x) {
  const trm_words bits = (trm_words)x;
  const trm_words normal = (trm_words)((bits & 0x7F800000u) != 0);
  return (trm_vector)(bits & (normal | 0x80000000u));
}

/** a b + c with one rounding, on every processor. */
TRM_INLINE trm_vector trm_exact_fma(trm_vector a, trm_vector b, trm_vector c) {
#if TRM_FUSED
  return trm_vector_fma(c, a, b);
#else
  for (int i = 0; i < TRM_VECTOR_REALS; ++i) c[i] = fmaf(a[i], b[i], c[i]);
  return c;
#endif
}

/** Dot product of pairs, by plain arithmetic. */
TRM_INLINE trm_vector trm_pair_dot_reference(trm_vector sum, trm_words a, trm_words b) {
  const trm_vector a0 = trm_flush((trm_vector)(a << 16)), b0 = trm_flush((trm_vector)(b << 16));
  const trm_vector a1 = trm_flush((trm_vector)(a & 0xFFFF0000u));
  const trm_vector b1 = trm_flush((trm_vector)(b & 0xFFFF0000u));
  sum = trm_flush(trm_exact_fma(a1, b1, trm_flush(sum)));
  return trm_flush(trm_exact_fma(a0, b0, sum));
}

/** The same by the instruction: only where the processor has it. Written out, since the kernels are
 *  compiled for a set of instructions without it. */
#if defined(__AVX512F__)
TRM_INLINE trm_vector trm_pair_dot(trm_vector sum, trm_words a, trm_words b) {
  __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}
#endif

#endif

#endif
