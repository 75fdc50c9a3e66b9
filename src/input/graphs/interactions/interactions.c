/** Kind `interactions`: users, items, and lists of items to train on and to be found. */
#include "trireme/input/interactions.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "graph_internal.h"
#include "kind_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"

static const trm_graph_array arrays[TRM_N_GRAPH_PLACES] = {
    [TRM_GA_NAME_OFFSETS] = {.name = "/nodes/names/offsets",
                             .dtype = TRM_DTYPE_I64,
                             .length = TRM_LENGTH_TEXTS,
                             .required = true,
                             .with = "/nodes/names",
                             .data = offsetof(trm_interactions, graph.names.offsets),
                             .count = offsetof(trm_interactions, graph.names.n)},
    [TRM_GA_NAME_BYTES] = {.name = "/nodes/names/bytes",
                           .dtype = TRM_DTYPE_U8,
                           .length = TRM_LENGTH_TEXT_BYTES,
                           .required = true,
                           .with = "/nodes/names",
                           .data = offsetof(trm_interactions, graph.names.bytes)},
    TRM_LISTS_ARRAYS(TRM_GA_TRAIN_OFFSETS, "/train", "items", TRM_LENGTH_ROWS, trm_interactions,
                     train.offsets, train.columns, train.n_edges, n_users, "users"),
    TRM_LISTS_ARRAYS(TRM_GA_TEST_OFFSETS, "/test", "items", TRM_LENGTH_OFFSETS, trm_interactions,
                     test.offsets, test.columns, test.n_edges, n_users, "one more than the users"),
};

static trm_status layout(trm_graph_file *f) {
  trm_interactions *d = f->data;
  TRM_TRY(trm_graph_attr_required(f, "/", "n_items", "a data set of kind interactions"));
  TRM_TRY(trm_graph_attr_expect(f, "/", "n_items", 1, INT32_MAX - d->n_users, &d->n_items));
  TRM_TRY(trm_graph_attr_maybe(f, "/train", "duplicates", &f->duplicates));
  const int64_t n = d->train.n_edges + d->test.n_edges;
  d->graph.n_nodes = d->n_users + d->n_items;
  d->graph.symmetric = true;
  d->train.n_rows = d->test.n_rows = d->n_users;
  d->train.n_columns = d->test.n_columns = d->n_items;
  if (d->graph.names.n > 0 && d->graph.names.n != d->graph.n_nodes) {
    return trm_fail(TRM_ERR_DATA, "%s: %lld names, expected one for each of %lld users and items",
                    f->path, (long long)d->graph.names.n, (long long)d->graph.n_nodes);
  }
  if (trm_graph_plausible(d->n_items, n)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: %lld items, but only %lld interactions; number the items "
                  "without gaps",
                  f->path, (long long)d->n_items, (long long)n);
}

/* ---- checks ----------------------------------------------------------------------------------- */

/* Users have something to learn from, and nothing of it is asked in the test. */
static trm_status check_users(const trm_graph_file *f) {
  const trm_interactions *d = f->data;
  const int64_t *train = trm_graph_data(f, TRM_GA_TRAIN_OFFSETS);
  const int64_t *test = trm_graph_data(f, TRM_GA_TEST_OFFSETS);
  const int32_t *train_items = trm_graph_data(f, TRM_GA_TRAIN_ITEMS);
  const int32_t *test_items = trm_graph_data(f, TRM_GA_TEST_ITEMS);
  for (int64_t u = 0; u < d->n_users; ++u) {
    int64_t a = train[u], b = test[u];
    if (a == train[u + 1]) {
      return trm_fail(TRM_ERR_DATA, "%s: user %" PRId64 " has no items in '/train'", f->path, u);
    }
    while (a < train[u + 1] && b < test[u + 1]) {
      if (train_items[a] == test_items[b]) {
        return trm_fail(TRM_ERR_DATA,
                        "%s: item %d of user %" PRId64 " is in '/train' and in '/test'", f->path,
                        (int)test_items[b], u);
      }
      if (train_items[a] < test_items[b]) {
        ++a;
      } else {
        ++b;
      }
    }
  }
  return TRM_OK;
}

