/**
 * Ways of batching: what the samples of a graph data set are, and what a block of them is made of. Each
 * has options of its own; trm_graph_loader (trireme/input/graph_loader.h) does what they have in common.
 * Options, and all they point to, are kept by what is made from them.
 */
#ifndef TRIREME_INPUT_BATCHING_H
#define TRIREME_INPUT_BATCHING_H

#include "trireme/input/field.h"
#include "trireme/input/graph_set.h"
#include "trireme/input/interactions.h"
#include "trireme/input/neighbor_sampler.h"
#include "trireme/input/node_data.h"
#include "trireme/input/partition.h"

/** A way, by its name in src/input/batches/batching_list.h, and its options. */
typedef struct trm_batching {
  const char *name;
  const void *options;
} trm_batching;

/** Samples are training nodes; a block is what neighbour sampling draws from its own, the seeds. */
typedef struct trm_neighbor_batching {
  const trm_node_data *data;
  trm_ids train;
  /* The batch is put in order of parts before it is cut, so that seeds of a block lie close together;
   * NULL: in the order of the stream. */
  const trm_partition *partition;
  trm_neighbor_options neighbors; /* its seed is not used */
  bool fetched; /* features come from elsewhere: blocks say which nodes' in `inputs` */
} trm_neighbor_batching;
static inline trm_batching trm_batching_by_neighbors(const trm_neighbor_batching *options) {
  return (trm_batching){"neighbor", options};
}

/** Samples are clusters; a block is the graph induced by its own. Clusters of different epochs in one
 *  block (at a seam) have no edges between them. Those past the last one with a node of `train` are never
 *  taken (trm_partition_lead). */
typedef struct trm_cluster_batching {
  const trm_node_data *data;
  trm_ids train; /* nodes whose labels count */
  const trm_partition *clusters;
  int n_hops;
  double drop_edge; /* as trm_neighbor_options */
  bool fetched;     /* as trm_neighbor_batching */
} trm_cluster_batching;
static inline trm_batching trm_batching_by_clusters(const trm_cluster_batching *options) {
  return (trm_batching){"cluster", options};
}

/** Samples are graphs of a set; a block has its own side by side. Blocks are packed to cost about the
 *  same. */
typedef struct trm_set_batching {
  const trm_graph_set *set;
  trm_ids train;
  int n_hops;
  double drop_edge;
} trm_set_batching;
static inline trm_batching trm_batching_by_graphs(const trm_set_batching *options) {
  return (trm_batching){"set", options};
}

/** Samples are training pairs of user and item, each with an item the user did not choose; one collection
 *  for the whole batch, the same on every rank. */
typedef struct trm_pair_batching {
  const trm_interactions *data;
  /* Into V parts, whose order is that of the collection; block b of the caller has the rows of part b. */
  const trm_partition *partition;
  const trm_field *field; /* what the caller has of the whole graph */
  double drop_edge;
  /* Of rows of other processes, handed on: those of the collection, and sources of the last hop; NULL:
   * there are none. */
  const struct trm_row_exchange *rows, *sources;
} trm_pair_batching;
static inline trm_batching trm_batching_by_pairs(const trm_pair_batching *options) {
  return (trm_batching){"pairs", options};
}

#endif
