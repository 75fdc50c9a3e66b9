/**
 * What tables say of one graph: edges, features, labels, splits.
 *
 * Ids are numbers, or names: as asked; else names when most of the first lines have words, or when numbers
 * are too far apart to count nodes. Names are numbered in their order once all tables that may add some
 * are read.
 */
#include <string.h>

#include "graph_job_internal.h"
#include "node_deal.h"
#include "trireme/core/memory.h"

enum { MANY_IDS = 1000 }; /* of fewer no gaps are looked for */

const char *trm_graph_job_label(const trm_graph_job *job) {
  const trm_prepare_graph_options *o = job->options;
  const char *const tables[] = {o->edges, o->features, o->features_dense, o->labels};
  for (int i = 0; i < 4; ++i) {
    if (tables[i]) return tables[i];
  }
  return "nodes";
}

/* ---- edges and features ----------------------------------------------------------------------- */

trm_status trm_read_one_count(const char *path, int64_t *n) {
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_scan_open(&scan, path, "a number of nodes", NULL));
  TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
  if (!more) TRM_TRY_OUT(trm_fail(TRM_ERR_DATA, "%s: has no number of nodes", path));
  TRM_TRY_OUT(trm_scan_count(&scan, "number of nodes", INT32_MAX, "at most 2147483646", n));
  TRM_TRY_OUT(trm_scan_end(&scan));
out:
  return trm_scan_close(&scan, status);
}

static void set_nodes(trm_graph_job *j, int64_t n, const char *path, const char *says) {
  j->n_nodes = n;
  trm_id_limit_set(&j->nodes, n, "there are %lld nodes, 0 to %lld (%s%s)", (long long)n,
                   (long long)n - 1, path, says);
}

/* Rows of dense features say how many nodes there are, and so does the caller. */
static trm_status read_dense(trm_graph_job *j) {
  const trm_prepare_graph_options *o = j->options;
  if (o->n_nodes > 0) set_nodes(j, o->n_nodes, "--nodes", "");
  if (!o->features_dense || j->map.on) return TRM_OK;
  const trm_row_table table = {.path = o->features_dense,
                               .reading = &o->reading,
                               .header = o->feature_header,
                               .index = o->index};
  int64_t n_rows;
  TRM_TRY(trm_text_rows(&table, &j->progress, &j->dense, NULL, &n_rows, &j->n_columns));
  if (n_rows > INT32_MAX || (o->n_nodes > 0 && o->n_nodes != n_rows)) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: has %lld rows, expected one for each of the nodes (--nodes "
                    "%lld)",
                    o->features_dense, (long long)n_rows, (long long)o->n_nodes);
  }
  set_nodes(j, n_rows, o->features_dense, " has so many rows; ids that count from 1: --base 1");
  return TRM_OK;
}

static trm_edge_table edges_of(const trm_graph_job *j) {
  return (trm_edge_table){.path = j->options->edges, .reading = &j->options->reading};
}

/* What the edges' own head says: the size of a matrix, and two sorts of nodes that are none here. */
static trm_status take_head(trm_graph_job *j) {
  const trm_prepare_graph_options *o = j->options;
  const trm_edge_facts *f = &j->facts;
  if (f->head.bipartite) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: is bipartite (%s), its two sorts of ids overlap; trireme prepare "
                    "interactions takes users and items",
                    o->edges, f->head.words);
  }
  if (f->size[0] < 0) return TRM_OK;
  if (f->size[0] != f->size[1] || f->size[0] < 1 || f->size[0] > INT32_MAX) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: a matrix of %lld x %lld; that of a graph has as many rows as columns",
                    o->edges, (long long)f->size[0], (long long)f->size[1]);
  }
  if (o->n_nodes == 0) set_nodes(j, f->size[0], o->edges, ", its size line");
  return TRM_OK;
}

static trm_status read_edges(trm_graph_job *j) {
  const trm_edge_table table = edges_of(j);
  TRM_TRY(read_dense(j));
  if (j->n_nodes == 0) trm_id_limit_set(&j->nodes, INT32_MAX, "node ids are below 2147483647");
  TRM_TRY(take_head(j));
  return trm_text_edges(&table, &j->nodes, NULL, &j->progress, &j->edges, &j->facts);
}

