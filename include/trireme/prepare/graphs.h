/** `trireme prepare graph`, `graphs`, `interactions`, `debian --graph`, `synth --graph`. */
#ifndef TRIREME_PREPARE_GRAPHS_H
#define TRIREME_PREPARE_GRAPHS_H

#include "trireme/input/graph_write.h"
#include "trireme/prepare/reading.h"

/** Parts that are dealt at random, class by class. Zero: none. */
typedef struct trm_node_deal {
  double valid_share, test_share; /* of the labelled nodes */
  int64_t per_class;              /* > 0: so many of each class to train on, and no shares; then */
  int64_t n_valid, n_test;        /* so many of the others */
  uint64_t seed;
} trm_node_deal;

/** Whether any is asked for. */
bool trm_node_deal_is_asked(const trm_node_deal *deal);

typedef struct trm_prepare_graph_options {
  const char *output;
  bool no_edges;              /* nodes alone: there is no table of edges */
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
  int64_t n_folds;                  /* graph sets: > 0: so many are dealt, class by class */
  /* Graph sets in other forms, instead of `nodes`; lists of graphs (train, valid, test) instead of folds. */
  const char *indicator;   /* the graph of each node, a line a node */
  const char *node_labels; /* a line a node, any texts; NULL: none */
  const char *node_counts,
      *edge_counts; /* of each graph, a line a graph; edges count nodes in it */
  bool label_lines; /* labels are a line a node (graph), in their order */
  const char
      *content; /* a line a node: name, values, class, instead of features and labels; NULL */
  const char *keep_file;
  bool directed;              /* edges are taken as they are; else both ways */
  bool row_normalize;         /* features of a node are divided by their sum */
  bool degree_features;       /* graph sets: one-hot degree besides */
  int64_t n_nodes;            /* 0: one more than the highest id */
  trm_reading reading;        /* how tables are read; `columns` is of the edges */
  const char *feature_header; /* "yes", "no": of dense features; reading.header is of the edges */
  const char *label_columns;  /* of the labels: node, class; NULL: found out */
  const char *index; /* "yes", "no": the first column of dense features is none; NULL: found out */
  bool identity_features; /* one for each node, instead of others */
  trm_node_deal deal;     /* a split that is dealt; zero: none */
  /** Progress, may be NULL: share done in [0, 1] and what is being done. */
  void (*progress)(void *context, double share, const char *what);
  void *context;
} trm_prepare_graph_options;

/** The number that is all a file has. */
trm_status trm_read_one_count(const char *path, int64_t *n);

/**
 * One graph whose nodes are to be classified (data/FORMAT.md has the forms of the files). Not
 * collective; the same files and options give the same file.
 *
 * Ids are numbers or names (reading.ids); of names the data set keeps a table, and nodes are numbered in
 * its order. Labels that do not count from 0 without gaps become names of classes.
 *
 * Nodes are counted by `n_nodes`, else by the rows of dense features, else by the highest id in edges
 * and sparse features; labels and splits are about nodes that are there. Without `directed` each edge
 * counts both ways. Self-loops and repeated edges are left out and counted.
 *
 * @param[out] counts  of what is written, after `keep_file`
 * @return TRM_ERR_DATA with file, line, column and value; TRM_ERR_USAGE for options that do not go
 *         together; TRM_ERR_IO, TRM_ERR_MEMORY. The output appears complete or not at all
 */
trm_status trm_prepare_graph(const trm_prepare_graph_options *options, trm_graph_counts *counts);
/**
 * A set of small graphs. Node labels become one-hot features, attributes stand beside them. Not
 * collective; the same files and options give the same file.
 *
 * @param[in]  options  nodes, edges and labels are needed; classes, attributes, folds may be there
 * @param[out] counts   unlabelled: graphs without a class
 * @return as trm_prepare_graph
 */
trm_status trm_prepare_graph_set(const trm_prepare_graph_options *options,
                                 trm_graph_counts *counts);
typedef struct trm_prepare_interactions_options {
  const char *output;
  const char *train, *test; /* test NULL: dealt out of train */
  const char
      *format; /* "lists": user item item ... a line; "pairs": user item [rating [time]]; NULL:
                               found out */
  trm_reading reading; /* `columns` is of pairs: user, item, rating, time */
  const char *split;   /* what is dealt: "random", "time" (the last of each user); NULL: random */
  double test_share;   /* of each user's items, to the nearest, of which one is left to train on */
  uint64_t seed;       /* of random */
  bool has_threshold;
  double threshold; /* ratings below are passed over */
  /** Progress, may be NULL: share done in [0, 1] and what is being done. */
  void (*progress)(void *context, double share, const char *what);
  void *context;
} trm_prepare_interactions_options;

/**
 * Users and their items: lists "user item item ...", a user a line, in any order, or pairs, one a line,
 * with ratings and times. Not collective; the same files and options give the same file.
 *
 * Lists of numbers: users are 0 to the highest, each with a line in `train`; in `test` any may be missing,
 * or have no items. Items repeated in a line are left out and counted; one in both lists of a user is an
 * error. Pairs, and lists of names: users and items are numbered in the order of trm_names_sort, and
 * the data set keeps a table of their names unless they are 0, 1, 2, ...; of a pair that comes again
 * the earliest counts; users to test who have nothing to train on are left out and told.
 *
 * @param[out] counts  duplicates: items repeated; isolated: items in no training list; unlabelled: users
 *                     without items to find
 * @return as trm_prepare_graph
 */
trm_status trm_prepare_interactions(const trm_prepare_interactions_options *options,
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
 * debtags. Not collective. The index is held in memory (60,000 packages: 50 MB).
 *
 * @param[out] counts  duplicates: relations beyond the first between two packages; unlabelled:
 *                     packages without a section; empty_features: without any chosen word or tag
 * @return TRM_ERR_IO, TRM_ERR_DATA naming the index; TRM_ERR_USAGE for a bad place of the output
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
/**
 * A graph whose classes can be learned, of any size. Same options, same file. Of n_edges pairs that are
 * drawn, self-loops and repeated ones are left out and counted. Not collective, one thread.
 *
 * @return TRM_ERR_USAGE for options out of range or a bad place of the output
 *
 * Memory: about 33 bytes for an edge drawn at the highest.
 */
trm_status trm_prepare_synthetic_graph(const trm_prepare_synthetic_graph_options *options,
                                       trm_graph_counts *counts);

#endif
