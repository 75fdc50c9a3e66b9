/** Graphs for the tests of sampling: made in memory, of any size and with degrees that differ much. */
#ifndef TRIREME_TESTS_SAMPLING_GRAPH_H
#define TRIREME_TESTS_SAMPLING_GRAPH_H

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/input/graph_set.h"
#include "trireme/input/interactions.h"
#include "trireme/input/node_data.h"

typedef struct random_graph {
  trm_graph
      g; /* of any kind; the kind's own struct has a copy of it: random_graph_nodes and the like */
  trm_classes classes;
  int64_t n_graphs, n_users, n_items;
  trm_csr pairs; /* for training */
  int64_t *offsets, *feature_offsets, *graphs, *train_offsets;
  int32_t *columns, *feature_columns, *labels, *train, *items;
  float *values, *degrees, *dense, *feature_values;
} random_graph;

static inline int64_t random_of(uint64_t a, uint64_t b, int64_t n) {
  return (int64_t)trm_random_below(trm_random_key_make(7, TRM_RANDOM_TEST, 0, 0), a, b,
                                   (uint64_t)n);
}

#define RANDOM_GRAPH_TAKE(p, n)                                                                    \
  do {                                                                                             \
    if (!CHECK_OK(TRM_ALLOC(&(p), (n), "test"))) exit(1);                                          \
  } while (0)

/* Whether there is an edge j -> i; nodes divisible by 7 have none, low sources are popular. */
static inline bool random_edge(int64_t i, int64_t j, int64_t n, int64_t degree, bool symmetric) {
  if (i == j || i % 7 == 0 || (symmetric && j % 7 == 0)) return false;
  const int64_t a = symmetric && j < i ? j : i, b = symmetric && j < i ? i : j;
  const int64_t scale = (symmetric ? a : b) < 4 ? 8 : 1;
  return random_of((uint64_t)a, (uint64_t)b, n) < degree * scale;
}

/** n nodes of about `degree` edges each (in a set: within graphs). Every third node is for training. */
static inline void random_graph_make(random_graph *r, int64_t n, int64_t degree, bool symmetric,
                                     bool weights) {
  memset(r, 0, sizeof *r);
  RANDOM_GRAPH_TAKE(r->offsets, n + 1);
  RANDOM_GRAPH_TAKE(r->columns, n * n);
  RANDOM_GRAPH_TAKE(r->values, n * n);
  RANDOM_GRAPH_TAKE(r->degrees, n);
  RANDOM_GRAPH_TAKE(r->labels, n);
  RANDOM_GRAPH_TAKE(r->train, n);
  int64_t e = 0, n_train = 0;
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < n; ++j) {
      if (!random_edge(i, j, n, degree, symmetric)) continue;
      r->columns[e] = (int32_t)j;
      r->values[e] = (float)(1 + (i + j) % 5);
      sum += weights ? (double)r->values[e] : 1;
      ++e;
    }
    r->offsets[i + 1] = e;
    r->degrees[i] = (float)sum;
    r->labels[i] = (int32_t)(i % 5);
    if (i % 3 == 0) r->train[n_train++] = (int32_t)i;
  }
  r->g = (trm_graph){.path = "random",
                     .n_nodes = n,
                     .symmetric = symmetric,
                     .in = {n, n, e, r->offsets, r->columns, weights ? r->values : NULL, NULL},
                     .degrees = r->degrees};
  r->classes = (trm_classes){.n = 5, .labels = r->labels};
}

static inline trm_node_data random_graph_nodes(const random_graph *r) {
  return (trm_node_data){.graph = r->g, .classes = r->classes};
}

/** Its training nodes. */
static inline trm_ids random_graph_train(const random_graph *r) {
  int64_t n = 0;
  while (n < r->g.n_nodes && (n == 0 || r->train[n] > 0)) ++n;
  return (trm_ids){r->train, n};
}

/** Features [n, F]: every value in its place, or sparse with about every fourth. */
static inline void random_graph_features(random_graph *r, int64_t F, bool sparse, bool values) {
  const int64_t n = r->g.n_nodes;
  r->g.n_features = F;
  r->g.sparse = sparse;
  if (!sparse) {
    RANDOM_GRAPH_TAKE(r->dense, n * F);
    for (int64_t i = 0; i < n * F; ++i) r->dense[i] = (float)i;
    r->g.dense = r->dense;
    return;
  }
  RANDOM_GRAPH_TAKE(r->feature_offsets, n + 1);
  RANDOM_GRAPH_TAKE(r->feature_columns, n * F);
  RANDOM_GRAPH_TAKE(r->feature_values, n * F);
  int64_t e = 0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t c = 0; c < F; ++c) {
      if (random_of((uint64_t)(n + i), (uint64_t)c, 4) > 0) continue;
      r->feature_columns[e] = (int32_t)c;
      r->feature_values[e] = (float)e;
      ++e;
    }
    r->feature_offsets[i + 1] = e;
  }
  r->g.features = (trm_csr){
      n, F, e, r->feature_offsets, r->feature_columns, values ? r->feature_values : NULL, NULL};
}

