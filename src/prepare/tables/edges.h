/** Pairs of nodes become compressed rows. */
#ifndef TRIREME_PREPARE_EDGES_H
#define TRIREME_PREPARE_EDGES_H

#include "trireme/core/csr.h"
#include "trireme/input/graph_write.h"

/** Edges as pairs become compressed rows: sorted, duplicates and self-loops dropped and counted, with
 *  reverses added when `undirected`. Arrays are counted blocks (TRM_FREE). weights may be NULL. */
typedef struct trm_edge_list {
  int64_t n, capacity;
  int32_t *sources, *targets;
  float *weights; /* NULL: none */
} trm_edge_list;
trm_status trm_graph_from_edges(const trm_edge_list *edges, int64_t n_nodes, bool undirected,
                                int64_t **offsets, int32_t **columns, float **values,
                                trm_graph_counts *counts);

#endif
