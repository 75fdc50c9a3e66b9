#include "isa.h"

#include <string.h>

#include "chunks.h"
#include "simd.h"

/* Chunks whose results lie on the stack at once. */
enum { GROUP_CHUNKS = 1024 };

/* 16 lanes in double, lane = index mod 16, then the same tree as trm_lanes_sum. The product of two
 * floats is exact in double: fused or not, the sum is the same. */
static double sum_squares_chunk(const trm_real *x, int64_t n) {
  enum { WIDTH = TRM_VECTOR_BYTES / (int)sizeof(double), COUNT = TRM_LANES / WIDTH };
  typedef double vector __attribute__((vector_size(TRM_VECTOR_BYTES)));
  typedef trm_real narrow __attribute__((vector_size(WIDTH * sizeof(trm_real))));
  vector sum[COUNT] = {{0}};
  double lane[TRM_LANES];
  int64_t i = 0;
  for (; i + TRM_LANES <= n; i += TRM_LANES) {
    for (int j = 0; j < COUNT; ++j) {
      narrow v;
      memcpy(&v, x + i + j * WIDTH, sizeof v);
      const vector d = __builtin_convertvector(v, vector);
      sum[j] += d * d;
    }
  }
  memcpy(lane, sum, sizeof lane);
  for (int j = 0; i + j < n; ++j) lane[j] += (double)x[i + j] * (double)x[i + j];
  for (int half = TRM_LANES / 2; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) lane[j] += lane[j + half];
  }
  return lane[0];
}

void trm_sum_squares_chunks(double *sums, const trm_real *x, int64_t n) {
  const int64_t n_chunks = trm_ceil_div(n, TRM_CHUNK);
#pragma omp parallel for schedule(static) num_threads(trm_team(n_chunks, n))
  for (int64_t k = 0; k < n_chunks; ++k) {
    const int64_t begin = k * TRM_CHUNK;
    sums[k] = sum_squares_chunk(x + begin, trm_min_i64(TRM_CHUNK, n - begin));
  }
}

double trm_sum_squares(const trm_real *x, int64_t n) {
  double sum = 0;
  for (int64_t first = 0; first < n; first += GROUP_CHUNKS * TRM_CHUNK) {
    const int64_t count = trm_min_i64(GROUP_CHUNKS * TRM_CHUNK, n - first);
    double partial[GROUP_CHUNKS];
    trm_sum_squares_chunks(partial, x + first, count);
    for (int64_t k = 0; k < trm_ceil_div(count, TRM_CHUNK); ++k) sum += partial[k];
  }
  return sum;
}

/* As sum_squares_chunk. */
static double dot_chunk(const trm_real *a, const trm_real *b, int64_t n) {
  double lane[TRM_LANES] = {0};
  int64_t i = 0;
  for (; i + TRM_LANES <= n; i += TRM_LANES) {
    for (int j = 0; j < TRM_LANES; ++j) lane[j] += (double)a[i + j] * (double)b[i + j];
  }
  for (int j = 0; i + j < n; ++j) lane[j] += (double)a[i + j] * (double)b[i + j];
  for (int half = TRM_LANES / 2; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) lane[j] += lane[j + half];
  }
  return lane[0];
}

double trm_dot(const trm_real *a, const trm_real *b, int64_t n) {
  double sum = 0;
  const int64_t n_chunks = trm_ceil_div(n, TRM_CHUNK);
  for (int64_t first = 0; first < n_chunks; first += GROUP_CHUNKS) {
    const int64_t count = trm_min_i64(GROUP_CHUNKS, n_chunks - first);
    double partial[GROUP_CHUNKS];
#pragma omp parallel for schedule(static) num_threads(trm_team(count, count *TRM_CHUNK))
    for (int64_t k = 0; k < count; ++k) {
      const int64_t begin = (first + k) * TRM_CHUNK;
      partial[k] = dot_chunk(a + begin, b + begin, trm_min_i64(TRM_CHUNK, n - begin));
    }
    for (int64_t k = 0; k < count; ++k) sum += partial[k];
  }
  return sum;
}

/* By bits, so that no compiler flag about NaN can undo it: all exponent bits set. */
static bool is_not_finite(trm_real x) {
#if TRM_REAL_IS_DOUBLE
  const uint64_t exponent = UINT64_C(0x7ff0000000000000);
  uint64_t bits;
#else
  const uint32_t exponent = UINT32_C(0x7f800000);
  uint32_t bits;
#endif
  memcpy(&bits, &x, sizeof bits);
  return (bits & exponent) == exponent;
}

static bool any_not_finite(const trm_real *x, int64_t n) {
  int bad = 0;
  for (int64_t i = 0; i < n; ++i) bad |= is_not_finite(x[i]);
  return bad != 0;
}

int64_t trm_find_not_finite(const trm_real *x, int64_t n) {
  const int64_t n_chunks = trm_ceil_div(n, TRM_CHUNK);
  for (int64_t first = 0; first < n_chunks; first += GROUP_CHUNKS) {
    const int64_t count = trm_min_i64(GROUP_CHUNKS, n_chunks - first);
    bool bad[GROUP_CHUNKS];
#pragma omp parallel for schedule(static) num_threads(trm_team(count, count *TRM_CHUNK))
    for (int64_t k = 0; k < count; ++k) {
      const int64_t begin = (first + k) * TRM_CHUNK;
      bad[k] = any_not_finite(x + begin, trm_min_i64(TRM_CHUNK, n - begin));
    }
    for (int64_t k = 0; k < count; ++k) {
      int64_t i = (first + k) * TRM_CHUNK;
      if (!bad[k]) continue;
      while (!is_not_finite(x[i])) ++i;
      return i;
    }
  }
  return -1;
}
