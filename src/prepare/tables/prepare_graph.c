/**
 * `trireme prepare graph`: tables of text become a data set of kind "graph".
 *
 *     dense features, edges, sparse features   how many nodes there are
 *     labels, classes, splits                  about nodes that are there
 *     keep                                     nodes renumbered, all tables restricted
 *     edges to rows, written                   edges.c, graph_write.c
 *
 * Every file is read once, as a stream. In memory: 8 bytes an edge as it is listed and 4 as it is
 * stored, 12 bytes a sparse feature, 4 a dense one.
 */
#include <stdio.h>
#include <string.h>

#include "edges.h"
#include "graph_text_internal.h"
#include "prepare_internal.h"
#include "trireme/core/memory.h"
#include "trireme/input/node_data.h"
#include "trireme/prepare/graphs.h"

typedef struct job {
  const trm_prepare_graph_options *options;
  trm_scan_progress progress;
  trm_id_limit nodes;
  int64_t n_nodes; /* in the tables; before some are kept */
  trm_edge_list edges;
  trm_triples triples;
  float *dense;
  int64_t n_columns; /* of dense */
  trm_text_labels labels;
  int n_splits;
  uint8_t **subsets; /* [n_splits][n_nodes]: 0, or subset + 1 */
  int32_t *new_ids;
  int64_t n_kept;
  /* what is written */
  int64_t *offsets, *feature_offsets;
  int32_t *sources, **ids; /* [n_splits][n_kept] */
  float *weights;
  trm_ids *splits;
} job;

/* ---- before anything is read ------------------------------------------------------------------ */

static trm_status check_request(const trm_prepare_graph_options *o) {
  if (!o->edges) return trm_fail(TRM_ERR_USAGE, "prepare graph: give the edges");
  if (o->features && o->features_dense) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare graph: features are sparse ('%s') or dense ('%s'), give "
                    "one of them",
                    o->features, o->features_dense);
  }
  if (o->n_splits > 0 && o->train) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare graph: splits come from files of splits ('%s') or from "
                    "lists of nodes ('%s'), give one of them",
                    o->splits[0], o->train);
  }
  if (!o->train && (o->valid || o->test)) {
    return trm_fail(TRM_ERR_USAGE, "prepare graph: '%s' is given, but no list of nodes to train on",
                    o->valid ? o->valid : o->test);
  }
  if (o->n_nodes < 0 || o->n_nodes > INT32_MAX) {
    return trm_fail(TRM_ERR_USAGE, "prepare graph: %lld nodes, expected at most %d",
                    (long long)o->n_nodes, INT32_MAX);
  }
  return TRM_OK;
}

static trm_status check_files(job *j, trm_inputs *inputs) {
  const trm_prepare_graph_options *o = j->options;
  const char *const files[] = {o->edges, o->features, o->features_dense, o->labels,   o->classes,
                               o->train, o->valid,    o->test,           o->keep_file};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
    TRM_TRY(trm_inputs_add(inputs, files[i]));
  }
  for (int i = 0; i < o->n_splits; ++i) TRM_TRY(trm_inputs_add(inputs, o->splits[i]));
  return trm_inputs_check(inputs, o->output, &j->progress);
}

/* ---- reading ---------------------------------------------------------------------------------- */

static void set_nodes(job *j, int64_t n, const char *path, const char *says) {
  j->n_nodes = n;
  trm_id_limit_set(&j->nodes, n, "there are %lld nodes, 0 to %lld (%s%s)", (long long)n,
                   (long long)n - 1, path, says);
}

