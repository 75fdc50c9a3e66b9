/** What `trireme inspect` prints of a graph data set. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "graph_internal.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/data_file.h"

enum { MOST_CLASSES = 64, MOST_SPLITS = 16, NAME_BYTES = 64 };

/* "1,234,567"; a value, so that a line can have several. */
typedef struct count_text {
  char text[32];
} count_text;
static count_text count(int64_t n) {
  count_text c;
  trm_format_count((long long)n, c.text);
  return c;
}

/* The lengths of rows: smallest, quantiles, largest. */
static trm_status describe_lengths(FILE *file, const char *label, const int64_t *offsets, int64_t n,
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
  const trm_graph *g = &f->graph;
  const char *weights = g->in.values ? ", with weights" : "";
  trm_describe_row(file, "nodes", "%14s", count(g->n_nodes).text);
  if (g->symmetric) {
    trm_describe_row(file, "edges", "%14s  symmetric: %s both ways%s", count(g->in.n_edges).text,
                     count(g->in.n_edges / 2).text, weights);
  } else {
    trm_describe_row(file, "edges", "%14s  directed%s", count(g->in.n_edges).text, weights);
  }
  if (f->self_loops > 0 || f->duplicates > 0) {
    trm_describe_row(file, "left out", "%14s  self-loops, %s repeated edges, when it was prepared",
                     count(f->self_loops > 0 ? f->self_loops : 0).text,
                     count(f->duplicates > 0 ? f->duplicates : 0).text);
  }
  TRM_TRY(describe_lengths(file, g->symmetric ? "degree" : "in-degree", g->in.offsets, g->n_nodes,
                           "edges a node"));
  if (!g->symmetric) {
    TRM_TRY(describe_lengths(file, "out-degree", g->out.offsets, g->n_nodes, "edges a node"));
  }
  trm_describe_row(file, "isolated", "%14s  nodes without edges", count(count_isolated(g)).text);
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
    trm_describe_row(file, "features", "%14s  sparse: %s values%s, %s nodes have none", text,
                     count(g->features.n_edges).text, g->features.values ? "" : ", all 1",
                     count(empty).text);
  }
}

static trm_status describe_classes(const trm_graph *g, int64_t n, FILE *file) {
  if (!g->labels) {
    trm_describe_row(file, "classes", "%14s", "none");
    return TRM_OK;
  }
  int64_t *sizes = NULL, unlabelled = 0;
  TRM_TRY(TRM_ALLOC(&sizes, g->n_classes, "sizes of classes"));
  for (int64_t i = 0; i < n; ++i) {
    if (g->labels[i] < 0) {
      ++unlabelled;
    } else {
      ++sizes[g->labels[i]];
    }
  }
  trm_describe_row(file, "classes", "%14d  %s without a label", g->n_classes,
                   count(unlabelled).text);
  for (int c = 0; c < g->n_classes && c < MOST_CLASSES; ++c) {
    char label[32], name[NAME_BYTES] = "";
    snprintf(label, sizeof label, "  %d", c);
    if (g->classes.n > 0) {
      const int64_t begin = g->classes.offsets[c], bytes = g->classes.offsets[c + 1] - begin;
      trm_text_escape(g->classes.bytes + begin, bytes, name, sizeof name);
    }
    trm_describe_row(file, label, "%14s  %5.1f %%%s%s", count(sizes[c]).text,
                     100.0 * (double)sizes[c] / (double)n, name[0] ? "  " : "", name);
  }
  if (g->n_classes > MOST_CLASSES) trm_describe_row(file, "  ...", "%s", "");
  TRM_FREE(sizes);
  return TRM_OK;
}

