/** What windows see of images along an axis, and which windows see a pixel. */
#ifndef TRIREME_MATH_KERNELS_RANGES_H
#define TRIREME_MATH_KERNELS_RANGES_H

#include "simd.h"
#include "trireme/core/integers.h"
#include "trireme/math/images.h"

/** A range of pixels that a window sees along an axis, or of windows that see a pixel. */
typedef struct range {
  int64_t first, end;
} range;

TRM_INLINE range pixels_of(int64_t place, int64_t window, int64_t stride, int64_t padding,
                           int64_t size) {
  const int64_t first = place * stride - padding;
  return (range){trm_max_i64(first, 0), trm_min_i64(first + window, size)};
}

TRM_INLINE range places_of(int64_t pixel, int64_t window, int64_t stride, int64_t padding,
                           int64_t places) {
  const int64_t last = pixel + padding, before = last - window;
  return (range){before < 0 ? 0 : before / stride + 1, trm_min_i64(last / stride + 1, places)};
}

TRM_INLINE range rows_of(const trm_windows *w, int64_t place) {
  return pixels_of(place, w->height, w->stride, w->padding, w->H);
}
TRM_INLINE range columns_of(const trm_windows *w, int64_t place) {
  return pixels_of(place, w->width, w->stride, w->padding, w->W);
}
TRM_INLINE range places_down(const trm_windows *w, int64_t row) {
  return places_of(row, w->height, w->stride, w->padding, w->down);
}
TRM_INLINE range places_across(const trm_windows *w, int64_t column) {
  return places_of(column, w->width, w->stride, w->padding, w->across);
}

#endif
