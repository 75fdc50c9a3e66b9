/**
 * Rounding to bfloat16 in place. Element i goes to where element i / 2 was, so that one comes first:
 * a stretch of elements is written over the stretch before it, which is half as long.
 */
#include "isa.h"

#include "bf16.h"
#include "chunks.h"
#include "trireme/core/status.h"

#if TRM_REAL_IS_DOUBLE

void trm_bf16_round(trm_real *x, int64_t n) {
  TRM_ASSERT(!x && n == 0); /* there is no bfloat16 in this build */
}

#else

enum {
  PIECE = 64,   /* elements that are read before they are written over */
  ALONE = 4096, /* of one thread, before there is room for others */
};

TRM_INLINE void round_piece(float *x, int64_t at, int64_t n) {
  float from[PIECE];
  trm_bf16 to[PIECE];
  memcpy(from, x + at, (size_t)n * sizeof *from);
  for (int64_t i = 0; i < n; ++i) to[i] = (trm_bf16)trm_bf16_of(from[i]);
  memcpy((unsigned char *)x + (size_t)at * sizeof *to, to, (size_t)n * sizeof *to);
}

static void round_span(float *x, int64_t begin, int64_t end) {
  for (; begin + PIECE <= end; begin += PIECE) round_piece(x, begin, PIECE);
  round_piece(x, begin, end - begin);
}

void trm_bf16_round(trm_real *x, int64_t n) {
  round_span(x, 0, trm_min_i64(n, ALONE));
  for (int64_t done = ALONE; done < n; done *= 2) {
    const int64_t left = trm_min_i64(done, n - done);
    TRM_FOR_CHUNKS(left, begin, end, { round_span(x, done + begin, done + end); });
  }
}

#endif