static void describe_splits(const trm_graph *g, FILE *file) {
  trm_describe_row(file, "splits", "%14d", g->n_splits);
  for (int s = 0; s < g->n_splits && s < MOST_SPLITS; ++s) {
    const trm_ids *parts = &g->splits[s * TRM_N_SUBSETS];
    const int64_t in = parts[0].n + parts[1].n + parts[2].n;
    char label[32];
    snprintf(label, sizeof label, "  %d", s);
    trm_describe_row(file, label, "%14s  train, %s valid, %s test, %s in none",
                     count(parts[TRM_SUBSET_TRAIN].n).text, count(parts[TRM_SUBSET_VALID].n).text,
                     count(parts[TRM_SUBSET_TEST].n).text, count(g->n_nodes - in).text);
  }
  if (g->n_splits > MOST_SPLITS) trm_describe_row(file, "  ...", "%s", "");
}

static void describe_folds(const trm_graph_file *f, FILE *file) {
  trm_describe_row(file, "folds", "%14d", f->graph.n_folds);
  for (int k = 0; k < f->graph.n_folds && k < MOST_SPLITS; ++k) {
    char label[32];
    snprintf(label, sizeof label, "  %d", k);
    trm_describe_row(file, label, "%14s  graphs", count(f->splits[k].n).text);
  }
  if (f->graph.n_folds > MOST_SPLITS) trm_describe_row(file, "  ...", "%s", "");
}

static trm_status describe_interactions(const trm_graph_file *f, FILE *file) {
  const trm_graph *g = &f->graph;
  const double pairs = (double)g->n_users * (double)g->n_items;
  int64_t unseen = 0;
  for (int64_t i = g->n_users; i < g->n_nodes; ++i) {
    unseen += g->in.offsets[i] == g->in.offsets[i + 1];
  }
  trm_describe_row(file, "users", "%14s", count(g->n_users).text);
  trm_describe_row(file, "items", "%14s  %s of them in no training list", count(g->n_items).text,
                   count(unseen).text);
  trm_describe_row(file, "train", "%14s  interactions, %.3f %% of all pairs%s",
                   count(g->train.n_edges).text, 100.0 * (double)g->train.n_edges / pairs,
                   f->duplicates > 0 ? ", repeated ones left out" : "");
  trm_describe_row(file, "test", "%14s  interactions", count(g->test.n_edges).text);
  TRM_TRY(describe_lengths(file, "per user", g->train.offsets, g->n_users, "items a user"));
  TRM_TRY(describe_lengths(file, "  to find", g->test.offsets, g->n_users, "items a user"));
  return describe_lengths(file, "per item", g->in.offsets + g->n_users, g->n_items,
                          "users an item");
}

/**
 * Prints what `trireme inspect` shows: kind, sizes, degrees, isolated nodes, classes, splits. Not
 * collective.
 */
trm_status trm_graph_describe(const trm_graph *graph, FILE *file) {
  const trm_graph_file *f = (const trm_graph_file *)(const void *)graph;
  trm_describe_head(file, graph->path, trm_graph_kind_name(graph->kind), graph->source,
                    graph->created_by);
  if (graph->kind == TRM_GRAPH_INTERACTIONS) {
    TRM_TRY(describe_interactions(f, file));
  } else {
    if (graph->kind == TRM_GRAPH_SET) {
      trm_describe_row(file, "graphs", "%14s", count(graph->n_graphs).text);
      TRM_TRY(describe_lengths(file, "sizes", graph->graphs, graph->n_graphs, "nodes a graph"));
    }
    TRM_TRY(describe_edges(f, file));
    describe_features(graph, file);
    if (graph->names.n > 0)
      trm_describe_row(file, "names", "%14s  nodes have names", count(graph->names.n).text);
    const bool set = graph->kind == TRM_GRAPH_SET;
    TRM_TRY(describe_classes(graph, set ? graph->n_graphs : graph->n_nodes, file));
    if (set) {
      describe_folds(f, file);
    } else {
      describe_splits(graph, file);
    }
  }
  trm_describe_row(file, "digest", "%016" PRIx64, graph->digest);
  if (fflush(file) != 0 || ferror(file)) {
    return trm_fail(TRM_ERR_IO, "%s: its description could not be written", graph->path);
  }
  return TRM_OK;
}
