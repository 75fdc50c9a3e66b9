/* The first K items of a user: one pass over the scores with a heap of the K best so far. */
#include <math.h>
#include <stdbool.h>

#include "trireme/core/memory.h"
#include "trireme/train/scores.h"

enum { MAX_K = 1000 };

/* The worst of the items kept is at the root. */
typedef struct heap {
  int64_t n;
  int32_t items[MAX_K];
} heap;

/* Whether item a comes before b. */
static bool before(const float *scores, int32_t a, int32_t b) {
  return scores[a] > scores[b] || (!(scores[a] < scores[b]) && a < b);
}

static void swap(heap *h, int64_t i, int64_t j) {
  const int32_t item = h->items[i];
  h->items[i] = h->items[j];
  h->items[j] = item;
}

static void sift_down(heap *h, const float *scores) {
  for (int64_t i = 0;;) {
    int64_t worst = i;
    for (int64_t child = 2 * i + 1; child <= 2 * i + 2 && child < h->n; ++child) {
      if (before(scores, h->items[worst], h->items[child])) worst = child;
    }
    if (worst == i) return;
    swap(h, i, worst);
    i = worst;
  }
}

static void push(heap *h, const float *scores, int32_t item) {
  int64_t i = h->n++;
  h->items[i] = item;
  while (i > 0 && before(scores, h->items[(i - 1) / 2], h->items[i])) {
    swap(h, i, (i - 1) / 2);
    i = (i - 1) / 2;
  }
}

/* Items rise, so one that equals the worst kept comes after it. */
static void select_items(heap *h, const float *scores, int64_t n_items, const int32_t *exclude,
                         int64_t n_exclude, int64_t K) {
  int64_t next = 0;
  for (int32_t item = 0; item < n_items; ++item) {
    if (next < n_exclude && exclude[next] == item) {
      ++next;
      continue;
    }
    if (h->n < K) {
      push(h, scores, item);
    } else if (scores[item] > scores[h->items[0]]) {
      h->items[0] = item;
      sift_down(h, scores);
    }
  }
}

/* The best first. */
static void sort_items(heap *h, const float *scores) {
  const int64_t n = h->n;
  while (h->n > 1) {
    swap(h, 0, h->n - 1);
    --h->n;
    sift_down(h, scores);
  }
  h->n = n;
}

static bool contains(const int32_t *list, int64_t n, int32_t item) {
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (list[middle] < item) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < n && list[low] == item;
}

void trm_rank_items(const float *scores, int64_t n_items, const int32_t *exclude, int64_t n_exclude,
                    const int32_t *relevant, int64_t n_relevant, int64_t K, int32_t *top,
                    trm_ranking *ranking) {
  heap h = {.n = 0};
  double hits = 0, gain = 0, ideal = 0;
  TRM_ASSERT(K >= 1 && K <= MAX_K);
  select_items(&h, scores, n_items, exclude, n_exclude, K);
  sort_items(&h, scores);
  for (int64_t k = 0; k < K; ++k) {
    const double discount = 1 / log2((double)k + 2);
    if (k < n_relevant) ideal += discount;
    if (top) top[k] = k < h.n ? h.items[k] : -1;
    if (k >= h.n || !contains(relevant, n_relevant, h.items[k])) continue;
    hits += 1;
    gain += discount;
  }
  *ranking = (trm_ranking){.recall = n_relevant > 0 ? hits / (double)n_relevant : 0,
                           .ndcg = ideal > 0 ? gain / ideal : 0,
                           .precision = hits / (double)K};
}
