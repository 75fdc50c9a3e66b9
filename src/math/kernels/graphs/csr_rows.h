/**
 * What kernels over compressed sparse rows share: rows cut into chunks of like work, and vectors
 * that reach past the end of a row.
 *
 * A row is one thread's from its first edge to its last, so chunks only decide who makes which row.
 */
#ifndef TRIREME_MATH_KERNELS_CSR_ROWS_H
#define TRIREME_MATH_KERNELS_CSR_ROWS_H

#include "simd.h"
#include "team.h"
#include "trireme/core/csr.h"

enum {
  TRM_CSR_CHUNK_WORK = 1 << 17, /* elements read per chunk, about 50 us */
  TRM_CSR_MAX_CHUNKS = 1024,
};

static inline int64_t trm_csr_edges(const int64_t *offsets, int64_t n_rows) {
  return n_rows > 0 ? offsets[n_rows] - offsets[0] : 0;
}

/** Chunks for rows of C elements: a row counts as one edge more than it has. */
static inline int64_t trm_csr_chunks(const int64_t *offsets, int64_t n_rows, int64_t C) {
  const int64_t work = (trm_csr_edges(offsets, n_rows) + n_rows) * C;
  const int64_t n = trm_ceil_div(work, TRM_CSR_CHUNK_WORK);
  return trm_min_i64(n, trm_min_i64(n_rows, TRM_CSR_MAX_CHUNKS));
}

/** First row of chunk k of n: the first one before which k / n of the work is done. */
static inline int64_t trm_csr_chunk_row(const int64_t *offsets, int64_t n_rows, int64_t k,
                                        int64_t n) {
  const int64_t total = trm_csr_edges(offsets, n_rows) + n_rows;
  const int64_t wanted = total / n * k + total % n * k / n;
  int64_t low = 0, high = n_rows;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (offsets[middle] - offsets[0] + middle < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** Runs the statement for chunks of rows [begin, end), shared out among threads as they come. */
#define TRM_FOR_CSR_CHUNKS(offsets, n_rows, C, begin, end, ...)                                    \
  do {                                                                                             \
    const int64_t n_chunks_ = trm_csr_chunks((offsets), (n_rows), (C));                            \
    const int64_t work_ = (trm_csr_edges((offsets), (n_rows)) + (n_rows)) * (C);                   \
    _Pragma("omp parallel for schedule(dynamic) num_threads(trm_team(n_chunks_, work_))") for (    \
        int64_t chunk_ = 0; chunk_ < n_chunks_; ++chunk_) {                                        \
      const int64_t begin = trm_csr_chunk_row((offsets), (n_rows), chunk_, n_chunks_);             \
      const int64_t end = trm_csr_chunk_row((offsets), (n_rows), chunk_ + 1, n_chunks_);           \
      __VA_ARGS__;                                                                                 \
    }                                                                                              \
  } while (0)

/* ---- the columns of a row ---------------------------------------------------------------------- */

/* A row of C elements is cut into blocks of at most TRM_BLOCK_VECTORS vectors whose sums stay in
 * registers while the edges go by; the last block has the C % TRM_VECTOR_REALS elements that fill no
 * vector, which are loaded and stored under a mask. */
enum { TRM_BLOCK_VECTORS = 8, TRM_BLOCK_REALS = TRM_BLOCK_VECTORS * TRM_VECTOR_REALS };

#if defined(__AVX512F__) && !TRM_REAL_IS_DOUBLE
typedef __mmask16 trm_part;
TRM_INLINE trm_part trm_part_of(int64_t n) {
  return (trm_part)((1u << n) - 1u);
}
/** The first elements of a vector, the others 0; nothing past them is touched. */
TRM_INLINE trm_vector trm_part_load(const trm_real *p, trm_part part) {
  return (trm_vector)_mm512_maskz_loadu_ps(part, p);
}
TRM_INLINE void trm_part_store(trm_real *p, trm_part part, trm_vector v) {
  _mm512_mask_storeu_ps(p, part, (__m512)v);
}
#elif defined(__AVX__) && !TRM_REAL_IS_DOUBLE
typedef __m256i trm_part;
TRM_INLINE trm_part trm_part_of(int64_t n) {
  static const int32_t window[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
  trm_part part;
  memcpy(&part, window + 8 - n, sizeof part);
  return part;
}
TRM_INLINE trm_vector trm_part_load(const trm_real *p, trm_part part) {
  return (trm_vector)_mm256_maskload_ps(p, part);
}
TRM_INLINE void trm_part_store(trm_real *p, trm_part part, trm_vector v) {
  _mm256_maskstore_ps(p, part, (__m256)v);
}
#else
typedef int64_t trm_part;
TRM_INLINE trm_part trm_part_of(int64_t n) {
  return n;
}
TRM_INLINE trm_vector trm_part_load(const trm_real *p, trm_part part) {
  trm_vector v = {0};
  for (int64_t i = 0; i < part; ++i) v[i] = p[i];
  return v;
}
TRM_INLINE void trm_part_store(trm_real *p, trm_part part, trm_vector v) {
  for (int64_t i = 0; i < part; ++i) p[i] = v[i];
}
#endif

/* Edges whose rows are asked for before they are added: at most 64 x 512 bytes are under way, which go
 * to the second-level cache. Nearer, or to the first level, is slower for wide rows. */
enum { TRM_EDGES_AHEAD = 64 };

/** Asks for `vectors` vectors from p on. */
TRM_INLINE void trm_ask_for(const trm_real *p, int vectors) {
  enum { LINE = 64 / (int)sizeof(trm_real) };
#pragma GCC unroll 9
  for (int at = 0; at < vectors * TRM_VECTOR_REALS; at += LINE) __builtin_prefetch(p + at, 0, 2);
}

#endif
