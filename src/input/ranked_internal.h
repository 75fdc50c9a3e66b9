/** Things with a cost, put in order. */
#ifndef TRIREME_INPUT_RANKED_INTERNAL_H
#define TRIREME_INPUT_RANKED_INTERNAL_H

#include <stdint.h>

/** Something with a cost, to be put in order: by key, then by tie. */
typedef struct trm_ranked {
  int64_t key, tie;
} trm_ranked;
/** Heapsort (Williams 1964): without memory, and O(n log n) whatever the input. */
void trm_ranked_sort(trm_ranked *items, int64_t n);
/** A heap has its last in order at 0; only items[at] may be out of place. */
void trm_ranked_sift_down(trm_ranked *items, int64_t n, int64_t at);

/**
 * Shares of about equal cost: items[n] with key = -cost, dearest first, each go to the share that has
 * the least, of equal ones the first.
 * @param[in]  items     sorted
 * @param[out] share_of  [n] by the items' ties, which are [0, n)
 * @param      loads     [n_shares] scratch
 * Source: Graham 1969, "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17(2).
 */
void trm_ranked_deal(const trm_ranked *items, int64_t n, int64_t n_shares, trm_ranked *loads,
                     int64_t *share_of);

#endif
