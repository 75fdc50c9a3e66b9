/**
 * `trireme prepare interactions`: lists "user item item ...", or pairs with ratings and times, become a
 * data set of kind "interactions".
 *
 *     lists of numbers   as they are numbered
 *     pairs, names       a table of names (unless --ids numbers), repeated ones left out, a share of each
 *                        user's dealt to test
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pairs_internal.h"
#include "prepare_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
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

static trm_status read_list(trm_scan *scan, int64_t user_limit, const char *why, bool may_be_empty,
                            lists *l) {
  int64_t user, item;
  TRM_TRY(trm_scan_id(scan, "user", user_limit, why, &user));
  if (!trm_scan_more(scan) && !may_be_empty) {
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

static trm_status read_lists(const char *path, const trm_reading *reading, int64_t user_limit,
                             const char *why, bool may_be_empty, trm_scan_progress *progress,
                             lists *l) {
  const trm_table_plan plan = {.form = "user item item ...", .reading = reading};
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  l->highest_user = l->highest_item = -1;
  TRM_TRY_OUT(trm_scan_open_table(&scan, path, &plan, progress));
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(read_list(&scan, user_limit, why, may_be_empty, l));
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
  const trm_prepare_interactions_options *options;
  const char *train_path, *test_path;
  lists train, test;
  int64_t *train_offsets, *test_offsets, *train_place, *test_place, n_users, n_items;
  int32_t *train_items, *test_items;
  /* Pairs. */
  trm_names users, items; /* what they are called; none: numbers */
  trm_pair_list train_pairs, test_pairs;
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
  TRM_TRY(read_lists(j->train_path, &j->options->reading, INT32_MAX,
                     "user ids are below 2147483647", false, progress, &j->train));
  j->n_users = j->train.highest_user + 1;
  /* n lists of distinct users below n_users: equal numbers mean that none is missing. */
  if (j->n_users <= j->train.n) return TRM_OK;
  if (j->n_users > 16 * j->train.n) { /* not worth the memory of a search */
    return trm_fail(TRM_ERR_DATA,
                    "%s: user %lld, but only %lld lines; number users from 0 without "
                    "gaps, or take the ids as names (--ids names)",
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
                  "without gaps, or take the ids as names (--ids names)",
                  j->train_path, (long long)missing, (long long)j->train.highest_user);
}

/* `highest`: of the items of a file. */
static trm_status check_items(const char *path, int64_t highest, int64_t n_users, int64_t n_pairs) {
  const int64_t n_items = highest + 1;
  if (trm_graph_plausible(n_items, n_pairs) && n_items <= INT32_MAX - n_users) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: item %lld, but only %lld interactions; number items from 0 "
                  "without gaps, or take the ids as names (--ids names)",
                  path, (long long)highest, (long long)n_pairs);
}

static trm_status read_test(job *j, trm_scan_progress *progress) {
  char why[TRM_WHY_BYTES];
  (void)snprintf(why, sizeof why,
                 "%s has the users 0 to %lld, and who is to be tested must be "
                 "trained",
                 j->train_path, (long long)j->n_users - 1);
  TRM_TRY(
      read_lists(j->test_path, &j->options->reading, j->n_users, why, true, progress, &j->test));
  const int64_t a = j->train.highest_item, b = j->test.highest_item;
  j->n_items = (a > b ? a : b) + 1;
  return check_items(a > b ? j->train_path : j->test_path, j->n_items - 1, j->n_users,
                     j->train.n_items + j->test.n_items);
}

/* Names of the users, then of the items, which are the nodes of the graph. */
static trm_status join_names(const job *j, trm_names *all) {
  const trm_names *const parts[2] = {&j->users, &j->items};
  int64_t end = 0;
  TRM_TRY(trm_buffer_append(&all->offsets, &end, (int64_t)sizeof end));
  for (int p = 0; p < 2; ++p) {
    const int64_t *offsets = trm_names_offsets(parts[p]);
    const int64_t begin = end;
    TRM_TRY(trm_buffer_append(&all->bytes, parts[p]->bytes.data, offsets[parts[p]->n]));
    for (int64_t i = 1; i <= parts[p]->n; ++i) {
      end = begin + offsets[i];
      TRM_TRY(trm_buffer_append(&all->offsets, &end, (int64_t)sizeof end));
    }
    all->n += parts[p]->n;
  }
  return TRM_OK;
}