/* How many of the ids below the highest the edges have. */
static trm_status count_used(const trm_graph_job *j, int64_t *n) {
  uint8_t *used = NULL;
  TRM_TRY(TRM_ALLOC(&used, j->facts.highest.id + 1, "nodes"));
  for (int64_t i = 0; i < j->edges.n; ++i)
    used[j->edges.sources[i]] = used[j->edges.targets[i]] = 1;
  *n = 0;
  for (int64_t i = 0; i <= j->facts.highest.id; ++i) *n += used[i];
  TRM_FREE(used);
  return TRM_OK;
}

/* Whether numbers that were read as ids must be names: they are too far apart to count nodes. */
static trm_status is_sparse(trm_graph_job *j, trm_status status, bool *sparse) {
  const trm_prepare_graph_options *o = j->options;
  const int64_t n = j->facts.highest.id + 1;
  int64_t used;
  *sparse = false;
  if (o->reading.ids || o->n_nodes > 0 || o->features_dense || j->n_nodes > 0 || j->map.on)
    return status;
  if (status != TRM_OK) {
    *sparse = j->map.too_high;
    return *sparse ? TRM_OK : status;
  }
  *sparse = !trm_graph_plausible(n, j->edges.n);
  if (*sparse || o->labels || o->features || n < MANY_IDS) return TRM_OK;
  TRM_TRY(count_used(j, &used));
  *sparse = 2 * used < n;
  return TRM_OK;
}

static trm_status use_names(trm_graph_job *j) {
  trm_edge_list_free(&j->edges);
  j->edges = (trm_edge_list){0};
  j->map.on = true;
  j->map.adds = true;
  return read_edges(j);
}

/* Nodes alone: ids are names where that is asked for. */
static trm_status read_no_edges(trm_graph_job *j) {
  const trm_reading *r = &j->options->reading;
  j->facts = (trm_edge_facts){.highest = {.id = -1},
                              .lowest = INT64_MAX,
                              .size = {-1, -1, -1},
                              .base = r->base ? r->base[0] - '0' : 0,
                              .base_given = r->base != NULL};
  j->nodes.map = &j->map;
  j->map.on = j->map.adds = r->ids && strcmp(r->ids, "names") == 0;
  TRM_TRY(read_dense(j));
  if (j->n_nodes == 0) trm_id_limit_set(&j->nodes, INT32_MAX, "node ids are below 2147483647");
  return TRM_OK;
}

static trm_status read_ids(trm_graph_job *j) {
  if (j->options->no_edges) return read_no_edges(j);
  const char *asked = j->options->reading.ids;
  const trm_edge_table table = edges_of(j);
  bool sparse = false;
  TRM_TRY(trm_text_edges_look(&table, &j->facts));
  j->nodes.map = &j->map;
  const bool names = asked ? strcmp(asked, "names") == 0
                           : j->facts.words && j->facts.head.preamble != TRM_PREAMBLE_MATRIX_MARKET;
  if (names) return use_names(j);
  TRM_TRY(is_sparse(j, read_edges(j), &sparse));
  if (!sparse) return TRM_OK;
  trm_note(j->options->reading.notes,
           "%s: note: ids are far apart, so they are taken as names of nodes (--ids numbers takes "
           "them as they are)",
           j->options->edges);
  return use_names(j);
}

/* A head says what the edges count from, and nothing of the other tables. */
static trm_status ask_base(const trm_graph_job *j) {
  const trm_prepare_graph_options *o = j->options;
  const char *other = o->features       ? o->features
                      : o->labels       ? o->labels
                      : o->train        ? o->train
                      : o->n_splits > 0 ? o->splits[0]
                                        : NULL;
  if (!j->facts.base_given || !other || j->map.on || o->reading.base) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: counts nodes from 1, as its head says; whether '%s' does is told by "
                  "--base 1 or --base 0",
                  o->edges, other);
}

/* Rows that begin with a name. */
static trm_status read_named_dense(trm_graph_job *j) {
  const trm_prepare_graph_options *o = j->options;
  const trm_row_table table = {.path = o->features_dense,
                               .reading = &o->reading,
                               .header = o->feature_header,
                               .map = &j->map};
  if (!o->features_dense || !j->map.on) return TRM_OK;
  return trm_text_rows(&table, &j->progress, &j->dense, &j->dense_ids, &j->n_dense, &j->n_columns);
}

static trm_value_table labels_of(const trm_graph_job *j) {
  const trm_prepare_graph_options *o = j->options;
  return (trm_value_table){.path = o->labels,
                           .form = "node<TAB>class",
                           .id_name = "node",
                           .value_name = "class",
                           .value_limit = INT32_MAX,
                           .reading = &o->reading,
                           .lines = o->label_lines,
                           .columns = o->label_columns,
                           .columns_option = "--label-columns"};
}

