/** Writing graph data sets (data/FORMAT.md). Not collective. */
#ifndef TRIREME_INPUT_GRAPH_WRITE_H
#define TRIREME_INPUT_GRAPH_WRITE_H

#include "trireme/input/graph.h"
#include "trireme/io/container.h"

/** What a graph looks like before it is written; counts of what was found and mended on the way. */
typedef struct trm_graph_counts {
  int64_t self_loops, duplicates, isolated, unlabelled, empty_features;
} trm_graph_counts;
/**
 * Writes a data set: atomically, or not at all. `in` must be sorted by destination and source; a
 * graph that is not symmetric gets its transpose when it is opened.
 */
trm_status trm_graph_write(const char *path, const trm_graph *graph,
                           const trm_graph_counts *counts);

/**
 * The same and, by `more` (may be NULL), what this layer does not know: arrays of a group of its own,
 * or dense features piece by piece, when graph->dense is NULL and n_features is not 0.
 */
trm_status trm_graph_write_with(const char *path, const trm_graph *graph,
                                const trm_graph_counts *counts,
                                trm_status (*more)(void *context, trm_container *file),
                                void *context);

/** Whether a claimed number of ids, with nothing in the file behind each, is in proportion to the
 *  `entries` that are: memory is sized by it. */
bool trm_graph_plausible(int64_t claimed, int64_t entries);

#endif
