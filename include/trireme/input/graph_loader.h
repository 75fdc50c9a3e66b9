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

#include "trireme/input/batching.h"

typedef struct trm_graph_loader_options {
  trm_batching way; /* what samples are, and what a block is made of */
  uint64_t seed;
  int64_t batch;                /* B, global */
  int64_t n_blocks;             /* V */
  int64_t first_block, n_local; /* this caller's blocks */
  int64_t first_step;           /* O(1) seek */
  int64_t end_step;             /* one past the last step to make */
  int depth;                    /* batches made ahead, >= 1 */
  int n_threads; /* that make them, >= 1: each has 4 bytes for every node; no more than
                                   `depth` have work at a time. What they make does not depend on it */
} trm_graph_loader_options;

/** One block, with what a pass takes. */
typedef struct trm_graph_block {
  int64_t n_samples;
  const int64_t
      *samples; /* [n_samples] ids: epoch * samples of an epoch + place in the epoch's list */
  /* Features are of subgraph.inputs. Dense: rows of graph->dense, fetched: rows of what is fetched for
   * `inputs` (`dense` is the caller's to set); sparse: rows and transpose made here. Targets are labels,
   * -1: does not count. */
  trm_graph_batch batch;
  int64_t n_targets; /* rows of the last hop, or graphs of a set */
  int64_t n_inputs;  /* fetched: nodes whose features are needed, each once */
  const int32_t *inputs;
  trm_subgraph subgraph; /* whose hops are the batch's */
} trm_graph_block;

/** This caller's part of a batch. */
typedef struct trm_graph_step {
  int64_t step, n_local;
  const trm_graph_block *blocks; /* [n_local] */
  /* Pairs: collection, triplets and last hop of the whole batch; without features and hops, which are the
   * field's. Rows of the collection are those of the caller's nodes in the partition's order. */
  trm_graph_batch batch;
} trm_graph_step;

typedef struct trm_graph_loader trm_graph_loader;

/**
 * Keeps what options.way points to. From now on the loader's threads read the graph, as others may.
 * @return TRM_ERR_ARG for options that do not fit together or to the graph, TRM_ERR_DATA when there
 *         are no samples, or a user has chosen all items
 */
trm_status trm_graph_loader_create(const trm_graph_loader_options *options, trm_graph_loader **out);
/** Waits for the next step's batch; valid until the following call. Buffers grow until they have seen
 *  the largest block; where bounds are close (fan-outs >= 0, sets) and come to no more than 256 MiB in
 *  all, create takes everything. */
trm_status trm_graph_loader_next(trm_graph_loader *loader, trm_graph_step *batch);
/** At once, whatever the threads are doing. */
void trm_graph_loader_destroy(trm_graph_loader **loader);

/** Samples of an epoch of a known way. */
int64_t trm_graph_epoch_samples(trm_batching way);
/** Ids of the samples of a step without making it: ids[B], those of block b are [offsets[b],
 *  offsets[b + 1]) of the V. first_block and so on are not used. Allocates; any thread.
 *  @return as trm_graph_loader_create */
trm_status trm_graph_samples(const trm_graph_loader_options *options, int64_t step, int64_t *ids,
                             int64_t *offsets);

/** Sizes that no block of any step exceeds, for a dry pass: counts are filled, arrays are NULL but for
 *  those of the structs inside, which point at each other (not to be copied). */
typedef struct trm_graph_bounds {
  trm_graph_block block;
  trm_csr sparse, transposed; /* block.batch.features' */
  trm_graph_batch batch;      /* of the whole batch: pairs */
  trm_collection collection;
  trm_triplets triplets;
  trm_csr uses;
  trm_hop last;
} trm_graph_bounds;
/** Not collective. Cost: O(nodes + samples log samples). @return as trm_graph_loader_create */
trm_status trm_graph_loader_bounds(const trm_graph_loader_options *options,
                                   trm_graph_bounds *bounds);

/** Passes over graphs of a set without a loader, for evaluation: buffers that grow and are kept. Belongs
 *  to one thread. */
typedef struct trm_set_passes trm_set_passes;
/** Keeps `set`. */
trm_status trm_set_passes_create(const trm_graph_set *set, int n_hops, trm_set_passes **out);
/** graphs[n] side by side, with all their edges; targets are their labels. Valid until the next call. */
trm_status trm_set_passes_make(trm_set_passes *passes, const int32_t *graphs, int64_t n,
                               trm_graph_batch *batch);
/** NULL is accepted; sets NULL. */
void trm_set_passes_destroy(trm_set_passes **passes);

#endif
