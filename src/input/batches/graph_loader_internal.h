/** What the files of trireme/input/graph_loader.h share. */
#ifndef TRIREME_INPUT_GRAPH_LOADER_INTERNAL_H
#define TRIREME_INPUT_GRAPH_LOADER_INTERNAL_H

#include "sampler_internal.h"
#include "trireme/input/graph_loader.h"

/** Something with a cost, to be put in order: by key, then by tie. */
typedef struct trm_ranked {
  int64_t key, tie;
} trm_ranked;
void trm_ranked_sort(trm_ranked *items, int64_t n);

/** Which samples are in which block of a step: graph_deal.c. Belongs to one thread. */
typedef struct trm_deal {
  const trm_graph *graph; /* kept */
  trm_graph_loader_options options;
  int64_t n_epoch;    /* samples of an epoch */
  int64_t *ids;       /* [B] of the samples of a step, block after block */
  int64_t *offsets;   /* [V + 1] */
  int64_t *stream;    /* [B] scratch: ids in order of the stream */
  int64_t *heads;     /* [parts + 1] scratch of ordering by part, [V + 1] of sets */
  trm_ranked *graphs; /* [B] scratch of sets */
  trm_ranked *loads;  /* [V] scratch of sets */
  int64_t *block_of;  /* [B] scratch of sets */
} trm_deal;

trm_status trm_graph_loader_check(const trm_graph *graph, const trm_graph_loader_options *options);
trm_status trm_deal_create(const trm_graph *graph, const trm_graph_loader_options *options,
                           trm_deal **out);
void trm_deal_destroy(trm_deal **deal);
/** Offsets, and ids of at least the blocks [first, first + n). */
void trm_deal_step(trm_deal *deal, int64_t step, int64_t first, int64_t n);
/** What a graph of a set costs: 1 + nodes + edges. */
int64_t trm_set_cost(const trm_graph *graph, int64_t g);

/** Memory of one block, and of the pairs of a batch. */
typedef struct trm_block_store {
  trm_subgraph_store subgraph;
  trm_feature_rows *rows; /* sparse features */
  trm_csr sparse, transposed;
  int32_t *nodes;  /* seeds, nodes of clusters, or graphs */
  int64_t *groups; /* [epochs of the block + 1] of clusters */
  int32_t *targets;
  int32_t *inputs, *input_rows; /* fetched features */
  int64_t nodes_room, groups_room, targets_room, inputs_room, input_rows_room;
} trm_block_store;

/** Makes blocks: graph_blocks.c. Belongs to one thread. */
typedef struct trm_block_maker {
  const trm_graph *graph;                  /* kept */
  const trm_graph_loader_options *options; /* kept */
  int64_t n_epoch;
  trm_neighbor_sampler *sampler;
  uint8_t *counts; /* [n_nodes] clusters: whose label counts */
} trm_block_maker;

trm_status trm_block_maker_init(trm_block_maker *maker, const trm_graph *graph,
                                const trm_graph_loader_options *options);
void trm_block_maker_release(trm_block_maker *maker);
trm_status trm_block_store_init(const trm_block_maker *maker, trm_block_store *store);
void trm_block_store_release(trm_block_store *store);
/** Take the memory that blocks within `bounds` need: of a maker, and where a block is kept. */
trm_status trm_block_maker_reserve(trm_block_maker *maker, const trm_graph_bounds *bounds);
trm_status trm_block_store_reserve(const trm_block_maker *maker, const trm_graph_bounds *bounds,
                                   trm_block_store *store);
/** Bytes of that. */
int64_t trm_block_store_bytes(const trm_graph *graph, const trm_graph_bounds *bounds);
/** samples[n] as dealt; kept until the block is made anew. */
trm_status trm_block_make(trm_block_maker *maker, int64_t step, const int64_t *samples, int64_t n,
                          trm_block_store *store, trm_graph_block *block);
/** Room for n rows of n_entries in all. */
trm_status trm_feature_rows_reserve(trm_feature_rows *rows, int64_t n, int64_t n_entries);

/** The last hop to the nodes of a batch: pair_hop.c. */
typedef struct trm_pair_hop {
  int64_t *in_offsets, *out_offsets;
  int32_t *in_columns, *out_columns;
  float *degrees, *counts; /* [nodes of the batch] */
  trm_hop hop;
} trm_pair_hop;

/** Pairs of user and item: graph_pairs.c. */
typedef struct trm_pair_store {
  int32_t *users, *positives, *negatives; /* [B] */
  int32_t *rows;                          /* [min(3 B, own nodes)] */
  int32_t *ids;                           /* [min(3 B, n_nodes)] of the collection's nodes */
  int64_t *uses_offsets;                  /* [min(3 B, n_nodes) + 1] */
  int32_t *uses_columns;                  /* [3 B] */
  int64_t *blocks;                        /* [n_local + 1] */
  trm_csr uses;
  trm_collection collection;
  trm_triplets triplets;
  trm_pair_hop last;
} trm_pair_store;
typedef struct trm_pair_maker {
  const trm_graph *graph;                  /* kept */
  const trm_graph_loader_options *options; /* kept */
  int32_t *place;                          /* [n_nodes] of a node in the partition's order */
  uint64_t *marks;  /* bit set of places that are in the batch; all 0 between batches */
  int32_t *numbers; /* [n_nodes] of places in the collection; all -1 between batches */
  int32_t
      *columns; /* [columns of the whole hop's `out`] scratch: their numbers in the collection */
} trm_pair_maker;
trm_status trm_pair_maker_init(trm_pair_maker *maker, const trm_graph *graph,
                               const trm_graph_loader_options *options);
void trm_pair_maker_release(trm_pair_maker *maker);
/** Memory for batches within `bounds`. */
trm_status trm_pair_store_init(const trm_pair_maker *maker, const trm_graph_bounds *bounds,
                               trm_pair_store *store);
void trm_pair_store_release(trm_pair_store *store);
/** Of a batch: ids[B] and offsets[V + 1] as dealt. */
void trm_pairs_make(trm_pair_maker *maker, int64_t step, const int64_t *ids, const int64_t *offsets,
                    trm_pair_store *store);

/** Counts that no batch exceeds, for collections within `most`. */
trm_status trm_pair_hop_bounds(const trm_graph *graph, const trm_graph_loader_options *options,
                               const trm_collection *most, trm_hop *hop);
trm_status trm_pair_hop_init(const trm_graph_loader_options *options, const trm_hop *most,
                             trm_pair_hop *hop);
void trm_pair_hop_release(trm_pair_hop *hop);
/** For the collection of a batch, whose nodes are ids[collection->n] and have their numbers in the
 *  maker; both are kept until the hop is made anew. */
void trm_pair_hop_make(const trm_pair_maker *maker, int64_t step, const trm_collection *collection,
                       const int32_t *ids, trm_pair_hop *hop);

#endif
