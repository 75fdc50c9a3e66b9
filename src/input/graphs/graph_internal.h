/**
 * What the files of `input` share about data sets of graphs. A kind is a table of functions and a table
 * of arrays (trm_graph_kind); reading, writing and the digest walk the arrays, the functions do what is
 * the kind's own.
 */
#ifndef TRIREME_INPUT_GRAPH_INTERNAL_H
#define TRIREME_INPUT_GRAPH_INTERNAL_H

#include <stddef.h>

#include "describe_internal.h"
#include "trireme/input/data_file.h"
#include "trireme/input/graph.h"
#include "trireme/input/graph_write.h"
#include "trireme/input/kind.h"
#include "trireme/io/container.h"

/* ---- arrays ----------------------------------------------------------------------------------- */

/** Places of arrays in the digest (data/FORMAT.md), of all kinds. What a kind has besides follows. */
typedef enum trm_graph_place {
  TRM_GA_EDGE_OFFSETS,
  TRM_GA_EDGE_SOURCES,
  TRM_GA_EDGE_WEIGHTS,
  TRM_GA_DENSE,
  TRM_GA_FEATURE_OFFSETS,
  TRM_GA_FEATURE_COLUMNS,
  TRM_GA_FEATURE_VALUES,
  TRM_GA_LABELS,
  TRM_GA_CLASS_OFFSETS,
  TRM_GA_CLASS_BYTES,
  TRM_GA_NAME_OFFSETS,
  TRM_GA_NAME_BYTES,
  TRM_GA_GRAPHS,
  TRM_GA_FOLDS,
  TRM_GA_TRAIN_OFFSETS,
  TRM_GA_TRAIN_ITEMS,
  TRM_GA_TEST_OFFSETS,
  TRM_GA_TEST_ITEMS,
  TRM_N_GRAPH_PLACES,
  /* Of a shop, which has no use for what else stands there: a place more would change the digests of all
   * data sets. */
  TRM_GA_FEATURE_SHIFTS = TRM_GA_GRAPHS,
  TRM_GA_FEATURE_SCALES = TRM_GA_FOLDS,
  TRM_GA_DAY_OFFSETS = TRM_GA_TEST_OFFSETS,
  TRM_GA_DAYS = TRM_GA_TEST_ITEMS,
  TRM_GA_TEXT_OFFSETS = TRM_GA_EDGE_OFFSETS,
  TRM_GA_TEXT_WORDS = TRM_GA_EDGE_SOURCES,
} trm_graph_place;

/** What the length of an array has to do with the member `count` of the kind's struct. */
typedef enum trm_graph_length {
  TRM_LENGTH_ROWS,       /* one more: it tells how many rows there are, whose ids have 32 bits */
  TRM_LENGTH_OFFSETS,    /* one more: offsets of rows that another array told */
  TRM_LENGTH_TELLS,      /* it tells that number */
  TRM_LENGTH_EACH,       /* as many: an element for each of what another array told */
  TRM_LENGTH_TABLE,      /* a row for each; tells the member `columns` */
  TRM_LENGTH_TEXTS,      /* one more: it tells how many texts there are; none: not written */
  TRM_LENGTH_OF_TEXTS,   /* one more: texts of what another array told; none: not written */
  TRM_LENGTH_TEXT_BYTES, /* what the offsets in the place before end with */
} trm_graph_length;

/** An array of a kind: its name and type in the file, and its place in the kind's struct. */
typedef struct trm_graph_array {
  const char *name; /* NULL: the kind has none in this place */
  trm_dtype dtype;  /* in memory, and as it is written */
  trm_graph_length length;
  bool required;
  const char *with;      /* looked for only where this is in the file; NULL: always */
  const char *unless;    /* not where this is */
  size_t data;           /* offsetof the pointer to it */
  size_t count, columns; /* offsetof an int64_t */
  const char *of;        /* "nodes", "one a node": what there is one of, for messages */
} trm_graph_array;

#define TRM_FEATURES_GROUP "/nodes/features"

