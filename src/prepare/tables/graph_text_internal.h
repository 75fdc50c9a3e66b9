/** Tables from which graphs are prepared, read from text: graph_text.c, feature_text.c. */
#ifndef TRIREME_PREPARE_GRAPH_TEXT_INTERNAL_H
#define TRIREME_PREPARE_GRAPH_TEXT_INTERNAL_H

#include "edges.h"
#include "scan_internal.h"
#include "trireme/input/graph.h"

enum { TRM_WHY_BYTES = 320 };

/** How many ids there are, if that is known, and where it comes from, for messages. */
typedef struct trm_id_limit {
  int64_t n;               /* ids are in [0, n) */
  char why[TRM_WHY_BYTES]; /* "there are 5 nodes, 0 to 4 (--nodes)" */
} trm_id_limit;
/** Sets both; the rest says where the number comes from. */
void trm_id_limit_set(trm_id_limit *limit, int64_t n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The highest id of a table and its line. */
typedef struct trm_highest {
  const char *path;
  int64_t id, line; /* -1: none */
} trm_highest;

/** "u v" or "u v weight" a line, all lines alike. Free with trm_edge_list_free.
 *  graph_of[limit->n]: the graph of each node, which edges must not leave; NULL: there is one. */
trm_status trm_text_edges(const char *path, const trm_id_limit *limit, const int32_t *graph_of,
                          trm_scan_progress *progress, trm_edge_list *edges, trm_highest *highest);
void trm_edge_list_free(trm_edge_list *edges);

/** "id value" a line, each id once: labels, folds. values[limit->n], -1 where nothing is said. */
typedef struct trm_value_table {
  const char *path, *form, *id_name, *value_name;
  int64_t value_limit; /* values are below; at most 2^31 - 1 */
} trm_value_table;
trm_status trm_text_values(const trm_value_table *table, const trm_id_limit *limit,
                           trm_scan_progress *progress, int32_t *values, trm_highest *highest);

/** "class name" a line, in any order, from 0 without gaps. *offsets and *bytes: TRM_FREE. */
trm_status trm_text_classes(const char *path, int64_t at_least, trm_scan_progress *progress,
                            int64_t **offsets, char **bytes, int64_t *n);

/** Labels of nodes or graphs, and names of the classes where there are any. All owned. */
typedef struct trm_text_labels {
  int32_t *labels; /* [limit->n], -1: missing */
  int64_t n_classes, n_names;
  int64_t *name_offsets; /* [n_names + 1] */
  char *name_bytes;
} trm_text_labels;
/** Reads a table of labels and, unless `classes` is NULL, the names. After a failure too, *out is for
 *  trm_text_labels_free. */
trm_status trm_text_labels_read(const trm_value_table *table, const char *classes,
                                const trm_id_limit *limit, trm_scan_progress *progress,
                                trm_text_labels *out);
/** As data sets have them; borrowed. */
trm_classes trm_text_labels_classes(const trm_text_labels *labels);
void trm_text_labels_free(trm_text_labels *labels);

/** "node train|val|test" a line, added to subset[limit->n]: 0, or subset + 1. labels may be NULL. */
trm_status trm_text_split(const char *path, const trm_id_limit *limit, const int32_t *labels,
                          trm_scan_progress *progress, uint8_t *subset);
/** A node a line, all of one subset. */
trm_status trm_text_subset(const char *path, trm_subset which, const trm_id_limit *limit,
                           const int32_t *labels, trm_scan_progress *progress, uint8_t *subset);
/** An id a line: new_ids[limit->n] become 0, 1, ... in the order of the ids, -1 for those not
 *  listed; *n is how many are. */
trm_status trm_text_keep(const char *path, const trm_id_limit *limit, trm_scan_progress *progress,
                         int32_t *new_ids, int64_t *n);

/** Sparse features as they are in the text: row, column and value of each. */
typedef struct trm_triples {
  int64_t n, n_columns, capacity[3];
  int32_t *rows, *columns;
  float *values;
} trm_triples;
/** "row column value" a line, sorted by row, then column. */
trm_status trm_text_triples(const char *path, const trm_id_limit *limit,
                            trm_scan_progress *progress, trm_triples *triples,
                            trm_highest *highest);
void trm_triples_free(trm_triples *triples);

/** Values of a row a line, as many in each. *values [n_rows, n_columns]: TRM_FREE. */
trm_status trm_text_rows(const char *path, trm_scan_progress *progress, float **values,
                         int64_t *n_rows, int64_t *n_columns);

#endif
