/**
 * `trireme prepare graphs`: a set of small graphs from tables that name nodes through all graphs.
 *
 * Features of a node, one after another: its label one-hot, its attributes (of each column the mean
 * is taken off and the rest divided by the standard deviation, over all nodes), its degree one-hot.
 */
#include <math.h>
#include <string.h>

#include "edges.h"
#include "node_deal.h"
#include "prepare_internal.h"
#include "trireme/core/memory.h"
#include "trireme/input/graph_set.h"
#include "trireme/prepare/graphs.h"

typedef struct job {
  const trm_prepare_graph_options *options;
  trm_scan_progress progress;
  trm_id_limit nodes, graph_ids;
  int64_t n_nodes, n_graphs, n_labels; /* node labels; 0: none */
  int64_t label_capacity, graph_capacity, of_capacity;
  int32_t *node_labels, *graph_of; /* [n_nodes] */
  int64_t *graphs;                 /* [n_graphs + 1] first node */
  trm_edge_list edges;
  float *attributes, *features;
  int64_t n_attributes, n_features, n_degrees;
  int64_t *edge_starts; /* [n_graphs + 1] where the edges of each graph begin; NULL: not told */
  int32_t *folds;
  trm_text_labels labels;
  int64_t *offsets;
  int32_t *sources;
  float *weights;
} job;

/* The file that says how many nodes there are. */
static const char *nodes_of(const trm_prepare_graph_options *o) {
  return o->nodes ? o->nodes : o->indicator ? o->indicator : o->node_counts;
}

static trm_status check_request(const trm_prepare_graph_options *o) {
  if ((!o->nodes && !o->indicator && !o->node_counts) || !o->edges || !o->labels) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare graphs: give the nodes, the edges and the labels of the "
                    "graphs");
  }
  if (o->folds && o->n_folds > 0) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare graphs: folds come from '%s' or are dealt (--folds N), not both",
                    o->folds);
  }
  TRM_TRY(trm_reading_check(&o->reading));
  const char *other = o->features         ? o->features
                      : o->features_dense ? o->features_dense
                      : o->keep_file      ? o->keep_file
                      : o->n_splits > 0   ? o->splits[0]
                                          : NULL;
  if (!other) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "prepare graphs: has no use for '%s'; features are node labels, "
                  "attributes and degrees, splits are folds",
                  other);
}

/* ---- nodes ------------------------------------------------------------------------------------ */

static trm_status add_node(trm_scan *scan, job *j, int64_t graph) {
  const int64_t node = j->n_nodes;
  if (graph != j->n_graphs && graph != j->n_graphs - 1) {
    return trm_scan_fail(scan,
                         "graph %lld after graph %lld; graphs are numbered from %lld without "
                         "gaps, the nodes of a graph one after another",
                         (long long)(graph + scan->base), (long long)(j->n_graphs - 1 + scan->base),
                         (long long)scan->base);
  }
  TRM_TRY(TRM_GROW(&j->node_labels, node, &j->label_capacity, "nodes"));
  TRM_TRY(TRM_GROW(&j->graph_of, node, &j->of_capacity, "nodes"));
  TRM_TRY(TRM_GROW(&j->graphs, graph + 1, &j->graph_capacity, "graphs"));
  j->node_labels[node] = -1;
  j->graph_of[node] = (int32_t)graph;
  if (graph == j->n_graphs) j->graphs[j->n_graphs++] = node;
  j->graphs[j->n_graphs] = ++j->n_nodes;
  return TRM_OK;
}

static trm_status read_node(trm_scan *scan, job *j) {
  int64_t node, graph, label = -1;
  TRM_TRY(trm_scan_id(scan, "node", INT32_MAX, "node ids are below 2147483647", &node));
  if (node != j->n_nodes) {
    return trm_scan_fail(scan,
                         "node %lld where node %lld is next; list nodes in order from 0, each "
                         "once (--base 1: from 1)",
                         (long long)node, (long long)j->n_nodes);
  }
  TRM_TRY(trm_scan_id(scan, "graph", INT32_MAX, "graph ids are below 2147483647", &graph));
  const bool labelled = trm_scan_more(scan);
  const bool one_graph_more = graph == j->n_graphs || graph == j->n_graphs - 1;
  if (one_graph_more && node > 0 && labelled != (j->n_labels > 0)) {
    return trm_scan_fail(scan,
                         "node %lld has %s label, the nodes before have %s; give all nodes "
                         "one, or none",
                         (long long)node, labelled ? "a" : "no", labelled ? "none" : "one");
  }
  if (one_graph_more && labelled) {
    TRM_TRY(trm_scan_count(scan, "node label", INT32_MAX, "too high; number from 0", &label));
  }
  if (one_graph_more) TRM_TRY(trm_scan_end(scan));
  TRM_TRY(add_node(scan, j, graph));
  j->node_labels[node] = (int32_t)label;
  if (label >= j->n_labels) j->n_labels = label + 1;
  return TRM_OK;
}

