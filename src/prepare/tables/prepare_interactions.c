/**
 * `trireme prepare interactions`: lists "user item item ..." become a data set of kind
 * "interactions".
 */
#include <stdio.h>
#include <stdlib.h>

#include "prepare_internal.h"
#include "trireme/core/memory.h"
#include "trireme/input/interactions.h"
#include "trireme/prepare/graphs.h"

/* Lists in the order of the file. */
typedef struct lists {
  int64_t n, n_items, highest_user, highest_item; /* n lists with n_items in all */
  int64_t users_capacity, lines_capacity, begins_capacity, items_capacity;
  int64_t *users, *lines, *begins; /* [n] of each list; begins in items */
  int32_t *items;
} lists;

static void free_lists(lists *l) {
  TRM_FREE(l->users);
  TRM_FREE(l->lines);
  TRM_FREE(l->begins);
  TRM_FREE(l->items);
}

static trm_status read_list(trm_scan *scan, int64_t user_limit, const char *why, lists *l) {
  int64_t user, item;
  if (!trm_scan_more(scan)) {
    return trm_scan_fail(scan, "the line is empty; a line is %s", scan->form);
  }
  TRM_TRY(trm_scan_id(scan, "user", user_limit, why, &user));
  if (!trm_scan_more(scan)) {
    return trm_scan_fail(scan, "user %lld has no items; leave the line out, or give some",
                         (long long)user);
  }
  TRM_TRY(TRM_GROW(&l->users, l->n, &l->users_capacity, "users"));
  TRM_TRY(TRM_GROW(&l->lines, l->n, &l->lines_capacity, "users"));
  TRM_TRY(TRM_GROW(&l->begins, l->n, &l->begins_capacity, "users"));
  l->users[l->n] = user;
  l->lines[l->n] = scan->line_number;
  l->begins[l->n++] = l->n_items;
  if (user > l->highest_user) l->highest_user = user;
  while (trm_scan_more(scan)) {
    TRM_TRY(trm_scan_id(scan, "item", INT32_MAX, "item ids are below 2147483647", &item));
    TRM_TRY(TRM_GROW(&l->items, l->n_items, &l->items_capacity, "items"));
    l->items[l->n_items++] = (int32_t)item;
    if (item > l->highest_item) l->highest_item = item;
  }
  return TRM_OK;
}

static trm_status read_lists(const char *path, int64_t user_limit, const char *why,
                             trm_scan_progress *progress, lists *l) {
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  l->highest_user = l->highest_item = -1;
  TRM_TRY_OUT(trm_scan_open(&scan, path, "user item item ...", progress));
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&scan, true, &more));
    if (!more) break;
    TRM_TRY_OUT(read_list(&scan, user_limit, why, l));
  }
  if (l->n == 0) status = trm_fail(TRM_ERR_DATA, "%s: has no users", path);
out:
  return trm_scan_close(&scan, status);
}

static int by_id(const void *a, const void *b) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

/* The place of each user's list + 1, or 0; each user has one list at most. */
static trm_status place_lists(const char *path, const lists *l, int64_t *place) {
  for (int64_t i = 0; i < l->n; ++i) {
    if (place[l->users[i]] != 0) {
      return trm_fail(TRM_ERR_DATA, "%s:%lld: user %lld has a line already, line %lld; join them",
                      path, (long long)l->lines[i], (long long)l->users[i],
                      (long long)l->lines[place[l->users[i]] - 1]);
    }
    place[l->users[i]] = i + 1;
  }
  return TRM_OK;
}

/* Lists in the order of the users, items rising, each once. */
static trm_status make_rows(const char *path, const lists *l, int64_t n_users, int64_t **offsets,
                            int32_t **columns, int64_t **place, int64_t *duplicates) {
  TRM_TRY(TRM_ALLOC(place, n_users, "users"));
  TRM_TRY(place_lists(path, l, *place));
  TRM_TRY(TRM_ALLOC(offsets, n_users + 1, "lists of items"));
  TRM_TRY(TRM_ALLOC(columns, l->n_items, "lists of items"));
  int64_t to = 0;
  for (int64_t u = 0; u < n_users; ++u) {
    const int64_t i = (*place)[u] - 1, row = to;
    if (i >= 0) {
      const int64_t end = i + 1 < l->n ? l->begins[i + 1] : l->n_items;
      int32_t *items = l->items + l->begins[i];
      const int64_t n = end - l->begins[i];
      qsort(items, (size_t)n, sizeof *items, by_id);
      for (int64_t k = 0; k < n; ++k) {
        if (to > row && (*columns)[to - 1] == items[k]) {
          ++*duplicates;
        } else {
          (*columns)[to++] = items[k];
        }
      }
    }
    (*offsets)[u + 1] = to;
  }
  return TRM_OK;
}

typedef struct job {
  const char *train_path, *test_path;
  lists train, test;
  int64_t *train_offsets, *test_offsets, *train_place, *test_place, n_users, n_items;
  int32_t *train_items, *test_items;
} job;

/* A test item that was trained on would be left out of the ranking: a slip in the split. */
static trm_status check_overlap(const job *j) {
  for (int64_t u = 0; u < j->n_users; ++u) {
    int64_t a = j->train_offsets[u], b = j->test_offsets[u];
    while (a < j->train_offsets[u + 1] && b < j->test_offsets[u + 1]) {
      if (j->train_items[a] == j->test_items[b]) {
        return trm_fail(TRM_ERR_DATA,
                        "%s:%lld: item %d of user %lld is in %s too (line %lld); an "
                        "item is for training or for the test",
                        j->test_path, (long long)j->test.lines[j->test_place[u] - 1],
                        (int)j->test_items[b], (long long)u, j->train_path,
                        (long long)j->train.lines[j->train_place[u] - 1]);
      }
      if (j->train_items[a] < j->test_items[b]) {
        ++a;
      } else {
        ++b;
      }
    }
  }
  return TRM_OK;
}

