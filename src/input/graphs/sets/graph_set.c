/** Kind `graphs`: a set of small graphs with classes, and folds of the graphs. */
#include "trireme/input/graph_set.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "graph_internal.h"
#include "kind_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"

static const char labels_name[] = "/graphs/labels";

static const trm_graph_array arrays[TRM_N_GRAPH_PLACES] = {
    TRM_GRAPH_ARRAYS,
    TRM_CLASS_ARRAYS(trm_graph_set, labels_name, n_graphs, "one a graph"),
    [TRM_GA_GRAPHS] = {.name = "/graphs/offsets",
                       .dtype = TRM_DTYPE_I64,
                       .length = TRM_LENGTH_ROWS,
                       .required = true,
                       .data = offsetof(trm_graph_set, graphs),
                       .count = offsetof(trm_graph_set, n_graphs),
                       .of = "graphs"},
    [TRM_GA_FOLDS] = {.name = "/graphs/folds",
                      .dtype = TRM_DTYPE_I32,
                      .length = TRM_LENGTH_EACH,
                      .data = offsetof(trm_graph_set, folds),
                      .count = offsetof(trm_graph_set, n_graphs),
                      .of = "one a graph"},
};

/* Lists of graphs. */
typedef struct fold_lists {
  trm_ids *folds; /* [n_folds] pieces of `order` */
  int32_t *order; /* [n_graphs] graphs by fold, rising in each */
  int32_t **rest; /* [2 n_folds] graphs outside a fold (and the next), made when asked for */
  int n_folds;
} fold_lists;

static trm_status layout(trm_graph_file *f) {
  TRM_TRY(trm_graph_layout_attributes(f));
  return trm_classes_layout(f, ((const trm_graph_set *)f->data)->n_graphs);
}

/* ---- checks ----------------------------------------------------------------------------------- */

/* The edges of a graph stay in its range of nodes; rows are rising, so their ends tell. */
static trm_status check_inside(const trm_graph_file *f, int64_t graph, int64_t begin, int64_t end) {
  const int64_t *offsets = trm_graph_data(f, TRM_GA_EDGE_OFFSETS);
  const int32_t *sources = trm_graph_data(f, TRM_GA_EDGE_SOURCES);
  for (int64_t r = begin; r < end; ++r) {
    if (offsets[r] == offsets[r + 1]) continue;
    const int32_t first = sources[offsets[r]], last = sources[offsets[r + 1] - 1];
    if (first >= begin && last < end) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: the edge from node %d to %" PRId64 " leaves graph %" PRId64
                    ", which has the nodes [%" PRId64 ", %" PRId64 ")",
                    f->path, (int)(first < begin ? first : last), r, graph, begin, end);
  }
  return TRM_OK;
}

/* The nodes of a graph are a range. */
static trm_status check_graphs(const trm_graph_file *f) {
  const int64_t *graphs = trm_graph_data(f, TRM_GA_GRAPHS),
                n = ((const trm_graph_set *)f->data)->n_graphs;
  for (int64_t i = 0; i < n; ++i) {
    const bool joined = i > 0 || graphs[0] == 0;
    const bool complete = i + 1 < n || graphs[n] == f->graph->n_nodes;
    if (joined && complete && graphs[i] < graphs[i + 1]) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: '/graphs/offsets' gives graph %" PRId64 " the nodes [%" PRId64 ", %" PRId64
                    "); graphs have a node at least, one after another, %" PRId64 " in all",
                    f->path, i, graphs[i], graphs[i + 1], f->graph->n_nodes);
  }
  for (int64_t i = 0; i < n; ++i) TRM_TRY(check_inside(f, i, graphs[i], graphs[i + 1]));
  return TRM_OK;
}