/* A graph a line: that of the next node. */
static trm_status read_indicator(trm_scan *scan, job *j) {
  int64_t graph;
  TRM_TRY(trm_scan_id(scan, "graph", INT32_MAX, "graph ids are below 2147483647", &graph));
  TRM_TRY(trm_scan_end(scan));
  if (j->n_nodes < INT32_MAX) return add_node(scan, j, graph);
  return trm_scan_fail(scan, "more than 2147483647 nodes");
}

/* A number a line: of the nodes of the next graph. */
static trm_status read_count(trm_scan *scan, job *j) {
  int64_t n;
  TRM_TRY(trm_scan_count(scan, "number of nodes", INT32_MAX - j->n_nodes, "too many nodes", &n));
  TRM_TRY(trm_scan_end(scan));
  if (n == 0) return trm_scan_fail(scan, "a graph without nodes; leave it out");
  const int64_t graph = j->n_graphs;
  for (int64_t i = 0; i < n; ++i) TRM_TRY(add_node(scan, j, graph));
  return TRM_OK;
}

/* Labels of nodes, a line a node: any texts, numbered in their order. */
static trm_status read_node_labels(job *j) {
  const char *path = j->options->node_labels;
  if (!path) return TRM_OK;
  trm_scan scan;
  trm_names texts = {0};
  int32_t *place = NULL;
  bool more = false, added;
  int64_t node = 0;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_scan_open(&scan, path, "the label of a node", &j->progress));
  for (;; ++node) {
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    if (node == j->n_nodes) break;
    trm_scan_rest(&scan);
    TRM_TRY_OUT(trm_names_add(&texts, scan.field, scan.n_field, &j->node_labels[node], &added));
  }
  if (more || node != j->n_nodes) {
    TRM_TRY_OUT(trm_fail(TRM_ERR_DATA,
                         "%s: has %s%lld lines, expected one for each of the %lld "
                         "nodes",
                         path, more ? "more than " : "", (long long)node, (long long)j->n_nodes));
  }
  TRM_TRY_OUT(trm_names_sort(&texts, &place));
  for (int64_t i = 0; i < node; ++i) j->node_labels[i] = place[j->node_labels[i]];
  j->n_labels = texts.n;
out:
  trm_names_free(&texts);
  TRM_FREE(place);
  return trm_scan_close(&scan, status);
}

static const trm_column_role node_roles[] = {
    {"node", "node nodeid id", false},
    {"graph", "graph graphid graphindicator", false},
    {"label", "label nodelabel class", true},
};

static trm_status read_nodes(job *j) {
  const trm_prepare_graph_options *o = j->options;
  const char *path = nodes_of(o);
  const trm_table_plan plan = {.form = o->nodes       ? "node<TAB>graph[<TAB>node label]"
                                       : o->indicator ? "the graph of a node"
                                                      : "a number of nodes",
                               .roles = o->nodes ? node_roles : node_roles + 1,
                               .n_roles = o->nodes ? 3 : 1,
                               .n_ids = o->nodes ? 2 : 1,
                               .reading = &o->reading,
                               .quiet = true};
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_scan_open_table(&scan, path, &plan, &j->progress));
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(o->nodes       ? read_node(&scan, j)
                : o->indicator ? read_indicator(&scan, j)
                               : read_count(&scan, j));
  }
  if (j->n_nodes == 0) TRM_TRY_OUT(trm_fail(TRM_ERR_DATA, "%s: has no nodes", path));
  TRM_TRY_OUT(read_node_labels(j));
  if (!trm_graph_plausible(j->n_labels, j->n_nodes)) {
    TRM_TRY_OUT(trm_fail(TRM_ERR_DATA,
                         "%s: a node label %lld for %lld nodes; number node labels "
                         "from 0 without gaps",
                         path, (long long)j->n_labels - 1, (long long)j->n_nodes));
  }
  trm_id_limit_set(&j->nodes, j->n_nodes, "%s has the nodes 0 to %lld", path,
                   (long long)j->n_nodes - 1);
  trm_id_limit_set(&j->graph_ids, j->n_graphs, "%s has the graphs 0 to %lld", path,
                   (long long)j->n_graphs - 1);
