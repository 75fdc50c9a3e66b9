/** Dot products of rows. */
#ifndef TRIREME_MATH_KERNELS_ROW_DOT_H
#define TRIREME_MATH_KERNELS_ROW_DOT_H

#include "simd.h"

/** Sum of a[i] b[i]: 16 lanes from 16 elements on; shorter ones pairwise over 4 lanes. */
TRM_INLINE trm_real trm_dot_row(const trm_real *a, const trm_real *b, int64_t n) {
  if (n >= TRM_LANES) {
    trm_lanes sum = trm_lanes_set(0);
    for (int64_t i = 0; i + TRM_LANES <= n; i += TRM_LANES) {
      sum = trm_lanes_fma(sum, trm_lanes_load(a + i), trm_lanes_load(b + i));
    }
    const int64_t rest = n % TRM_LANES;
    if (rest > 0) {
      const trm_lanes last = trm_lanes_keep_last(trm_lanes_load_last(a, n, 0), rest);
      sum = trm_lanes_fma(sum, last, trm_lanes_load_last(b, n, 0));
    }
    return trm_lanes_sum(sum);
  }
  trm_real sum[4] = {0};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int k = 0; k < 4; ++k) sum[k] = trm_fma(sum[k], a[i + k], b[i + k]);
  }
  for (int k = 0; i + k < n; ++k) sum[k] = trm_fma(sum[k], a[i + k], b[i + k]);
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

#endif
