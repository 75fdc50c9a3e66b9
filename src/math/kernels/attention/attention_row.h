/**
 * A query of attention, or a few that see the same keys, against all of them, in place: nothing is
 * packed. The sums are those of the tiles (attention.c), element by element, so the bits are too; d is
 * a multiple of 16.
 */
#ifndef TRIREME_MATH_KERNELS_ATTENTION_ROW_H
#define TRIREME_MATH_KERNELS_ATTENTION_ROW_H

#include "attention_parts.h"

/* Queries that a key is read for at once, each with a vector of sums; and groups of 16 columns of values
 * that are, for several queries. */
#if defined(__AVX512F__) && !TRM_REAL_IS_DOUBLE
#define ROW_QUERIES_ARE_8 1
enum { ROW_QUERIES = 8, ROW_GROUPS = 2 };
#else
#define ROW_QUERIES_ARE_8 0
enum { ROW_QUERIES = 4, ROW_GROUPS = 1 };
#endif

#if TRM_REAL_IS_DOUBLE || !defined(__SSE2__)

/* s[j][i] = q[j] . rows[i], in order of the elements, for Q queries and 16 rows. */
TRM_INLINE void row_scores(int Q, trm_real *s, const trm_real *q, const trm_real *const *rows,
                           int64_t d) {
  for (int j = 0; j < Q; ++j) {
    for (int i = 0; i < TRM_LANES; ++i) {
      trm_real sum = 0;
      for (int64_t c = 0; c < d; ++c) sum = trm_fma(sum, q[j * d + c], rows[i][c]);
      s[j * TILE + i] = sum;
    }
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
TRM_INLINE void add_quads(int Q, trm_vector *sum, const trm_real *q, const trm_real *const *rows,
                          int64_t c, int64_t d) {
  const trm_vector r0 = quads_of_rows(rows, c), r1 = quads_of_rows(rows + 1, c);
  const trm_vector r2 = quads_of_rows(rows + 2, c), r3 = quads_of_rows(rows + 3, c);
  const trm_vector a0 = TRM_BY_QUADS(r0, r1, 0, 4, 1, 5), a1 = TRM_BY_QUADS(r0, r1, 2, 6, 3, 7);
  const trm_vector b0 = TRM_BY_QUADS(r2, r3, 0, 4, 1, 5), b1 = TRM_BY_QUADS(r2, r3, 2, 6, 3, 7);
  const trm_vector x0 = TRM_BY_QUADS(a0, b0, 0, 1, 4, 5), x1 = TRM_BY_QUADS(a0, b0, 2, 3, 6, 7);
  const trm_vector x2 = TRM_BY_QUADS(a1, b1, 0, 1, 4, 5), x3 = TRM_BY_QUADS(a1, b1, 2, 3, 6, 7);
#pragma GCC unroll 8
  for (int j = 0; j < Q; ++j) {
    const trm_real *p = q + j * d + c;
    sum[j] = trm_vector_fma(sum[j], trm_vector_set(p[0]), x0);
    sum[j] = trm_vector_fma(sum[j], trm_vector_set(p[1]), x1);
    sum[j] = trm_vector_fma(sum[j], trm_vector_set(p[2]), x2);
    sum[j] = trm_vector_fma(sum[j], trm_vector_set(p[3]), x3);
  }
}

/* s[j][i] = q[j] . rows[i], in order of the elements, for Q queries and 16 rows. */
TRM_INLINE void row_scores(int Q, trm_real *s, const trm_real *q, const trm_real *const *rows,
                           int64_t d) {
  for (int i = 0; i < TRM_LANES; i += TRM_VECTOR_REALS) {
    trm_vector sum[ROW_QUERIES];
#pragma GCC unroll 8
    for (int j = 0; j < Q; ++j) sum[j] = trm_vector_set(0);
    for (int64_t c = 0; c < d; c += 4) add_quads(Q, sum, q, rows + i, c, d);
#pragma GCC unroll 8
    for (int j = 0; j < Q; ++j) trm_vector_store(s + j * TILE + i, sum[j]);
  }
}

#endif

/* `groups` times 16 columns of out[j] (+)= sum over n rows of p[j][i] rows[i], in order, for Q queries
 * whose outputs are `step` apart. */
TRM_INLINE void row_values(int Q, int groups, trm_real *out, int64_t step, const trm_real *p,
                           const trm_real *const *rows, int64_t column, int64_t n, bool add) {
  trm_lanes sum[ROW_QUERIES][4];
#pragma GCC unroll 8
  for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 4
    for (int g = 0; g < groups; ++g) sum[j][g] = trm_lanes_set(0);
  }
  for (int64_t i = 0; i < n; ++i) {
    trm_lanes row[4];
#pragma GCC unroll 4
    for (int g = 0; g < groups; ++g) row[g] = trm_lanes_load(rows[i] + column + g * TRM_LANES);
#pragma GCC unroll 8
    for (int j = 0; j < Q; ++j) {
      const trm_lanes x = trm_lanes_set(p[j * TILE + i]);
#pragma GCC unroll 4
      for (int g = 0; g < groups; ++g) sum[j][g] = trm_lanes_fma(sum[j][g], x, row[g]);
    }
  }
#pragma GCC unroll 8
  for (int j = 0; j < Q; ++j) {
#pragma GCC unroll 4
    for (int g = 0; g < groups; ++g) {
      trm_real *to = out + j * step + column + g * TRM_LANES;
      trm_lanes_store(to, add ? trm_lanes_add(trm_lanes_load(to), sum[j][g]) : sum[j][g]);
    }
  }
}

/* Scores of a tile of n keys, and sums of its values: for each number of queries a loop of its own, so
 * that their sums stay in registers. */
typedef void key_tile(trm_real *s, const trm_real *q, const trm_real *const *rows, int64_t n,
                      int64_t d);
typedef void value_tile(trm_real *out, int64_t step, const trm_real *p, const trm_real *const *rows,
                        int64_t n, int64_t d, bool add);
#define ROW_TILES(Q)                                                                               \
  static void keys_##Q(trm_real *s, const trm_real *q, const trm_real *const *rows, int64_t n,     \
                       int64_t d) {                                                                \
    for (int64_t i = 0; i < n; i += TRM_LANES) row_scores(Q, s + i, q, rows + i, d);               \
  }                                                                                                \
  static void values_##Q(trm_real *out, int64_t step, const trm_real *p,                           \
                         const trm_real *const *rows, int64_t n, int64_t d, bool add) {            \
    const int groups = Q == 1 ? 4 : ROW_GROUPS;                                                    \
    int64_t c = 0;                                                                                 \
    for (; c + groups * TRM_LANES <= d; c += groups * TRM_LANES) {                                 \
      row_values(Q, groups, out, step, p, rows, c, n, add);                                        \
    }                                                                                              \
    for (; c < d; c += TRM_LANES) row_values(Q, 1, out, step, p, rows, c, n, add);                 \
  }