out:
  return trm_scan_close(&scan, status);
}

/* ---- edges, labels, folds --------------------------------------------------------------------- */

/* Where the edges of each graph begin, of tables that count nodes in each graph from 0. */
static trm_status read_edge_counts(job *j) {
  const char *path = j->options->edge_counts;
  trm_scan scan;
  bool more = false;
  int64_t graph = 0;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&j->edge_starts, j->n_graphs + 1, "edges of graphs"));
  TRM_TRY_OUT(trm_scan_open(&scan, path, "a number of edges", &j->progress));
  for (;; ++graph) {
    int64_t n;
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more || graph == j->n_graphs) break;
    const int64_t most = INT64_MAX - j->edge_starts[graph];
    TRM_TRY_OUT(trm_scan_count(&scan, "number of edges", most, "too many", &n));
    TRM_TRY_OUT(trm_scan_end(&scan));
    j->edge_starts[graph + 1] = j->edge_starts[graph] + n;
  }
  if (more || graph != j->n_graphs) {
    status =
        trm_fail(TRM_ERR_DATA, "%s: has %s%lld lines, expected one for each of the %lld graphs",
                 path, more ? "more than " : "", (long long)graph, (long long)j->n_graphs);
  }
out:
  return trm_scan_close(&scan, status);
}

static trm_status read_edges(job *j) {
  const trm_prepare_graph_options *o = j->options;
  if (o->edge_counts) TRM_TRY(read_edge_counts(j));
  const trm_edge_table table = {.path = o->edges,
                                .reading = &o->reading,
                                .nodes = o->edge_counts ? j->graphs : NULL,
                                .edges = j->edge_starts,
                                .n_graphs = j->n_graphs};
  trm_edge_facts facts;
  return trm_text_edges(&table, &j->nodes, j->graph_of, &j->progress, &j->edges, &facts);
}

static trm_status read_labels(job *j) {
  const trm_prepare_graph_options *o = j->options;
  const trm_value_table table = {.path = o->labels,
                                 .form = o->label_lines ? "a class" : "graph<TAB>class",
                                 .id_name = "graph",
                                 .value_name = "class",
                                 .value_limit = INT32_MAX,
                                 .reading = &o->reading,
                                 .columns = o->label_columns,
                                 .columns_option = "--label-columns",
                                 .lines = o->label_lines};
  return trm_text_labels_read(&table, o->classes, &j->graph_ids, &j->progress, &j->labels);
}

static trm_status check_fold_sizes(const job *j, const int64_t *sizes, int64_t n_folds) {
  const char *path = j->options->folds;
  for (int64_t k = 0; k < n_folds; ++k) {
    if (sizes[k] > 0 && n_folds > 1) continue;
    return sizes[k] > 0 ? trm_fail(TRM_ERR_DATA, "%s: one fold; two at least are needed", path)
                        : trm_fail(TRM_ERR_DATA,
                                   "%s: no graph in fold %lld, the highest is %lld; number "
                                   "folds from 0 without gaps",
                                   path, (long long)k, (long long)n_folds - 1);
  }
  return TRM_OK;
}

static trm_status read_fold_table(job *j) {
  const trm_prepare_graph_options *o = j->options;
  const trm_value_table table = {.path = o->folds,
                                 .form = "graph<TAB>fold",
                                 .id_name = "graph",
                                 .value_name = "fold",
                                 .value_limit = j->n_graphs,
                                 .reading = &o->reading};
  trm_highest highest = {.id = -1};
  TRM_TRY(trm_text_values(&table, &j->graph_ids, &j->progress, j->folds, &highest));
  int64_t *sizes = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&sizes, highest.id + 1, "folds"));
  for (int64_t g = 0; g < j->n_graphs && status == TRM_OK; ++g) {
    if (j->folds[g] < 0) {
      status = trm_fail(TRM_ERR_DATA, "%s: graph %lld has no fold; every graph needs one", o->folds,
                        (long long)g);
    } else if (j->labels.labels[g] < 0) {
      status = trm_fail(TRM_ERR_DATA, "%s: graph %lld is in fold %d, but has no label in %s",
                        o->folds, (long long)g, (int)j->folds[g], o->labels);
    } else {
      ++sizes[j->folds[g]];
    }
  }
  if (status == TRM_OK) status = check_fold_sizes(j, sizes, highest.id + 1);
  TRM_FREE(sizes);
  return status;
}

