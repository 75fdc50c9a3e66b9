/** Names of kinds, parts and arrays of graph data sets. */
#include <stdio.h>

#include "graph_internal.h"

const char *trm_graph_kind_name(trm_graph_kind kind) {
  static const char *const names[] = {[TRM_GRAPH_NODES] = "graph",
                                      [TRM_GRAPH_SET] = "graphs",
                                      [TRM_GRAPH_INTERACTIONS] = "interactions"};
  return names[kind];
}

void trm_graph_split_name(int split, trm_subset subset, char name[TRM_GRAPH_NAME_BYTES]) {
  snprintf(name, TRM_GRAPH_NAME_BYTES, "/splits/%d/%s", split, trm_subset_name(subset));
}
