/**
 * Partitions: an order of a graph's nodes in V contiguous parts, one a block of work.
 * Not collective; the same on every rank (METIS is called with a fixed seed).
 */
#ifndef TRIREME_INPUT_PARTITION_H
#define TRIREME_INPUT_PARTITION_H

#include "trireme/input/graph.h"

typedef struct trm_partition {
  int64_t n_nodes;
  int n_parts;
  int32_t *order;   /* [n_nodes] nodes by part, rising inside a part; owned */
  int32_t *part_of; /* [n_nodes]; owned */
  int64_t *offsets; /* [n_parts + 1] into order; owned */
} trm_partition;

/**
 * Cuts the nodes in their own order where the cost, 1 + edges of a node, is nearest to k / V of all.
 * With nodes of very many edges, or fewer nodes than parts, some parts are empty.
 *
 * Not collective. Cost: O(n_nodes + n_parts log n_nodes).
 */
trm_status trm_partition_contiguous(const trm_graph *graph, int n_parts, trm_partition **out);
/**
 * Multilevel cut of METIS, balanced on nodes, edges and the nodes in `balance` (training nodes; may
 * be empty).
 *
 * Not collective, one thread; the same graph, parts, balance and seed give the same partition on
 * every rank. METIS catches SIGABRT and SIGTERM while it runs, and draws from the C library's
 * rand(): no other thread may use that meanwhile (none of ours does). Call it from the main thread,
 * which is the one that the kernel hands SIGTERM to: METIS jumps out of its handler.
 *
 * One part, a graph without edges, and graphs with no more nodes than parts need no METIS, which
 * does not take all of them: they are partitioned as trm_partition_contiguous does.
 *
 * Cost: at the highest about 60 bytes for a directed edge (114 million edges: 7 GB, 40 s of one
 * processor), which is why processes of one host better share one result.
 * Source: Karypis, Kumar 1998, SIAM J. Sci. Comput. 20(1).
 */
trm_status trm_partition_metis(const trm_graph *graph, int n_parts, trm_ids balance, uint64_t seed,
                               trm_partition **out);
/** From the parts of nodes, part_of[n_nodes], which are copied: as another process found them, since one
 *  that calls METIS for all on its host saves their memory. Not collective.
 *  @return TRM_ERR_ARG for a part outside [0, n_parts) */
trm_status trm_partition_from_parts(int64_t n_nodes, int n_parts, const int32_t *part_of,
                                    trm_partition **out);
/** Every n parts that follow each other become one. The order of nodes stays, so that nodes of a small
 *  part lie together in it: n_parts must be a multiple of n. */
void trm_partition_join(trm_partition *partition, int n);
/** Renumbers parts so that those with a node of `ids` come first, each kind in its order before.
 *  @param[out] n  how many those are */
trm_status trm_partition_lead(trm_partition *partition, trm_ids ids, int64_t *n);
/** NULL is accepted; sets NULL. */
void trm_partition_destroy(trm_partition **partition);

/** Quality, as `trireme partition` prints it. Imbalances are greatest over mean. */
typedef struct trm_partition_quality {
  double cut_share;   /* edges between parts */
  double halo_factor; /* nodes with the 1-hop halo of their part, over nodes */
  double node_imbalance, edge_imbalance, balance_imbalance;
} trm_partition_quality;
/**
 * Quality of a partition: edges are those of `in`, the halo of a part is the sources of its nodes
 * that are in other parts. An empty graph has no cut, halo factor 1 and imbalances 1.
 *
 * Not collective. Cost: one pass over the edges.
 */
trm_status trm_partition_measure(const trm_graph *graph, const trm_partition *partition,
                                 trm_ids balance, trm_partition_quality *quality);

#endif
