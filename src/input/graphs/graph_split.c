/** Which nodes or graphs train, validate and test; reading feature rows. */
#include <string.h>

#include "graph_internal.h"
#include "trireme/core/memory.h"

/** Graphs in order of their folds, rising in each: the test part of a split is one piece of it. */
trm_status trm_graph_folds_make(trm_graph_file *f) {
  const trm_graph *g = &f->graph;
  TRM_TRY(TRM_ALLOC(&f->splits, g->n_folds, "folds"));
  TRM_TRY(TRM_ALLOC(&f->fold_order, g->n_graphs, "folds"));
  TRM_TRY(TRM_ALLOC(&f->fold_rest, 2 * (int64_t)g->n_folds, "folds"));
  for (int64_t i = 0; i < g->n_graphs; ++i) ++f->splits[g->folds[i]].n;
  int32_t *next = f->fold_order;
  for (int k = 0; k < g->n_folds; ++k) {
    f->splits[k].ids = next;
    next += f->splits[k].n;
    f->splits[k].n = 0;
  }
  for (int64_t i = 0; i < g->n_graphs; ++i) {
    trm_ids *fold = &f->splits[g->folds[i]];
    f->fold_order[fold->ids - f->fold_order + fold->n++] = (int32_t)i;
  }
  return TRM_OK;
}

int trm_graph_n_splits(const trm_graph *graph) {
  return graph->kind == TRM_GRAPH_SET ? graph->n_folds : graph->n_splits;
}

/* Graphs outside fold k and, with hold_out, outside the next one: made the first time. */
static trm_status fold_rest(trm_graph_file *f, int k, bool hold_out, trm_ids *ids) {
  const trm_graph *g = &f->graph;
  const int next = (k + 1) % g->n_folds;
  int32_t **list = &f->fold_rest[2 * k + hold_out];
  ids->n = g->n_graphs - f->splits[k].n - (hold_out ? f->splits[next].n : 0);
  if (!*list) {
    TRM_TRY(TRM_ALLOC(list, ids->n, "graphs to train on"));
    int64_t n = 0;
    for (int64_t i = 0; i < g->n_graphs; ++i) {
      if (g->folds[i] == k || (hold_out && g->folds[i] == next)) continue;
      (*list)[n++] = (int32_t)i;
    }
  }
  ids->ids = *list;
  return TRM_OK;
}

/**
 * Nodes, or graphs of a set, of one part of a split, rising. Not collective; for sets by one thread,
 * since a list is made when it is first asked for.
 *
 * @param[out] ids       borrowed, until the graph is closed
 * @param[in]  hold_out  sets: the fold after the test fold is the valid part; else the test fold is
 * @return TRM_ERR_CONFIG when there is no such split, or too few folds
 */
trm_status trm_graph_split(const trm_graph *graph, int split, trm_subset subset, bool hold_out,
                           trm_ids *ids) {
  const int n = trm_graph_n_splits(graph);
  *ids = (trm_ids){0};
  if (n == 0) {
    return trm_fail(TRM_ERR_CONFIG, "%s: has no %s; prepare it with some", graph->path,
                    graph->kind == TRM_GRAPH_SET ? "folds" : "splits");
  }
  if (split < 0 || split >= n) {
    return trm_fail(TRM_ERR_CONFIG, "%s: has no split %d; there are %d, from 0 to %d", graph->path,
                    split, n, n - 1);
  }
  if (graph->kind != TRM_GRAPH_SET) {
    *ids = graph->splits[split * TRM_N_SUBSETS + (int)subset];
    return TRM_OK;
  }
  if (hold_out && n < 3) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%s: %d folds: with one to test and one to validate none is "
                    "left to train; set data.hold_out to false",
                    graph->path, n);
  }
  /* Only lists that are made on demand change, and no reader has seen those. */
  trm_graph_file *f = (trm_graph_file *)(uintptr_t)graph;
  if (subset == TRM_SUBSET_TRAIN) return fold_rest(f, split, hold_out, ids);
  *ids = f->splits[subset == TRM_SUBSET_VALID && hold_out ? (split + 1) % n : split];
  return TRM_OK;
}

/**
 * Dense features of some nodes. Out of the file neighbouring ids are read as one range, so sorted
 * lists are cheapest. Not collective; any thread.
 *
 * @param[out] out    [n, n_features]
 * @param[in]  nodes  [n] ids, in any order
 * @return TRM_ERR_IO or TRM_ERR_DATA when the file cannot be read any more
 */
trm_status trm_graph_features_read(const trm_graph *graph, const int32_t *nodes, int64_t n,
                                   float *out) {
  const int64_t C = graph->n_features;
  TRM_ASSERT(!graph->sparse && C > 0);
  if (graph->dense) {
    for (int64_t i = 0; i < n; ++i) {
      memcpy(out + i * C, graph->dense + nodes[i] * C, (size_t)C * sizeof *out);
    }
    return TRM_OK;
  }
  const trm_graph_file *f = (const trm_graph_file *)(const void *)graph;
  for (int64_t i = 0; i < n;) {
    int64_t run = 1;
    while (i + run < n && nodes[i + run] == nodes[i] + run) ++run;
    TRM_TRY(trm_array_read_range(f->file, f->slots[TRM_GA_DENSE].name, TRM_DTYPE_F32, nodes[i] * C,
                                 run * C, out + i * C));
    i += run;
  }
  return TRM_OK;
}
