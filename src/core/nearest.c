/* Nearest names, for "did you mean". */
#include <stddef.h>
#include <string.h>

#include "config_internal.h"

enum { MAX_WORD = 64 };

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* One row of the table at a time: row[j] is the distance of the prefixes of lengths i and j. */
static int levenshtein(const char *a, size_t n_a, const char *b, size_t n_b) {
  int row[MAX_WORD + 1];
  for (size_t j = 0; j <= n_b; ++j) row[j] = (int)j;
  for (size_t i = 1; i <= n_a; ++i) {
    int diagonal = row[0];
    row[0] = (int)i;
    for (size_t j = 1; j <= n_b; ++j) {
      int best = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[n_b];
}

int trm_near_distance(const char *word, const char *candidate) {
  const size_t n_word = strnlen(word, MAX_WORD + 1);
  const size_t n_candidate = strnlen(candidate, MAX_WORD + 1);
  if (n_word == 0 || n_word > MAX_WORD || n_candidate > MAX_WORD) return INT32_MAX;
  const int limit = n_word < 5 ? 1 : (int)(n_word + 1) / 3;
  const int distance = levenshtein(word, n_word, candidate, n_candidate);
  return distance <= limit ? distance : INT32_MAX;
}

const char *trm_nearest(const char *word, const char *const *candidates, int n) {
  const char *best = NULL;
  int best_distance = INT32_MAX;
  for (int i = 0; i < n; ++i) {
    const int distance = trm_near_distance(word, candidates[i]);
    if (distance >= best_distance) continue;
    best = candidates[i];
    best_distance = distance;
  }
  return best;
}