ROW_TILES(1)
ROW_TILES(2)
ROW_TILES(3)
ROW_TILES(4)
#if ROW_QUERIES_ARE_8
ROW_TILES(5)
ROW_TILES(6)
ROW_TILES(7)
ROW_TILES(8)
static key_tile *const key_tiles[] = {keys_1, keys_2, keys_3, keys_4,
                                      keys_5, keys_6, keys_7, keys_8};
static value_tile *const value_tiles[] = {values_1, values_2, values_3, values_4,
                                          values_5, values_6, values_7, values_8};
#else
static key_tile *const key_tiles[] = {keys_1, keys_2, keys_3, keys_4};
static value_tile *const value_tiles[] = {values_1, values_2, values_3, values_4};
#endif

/** s[Q][TILE], of which n rounded up to 16 count, = q[Q][d] . rows[i] for a tile of n keys;
 *  Q <= ROW_QUERIES. */
TRM_INLINE void row_key_tile(int64_t Q, trm_real *s, const trm_real *q, const trm_real **rows,
                             int64_t n, int64_t d) {
  for (int64_t i = n; i < round_up(n, TRM_LANES); ++i) rows[i] = rows[0]; /* not counted */
  key_tiles[Q - 1](s, q, rows, n, d);
}

/** out[Q][d], `step` apart, (+)= sum over a tile of n values of p[Q][i] rows[i]. */
TRM_INLINE void row_value_tile(int64_t Q, trm_real *out, int64_t step, const trm_real *p,
                               const trm_real *const *rows, int64_t n, int64_t d, bool add) {
  value_tiles[Q - 1](out, step, p, rows, n, d, add);
}

#endif
