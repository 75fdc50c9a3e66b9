/** `trireme prepare graph`, `graphs`, `interactions`, `debian --graph`, `synth --graph`. */
#ifndef TRIREME_PREPARE_GRAPHS_H
#define TRIREME_PREPARE_GRAPHS_H

#include "trireme/input/graph_write.h"

typedef struct trm_prepare_graph_options {
  const char *output;
  const char *edges;          /* u<TAB>v[<TAB>weight] a line */
  const char *features;       /* sparse: row<TAB>column<TAB>value, sorted; NULL: none */
  const char *features_dense; /* a line a node; NULL: none */
  const char *labels;         /* node<TAB>class; NULL: none (graph sets: graph<TAB>class) */
  const char *classes;        /* class<TAB>name; NULL: none */
  const char *const *splits;  /* files: node<TAB>train|val|test */
  int n_splits;
  const char *train, *valid, *test; /* one split as three lists of ids, one a line; NULL: none */
  const char *nodes;                /* graph sets: node<TAB>graph<TAB>node label */
  const char *attributes;           /* graph sets: real attributes, a line a node; NULL: none */
  const char *folds;                /* graph sets: graph<TAB>fold */
  const char *keep_file;
  bool directed;        /* edges are taken as they are; else both ways */
  bool row_normalize;   /* features of a node are divided by their sum */
  bool degree_features; /* graph sets: one-hot degree besides */
  int64_t n_nodes;      /* 0: one more than the highest id */
  /** Progress, may be NULL: share done in [0, 1] and what is being done. */
  void (*progress)(void *context, double share, const char *what);
  void *context;
} trm_prepare_graph_options;

/** One graph whose nodes are to be classified. Errors name file, line, value. */
trm_status trm_prepare_graph(const trm_prepare_graph_options *options, trm_graph_counts *counts);
/** A set of small graphs. Node labels become one-hot features, attributes stand beside them. */
trm_status trm_prepare_graph_set(const trm_prepare_graph_options *options,
                                 trm_graph_counts *counts);
/** Lists "user item item ...", one user a line. Of the counts, duplicates are items repeated in a
 *  line, isolated are items in no training list, unlabelled are users without test items. */
trm_status trm_prepare_interactions(const char *train, const char *test, const char *output,
                                    trm_graph_counts *counts);

typedef struct trm_prepare_debian_graph_options {
  const char *output, *index; /* index NULL: apt-cache dumpavail */
  uint64_t seed;              /* of the random 60/20/20 splits */
  int n_splits;
  int64_t max_words; /* most frequent words that become features */
  void (*progress)(void *context, double share, const char *what);
  void *context;
} trm_prepare_debian_graph_options;
/**
 * The package index as a graph: nodes are packages, edges their relations (both ways; the kinds stay
 * beside it), labels their sections, features the words of name and description and, where they are,
 * debtags.
 */
trm_status trm_prepare_debian_graph(const trm_prepare_debian_graph_options *options,
                                    trm_graph_counts *counts);

typedef struct trm_prepare_synthetic_graph_options {
  const char *output;
  const char *model;        /* "blocks": stochastic block model; "powerlaw": R-MAT */
  int64_t n_nodes, n_edges; /* undirected edges drawn */
  int n_classes;
  int64_t n_features; /* dense: class centre plus noise */
  double homophily;   /* blocks: share of edges inside a class */
  double noise;       /* deviation of the noise */
  uint64_t seed;
  void (*progress)(void *context, double share, const char *what);
  void *context;
} trm_prepare_synthetic_graph_options;
/** A graph whose classes can be learned, of any size. Same options, same file. */
trm_status trm_prepare_synthetic_graph(const trm_prepare_synthetic_graph_options *options,
                                       trm_graph_counts *counts);

#endif
