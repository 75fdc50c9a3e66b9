/**
 * Subgraphs: the part of a graph that one block of seeds needs.
 *
 * What is drawn depends on (seed, step, hop, target node) alone, so it is the same for any layout.
 * Not collective; one sampler belongs to one thread.
 */
#ifndef TRIREME_INPUT_NEIGHBOR_SAMPLER_H
#define TRIREME_INPUT_NEIGHBOR_SAMPLER_H

#include "trireme/core/batch.h"
#include "trireme/input/graph_set.h"

enum { TRM_MAX_HOPS = 16 };

typedef struct trm_neighbor_options {
  int n_hops;
  int64_t fanout[TRM_MAX_HOPS]; /* sources of a target, in order of the layers from the seeds back;
                                   -1: all. fanout[0] is the last layer's */
  bool replace;                 /* draw with replacement: always fanout sources, some repeated */
  double drop_edge; /* in [0, 1): probability that an edge, once drawn, is left out; keyed by
                       (target, source), the same edges in all hops and in fields */
  uint64_t seed;
} trm_neighbor_options;

typedef struct trm_neighbor_sampler trm_neighbor_sampler;

/**
 * Keeps `graph`, copies `options`. Takes 4 bytes for each node; buffers grow to what the largest block
 * needs and are kept. Not collective.
 * @return TRM_ERR_ARG for more than TRM_MAX_HOPS hops, a fan-out below -1, drop_edge outside [0, 1)
 */
trm_status trm_neighbor_sampler_create(const trm_graph *graph, const trm_neighbor_options *options,
                                       trm_neighbor_sampler **out);
/** NULL is accepted; sets NULL. */
void trm_neighbor_sampler_destroy(trm_neighbor_sampler **sampler);

/** A subgraph; its arrays are owned by what filled it, valid until that is used again. */
typedef struct trm_subgraph {
  int n_hops;
  trm_hop
      hops[TRM_MAX_HOPS]; /* first layer's first; targets of a hop are the first of its sources */
  int64_t n_inputs;       /* sources of the first hop (seeds when there is no hop) */
  const int32_t *inputs;  /* [n_inputs] node ids */
} trm_subgraph;

/**
 * Neighbour sampling from seeds[n]: uniform, edges of a target in rising order of the source's id.
 * Every target of a hop draws anew, also one that was a target of the hop before (as DGL's blocks;
 * torch_geometric draws once). A seed that comes twice has two rows and is drawn for alike.
 * Source: Hamilton et al. 2017, arXiv:1706.02216, algorithm 2.
 * Of a hop: `out` is the transpose (values through its map), `self` NULL, target_counts what is left
 * of the degrees. Ids and degrees of all hops begin one array: targets are the first of the sources.
 */
trm_status trm_neighbor_sample(trm_neighbor_sampler *sampler, int64_t step, const int32_t *seeds,
                               int64_t n, trm_subgraph *subgraph);

/** The graph induced by nodes[n] (each once), the same for each of n_hops layers; edges to others
 *  are left out and target_counts tell. Rows are in the order of `nodes`. */
trm_status trm_induced_subgraph(trm_neighbor_sampler *sampler, int64_t step, const int32_t *nodes,
                                int64_t n, trm_subgraph *subgraph);

/** Graphs of a set as one graph of parts without edges between them, in their order; one that comes
 *  twice has its rows twice. The sampler's graph must be the set's. *segments: [n + 1] first row of each graph. */
trm_status trm_union_subgraph(trm_neighbor_sampler *sampler, const trm_graph_set *set, int64_t step,
                              const int32_t *graphs, int64_t n, trm_subgraph *subgraph,
                              const int64_t **segments);

/** Upper bounds of a subgraph from n different seeds, for planning memory: counts filled, arrays
 *  NULL. */
void trm_neighbor_bounds(const trm_graph *graph, const trm_neighbor_options *options, int64_t n,
                         trm_subgraph *bounds);

/** Sparse feature rows of nodes, with their transpose: buffers that grow and are kept. */
typedef struct trm_sparse_rows trm_sparse_rows;
/** Keeps `graph`, which must have sparse features. Not collective. */
trm_status trm_sparse_rows_create(const trm_graph *graph, trm_sparse_rows **out);
/** NULL is accepted; sets NULL. */
void trm_sparse_rows_destroy(trm_sparse_rows **rows);
/** The rows of nodes[n], in their order and also repeated ones, and the transpose. Both stay valid
 *  until the next call. Not collective. Cost: O(entries of the rows + n_features). */
trm_status trm_sparse_rows_take(trm_sparse_rows *rows, const int32_t *nodes, int64_t n,
                                trm_csr *sparse, trm_csr *transposed);

#endif
