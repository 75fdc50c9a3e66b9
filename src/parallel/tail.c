#include "tail_internal.h"

#include <math.h>
#include <string.h>

enum { PIECES = 3, PER_BLOCK = 2 * PIECES, STATUS = 2, ALIGN = 16 };

int64_t trm_tail_elements(int64_t n_blocks) {
  return (PER_BLOCK * n_blocks + STATUS + ALIGN - 1) / ALIGN * ALIGN;
}

void trm_tail_clear(float *tail, int64_t n_blocks) {
  memset(tail, 0, (size_t)trm_tail_elements(n_blocks) * sizeof *tail);
}

/* 53 bits in 24 + 24 + 5. A value past float's range, or not a number, is carried by the first. */
static void split(double x, float pieces[PIECES]) {
  for (int i = 0; i < PIECES; ++i) {
    pieces[i] = (float)x;
    x = isfinite(pieces[i]) ? x - (double)pieces[i] : 0;
  }
}

static double join(const float pieces[PIECES]) {
  return ((double)pieces[2] + (double)pieces[1]) + (double)pieces[0];
}

void trm_tail_set_block(float *tail, int64_t block, double loss_sum, double count) {
  split(loss_sum, tail + block * PER_BLOCK);
  split(count, tail + block * PER_BLOCK + PIECES);
}

void trm_tail_set_status(float *tail, int64_t n_blocks, bool failed, bool stop) {
  tail[PER_BLOCK * n_blocks] = failed ? 1.0F : 0.0F;
  tail[PER_BLOCK * n_blocks + 1] = stop ? 1.0F : 0.0F;
}

void trm_tail_read(const float *tail, int64_t n_blocks, double *loss_sum, double *count,
                   int *n_failed, bool *stop) {
  *loss_sum = *count = 0;
  for (int64_t b = 0; b < n_blocks; ++b) {
    *loss_sum += join(tail + b * PER_BLOCK);
    *count += join(tail + b * PER_BLOCK + PIECES);
  }
  *n_failed = (int)tail[PER_BLOCK * n_blocks];
  *stop = tail[PER_BLOCK * n_blocks + 1] > 0;
}