/* Folds for which split 0 has the parts that lists tell: fold 0 to test, fold 1 to validate. */
static trm_status read_parts(job *j) {
  const trm_prepare_graph_options *o = j->options;
  const char *const lists[TRM_N_SUBSETS] = {o->train, o->valid, o->test};
  static const int32_t fold_of[TRM_N_SUBSETS] = {2, 1, 0};
  uint8_t *subset = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&subset, j->n_graphs, "folds"));
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    if (!lists[p]) {
      TRM_TRY_OUT(trm_fail(TRM_ERR_DATA,
                           "prepare graphs: parts are lists of graphs to train on, to validate and "
                           "to test; the %s one is missing",
                           trm_subset_name((trm_subset)p)));
    }
    TRM_TRY_OUT(trm_text_subset(lists[p], &o->reading, (trm_subset)p, &j->graph_ids,
                                j->labels.labels, &j->progress, subset));
  }
  for (int64_t g = 0; g < j->n_graphs; ++g) {
    if (subset[g] == 0) {
      TRM_TRY_OUT(trm_fail(TRM_ERR_DATA, "%s: graph %lld is in no part; every graph needs one",
                           o->train, (long long)g));
    }
    j->folds[g] = fold_of[subset[g] - 1];
  }
  trm_note(o->reading.notes, "%s: note: the parts are split 0; other splits exchange them",
           o->train);
out:
  TRM_FREE(subset);
  return status;
}

static trm_status read_folds(job *j) {
  const trm_prepare_graph_options *o = j->options;
  const bool lists = o->train || o->valid || o->test;
  if (!o->folds && o->n_folds == 0 && !lists) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&j->folds, j->n_graphs, "folds"));
  if (o->folds) return read_fold_table(j);
  if (lists) return read_parts(j);
  for (int64_t g = 0; g < j->n_graphs; ++g) {
    if (j->labels.labels[g] >= 0) continue;
    return trm_fail(TRM_ERR_DATA, "%s: graph %lld has no label, so it can be in no fold", o->labels,
                    (long long)g);
  }
  if (o->n_folds > j->n_graphs) {
    return trm_fail(TRM_ERR_USAGE, "--folds is %lld, but there are %lld graphs",
                    (long long)o->n_folds, (long long)j->n_graphs);
  }
  return trm_deal_folds(o->n_folds, o->deal.seed, j->labels.labels, j->n_graphs,
                        (int)j->labels.n_classes, j->folds);
}

/* ---- features --------------------------------------------------------------------------------- */

/* Column by column: mean 0, deviation 1; sums in the order of the nodes. */
static void standardise(float *values, int64_t n, int64_t C) {
  for (int64_t c = 0; c < C; ++c) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; ++i) sum += (double)values[i * C + c];
    const double mean = sum / (double)n;
    for (int64_t i = 0; i < n; ++i) {
      const double d = (double)values[i * C + c] - mean;
      squares += d * d;
    }
    const double deviation = sqrt(squares / (double)n);
    /* Rounding of the mean leaves a constant column a deviation of about an ulp of it. */
    const double scale = deviation > 1e-12 * fabs(mean) ? 1 / deviation : 0;
    for (int64_t i = 0; i < n; ++i) {
      values[i * C + c] = (float)(((double)values[i * C + c] - mean) * scale);
    }
  }
}

static trm_status read_attributes(job *j) {
  const char *path = j->options->attributes;
  int64_t n_rows;
  if (!path) return TRM_OK;
  const trm_row_table table = {.path = path,
                               .reading = &j->options->reading,
                               .header = j->options->feature_header,
                               .index = j->options->index};
  TRM_TRY(trm_text_rows(&table, &j->progress, &j->attributes, NULL, &n_rows, &j->n_attributes));
  if (n_rows != j->n_nodes) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: has %lld rows, expected one for each of the %lld nodes in %s", path,
                    (long long)n_rows, (long long)j->n_nodes, nodes_of(j->options));
  }
  standardise(j->attributes, j->n_nodes, j->n_attributes);
  return TRM_OK;
}