/* Rows of dense features say how many nodes there are, and so does the caller. */
static trm_status read_dense(job *j) {
  const trm_prepare_graph_options *o = j->options;
  trm_id_limit_set(&j->nodes, INT32_MAX, "node ids are below 2147483647");
  if (o->n_nodes > 0) set_nodes(j, o->n_nodes, "--nodes", "");
  if (!o->features_dense) return TRM_OK;
  int64_t n_rows;
  TRM_TRY(trm_text_rows(o->features_dense, &j->progress, &j->dense, &n_rows, &j->n_columns));
  if (n_rows > INT32_MAX || (o->n_nodes > 0 && o->n_nodes != n_rows)) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: has %lld rows, expected one for each of the nodes (--nodes "
                    "%lld)",
                    o->features_dense, (long long)n_rows, (long long)o->n_nodes);
  }
  set_nodes(j, n_rows, o->features_dense, " has so many rows");
  return TRM_OK;
}

static trm_status read_structure(job *j) {
  const trm_prepare_graph_options *o = j->options;
  trm_highest highest = {.id = -1};
  TRM_TRY(read_dense(j));
  TRM_TRY(trm_text_edges(o->edges, &j->nodes, NULL, &j->progress, &j->edges, &highest));
  if (o->features) {
    TRM_TRY(trm_text_triples(o->features, &j->nodes, &j->progress, &j->triples, &highest));
    if (!trm_graph_plausible(j->triples.n_columns, j->triples.n)) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: a feature %lld, but only %lld values; number the features "
                      "from 0 without gaps",
                      o->features, (long long)j->triples.n_columns - 1, (long long)j->triples.n);
    }
  }
  if (j->n_nodes > 0) return TRM_OK;
  if (!trm_graph_plausible(highest.id + 1, j->edges.n + j->triples.n)) {
    return trm_fail(TRM_ERR_DATA,
                    "%s:%lld: node %lld, but only %lld lines; number nodes from 0 "
                    "without gaps, or give their number (--nodes)",
                    highest.path, (long long)highest.line, (long long)highest.id,
                    (long long)(j->edges.n + j->triples.n));
  }
  set_nodes(j, highest.id + 1,
            o->features ? "the highest in edges and features" : "the highest in the edges",
            "; --nodes says otherwise");
  return TRM_OK;
}

static trm_status read_labels(job *j) {
  const trm_prepare_graph_options *o = j->options;
  if (!o->labels) {
    if (!o->classes) return TRM_OK;
    return trm_fail(TRM_ERR_USAGE, "prepare graph: names of classes ('%s'), but no labels",
                    o->classes);
  }
  const trm_value_table table = {o->labels, "node<TAB>class", "node", "class", INT32_MAX};
  return trm_text_labels_read(&table, o->classes, &j->nodes, &j->progress, &j->labels);
}

static trm_status read_lists(job *j) {
  const trm_prepare_graph_options *o = j->options;
  const char *const lists[TRM_N_SUBSETS] = {o->train, o->valid, o->test};
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    if (!lists[p]) continue;
    TRM_TRY(trm_text_subset(lists[p], (trm_subset)p, &j->nodes, j->labels.labels, &j->progress,
                            j->subsets[0]));
  }
  return TRM_OK;
}

static trm_status read_splits(job *j) {
  const trm_prepare_graph_options *o = j->options;
  j->n_splits = o->train ? 1 : o->n_splits;
  if (j->n_splits == 0) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&j->subsets, j->n_splits, "splits"));
  for (int s = 0; s < j->n_splits; ++s) {
    TRM_TRY(TRM_ALLOC(&j->subsets[s], j->n_nodes, "splits"));
    if (o->train) return read_lists(j);
    TRM_TRY(trm_text_split(o->splits[s], &j->nodes, j->labels.labels, &j->progress, j->subsets[s]));
  }
  return TRM_OK;
}

/* ---- keeping some nodes ----------------------------------------------------------------------- */

static void keep_edges(job *j) {
  trm_edge_list *e = &j->edges;
  int64_t to = 0;
  for (int64_t i = 0; i < e->n; ++i) {
    const int32_t u = j->new_ids[e->sources[i]], v = j->new_ids[e->targets[i]];
    if (u < 0 || v < 0) continue;
    e->sources[to] = u;
    e->targets[to] = v;
    if (e->weights) e->weights[to] = e->weights[i];
    ++to;
  }
  e->n = to;
}

