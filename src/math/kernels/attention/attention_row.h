/**
 * One query of attention against all its keys, in place: nothing is packed. The sums are those of the
 * tiles (attention.c), element by element, so the bits are too; d is a multiple of 16.
 */
#ifndef TRIREME_MATH_KERNELS_ATTENTION_ROW_H
#define TRIREME_MATH_KERNELS_ATTENTION_ROW_H

#include "attention_parts.h"

#if TRM_REAL_IS_DOUBLE || !defined(__SSE2__)

/* s[i] = q . rows[i], in order of the elements, for 16 rows. */
TRM_INLINE void row_scores(trm_real *s, const trm_real *q, const trm_real *const *rows, int64_t d) {
  for (int i = 0; i < TRM_LANES; ++i) {
    trm_real sum = 0;
    for (int64_t c = 0; c < d; ++c) sum = trm_fma(sum, q[c], rows[i][c]);
    s[i] = sum;
  }
}

#else

/* The same elements of two vectors in each group of four lanes: 0 to 3 of a, 4 to 7 of b. */
#define TRM_QUAD_AT(group, i) ((i) < 4 ? 4 * (group) + (i) : TRM_VECTOR_REALS + 4 * (group) + (i)-4)
#define TRM_QUAD_OF(group, i, j, k, l)                                                             \
  TRM_QUAD_AT(group, i), TRM_QUAD_AT(group, j), TRM_QUAD_AT(group, k), TRM_QUAD_AT(group, l)
#if defined(__AVX512F__)
#define TRM_BY_QUADS(a, b, i, j, k, l)                                                             \
  __builtin_shufflevector(a, b, TRM_QUAD_OF(0, i, j, k, l), TRM_QUAD_OF(1, i, j, k, l),            \
                          TRM_QUAD_OF(2, i, j, k, l), TRM_QUAD_OF(3, i, j, k, l))
#elif defined(__AVX__)
#define TRM_BY_QUADS(a, b, i, j, k, l)                                                             \
  __builtin_shufflevector(a, b, TRM_QUAD_OF(0, i, j, k, l), TRM_QUAD_OF(1, i, j, k, l))
#else
#define TRM_BY_QUADS(a, b, i, j, k, l) __builtin_shufflevector(a, b, TRM_QUAD_OF(0, i, j, k, l))
#endif

TRM_INLINE trm_quad quad_at(const trm_real *p) {
  trm_quad x;
  memcpy(&x, p, sizeof x);
  return x;
}

/* Elements c .. c + 3 of rows[0], rows[4], ... side by side, as many as fill a vector. */
TRM_INLINE trm_vector quads_of_rows(const trm_real *const *rows, int64_t c) {
#if defined(__AVX__)
  const trm_oct low =
      __builtin_shufflevector(quad_at(rows[0] + c), quad_at(rows[4] + c), 0, 1, 2, 3, 4, 5, 6, 7);
#if defined(__AVX512F__)
  const trm_oct high =
      __builtin_shufflevector(quad_at(rows[8] + c), quad_at(rows[12] + c), 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
  return low;
#endif
#else
  return quad_at(rows[0] + c);
#endif
}

/* Adds elements c .. c + 3 of as many rows as a vector has lanes, transposed in registers. */
TRM_INLINE trm_vector add_quads(trm_vector sum, const trm_real *q, const trm_real *const *rows,
                                int64_t c) {
  const trm_vector r0 = quads_of_rows(rows, c), r1 = quads_of_rows(rows + 1, c);
  const trm_vector r2 = quads_of_rows(rows + 2, c), r3 = quads_of_rows(rows + 3, c);
  const trm_vector a0 = TRM_BY_QUADS(r0, r1, 0, 4, 1, 5), a1 = TRM_BY_QUADS(r0, r1, 2, 6, 3, 7);
  const trm_vector b0 = TRM_BY_QUADS(r2, r3, 0, 4, 1, 5), b1 = TRM_BY_QUADS(r2, r3, 2, 6, 3, 7);
  sum = trm_vector_fma(sum, trm_vector_set(q[c]), TRM_BY_QUADS(a0, b0, 0, 1, 4, 5));
  sum = trm_vector_fma(sum, trm_vector_set(q[c + 1]), TRM_BY_QUADS(a0, b0, 2, 3, 6, 7));
  sum = trm_vector_fma(sum, trm_vector_set(q[c + 2]), TRM_BY_QUADS(a1, b1, 0, 1, 4, 5));
  return trm_vector_fma(sum, trm_vector_set(q[c + 3]), TRM_BY_QUADS(a1, b1, 2, 3, 6, 7));
}

/* s[i] = q . rows[i], in order of the elements, for 16 rows. */
TRM_INLINE void row_scores(trm_real *s, const trm_real *q, const trm_real *const *rows, int64_t d) {
  for (int i = 0; i < TRM_LANES; i += TRM_VECTOR_REALS) {
    trm_vector sum = trm_vector_set(0);
    for (int64_t c = 0; c < d; c += 4) sum = add_quads(sum, q, rows + i, c);
    trm_vector_store(s + i, sum);
  }
}

#endif

/* `groups` times 16 columns of out (+)= sum over n rows of p[i] rows[i], in order. */
TRM_INLINE void row_values(int groups, trm_real *out, const trm_real *p,
                           const trm_real *const *rows, int64_t column, int64_t n, bool add) {
  trm_lanes sum[4];
#pragma GCC unroll 4
  for (int g = 0; g < groups; ++g) sum[g] = trm_lanes_set(0);
  for (int64_t i = 0; i < n; ++i) {
    const trm_lanes x = trm_lanes_set(p[i]);
#pragma GCC unroll 4
    for (int g = 0; g < groups; ++g) {
      sum[g] = trm_lanes_fma(sum[g], x, trm_lanes_load(rows[i] + column + g * TRM_LANES));
    }
  }
#pragma GCC unroll 4
  for (int g = 0; g < groups; ++g) {
    trm_real *to = out + column + g * TRM_LANES;
    trm_lanes_store(to, add ? trm_lanes_add(trm_lanes_load(to), sum[g]) : sum[g]);
  }
}

/** s[n rounded up to 16] = q[d] . rows[i] for a tile of n keys. */
TRM_INLINE void row_key_tile(trm_real *s, const trm_real *q, const trm_real **rows, int64_t n,
                             int64_t d) {
  for (int64_t i = n; i < round_up(n, TRM_LANES); ++i) rows[i] = rows[0]; /* not counted */
  for (int64_t i = 0; i < n; i += TRM_LANES) row_scores(s + i, q, rows + i, d);
}

/** out[d] (+)= sum over a tile of n values of p[i] rows[i]. */
TRM_INLINE void row_value_tile(trm_real *out, const trm_real *p, const trm_real *const *rows,
                               int64_t n, int64_t d, bool add) {
  int64_t c = 0;
  for (; c + 4 * TRM_LANES <= d; c += 4 * TRM_LANES) row_values(4, out, p, rows, c, n, add);
  for (; c < d; c += TRM_LANES) row_values(1, out, p, rows, c, n, add);
}

#endif
