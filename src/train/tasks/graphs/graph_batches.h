/** Steps whose blocks are subgraphs of their own: sampled neighbours, clusters, graphs of a set. */
#ifndef TRIREME_TRAIN_GRAPH_BATCHES_H
#define TRIREME_TRAIN_GRAPH_BATCHES_H

#include "graph_store.h"
#include "task.h"
#include "trireme/input/graph_loader.h"

/** Keys of what cuts batches out. */
extern const trm_config_rows trm_batch_keys;
/** model.drop_edge, 0 of a family that passes no messages. */
double trm_drop_edge(const trm_config *config);

typedef struct trm_graph_batches trm_graph_batches;

/** Features that each rank has of its own nodes only (data.storage: partitioned). */
typedef struct trm_own_features {
  const trm_partition *partition; /* own nodes are those of own blocks, in its order */
  const float *rows;              /* [own nodes, n_features] */
  int64_t cache_bytes;            /* for rows of others */
} trm_own_features;

/**
 * Plans the learner's memory for the largest block. `options` says all but which blocks and steps.
 * Keeps all arguments. Collective.
 * @param own  NULL: features are in memory
 */
trm_status trm_graph_batches_create(trm_task *task, const trm_graph *graph,
                                    const trm_graph_loader_options *options,
                                    const trm_own_features *own, trm_learner *learner,
                                    trm_graph_batches **out);
void trm_graph_batches_destroy(trm_graph_batches **batches); /* collective */
trm_status trm_graph_batches_start(trm_graph_batches *batches, trm_gradsync *sync,
                                   int64_t first_step, int64_t end_step);
/** Forward and backward over own blocks. Collective when features are fetched. */
trm_status trm_graph_batches_run(trm_graph_batches *batches, int64_t step);
trm_status trm_graph_batches_samples(trm_graph_batches *batches, int64_t step, int64_t *ids,
                                     int64_t *offsets);

/** batch.blocks for batches of `batch` samples where the configuration leaves it to us, checked. */
trm_status trm_graph_batches_resolve(trm_task *task, int64_t n_samples, trm_config *config);

#endif
