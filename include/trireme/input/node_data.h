/** Data sets of kind `graph`: one graph whose nodes have classes. */
#ifndef TRIREME_INPUT_NODE_DATA_H
#define TRIREME_INPUT_NODE_DATA_H

#include "trireme/input/graph.h"
#include "trireme/input/graph_write.h"

typedef struct trm_node_data {
  trm_graph graph; /* first: trm_node_data_of */
  trm_classes classes;
  int n_splits;
  const trm_ids *splits; /* [n_splits, TRM_N_SUBSETS] */
} trm_node_data;

/** As trm_graph_open, for this kind alone. */
trm_status trm_node_data_open(const char *path, const trm_graph_memory *memory, bool features,
                              trm_node_data **out);
/** As trm_graph_close. */
void trm_node_data_close(trm_node_data **data);
/** The data set that an open graph is of; NULL when it is of another kind. */
const trm_node_data *trm_node_data_of(const trm_graph *graph);

/** Nodes of one subset of a split, rising; borrowed until the data set is closed. Not collective.
 *  @return TRM_ERR_CONFIG when there is no such split */
trm_status trm_node_data_split(const trm_node_data *data, int split, trm_subset subset,
                               trm_ids *ids);

/**
 * Writes a data set: it appears by its name complete or not at all. Not collective.
 *
 * Taken: graph.in, sorted by destination and source, symmetric, features, names, source; classes and
 * splits. Not looked at: path, digest, degrees, out.
 *
 * @param[in] more  NULL: nothing
 * @return TRM_ERR_IO; TRM_ERR_USAGE for a bad place
 */
trm_status trm_node_data_write(const char *path, const trm_node_data *data,
                               const trm_graph_counts *counts, const trm_graph_more *more);

#endif
