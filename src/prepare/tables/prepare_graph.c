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
#include "graph_job_internal.h"
#include "node_deal.h"
#include "trireme/core/memory.h"
#include "trireme/input/node_data.h"
#include "trireme/prepare/graphs.h"

/* The file that has the classes of nodes. */
static const char *labels_of(const trm_prepare_graph_options *o) {
  return o->labels ? o->labels : o->content;
}

/* ---- before anything is read ------------------------------------------------------------------ */

static trm_status check_request(const trm_prepare_graph_options *o) {
  if (!o->edges && !o->no_edges) return trm_fail(TRM_ERR_USAGE, "prepare graph: give the edges");
  if (o->edges && o->no_edges) {
    return trm_fail(TRM_ERR_USAGE, "prepare graph: edges ('%s') or --no-edges, give one of them",
                    o->edges);
  }
  if (o->content && (o->features || o->features_dense || o->labels)) {
    return trm_fail(TRM_ERR_USAGE, "prepare graph: '%s' has features and classes; leave '%s' out",
                    o->content,
                    o->features         ? o->features
                    : o->features_dense ? o->features_dense
                                        : o->labels);
  }
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
  if ((o->n_splits > 0 || o->train) && trm_node_deal_is_asked(&o->deal)) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare graph: splits come from files ('%s') or are dealt (--valid-share, "
                    "--test-share, --per-class), not both",
                    o->train ? o->train : o->splits[0]);
  }
  if (o->identity_features && (o->features || o->features_dense || o->content)) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare graph: --identity-features are instead of '%s'; leave one out",
                    o->features         ? o->features
                    : o->features_dense ? o->features_dense
                                        : o->content);
  }
  if (o->index && strcmp(o->index, "yes") != 0 && strcmp(o->index, "no") != 0) {
    return trm_fail(TRM_ERR_USAGE, "prepare graph: --row-index is '%s', expected yes or no",
                    o->index);
  }
  TRM_TRY(trm_reading_check(&o->reading));
  if (o->n_nodes < 0 || o->n_nodes > INT32_MAX) {
    return trm_fail(TRM_ERR_USAGE, "prepare graph: %lld nodes, expected at most %d",
                    (long long)o->n_nodes, INT32_MAX);
  }
  return TRM_OK;
}

static trm_status check_files(trm_graph_job *j, trm_inputs *inputs) {
  const trm_prepare_graph_options *o = j->options;
  const char *const files[] = {o->edges, o->features, o->features_dense, o->labels,    o->classes,
                               o->train, o->valid,    o->test,           o->keep_file, o->content};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
    TRM_TRY(trm_inputs_add(inputs, files[i]));
  }
  for (int i = 0; i < o->n_splits; ++i) TRM_TRY(trm_inputs_add(inputs, o->splits[i]));
  return trm_inputs_check(inputs, o->output, &j->progress);
}

/* ---- keeping some nodes ----------------------------------------------------------------------- */

static void keep_edges(trm_graph_job *j) {
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

static void keep_triples(trm_graph_job *j) {
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
static void keep_rows(trm_graph_job *j) {
  const int64_t C = j->n_columns;
  for (int64_t i = 0; i < j->n_nodes; ++i) {
    const int64_t to = j->new_ids[i];
    if (to < 0) continue;
    if (j->labels.labels) j->labels.labels[to] = j->labels.labels[i];
    if (j->dense) memmove(j->dense + to * C, j->dense + i * C, (size_t)C * sizeof *j->dense);
    for (int s = 0; s < j->n_splits; ++s) j->subsets[s][to] = j->subsets[s][i];
  }
}

static trm_status keep(trm_graph_job *j) {
  const trm_prepare_graph_options *o = j->options;
  j->n_kept = j->n_nodes;
  if (!o->keep_file) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&j->new_ids, j->n_nodes, "new ids of nodes"));
  TRM_TRY(
      trm_text_keep(o->keep_file, &o->reading, &j->nodes, &j->progress, j->new_ids, &j->n_kept));
  keep_edges(j);
  keep_triples(j);
  keep_rows(j);
  return TRM_OK;
}

static trm_status deal_splits(trm_graph_job *j) {
  const trm_prepare_graph_options *o = j->options;
  if (!trm_node_deal_is_asked(&o->deal)) return TRM_OK;
  if (!j->labels.labels) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare graph: parts are dealt class by class, and there are no labels");
  }
  return trm_deal_nodes(&o->deal, j->labels.labels, j->n_kept, (int)j->labels.n_classes,
                        j->subsets[0]);
}

/* Classes that nothing is trained on, of the first split. */
static trm_status tell_untrained(const trm_graph_job *j) {
  const int64_t C = j->labels.n_classes;
  int64_t *trained = NULL, n = 0, first = -1;
  if (j->n_splits == 0 || C == 0 || !j->labels.labels) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&trained, C, "classes"));
  for (int64_t i = 0; i < j->n_kept; ++i) {
    const int32_t label = j->labels.labels[i];
    if (label >= 0 && j->subsets[0][i] == TRM_SUBSET_TRAIN + 1) ++trained[label];
  }
  for (int64_t c = 0; c < C; ++c) {
    if (trained[c] > 0) continue;
    if (n++ == 0) first = c;
  }
  TRM_FREE(trained);
  if (n == 0) return TRM_OK;
  trm_note(j->options->reading.notes,
           "%s: note: %lld of %lld classes have no node to train on%s, the first is class %lld",
           labels_of(j->options), (long long)n, (long long)C, j->n_splits > 1 ? " in split 0" : "",
           (long long)first);
  return TRM_OK;
}

