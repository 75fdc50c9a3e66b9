/**
 * What the passes of a convolution share: images with zeros about them, panels of output columns, and the
 * sizes of register tiles.
 */
#ifndef TRIREME_MATH_KERNELS_CONV_PARTS_H
#define TRIREME_MATH_KERNELS_CONV_PARTS_H

#include "simd.h"
#include "trireme/core/integers.h"
#include "trireme/math/images.h"

/* Rows of a register tile, by the number of its vectors: 16 to 24 sums wait in registers (8 to 12 where
 * there are 16 registers), enough to hide a multiply-add's latency. */
#if defined(__AVX512F__) && !TRM_REAL_IS_DOUBLE
enum { CONV_ROWS = 8, CONV_NARROW_ROWS = 16 };
#else
enum { CONV_ROWS = 4, CONV_NARROW_ROWS = 8 };
#endif
enum {
  CONV_VECTOR = TRM_VECTOR_REALS,
  CONV_VECTORS = 3,
  CONV_PANEL = CONV_VECTORS * TRM_LANES, /* columns of a panel at most */
  CONV_ROWS_MOST = 16,
  CONV_STEPS = 4, /* of a sum, that narrow tiles take at a time */
};

/** Rows of a tile of so many vectors. */
TRM_INLINE int64_t conv_tile_rows(int64_t vectors) {
  return vectors == 1 ? CONV_NARROW_ROWS : CONV_ROWS;
}

/** Columns, filled up to whole vectors; what scratch is sized by is filled up to 16 lanes, so that it
 *  is the same on every instruction set. */
TRM_INLINE int64_t conv_columns(int64_t n) {
  return trm_ceil_div(n, CONV_VECTOR) * CONV_VECTOR;
}
TRM_INLINE int64_t conv_columns_most(int64_t n) {
  return trm_ceil_div(n, TRM_LANES) * TRM_LANES;
}

/** Vectors of the next panel where `left` columns are left: three, but never one where two and two do. */
TRM_INLINE int64_t conv_panel_vectors(int64_t left) {
  const int64_t n = trm_ceil_div(left, CONV_VECTOR);
  return n == 4 ? 2 : trm_min_i64(n, CONV_VECTORS);
}

/** Panel `number` of a group of columns: its first column, and its vectors. */
typedef struct conv_panel {
  int64_t first, vectors;
} conv_panel;
static inline conv_panel conv_panel_at(int64_t columns, int64_t number) {
  conv_panel p = {0, conv_panel_vectors(columns)};
  for (; number > 0; --number) {
    p.first += p.vectors * CONV_VECTOR;
    p.vectors = conv_panel_vectors(columns - p.first);
  }
  return p;
}
static inline int64_t conv_panels(int64_t columns) {
  int64_t n = 0;
  for (; columns > 0; ++n) columns -= conv_panel_vectors(columns) * CONV_VECTOR;
  return n;
}

/** Images with `before` zeros above and to the left, read as rows of `width` pixels, `height` of them. */
typedef struct conv_source {
  const trm_real *data;
  int64_t H, W, C;
  int64_t before, height, width;
} conv_source;

/** Whether windows may be read where the images lie. */
TRM_INLINE bool conv_in_place(const conv_source *s) {
  return s->before == 0 && s->height <= s->H && s->width <= s->W;
}

/** Row `row` of image n with its zeros. */
static void conv_copy_row(trm_real *restrict to, const conv_source *s, int64_t n, int64_t row) {
  const int64_t C = s->C, at = row - s->before;
  int64_t first = trm_min_i64(s->before, s->width) * C, end = first;
  if (at >= 0 && at < s->H) {
    end = trm_min_i64(s->before + s->W, s->width) * C;
    memcpy(to + first, s->data + (n * s->H + at) * s->W * C, (size_t)(end - first) * sizeof *to);
  }
  memset(to, 0, (size_t)first * sizeof *to);
  memset(to + end, 0, (size_t)(s->width * C - end) * sizeof *to);
}

#endif