/** Compressed rows of ids in the places `at` and `at` + 1: `group`/offsets, one more than the member `rows`,
 *  and `group`/`ids`, whose number is the member `n`. `how`: TRM_LENGTH_ROWS or TRM_LENGTH_OFFSETS. */
#define TRM_LISTS_ARRAYS(at, group, ids, how, type, offsets_of, ids_of, n, rows, what)             \
  [(at)] = {.name = group "/offsets",                                                              \
            .dtype = TRM_DTYPE_I64,                                                                \
            .length = (how),                                                                       \
            .required = true,                                                                      \
            .data = offsetof(type, offsets_of),                                                    \
            .count = offsetof(type, rows),                                                         \
            .of = (what)},                                                                         \
  [(at) + 1] = {.name = group "/" ids,                                                             \
                .dtype = TRM_DTYPE_I32,                                                            \
                .length = TRM_LENGTH_TELLS,                                                        \
                .required = true,                                                                  \
                .data = offsetof(type, ids_of),                                                    \
                .count = offsetof(type, n)}

/** Edges, features and names of nodes, which begin the list of a kind that has them in the file. Every
 *  kind's struct begins with its graph, so places in that are places in all. */
#define TRM_GRAPH_ARRAYS                                                                           \
  [TRM_GA_EDGE_OFFSETS] = {.name = "/edges/offsets",                                               \
                           .dtype = TRM_DTYPE_I64,                                                 \
                           .length = TRM_LENGTH_ROWS,                                              \
                           .required = true,                                                       \
                           .data = offsetof(trm_graph, in.offsets),                                \
                           .count = offsetof(trm_graph, n_nodes),                                  \
                           .of = "nodes"},                                                         \
  [TRM_GA_EDGE_SOURCES] = {.name = "/edges/sources",                                               \
                           .dtype = TRM_DTYPE_I32,                                                 \
                           .length = TRM_LENGTH_TELLS,                                             \
                           .required = true,                                                       \
                           .data = offsetof(trm_graph, in.columns),                                \
                           .count = offsetof(trm_graph, in.n_edges)},                              \
  [TRM_GA_EDGE_WEIGHTS] = {.name = "/edges/weights",                                               \
                           .dtype = TRM_DTYPE_F32,                                                 \
                           .length = TRM_LENGTH_EACH,                                              \
                           .data = offsetof(trm_graph, in.values),                                 \
                           .count = offsetof(trm_graph, in.n_edges),                               \
                           .of = "one an edge"},                                                   \
  [TRM_GA_DENSE] = {.name = TRM_FEATURES_GROUP,                                                    \
                    .dtype = TRM_DTYPE_F32,                                                        \
                    .length = TRM_LENGTH_TABLE,                                                    \
                    .unless = TRM_FEATURES_GROUP "/offsets",                                       \
                    .data = offsetof(trm_graph, dense),                                            \
                    .count = offsetof(trm_graph, n_nodes),                                         \
                    .columns = offsetof(trm_graph, n_features),                                    \
                    .of = "nodes"},                                                                \
  [TRM_GA_FEATURE_OFFSETS] = {.name = TRM_FEATURES_GROUP "/offsets",                               \
                              .dtype = TRM_DTYPE_I64,                                              \
                              .length = TRM_LENGTH_OFFSETS,                                        \
                              .data = offsetof(trm_graph, features.offsets),                       \
                              .count = offsetof(trm_graph, n_nodes),                               \
                              .of = "one more than the nodes"},                                    \
  [TRM_GA_FEATURE_COLUMNS] = {.name = TRM_FEATURES_GROUP "/columns",                               \
                              .dtype = TRM_DTYPE_I32,                                              \
                              .length = TRM_LENGTH_TELLS,                                          \
                              .required = true,                                                    \
                              .with = TRM_FEATURES_GROUP "/offsets",                               \
                              .data = offsetof(trm_graph, features.columns),                       \
                              .count = offsetof(trm_graph, features.n_edges)},                     \
  [TRM_GA_FEATURE_VALUES] = {.name = TRM_FEATURES_GROUP "/values",                                 \
                             .dtype = TRM_DTYPE_F32,                                               \
                             .length = TRM_LENGTH_EACH,                                            \
                             .with = TRM_FEATURES_GROUP "/offsets",                                \
                             .data = offsetof(trm_graph, features.values),                         \
                             .count = offsetof(trm_graph, features.n_edges),                       \
                             .of = "one a column"},                                                \
  [TRM_GA_NAME_OFFSETS] = {.name = "/nodes/names/offsets",                                         \
                           .dtype = TRM_DTYPE_I64,                                                 \
                           .length = TRM_LENGTH_OF_TEXTS,                                          \
                           .required = true,                                                       \
                           .with = "/nodes/names",                                                 \
                           .data = offsetof(trm_graph, names.offsets),                             \
                           .count = offsetof(trm_graph, n_nodes),                                  \
                           .columns = offsetof(trm_graph, names.n),                                \
                           .of = "one more than the nodes"},                                       \
  [TRM_GA_NAME_BYTES] = {.name = "/nodes/names/bytes",                                             \
                         .dtype = TRM_DTYPE_U8,                                                    \
                         .length = TRM_LENGTH_TEXT_BYTES,                                          \
                         .required = true,                                                         \
                         .with = "/nodes/names",                                                   \
                         .data = offsetof(trm_graph, names.bytes)}

