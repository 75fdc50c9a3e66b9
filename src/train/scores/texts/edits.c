#include <math.h>

#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/train/text_scores.h"

/* row[n_b + 1]: distances between the first i tokens of a and the first j of b, for all j. */
static int64_t distance(const int32_t *a, int64_t n_a, const int32_t *b, int64_t n_b,
                        int64_t *row) {
  for (int64_t j = 0; j <= n_b; ++j) row[j] = j;
  for (int64_t i = 0; i < n_a; ++i) {
    int64_t above_left = row[0];
    row[0] = i + 1;
    for (int64_t j = 0; j < n_b; ++j) {
      const int64_t above = row[j + 1], change = above_left + (a[i] != b[j]);
      row[j + 1] = trm_min_i64(change, 1 + trm_min_i64(above, row[j]));
      above_left = above;
    }
  }
  return row[n_b];
}

trm_status trm_edit_distance(const int32_t *a, int64_t n_a, const int32_t *b, int64_t n_b,
                             int64_t *edits) {
  int64_t *row = NULL;
  TRM_TRY(TRM_ALLOC(&row, n_b + 1, "edits of a list"));
  *edits = distance(a, n_a, b, n_b, row);
  TRM_FREE(row);
  return TRM_OK;
}

/* Whether a is less of its length than b; no edits are the least, whatever the length. */
static bool fewer(int64_t a, int64_t a_length, int64_t b, int64_t b_length) {
  if (a == 0 || b == 0) return a < b;
  return (double)a * (double)b_length < (double)b * (double)a_length;
}

trm_status trm_edits_add(double *counts, const int32_t *hypothesis, int64_t n,
                         const trm_token_lists *references) {
  int64_t best = -1, best_length = 0;
  TRM_ASSERT(references->n >= 1);
  for (int64_t r = 0; r < references->n; ++r) {
    const int64_t begin = references->offsets[r], length = references->offsets[r + 1] - begin;
    int64_t edits;
    TRM_TRY(trm_edit_distance(hypothesis, n, references->tokens + begin, length, &edits));
    if (best >= 0 && !fewer(edits, length, best, best_length)) continue;
    best = edits;
    best_length = length;
  }
  counts[TRM_EDITS] += (double)best;
  counts[TRM_EDIT_LENGTH] += (double)best_length;
  counts[TRM_EDIT_WRONG] += best > 0;
  counts[TRM_EDIT_SAMPLES] += 1;
  return TRM_OK;
}

static double share(double part, double whole) {
  return whole > 0 ? part / whole : (double)NAN;
}

double trm_edit_rate(const double *counts) {
  return share(counts[TRM_EDITS], counts[TRM_EDIT_LENGTH]);
}

double trm_wrong_rate(const double *counts) {
  return share(counts[TRM_EDIT_WRONG], counts[TRM_EDIT_SAMPLES]);
}

double trm_exact_rate(const double *counts) {
  return share(counts[TRM_EDIT_SAMPLES] - counts[TRM_EDIT_WRONG], counts[TRM_EDIT_SAMPLES]);
}