/* ---- names ------------------------------------------------------------------------------------ */

static trm_status place_dense(trm_graph_job *j, const int32_t *place) {
  if (!j->dense_ids) return TRM_OK;
  const int64_t C = j->n_columns;
  float *dense = NULL;
  uint8_t *seen = NULL;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&dense, j->map.names.n * C, "dense features"));
  TRM_TRY_OUT(TRM_ALLOC(&seen, j->map.names.n, "dense features"));
  for (int64_t i = 0; i < j->n_dense; ++i) {
    const int32_t to = place[j->dense_ids[i]];
    char text[TRM_SHOWN_BYTES];
    if (seen[to]++) {
      TRM_TRY_OUT(trm_fail(TRM_ERR_DATA, "%s: node %s has two rows; leave one out",
                           j->options->features_dense, trm_node_shown(&j->nodes, to, text)));
    }
    memcpy(dense + to * C, j->dense + i * C, (size_t)C * sizeof *dense);
  }
  TRM_FREE(j->dense);
  j->dense = dense;
  dense = NULL;
out:
  TRM_FREE(dense);
  TRM_FREE(seen);
  return status;
}

/* All names are known: they are numbered in their order. */
static trm_status sort_names(trm_graph_job *j) {
  const trm_prepare_graph_options *o = j->options;
  int32_t *place = NULL;
  trm_status status = TRM_OK;
  if (!j->map.on) return TRM_OK;
  if (o->labels && !o->label_lines) {
    trm_value_table labels = labels_of(j);
    trm_reading quiet = o->reading;
    quiet.notes = NULL;
    labels.reading = &quiet;
    const trm_table_plan plan = trm_value_plan(&labels);
    TRM_TRY(trm_text_add_names(o->labels, &plan, &j->map, &j->progress));
  }
  TRM_TRY_OUT(trm_names_sort(&j->map.names, &place));
  for (int64_t i = 0; i < j->edges.n; ++i) {
    j->edges.sources[i] = place[j->edges.sources[i]];
    j->edges.targets[i] = place[j->edges.targets[i]];
  }
  for (int64_t i = 0; i < j->triples.n; ++i) j->triples.rows[i] = place[j->triples.rows[i]];
  if (j->triples.n > 0) TRM_TRY_OUT(trm_triples_sort(&j->triples, o->features));
  TRM_TRY_OUT(place_dense(j, place));
  j->map.adds = false;
  set_nodes(j, j->map.names.n, "the names in the tables", "");
  trm_note(o->reading.notes, "%s: ids are names; the table of names is kept in the data set",
           trm_graph_job_label(j));
out:
  TRM_FREE(place);
  return status;
}

static trm_status check_features(const trm_graph_job *j) {
  if (!j->options->features || trm_graph_plausible(j->triples.n_columns, j->triples.n)) {
    return TRM_OK;
  }
  return trm_fail(TRM_ERR_DATA,
                  "%s: a feature %lld, but only %lld values; number the features "
                  "from 0 without gaps",
                  j->options->features, (long long)j->triples.n_columns - 1,
                  (long long)j->triples.n);
}

/* Names, features and classes in one table; edges between them. */
static trm_status read_content(trm_graph_job *j) {
  const trm_prepare_graph_options *o = j->options;
  trm_edge_table table = edges_of(j);
  trm_names classes = {0};
  int32_t *of = NULL, *place = NULL, *placed = NULL;
  trm_status status = TRM_OK;
  j->map.on = j->map.adds = true;
  j->nodes.map = &j->map;
  table.pass_unknown = true;
  TRM_TRY_OUT(
      trm_text_content(o->content, &o->reading, &j->map, &j->progress, &j->triples, &classes, &of));
  const int64_t n = j->map.names.n;
  TRM_TRY_OUT(trm_names_sort(&j->map.names, &place));
  TRM_TRY_OUT(TRM_ALLOC(&placed, n, "labels"));
  for (int64_t i = 0; i < n; ++i) placed[place[i]] = of[i];
  for (int64_t i = 0; i < j->triples.n; ++i) j->triples.rows[i] = place[j->triples.rows[i]];
  TRM_TRY_OUT(trm_triples_sort(&j->triples, o->content));
  TRM_TRY_OUT(trm_text_labels_of(o->content, &o->reading, &classes, placed, n, &j->labels));
  j->map.adds = false;
  set_nodes(j, n, o->content, ", a line each");
  status = trm_text_edges(&table, &j->nodes, NULL, &j->progress, &j->edges, &j->facts);
out:
  trm_names_free(&classes);
  TRM_FREE(of);
  TRM_FREE(place);
  TRM_FREE(placed);
  return status;
}

