/* Scores of the first K items of a user. */
#include <math.h>

#include "trireme/train/scores.h"

bool trm_list_has(const int32_t *list, int64_t n, int32_t item) {
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

trm_ranking trm_score_ranking(const int32_t *top, int64_t K, const int32_t *relevant,
                              int64_t n_relevant) {
  double hits = 0, gain = 0, ideal = 0;
  for (int64_t k = 0; k < K; ++k) {
    const double discount = 1 / log2((double)k + 2);
    if (k < n_relevant) ideal += discount;
    if (top[k] < 0 || !trm_list_has(relevant, n_relevant, top[k])) continue;
    hits += 1;
    gain += discount;
  }
  return (trm_ranking){.recall = n_relevant > 0 ? hits / (double)n_relevant : 0,
                       .ndcg = ideal > 0 ? gain / ideal : 0,
                       .precision = hits / (double)K};
}