/* ---- what is written -------------------------------------------------------------------------- */

static trm_status make_splits(trm_graph_job *j) {
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
                    o->train          ? o->train
                    : o->n_splits > 0 ? o->splits[s]
                                      : labels_of(o),
                    o->keep_file ? " among those of " : "", o->keep_file ? o->keep_file : "");
  }
  return TRM_OK;
}

/* A feature for each node: what a network learns of it is its own. */
static trm_status make_identity(trm_graph_job *j) {
  trm_triples *t = &j->triples;
  if (!j->options->identity_features) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&t->rows, j->n_kept, "features of nodes"));
  TRM_TRY(TRM_ALLOC(&t->columns, j->n_kept, "features of nodes"));
  TRM_TRY(TRM_ALLOC(&t->values, j->n_kept, "features of nodes"));
  for (int64_t i = 0; i < j->n_kept; ++i) {
    t->rows[i] = t->columns[i] = (int32_t)i;
    t->values[i] = 1;
  }
  t->n = t->n_columns = j->n_kept;
  return TRM_OK;
}

/* Names of the nodes that are kept; new ids rise with the old ones. */
static trm_status make_names(trm_graph_job *j) {
  const trm_names *names = &j->map.names;
  if (!j->map.on || !j->new_ids) return TRM_OK;
  trm_names kept = {0};
  const int64_t *offsets = trm_names_offsets(names);
  trm_status status = TRM_OK;
  for (int64_t i = 0; i < names->n && status == TRM_OK; ++i) {
    int32_t id;
    bool added;
    if (j->new_ids[i] < 0) continue;
    status = trm_names_add(&kept, names->bytes.data + offsets[i], offsets[i + 1] - offsets[i], &id,
                           &added);
  }
  trm_names_free(&j->map.names);
  j->map.names = kept;
  return status;
}

/* Ids that become others in the data set, since they count from 1 or some nodes are left out, are kept as
 * names, by which predictions can be found again. */
static trm_status name_numbers(trm_graph_job *j, trm_texts *names) {
  int64_t end = 0;
  if (j->facts.base == 0 && !j->new_ids) return TRM_OK;
  TRM_TRY(trm_buffer_append(&j->name_offsets, &end, (int64_t)sizeof end));
  for (int64_t i = 0; i < j->n_nodes; ++i) {
    char number[24];
    if (j->new_ids && j->new_ids[i] < 0) continue;
    const int n = snprintf(number, sizeof number, "%lld", (long long)(i + j->facts.base));
    TRM_TRY(trm_buffer_append(&j->name_bytes, number, n));
    end += n;
    TRM_TRY(trm_buffer_append(&j->name_offsets, &end, (int64_t)sizeof end));
  }
  *names = (trm_texts){.n = j->n_kept,
                       .offsets = (const int64_t *)(const void *)j->name_offsets.data,
                       .bytes = j->name_bytes.data};
  trm_note(j->options->reading.notes,
           "%s: note: nodes have other numbers in the data set than in the tables, whose numbers "
           "are kept as names",
           trm_graph_job_label(j));
  return TRM_OK;
}

/* Offsets of the rows; values that are all 1 need not be stored. */
static trm_status make_sparse(trm_graph_job *j, trm_csr *features, trm_graph_counts *counts) {
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

static void make_dense(trm_graph_job *j, trm_graph_counts *counts) {
  for (int64_t r = 0; r < j->n_kept; ++r) {
    float *row = j->dense + r * j->n_columns;
    counts->empty_features += trm_row_is_empty(row, j->n_columns);
    if (j->options->row_normalize) trm_row_normalize(row, j->n_columns);
  }
}

static trm_status write(trm_graph_job *j, const char *source, trm_graph_counts *counts) {
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
  TRM_TRY(make_names(j));
  if (j->map.on) {
    g->names =
        (trm_texts){j->map.names.n, trm_names_offsets(&j->map.names), j->map.names.bytes.data};
  } else {
    TRM_TRY(name_numbers(j, &g->names));
  }
  if (o->progress) o->progress(o->context, 1, "writing");
  return trm_node_data_write(o->output, &data, counts, NULL);
}

static void release(trm_graph_job *j) {
  for (int s = 0; s < j->n_splits; ++s) {
    if (j->subsets) TRM_FREE(j->subsets[s]);
    if (j->ids) TRM_FREE(j->ids[s]);
  }
  trm_edge_list_free(&j->edges);
  trm_triples_free(&j->triples);
  TRM_FREE(j->dense);
  TRM_FREE(j->dense_ids);
  trm_names_free(&j->map.names);
  trm_buffer_free(&j->name_offsets);
  trm_buffer_free(&j->name_bytes);
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
  trm_graph_job j = {.options = options, .progress = {options->progress, options->context, 0, 0}};
  trm_inputs inputs = {0};
  trm_status status = TRM_OK;
  *counts = (trm_graph_counts){0};
  TRM_TRY_OUT(check_request(options));
  TRM_TRY_OUT(check_files(&j, &inputs));
  TRM_TRY_OUT(trm_graph_read_structure(&j));
  TRM_TRY_OUT(trm_graph_read_labels(&j));
  TRM_TRY_OUT(trm_graph_check_base(&j));
  TRM_TRY_OUT(trm_graph_read_splits(&j));
  TRM_TRY_OUT(keep(&j));
  TRM_TRY_OUT(deal_splits(&j));
  TRM_TRY_OUT(tell_untrained(&j));
  TRM_TRY_OUT(make_identity(&j));
  TRM_TRY_OUT(write(&j, inputs.source, counts));
out:
  release(&j);
  trm_inputs_free(&inputs);
  return status;
}
