/** Arithmetic on counts that every layer needs. */
#ifndef TRIREME_CORE_INTEGERS_H
#define TRIREME_CORE_INTEGERS_H

#include <stdint.h>

static inline int64_t trm_min_i64(int64_t a, int64_t b) {
  return a < b ? a : b;
}
static inline int64_t trm_max_i64(int64_t a, int64_t b) {
  return a > b ? a : b;
}
/** a / b rounded up, for a >= 0 and b > 0. */
static inline int64_t trm_ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
/** Where share k of n of `total` things begins, which are dealt in order: k total / n rounded down,
 *  without overflow. Share k is [trm_share_begin(k), trm_share_begin(k + 1)). */
static inline int64_t trm_share_begin(int64_t total, int64_t k, int64_t n) {
  return total / n * k + total % n * k / n;
}
/** Share `part` of n_parts of n things: [first, first + count), without overflow. */
static inline void trm_share(int64_t n, int64_t n_parts, int64_t part, int64_t *first,
                             int64_t *count) {
  *first = trm_share_begin(n, part, n_parts);
  *count = trm_share_begin(n, part + 1, n_parts) - *first;
}

#endif