/** Labels, as many as `things`, and names of classes: of `type`, which has a trm_classes `classes`. */
#define TRM_CLASS_ARRAYS(type, label_name, things, one)                                            \
  [TRM_GA_LABELS] = {.name = (label_name),                                                         \
                     .dtype = TRM_DTYPE_I32,                                                       \
                     .length = TRM_LENGTH_EACH,                                                    \
                     .data = offsetof(type, classes.labels),                                       \
                     .count = offsetof(type, things),                                              \
                     .of = (one)},                                                                 \
  [TRM_GA_CLASS_OFFSETS] = {.name = "/classes/offsets",                                            \
                            .dtype = TRM_DTYPE_I64,                                                \
                            .length = TRM_LENGTH_TEXTS,                                            \
                            .required = true,                                                      \
                            .with = "/classes",                                                    \
                            .data = offsetof(type, classes.names.offsets),                         \
                            .count = offsetof(type, classes.names.n)},                             \
  [TRM_GA_CLASS_BYTES] = {.name = "/classes/bytes",                                                \
                          .dtype = TRM_DTYPE_U8,                                                   \
                          .length = TRM_LENGTH_TEXT_BYTES,                                         \
                          .required = true,                                                        \
                          .with = "/classes",                                                      \
                          .data = offsetof(type, classes.names.bytes)}

/* ---- an open data set ------------------------------------------------------------------------- */

enum { TRM_GRAPH_NAME_BYTES = 64 };

/** An array as a file has it. */
typedef struct trm_graph_slot {
  char name[TRM_GRAPH_NAME_BYTES];
  trm_dtype dtype; /* in memory */
  int64_t n;       /* elements, -1: not in the file */
  int64_t at;      /* bytes from the begin of the block, -1: left in the file */
} trm_graph_slot;

/** Found by the process that read the file, for the others. */
typedef struct trm_graph_facts {
  uint64_t digest;
  int64_t n_classes, n_items; /* scalars of the digest that not all kinds have; else 0 */
  int64_t own;                /* of the kind: how many folds */
} trm_graph_facts;

typedef struct trm_graph_kind trm_graph_kind;

