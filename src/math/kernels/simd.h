/**
 * Sixteen lanes of trm_real on every instruction set: one AVX-512 register of floats, two of AVX2,
 * four of SSE. Sums run over the 16 lanes and end in one fixed tree, so they vectorise without
 * reordering flags and are the same on every instruction set that has a fused multiply-add.
 */
#ifndef TRIREME_MATH_KERNELS_SIMD_H
#define TRIREME_MATH_KERNELS_SIMD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "trireme/math/real.h"

#if defined(__AVX512F__)
#define TRM_VECTOR_BYTES 64
#elif defined(__AVX__)
#define TRM_VECTOR_BYTES 32
#else
#define TRM_VECTOR_BYTES 16
#endif

#define TRM_INLINE static inline __attribute__((always_inline))

typedef trm_real trm_vector __attribute__((vector_size(TRM_VECTOR_BYTES)));
enum {
  TRM_LANES = 16,
  TRM_VECTOR_REALS = TRM_VECTOR_BYTES / (int)sizeof(trm_real),
  TRM_LANE_VECTORS = TRM_LANES / TRM_VECTOR_REALS,
};

/* ---- fused multiply-add ----------------------------------------------------------------------- */

/* Kernels are compiled without contraction: where a product is added with one rounding is written
 * down, by these functions, and nowhere left to the compiler. It contracts a b + c d, or a choice
 * between two sums, as its vectoriser finds best: differently for each instruction set, in the tail of a
 * loop, and in another compiler. */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define TRM_FUSED 1
#else
#define TRM_FUSED 0 /* two roundings: x86-64-v2 */
#endif

/** sum + a b. */
TRM_INLINE trm_real trm_fma(trm_real sum, trm_real a, trm_real b) {
#if TRM_FUSED && TRM_REAL_IS_DOUBLE
  return __builtin_fma(a, b, sum);
#elif TRM_FUSED
  return __builtin_fmaf(a, b, sum);
#else
  return sum + a * b;
#endif
}

TRM_INLINE trm_vector trm_vector_load(const trm_real *p) {
  trm_vector v;
  memcpy(&v, p, sizeof v);
  return v;
}
TRM_INLINE void trm_vector_store(trm_real *p, trm_vector v) {
  memcpy(p, &v, sizeof v);
}

TRM_INLINE trm_vector trm_vector_set(trm_real x) {
  return x - (trm_vector){0};
}

TRM_INLINE trm_vector trm_vector_fma(trm_vector sum, trm_vector a, trm_vector b) {
#if defined(__AVX512F__) && !TRM_REAL_IS_DOUBLE
  return (trm_vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)sum);
#elif defined(__AVX__) && defined(__FMA__) && !TRM_REAL_IS_DOUBLE
  return (trm_vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
#elif TRM_FUSED
  for (int i = 0; i < TRM_VECTOR_REALS; ++i) sum[i] = trm_fma(sum[i], a[i], b[i]);
  return sum;
#else
  return sum + a * b;
#endif
}

/* ---- sixteen lanes ---------------------------------------------------------------------------- */

typedef struct trm_lanes {
  trm_vector v[TRM_LANE_VECTORS];
} trm_lanes;

TRM_INLINE trm_lanes trm_lanes_set(trm_real x) {
  trm_lanes r;
  for (int i = 0; i < TRM_LANE_VECTORS; ++i) r.v[i] = x - (trm_vector){0};
  return r;
}

/* Vector by vector: a memcpy longer than a register keeps gcc from holding the lanes in registers. */
TRM_INLINE trm_lanes trm_lanes_load(const trm_real *p) {
  trm_lanes r;
  for (int i = 0; i < TRM_LANE_VECTORS; ++i) {
    memcpy(&r.v[i], p + i * TRM_VECTOR_REALS, sizeof r.v[i]);
  }
  return r;
}

TRM_INLINE void trm_lanes_store(trm_real *p, trm_lanes a) {
  for (int i = 0; i < TRM_LANE_VECTORS; ++i) {
    memcpy(p + i * TRM_VECTOR_REALS, &a.v[i], sizeof a.v[i]);
  }
}

TRM_INLINE trm_lanes trm_lanes_add(trm_lanes a, trm_lanes b) {
  for (int i = 0; i < TRM_LANE_VECTORS; ++i) a.v[i] += b.v[i];
  return a;
}

TRM_INLINE trm_lanes trm_lanes_sub(trm_lanes a, trm_lanes b) {
  for (int i = 0; i < TRM_LANE_VECTORS; ++i) a.v[i] -= b.v[i];
  return a;
}