static trm_status read_train(job *j, trm_scan_progress *progress) {
  TRM_TRY(
      read_lists(j->train_path, INT32_MAX, "user ids are below 2147483647", progress, &j->train));
  j->n_users = j->train.highest_user + 1;
  /* n lists of distinct users below n_users: equal numbers mean that none is missing. */
  if (j->n_users <= j->train.n) return TRM_OK;
  if (j->n_users > 16 * j->train.n) { /* not worth the memory of a search */
    return trm_fail(TRM_ERR_DATA,
                    "%s: user %lld, but only %lld lines; number users from 0 without "
                    "gaps",
                    j->train_path, (long long)j->train.highest_user, (long long)j->train.n);
  }
  uint8_t *seen = NULL;
  TRM_TRY(TRM_ALLOC(&seen, j->n_users, "users"));
  for (int64_t i = 0; i < j->train.n; ++i) seen[j->train.users[i]] = 1;
  int64_t missing = 0;
  while (seen[missing]) ++missing;
  TRM_FREE(seen);
  return trm_fail(TRM_ERR_DATA,
                  "%s: user %lld has no line, but user %lld has; number users from 0 "
                  "without gaps",
                  j->train_path, (long long)missing, (long long)j->train.highest_user);
}

static trm_status read_test(job *j, trm_scan_progress *progress) {
  char why[TRM_WHY_BYTES];
  (void)snprintf(why, sizeof why,
                 "%s has the users 0 to %lld, and who is to be tested must be "
                 "trained",
                 j->train_path, (long long)j->n_users - 1);
  TRM_TRY(read_lists(j->test_path, j->n_users, why, progress, &j->test));
  const int64_t a = j->train.highest_item, b = j->test.highest_item;
  j->n_items = (a > b ? a : b) + 1;
  if (trm_graph_plausible(j->n_items, j->train.n_items + j->test.n_items) &&
      j->n_items <= INT32_MAX - j->n_users) {
    return TRM_OK;
  }
  return trm_fail(TRM_ERR_DATA,
                  "%s: item %lld, but only %lld interactions; number items from 0 "
                  "without gaps",
                  a > b ? j->train_path : j->test_path, (long long)j->n_items - 1,
                  (long long)(j->train.n_items + j->test.n_items));
}

static trm_status write(const job *j, const char *output, const char *source,
                        trm_graph_counts *counts) {
  const trm_interactions d = {.graph = {.source = source},
                              .n_users = j->n_users,
                              .n_items = j->n_items,
                              .train = {.n_rows = j->n_users,
                                        .n_columns = j->n_items,
                                        .n_edges = j->train_offsets[j->n_users],
                                        .offsets = j->train_offsets,
                                        .columns = j->train_items},
                              .test = {.n_rows = j->n_users,
                                       .n_columns = j->n_items,
                                       .n_edges = j->test_offsets[j->n_users],
                                       .offsets = j->test_offsets,
                                       .columns = j->test_items}};
  uint8_t *seen = NULL;
  TRM_TRY(TRM_ALLOC(&seen, j->n_items, "items"));
  for (int64_t e = 0; e < d.train.n_edges; ++e) seen[j->train_items[e]] = 1;
  for (int64_t i = 0; i < j->n_items; ++i) counts->isolated += !seen[i];
  TRM_FREE(seen);
  for (int64_t u = 0; u < j->n_users; ++u) counts->unlabelled += j->test_place[u] == 0;
  return trm_interactions_write(output, &d, counts);
}

trm_status trm_prepare_interactions(const char *train, const char *test, const char *output,
                                    trm_graph_counts *counts) {
  job j = {.train_path = train, .test_path = test};
  trm_inputs inputs = {0};
  trm_scan_progress progress = {0};
  trm_status status = TRM_OK;
  *counts = (trm_graph_counts){0};
  if (!train || !test) {
    return trm_fail(TRM_ERR_USAGE, "prepare interactions: give the lists to train on and to test");
  }
  TRM_TRY_OUT(trm_inputs_add(&inputs, train));
  TRM_TRY_OUT(trm_inputs_add(&inputs, test));
  TRM_TRY_OUT(trm_inputs_check(&inputs, output, &progress));
  TRM_TRY_OUT(read_train(&j, &progress));
  TRM_TRY_OUT(read_test(&j, &progress));
  TRM_TRY_OUT(make_rows(train, &j.train, j.n_users, &j.train_offsets, &j.train_items,
                        &j.train_place, &counts->duplicates));
  TRM_TRY_OUT(make_rows(test, &j.test, j.n_users, &j.test_offsets, &j.test_items, &j.test_place,
                        &counts->duplicates));
  TRM_TRY_OUT(check_overlap(&j));
  TRM_TRY_OUT(write(&j, output, inputs.source, counts));
out:
  free_lists(&j.train);
  free_lists(&j.test);
  TRM_FREE(j.train_offsets);
  TRM_FREE(j.test_offsets);
  TRM_FREE(j.train_place);
  TRM_FREE(j.test_place);
  TRM_FREE(j.train_items);
  TRM_FREE(j.test_items);
  trm_inputs_free(&inputs);
  return status;
}
