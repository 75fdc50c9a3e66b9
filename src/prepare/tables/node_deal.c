#include "node_deal.h"

#include <math.h>

#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/input/subset.h"

bool trm_node_deal_is_asked(const trm_node_deal *deal) {
  return deal->valid_share > 0 || deal->test_share > 0 || deal->per_class > 0;
}

/* Source: Durstenfeld 1964, "Algorithm 235: random permutation", CACM 7(7). */
static void shuffle(int32_t *ids, int64_t n, uint64_t seed, int64_t which) {
  const trm_random_key key = trm_random_key_make(seed, TRM_RANDOM_SPLIT, (uint64_t)which, 0);
  for (int64_t i = n - 1; i > 0; --i) {
    const int64_t j = (int64_t)trm_random_below(key, (uint64_t)i, 0, (uint64_t)i + 1);
    const int32_t id = ids[i];
    ids[i] = ids[j];
    ids[j] = id;
  }
}

/* The nodes of each class, one class after another, in random order in each: ids[starts[c]] on. */
typedef struct dealt {
  int32_t *ids;
  int64_t *starts; /* [n_classes + 1] */
} dealt;

static void dealt_free(dealt *d) {
  TRM_FREE(d->ids);
  TRM_FREE(d->starts);
}

static trm_status gather(const int32_t *labels, int64_t n, int n_classes, uint64_t seed, dealt *d) {
  int64_t *next = NULL;
  TRM_TRY(TRM_ALLOC(&d->ids, n, "parts"));
  TRM_TRY(TRM_ALLOC(&d->starts, n_classes + 1, "parts"));
  TRM_TRY(TRM_ALLOC(&next, n_classes + 1, "parts"));
  for (int64_t i = 0; i < n; ++i) {
    if (labels[i] >= 0) ++d->starts[labels[i] + 1];
  }
  for (int c = 0; c < n_classes; ++c) next[c] = d->starts[c + 1] += d->starts[c];
  for (int64_t i = n - 1; i >= 0; --i) {
    if (labels[i] >= 0) d->ids[--next[labels[i]]] = (int32_t)i;
  }
  TRM_FREE(next);
  for (int c = 0; c < n_classes; ++c) {
    shuffle(d->ids + d->starts[c], d->starts[c + 1] - d->starts[c], seed, c);
  }
  return TRM_OK;
}

static void deal_shares(const trm_node_deal *deal, const dealt *d, int n_classes, uint8_t *subset) {
  for (int c = 0; c < n_classes; ++c) {
    const int64_t n = d->starts[c + 1] - d->starts[c];
    int64_t test = llround(deal->test_share * (double)n);
    int64_t valid = llround(deal->valid_share * (double)n);
    while (n > 0 && test + valid >= n) --*(valid >= test ? &valid : &test);
    for (int64_t i = 0; i < n; ++i) {
      const trm_subset part = i < test           ? TRM_SUBSET_TEST
                              : i < test + valid ? TRM_SUBSET_VALID
                                                 : TRM_SUBSET_TRAIN;
      subset[d->ids[d->starts[c] + i]] = (uint8_t)(part + 1);
    }
  }
}

static trm_status deal_counts(const trm_node_deal *deal, dealt *d, int n_classes, uint8_t *subset) {
  int64_t rest = 0;
  for (int c = 0; c < n_classes; ++c) {
    const int64_t n = d->starts[c + 1] - d->starts[c];
    if (n < deal->per_class) {
      return trm_fail(TRM_ERR_USAGE, "--per-class is %lld, but class %d has %lld nodes",
                      (long long)deal->per_class, c, (long long)n);
    }
    for (int64_t i = 0; i < n; ++i) {
      const int32_t id = d->ids[d->starts[c] + i];
      if (i < deal->per_class) {
        subset[id] = TRM_SUBSET_TRAIN + 1;
      } else {
        d->ids[rest++] = id;
      }
    }
  }
  if (rest < deal->n_valid + deal->n_test) {
    return trm_fail(TRM_ERR_USAGE,
                    "%lld nodes to validate and %lld to test, but %lld are left of those with a "
                    "label; give fewer (--valid-count, --test-count)",
                    (long long)deal->n_valid, (long long)deal->n_test, (long long)rest);
  }
  shuffle(d->ids, rest, deal->seed, n_classes);
  for (int64_t i = 0; i < deal->n_valid + deal->n_test; ++i) {
    subset[d->ids[i]] = (uint8_t)((i < deal->n_valid ? TRM_SUBSET_VALID : TRM_SUBSET_TEST) + 1);
  }
  return TRM_OK;
}

trm_status trm_deal_nodes(const trm_node_deal *deal, const int32_t *labels, int64_t n,
                          int n_classes, uint8_t *subset) {
  dealt d = {0};
  for (int64_t i = 0; i < n; ++i) subset[i] = 0;
  trm_status status = gather(labels, n, n_classes, deal->seed, &d);
  if (status == TRM_OK && deal->per_class > 0) {
    status = deal_counts(deal, &d, n_classes, subset);
  } else if (status == TRM_OK) {
    deal_shares(deal, &d, n_classes, subset);
  }
  dealt_free(&d);
  return status;
}

trm_status trm_deal_folds(int64_t n_folds, uint64_t seed, const int32_t *labels, int64_t n,
                          int n_classes, int32_t *folds) {
  dealt d = {0};
  for (int64_t i = 0; i < n; ++i) folds[i] = -1;
  const trm_status status = gather(labels, n, n_classes, seed, &d);
  for (int64_t i = 0; status == TRM_OK && i < d.starts[n_classes]; ++i) {
    folds[d.ids[i]] = (int32_t)(i % n_folds);
  }
  dealt_free(&d);
  return status;
}
