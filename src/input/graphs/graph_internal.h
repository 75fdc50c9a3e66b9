/** What the files of `input` share about graph data sets. */
#ifndef TRIREME_INPUT_GRAPH_INTERNAL_H
#define TRIREME_INPUT_GRAPH_INTERNAL_H

#include "trireme/input/data_file.h"
#include "trireme/input/graph.h"
#include "trireme/input/graph_write.h"
#include "trireme/io/container.h"

enum { TRM_GRAPH_NAME_BYTES = 64 };

/** The arrays of a data set, in the order of its digest; those of the splits follow. */
typedef enum trm_graph_array {
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
  TRM_GA_SPLITS, /* + TRM_N_SUBSETS * split + part */
} trm_graph_array;

typedef struct trm_graph_slot {
  char name[TRM_GRAPH_NAME_BYTES];
  trm_dtype dtype; /* in memory */
  int64_t n;       /* elements, -1: not in the file */
  int64_t at;      /* bytes from the begin of the block, -1: left in the file */
} trm_graph_slot;

/** Found by the process that read the file, for the others. */
typedef struct trm_graph_facts {
  uint64_t digest;
  int64_t n_classes, n_folds;
} trm_graph_facts;

/** An open data set. The first member is what the world sees. */
typedef struct trm_graph_file {
  trm_graph graph;
  trm_container *file; /* closed once everything is in memory */
  char *path, *source, *created_by;
  trm_graph_memory memory;
  trm_graph_slot *slots;
  int n_slots;
  int64_t n_classes_told;         /* attribute n_classes, -1: none */
  int64_t self_loops, duplicates; /* dropped by `prepare`, -1: not told */
  int64_t block_bytes;
  unsigned char *block;   /* facts, then the slots */
  unsigned char *derived; /* degrees, transpose */
  void *own[2];           /* the same when the memory is ours, else NULL */
  int n_own;
  trm_ids *splits;     /* [n_splits * TRM_N_SUBSETS], or [n_folds]: the graphs of each fold */
  int32_t *fold_order; /* [n_graphs] what the latter point into */
  int32_t **fold_rest; /* [2 n_folds] graphs outside a fold (and the next), made when asked for */
} trm_graph_file;

/** "/splits/<split>/<part>" */
void trm_graph_split_name(int split, trm_subset subset, char name[TRM_GRAPH_NAME_BYTES]);

/** Which arrays the file has, of which size, and where in the block they go: graph_layout.c. */
trm_status trm_graph_layout(trm_graph_file *f, bool features);

/** The array in memory; NULL when it is not there. */
void *trm_graph_data(const trm_graph_file *f, int slot);
int64_t trm_graph_elements(const trm_graph_file *f, int slot);

/** Reads and checks every array, computes the facts: graph_check.c. By one process. */
trm_status trm_graph_read(trm_graph_file *f);
/** Whether each edge has its reverse, of the same weight: the first that has not is named. */
trm_status trm_graph_check_symmetric(const trm_graph_file *f);
/** Content hash over scalars and arrays; checks dense features that stay in the file. */
trm_status trm_graph_digest(trm_graph_file *f, uint64_t *digest);
/** First value that is not finite, or -1. */
int64_t trm_first_not_finite(const float *x, int64_t n);

/** Lists of graphs by fold: graph_split.c. */
trm_status trm_graph_folds_make(trm_graph_file *f);

#endif