TRM_INLINE trm_lanes trm_lanes_mul(trm_lanes a, trm_lanes b) {
  for (int i = 0; i < TRM_LANE_VECTORS; ++i) a.v[i] *= b.v[i];
  return a;
}

/** sum + a b. */
TRM_INLINE trm_lanes trm_lanes_fma(trm_lanes sum, trm_lanes a, trm_lanes b) {
  for (int i = 0; i < TRM_LANE_VECTORS; ++i) sum.v[i] = trm_vector_fma(sum.v[i], a.v[i], b.v[i]);
  return sum;
}

/** Bit i: lane i is greater than x. */
TRM_INLINE uint32_t trm_lanes_above(trm_lanes a, trm_real x) {
#if defined(__AVX512F__) && !TRM_REAL_IS_DOUBLE
  return _mm512_cmp_ps_mask((__m512)a.v[0], _mm512_set1_ps(x), _CMP_GT_OQ);
#elif defined(__AVX__) && !TRM_REAL_IS_DOUBLE
  const __m256 limit = _mm256_set1_ps(x);
  const int low = _mm256_movemask_ps(_mm256_cmp_ps((__m256)a.v[0], limit, _CMP_GT_OQ));
  const int high = _mm256_movemask_ps(_mm256_cmp_ps((__m256)a.v[1], limit, _CMP_GT_OQ));
  return (uint32_t)low | (uint32_t)high << 8;
#else
  uint32_t bits = 0;
  for (int i = 0; i < TRM_LANES; ++i) {
    const bool above = a.v[i / TRM_VECTOR_REALS][i % TRM_VECTOR_REALS] > x;
    bits |= (above ? UINT32_C(1) : 0) << i;
  }
  return bits;
#endif
}

TRM_INLINE trm_vector trm_vector_max(trm_vector a, trm_vector b) {
#if defined(__AVX512F__) && !TRM_REAL_IS_DOUBLE
  return (trm_vector)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX__) && !TRM_REAL_IS_DOUBLE
  return (trm_vector)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__) && !TRM_REAL_IS_DOUBLE && !defined(__AVX__)
  return (trm_vector)_mm_max_ps((__m128)a, (__m128)b);
#else
  for (int i = 0; i < TRM_VECTOR_REALS; ++i) a[i] = a[i] > b[i] ? a[i] : b[i];
  return a;
#endif
}

/** The larger of each lane; where one is NaN, either. */
TRM_INLINE trm_lanes trm_lanes_larger(trm_lanes a, trm_lanes b) {
  for (int i = 0; i < TRM_LANE_VECTORS; ++i) a.v[i] = trm_vector_max(a.v[i], b.v[i]);
  return a;
}

/* The halves of a vector as shorter vectors, so that folding the lanes stays in registers. */
#if !TRM_REAL_IS_DOUBLE
typedef float trm_quad __attribute__((vector_size(16)));
#if defined(__AVX__)
typedef float trm_oct __attribute__((vector_size(32)));
TRM_INLINE trm_quad trm_low_quad(trm_oct v) {
  return __builtin_shufflevector(v, v, 0, 1, 2, 3);
}
TRM_INLINE trm_quad trm_high_quad(trm_oct v) {
  return __builtin_shufflevector(v, v, 4, 5, 6, 7);
}
#endif
#if defined(__AVX512F__)
TRM_INLINE trm_oct trm_low_oct(trm_vector v) {
  return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
}
TRM_INLINE trm_oct trm_high_oct(trm_vector v) {
  return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
}
#endif
#endif

/** Sum of the lanes: lane i with lane i+8, then i+4, i+2, i+1. */
TRM_INLINE trm_real trm_lanes_sum(trm_lanes a) {
#if TRM_REAL_IS_DOUBLE
  trm_real x[TRM_LANES];
  memcpy(x, &a, sizeof x);
  for (int half = TRM_LANES / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) x[i] += x[i + half];
  }
  return x[0];
#else
#if defined(__AVX512F__)
  const trm_oct half = trm_low_oct(a.v[0]) + trm_high_oct(a.v[0]);
  const trm_quad four = trm_low_quad(half) + trm_high_quad(half);
#elif defined(__AVX__)
  const trm_oct half = a.v[0] + a.v[1];
  const trm_quad four = trm_low_quad(half) + trm_high_quad(half);
#else
  const trm_quad four = (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]);
