/** Graph data sets for the tests of `input`: small ones by the writers of the kinds, broken ones by hand. */
#ifndef TRIREME_TESTS_GRAPH_FIXTURE_H
#define TRIREME_TESTS_GRAPH_FIXTURE_H

#include "input_fixture.h"
#include "trireme/input/graph_set.h"
#include "trireme/input/interactions.h"
#include "trireme/input/node_data.h"

/** 5 nodes, symmetric: 0-1 0-2 1-2 2-3, node 4 alone; 2 features; 3 classes; 2 splits. */
typedef struct graph_fixture {
  trm_node_data d;
  trm_graph_set set;      /* graph_fixture_set */
  trm_interactions pairs; /* graph_fixture_interactions */
  bool is_set, is_pairs;  /* what graph_fixture_write writes */
  int64_t offsets[6], feature_offsets[6], class_offsets[4], name_offsets[6];
  int32_t sources[8], columns[6], labels[5];
  float dense[10], values[6], weights[8];
  trm_ids splits[6];
} graph_fixture;

static inline void graph_fixture_make(graph_fixture *f) {
  static const int64_t offsets[6] = {0, 2, 4, 7, 8, 8}, feature_offsets[6] = {0, 2, 3, 3, 5, 6};
  static const int64_t class_offsets[4] = {0, 1, 3, 6}, name_offsets[6] = {0, 1, 2, 3, 4, 5};
  static const int32_t sources[8] = {1, 2, 0, 2, 0, 1, 3, 2}, columns[6] = {0, 2, 1, 0, 1, 2};
  static const int32_t labels[5] = {0, 1, 0, 1, -1};
  static const float dense[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  static const float values[6] = {1, 2, 3, 4, 5, 6}, weights[8] = {1, 2, 1, 3, 2, 3, 4, 4};
  static const int32_t a[2] = {0, 3}, b[1] = {1}, c[1] = {2};
  memset(f, 0, sizeof *f);
  memcpy(f->offsets, offsets, sizeof offsets);
  memcpy(f->feature_offsets, feature_offsets, sizeof feature_offsets);
  memcpy(f->class_offsets, class_offsets, sizeof class_offsets);
  memcpy(f->name_offsets, name_offsets, sizeof name_offsets);
  memcpy(f->sources, sources, sizeof sources);
  memcpy(f->columns, columns, sizeof columns);
  memcpy(f->labels, labels, sizeof labels);
  memcpy(f->dense, dense, sizeof dense);
  memcpy(f->values, values, sizeof values);
  memcpy(f->weights, weights, sizeof weights);
  f->splits[0] = (trm_ids){a, 2}, f->splits[1] = (trm_ids){b, 1}, f->splits[2] = (trm_ids){c, 1};
  f->splits[3] = (trm_ids){c, 1}, f->splits[4] = (trm_ids){a, 2}, f->splits[5] = (trm_ids){a, 0};
  f->d = (trm_node_data){
      .graph = {.source = "fixture",
                .n_nodes = 5,
                .symmetric = true,
                .in = {5, 5, 8, f->offsets, f->sources, NULL, NULL},
                .n_features = 2,
                .dense = f->dense,
                .names = {5, f->name_offsets, "vwxyz"}},
      .classes = {.n = 3, .labels = f->labels, .names = {3, f->class_offsets, "abbccc"}},
      .n_splits = 2,
      .splits = f->splits};
}

/** Features sparse instead: 3 columns, 6 values. */
static inline void graph_fixture_sparse(graph_fixture *f, bool values) {
  f->d.graph.dense = NULL;
  f->d.graph.sparse = true;
  f->d.graph.n_features = 3;
  f->d.graph.features =
      (trm_csr){5, 3, 6, f->feature_offsets, f->columns, values ? f->values : NULL, NULL};
}

/** As a set: the graphs {0, 1, 2, 3} and {4}, and a third {5} of one more node; 3 folds. */
static inline void graph_fixture_set(graph_fixture *f) {
  static const int64_t offsets[7] = {0, 2, 4, 7, 8, 8, 8}, graphs[4] = {0, 4, 5, 6};
  static const int32_t labels[3] = {1, 0, 2}, folds[3] = {2, 0, 1};
  static const float dense[6] = {1, 2, 3, 4, 5, 6};
  f->is_set = true;
  f->set = (trm_graph_set){
      .graph = {.source = "fixture",
                .n_nodes = 6,
                .symmetric = true,
                .in = {6, 6, 8, offsets, f->sources, NULL, NULL},
                .n_features = 1,
                .dense = dense},
      .classes = {.n = 3, .labels = labels, .names = {3, f->class_offsets, "abbccc"}},
      .n_graphs = 3,
      .graphs = graphs,
      .folds = folds};
}

/** 3 users, 4 items; user 2 has nothing to find. */
static inline void graph_fixture_interactions(graph_fixture *f) {
  static const int64_t train[4] = {0, 2, 3, 5}, test[4] = {0, 1, 2, 2};
  static const int32_t train_items[5] = {0, 2, 1, 0, 3}, test_items[2] = {1, 0};
  f->is_set = false;
  f->is_pairs = true;
  f->pairs = (trm_interactions){.n_users = 3,
                                .n_items = 4,
                                .train = {3, 4, 5, train, train_items, NULL, NULL},
                                .test = {3, 4, 2, test, test_items, NULL, NULL}};
}

/** Settings of a hand-made array; the file is written by name, so any can be left out or changed. */
static inline void graph_fixture_write(const char *path, const graph_fixture *f) {
  const trm_graph_counts counts = {.self_loops = 1, .duplicates = 2};
  const trm_status status = f->is_pairs ? trm_interactions_write(path, &f->pairs, &counts)
                            : f->is_set ? trm_graph_set_write(path, &f->set, &counts)
                                        : trm_node_data_write(path, &f->d, &counts, NULL);
  if (!CHECK_OK(status)) exit(1);
}

#endif