static trm_status count(const job *j, trm_graph_counts *counts) {
  uint8_t *seen = NULL;
  TRM_TRY(TRM_ALLOC(&seen, j->n_items, "items"));
  for (int64_t e = 0; e < j->train_offsets[j->n_users]; ++e) seen[j->train_items[e]] = 1;
  for (int64_t i = 0; i < j->n_items; ++i) counts->isolated += !seen[i];
  TRM_FREE(seen);
  for (int64_t u = 0; u < j->n_users; ++u) {
    counts->unlabelled += j->test_offsets[u] == j->test_offsets[u + 1];
  }
  return TRM_OK;
}

static trm_csr rows_of(const job *j, int64_t *offsets, int32_t *items) {
  return (trm_csr){.n_rows = j->n_users,
                   .n_columns = j->n_items,
                   .n_edges = offsets[j->n_users],
                   .offsets = offsets,
                   .columns = items};
}

static trm_status write(const job *j, const char *output, const char *source,
                        trm_graph_counts *counts) {
  trm_interactions d = {.graph = {.source = source},
                        .n_users = j->n_users,
                        .n_items = j->n_items,
                        .train = rows_of(j, j->train_offsets, j->train_items),
                        .test = rows_of(j, j->test_offsets, j->test_items)};
  trm_names names = {0};
  trm_status status = count(j, counts);
  if (status == TRM_OK && j->users.n > 0) {
    status = join_names(j, &names);
    d.graph.names = (trm_texts){names.n, trm_names_offsets(&names), names.bytes.data};
  }
  if (status == TRM_OK) status = trm_interactions_write(output, &d, counts);
  trm_names_free(&names);
  return status;
}

/* ---- lists ------------------------------------------------------------------------------------ */

static trm_status take_lists(job *j, trm_scan_progress *progress, trm_graph_counts *counts) {
  TRM_TRY(read_train(j, progress));
  TRM_TRY(read_test(j, progress));
  TRM_TRY(make_rows(j->train_path, &j->train, j->n_users, &j->train_offsets, &j->train_items,
                    &j->train_place, &counts->duplicates));
  TRM_TRY(make_rows(j->test_path, &j->test, j->n_users, &j->test_offsets, &j->test_items,
                    &j->test_place, &counts->duplicates));
  return check_overlap(j);
}

/* ---- pairs ------------------------------------------------------------------------------------ */

static trm_status read_pairs(job *j, bool pairs, trm_scan_progress *progress,
                             trm_graph_counts *counts) {
  const trm_prepare_interactions_options *o = j->options;
  TRM_TRY(trm_pairs_read(o, o->train, !pairs, progress, &j->users, &j->items, &j->train_pairs));
  counts->duplicates += trm_pairs_compact(&j->train_pairs);
  if (!o->test) {
    const bool time = o->split && strcmp(o->split, "time") == 0;
    if (time && !j->train_pairs.timed) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: has no times, by which --split time deals; name the column by --columns "
                      "user,item,,time",
                      o->train);
    }
    return trm_pairs_deal(o, &j->train_pairs, &j->test_pairs);
  }
  TRM_TRY(trm_pairs_read(o, o->test, !pairs, progress, &j->users, &j->items, &j->test_pairs));
  counts->duplicates += trm_pairs_compact(&j->test_pairs);
  return TRM_OK;
}

/* Users who have nothing to train on go, with what they have to test. */
static trm_status drop_untrained(job *j) {
  int32_t *new_id = NULL;
  trm_names kept = {0};
  int64_t dropped = 0, to = 0;
  trm_status status = TRM_OK;
  const int64_t n = j->users.n, *offsets = trm_names_offsets(&j->users);
  TRM_TRY(TRM_ALLOC(&new_id, n, "users"));
  for (int64_t i = 0; i < j->train_pairs.n; ++i) new_id[j->train_pairs.pairs[i].user] = 1;
  for (int64_t u = 0; u < n && status == TRM_OK; ++u) {
    bool added;
    if (new_id[u] == 0) {
      new_id[u] = -1;
      ++dropped;
      continue;
    }
    status = trm_names_add(&kept, j->users.bytes.data + offsets[u], offsets[u + 1] - offsets[u],
                           &new_id[u], &added);
  }
  for (int64_t i = 0; i < j->train_pairs.n; ++i) {
    j->train_pairs.pairs[i].user = new_id[j->train_pairs.pairs[i].user];
  }
  for (int64_t i = 0; i < j->test_pairs.n; ++i) {
    const trm_interaction pair = j->test_pairs.pairs[i];
    if (new_id[pair.user] < 0) continue;
    j->test_pairs.pairs[to] = pair;
    j->test_pairs.pairs[to++].user = new_id[pair.user];
  }
  j->test_pairs.n = to;
  TRM_FREE(new_id);
  trm_names_free(&j->users);
  j->users = kept;
  if (dropped > 0) {
    trm_note(j->options->reading.notes,
             "%s: note: users without a pair to train on, left out with what they have to test: "
             "%lld",
             j->options->test ? j->options->test : j->options->train, (long long)dropped);
  }
  return status;
}

