/**
 * Graphs: what every data set of graphs has (data/FORMAT.md). Its kinds have more, each in a struct of
 * its own that begins with the graph:
 *
 *   trireme/input/node_data.h     one graph whose nodes have classes, and splits of the nodes
 *   trireme/input/graph_set.h     a set of small graphs with classes and folds
 *   trireme/input/interactions.h  users and items, and which user chose which item
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
#include "trireme/input/lists.h"
#include "trireme/input/subset.h"

typedef struct trm_graph {
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

  trm_texts names; /* of the nodes, if the file has them */

  struct trm_graph_file *file; /* what opened it, private to `input`; NULL: made in memory */
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
 * Opens and checks a data set of any kind that is made of graphs, for what looks at the graph alone:
 * every array in full, before anything is sized by its content. trm_node_data_of and the like say of
 * which kind it is.
 *
 * Not collective without `memory`; with it as collective as its functions, which are called in the
 * same order by all, whatever fails.
 *
 * @param[out] out       NULL after a failure
 * @param[in]  memory    NULL: in this process; copied, its context must outlive the graph
 * @param[in]  features  false: dense features stay in the file, which stays open
 *                       (trm_graph_features_read); sparse ones are always read. They are checked in
 *                       any case
 * @return TRM_ERR_DATA, TRM_ERR_IO, TRM_ERR_MEMORY, the same on all
 *
 * Cost: the file's arrays once, 8 bytes a node while symmetry is checked; a graph that is not
 * symmetric also has its transpose, 4 bytes an edge (12 with weights).
 */
trm_status trm_graph_open(const char *path, const trm_graph_memory *memory, bool features,
                          trm_graph **out);
/** Releases a graph of any kind that was opened, all but memory that trm_graph_memory gave. NULL is
 *  accepted. The message of a failure before is kept. Not collective. */
void trm_graph_close(trm_graph **graph);

/**
 * Dense features of some nodes, from memory or from the file. Out of the file neighbouring ids are read
 * as one range, so sorted lists are cheapest. Not collective; any thread.
 *
 * @param[out] out    [n, n_features]
 * @param[in]  nodes  [n] ids, in any order
 * @return TRM_ERR_IO or TRM_ERR_DATA when the file cannot be read any more
 */
trm_status trm_graph_features_read(const trm_graph *graph, const int32_t *nodes, int64_t n,
                                   float *out);

/** Prints what `trireme inspect` shows of an open data set, whatever its kind: sizes, degrees, isolated
 *  nodes, classes, splits. Not collective. @return TRM_ERR_IO, TRM_ERR_MEMORY */
trm_status trm_graph_describe(const trm_graph *graph, FILE *file);

#endif
