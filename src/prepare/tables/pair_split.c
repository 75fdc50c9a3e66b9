/** Pairs of users and items: sorted, dealt, made rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pairs_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"

static int by_item(const void *left, const void *right) {
  const trm_interaction *a = left, *b = right;
  if (a->user != b->user) return a->user < b->user ? -1 : 1;
  if (a->item != b->item) return a->item < b->item ? -1 : 1;
  return (a->time > b->time) - (a->time < b->time);
}

static int by_time(const void *left, const void *right) {
  const trm_interaction *a = left, *b = right;
  if (a->user != b->user) return a->user < b->user ? -1 : 1;
  if (a->time != b->time) return a->time < b->time ? -1 : 1;
  return (a->item > b->item) - (a->item < b->item);
}

int64_t trm_pairs_compact(trm_pair_list *list) {
  int64_t to = 0;
  trm_interaction *p = list->pairs;
  if (list->n > 0) qsort(p, (size_t)list->n, sizeof *p, by_item);
  for (int64_t i = 0; i < list->n; ++i) {
    if (to > 0 && p[to - 1].user == p[i].user && p[to - 1].item == p[i].item) continue;
    p[to++] = p[i];
  }
  const int64_t left_out = list->n - to;
  list->n = to;
  return left_out;
}

/* Source: Durstenfeld 1964, "Algorithm 235: random permutation", CACM 7(7). */
static void shuffle(trm_interaction *pairs, int64_t n, uint64_t seed) {
  const trm_random_key key =
      trm_random_key_make(seed, TRM_RANDOM_SPLIT, n > 0 ? (uint64_t)pairs[0].user : 0, 0);
  for (int64_t i = n - 1; i > 0; --i) {
    const int64_t j = (int64_t)trm_random_below(key, (uint64_t)i, 0, (uint64_t)i + 1);
    const trm_interaction pair = pairs[i];
    pairs[i] = pairs[j];
    pairs[j] = pair;
  }
}

trm_status trm_pairs_deal(const trm_prepare_interactions_options *options, trm_pair_list *train,
                          trm_pair_list *test) {
  const bool time = options->split && strcmp(options->split, "time") == 0;
  trm_interaction *p = train->pairs;
  int64_t kept = 0;
  TRM_TRY(TRM_ALLOC(&test->pairs, train->n, "pairs to test"));
  test->capacity = train->n;
  if (time) qsort(p, (size_t)train->n, sizeof *p, by_time);
  for (int64_t i = 0; i < train->n;) {
    int64_t n = 1;
    while (i + n < train->n && p[i + n].user == p[i].user) ++n;
    if (!time) shuffle(p + i, n, options->seed);
    int64_t n_test = llround(options->test_share * (double)n);
    if (n_test > n - 1) n_test = n - 1;
    memcpy(test->pairs + test->n, p + i + n - n_test, (size_t)n_test * sizeof *p);
    test->n += n_test;
    memmove(p + kept, p + i, (size_t)(n - n_test) * sizeof *p);
    kept += n - n_test;
    i += n;
  }
  train->n = kept;
  qsort(p, (size_t)kept, sizeof *p, by_item);
  if (test->n > 0) qsort(test->pairs, (size_t)test->n, sizeof *p, by_item);
  return TRM_OK;
}

trm_status trm_pairs_rows(const trm_pair_list *list, int64_t n_users, int64_t **offsets,
                          int32_t **columns) {
  TRM_TRY(TRM_ALLOC(offsets, n_users + 1, "lists of items"));
  TRM_TRY(TRM_ALLOC(columns, list->n, "lists of items"));
  for (int64_t i = 0; i < list->n; ++i) {
    ++(*offsets)[list->pairs[i].user + 1];
    (*columns)[i] = list->pairs[i].item;
  }
  for (int64_t u = 0; u < n_users; ++u) (*offsets)[u + 1] += (*offsets)[u];
  return TRM_OK;
}
