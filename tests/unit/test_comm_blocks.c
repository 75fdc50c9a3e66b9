/* Ranges of blocks, their parts, and the stack of partial sums: exhaustively for V up to 64. */
#include <string.h>

#include "check.h"
#include "trireme/comm/reducer.h"

enum { MAX_BLOCKS = 64 };

static void check_ranges(int64_t V, int size) {
  int64_t next = 0;
  for (int r = 0; r < size; ++r) {
    int64_t first = -1, n = -1;
    trm_block_range(V, r, size, &first, &n);
    CHECK_EQ(first, next);
    CHECK_EQ(first, r * V / size);
    CHECK(n >= V / size && n <= (V + size - 1) / size);
    next = first + n;
  }
  CHECK_EQ(next, V);
}

static bool aligned(trm_block_part p) {
  return (p.n & (p.n - 1)) == 0 && p.first % p.n == 0;
}

/* Parts cover the range, are aligned, and none could be larger. */
static void check_parts(int64_t first, int64_t n) {
  trm_block_part parts[TRM_MAX_BLOCK_PARTS];
  const int n_parts = trm_block_parts(first, n, parts);
  int64_t next = first;
  for (int p = 0; p < n_parts; ++p) {
    CHECK_EQ(parts[p].first, next);
    CHECK(parts[p].n > 0 && aligned(parts[p]));
    next = parts[p].first + parts[p].n;
    const int64_t parent = parts[p].first / (2 * parts[p].n) * (2 * parts[p].n);
    CHECK(parent < first || parent + 2 * parts[p].n > first + n);
  }
  CHECK_EQ(next, first + n);
}

/* Walks the blocks as `parallel` does, with sets of blocks instead of gradients: at the end part i
 * must lie in slot i, and every merge must join two siblings. */
static void check_stack(int64_t first, int64_t n) {
  trm_block_part slots[TRM_MAX_BLOCK_PARTS], parts[TRM_MAX_BLOCK_PARTS];
  const int n_slots = trm_block_slots(first, n);
  int top = 0;
  for (int64_t i = 0; i < n; ++i) {
    int n_merges = -1;
    const int slot = trm_block_slot(first, i, &n_merges);
    CHECK_EQ(slot, top);
    CHECK(slot < n_slots);
    slots[top++] = (trm_block_part){first + i, 1};
    for (; n_merges > 0; --n_merges) {
      if (!CHECK(top >= 2)) return;
      const trm_block_part upper = slots[--top];
      trm_block_part *lower = &slots[top - 1];
      CHECK_EQ(lower->n, upper.n);
      CHECK_EQ(lower->first + lower->n, upper.first);
      lower->n += upper.n;
      CHECK(aligned(*lower));
    }
  }
  CHECK_EQ(top, trm_block_parts(first, n, parts));
  for (int p = 0; p < top; ++p) {
    CHECK_EQ(slots[p].first, parts[p].first);
    CHECK_EQ(slots[p].n, parts[p].n);
  }
}

static void check_slot_bound(int64_t V) {
  int log2_v = 0;
  while ((INT64_C(1) << log2_v) < V) ++log2_v;
  for (int size = 1; size <= V; ++size) {
    for (int r = 0; r < size; ++r) {
      int64_t first = 0, n = 0;
      trm_block_range(V, r, size, &first, &n);
      CHECK(trm_block_slots(first, n) <= 2 * log2_v + 2);
    }
  }
}

static void check_large(void) {
  const int64_t V = INT64_C(1) << 40;
  int64_t first = 0, n = 0;
  trm_block_range(V, 999999, 1000000, &first, &n);
  CHECK_EQ(first + n, V);
  check_parts(first, n);
  trm_block_range(INT64_MAX, 1, 2, &first, &n);
  CHECK_EQ(first, INT64_MAX / 2);
  trm_block_part parts[TRM_MAX_BLOCK_PARTS];
  CHECK(trm_block_parts(1, INT64_MAX - 1, parts) <= TRM_MAX_BLOCK_PARTS);
}

int main(void) {
  for (int64_t V = 1; V <= MAX_BLOCKS; ++V) {
    for (int size = 1; size <= V; ++size) check_ranges(V, size);
    for (int64_t first = 0; first < V; ++first) {
      for (int64_t n = 0; n <= V - first; ++n) {
        check_parts(first, n);
        check_stack(first, n);
      }
    }
    check_slot_bound(V);
  }
  check_large();
  return check_verdict();
}
