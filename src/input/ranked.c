#include "ranked_internal.h"

#include <stdbool.h>

static bool before(trm_ranked a, trm_ranked b) {
  return a.key != b.key ? a.key < b.key : a.tie < b.tie;
}

void trm_ranked_sift_down(trm_ranked *items, int64_t n, int64_t at) {
  const trm_ranked item = items[at];
  for (int64_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && before(items[child], items[child + 1])) ++child;
    if (!before(item, items[child])) break;
    items[at] = items[child];
  }
  items[at] = item;
}

void trm_ranked_sort(trm_ranked *items, int64_t n) {
  for (int64_t at = n / 2; at-- > 0;) trm_ranked_sift_down(items, n, at);
  for (int64_t end = n; end-- > 1;) {
    const trm_ranked last = items[0];
    items[0] = items[end];
    items[end] = last;
    trm_ranked_sift_down(items, end, 0);
  }
}

void trm_ranked_deal(const trm_ranked *items, int64_t n, int64_t n_shares, trm_ranked *loads,
                     int64_t *share_of) {
  /* A heap with the least loaded share in front, of equal ones the first. */
  for (int64_t b = 0; b < n_shares; ++b) loads[b] = (trm_ranked){.key = 0, .tie = -b};
  for (int64_t i = 0; i < n; ++i) {
    share_of[items[i].tie] = -loads[0].tie;
    loads[0].key += items[i].key;
    trm_ranked_sift_down(loads, n_shares, 0);
  }
}
