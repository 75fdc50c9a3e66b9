/**
 * Loops over fixed chunks of a flat array. Chunks are cut by length alone, so an element stands in
 * the vector body or in the tail of its chunk whatever the thread count is.
 */
#ifndef TRIREME_MATH_KERNELS_CHUNKS_H
#define TRIREME_MATH_KERNELS_CHUNKS_H

#include "team.h"
#include "trireme/math/stripes.h"

/** Runs the statement for each chunk [begin, end) of 0..n-1, in parallel. */
#define TRM_FOR_CHUNKS(n, begin, end, ...)                                                         \
  do {                                                                                             \
    const int64_t n_chunks_ = trm_ceil_div((n), TRM_CHUNK);                                        \
    _Pragma("omp parallel for schedule(static) num_threads(trm_team(n_chunks_, (n)))") for (       \
        int64_t chunk_ = 0; chunk_ < n_chunks_; ++chunk_) {                                        \
      const int64_t begin = chunk_ * TRM_CHUNK;                                                    \
      const int64_t end = trm_min_i64(begin + TRM_CHUNK, (n));                                     \
      __VA_ARGS__;                                                                                 \
    }                                                                                              \
  } while (0)

#endif
