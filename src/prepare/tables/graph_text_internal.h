/** Tables from which graphs are prepared, read from text: edge_text.c, label_text.c, split_text.c,
 *  feature_text.c; what their ids mean: node_ids.c. */
#ifndef TRIREME_PREPARE_GRAPH_TEXT_INTERNAL_H
#define TRIREME_PREPARE_GRAPH_TEXT_INTERNAL_H

#include "edges.h"
#include "names_internal.h"
#include "scan_internal.h"
#include "trireme/input/graph.h"

enum { TRM_WHY_BYTES = 320 };

/** Ids that are names, in the order of their first appearance until they are sorted. Zero it first. */
typedef struct trm_id_map {
  bool on;       /* ids are names; else numbers */
  bool adds;     /* a name that is not known yet is a new node */
  bool too_high; /* a number was, where any below 2^31 was good */
  trm_names names;
} trm_id_map;

/** How many ids there are, if that is known, and where it comes from, for messages. */
typedef struct trm_id_limit {
  int64_t n;               /* ids are in [0, n) */
  char why[TRM_WHY_BYTES]; /* "there are 5 nodes, 0 to 4 (--nodes)" */
  trm_id_map *map;         /* NULL: numbers */
} trm_id_limit;
/** Sets number and reason; the rest says where the number comes from. */
void trm_id_limit_set(trm_id_limit *limit, int64_t n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The next field as an id: a number below the limit, or a name. `what`: "source node". */
trm_status trm_scan_node(trm_scan *scan, const char *what, const trm_id_limit *limit, int64_t *id);
/** For messages: "5", "'Alice'". */
const char *trm_node_shown(const trm_id_limit *limit, int64_t id, char text[TRM_SHOWN_BYTES]);
/** Adds the names of the first column of a table. */
trm_status trm_text_add_names(const char *path, const trm_table_plan *plan, trm_id_map *map,
                              trm_scan_progress *progress);

/** The highest id of a table and its line. */
typedef struct trm_highest {
  const char *path;
  int64_t id, line; /* -1: none */
} trm_highest;

/** How a table of edges is read. */
typedef struct trm_edge_table {
  const char *path;
  const trm_reading *reading; /* NULL: all is found out */
  /* Nodes are counted in their graph: graph g has the nodes from nodes[g] and the lines from edges[g]. */
  const int64_t *nodes, *edges; /* [n_graphs + 1]; nodes NULL: they are not */
  int64_t n_graphs;
  bool pass_unknown; /* lines with names that are not known are passed over, and told */
} trm_edge_table;

/** What was seen of edges. */
typedef struct trm_edge_facts {
  trm_highest highest;
  int64_t lowest; /* INT64_MAX: no edges */
  trm_table_head head;
  int64_t size[3]; /* Matrix Market: rows, columns, entries; else -1 */
  int64_t base;    /* what ids count from */
  bool base_given; /* by an option or the preamble */
  bool words;      /* ids are no numbers */
} trm_edge_facts;

/** What the head of the table says; its lines are not read. */
trm_status trm_text_edges_look(const trm_edge_table *table, trm_edge_facts *facts);
/** "u v" or "u v weight" a line, all lines alike. Free with trm_edge_list_free.
 *  graph_of[limit->n]: the graph of each node, which edges must not leave; NULL: there is one. */
trm_status trm_text_edges(const trm_edge_table *table, const trm_id_limit *limit,
                          const int32_t *graph_of, trm_scan_progress *progress,
                          trm_edge_list *edges, trm_edge_facts *facts);
void trm_edge_list_free(trm_edge_list *edges);

/** "id value" a line, each id once: labels, folds. */
typedef struct trm_value_table {
  const char *path, *form, *id_name, *value_name;
  int64_t value_limit; /* values are below; at most 2^31 - 1 */
  const trm_reading *reading;
  const char *columns, *columns_option; /* of this table; NULL: as they stand */
  bool lines;                           /* a value a line, of the ids in order */
} trm_value_table;
/** How a table of labels is opened. */
trm_table_plan trm_value_plan(const trm_value_table *labels);
/** Numbers: values[limit->n], -1 where nothing is said. Those that count from 1 are told and moved. */
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
/**
 * Reads a table of labels and, unless `classes` is NULL, the names. Labels that are numbers from 0 without
 * gaps are the classes; any others are the names of classes, in the order of trm_names_sort, which is
 * told. None is an empty field, nan, or -1 unless that is one of two. After a failure too, *out is for
 * trm_text_labels_free.
 */
trm_status trm_text_labels_read(const trm_value_table *table, const char *classes,
                                const trm_id_limit *limit, trm_scan_progress *progress,
                                trm_text_labels *out);
/** The same of texts that were read elsewhere: `texts` is [.] different ones, of[n] which each id has. The
 *  table of texts is taken. `path`: their file, for messages. */
trm_status trm_text_labels_of(const char *path, const trm_reading *reading, trm_names *texts,
                              const int32_t *of, int64_t n, trm_text_labels *out);
/** As data sets have them; borrowed. */
trm_classes trm_text_labels_classes(const trm_text_labels *labels);
void trm_text_labels_free(trm_text_labels *labels);

/** "node train|val|test" a line, added to subset[limit->n]: 0, or subset + 1. labels may be NULL. */
trm_status trm_text_split(const char *path, const trm_reading *reading, const trm_id_limit *limit,
                          const int32_t *labels, trm_scan_progress *progress, uint8_t *subset);
/** A node a line, all of one subset. */
trm_status trm_text_subset(const char *path, const trm_reading *reading, trm_subset which,
                           const trm_id_limit *limit, const int32_t *labels,
                           trm_scan_progress *progress, uint8_t *subset);
/** An id a line: new_ids[limit->n] become 0, 1, ... in the order of the ids, -1 for those not
 *  listed; *n is how many are. */
trm_status trm_text_keep(const char *path, const trm_reading *reading, const trm_id_limit *limit,
                         trm_scan_progress *progress, int32_t *new_ids, int64_t *n);

/** Sparse features as they are in the text: row, column and value of each. */
typedef struct trm_triples {
  int64_t n, n_columns, capacity[3];
  int32_t *rows, *columns;
  float *values;
} trm_triples;
/** "node value ... class" a line. Nodes are added to the map, in the order of the lines.
 *  @param[out] of  [nodes] class of each, in `classes`; TRM_FREE */
trm_status trm_text_content(const char *path, const trm_reading *reading, trm_id_map *map,
                            trm_scan_progress *progress, trm_triples *triples, trm_names *classes,
                            int32_t **of);
/** "row column value" a line, sorted by row, then column; those of Matrix Market in any order. */
trm_status trm_text_triples(const char *path, const trm_reading *reading, const trm_id_limit *limit,
                            trm_scan_progress *progress, trm_triples *triples,
                            trm_highest *highest);
/** By row, then column. @return TRM_ERR_DATA for a feature that a row has twice */
trm_status trm_triples_sort(trm_triples *triples, const char *path);
void trm_triples_free(trm_triples *triples);

/** How a table of dense features is read. */
typedef struct trm_row_table {
  const char *path;
  const trm_reading *reading;
  const char *header; /* "yes", "no"; NULL: found out */
  const char
      *index; /* "yes", "no": whether the first column is none of the values; NULL: found out */
  trm_id_map *map; /* rows begin with the name of their node, which is added; NULL: they do not */
} trm_row_table;
/** Values of a row a line, as many in each. *values [n_rows, n_columns], *ids [n_rows] when there is a
 *  map, else NULL: TRM_FREE. */
trm_status trm_text_rows(const trm_row_table *table, trm_scan_progress *progress, float **values,
                         int32_t **ids, int64_t *n_rows, int64_t *n_columns);

#endif