static void keep_triples(job *j) {
  trm_triples *t = &j->triples;
  int64_t to = 0;
  for (int64_t i = 0; i < t->n; ++i) {
    const int32_t row = j->new_ids[t->rows[i]];
    if (row < 0) continue;
    t->rows[to] = row;
    t->columns[to] = t->columns[i];
    t->values[to++] = t->values[i];
  }
  t->n = to;
}

/* New ids rise with the old ones and are never above them, so moving down in order is safe. */
static void keep_rows(job *j) {
  const int64_t C = j->n_columns;
  for (int64_t i = 0; i < j->n_nodes; ++i) {
    const int64_t to = j->new_ids[i];
    if (to < 0) continue;
    if (j->labels.labels) j->labels.labels[to] = j->labels.labels[i];
    if (j->dense) memmove(j->dense + to * C, j->dense + i * C, (size_t)C * sizeof *j->dense);
    for (int s = 0; s < j->n_splits; ++s) j->subsets[s][to] = j->subsets[s][i];
  }
}

static trm_status keep(job *j) {
  const trm_prepare_graph_options *o = j->options;
  j->n_kept = j->n_nodes;
  if (!o->keep_file) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&j->new_ids, j->n_nodes, "new ids of nodes"));
  TRM_TRY(trm_text_keep(o->keep_file, &j->nodes, &j->progress, j->new_ids, &j->n_kept));
  keep_edges(j);
  keep_triples(j);
  keep_rows(j);
  return TRM_OK;
}

/* ---- what is written -------------------------------------------------------------------------- */

static trm_status make_splits(job *j) {
  const trm_prepare_graph_options *o = j->options;
  TRM_TRY(TRM_ALLOC(&j->splits, j->n_splits * TRM_N_SUBSETS, "splits"));
  TRM_TRY(TRM_ALLOC(&j->ids, j->n_splits, "splits"));
  for (int s = 0; s < j->n_splits; ++s) {
    int64_t n = 0;
    TRM_TRY(TRM_ALLOC(&j->ids[s], j->n_kept, "splits"));
    for (int p = 0; p < TRM_N_SUBSETS; ++p) {
      trm_ids *ids = &j->splits[s * TRM_N_SUBSETS + p];
      ids->ids = j->ids[s] + n;
      for (int64_t i = 0; i < j->n_kept; ++i) {
        if (j->subsets[s][i] == p + 1) j->ids[s][n++] = (int32_t)i;
      }
      ids->n = j->ids[s] + n - ids->ids;
    }
    if (j->splits[s * TRM_N_SUBSETS].n > 0) continue;
    return trm_fail(TRM_ERR_DATA, "%s: has no nodes to train on%s%s",
                    o->train ? o->train : o->splits[s], o->keep_file ? " among those of " : "",
                    o->keep_file ? o->keep_file : "");
  }
  return TRM_OK;
}

/* Offsets of the rows; values that are all 1 need not be stored. */
static trm_status make_sparse(job *j, trm_csr *features, trm_graph_counts *counts) {
  trm_triples *t = &j->triples;
  TRM_TRY(TRM_ALLOC(&j->feature_offsets, j->n_kept + 1, "rows of features"));
  for (int64_t i = 0; i < t->n; ++i) ++j->feature_offsets[t->rows[i] + 1];
  for (int64_t r = 0; r < j->n_kept; ++r) {
    counts->empty_features += j->feature_offsets[r + 1] == 0;
    j->feature_offsets[r + 1] += j->feature_offsets[r];
  }
  if (j->options->row_normalize) {
    for (int64_t r = 0; r < j->n_kept; ++r) {
      const int64_t begin = j->feature_offsets[r];
      trm_row_normalize(t->values + begin, j->feature_offsets[r + 1] - begin);
    }
  }
  bool ones = true;
  for (int64_t i = 0; i < t->n && ones; ++i) ones = t->values[i] == 1;
  *features = (trm_csr){.n_rows = j->n_kept,
                        .n_columns = t->n_columns,
                        .n_edges = t->n,
                        .offsets = j->feature_offsets,
                        .columns = t->columns,
                        .values = ones ? NULL : t->values};
  return TRM_OK;
}

