#include "voices.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "trireme/core/memory.h"

trm_status trm_blend_make(int64_t most, int64_t J, bool each, trm_blend *b) {
  static const char what[] = "scores of an ensemble";
  *b = (trm_blend){.most = most, .J = J};
  TRM_TRY(TRM_ALLOC(&b->sums, most * J, what));
  if (each) TRM_TRY(TRM_ALLOC(&b->rests, most * J, what));
  TRM_TRY(TRM_ALLOC(&b->levels, 2 * most, what));
  TRM_TRY(TRM_ALLOC(&b->counts, most, what));
  return TRM_ALLOC(&b->listed, J, what);
}

void trm_blend_free(trm_blend *b) {
  TRM_FREE(b->sums);
  TRM_FREE(b->rests);
  TRM_FREE(b->levels);
  TRM_FREE(b->counts);
  TRM_FREE(b->listed);
}

void trm_blend_begin(trm_blend *b) {
  const size_t n = (size_t)(b->most * b->J);
  memset(b->sums, 0, n * sizeof *b->sums);
  if (b->rests) memset(b->rests, 0, n * sizeof *b->rests);
  memset(b->levels, 0, 2 * (size_t)b->most * sizeof *b->levels);
  memset(b->counts, 0, (size_t)b->most * sizeof *b->counts);
}

void trm_blend_list(trm_blend *b, const int32_t *items, int64_t n) {
  memset(b->listed, 0, (size_t)b->J);
  for (int64_t i = 0; i < n; ++i) b->listed[items[i]] = 1;
}

static bool all_finite(const float *scores, int64_t n) {
  for (int64_t j = 0; j < n; ++j) {
    if (!isfinite(scores[j])) return false;
  }
  return true;
}

/* ---- shares ---------------------------------------------------------------------------------- */

/* Logarithms of the sums of e^s over both lists; an empty one has 0. */
static void find_levels(const trm_blend *b, const float *scores, double levels[2]) {
  double most[2] = {-HUGE_VAL, -HUGE_VAL}, sums[2] = {0};
  for (int64_t j = 0; j < b->J; ++j) {
    most[b->listed[j]] = fmax(most[b->listed[j]], (double)scores[j]);
  }
  for (int64_t j = 0; j < b->J; ++j) {
    sums[b->listed[j]] += exp((double)scores[j] - most[b->listed[j]]);
  }
  for (int list = 0; list < 2; ++list) {
    levels[list] = sums[list] > 0 ? most[list] + log(sums[list]) : 0;
  }
}

static void add_shares(trm_blend *b, int64_t u, const float *scores) {
  double levels[2], *sums = b->sums + u * b->J;
  find_levels(b, scores, levels);
  for (int64_t j = 0; j < b->J; ++j) sums[j] += exp((double)scores[j] - levels[b->listed[j]]);
  for (int list = 0; list < 2; ++list) b->levels[2 * u + list] += levels[list];
}

static void tell_shares(const trm_blend *b, int64_t u, float *scores) {
  const double n = b->counts[u], *sums = b->sums + u * b->J, *levels = b->levels + 2 * u;
  for (int64_t j = 0; j < b->J; ++j) {
    scores[j] = (float)(log(fmax(sums[j] / n, DBL_MIN)) + levels[b->listed[j]] / n);
  }
}

/* ---- probabilities --------------------------------------------------------------------------- */

static void add_probabilities(trm_blend *b, int64_t u, const float *scores) {
  double *sums = b->sums + u * b->J, *rests = b->rests + u * b->J;
  for (int64_t j = 0; j < b->J; ++j) {
    const double small = exp(-fabs((double)scores[j])), part = 1 / (1 + small);
    sums[j] += scores[j] > 0 ? part : small * part;
    rests[j] += scores[j] > 0 ? small * part : part;
  }
}

static void tell_probabilities(const trm_blend *b, int64_t u, float *scores) {
  const double *sums = b->sums + u * b->J, *rests = b->rests + u * b->J;
  for (int64_t j = 0; j < b->J; ++j) {
    scores[j] = (float)log(fmax(sums[j], DBL_MIN) / fmax(rests[j], DBL_MIN));
  }
}

/* ---- either ---------------------------------------------------------------------------------- */

void trm_blend_add(trm_blend *b, int64_t u, const float *scores) {
  if (!all_finite(scores, b->J)) return;
  ++b->counts[u];
  if (b->rests) {
    add_probabilities(b, u, scores);
  } else {
    add_shares(b, u, scores);
  }
}

void trm_blend_tell(const trm_blend *b, int64_t u, float *scores) {
  if (b->counts[u] == 0) {
    for (int64_t j = 0; j < b->J; ++j) scores[j] = NAN;
  } else if (b->rests) {
    tell_probabilities(b, u, scores);
  } else {
    tell_shares(b, u, scores);
  }
}
