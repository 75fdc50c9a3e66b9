/**
 * Graph data sets: what `trireme prepare graph`, `graphs`, `interactions`, `debian --graph` and
 * `synth` wrote (data/FORMAT.md), opened and checked in full.
 *
 *   kind "graph"         nodes with features and labels, one graph, splits of the nodes
 *   kind "graphs"        a set of small graphs with labels and folds; nodes of a graph are contiguous
 *   kind "interactions"  users and items; nodes are the users, then the items; the graph holds the
 *                        training pairs in both directions
 *
 * Not collective; knows nothing of MPI. Memory may be shared by the processes of a host: the caller
 * says through trm_graph_memory where arrays live and which process reads them.
 */
#ifndef TRIREME_INPUT_GRAPH_H
#define TRIREME_INPUT_GRAPH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trireme/core/csr.h"
#include "trireme/core/status.h"
#include "trireme/input/subset.h"

typedef enum trm_graph_kind {
  TRM_GRAPH_NODES,
  TRM_GRAPH_SET,
  TRM_GRAPH_INTERACTIONS,
} trm_graph_kind;
const char *trm_graph_kind_name(trm_graph_kind kind); /* "graph", "graphs", "interactions" */

/** A list of ids, rising. */
typedef struct trm_ids {
  const int32_t *ids;
  int64_t n;
} trm_ids;

/** Texts one after another: text i is bytes [offsets[i], offsets[i + 1]). n = 0: none. */
typedef struct trm_texts {
  int64_t n;
  const int64_t *offsets;
  const char *bytes;
} trm_texts;

typedef struct trm_graph {
  trm_graph_kind kind;
  const char *path, *source, *created_by;
  uint64_t digest; /* content hash: the same on every rank if the files are */

  int64_t n_nodes;
  bool symmetric;       /* every edge has its reverse of the same weight: `out` is `in` */
  trm_csr in;           /* rows: destinations, columns: sources, rising in a row */
  trm_csr out;          /* the transpose; `map` only where edges have weights */
  const float *degrees; /* [n_nodes] sum of the weights of a row of `in` */

  int64_t n_features; /* 0: none */
  bool sparse;
  const float *dense; /* [n_nodes, n_features], NULL when sparse or not loaded */
  trm_csr features;   /* [n_nodes, n_features] when sparse; values NULL: all 1 */

  int n_classes;
  const int32_t *labels; /* [n_nodes] or [n_graphs], -1: missing; NULL for interactions */
  trm_texts classes;     /* names of the classes, if the file has them */
  trm_texts names;       /* names of the nodes, if the file has them */

  int n_splits;          /* of nodes; 0 for sets (folds) and interactions */
  const trm_ids *splits; /* [n_splits * TRM_N_SUBSETS]: trm_graph_split */

  int64_t n_graphs;
  const int64_t *graphs; /* [n_graphs + 1] first node of each graph */
  const int32_t *folds;  /* [n_graphs], in [0, n_folds) */
  int n_folds;

  int64_t n_users, n_items;
  trm_csr train, test; /* [n_users, n_items] lists of items, rising */
} trm_graph;

/** Where the arrays of a graph live. NULL: in this process. */
typedef struct trm_graph_memory {
  void *context;
  /** Memory that lives as long as the graph; *fill: this process writes it, others must not. All
   *  processes take the same pieces in the same order. */
  trm_status (*take)(void *context, int64_t bytes, const char *what, void **memory, bool *fill);
  /** Every process is through with what was taken so far, with this status; the same comes back to
   *  all. Afterwards all may read. */
  trm_status (*settle)(void *context, trm_status status);
} trm_graph_memory;

/**
 * Opens and checks everything before memory is sized by it.
 * @param features  false: leave the features in the file (trm_graph_features_read)
 */
trm_status trm_graph_open(const char *path, const trm_graph_memory *memory, bool features,
                          trm_graph **out);
void trm_graph_close(trm_graph **graph);

/** Nodes of one part of split `split`. Sets: graphs, where split k has fold k as its test part, fold
 *  (k + 1) mod n_folds as its valid part when `hold_out` (else the valid part is fold k too). */
trm_status trm_graph_split(const trm_graph *graph, int split, trm_subset subset, bool hold_out,
                           trm_ids *ids);
int trm_graph_n_splits(const trm_graph *graph);

/** Dense features of some nodes into out[n, n_features], from memory or from the file. */
trm_status trm_graph_features_read(const trm_graph *graph, const int32_t *nodes, int64_t n,
                                   float *out);

/** Prints what `trireme inspect` shows: kind, sizes, degrees, isolated nodes, classes, splits. */
trm_status trm_graph_describe(const trm_graph *graph, FILE *file);

#endif