/** A set of n graphs: graph i is a ring of (i * i) % 11 nodes, so some have none, and labels i % 5. */
static inline void random_graph_set(random_graph *r, int64_t n) {
  memset(r, 0, sizeof *r);
  RANDOM_GRAPH_TAKE(r->graphs, n + 1);
  RANDOM_GRAPH_TAKE(r->labels, n);
  RANDOM_GRAPH_TAKE(r->train, n);
  for (int64_t i = 0; i < n; ++i) {
    r->graphs[i + 1] = r->graphs[i] + i * i % 11;
    r->labels[i] = (int32_t)(i % 5);
    r->train[i] = (int32_t)i;
  }
  const int64_t nodes = r->graphs[n];
  RANDOM_GRAPH_TAKE(r->offsets, nodes + 1);
  RANDOM_GRAPH_TAKE(r->columns, 2 * nodes);
  RANDOM_GRAPH_TAKE(r->degrees, nodes);
  int64_t e = 0;
  for (int64_t k = 0; k < n; ++k) {
    const int64_t begin = r->graphs[k], end = r->graphs[k + 1];
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t j = begin; j < end; ++j) {
        const int64_t apart = (i - j + (end - begin)) % (end - begin);
        if (i != j && (apart == 1 || apart == end - begin - 1)) r->columns[e++] = (int32_t)j;
      }
      r->offsets[i + 1] = e;
      r->degrees[i] = (float)(e - r->offsets[i]);
    }
  }
  r->n_graphs = n;
  r->classes = (trm_classes){.n = 5, .labels = r->labels};
  r->g = (trm_graph){.path = "random",
                     .n_nodes = nodes,
                     .symmetric = true,
                     .in = {nodes, nodes, e, r->offsets, r->columns, NULL, NULL},
                     .degrees = r->degrees};
}

static inline trm_graph_set random_graph_as_set(const random_graph *r) {
  return (trm_graph_set){
      .graph = r->g, .classes = r->classes, .n_graphs = r->n_graphs, .graphs = r->graphs};
}

/* The graph of users, then items, from their pairs. */
static inline void random_graph_both_ways(random_graph *r) {
  const int64_t n_users = r->n_users, n = r->g.n_nodes, n_pairs = r->pairs.n_edges;
  RANDOM_GRAPH_TAKE(r->offsets, n + 1);
  RANDOM_GRAPH_TAKE(r->columns, 2 * n_pairs);
  RANDOM_GRAPH_TAKE(r->degrees, n);
  int64_t at = 0;
  for (int64_t node = 0; node < n; ++node) {
    for (int64_t u = 0; u < n_users; ++u) {
      for (int64_t e = r->train_offsets[u]; e < r->train_offsets[u + 1]; ++e) {
        const int64_t item = n_users + r->items[e];
        if (node == u) r->columns[at++] = (int32_t)item;
        if (node == item) r->columns[at++] = (int32_t)u;
      }
    }
    r->offsets[node + 1] = at;
    r->degrees[node] = (float)(at - r->offsets[node]);
  }
  r->g.in = (trm_csr){n, n, at, r->offsets, r->columns, NULL, NULL};
  r->g.out = r->g.in;
  r->g.degrees = r->degrees;
}

/** Users with few or many of the items, and none for some; user 1 has all items but one. */
static inline void random_graph_interactions(random_graph *r, int64_t n_users, int64_t n_items) {
  memset(r, 0, sizeof *r);
  RANDOM_GRAPH_TAKE(r->train_offsets, n_users + 1);
  RANDOM_GRAPH_TAKE(r->items, n_users * n_items);
  int64_t e = 0;
  for (int64_t u = 0; u < n_users; ++u) {
    for (int64_t i = 0; i < n_items; ++i) {
      if (u == 1 ? i == n_items / 2 : random_of((uint64_t)u, (uint64_t)i, 9) >= u % 5) continue;
      r->items[e++] = (int32_t)i;
    }
    r->train_offsets[u + 1] = e;
  }
  r->n_users = n_users;
  r->n_items = n_items;
  r->pairs = (trm_csr){n_users, n_items, e, r->train_offsets, r->items, NULL, NULL};
  r->g = (trm_graph){.path = "random", .n_nodes = n_users + n_items, .symmetric = true};
  random_graph_both_ways(r);
}

static inline trm_interactions random_graph_pairs(const random_graph *r) {
  return (trm_interactions){
      .graph = r->g, .n_users = r->n_users, .n_items = r->n_items, .train = r->pairs};
}

static inline void random_graph_free(random_graph *r) {
  TRM_FREE(r->offsets);
  TRM_FREE(r->feature_offsets);
  TRM_FREE(r->graphs);
  TRM_FREE(r->train_offsets);
  TRM_FREE(r->columns);
  TRM_FREE(r->feature_columns);
  TRM_FREE(r->labels);
  TRM_FREE(r->train);
  TRM_FREE(r->items);
  TRM_FREE(r->values);
  TRM_FREE(r->degrees);
  TRM_FREE(r->dense);
  TRM_FREE(r->feature_values);
}

/** Sum of (seen - expected)^2 / expected over n equally likely outcomes. */
static inline double chi_square(const int64_t *seen, int64_t n) {
  double total = 0, sum = 0;
  for (int64_t i = 0; i < n; ++i) total += (double)seen[i];
  for (int64_t i = 0; i < n; ++i) {
    const double d = (double)seen[i] - total / (double)n;
    sum += d * d / (total / (double)n);
  }
  return sum;
}

#endif