static trm_status check(const trm_graph_file *f, trm_graph_facts *facts) {
  const trm_interactions *d = f->data;
  facts->n_items = d->n_items;
  TRM_TRY(trm_graph_check_texts(f, TRM_GA_NAME_OFFSETS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_TRAIN_OFFSETS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_TRAIN_ITEMS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_TEST_OFFSETS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_TEST_ITEMS));
  TRM_TRY(trm_graph_check_rows(f, TRM_GA_TRAIN_OFFSETS, TRM_GA_TRAIN_ITEMS, d->n_items, "user"));
  TRM_TRY(trm_graph_check_rows(f, TRM_GA_TEST_OFFSETS, TRM_GA_TEST_ITEMS, d->n_items, "user"));
  return check_users(f);
}

static trm_status bind(trm_graph_file *f, const trm_graph_facts *facts) {
  (void)f, (void)facts; /* the list and the layout have told everything */
  return TRM_OK;
}

/* ---- the graph -------------------------------------------------------------------------------- */

static int64_t count_edges(const void *data) {
  return 2 * ((const trm_interactions *)data)->train.n_edges;
}

static void make_edges(const void *data, int64_t *offsets, int32_t *columns) {
  trm_graph_join_sides(&((const trm_interactions *)data)->train, offsets, columns);
}

/* ---- description, writing --------------------------------------------------------------------- */

static trm_status describe(const trm_graph_file *f, FILE *file) {
  const trm_interactions *d = f->data;
  const trm_csr *in = &d->graph.in;
  const double pairs = (double)d->n_users * (double)d->n_items;
  int64_t unseen = 0;
  for (int64_t i = d->n_users; i < d->graph.n_nodes; ++i) {
    unseen += in->offsets[i] == in->offsets[i + 1];
  }
  trm_describe_row(file, "users", "%14s", trm_count_text_of(d->n_users).text);
  trm_describe_row(file, "items", "%14s  %s of them in no training list",
                   trm_count_text_of(d->n_items).text, trm_count_text_of(unseen).text);
  trm_describe_row(file, "train", "%14s  interactions, %.3f %% of all pairs%s",
                   trm_count_text_of(d->train.n_edges).text,
                   100.0 * (double)d->train.n_edges / pairs,
                   f->duplicates > 0 ? ", repeated ones left out" : "");
  trm_describe_row(file, "test", "%14s  interaction%s", trm_count_text_of(d->test.n_edges).text,
                   trm_plural(d->test.n_edges));
  TRM_TRY(trm_describe_lengths(file, "per user", d->train.offsets, d->n_users, "items a user"));
  TRM_TRY(trm_describe_lengths(file, "  to find", d->test.offsets, d->n_users, "items a user"));
  return trm_describe_lengths(file, "per item", in->offsets + d->n_users, d->n_items,
                              "users an item");
}

static trm_status write(trm_container *file, const void *data, const trm_graph_counts *counts) {
  TRM_TRY(trm_attr_write_int(file, "/", "n_items", ((const trm_interactions *)data)->n_items));
  return trm_attr_write_int(file, "/train", "duplicates", counts->duplicates);
}

static const trm_graph_kind kind = {.data_kind = &trm_data_kind_interactions,
                                    .bytes = sizeof(trm_interactions),
                                    .arrays = arrays,
                                    .layout = layout,
                                    .check = check,
                                    .bind = bind,
                                    .count_edges = count_edges,
                                    .make_edges = make_edges,
                                    .describe = describe,
                                    .write = write};

/* ---- public ----------------------------------------------------------------------------------- */

trm_status trm_interactions_open(const char *path, const trm_graph_memory *memory,
                                 trm_interactions **out) {
  void *data = NULL;
  const trm_status status = trm_graph_open_kind(&kind, path, memory, true, &data);
  *out = data;
  return status;
}

void trm_interactions_close(trm_interactions **data) {
  trm_graph *graph = *data ? &(*data)->graph : NULL;
  trm_graph_close(&graph);
  *data = NULL;
}

const trm_interactions *trm_interactions_of(const trm_graph *graph) {
  return trm_graph_data_of(graph, &kind);
}

trm_status trm_interactions_write(const char *path, const trm_interactions *data,
                                  const trm_graph_counts *counts) {
  return trm_graph_write_kind(&kind, path, data, counts, NULL);
}

const trm_data_kind trm_data_kind_interactions = {
    .name = "interactions", .describe = trm_graph_describe_path, .graph = &kind};