static trm_status make_features(job *j, trm_graph_counts *counts) {
  const trm_prepare_graph_options *o = j->options;
  for (int64_t i = 0; o->degree_features && i < j->n_nodes; ++i) {
    const int64_t degree = j->offsets[i + 1] - j->offsets[i];
    if (degree >= j->n_degrees) j->n_degrees = degree + 1;
  }
  const int64_t C = j->n_labels + j->n_attributes + j->n_degrees;
  int64_t n;
  if (C == 0) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: nodes have neither labels nor attributes, so they would have "
                    "no features; take their degrees (--degree-features)",
                    nodes_of(o));
  }
  if (!trm_size_mul(j->n_nodes, C, &n) || C > INT32_MAX) {
    return trm_fail(TRM_ERR_DATA, "%s: %lld nodes of %lld features are too many", nodes_of(o),
                    (long long)j->n_nodes, (long long)C);
  }
  TRM_TRY(TRM_ALLOC(&j->features, n, "features"));
  for (int64_t i = 0; i < j->n_nodes; ++i) {
    float *row = j->features + i * C;
    if (j->n_labels > 0) row[j->node_labels[i]] = 1;
    if (j->n_attributes > 0) {
      memcpy(row + j->n_labels, j->attributes + i * j->n_attributes,
             (size_t)j->n_attributes * sizeof *row);
    }
    if (j->n_degrees > 0) {
      row[j->n_labels + j->n_attributes + j->offsets[i + 1] - j->offsets[i]] = 1;
    }
    counts->empty_features += trm_row_is_empty(row, C);
    if (o->row_normalize) trm_row_normalize(row, C);
  }
  j->n_features = C;
  return TRM_OK;
}

static trm_status write(job *j, const char *source, trm_graph_counts *counts) {
  const trm_prepare_graph_options *o = j->options;
  TRM_TRY(trm_graph_from_edges(&j->edges, j->n_nodes, !o->directed, &j->offsets, &j->sources,
                               &j->weights, counts));
  TRM_TRY(make_features(j, counts));
  for (int64_t g = 0; g < j->n_graphs; ++g) counts->unlabelled += j->labels.labels[g] < 0;
  const trm_graph_set set = {.graph = {.source = source,
                                       .n_nodes = j->n_nodes,
                                       .symmetric = !o->directed,
                                       .in = {.n_rows = j->n_nodes,
                                              .n_columns = j->n_nodes,
                                              .n_edges = j->offsets[j->n_nodes],
                                              .offsets = j->offsets,
                                              .columns = j->sources,
                                              .values = j->weights},
                                       .n_features = j->n_features,
                                       .dense = j->features},
                             .classes = trm_text_labels_classes(&j->labels),
                             .n_graphs = j->n_graphs,
                             .graphs = j->graphs,
                             .folds = j->folds};
  if (o->progress) o->progress(o->context, 1, "writing");
  return trm_graph_set_write(o->output, &set, counts);
}

static void release(job *j) {
  trm_edge_list_free(&j->edges);
  TRM_FREE(j->node_labels);
  TRM_FREE(j->graph_of);
  TRM_FREE(j->graphs);
  TRM_FREE(j->attributes);
  TRM_FREE(j->features);
  trm_text_labels_free(&j->labels);
  TRM_FREE(j->folds);
  TRM_FREE(j->edge_starts);
  TRM_FREE(j->offsets);
  TRM_FREE(j->sources);
  TRM_FREE(j->weights);
}

trm_status trm_prepare_graph_set(const trm_prepare_graph_options *options,
                                 trm_graph_counts *counts) {
  job j = {.options = options, .progress = {options->progress, options->context, 0, 0}};
  trm_inputs inputs = {0};
  trm_status status = TRM_OK;
  *counts = (trm_graph_counts){0};
  TRM_TRY_OUT(check_request(options));
  const char *const files[] = {options->nodes,       options->edges,       options->labels,
                               options->classes,     options->attributes,  options->folds,
                               options->indicator,   options->node_labels, options->node_counts,
                               options->edge_counts, options->train,       options->valid,
                               options->test};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
    TRM_TRY_OUT(trm_inputs_add(&inputs, files[i]));
  }
  TRM_TRY_OUT(trm_inputs_check(&inputs, options->output, &j.progress));
  TRM_TRY_OUT(read_nodes(&j));
  TRM_TRY_OUT(read_edges(&j));
  TRM_TRY_OUT(read_labels(&j));
  TRM_TRY_OUT(read_folds(&j));
  TRM_TRY_OUT(read_attributes(&j));
  TRM_TRY_OUT(write(&j, inputs.source, counts));
out:
  release(&j);
  trm_inputs_free(&inputs);
  return status;
}
