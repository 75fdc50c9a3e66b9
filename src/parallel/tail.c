#include "tail_internal.h"

#include <math.h>
#include <string.h>

#include "trireme/core/hash.h"

enum { PIECES = 3, PER_BLOCK = 3 * PIECES, STATUS = 2, ALIGN = 16 };

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

/* Whole numbers below 2^24 are exact in a float. */
static void split_bits(uint64_t x, float pieces[PIECES]) {
  for (int i = 0; i < PIECES; ++i) pieces[i] = (float)(x >> (24 * i) & 0xFFFFFF);
}

static uint64_t join_bits(const float pieces[PIECES]) {
  uint64_t x = 0;
  for (int i = 0; i < PIECES; ++i) x |= (uint64_t)pieces[i] << (24 * i);
  return x;
}

void trm_tail_set_block(float *tail, int64_t block, double loss_sum, double count, uint64_t hash) {
  float *at = tail + block * PER_BLOCK;
  split(loss_sum, at);
  split(count, at + PIECES);
  split_bits(hash, at + 2 * PIECES);
}

void trm_tail_set_status(float *tail, int64_t n_blocks, bool failed, bool stop) {
  tail[PER_BLOCK * n_blocks] = failed ? 1.0F : 0.0F;
  tail[PER_BLOCK * n_blocks + 1] = stop ? 1.0F : 0.0F;
}

void trm_tail_read(const float *tail, int64_t n_blocks, double *loss_sum, double *count,
                   uint64_t *hash, int *n_failed, bool *stop) {
  *loss_sum = *count = 0;
  *hash = 0;
  for (int64_t b = 0; b < n_blocks; ++b) {
    *loss_sum += join(tail + b * PER_BLOCK);
    *count += join(tail + b * PER_BLOCK + PIECES);
    *hash = trm_hash_chain(*hash, join_bits(tail + b * PER_BLOCK + 2 * PIECES));
  }
  *n_failed = (int)tail[PER_BLOCK * n_blocks];
  *stop = tail[PER_BLOCK * n_blocks + 1] > 0;
}