static void make_dense(job *j, trm_graph_counts *counts) {
  for (int64_t r = 0; r < j->n_kept; ++r) {
    float *row = j->dense + r * j->n_columns;
    counts->empty_features += trm_row_is_empty(row, j->n_columns);
    if (j->options->row_normalize) trm_row_normalize(row, j->n_columns);
  }
}

static trm_status write(job *j, const char *source, trm_graph_counts *counts) {
  const trm_prepare_graph_options *o = j->options;
  trm_node_data data = {
      .graph = {.source = source, .n_nodes = j->n_kept, .symmetric = !o->directed},
      .classes = trm_text_labels_classes(&j->labels),
      .n_splits = j->n_splits};
  trm_graph *g = &data.graph;
  TRM_TRY(trm_graph_from_edges(&j->edges, j->n_kept, !o->directed, &j->offsets, &j->sources,
                               &j->weights, counts));
  trm_edge_list_free(&j->edges);
  g->in = (trm_csr){.n_rows = j->n_kept,
                    .n_columns = j->n_kept,
                    .n_edges = j->offsets[j->n_kept],
                    .offsets = j->offsets,
                    .columns = j->sources,
                    .values = j->weights};
  if (j->triples.n_columns > 0) {
    TRM_TRY(make_sparse(j, &g->features, counts));
    g->sparse = true;
    g->n_features = j->triples.n_columns;
  } else if (j->dense) {
    make_dense(j, counts);
    g->dense = j->dense;
    g->n_features = j->n_columns;
  }
  for (int64_t i = 0; j->labels.labels && i < j->n_kept; ++i)
    counts->unlabelled += j->labels.labels[i] < 0;
  TRM_TRY(make_splits(j));
  data.splits = j->splits;
  if (o->progress) o->progress(o->context, 1, "writing");
  return trm_node_data_write(o->output, &data, counts, NULL);
}

static void release(job *j) {
  for (int s = 0; s < j->n_splits; ++s) {
    if (j->subsets) TRM_FREE(j->subsets[s]);
    if (j->ids) TRM_FREE(j->ids[s]);
  }
  trm_edge_list_free(&j->edges);
  trm_triples_free(&j->triples);
  TRM_FREE(j->dense);
  trm_text_labels_free(&j->labels);
  TRM_FREE(j->subsets);
  TRM_FREE(j->ids);
  TRM_FREE(j->new_ids);
  TRM_FREE(j->offsets);
  TRM_FREE(j->feature_offsets);
  TRM_FREE(j->sources);
  TRM_FREE(j->weights);
  TRM_FREE(j->splits);
}

trm_status trm_prepare_graph(const trm_prepare_graph_options *options, trm_graph_counts *counts) {
  job j = {.options = options, .progress = {options->progress, options->context, 0, 0}};
  trm_inputs inputs = {0};
  trm_status status = TRM_OK;
  *counts = (trm_graph_counts){0};
  TRM_TRY_OUT(check_request(options));
  TRM_TRY_OUT(check_files(&j, &inputs));
  TRM_TRY_OUT(read_structure(&j));
  TRM_TRY_OUT(read_labels(&j));
  TRM_TRY_OUT(read_splits(&j));
  TRM_TRY_OUT(keep(&j));
  TRM_TRY_OUT(write(&j, inputs.source, counts));
out:
  release(&j);
  trm_inputs_free(&inputs);
  return status;
}
