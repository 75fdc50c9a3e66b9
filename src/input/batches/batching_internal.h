/**
 * Ways of batching, and what the files of trireme/input/graph_loader.h share. A way is a table of
 * functions (trm_batching_way) in a file of its own, batching_*.c.
 */
#ifndef TRIREME_INPUT_BATCHING_INTERNAL_H
#define TRIREME_INPUT_BATCHING_INTERNAL_H

#include "ranked_internal.h"
#include "sampler_internal.h"
#include "trireme/input/graph_loader.h"

typedef struct trm_batching_way trm_batching_way;

/** What the options of a way come to, for what all ways have in common. */
typedef struct trm_batching_facts {
  const trm_graph *graph;
  const trm_classes *classes; /* of the samples; NULL: samples have none */
  trm_ids train;
  int64_t n_epoch; /* samples of an epoch */
  const trm_partition *partition;
  trm_neighbor_options neighbors; /* hops, fan-outs, drop_edge */
  bool featureless;               /* blocks have no features */
  bool fetched;
} trm_batching_facts;

/** Options of a loader, resolved. */
typedef struct trm_batching_plan {
  const trm_batching_way *way;
  trm_batching_facts facts;
  trm_graph_loader_options options;
} trm_batching_plan;

/** Finds the way and checks options against each other and the graph.
 *  @return TRM_ERR_ARG, or TRM_ERR_DATA when there are no samples */
trm_status trm_batching_plan_make(const trm_graph_loader_options *options, trm_batching_plan *plan);
/** The way of that name; NULL: none. */
const trm_batching_way *trm_batching_find(const char *name);

/* ---- dealing: graph_deal.c -------------------------------------------------------------------- */

/** Which samples are in which block of a step. Belongs to one thread. */
typedef struct trm_deal {
  const trm_batching_plan *plan; /* kept */
  int64_t *ids;                  /* [B] of the samples of a step, block after block */
  int64_t *offsets;              /* [V + 1] */
  int64_t *stream;               /* [B] of a way that deals: ids in order of the stream */
  void *scratch;                 /* of the way */
} trm_deal;

/** Keeps `plan`. */
trm_status trm_deal_create(const trm_batching_plan *plan, trm_deal **out);
void trm_deal_destroy(trm_deal **deal);
/** Offsets, and ids of at least the blocks [first, first + n). */
void trm_deal_step(trm_deal *deal, int64_t step, int64_t first, int64_t n);

/* ---- blocks: graph_blocks.c ------------------------------------------------------------------- */

/** Memory of one block. */
typedef struct trm_block_store {
  trm_subgraph_store subgraph;
  trm_sparse_rows *rows; /* sparse features */
  trm_csr sparse, transposed;
  int32_t *nodes;  /* seeds, nodes of clusters, or graphs */
  int64_t *groups; /* [epochs of the block + 1] of clusters */
  int32_t *targets;
  int32_t *inputs, *input_rows; /* fetched features */
  int64_t nodes_room, groups_room, targets_room, inputs_room, input_rows_room;
} trm_block_store;

/** Makes blocks. Belongs to one thread. */
typedef struct trm_block_maker {
  const trm_batching_plan *plan; /* kept */
  trm_neighbor_sampler *sampler;
  void *self; /* one block of the way's; owned */
} trm_block_maker;

/** Keeps `plan`. After a failure too, *maker is for trm_block_maker_release. */
trm_status trm_block_maker_init(trm_block_maker *maker, const trm_batching_plan *plan);
void trm_block_maker_release(trm_block_maker *maker);
/** Of a zeroed store; after a failure too it is for trm_block_store_release. */
trm_status trm_block_store_init(const trm_block_maker *maker, trm_block_store *store);
void trm_block_store_release(trm_block_store *store);
/** Takes the memory that blocks within `bounds` need, where a block is kept. */
trm_status trm_block_store_reserve(const trm_block_maker *maker, const trm_graph_bounds *bounds,
                                   trm_block_store *store);
/** Bytes of that. */
int64_t trm_block_store_bytes(const trm_graph *graph, const trm_graph_bounds *bounds);
/** samples[n] as dealt; kept until the block is made anew. */
trm_status trm_block_make(trm_block_maker *maker, int64_t step, const int64_t *samples, int64_t n,
                          trm_block_store *store, trm_graph_block *block);