/** A data set, open or being opened. */
typedef struct trm_graph_file {
  const trm_graph_kind *kind;
  void *data;          /* the kind's struct, which begins with the graph; owned */
  trm_graph *graph;    /* the same */
  void *self;          /* the kind's own besides, for it to release */
  trm_container *file; /* closed once everything is in memory */
  char *path, *source, *created_by;
  trm_graph_memory memory;
  trm_graph_slot *slots; /* in the order of the digest */
  int n_slots;
  int64_t n_classes_told;         /* attribute n_classes, -1: none */
  int64_t self_loops, duplicates; /* dropped by `prepare`, -1: not told */
  int64_t block_bytes;
  unsigned char *block;   /* facts, then the slots */
  unsigned char *derived; /* degrees, transpose */
  void *own[2];           /* the same when the memory is ours, else NULL */
  int n_own;
} trm_graph_file;

struct trm_graph_kind {
  const trm_data_kind *data_kind;
  int64_t bytes;                 /* of its struct */
  const trm_graph_array *arrays; /* [TRM_N_GRAPH_PLACES] */
  /** How many arrays the file has that are not in the list; they follow it. NULL: none. */
  trm_status (*count_more)(trm_graph_file *f, int *n);
  /** Reads attributes, and checks what arrays must agree on, once their sizes are known. */
  trm_status (*layout)(trm_graph_file *f);
  /** Reads every array and checks every element, counts the facts. By one process. */
  trm_status (*check)(const trm_graph_file *f, trm_graph_facts *facts);
  /** Completes the struct: arrays of the list and what they tell are there. On every process. */
  trm_status (*bind)(trm_graph_file *f, const trm_graph_facts *facts);
  /** Edges that are made of other arrays when the file is opened: how many, and the rows of `in`.
   *  NULL: they are in the file. */
  int64_t (*count_edges)(const void *data);
  void (*make_edges)(const void *data, int64_t *offsets, int32_t *columns);
  /** The lines between the head and the digest. */
  trm_status (*describe)(const trm_graph_file *f, FILE *file);
  /** Attributes, and arrays that are not in the list; those in it have been written. */
  trm_status (*write)(trm_container *file, const void *data, const trm_graph_counts *counts);
  void (*release)(trm_graph_file *f); /* NULL: `self` is one block, or nothing */
};

/** Opens a data set of one kind; NULL: of any. As trm_graph_open otherwise. *data is the kind's struct. */
trm_status trm_graph_open_kind(const trm_graph_kind *kind, const char *path,
                               const trm_graph_memory *memory, bool features, void **data);
/** Edges of a graph with two sorts of nodes, for make_edges: rows of `lists` come first, then its columns;
 *  row u lists its columns, row n_rows + i the rows that have it. @param[out] offsets  [nodes + 1]
 *  @param[out] columns  [2 n_edges] */
void trm_graph_join_sides(const trm_csr *lists, int64_t *offsets, int32_t *columns);
/** The struct of a kind, when the open graph is of it. */
const void *trm_graph_data_of(const trm_graph *graph, const trm_graph_kind *kind);
/** trm_data_kind.describe of every kind of graphs. */
trm_status trm_graph_describe_path(const char *path, FILE *file);
/** That there is a split of that number among n. @return TRM_ERR_CONFIG */
trm_status trm_graph_check_split(const trm_graph *graph, int split, int n);
/** Writes a data set: it appears by its name complete or not at all. more: NULL: nothing. */
trm_status trm_graph_write_kind(const trm_graph_kind *kind, const char *path, const void *data,
                                const trm_graph_counts *counts, const trm_graph_more *more);

/* ---- layout: graph_layout.c ------------------------------------------------------------------- */

/** Reads kind, attributes and the shape of every array, and lays the arrays out in one block. Takes the
 *  kind's struct. The same on every process that opens the same file. Not collective.
 *  @param[in] wanted    NULL: any kind
 *  @param[in] features  false: dense features stay in the file */
trm_status trm_graph_layout(trm_graph_file *f, const trm_graph_kind *wanted, bool features);
/** Looks an array up that is not in the list. */
trm_status trm_graph_slot_find(trm_graph_file *f, int slot, const char *name, trm_dtype dtype,
                               bool required);
