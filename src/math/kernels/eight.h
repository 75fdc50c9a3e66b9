/**
 * Eight numbers at a time, and fewer at the end of a row: for rows of many short parts (heads), which
 * are no multiple of the longest vectors.
 */
#ifndef TRIREME_MATH_KERNELS_EIGHT_H
#define TRIREME_MATH_KERNELS_EIGHT_H

#include "simd.h"

enum { TRM_EIGHT = 8 };
#define TRM_EIGHT_BYTES (TRM_VECTOR_BYTES < 32 ? TRM_VECTOR_BYTES : 32)
typedef trm_real trm_eight_piece __attribute__((vector_size(TRM_EIGHT_BYTES)));
enum { TRM_EIGHT_PIECES = TRM_EIGHT * (int)sizeof(trm_real) / TRM_EIGHT_BYTES };

typedef struct trm_eight {
  trm_eight_piece v[TRM_EIGHT_PIECES];
} trm_eight;

TRM_INLINE trm_eight trm_eight_load(const trm_real *p) {
  trm_eight r;
  for (int i = 0; i < TRM_EIGHT_PIECES; ++i) {
    memcpy(&r.v[i], p + i * (TRM_EIGHT / TRM_EIGHT_PIECES), sizeof r.v[i]);
  }
  return r;
}
TRM_INLINE void trm_eight_store(trm_real *p, trm_eight a) {
  for (int i = 0; i < TRM_EIGHT_PIECES; ++i) {
    memcpy(p + i * (TRM_EIGHT / TRM_EIGHT_PIECES), &a.v[i], sizeof a.v[i]);
  }
}

TRM_INLINE trm_eight_piece trm_eight_piece_fma(trm_eight_piece sum, trm_eight_piece a,
                                               trm_eight_piece b) {
#if defined(__AVX__) && defined(__FMA__) && !TRM_REAL_IS_DOUBLE
  return (trm_eight_piece)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
#elif TRM_FUSED
  for (int i = 0; i < TRM_EIGHT / TRM_EIGHT_PIECES; ++i) sum[i] = trm_fma(sum[i], a[i], b[i]);
  return sum;
#else
  return sum + a * b;
#endif
}

/** sum + x a. */
TRM_INLINE trm_eight trm_eight_fma(trm_eight sum, trm_real x, trm_eight a) {
  const trm_eight_piece all = x - (trm_eight_piece){0};
  for (int i = 0; i < TRM_EIGHT_PIECES; ++i) sum.v[i] = trm_eight_piece_fma(sum.v[i], all, a.v[i]);
  return sum;
}

TRM_INLINE trm_eight trm_eight_set(trm_real x) {
  trm_eight r;
  for (int i = 0; i < TRM_EIGHT_PIECES; ++i) r.v[i] = x - (trm_eight_piece){0};
  return r;
}
TRM_INLINE trm_eight trm_eight_add(trm_eight a, trm_eight b) {
  for (int i = 0; i < TRM_EIGHT_PIECES; ++i) a.v[i] += b.v[i];
  return a;
}
TRM_INLINE trm_eight trm_eight_mul(trm_eight a, trm_eight b) {
  for (int i = 0; i < TRM_EIGHT_PIECES; ++i) a.v[i] *= b.v[i];
  return a;
}

/** The larger of each; where one is NaN, b. */
TRM_INLINE trm_eight trm_eight_larger(trm_eight a, trm_eight b) {
#if TRM_REAL_IS_DOUBLE || !defined(__SSE2__)
  trm_real x[TRM_EIGHT], y[TRM_EIGHT];
  trm_eight_store(x, a);
  trm_eight_store(y, b);
  for (int i = 0; i < TRM_EIGHT; ++i) y[i] = x[i] > y[i] ? x[i] : y[i];
  return trm_eight_load(y);
#else
  for (int i = 0; i < TRM_EIGHT_PIECES; ++i) {
#if defined(__AVX__)
    b.v[i] = (trm_eight_piece)_mm256_max_ps((__m256)a.v[i], (__m256)b.v[i]);
#else
    b.v[i] = (trm_eight_piece)_mm_max_ps((__m128)a.v[i], (__m128)b.v[i]);
#endif
  }
  return b;
#endif
}

#if defined(__AVX__) && !TRM_REAL_IS_DOUBLE
typedef __m256i trm_eight_part;
TRM_INLINE trm_eight_part trm_eight_part_of(int64_t n) {
  static const int32_t window[2 * TRM_EIGHT] = {-1, -1, -1, -1, -1, -1, -1, -1};
  trm_eight_part part;
  memcpy(&part, window + TRM_EIGHT - n, sizeof part);
  return part;
}
/** The first n elements, the others 0; nothing past them is touched. */
TRM_INLINE trm_eight trm_eight_part_load(const trm_real *p, trm_eight_part part) {
  return (trm_eight){{(trm_eight_piece)_mm256_maskload_ps(p, part)}};
}
TRM_INLINE void trm_eight_part_store(trm_real *p, trm_eight_part part, trm_eight a) {
  _mm256_maskstore_ps(p, part, (__m256)a.v[0]);
}
#else
typedef int64_t trm_eight_part;
TRM_INLINE trm_eight_part trm_eight_part_of(int64_t n) {
  return n;
}
TRM_INLINE trm_eight trm_eight_part_load(const trm_real *p, trm_eight_part part) {
  trm_real x[TRM_EIGHT] = {0};
  for (int64_t i = 0; i < part; ++i) x[i] = p[i];
  return trm_eight_load(x);
}
TRM_INLINE void trm_eight_part_store(trm_real *p, trm_eight_part part, trm_eight a) {
  trm_real x[TRM_EIGHT];
  trm_eight_store(x, a);
  for (int64_t i = 0; i < part; ++i) p[i] = x[i];
}
#endif

#endif
