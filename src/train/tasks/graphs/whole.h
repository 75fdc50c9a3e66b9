/**
 * Passes over a whole graph that is shared out among the ranks: each rank computes the rows of its
 * own blocks and gets those of others, layer by layer. All ranks run a pass together. Blocks and sums
 * are the same for any number of ranks, and so is every bit of the result.
 */
#ifndef TRIREME_TRAIN_WHOLE_H
#define TRIREME_TRAIN_WHOLE_H

#include "graph_store.h"
#include "trireme/comm/halo.h"
#include "trireme/comm/rows_share.h"
#include "trireme/input/field.h"
#include "trireme/model/model.h"
#include "trireme/nn/graph.h"
#include "trireme/train/learner.h"

typedef struct trm_whole trm_whole;

/**
 * @param seeds     nodes whose outputs are needed; NULL: all
 * @param backward  the pass will be walked backwards
 * Keeps all arguments. Collective; the status is the same on all ranks.
 */
trm_status trm_whole_create(trm_comm *comm, const trm_graph_store *store,
                            const trm_partition *partition, int n_hops, const trm_ids *seeds,
                            bool backward, trm_whole **out);
void trm_whole_destroy(trm_whole **whole); /* collective */

const trm_field *trm_whole_field(const trm_whole *whole);
/** What the model takes; targets are the caller's to add. Valid until the next drop_edges. */
trm_graph_batch trm_whole_batch(const trm_whole *whole);
/** The same for the pairs of a step (trm_graph_step.batch). */
trm_graph_batch trm_whole_batch_of_pairs(const trm_whole *whole, const trm_graph_batch *pairs);
/** What brings sources of the last hop from other ranks; NULL: one rank. */
const struct trm_row_exchange *trm_whole_sources(const trm_whole *whole);
/** Blocks weigh as much as they have targets >= 0 (batch statistics): targets[rows of the last hop]. */
void trm_whole_weigh(trm_whole *whole, const int32_t *targets);
/** Edges of this step are left out with probability p (DropEdge). Not collective. */
trm_status trm_whole_drop_edges(trm_whole *whole, double p, uint64_t seed, int64_t step);
/** Of this step the graph as it was before `day`, with days[edges of the graph], of whose edges some are
 *  left out with probability p (trm_field_before). Not collective. */
trm_status trm_whole_before(trm_whole *whole, const int32_t *days, int64_t day, double p,
                            uint64_t seed, int64_t step);
/** All edges again: for evaluation. */
void trm_whole_all_edges(trm_whole *whole);
/** A pass over this rank's blocks, without gradients. */
void trm_whole_pass(const trm_whole *whole, trm_pass *pass);
/** Dry pass; memory is reserved by the caller. */
trm_status trm_whole_plan(const trm_whole *whole, trm_learner *learner, bool training);
/** Memory for the rows of others that dry passes came to. Collective, and so is its failure. */
trm_status trm_whole_reserve(trm_whole *whole);
/** Rows of all nodes from own rows[own nodes, C] in the partition's order: all[n_nodes, C], by node, on
 *  every rank. Collective, and so is its failure. */
trm_status trm_whole_gather(const trm_whole *whole, const float *rows, int64_t C, float *all);

/** Brings rows of a collection together: each rank has a contiguous range of them. */
typedef struct trm_collector {
  trm_comm *comm; /* kept */
  int64_t *from;  /* [ranks + 1] which of them each rank has; owned */
  trm_row_exchange exchange;
} trm_collector;
/** Not collective. @return TRM_ERR_MEMORY */
trm_status trm_collector_init(trm_comm *comm, trm_collector *collector);
void trm_collector_release(trm_collector *collector);
/** What collections are given; NULL: one rank. */
const struct trm_row_exchange *trm_collector_exchange(const trm_collector *collector);
/** How many rows this rank has of the collection that comes next. Collective. */
void trm_collector_tell(trm_collector *collector, int64_t n_own);

/** Bytes sent for rows of others so far. */
int64_t trm_whole_bytes(const trm_whole *whole);

#endif