#endif
  const trm_quad two = four + __builtin_shufflevector(four, four, 2, 3, 0, 1);
  return two[0] + two[1];
#endif
}

/** Largest lane; NaN lanes may be passed over, callers let NaN show elsewhere. */
TRM_INLINE trm_real trm_lanes_max(trm_lanes a) {
  trm_vector top = a.v[0];
  for (int i = 1; i < TRM_LANE_VECTORS; ++i) top = trm_vector_max(top, a.v[i]);
#if TRM_REAL_IS_DOUBLE || !defined(__SSE2__)
  trm_real max = top[0];
  for (int i = 1; i < TRM_VECTOR_REALS; ++i) max = top[i] > max ? top[i] : max;
  return max;
#else
#if defined(__AVX512F__)
  const trm_oct half = (trm_oct)_mm256_max_ps((__m256)trm_low_oct(top), (__m256)trm_high_oct(top));
  trm_quad four = (trm_quad)_mm_max_ps((__m128)trm_low_quad(half), (__m128)trm_high_quad(half));
#elif defined(__AVX__)
  trm_quad four = (trm_quad)_mm_max_ps((__m128)trm_low_quad(top), (__m128)trm_high_quad(top));
#else
  trm_quad four = top;
#endif
  const trm_quad swapped = __builtin_shufflevector(four, four, 2, 3, 0, 1);
  four = (trm_quad)_mm_max_ps((__m128)four, (__m128)swapped);
  return four[0] > four[1] ? four[0] : four[1];
#endif
}

/* ---- rows of any length ---------------------------------------------------------------------- */

/* Sliding window over masks: from [16 - n] on, the last n of 16 lanes are kept. */
#if TRM_REAL_IS_DOUBLE
typedef int64_t trm_mask_word;
#else
typedef int32_t trm_mask_word;
#endif
typedef trm_mask_word trm_mask_vector __attribute__((vector_size(TRM_VECTOR_BYTES)));

/** `a` with only the last n < 16 lanes kept, the others zero. */
TRM_INLINE trm_lanes trm_lanes_keep_last(trm_lanes a, int64_t n) {
  static const trm_mask_word window[2 * TRM_LANES] = {0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
                                                      0,  0,  0,  0,  0,  -1, -1, -1, -1, -1, -1,
                                                      -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  for (int i = 0; i < TRM_LANE_VECTORS; ++i) {
    trm_mask_vector mask;
    memcpy(&mask, window + n + i * TRM_VECTOR_REALS, sizeof mask);
    a.v[i] = (trm_vector)((trm_mask_vector)a.v[i] & mask);
  }
  return a;
}

/**
 * The last 16 elements of the row x[0..n-1]. A row ends with them when n is no multiple of 16: the
 * first lanes were seen before, so sums apply trm_lanes_keep_last(.., n % 16). Rows shorter than 16
 * stand at the end, after `fill`.
 */
TRM_INLINE trm_lanes trm_lanes_load_last(const trm_real *x, int64_t n, trm_real fill) {
  if (n >= TRM_LANES) return trm_lanes_load(x + n - TRM_LANES);
  trm_real row[TRM_LANES];
  for (int64_t i = 0; i < TRM_LANES; ++i) row[i] = fill;
  for (int64_t i = 0; i < n; ++i) row[TRM_LANES - n + i] = x[i];
  return trm_lanes_load(row);
}

/** Sum of x[0..n-1]. */
TRM_INLINE trm_real trm_sum_row(const trm_real *x, int64_t n) {
  trm_lanes sum = trm_lanes_set(0);
  for (int64_t i = 0; i + TRM_LANES <= n; i += TRM_LANES) {
    sum = trm_lanes_add(sum, trm_lanes_load(x + i));
  }
  const int64_t rest = n % TRM_LANES;
  if (rest > 0) {
    sum = trm_lanes_add(sum, trm_lanes_keep_last(trm_lanes_load_last(x, n, 0), rest));
  }
  return trm_lanes_sum(sum);
}

/** Largest of x[0..n-1], n >= 1; NaN may be passed over. */
TRM_INLINE trm_real trm_max_row(const trm_real *x, int64_t n) {
  trm_lanes max = trm_lanes_load_last(x, n, x[0]);
  for (int64_t i = 0; i + TRM_LANES <= n; i += TRM_LANES) {
    max = trm_lanes_larger(max, trm_lanes_load(x + i));
  }
  return trm_lanes_max(max);
}

#endif
