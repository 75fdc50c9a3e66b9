/** What the files that cut subgraphs out of a graph share: sampler.c, neighbor.c, induced.c. */
#ifndef TRIREME_INPUT_SAMPLER_INTERNAL_H
#define TRIREME_INPUT_SAMPLER_INTERNAL_H

#include "buffer_internal.h"
#include "trireme/input/graph_set.h"
#include "trireme/input/neighbor_sampler.h"

/** Memory of one hop; what counts edges or rows together grows together. */
typedef struct trm_hop_store {
  int64_t *in_offsets; /* [targets + 1] */
  float *counts;       /* [targets] */
  int64_t in_offsets_room, counts_room;
  int64_t *out_offsets; /* [sources + 1] */
  int64_t out_offsets_room;
  int32_t *in_columns, *out_columns; /* [edges] */
  int64_t in_columns_room, out_columns_room;
  float *values; /* [edges] of graphs with weights */
  int64_t *map;  /* [edges] of graphs with weights */
  int64_t values_room, map_room;
} trm_hop_store;

/** Memory of one subgraph. Hops borrow it: targets of a hop are the first of its sources, so ids and
 *  degrees of all hops are beginnings of one array. */
typedef struct trm_subgraph_store {
  int32_t *ids;   /* [inputs] */
  float *degrees; /* [inputs] */
  int64_t ids_room, degrees_room;
  int64_t *segments; /* [graphs of a union + 1] */
  int64_t segments_room;
  trm_hop_store hops[TRM_MAX_HOPS]; /* from the seeds back; [0] alone of induced graphs */
} trm_subgraph_store;

/** Releases the arrays and zeroes the struct. */
void trm_subgraph_store_release(trm_subgraph_store *store);

struct trm_neighbor_sampler {
  const trm_graph *graph; /* kept */
  trm_neighbor_options options;
  /* Row of a node in the subgraph that is being made: place[node] - base, when below its number of
   * rows as an unsigned number. What earlier subgraphs left is below base, and needs no clearing. */
  uint32_t *place; /* [n_nodes] */
  uint32_t base;
  int64_t *edges; /* scratch: of one hop, places in the graph's `in` */
  int64_t edges_room;
  uint64_t *chosen; /* scratch: bit set of the positions in a row, all 0 between rows */
  int64_t chosen_room;
  trm_subgraph_store store; /* of the public functions */
  /* Long work asks between hops whether to go on; may be NULL. */
  bool (*stopped)(void *context);
  void *context;
};

/** Makes place[] ready for a subgraph of at most `rows` rows. */
void trm_neighbor_sampler_begin(trm_neighbor_sampler *sampler, int64_t rows);
/** The subgraph has been made: its rows are no one's. */
void trm_neighbor_sampler_end(trm_neighbor_sampler *sampler, int64_t rows);

/** Scratch of hops that draw at most so many edges. */
trm_status trm_neighbor_sampler_reserve(trm_neighbor_sampler *sampler, int64_t n_edges);

/** Room for what a hop of these numbers has. */
trm_status trm_hop_store_rows(trm_hop_store *store, int64_t n_targets);
trm_status trm_hop_store_edges(trm_hop_store *store, int64_t n_edges, bool weights);
/** The hop in `store` (offsets, columns, values are there): counts, transpose, ids. */
trm_status trm_hop_finish(const trm_graph *graph, const trm_subgraph_store *from,
                          trm_hop_store *store, int64_t n_targets, int64_t n_sources,
                          bool symmetric, trm_hop *hop);

/** As the public functions, into memory of the caller's. */
trm_status trm_neighbor_sample_into(trm_neighbor_sampler *sampler, trm_subgraph_store *store,
                                    int64_t step, const int32_t *seeds, int64_t n,
                                    trm_subgraph *subgraph);
/** Groups of nodes without edges between them: group g is nodes [groups[g], groups[g + 1]), each
 *  node once in a group. */
trm_status trm_induced_into(trm_neighbor_sampler *sampler, trm_subgraph_store *store, int64_t step,
                            const int32_t *nodes, const int64_t *groups, int64_t n_groups,
                            trm_subgraph *subgraph);
/** The set must be that whose graph the sampler has. */
trm_status trm_union_into(trm_neighbor_sampler *sampler, const trm_graph_set *set,
                          trm_subgraph_store *store, int64_t step, const int32_t *graphs, int64_t n,
                          trm_subgraph *subgraph);

/** Bounds where up to `repeated` of the n seeds may be there more than once. */
void trm_neighbor_bounds_of(const trm_graph *graph, const trm_neighbor_options *options, int64_t n,
                            int64_t repeated, trm_subgraph *bounds);
/** Counts of an induced graph of n nodes. */
void trm_induced_bounds_of(int n_hops, int64_t n, int64_t n_edges, trm_subgraph *bounds);

#endif
