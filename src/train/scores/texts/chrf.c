#include <string.h>

#include "characters.h"
#include "grams.h"
#include "trireme/core/memory.h"

/* What is counted of the n-grams of each order. */
enum { OWN, REFERENCE, MATCHES, N_COUNTS };

/* Code points without white space; U+0000 is one too. */
static trm_status read_line(trm_line line, trm_grams *grams) {
  trm_characters text = {0};
  int64_t n = 0;
  trm_status status = trm_characters_read(&text, line);
  for (int64_t i = 0; i < text.n; ++i) {
    if (!trm_character_is_space(text.at[i])) text.at[n++] = text.at[i];
  }
  if (status == TRM_OK) status = trm_grams_create(n, grams);
  if (status == TRM_OK) {
    for (int64_t i = 0; i < n; ++i) grams->symbols[i] = text.at[i] + 1;
    trm_grams_sort(grams);
  }
  trm_characters_free(&text);
  return status;
}

/* N-grams of an order that the reference has none of do not count. */
static void count(const trm_grams *own, const trm_grams *reference, int64_t *scratch,
                  double *counts) {
  for (int n = 1; n <= TRM_CHRF_ORDER; ++n, counts += N_COUNTS) {
    const int64_t there = trm_grams_count(reference, n);
    counts[OWN] = there > 0 ? (double)trm_grams_count(own, n) : 0;
    counts[REFERENCE] = (double)there;
    counts[MATCHES] = (double)trm_grams_matches(own, reference, 1, n, scratch);
  }
}

/* Counts of the best reference. */
static trm_status count_best(const trm_grams *own, const trm_line *references, int64_t n_references,
                             int64_t *scratch, double *best) {
  double best_score = -1;
  for (int64_t r = 0; r < n_references; ++r) {
    trm_grams reference = {0};
    double counts[TRM_N_CHRF_COUNTS] = {0};
    const trm_status status = read_line(references[r], &reference);
    if (status == TRM_OK) count(own, &reference, scratch, counts);
    trm_grams_free(&reference);
    TRM_TRY(status);
    const double score = trm_chrf_score(counts);
    if (score > best_score) memcpy(best, counts, sizeof counts);
    if (score > best_score) best_score = score;
  }
  return TRM_OK;
}

trm_status trm_chrf_add(double *counts, trm_line hypothesis, const trm_line *references,
                        int64_t n_references) {
  trm_grams own = {0};
  int64_t *scratch = NULL;
  double best[TRM_N_CHRF_COUNTS] = {0};
  TRM_ASSERT(n_references >= 1);
  trm_status status = read_line(hypothesis, &own);
  if (status == TRM_OK) status = TRM_ALLOC(&scratch, own.n, "counts of n-grams");
  if (status == TRM_OK) status = count_best(&own, references, n_references, scratch, best);
  if (status == TRM_OK) {
    for (int i = 0; i < TRM_N_CHRF_COUNTS; ++i) counts[i] += best[i];
  }
  TRM_FREE(scratch);
  trm_grams_free(&own);
  return status;
}

double trm_chrf_score(const double *counts) {
  double precision = 0, recall = 0, orders = 0;
  for (int n = 0; n < TRM_CHRF_ORDER; ++n, counts += N_COUNTS) {
    if (counts[OWN] == 0 || counts[REFERENCE] == 0) continue;
    precision += counts[MATCHES] / counts[OWN];
    recall += counts[MATCHES] / counts[REFERENCE];
    orders += 1;
  }
  if (precision + recall == 0) return 0;
  precision /= orders;
  recall /= orders;
  return 100 * (5 * precision * recall / (4 * precision + recall));
}
