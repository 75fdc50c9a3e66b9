/** What writing data sets of graphs has in common (data/FORMAT.md). Not collective. */
#ifndef TRIREME_INPUT_GRAPH_WRITE_H
#define TRIREME_INPUT_GRAPH_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/io/container.h"

/** Counts of what was found and mended on the way; self_loops and duplicates are kept in the file, for
 *  people. */
typedef struct trm_graph_counts {
  int64_t self_loops, duplicates, isolated, unlabelled, empty_features;
} trm_graph_counts;

/** Writes what this layer does not know: arrays of a group of its own, or dense features piece by piece,
 *  when graph.dense is NULL and graph.n_features is not 0. */
typedef struct trm_graph_more {
  trm_status (*write)(void *context, trm_container *file);
  void *context;
} trm_graph_more;

/** Whether a claimed number of ids, with nothing in the file behind each, is in proportion to the
 *  `entries` that are: memory is sized by it. At most 2^20, or 16 times as many. */
bool trm_graph_plausible(int64_t claimed, int64_t entries);

#endif
