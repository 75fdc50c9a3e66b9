/**
 * `trireme prepare graphs`: a set of small graphs from tables that name nodes through all graphs.
 *
 * Features of a node, one after another: its label one-hot, its attributes (of each column the mean
 * is taken off and the rest divided by the standard deviation, over all nodes), its degree one-hot.
 */
#include <math.h>
#include <string.h>

#include "edges.h"
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
  int32_t *folds;
  trm_text_labels labels;
  int64_t *offsets;
  int32_t *sources;
  float *weights;
} job;

static trm_status check_request(const trm_prepare_graph_options *o) {
  if (!o->nodes || !o->edges || !o->labels) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare graphs: give the nodes, the edges and the labels of the "
                    "graphs");
  }
  const char *other = o->features         ? o->features
                      : o->features_dense ? o->features_dense
                      : o->keep_file      ? o->keep_file
                      : o->train          ? o->train
                      : o->n_splits > 0   ? o->splits[0]
                                          : NULL;
  if (!other) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "prepare graphs: has no use for '%s'; features are node labels, "
                  "attributes and degrees, splits are folds",
                  other);
}

/* ---- nodes ------------------------------------------------------------------------------------ */

static trm_status read_node(trm_scan *scan, job *j) {
  int64_t node, graph, label = -1;
  TRM_TRY(trm_scan_id(scan, "node", INT32_MAX, "node ids are below 2147483647", &node));
  if (node != j->n_nodes) {
    return trm_scan_fail(scan,
                         "node %lld where node %lld is next; list nodes in order from 0, each "
                         "once",
                         (long long)node, (long long)j->n_nodes);
  }
  TRM_TRY(trm_scan_id(scan, "graph", INT32_MAX, "graph ids are below 2147483647", &graph));
  if (graph != j->n_graphs && graph != j->n_graphs - 1) {
    return trm_scan_fail(scan,
                         "graph %lld after graph %lld; graphs are numbered from 0 without "
                         "gaps, the nodes of a graph one after another",
                         (long long)graph, (long long)j->n_graphs - 1);
  }
  const bool labelled = trm_scan_more(scan);
  if (node > 0 && labelled != (j->n_labels > 0)) {
    return trm_scan_fail(scan,
                         "node %lld has %s label, the nodes before have %s; give all nodes "
                         "one, or none",
                         (long long)node, labelled ? "a" : "no", labelled ? "none" : "one");
  }
  if (labelled) {
    TRM_TRY(trm_scan_id(scan, "node label", INT32_MAX, "too high; number from 0", &label));
  }
  TRM_TRY(trm_scan_end(scan));
  TRM_TRY(TRM_GROW(&j->node_labels, node, &j->label_capacity, "nodes"));
  TRM_TRY(TRM_GROW(&j->graph_of, node, &j->of_capacity, "nodes"));
  TRM_TRY(TRM_GROW(&j->graphs, graph + 1, &j->graph_capacity, "graphs"));
  j->node_labels[node] = (int32_t)label;
  j->graph_of[node] = (int32_t)graph;
  if (label >= j->n_labels) j->n_labels = label + 1;
  if (graph == j->n_graphs) j->graphs[j->n_graphs++] = node;
  j->graphs[j->n_graphs] = ++j->n_nodes;
  return TRM_OK;
}

static trm_status read_nodes(job *j) {
  const char *path = j->options->nodes;
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_scan_open(&scan, path, "node<TAB>graph[<TAB>node label]", &j->progress));
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(read_node(&scan, j));
  }
  if (j->n_nodes == 0) TRM_TRY_OUT(trm_fail(TRM_ERR_DATA, "%s: has no nodes", path));
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

static trm_status read_edges(job *j) {
  trm_highest highest = {.id = -1};
  return trm_text_edges(j->options->edges, &j->nodes, j->graph_of, &j->progress, &j->edges,
                        &highest);
}

static trm_status read_labels(job *j) {
  const trm_prepare_graph_options *o = j->options;
  const trm_value_table table = {o->labels, "graph<TAB>class", "graph", "class", INT32_MAX};
  return trm_text_labels_read(&table, o->classes, &j->graph_ids, &j->progress, &j->labels);
}

static trm_status read_folds(job *j) {
  const trm_prepare_graph_options *o = j->options;
  if (!o->folds) return TRM_OK;
  const trm_value_table table = {o->folds, "graph<TAB>fold", "graph", "fold", j->n_graphs};
  trm_highest highest = {.id = -1};
  TRM_TRY(TRM_ALLOC(&j->folds, j->n_graphs, "folds"));
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
  for (int64_t k = 0; k <= highest.id && status == TRM_OK; ++k) {
    if (sizes[k] > 0 && highest.id > 0) continue;
    status = sizes[k] > 0
                 ? trm_fail(TRM_ERR_DATA, "%s: one fold; two at least are needed", o->folds)
                 : trm_fail(TRM_ERR_DATA,
                            "%s: no graph in fold %lld, the highest is %lld; number "
                            "folds from 0 without gaps",
                            o->folds, (long long)k, (long long)highest.id);
  }
  TRM_FREE(sizes);
  return status;
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
  TRM_TRY(trm_text_rows(path, &j->progress, &j->attributes, &n_rows, &j->n_attributes));
  if (n_rows != j->n_nodes) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: has %lld rows, expected one for each of the %lld nodes in %s", path,
                    (long long)n_rows, (long long)j->n_nodes, j->options->nodes);
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
                    o->nodes);
  }
  if (!trm_size_mul(j->n_nodes, C, &n) || C > INT32_MAX) {
    return trm_fail(TRM_ERR_DATA, "%s: %lld nodes of %lld features are too many", o->nodes,
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
  const char *const files[] = {options->nodes,   options->edges,      options->labels,
                               options->classes, options->attributes, options->folds};
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