static trm_status check_folds(const trm_graph_file *f, int64_t *n_folds) {
  *n_folds = 0;
  if (f->slots[TRM_GA_FOLDS].n < 0) return TRM_OK;
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_FOLDS));
  TRM_TRY(trm_graph_check_ids(f, TRM_GA_FOLDS, 0, ((const trm_graph_set *)f->data)->n_graphs));
  const int32_t *folds = trm_graph_data(f, TRM_GA_FOLDS),
                *labels = trm_graph_data(f, TRM_GA_LABELS);
  for (int64_t i = 0; i < ((const trm_graph_set *)f->data)->n_graphs; ++i) {
    if (labels && labels[i] < 0) {
      return trm_fail(TRM_ERR_DATA, "%s: graph %" PRId64 " is in a fold, but has no label", f->path,
                      i);
    }
    *n_folds = folds[i] >= *n_folds ? folds[i] + 1 : *n_folds;
  }
  uint8_t *seen = NULL;
  TRM_TRY(TRM_ALLOC(&seen, *n_folds, "check of folds"));
  for (int64_t i = 0; i < ((const trm_graph_set *)f->data)->n_graphs; ++i) seen[folds[i]] = 1;
  const uint8_t *empty = memchr(seen, 0, (size_t)*n_folds);
  const int64_t gap = empty ? empty - seen : -1;
  TRM_FREE(seen);
  if (gap < 0 && *n_folds > 1) return TRM_OK;
  if (gap < 0) {
    return trm_fail(TRM_ERR_DATA, "%s: '/graphs/folds' has one fold; two at least are needed",
                    f->path);
  }
  return trm_fail(TRM_ERR_DATA,
                  "%s: '/graphs/folds' has no graph in fold %" PRId64 " of %" PRId64
                  "; number the folds without gaps",
                  f->path, gap, *n_folds);
}

static trm_status check(const trm_graph_file *f, trm_graph_facts *facts) {
  TRM_TRY(trm_graph_check_edges(f));
  TRM_TRY(trm_graph_check_features(f));
  TRM_TRY(trm_classes_check(f, &facts->n_classes));
  TRM_TRY(trm_graph_check_texts(f, TRM_GA_NAME_OFFSETS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_GRAPHS));
  TRM_TRY(check_graphs(f));
  return check_folds(f, &facts->own);
}

/* ---- folds ------------------------------------------------------------------------------------ */

static trm_status make_lists(const trm_graph_set *set, fold_lists *l) {
  l->n_folds = set->n_folds;
  TRM_TRY(TRM_ALLOC(&l->folds, set->n_folds, "folds"));
  TRM_TRY(TRM_ALLOC(&l->order, set->n_graphs, "folds"));
  TRM_TRY(TRM_ALLOC(&l->rest, 2 * (int64_t)set->n_folds, "folds"));
  for (int64_t i = 0; i < set->n_graphs; ++i) ++l->folds[set->folds[i]].n;
  int32_t *next = l->order;
  for (int k = 0; k < set->n_folds; ++k) {
    l->folds[k].ids = next;
    next += l->folds[k].n;
    l->folds[k].n = 0;
  }
  for (int64_t i = 0; i < set->n_graphs; ++i) {
    trm_ids *fold = &l->folds[set->folds[i]];
    l->order[fold->ids - l->order + fold->n++] = (int32_t)i;
  }
  return TRM_OK;
}

static trm_status bind(trm_graph_file *f, const trm_graph_facts *facts) {
  trm_graph_set *set = f->data;
  fold_lists *lists = NULL;
  set->classes.n = (int)facts->n_classes;
  set->n_folds = (int)facts->own;
  if (!set->folds) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&lists, 1, "folds"));
  f->self = lists;
  return make_lists(set, lists);
}

static void release(trm_graph_file *f) {
  fold_lists *l = f->self;
  for (int i = 0; l->rest && i < 2 * l->n_folds; ++i) TRM_FREE(l->rest[i]);
  TRM_FREE(l->folds);
  TRM_FREE(l->order);
  TRM_FREE(l->rest);
}

/* Graphs outside fold k and, with hold_out, outside the next one: made the first time. */
static trm_status outside(const trm_graph_set *set, fold_lists *l, int k, bool hold_out,
                          trm_ids *ids) {
  const int next = (k + 1) % set->n_folds;
  int32_t **list = &l->rest[2 * k + hold_out];
  ids->n = set->n_graphs - l->folds[k].n - (hold_out ? l->folds[next].n : 0);
  if (!*list) {
    TRM_TRY(TRM_ALLOC(list, ids->n, "graphs to train on"));
    int64_t n = 0;
    for (int64_t i = 0; i < set->n_graphs; ++i) {
      if (set->folds[i] == k || (hold_out && set->folds[i] == next)) continue;
      (*list)[n++] = (int32_t)i;
    }
  }
  ids->ids = *list;
  return TRM_OK;
}

