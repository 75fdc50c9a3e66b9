/**
 * Content hash of a flat array: XXH3-64 of pieces of fixed size, shared out among the threads, then
 * of the pieces' hashes in order. The library's code is compiled in, once for each instruction set;
 * the value is the same on all of them.
 */
#include "isa.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "team.h"

enum {
  PIECE = 1 << 16, /* elements */
  PIECES_AT_A_TIME = 64,
};

uint64_t trm_hash_reals(const trm_real *x, int64_t n) {
  const int64_t n_pieces = trm_ceil_div(n, PIECE);
  uint64_t hash = 0;
  for (int64_t first = 0; first < n_pieces; first += PIECES_AT_A_TIME) {
    uint64_t hashes[PIECES_AT_A_TIME];
    const int64_t n_now = trm_min_i64(PIECES_AT_A_TIME, n_pieces - first);
#pragma omp parallel for schedule(static) num_threads(trm_team(n_now, n_now *PIECE))
    for (int64_t i = 0; i < n_now; ++i) {
      const int64_t at = (first + i) * PIECE;
      hashes[i] = XXH3_64bits(x + at, (size_t)trm_min_i64(PIECE, n - at) * sizeof *x);
    }
    hash = XXH3_64bits_withSeed(hashes, (size_t)n_now * sizeof *hashes, hash);
  }
  return hash;
}
