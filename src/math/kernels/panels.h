/**
 * Packing for products: B into panels of TRM_PANEL columns, rows of A where they are packed at all, as
 * numbers or (bf16.h) as pairs. The last panel of a matrix is as wide as a multiple of 16 lanes allows,
 * filled up with zeros.
 */
#ifndef TRIREME_MATH_KERNELS_PANELS_H
#define TRIREME_MATH_KERNELS_PANELS_H

#include "bf16.h"
#include "micro.h"
#include "trireme/core/integers.h"
#include "trireme/core/status.h"
#include "trireme/math/product.h"

/** Columns of the panel that begins at column j of N. */
TRM_INLINE int64_t trm_panel_width(int64_t N, int64_t j) {
  const int64_t rest = N - j;
  return rest >= TRM_PANEL ? TRM_PANEL : trm_ceil_div(rest, TRM_LANES) * TRM_LANES;
}

/** Rows of a packed panel of K rows: of numbers, or of pairs. */
TRM_INLINE int64_t trm_packed_depth(int64_t K, bool bf16) {
  return bf16 ? trm_ceil_div(K, 2) : K;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* Columns j .. of B, rows k0 .. k0 + depth - 1, as [depth][width]. */
static void pack_panel(trm_real *restrict to, const trm_real *b, int64_t ldb, bool transpose_b,
                       int64_t j, int64_t N, int64_t k0, int64_t depth) {
  const int64_t width = trm_panel_width(N, j), columns = trm_min_i64(width, N - j);
  if (transpose_b) trm_transpose(to, width, b + j * ldb + k0, ldb, columns, depth);
  for (int64_t k = 0; !transpose_b && k < depth; ++k) {
    const trm_real *from = b + (k0 + k) * ldb + j;
    trm_real *row = to + k * width;
    if (columns == TRM_PANEL) {
      for (int c = 0; c < TRM_PANEL; c += TRM_LANES)
        trm_lanes_store(row + c, trm_lanes_load(from + c));
    } else {
      for (int64_t c = 0; c < columns; ++c) row[c] = from[c];
    }
  }
  for (int64_t k = 0; columns < width && k < depth; ++k) {
    for (int64_t c = columns; c < width; ++c) to[k * width + c] = 0;
  }
}

/* Rows i0 .. i0 + n - 1 of a transposed A, which lie side by side, as [depth][n]. */
static void pack_rows(trm_real *restrict to, const trm_factors *f, int64_t i0, int64_t n,
                      int64_t k0, int64_t depth) {
  for (int64_t k = 0; k < depth; ++k) {
    const trm_real *from = f->a + i0 * f->a_row + (k0 + k) * f->a_k;
    for (int64_t i = 0; i < n; ++i) to[k * n + i] = from[i];
  }
}

/* ---- pairs, which are kept and moved as floats of the same bits -------------------------------- */

#if !TRM_REAL_IS_DOUBLE

/* What pairs are made of: numbers, or such as have been rounded. */
typedef struct numbers {
  const trm_real *reals; /* NULL: */
  const trm_bf16 *bf16;
} numbers;

TRM_INLINE numbers numbers_at(numbers x, int64_t i) {
  return x.bf16 ? (numbers){.bf16 = x.bf16 + i} : (numbers){.reals = x.reals + i};
}

/* Pairs of a row of n_left numbers, n_pairs of them; what is missing is 0. */
TRM_INLINE void pairs_of_row(trm_real *restrict to, numbers x, int64_t n_left, int64_t n_pairs) {
  const int64_t whole = trm_min_i64(n_pairs, n_left / 2);
  if (x.bf16) {
    memcpy(to, x.bf16, (size_t)whole * sizeof *to);
    if (whole < n_pairs) to[whole] = trm_float_of_bits(x.bf16[2 * whole]);
  } else {
    for (int64_t p = 0; p < whole; ++p) to[p] = trm_bf16_pair(x.reals[2 * p], x.reals[2 * p + 1]);
    if (whole < n_pairs) to[whole] = trm_bf16_pair(x.reals[2 * whole], 0);
  }
}

/* Pairs of n rounded numbers of two rows. */
TRM_INLINE void pairs_of_rounded(trm_real *restrict to, const trm_bf16 *first,
                                 const trm_bf16 *second, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    to[i] = trm_float_of_bits(first[i] | (uint32_t)second[i] << 16);
  }
}

/* Pairs of two rows of n numbers that are `step` apart, column by column; step 0: of one and zeros. */
TRM_INLINE void pairs_of_rows(trm_real *restrict to, numbers x, int64_t step, int64_t n) {
  if (x.bf16 && step > 0) {
    pairs_of_rounded(to, x.bf16, x.bf16 + step, n);
  } else if (x.bf16) {
    for (int64_t i = 0; i < n; ++i) to[i] = trm_float_of_bits(x.bf16[i]);
  } else if (step > 0) {
    const trm_real *first = x.reals, *second = x.reals + step;
    for (int64_t i = 0; i < n; ++i) to[i] = trm_bf16_pair(first[i], second[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = trm_bf16_pair(x.reals[i], 0);
  }
}

/* As pack_panel: [depth / 2][width] pairs of B. */
static void pack_panel_pairs(trm_real *restrict to, const trm_factors *f, int64_t j, int64_t k0,
                             int64_t depth) {
  enum { PIECE = 64 };
  const numbers b = {f->b, f->b_bf16};
  const int64_t ldb = f->ldb, n_pairs = trm_packed_depth(depth, true);
  const int64_t width = trm_panel_width(f->N, j), columns = trm_min_i64(width, f->N - j);
  trm_real rows[TRM_PANEL * PIECE];
  if (columns < width) memset(to, 0, (size_t)(n_pairs * width) * sizeof *to);
  for (int64_t p0 = 0; f->transpose_b && p0 < n_pairs; p0 += PIECE) {
    const int64_t n = trm_min_i64(PIECE, n_pairs - p0);
    for (int64_t c = 0; c < columns; ++c) {
      const numbers row = numbers_at(b, (j + c) * ldb + k0 + 2 * p0);
      pairs_of_row(rows + c * PIECE, row, depth - 2 * p0, n);
    }
    trm_transpose(to + p0 * width, width, rows, PIECE, columns, n);
  }
  for (int64_t p = 0; !f->transpose_b && p < n_pairs; ++p) {
    const numbers first = numbers_at(b, (k0 + 2 * p) * ldb + j);
    pairs_of_rows(to + p * width, first, 2 * p + 1 < depth ? ldb : 0, columns);
  }
}

/* As pack_rows: [n][depth / 2] pairs when A lies by rows, else [depth / 2][n]. */
static void pack_rows_pairs(trm_real *restrict to, const trm_factors *f, int64_t i0, int64_t n,
                            int64_t k0, int64_t depth) {
  const int64_t n_pairs = trm_packed_depth(depth, true);
  const numbers a = numbers_at((numbers){f->a, f->a_bf16}, i0 * f->a_row + k0 * f->a_k);
  if (f->a_k == 1) {
    for (int64_t i = 0; i < n; ++i) {
      pairs_of_row(to + i * n_pairs, numbers_at(a, i * f->a_row), depth, n_pairs);
    }
    return;
  }
  TRM_ASSERT(f->a_row == 1);
  for (int64_t p = 0; p < n_pairs; ++p) {
    const numbers first = numbers_at(a, 2 * p * f->a_k);
    pairs_of_rows(to + p * n, first, 2 * p + 1 < depth ? f->a_k : 0, n);
  }
}

#endif

#endif