trm_status trm_graph_set_split(const trm_graph_set *set, int split, trm_subset subset,
                               bool hold_out, trm_ids *ids) {
  const int n = set->n_folds;
  *ids = (trm_ids){0};
  TRM_TRY(trm_graph_check_split(&set->graph, split, n));
  if (hold_out && n < 3) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%s: %d folds: with one to test and one to validate none is "
                    "left to train; set data.hold_out to false",
                    set->graph.path, n);
  }
  /* Only lists that are made on demand change, and no reader has seen those. */
  fold_lists *l = set->graph.file->self;
  if (subset == TRM_SUBSET_TRAIN) return outside(set, l, split, hold_out, ids);
  *ids = l->folds[subset == TRM_SUBSET_VALID && hold_out ? (split + 1) % n : split];
  return TRM_OK;
}

/* ---- description, writing --------------------------------------------------------------------- */

static trm_status describe(const trm_graph_file *f, FILE *file) {
  const trm_graph_set *set = f->data;
  const fold_lists *l = f->self;
  trm_describe_row(file, "graphs", "%14s", trm_count_text_of(set->n_graphs).text);
  TRM_TRY(trm_describe_lengths(file, "sizes", set->graphs, set->n_graphs, "nodes a graph"));
  TRM_TRY(trm_describe_graph(f, file));
  TRM_TRY(trm_classes_describe(&set->classes, set->n_graphs, file));
  trm_describe_row(file, "folds", "%14d", set->n_folds);
  for (int k = 0; k < set->n_folds && k < TRM_MOST_SPLITS_SHOWN; ++k) {
    char label[32];
    (void)snprintf(label, sizeof label, "  %d", k);
    trm_describe_row(file, label, "%14s  graph%s", trm_count_text_of(l->folds[k].n).text,
                     trm_plural(l->folds[k].n));
  }
  if (set->n_folds > TRM_MOST_SPLITS_SHOWN) trm_describe_row(file, "  ...", "%s", "");
  return TRM_OK;
}

static trm_status write(trm_container *file, const void *data, const trm_graph_counts *counts) {
  const trm_graph_set *set = data;
  TRM_TRY(trm_graph_write_attributes(file, &set->graph, counts));
  return trm_classes_write(file, labels_name, &set->classes);
}

static const trm_graph_kind kind = {.data_kind = &trm_data_kind_sets,
                                    .bytes = sizeof(trm_graph_set),
                                    .arrays = arrays,
                                    .layout = layout,
                                    .check = check,
                                    .bind = bind,
                                    .describe = describe,
                                    .write = write,
                                    .release = release};

/* ---- public ----------------------------------------------------------------------------------- */

trm_status trm_graph_set_open(const char *path, const trm_graph_memory *memory, bool features,
                              trm_graph_set **out) {
  void *data = NULL;
  const trm_status status = trm_graph_open_kind(&kind, path, memory, features, &data);
  *out = data;
  return status;
}

void trm_graph_set_close(trm_graph_set **set) {
  trm_graph *graph = *set ? &(*set)->graph : NULL;
  trm_graph_close(&graph);
  *set = NULL;
}

const trm_graph_set *trm_graph_set_of(const trm_graph *graph) {
  return trm_graph_data_of(graph, &kind);
}

trm_status trm_graph_set_write(const char *path, const trm_graph_set *set,
                               const trm_graph_counts *counts) {
  return trm_graph_write_kind(&kind, path, set, counts, NULL);
}

static trm_status count_splits(const char *path, int *n) {
  trm_graph_set *set = NULL;
  *n = 0;
  TRM_TRY(trm_graph_set_open(path, NULL, false, &set));
  *n = set->n_folds;
  trm_graph_set_close(&set);
  return TRM_OK;
}

const trm_data_kind trm_data_kind_sets = {.name = "graphs",
                                          .splits = "folds",
                                          .describe = trm_graph_describe_path,
                                          .count_splits = count_splits,
                                          .graph = &kind};