/** The node, or graph, that a sample is, where samples are those of facts.train. */
int32_t trm_sample_node(const trm_batching_plan *plan, int64_t sample);
/** Those of the block's samples, into store->nodes. */
trm_status trm_block_list_samples(const trm_block_maker *maker, const trm_graph_block *block,
                                  trm_block_store *store);
/** Memory of n hops; transposed: as in graphs that are not symmetric. */
trm_status trm_block_reserve_hops(const trm_block_maker *maker, const trm_subgraph *bounds, int n,
                                  bool transposed, trm_subgraph_store *store);
/** Memory of a hop that is one for all layers, as induced subgraphs have. */
trm_status trm_block_reserve_one_hop(const trm_block_maker *maker, const trm_subgraph *bounds,
                                     trm_subgraph_store *store);
/** Room for n rows of n_entries in all. */
trm_status trm_sparse_rows_reserve(trm_sparse_rows *rows, int64_t n, int64_t n_entries);

/* ---- bounds: graph_bounds.c ------------------------------------------------------------------- */

/** Epochs that n samples one after another can be of. */
int64_t trm_epochs_met(const trm_batching_plan *plan, int64_t n);
/** Sum of the n largest sizes when no epoch has one twice; sorts `sizes`. */
int64_t trm_largest_sum(trm_ranked *sizes, int64_t n_sizes, int64_t n, int64_t n_epochs);

/* ---- ways ------------------------------------------------------------------------------------- */

struct trm_batching_way {
  const char *name;
  void (*facts)(const void *options, trm_batching_facts *facts);
  /** Checks what is this way's own. NULL: nothing. @return TRM_ERR_ARG */
  trm_status (*check)(const trm_batching_plan *plan);
  /** Fills what no block exceeds; block.n_samples is there, features are filled in after. */
  trm_status (*bounds)(const trm_batching_plan *plan, trm_graph_bounds *bounds);
  /** Whether bounds are near what blocks have, so that memory may be taken by them. NULL: never. */
  bool (*bounds_are_close)(const trm_batching_plan *plan);

  /** Scratch of dealing. Where it leaves NULL, or is NULL, blocks are cut out of the stream as it is. */
  trm_status (*deal_create)(const trm_batching_plan *plan, void **scratch);
  void (*deal_destroy)(void *scratch);
  /** From deal->stream to ids; offsets are equal shares, which may be changed. */
  void (*deal)(trm_deal *deal);

  /** Blocks: the subgraph of block->samples, n_targets, graphs. NULL: a block is its samples alone. */
  trm_status (*cut)(trm_block_maker *maker, int64_t step, trm_block_store *store,
                    trm_graph_block *block);
  /** What is in maker->self. NULL: nothing. */
  trm_status (*maker_init)(trm_block_maker *maker);
  /** The target that store->nodes[i] is. NULL: its label. */
  int32_t (*target)(const trm_block_maker *maker, int32_t node);
  /** Memory for blocks within bounds: of a maker (NULL: none), and what is the way's of a store. */
  trm_status (*reserve_maker)(trm_block_maker *maker, const trm_graph_bounds *bounds);
  trm_status (*reserve_store)(const trm_block_maker *maker, const trm_graph_bounds *bounds,
                              trm_block_store *store);

  /** What is made of the batch as a whole, by a maker of each thread into a store of each slot; `bounds`
   *  are this way's. NULL, and all three after it: nothing, blocks know nothing of each other. */
  void (*batch_make)(void *maker, int64_t step, const trm_deal *deal, void *store,
                     trm_graph_batch *batch);
  trm_status (*batch_maker_create)(const trm_batching_plan *plan, void **maker);
  void (*batch_maker_destroy)(void **maker);
  trm_status (*batch_store_create)(const void *maker, const trm_graph_bounds *bounds, void **store);
  void (*batch_store_destroy)(void **store);
};

#define TRM_BATCHING(name) extern const trm_batching_way trm_batching_way_##name;
#include "batching_list.h"
#undef TRM_BATCHING

#endif
