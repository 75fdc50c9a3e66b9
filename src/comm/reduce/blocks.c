/* Which of the V blocks a rank has, and the aligned subtrees they fall into.
 *
 * The tree over V blocks: a node of n > 1 blocks is split at the largest power of two below n.
 * So every aligned run of 2^j blocks inside [0, V) is a node of it, whatever V is. */
#include "trireme/comm/reducer.h"
#include "trireme/core/integers.h"

void trm_block_range(int64_t n_blocks, int rank, int size, int64_t *first, int64_t *n_local) {
  TRM_ASSERT(size > 0 && rank >= 0 && rank < size && n_blocks >= 0);
  trm_share(n_blocks, size, rank, first, n_local);
}

/* Size of the largest aligned subtree that begins at `first` and has at most n blocks. */
static int64_t aligned_size(int64_t first, int64_t n) {
  int64_t size = 1;
  while (size <= n / 2 && first % (2 * size) == 0) size *= 2;
  return size;
}

int trm_block_parts(int64_t first, int64_t n, trm_block_part parts[TRM_MAX_BLOCK_PARTS]) {
  TRM_ASSERT(first >= 0 && n >= 0);
  int n_parts = 0;
  while (n > 0) { /* sizes rise, then fall: fewer than 2 * 64 */
    const int64_t size = aligned_size(first, n);
    parts[n_parts++] = (trm_block_part){first, size};
    first += size;
    n -= size;
  }
  return n_parts;
}

static int count_parts(int64_t first, int64_t n) {
  trm_block_part parts[TRM_MAX_BLOCK_PARTS];
  return trm_block_parts(first, n, parts);
}

int trm_block_slot(int64_t first, int64_t i, int *n_merges) {
  const int slot = count_parts(first, i);
  *n_merges = slot + 1 - count_parts(first, i + 1);
  return slot;
}

int trm_block_slots(int64_t first, int64_t n) {
  int n_slots = 0, n_merges = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int slot = trm_block_slot(first, i, &n_merges);
    if (slot >= n_slots) n_slots = slot + 1;
  }
  return n_slots;
}
