/* Folds, shares and bootstrap samples of lists of samples. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/input/parts.h"

enum { N = 97, FOLDS = 5 };

static int32_t ids[N], labels[2 * N], groups[2 * N];
static const trm_ids pool = {ids, N};

static int64_t count(const int32_t *list, int64_t n, int32_t label) {
  int64_t found = 0;
  for (int64_t i = 0; i < n; ++i) found += labels[list[i]] == label;
  return found;
}

static void expect_rising(const int32_t *list, int64_t n, bool strictly) {
  for (int64_t i = 1; i < n; ++i) CHECK(list[i] > list[i - 1] - !strictly);
}

/* Each sample is held out once; classes are spread evenly; a group is never cut. */
static void check_folds(const trm_part_facts *facts) {
  int32_t rest[N], held[N];
  int seen[2 * N] = {0};
  for (int fold = 0; fold < FOLDS; ++fold) {
    int64_t n_rest, n_held;
    CHECK_OK(trm_parts_fold(pool, facts, FOLDS, fold, 3, rest, &n_rest, held, &n_held));
    CHECK_EQ(n_rest + n_held, N);
    expect_rising(rest, n_rest, true);
    expect_rising(held, n_held, true);
    for (int64_t i = 0; i < n_held; ++i) ++seen[held[i]];
    for (int32_t label = 0; label < 3 && !facts->groups; ++label) {
      const int64_t all = count(ids, N, label), here = count(held, n_held, label);
      CHECK(here >= all / FOLDS - 1 && here <= all / FOLDS + 2);
    }
    for (int64_t i = 0; i < n_rest && facts->groups; ++i) {
      for (int64_t k = 0; k < n_held; ++k) CHECK(groups[rest[i]] != groups[held[k]]);
    }
  }
  for (int i = 0; i < N; ++i) CHECK_EQ(seen[ids[i]], 1);
}

/* Smaller shares are parts of larger ones, and have the classes alike. */
static void check_shares(const trm_part_facts *facts) {
  int32_t kept[N], before[N];
  int64_t n_kept, n_before = 0;
  static const double shares[] = {1e-9, 0.1, 0.5, 1};
  for (int s = 0; s < 4; ++s) {
    CHECK_OK(trm_parts_share(pool, facts, shares[s], 3, kept, &n_kept));
    expect_rising(kept, n_kept, true);
    for (int64_t i = 0, k = 0; i < n_before; ++i) {
      while (k < n_kept && kept[k] < before[i]) ++k;
      CHECK(k < n_kept && kept[k] == before[i]);
    }
    if (s == 2 && !facts->groups) CHECK_EQ(n_kept, 49);
    if (s == 2 && !facts->groups) CHECK(labs(count(kept, n_kept, 0) * 2 - count(ids, N, 0)) <= 2);
    memcpy(before, kept, sizeof kept);
    n_before = n_kept;
  }
  CHECK_EQ(n_kept, N);
}

/* As many draws; about 1 - 1/e of the samples are among them; numbers differ, and the same number does not. */
static void check_bootstrap(void) {
  const trm_part_facts none = {NULL, NULL}, grouped = {labels, groups};
  int32_t *one, *again, *other;
  int64_t n, n_again, n_other, distinct = 1;
  CHECK_OK(trm_parts_bootstrap(pool, &none, 1, 3, &one, &n));
  CHECK_OK(trm_parts_bootstrap(pool, &none, 1, 3, &again, &n_again));
  CHECK_OK(trm_parts_bootstrap(pool, &none, 2, 3, &other, &n_other));
  CHECK(n == N && n_again == N && n_other == N);
  expect_rising(one, n, false);
  CHECK(memcmp(one, again, N * sizeof *one) == 0);
  CHECK(memcmp(one, other, N * sizeof *one) != 0);
  for (int64_t i = 1; i < n; ++i) distinct += one[i] != one[i - 1];
  CHECK(distinct > 50 && distinct < 75);
  TRM_FREE(again);
  TRM_FREE(other);
  TRM_FREE(one);
  CHECK_OK(trm_parts_bootstrap(pool, &grouped, 1, 3, &one, &n));
  for (int64_t i = 0; i < n; ++i) { /* a group comes whole */
    int64_t here = 0, in_pool = 0, draws = 0;
    for (int64_t k = 0; k < n; ++k) here += groups[one[k]] == groups[one[i]];
    for (int64_t k = 0; k < n; ++k) draws += one[k] == one[i];
    for (int k = 0; k < N; ++k) in_pool += groups[ids[k]] == groups[one[i]];
    CHECK_EQ(here, draws * in_pool);
  }
  TRM_FREE(one);
}

int main(void) {
  for (int i = 0; i < N; ++i) {
    ids[i] = 2 * i + 1;
    labels[ids[i]] = i % 7 == 0 ? 2 : i % 3 == 0;
    groups[ids[i]] = i / 4;
  }
  const trm_part_facts classes = {labels, NULL}, grouped = {labels, groups}, none = {NULL, NULL};
  check_folds(&classes);
  check_folds(&grouped);
  check_shares(&classes);
  check_shares(&grouped);
  check_shares(&none);
  check_bootstrap();
  return check_verdict();
}
