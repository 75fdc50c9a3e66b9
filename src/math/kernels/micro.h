/**
 * Small matrix products for the inside of kernels: operands that fit the first-level cache, B read
 * along its rows without packing, A read element by element (so A or its transpose cost the same).
 * Each element of C is one sum over k in order.
 *
 * Written because attention's products are 8 to 64 rows and cut by the causal mask: a call into the
 * matrix library packs its operands for every one of them (benchmarks/bench_kernels.c).
 */
#ifndef TRIREME_MATH_KERNELS_MICRO_H
#define TRIREME_MATH_KERNELS_MICRO_H

#include "simd.h"

/* Rows and groups of 16 columns whose sums are kept in registers: 16 of 32 registers with AVX-512,
 * 8 of 16 otherwise. */
#if defined(__AVX512F__) && !TRM_REAL_IS_DOUBLE
enum { TRM_MICRO_ROWS = 8, TRM_MICRO_GROUPS = 2 };
#elif defined(__AVX__)
enum { TRM_MICRO_ROWS = 4, TRM_MICRO_GROUPS = 1 };
#else
enum { TRM_MICRO_ROWS = 2, TRM_MICRO_GROUPS = 1 };
#endif
enum { TRM_MICRO_BLOCK = 8 }; /* callers' rows come in multiples of this */

TRM_INLINE void trm_micro(int groups, int64_t K, const trm_real *a, int64_t row_step,
                          int64_t k_step, const trm_real *b, int64_t ldb, trm_real *c, int64_t ldc,
                          bool add) {
  trm_lanes sum[TRM_MICRO_ROWS][TRM_MICRO_GROUPS];
#pragma GCC unroll 8
  for (int i = 0; i < TRM_MICRO_ROWS; ++i) {
#pragma GCC unroll 2
    for (int g = 0; g < groups; ++g) sum[i][g] = trm_lanes_set(0);
  }
  for (int64_t k = 0; k < K; ++k) {
    trm_lanes row[TRM_MICRO_GROUPS];
#pragma GCC unroll 2
    for (int g = 0; g < groups; ++g) row[g] = trm_lanes_load(b + k * ldb + g * TRM_LANES);
#pragma GCC unroll 8
    for (int i = 0; i < TRM_MICRO_ROWS; ++i) {
      const trm_lanes x = trm_lanes_set(a[i * row_step + k * k_step]);
#pragma GCC unroll 2
      for (int g = 0; g < groups; ++g) sum[i][g] = trm_lanes_fma(sum[i][g], x, row[g]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < TRM_MICRO_ROWS; ++i) {
#pragma GCC unroll 2
    for (int g = 0; g < groups; ++g) {
      trm_real *to = c + i * ldc + g * TRM_LANES;
      trm_lanes_store(to, add ? trm_lanes_add(trm_lanes_load(to), sum[i][g]) : sum[i][g]);
    }
  }
}

/**
 * C[M,N] = A B, or += (add); M a multiple of 8, N of 16; element (i, k) of A is
 * a[i row_step + k k_step].
 */
TRM_INLINE void trm_small_product(int64_t M, int64_t N, int64_t K, const trm_real *a,
                                  int64_t row_step, int64_t k_step, const trm_real *b, int64_t ldb,
                                  trm_real *c, int64_t ldc, bool add) {
  int64_t j = 0;
  for (; j + TRM_MICRO_GROUPS * TRM_LANES <= N; j += TRM_MICRO_GROUPS * TRM_LANES) {
    for (int64_t i = 0; i < M; i += TRM_MICRO_ROWS) {
      trm_micro(TRM_MICRO_GROUPS, K, a + i * row_step, row_step, k_step, b + j, ldb,
                c + i * ldc + j, ldc, add);
    }
  }
  for (; j < N; j += TRM_LANES) {
    for (int64_t i = 0; i < M; i += TRM_MICRO_ROWS) {
      trm_micro(1, K, a + i * row_step, row_step, k_step, b + j, ldb, c + i * ldc + j, ldc, add);
    }
  }
}

/* The 4 x 4 transpose in registers: the C loop would move element by element. */
TRM_INLINE void trm_transpose_4x4(trm_real *to, int64_t to_step, const trm_real *from,
                                  int64_t from_step) {
#if TRM_REAL_IS_DOUBLE
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) to[j * to_step + i] = from[i * from_step + j];
  }
#else
  typedef float vector __attribute__((vector_size(16)));
  vector r0, r1, r2, r3;
  memcpy(&r0, from, sizeof r0);
  memcpy(&r1, from + from_step, sizeof r1);
  memcpy(&r2, from + 2 * from_step, sizeof r2);
  memcpy(&r3, from + 3 * from_step, sizeof r3);
  const vector a0 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5);
  const vector a1 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
  const vector b0 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
  const vector b1 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
  const vector t0 = __builtin_shufflevector(a0, b0, 0, 1, 4, 5);
  const vector t1 = __builtin_shufflevector(a0, b0, 2, 3, 6, 7);
  const vector t2 = __builtin_shufflevector(a1, b1, 0, 1, 4, 5);
  const vector t3 = __builtin_shufflevector(a1, b1, 2, 3, 6, 7);
  memcpy(to, &t0, sizeof t0);
  memcpy(to + to_step, &t1, sizeof t1);
  memcpy(to + 2 * to_step, &t2, sizeof t2);
  memcpy(to + 3 * to_step, &t3, sizeof t3);
#endif
}

/** to[j to_step + i] = from[i from_step + j] for i < rows, j < columns. */
TRM_INLINE void trm_transpose(trm_real *to, int64_t to_step, const trm_real *from,
                              int64_t from_step, int64_t rows, int64_t columns) {
  int64_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    int64_t j = 0;
    for (; j + 4 <= columns; j += 4) {
      trm_transpose_4x4(to + j * to_step + i, to_step, from + i * from_step + j, from_step);
    }
    for (; j < columns; ++j) {
      for (int64_t r = i; r < i + 4; ++r) to[j * to_step + r] = from[r * from_step + j];
    }
  }
  for (; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) to[j * to_step + i] = from[i * from_step + j];
  }
}

#endif
