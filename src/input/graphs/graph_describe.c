/** What `trireme inspect` prints of a data set of graphs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "graph_internal.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"

trm_status trm_describe_lengths(FILE *file, const char *label, const int64_t *offsets, int64_t n,
                                const char *what) {
  static const double shares[] = {0, 0.5, 0.9, 0.99, 1};
  int64_t most = 0, at[5] = {0}, *histogram = NULL;
  for (int64_t r = 0; r < n; ++r) {
    const int64_t length = offsets[r + 1] - offsets[r];
    most = length > most ? length : most;
  }
  TRM_TRY(TRM_ALLOC(&histogram, most + 1, "degrees"));
  for (int64_t r = 0; r < n; ++r) ++histogram[offsets[r + 1] - offsets[r]];
  int64_t length = 0, below = histogram[0];
  for (int i = 0; i < 5; ++i) {
    const int64_t place = (int64_t)(shares[i] * (double)(n - 1));
    while (below <= place) below += histogram[++length];
    at[i] = length;
  }
  TRM_FREE(histogram);
  trm_describe_row(file, label,
                   "%14.2f  %s in the mean; least %" PRId64 ", median %" PRId64 ", 90 %% %" PRId64
                   ", 99 %% %" PRId64 ", most %" PRId64,
                   n > 0 ? (double)(offsets[n] - offsets[0]) / (double)n : 0.0, what, at[0], at[1],
                   at[2], at[3], at[4]);
  return TRM_OK;
}

static int64_t count_isolated(const trm_graph *g) {
  int64_t n = 0;
  for (int64_t r = 0; r < g->n_nodes; ++r) {
    n += g->in.offsets[r] == g->in.offsets[r + 1] && g->out.offsets[r] == g->out.offsets[r + 1];
  }
  return n;
}

static trm_status describe_edges(const trm_graph_file *f, FILE *file) {
  const trm_graph *g = f->graph;
  const char *weights = g->in.values ? ", with weights" : "";
  trm_describe_row(file, "nodes", "%14s", trm_count_text_of(g->n_nodes).text);
  if (g->symmetric) {
    trm_describe_row(file, "edges", "%14s  symmetric: %s both ways%s",
                     trm_count_text_of(g->in.n_edges).text,
                     trm_count_text_of(g->in.n_edges / 2).text, weights);
  } else {
    trm_describe_row(file, "edges", "%14s  directed%s", trm_count_text_of(g->in.n_edges).text,
                     weights);
  }
  if (f->self_loops > 0 || f->duplicates > 0) {
    trm_describe_row(file, "left out", "%14s  self-loops, %s repeated edges, when it was prepared",
                     trm_count_text_of(f->self_loops > 0 ? f->self_loops : 0).text,
                     trm_count_text_of(f->duplicates > 0 ? f->duplicates : 0).text);
  }
  TRM_TRY(trm_describe_lengths(file, g->symmetric ? "degree" : "in-degree", g->in.offsets,
                               g->n_nodes, "edges a node"));
  if (!g->symmetric) {
    TRM_TRY(trm_describe_lengths(file, "out-degree", g->out.offsets, g->n_nodes, "edges a node"));
  }
  trm_describe_row(file, "isolated", "%14s  nodes without edges",
                   trm_count_text_of(count_isolated(g)).text);
  return TRM_OK;
}

static void describe_features(const trm_graph *g, FILE *file) {
  char text[32];
  trm_format_count((long long)g->n_features, text);
  if (g->n_features == 0) {
    trm_describe_row(file, "features", "%14s", "none");
  } else if (!g->sparse) {
    trm_describe_row(file, "features", "%14s  dense", text);
  } else {
    int64_t empty = 0;
    for (int64_t r = 0; r < g->n_nodes; ++r) {
      empty += g->features.offsets[r] == g->features.offsets[r + 1];
    }
    trm_describe_row(file, "features", "%14s  sparse: %s value%s%s, %s node%s without one", text,
                     trm_count_text_of(g->features.n_edges).text, trm_plural(g->features.n_edges),
                     g->features.values ? "" : ", all 1", trm_count_text_of(empty).text,
                     trm_plural(empty));
  }
}

trm_status trm_describe_graph(const trm_graph_file *f, FILE *file) {
  TRM_TRY(describe_edges(f, file));
  describe_features(f->graph, file);
  if (f->graph->names.n > 0) {
    trm_describe_row(file, "names", "%14s  nodes have names",
                     trm_count_text_of(f->graph->names.n).text);
  }
  return TRM_OK;
}

static bool is_known(const void *context, const char *name) {
  const trm_graph_file *f = context;
  for (int i = 0; i < TRM_N_GRAPH_PLACES; ++i) {
    if (f->kind->arrays[i].name && strcmp(f->kind->arrays[i].name, name) == 0) return true;
  }
  for (int i = 0; i < f->n_slots; ++i) {
    if (strcmp(f->slots[i].name, name) == 0) return true;
  }
  return trm_is_below(name, "/debian");
}

trm_status trm_graph_describe(const trm_graph *graph, FILE *file) {
  const trm_graph_kind *kind = graph->file->kind;
  trm_describe_head(file, graph->path, kind->data_kind->name, graph->source, graph->created_by);
  TRM_TRY(kind->describe(graph->file, file));
  TRM_TRY(trm_unread_describe(graph->path, is_known, graph->file, file));
  trm_describe_row(file, "digest", "%016" PRIx64, graph->digest);
  if (fflush(file) != 0 || ferror(file)) {
    return trm_fail(TRM_ERR_IO, "%s: its description could not be written", graph->path);
  }
  return TRM_OK;
}

trm_status trm_graph_describe_path(const char *path, FILE *file) {
  trm_graph *graph = NULL;
  TRM_TRY(trm_graph_open(path, NULL, false, &graph));
  const trm_status status = trm_graph_describe(graph, file);
  trm_graph_close(&graph);
  return status;
}
