/**
 * The loader of graph batches: cuts out, on threads of its own, what this rank's blocks of each step
 * need of a graph. Global batch `step` holds samples [step B, (step + 1) B) of the endless stream of
 * epochs, each a keyed permutation of the training samples; where B does not divide an epoch, the
 * stream goes on into the next. The batch is cut into V blocks; which samples a block has and what is
 * drawn for them depends on (seed, step) alone.
 *
 * Every sample comes exactly once an epoch. One that comes twice in a block (a seam of epochs, or a
 * batch larger than an epoch) has its rows twice there, and counts twice in the loss.
 * Not collective; knows nothing of MPI.
 */
#ifndef TRIREME_INPUT_GRAPH_LOADER_H
#define TRIREME_INPUT_GRAPH_LOADER_H

#include "trireme/input/field.h"
#include "trireme/input/neighbor_sampler.h"
#include "trireme/input/partition.h"

/** What samples are, and what a block is made of. */
typedef enum trm_graph_batching {
  TRM_BATCH_NEIGHBOR, /* training nodes: what neighbour sampling draws from these seeds */
  TRM_BATCH_CLUSTER,  /* clusters: the graph induced by those of the block. Clusters of different
                         epochs in one block (at a seam) have no edges between them. Those past the
                         last one with a node of `train` are never taken (trm_partition_lead) */
  TRM_BATCH_SET,      /* graphs of a set: those of the block side by side */
  TRM_BATCH_PAIRS,    /* training pairs of user and item, each with an item the user did not choose;
                         one collection for the whole batch, the same on every rank */
} trm_graph_batching;

typedef struct trm_graph_loader_options {
  trm_graph_batching kind;
  uint64_t seed;
  int64_t batch;                /* B, global */
  int64_t n_blocks;             /* V */
  int64_t first_block, n_local; /* this caller's blocks */
  int64_t first_step;           /* O(1) seek */
  int64_t end_step;             /* one past the last step to make */
  int depth;                    /* batches made ahead, >= 1 */
  int n_threads; /* that make them, >= 1: each has 4 bytes for every node; no more than
                                   `depth` have work at a time. What they make does not depend on it */
  trm_ids
      train; /* neighbor: training nodes; cluster: nodes whose labels count; set: training graphs */
  /* cluster: the clusters. neighbor: the batch is put in order of parts before it is cut, so that
   * seeds of a block lie close together; NULL: stream order. pairs: into V parts, whose order is that
   * of the collection; block b of this caller has the rows of part b. Kept. */
  const trm_partition *partition;
  const trm_field *field;       /* pairs: what the caller has of the whole graph; kept */
  trm_neighbor_options sampler; /* hops, fan-outs, drop_edge; its seed is not used */
  bool fetched; /* features come from elsewhere: blocks say which nodes' in `inputs` */
} trm_graph_loader_options;

/** One block, ready to be put into a batch of `model`. */
typedef struct trm_graph_block {
  int64_t n_samples;
  const int64_t
      *samples; /* [n_samples] ids: epoch * samples of an epoch + place in the epoch's list */
  trm_subgraph subgraph;
  /* of subgraph.inputs. Dense: rows of graph->dense, `fetched`: rows of what is fetched for `inputs`
   * (`dense` is the caller's to set); sparse: rows and transpose made here. */
  trm_features features;
  int64_t n_inputs; /* with `fetched`: nodes whose features are needed, each once */
  const int32_t *inputs;
  int64_t n_targets;      /* rows of the last hop, or graphs of a set */
  const int32_t *targets; /* labels; -1: does not count */
  int64_t n_graphs;       /* of a set */
  const int64_t *graphs;  /* [n_graphs + 1] first row of each */
} trm_graph_block;

/** This caller's part of a batch. */
typedef struct trm_graph_step {
  int64_t step, n_local;
  const trm_graph_block *blocks; /* [n_local] */
  /* pairs, of the whole batch; NULL otherwise. Rows of the collection are those of the caller's nodes
   * in the partition's order. */
  const trm_collection *collection;
  const trm_triplets *triplets;
  const trm_hop *last; /* the field's last hop, to nodes of the collection alone */
} trm_graph_step;

typedef struct trm_graph_loader trm_graph_loader;

/**
 * Keeps graph and partition. From now on the loader's threads read the graph, as others may.
 * @return TRM_ERR_ARG for options that do not fit together or to the graph, TRM_ERR_DATA when there
 *         are no samples, or a user has chosen all items
 */
trm_status trm_graph_loader_create(const trm_graph *graph, const trm_graph_loader_options *options,
                                   trm_graph_loader **out);
/** Waits for the next step's batch; valid until the following call. Buffers grow until they have seen
 *  the largest block; where bounds are close (fan-outs >= 0, sets) and come to no more than 256 MiB in
 *  all, create takes everything. */
trm_status trm_graph_loader_next(trm_graph_loader *loader, trm_graph_step *batch);
/** At once, whatever the threads are doing. */
void trm_graph_loader_destroy(trm_graph_loader **loader);

/** Samples of an epoch. */
int64_t trm_graph_epoch_samples(const trm_graph *graph, const trm_graph_loader_options *options);
/** Ids of the samples of a step without making it: ids[B], those of block b are [offsets[b],
 *  offsets[b + 1]) of the V. first_block and so on are not used. Allocates; any thread. */
trm_status trm_graph_samples(const trm_graph *graph, const trm_graph_loader_options *options,
                             int64_t step, int64_t *ids, int64_t *offsets);

/** Sizes that no block of any step exceeds, for a dry pass: counts are filled, arrays are NULL but for
 *  those of the structs inside, which point at each other (not to be copied). */
typedef struct trm_graph_bounds {
  trm_graph_block block;
  trm_csr sparse, transposed; /* block.features' */
  trm_collection collection;  /* pairs */
  trm_triplets triplets;
  trm_csr uses;
  trm_hop last;
} trm_graph_bounds;
trm_status trm_graph_loader_bounds(const trm_graph *graph, const trm_graph_loader_options *options,
                                   trm_graph_bounds *bounds);

#endif