static void renumber(trm_pair_list *list, const int32_t *users, const int32_t *items) {
  for (int64_t i = 0; i < list->n; ++i) {
    list->pairs[i].user = users[list->pairs[i].user];
    list->pairs[i].item = items[list->pairs[i].item];
  }
  (void)trm_pairs_compact(list);
}

/* Whether the names are 0, 1, 2, ..., which need no table. */
static bool are_counted(const trm_names *names) {
  const int64_t *offsets = trm_names_offsets(names);
  for (int64_t i = 0; i < names->n; ++i) {
    char number[24];
    const int64_t n = snprintf(number, sizeof number, "%lld", (long long)i);
    if (n != offsets[i + 1] - offsets[i] ||
        memcmp(number, names->bytes.data + offsets[i], (size_t)n) != 0) {
      return false;
    }
  }
  return true;
}

static trm_status check_pairs(const job *j) {
  char user[TRM_SHOWN_BYTES], item[TRM_SHOWN_BYTES];
  const trm_pair_list *a = &j->train_pairs, *b = &j->test_pairs;
  for (int64_t i = 0, k = 0; i < a->n && k < b->n;) {
    const trm_interaction *x = &a->pairs[i], *y = &b->pairs[k];
    if (x->user == y->user && x->item == y->item) {
      const bool names = !trm_pairs_numbered(&j->options->reading);
      trm_id_map users = {.on = names, .names = j->users};
      trm_id_map items = {.on = names, .names = j->items};
      const trm_id_limit of_users = {.map = &users}, of_items = {.map = &items};
      return trm_fail(
          TRM_ERR_DATA,
          "%s: item %s of user %s is in %s too; an item is for training or for the test",
          j->test_path, trm_node_shown(&of_items, y->item, item),
          trm_node_shown(&of_users, y->user, user), j->train_path);
    }
    const bool before = x->user != y->user ? x->user < y->user : x->item < y->item;
    i += before;
    k += !before;
  }
  return TRM_OK;
}

static trm_status number_pairs(job *j) {
  int32_t *users = NULL, *items = NULL;
  trm_status status = drop_untrained(j);
  if (status == TRM_OK) status = trm_names_sort(&j->users, &users);
  if (status == TRM_OK) status = trm_names_sort(&j->items, &items);
  if (status == TRM_OK) {
    renumber(&j->train_pairs, users, items);
    renumber(&j->test_pairs, users, items);
  }
  TRM_FREE(users);
  TRM_FREE(items);
  return status;
}

/* Users and items by their names, which are kept unless they are what numbers would be. */
static trm_status take_names(job *j) {
  TRM_TRY(number_pairs(j));
  TRM_TRY(check_pairs(j));
  j->n_users = j->users.n;
  j->n_items = j->items.n;
  if (are_counted(&j->users) && are_counted(&j->items)) {
    trm_names_free(&j->users);
    trm_names_free(&j->items);
  } else {
    trm_note(j->options->reading.notes,
             "%s: ids are names; the table of names is kept in the data set", j->train_path);
  }
  return TRM_OK;
}

/* Sorted pairs: that users count from 0 without gaps. */
static trm_status check_users(const job *j) {
  const trm_pair_list *a = &j->train_pairs, *b = &j->test_pairs;
  int64_t next = 0; /* the first user that has not been seen */
  for (int64_t i = 0; i < a->n; ++i) {
    if (a->pairs[i].user > next) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: user %lld has no pair to train on, but user %d has; number users from 0 "
                      "without gaps%s, or take the ids as names (--ids names)",
                      j->train_path, (long long)next, (int)a->pairs[i].user,
                      next == 0 ? ", give --base 1 if they count from 1" : "");
    }
    if (a->pairs[i].user == next) ++next;
  }
  if (b->n == 0 || b->pairs[b->n - 1].user < next) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: user %d, but %s has the users 0 to %lld, and who is to be tested must be "
                  "trained; leave it out, or take the ids as names (--ids names)",
                  j->test_path, (int)b->pairs[b->n - 1].user, j->train_path, (long long)next - 1);
}

