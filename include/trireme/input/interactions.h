/**
 * Data sets of kind `interactions`: users, items, and which user chose which item. As a graph, nodes are
 * the users [0, n_users), then the items; its edges, made when the file is opened, are the training
 * pairs in both directions.
 */
#ifndef TRIREME_INPUT_INTERACTIONS_H
#define TRIREME_INPUT_INTERACTIONS_H

#include "trireme/input/graph.h"
#include "trireme/input/graph_write.h"

typedef struct trm_interactions {
  trm_graph graph; /* first: trm_interactions_of */
  int64_t n_users, n_items;
  trm_csr train, test; /* [n_users, n_items] lists of items, rising */
} trm_interactions;

/** As trm_graph_open, for this kind alone; there are no features. */
trm_status trm_interactions_open(const char *path, const trm_graph_memory *memory,
                                 trm_interactions **out);
/** As trm_graph_close. */
void trm_interactions_close(trm_interactions **data);
/** The data set that an open graph is of; NULL when it is of another kind. */
const trm_interactions *trm_interactions_of(const trm_graph *graph);

/** Writes a data set as trm_node_data_write does. Taken: source, names (of the users, then of the items), n_users, n_items, train and test. */
trm_status trm_interactions_write(const char *path, const trm_interactions *data,
                                  const trm_graph_counts *counts);

#endif
