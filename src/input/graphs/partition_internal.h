/** What the ways to partition share. */
#ifndef TRIREME_INPUT_PARTITION_INTERNAL_H
#define TRIREME_INPUT_PARTITION_INTERNAL_H

#include "trireme/input/partition.h"

/** A partition without contents: arrays are there, nothing is filled in. */
trm_status trm_partition_new(int64_t n_nodes, int n_parts, trm_partition **out);
/** order and offsets from part_of: a counting sort, so that nodes rise inside a part. */
void trm_partition_arrange(trm_partition *partition);

/** Rows by source. */
static inline const trm_csr *trm_graph_out(const trm_graph *graph) {
  return graph->symmetric ? &graph->in : &graph->out;
}

#endif
