/** Data sets of kind `graphs`: a set of small graphs with a class each. As one graph, the nodes of each
 *  are contiguous and no edge leaves its graph. */
#ifndef TRIREME_INPUT_GRAPH_SET_H
#define TRIREME_INPUT_GRAPH_SET_H

#include "trireme/input/graph.h"
#include "trireme/input/graph_write.h"

typedef struct trm_graph_set {
  trm_graph graph; /* of all graphs together; first: trm_graph_set_of */
  trm_classes classes;
  int64_t n_graphs;
  const int64_t *graphs; /* [n_graphs + 1] first node of each graph */
  const int32_t *folds;  /* [n_graphs] in [0, n_folds); NULL: there are none */
  int n_folds;
} trm_graph_set;

/** As trm_graph_open, for this kind alone. */
trm_status trm_graph_set_open(const char *path, const trm_graph_memory *memory, bool features,
                              trm_graph_set **out);
/** As trm_graph_close. */
void trm_graph_set_close(trm_graph_set **set);
/** The set that an open graph is of; NULL when it is of another kind. */
const trm_graph_set *trm_graph_set_of(const trm_graph *graph);

/**
 * Graphs of one subset of split `split`, rising: fold `split` is the test subset. Not collective; by one
 * thread, since a list is made when it is first asked for.
 *
 * @param[out] ids       borrowed until the set is closed
 * @param[in]  hold_out  the next fold, the first one after the last, is the valid subset; else the test
 *                       fold is. All others are for training
 * @return TRM_ERR_CONFIG when there is no such split, or too few folds
 */
trm_status trm_graph_set_split(const trm_graph_set *set, int split, trm_subset subset,
                               bool hold_out, trm_ids *ids);

/** Writes a set as trm_node_data_write does; graphs and folds are taken instead of splits. */
trm_status trm_graph_set_write(const char *path, const trm_graph_set *set,
                               const trm_graph_counts *counts);

#endif
