#include "grams.h"

#include <stdlib.h>
#include <string.h>

#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

trm_status trm_grams_create(int64_t n, trm_grams *grams) {
  *grams = (trm_grams){.n = n};
  TRM_TRY(TRM_ALLOC(&grams->symbols, n + TRM_GRAMS_ORDER, "symbols of a text"));
  return TRM_ALLOC(&grams->sorted, n, "n-grams of a text");
}

void trm_grams_free(trm_grams *grams) {
  TRM_FREE(grams->symbols);
  TRM_FREE(grams->sorted);
  *grams = (trm_grams){0};
}

static int compare(const uint32_t *a, const uint32_t *b, int n) {
  for (int i = 0; i < n; ++i) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}

static int by_symbols(const void *a, const void *b) {
  return compare(*(const uint32_t *const *)a, *(const uint32_t *const *)b, TRM_GRAMS_ORDER);
}

void trm_grams_sort(trm_grams *grams) {
  for (int64_t i = 0; i < grams->n; ++i) grams->sorted[i] = grams->symbols + i;
  qsort(grams->sorted, (size_t)grams->n, sizeof *grams->sorted, by_symbols);
}

int64_t trm_grams_count(const trm_grams *grams, int n) {
  return trm_max_i64(grams->n - n + 1, 0);
}

/* Past the last of the sorted n-grams from `from` on that are equal to `gram`. */
static int64_t end_of(const trm_grams *grams, int64_t from, const uint32_t *gram, int n) {
  while (from < grams->n && compare(grams->sorted[from], gram, n) == 0) ++from;
  return from;
}

/* most[i], i the first of equal n-grams of the hypothesis: no less than how often the reference has it.
 * Beginnings with fewer than n symbols left have a 0 among them: they are counted, and not asked for. */
static void raise_to(const trm_grams *hypothesis, const trm_grams *reference, int n,
                     int64_t *most) {
  int64_t r = 0;
  for (int64_t i = 0; i < hypothesis->n;) {
    const uint32_t *gram = hypothesis->sorted[i];
    while (r < reference->n && compare(reference->sorted[r], gram, n) < 0) ++r;
    const int64_t end = end_of(reference, r, gram, n);
    most[i] = trm_max_i64(most[i], end - r);
    r = end;
    i = end_of(hypothesis, i, gram, n);
  }
}

int64_t trm_grams_matches(const trm_grams *hypothesis, const trm_grams *references,
                          int64_t n_references, int n, int64_t *scratch) {
  int64_t matches = 0;
  memset(scratch, 0, (size_t)hypothesis->n * sizeof *scratch);
  for (int64_t r = 0; r < n_references; ++r) raise_to(hypothesis, &references[r], n, scratch);
  for (int64_t i = 0; i < hypothesis->n;) {
    const int64_t end = end_of(hypothesis, i, hypothesis->sorted[i], n);
    if (hypothesis->sorted[i][n - 1] != 0) matches += trm_min_i64(end - i, scratch[i]);
    i = end;
  }
  return matches;
}