trm_status trm_graph_read_structure(trm_graph_job *job) {
  trm_graph_job *j = job;
  const trm_prepare_graph_options *o = j->options;
  if (o->content) return read_content(j);
  TRM_TRY(read_ids(j));
  TRM_TRY(ask_base(j));
  TRM_TRY(read_named_dense(j));
  trm_highest highest = j->facts.highest;
  if (o->features) {
    TRM_TRY(
        trm_text_triples(o->features, &o->reading, &j->nodes, &j->progress, &j->triples, &highest));
  }
  TRM_TRY(check_features(j));
  TRM_TRY(sort_names(j));
  if (j->n_nodes > 0) return TRM_OK;
  if (!trm_graph_plausible(highest.id + 1, j->edges.n + j->triples.n)) {
    return trm_fail(TRM_ERR_DATA,
                    "%s:%lld: node %lld, but only %lld lines; number nodes from 0 "
                    "without gaps, or take the ids as names (--ids names)",
                    highest.path, (long long)highest.line, (long long)highest.id,
                    (long long)(j->edges.n + j->triples.n));
  }
  if (highest.id < 0) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare graph: no table says how many nodes there are; give --nodes N");
  }
  set_nodes(j, highest.id + 1,
            o->features ? "the highest in edges and features" : "the highest in the edges",
            "; --nodes says otherwise");
  return TRM_OK;
}

/* ---- labels and splits ------------------------------------------------------------------------ */

trm_status trm_graph_read_labels(trm_graph_job *job) {
  trm_graph_job *j = job;
  const trm_prepare_graph_options *o = j->options;
  if (o->content) return TRM_OK; /* has them */
  if (!o->labels) {
    if (!o->classes) return TRM_OK;
    return trm_fail(TRM_ERR_USAGE, "prepare graph: names of classes ('%s'), but no labels",
                    o->classes);
  }
  const trm_value_table table = labels_of(j);
  return trm_text_labels_read(&table, o->classes, &j->nodes, &j->progress, &j->labels);
}

/* Node 0 in no table, and node 1 in one: most likely all of them count from 1. */
trm_status trm_graph_check_base(const trm_graph_job *job) {
  const trm_graph_job *j = job;
  const trm_prepare_graph_options *o = j->options;
  if (j->map.on || o->reading.base) return TRM_OK;
  if (j->facts.base_given || j->facts.lowest != 1 || o->features_dense) return TRM_OK;
  if (j->triples.n > 0 && j->triples.rows[0] == 0) return TRM_OK;
  if (j->labels.labels && j->labels.labels[0] >= 0) return TRM_OK;
  int64_t used;
  TRM_TRY(count_used(j, &used));
  if (10 * used < 9 * j->facts.highest.id) return TRM_OK; /* many are missing, not 0 alone */
  return trm_fail(TRM_ERR_DATA,
                  "%s: nodes are 1 to %lld, and nothing is said of node 0; if ids count from 1 "
                  "give --base 1, and --base 0 if there is a node 0 without edges",
                  o->edges, (long long)j->facts.highest.id);
}

static trm_status read_lists(trm_graph_job *j) {
  const trm_prepare_graph_options *o = j->options;
  const char *const lists[TRM_N_SUBSETS] = {o->train, o->valid, o->test};
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    if (!lists[p]) continue;
    TRM_TRY(trm_text_subset(lists[p], &o->reading, (trm_subset)p, &j->nodes, j->labels.labels,
                            &j->progress, j->subsets[0]));
  }
  return TRM_OK;
}

trm_status trm_graph_read_splits(trm_graph_job *job) {
  trm_graph_job *j = job;
  const trm_prepare_graph_options *o = j->options;
  j->n_splits = o->train || trm_node_deal_is_asked(&o->deal) ? 1 : o->n_splits;
  if (j->n_splits == 0) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&j->subsets, j->n_splits, "splits"));
  for (int s = 0; s < j->n_splits; ++s) {
    TRM_TRY(TRM_ALLOC(&j->subsets[s], j->n_nodes, "splits"));
    if (trm_node_deal_is_asked(&o->deal)) return TRM_OK; /* of the nodes that are kept */
    if (o->train) return read_lists(j);
    TRM_TRY(trm_text_split(o->splits[s], &o->reading, &j->nodes, j->labels.labels, &j->progress,
                           j->subsets[s]));
  }
  return TRM_OK;
}
