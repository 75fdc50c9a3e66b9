/** Batches of nodes, from the keys sampler.*: which samples there are and how they are drawn. */
#ifndef TRIREME_TRAIN_NODE_BATCHES_H
#define TRIREME_TRAIN_NODE_BATCHES_H

#include "graph_batches.h"
#include "graph_store.h"

/** Keys of the ways to sample, which sampler.kind selects. */
extern const trm_config_part trm_neighbor_batches, trm_cluster_batches, trm_neighbor_halo,
    trm_cluster_halo;

/** sampler.fanout for a model of n_hops layers. @return TRM_ERR_CONFIG */
trm_status trm_fanout_parse(const char *text, int n_hops, int64_t *fanout);

/** Whether sampler.kind is `cluster`; then samples are parts of a partition into sampler.clusters. */
bool trm_node_batches_clusters(const trm_config *config);
/** The clusters: METIS, balanced on training nodes. Samples are the first *n, which have some; a batch
 *  of others would have no loss. Checked against batch.size. Collective. */
trm_status trm_node_batches_cut(trm_comm *comm, const trm_config *config,
                                const trm_graph_store *store, trm_ids train,
                                trm_partition **clusters, int64_t *n);
/** The way of batching that sampler.kind asks for, with its options. */
typedef struct trm_node_batching {
  trm_neighbor_batching neighbors;
  trm_cluster_batching clusters;
} trm_node_batching;
/**
 * Fills what the way takes, and the options of the loader but for the batch's sizes; these keep *way.
 * @param[in] parts     seeds are put in their order
 * @param[in] clusters  NULL: neighbours are sampled
 * @param[in] fetched   features come from other ranks
 */
trm_status trm_node_batches_options(const trm_config *config, int n_hops, const trm_node_data *data,
                                    trm_ids train, const trm_partition *parts,
                                    const trm_partition *clusters, bool fetched,
                                    trm_node_batching *way, trm_graph_loader_options *options);

#endif
