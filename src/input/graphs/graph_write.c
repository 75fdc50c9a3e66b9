/** Writing a graph data set (data/FORMAT.md): all of it under a temporary name, then published. */
#include <stdio.h>

#include "graph_internal.h"
#include "trireme/core/memory.h"
#include "trireme/input/data_file.h"

static trm_status write_vector(trm_container *file, const char *name, trm_dtype dtype, int64_t n,
                               const void *data) {
  return trm_array_write(file, name, dtype, 1, &n, data);
}

/* group/offsets, group/<columns> and, where there are any, group/<values>. */
static trm_status write_csr(trm_container *file, const char *group, const char *columns,
                            const char *values, const trm_csr *csr) {
  char name[TRM_GRAPH_NAME_BYTES];
  TRM_ASSERT(csr->offsets[0] == 0 && csr->offsets[csr->n_rows] == csr->n_edges && !csr->map);
  snprintf(name, sizeof name, "%s/offsets", group);
  TRM_TRY(write_vector(file, name, TRM_DTYPE_I64, csr->n_rows + 1, csr->offsets));
  snprintf(name, sizeof name, "%s/%s", group, columns);
  TRM_TRY(write_vector(file, name, TRM_DTYPE_I32, csr->n_edges, csr->columns));
  if (!csr->values) return TRM_OK;
  snprintf(name, sizeof name, "%s/%s", group, values);
  return write_vector(file, name, TRM_DTYPE_F32, csr->n_edges, csr->values);
}

static trm_status write_edges(trm_container *file, const trm_graph *g,
                              const trm_graph_counts *counts) {
  TRM_TRY(write_csr(file, "/edges", "sources", "weights", &g->in));
  TRM_TRY(trm_attr_write_int(file, "/edges", "symmetric", g->symmetric));
  TRM_TRY(trm_attr_write_int(file, "/edges", "self_loops", counts->self_loops));
  return trm_attr_write_int(file, "/edges", "duplicates", counts->duplicates);
}

static trm_status write_features(trm_container *file, const trm_graph *g) {
  if (g->n_features == 0) return TRM_OK;
  if (g->sparse) {
    TRM_TRY(write_csr(file, "/nodes/features", "columns", "values", &g->features));
    return trm_attr_write_int(file, "/nodes/features", "n_features", g->n_features);
  }
  if (!g->dense) return TRM_OK; /* `more` writes them */
  const int64_t dims[2] = {g->n_nodes, g->n_features};
  return trm_array_write(file, "/nodes/features", TRM_DTYPE_F32, 2, dims, g->dense);
}

static trm_status write_labels(trm_container *file, const char *name, const trm_graph *g,
                               int64_t n) {
  if (!g->labels) return TRM_OK;
  TRM_TRY(write_vector(file, name, TRM_DTYPE_I32, n, g->labels));
  TRM_TRY(trm_attr_write_int(file, name, "n_classes", g->n_classes));
  if (g->classes.n == 0) return TRM_OK;
  TRM_ASSERT(g->classes.n == g->n_classes);
  return trm_output_names(file, "/classes", g->classes.n, g->classes.offsets, g->classes.bytes);
}

static trm_status write_splits(trm_container *file, const trm_graph *g) {
  char name[TRM_GRAPH_NAME_BYTES];
  for (int s = 0; s < g->n_splits; ++s) {
    for (int p = 0; p < TRM_N_SUBSETS; ++p) {
      const trm_ids *part = &g->splits[s * TRM_N_SUBSETS + p];
      trm_graph_split_name(s, (trm_subset)p, name);
      TRM_TRY(write_vector(file, name, TRM_DTYPE_I32, part->n, part->ids));
    }
  }
  return TRM_OK;
}

static trm_status write_interactions(trm_container *file, const trm_graph *g,
                                     const trm_graph_counts *counts) {
  TRM_TRY(trm_attr_write_int(file, "/", "n_items", g->n_items));
  TRM_TRY(write_csr(file, "/train", "items", "weights", &g->train));
  TRM_TRY(trm_attr_write_int(file, "/train", "duplicates", counts->duplicates));
  return write_csr(file, "/test", "items", "weights", &g->test);
}

static trm_status write_content(trm_container *file, const trm_graph *g,
                                const trm_graph_counts *counts) {
  if (g->kind == TRM_GRAPH_INTERACTIONS) return write_interactions(file, g, counts);
  TRM_TRY(write_edges(file, g, counts));
  TRM_TRY(write_features(file, g));
  if (g->names.n > 0) {
    TRM_ASSERT(g->names.n == g->n_nodes);
    TRM_TRY(trm_output_names(file, "/nodes/names", g->names.n, g->names.offsets, g->names.bytes));
  }
  if (g->kind == TRM_GRAPH_NODES) {
    TRM_TRY(write_labels(file, "/nodes/labels", g, g->n_nodes));
    return write_splits(file, g);
  }
  TRM_TRY(write_vector(file, "/graphs/offsets", TRM_DTYPE_I64, g->n_graphs + 1, g->graphs));
  TRM_TRY(write_labels(file, "/graphs/labels", g, g->n_graphs));
  if (!g->folds) return TRM_OK;
  return write_vector(file, "/graphs/folds", TRM_DTYPE_I32, g->n_graphs, g->folds);
}

/**
 * Writes a data set and, by `more` (may be NULL), what the kinds of this module do not know: arrays
 * of a group of its own, or dense features piece by piece, when graph->dense is NULL and n_features
 * is not 0. The file appears by its name complete or not at all. Not collective.
 */
trm_status trm_graph_write_with(const char *path, const trm_graph *graph,
                                const trm_graph_counts *counts,
                                trm_status (*more)(void *context, trm_container *file),
                                void *context) {
  trm_output output = {0};
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_output_check_place(path, NULL, 0));
  TRM_TRY_OUT(trm_output_create(&output, path));
  TRM_TRY_OUT(trm_output_head(output.file, trm_graph_kind_name(graph->kind),
                              graph->source ? graph->source : ""));
  TRM_TRY_OUT(write_content(output.file, graph, counts));
  if (more) TRM_TRY_OUT(more(context, output.file));
  TRM_TRY_OUT(trm_output_publish(&output));
out:
  trm_output_abandon(&output);
  return status;
}

/**
 * Writes a data set: atomically, or not at all. Not collective.
 *
 * Taken: `in` (or, for interactions, `train` and `test`), `symmetric`, features, labels, class and
 * node names, splits, graphs and folds, `source`. Not looked at: path, digest, degrees, out.
 *
 * @param[in] counts  self_loops and duplicates are kept with the edges, for people
 */
trm_status trm_graph_write(const char *path, const trm_graph *graph,
                           const trm_graph_counts *counts) {
  return trm_graph_write_with(path, graph, counts, NULL, NULL);
}
