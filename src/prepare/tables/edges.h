/** Pairs of nodes become compressed rows. */
#ifndef TRIREME_PREPARE_EDGES_H
#define TRIREME_PREPARE_EDGES_H

#include "trireme/core/csr.h"
#include "trireme/input/graph_write.h"

/** Edges as pairs of nodes, in any order. Arrays are counted blocks (TRM_FREE). */
typedef struct trm_edge_list {
  int64_t n, capacity;
  int32_t *sources, *targets;
  float *weights; /* NULL: none */
} trm_edge_list;
/**
 * Pairs become rows by destination with sources rising; self-loops and repeated edges are dropped
 * and counted. Of an edge given several times the first weight counts; where `undirected`, (u, v)
 * and (v, u) are the same edge.
 *
 * Not collective, one thread; a function of the list. O(nodes + edges) time; 8 bytes an edge besides
 * the result, 16 more when weighted.
 *
 * @param[out] offsets  [n_nodes + 1], from 0; this and the next two: TRM_FREE
 * @param[out] columns  [offsets[n_nodes]]
 * @param[out] values   [offsets[n_nodes]], or NULL when the list has no weights
 * @param[out] counts   self_loops, duplicates (edges of the list dropped), isolated; the rest stays
 * @param[in]  n_nodes  <= 2^31 - 1, above every id of the list
 */
trm_status trm_graph_from_edges(const trm_edge_list *edges, int64_t n_nodes, bool undirected,
                                int64_t **offsets, int32_t **columns, float **values,
                                trm_graph_counts *counts);

#endif
