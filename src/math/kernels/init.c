/** Initial values of weights: random numbers by counter, the same bits as one call a number. */
#include "isa.h"

#include <string.h>

#include "chunks.h"
#include "normals.h"

#if TRM_REAL_IS_DOUBLE

static void put_normals(trm_real *y, double scale, trm_random_key key, uint64_t first, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = scale * trm_random_normal(key, 0, first + (uint64_t)i);
}

static void put_uniforms(trm_real *y, double scale, trm_random_key key, uint64_t first, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    y[i] = scale * (2 * trm_random_uniform(key, 0, first + (uint64_t)i) - 1);
  }
}

#else

enum { PIECE = 64, STEP = 2 * TRM_DOUBLES };

static void put_normals(float *y, double scale, trm_random_key key, uint64_t first, int64_t n) {
  for (int64_t begin = 0; begin < n; begin += PIECE) {
    float low[PIECE], high[PIECE];
    const int64_t count = trm_min_i64(PIECE, n - begin);
    const uint64_t position = first + (uint64_t)begin;
    for (int i = 0; i < PIECE; i += STEP) {
      trm_calls calls[2];
      trm_calls_make(calls, key, position + (uint64_t)i);
      trm_normals_bound(low + i, high + i, &calls[0], scale, TRM_NORMAL_ERROR);
      trm_normals_bound(low + i + TRM_DOUBLES, high + i + TRM_DOUBLES, &calls[1], scale,
                        TRM_NORMAL_ERROR);
    }
    if (memcmp(low, high, sizeof low) != 0) {
      for (int i = 0; i < PIECE; ++i) {
        if (memcmp(&low[i], &high[i], sizeof *low) == 0) continue;
        low[i] = (float)(scale * trm_random_normal(key, 0, position + (uint64_t)i));
      }
    }
    memcpy(y + begin, low, (size_t)count * sizeof *y);
  }
}

static void put_uniforms(float *y, double scale, trm_random_key key, uint64_t first, int64_t n) {
  for (int64_t begin = 0; begin < n; begin += PIECE) {
    float x[PIECE];
    for (int i = 0; i < PIECE; i += STEP) {
      trm_calls calls[2];
      trm_calls_make(calls, key, first + (uint64_t)(begin + i));
      trm_uniforms_put(x + i, &calls[0], scale);
      trm_uniforms_put(x + i + TRM_DOUBLES, &calls[1], scale);
    }
    memcpy(y + begin, x, (size_t)trm_min_i64(PIECE, n - begin) * sizeof *y);
  }
}

#endif

void trm_fill_normal(trm_real *y, double scale, trm_random_key key, uint64_t first, int64_t n) {
  TRM_FOR_CHUNKS(n, begin, end,
                 put_normals(y + begin, scale, key, first + (uint64_t)begin, end - begin));
}

void trm_fill_uniform(trm_real *y, double scale, trm_random_key key, uint64_t first, int64_t n) {
  TRM_FOR_CHUNKS(n, begin, end,
                 put_uniforms(y + begin, scale, key, first + (uint64_t)begin, end - begin));
}