/** Attributes of edges and features: for kinds with TRM_GRAPH_ARRAYS. */
trm_status trm_graph_layout_attributes(trm_graph_file *f);
/** An attribute that must be there, from low to high. */
trm_status trm_graph_attr_expect(const trm_graph_file *f, const char *object, const char *name,
                                 int64_t low, int64_t high, int64_t *value);
/** One that may be absent: -1 then. */
trm_status trm_graph_attr_maybe(const trm_graph_file *f, const char *object, const char *name,
                                int64_t *value);
/** One that must be there, or the message says so. */
trm_status trm_graph_attr_required(const trm_graph_file *f, const char *object, const char *name,
                                   const char *of);

/* ---- checks: graph_check.c -------------------------------------------------------------------- */

/** The array in memory; NULL when it is not there. */
void *trm_graph_data(const trm_graph_file *f, int slot);
/** Its elements, 0 when it is not there. */
int64_t trm_graph_elements(const trm_graph_file *f, int slot);

/** Reads an array, unless it stays in the file. */
trm_status trm_graph_slot_read(const trm_graph_file *f, int slot);
/** Ids in [low, high): the first that is not is named. */
trm_status trm_graph_check_ids(const trm_graph_file *f, int slot, int64_t low, int64_t high);
/** Offsets of rows of another array: from 0, never falling, to its end. */
trm_status trm_graph_check_offsets(const trm_graph_file *f, int offsets_slot, int columns_slot);
/** Columns of compressed rows: in range, rising in a row, so each once. `row_of`: "node". */
trm_status trm_graph_check_rows(const trm_graph_file *f, int offsets_slot, int columns_slot,
                                int64_t n_columns, const char *row_of);
/** Reads and checks edges, features and names of nodes. */
trm_status trm_graph_check_edges(const trm_graph_file *f);
trm_status trm_graph_check_features(const trm_graph_file *f);
/** Reads and checks texts: offsets in `slot`, bytes in the next. */
trm_status trm_graph_check_texts(const trm_graph_file *f, int slot);
/**
 * Whether every edge has its reverse, of the same weight; the first that has not is named. Rows are
 * visited in rising order, so the reverses that a row c must have are asked for in rising order too: a
 * place in each row that only moves on. O(nodes + edges), 8 bytes a node. Not collective.
 */
trm_status trm_graph_check_symmetric(const trm_graph_file *f);
/** First value that is not finite, or -1. */
int64_t trm_first_not_finite(const float *x, int64_t n);
/** Fails for a dense feature that is not finite. */
trm_status trm_graph_bad_dense(const trm_graph_file *f, int64_t index, float value);

/** Content hash of a data set (data/FORMAT.md): the kind, the scalars, every array in order; checks dense
 *  features that stay in the file. The types in which the file stores arrays do not matter. Not
 *  collective. graph_digest.c */
trm_status trm_graph_digest(const trm_graph_file *f, trm_graph_facts *facts);

/* ---- classes: classes.c ----------------------------------------------------------------------- */

/** Attributes of labels[n]. */
trm_status trm_classes_layout(trm_graph_file *f, int64_t n);
/** Reads and checks labels, which are classes or -1, and names of classes; how many classes there are is
 *  told, or one more than the highest. */
trm_status trm_classes_check(const trm_graph_file *f, int64_t *n_classes);
/** Attributes of the labels, an array that has been written if there are any. */
trm_status trm_classes_write(trm_container *file, const char *labels, const trm_classes *classes);

/* ---- description: graph_describe.c ------------------------------------------------------------ */

/** The lengths of rows: mean, smallest, quantiles, largest. */
trm_status trm_describe_lengths(FILE *file, const char *label, const int64_t *offsets, int64_t n,
                                const char *what);
/** Nodes, edges, features and names. */
trm_status trm_describe_graph(const trm_graph_file *f, FILE *file);

/* ---- writing: graph_write.c ------------------------------------------------------------------- */

/** Attributes of edges and features. */
trm_status trm_graph_write_attributes(trm_container *file, const trm_graph *graph,
                                      const trm_graph_counts *counts);

#endif