/* Users and items as they are numbered. */
static trm_status take_numbers(job *j) {
  const trm_pair_list *const both[] = {&j->train_pairs, &j->test_pairs};
  int64_t highest = -1;
  TRM_TRY(check_users(j));
  TRM_TRY(check_pairs(j));
  for (int l = 0; l < 2; ++l) {
    for (int64_t i = 0; i < both[l]->n; ++i) {
      if (both[l]->pairs[i].item > highest) highest = both[l]->pairs[i].item;
    }
  }
  j->n_users = (int64_t)j->train_pairs.pairs[j->train_pairs.n - 1].user + 1;
  j->n_items = highest + 1;
  return check_items(j->train_path, highest, j->n_users, j->train_pairs.n + j->test_pairs.n);
}

static trm_status take_pairs(job *j, bool pairs, trm_scan_progress *progress,
                             trm_graph_counts *counts) {
  TRM_TRY(read_pairs(j, pairs, progress, counts));
  TRM_TRY(trm_pairs_numbered(&j->options->reading) ? take_numbers(j) : take_names(j));
  const int64_t below = j->train_pairs.n_below + j->test_pairs.n_below;
  if (below > 0) {
    trm_note(j->options->reading.notes, "%s: passed over: %lld pair%s whose rating is below %g",
             j->train_path, (long long)below, trm_plural(below), j->options->threshold);
  }
  TRM_TRY(trm_pairs_rows(&j->train_pairs, j->n_users, &j->train_offsets, &j->train_items));
  return trm_pairs_rows(&j->test_pairs, j->n_users, &j->test_offsets, &j->test_items);
}

/* ---- all -------------------------------------------------------------------------------------- */

static trm_status check_request(const trm_prepare_interactions_options *o) {
  if (!o->train) {
    return trm_fail(TRM_ERR_USAGE, "prepare interactions: give the lists to train on and to test");
  }
  if (o->format && strcmp(o->format, "lists") != 0 && strcmp(o->format, "pairs") != 0) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare interactions: --format is '%s', expected lists or pairs", o->format);
  }
  if (o->split && strcmp(o->split, "random") != 0 && strcmp(o->split, "time") != 0) {
    return trm_fail(TRM_ERR_USAGE, "prepare interactions: --split is '%s', expected random or time",
                    o->split);
  }
  if (o->test && o->split) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare interactions: --split deals what is to be found, but '%s' tells it",
                    o->test);
  }
  return trm_reading_check(&o->reading);
}

static trm_status take(job *j, trm_scan_progress *progress, trm_graph_counts *counts) {
  const trm_prepare_interactions_options *o = j->options;
  bool pairs = false, words = false;
  const bool told = o->format || o->reading.columns || o->has_threshold || o->reading.header;
  TRM_TRY(trm_pairs_guess(o->train, &o->reading, told, &pairs, &words));
  if (o->format) pairs = strcmp(o->format, "pairs") == 0;
  if (o->reading.columns || o->has_threshold || o->reading.header) pairs = !o->format || pairs;
  const bool names = o->reading.ids ? strcmp(o->reading.ids, "names") == 0 : words;
  if (pairs || names || !o->test) return take_pairs(j, pairs, progress, counts);
  return take_lists(j, progress, counts);
}

trm_status trm_prepare_interactions(const trm_prepare_interactions_options *options,
                                    trm_graph_counts *counts) {
  const trm_prepare_interactions_options *o = options;
  job j = {.options = o, .train_path = o->train, .test_path = o->test ? o->test : o->train};
  trm_inputs inputs = {0};
  trm_scan_progress progress = {.show = o->progress, .context = o->context};
  trm_status status = TRM_OK;
  *counts = (trm_graph_counts){0};
  TRM_TRY(check_request(o));
  TRM_TRY_OUT(trm_inputs_add(&inputs, o->train));
  TRM_TRY_OUT(trm_inputs_add(&inputs, o->test));
  TRM_TRY_OUT(trm_inputs_check(&inputs, o->output, &progress));
  TRM_TRY_OUT(take(&j, &progress, counts));
  TRM_TRY_OUT(write(&j, o->output, inputs.source, counts));
out:
  free_lists(&j.train);
  free_lists(&j.test);
  trm_pair_list_free(&j.train_pairs);
  trm_pair_list_free(&j.test_pairs);
  trm_names_free(&j.users);
  trm_names_free(&j.items);
  TRM_FREE(j.train_offsets);
  TRM_FREE(j.test_offsets);
  TRM_FREE(j.train_place);
  TRM_FREE(j.test_place);
  TRM_FREE(j.train_items);
  TRM_FREE(j.test_items);
  trm_inputs_free(&inputs);
  return status;
}
