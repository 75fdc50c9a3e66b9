/** Small random graphs in memory for tests of what works on a trm_graph. */
#ifndef TRIREME_TESTS_RANDOM_GRAPH_H
#define TRIREME_TESTS_RANDOM_GRAPH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trireme/input/graph.h"

static inline void *graph_calloc(int64_t n, size_t size) {
  void *p = calloc((size_t)(n > 0 ? n : 1), size);
  if (!p) {
    perror("calloc");
    exit(1);
  }
  return p;
}

/** A graph and the arrays it owns. */
typedef struct test_graph {
  trm_graph graph;
  int64_t *in_offsets, *out_offsets, *map;
  int32_t *in_columns, *out_columns;
  float *values, *degrees;
} test_graph;

/** In [0, n), from a stream of its own. */
static inline int64_t graph_below(uint64_t *state, int64_t n) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (int64_t)((*state >> 33) % (uint64_t)n);
}

/** From a matrix of weights, has[to * n + from], 0: no edge. `weighted`: values are kept. */
static inline void graph_from_matrix(test_graph *g, int64_t n, const float *has, bool weighted) {
  int64_t n_edges = 0, e = 0;
  bool symmetric = true;
  for (int64_t i = 0; i < n * n; ++i) n_edges += has[i] != 0;
  memset(g, 0, sizeof *g);
  g->in_offsets = graph_calloc(n + 1, sizeof(int64_t));
  g->out_offsets = graph_calloc(n + 1, sizeof(int64_t));
  g->in_columns = graph_calloc(n_edges, sizeof(int32_t));
  g->out_columns = graph_calloc(n_edges, sizeof(int32_t));
  g->map = graph_calloc(n_edges, sizeof(int64_t));
  g->values = graph_calloc(n_edges, sizeof(float));
  g->degrees = graph_calloc(n, sizeof(float));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      if (has[i * n + j] != has[j * n + i]) symmetric = false;
      if (has[i * n + j] == 0) continue;
      g->in_columns[e] = (int32_t)j;
      g->values[e++] = has[i * n + j];
      g->degrees[i] += weighted ? has[i * n + j] : 1;
    }
    g->in_offsets[i + 1] = e;
  }
  trm_graph *to = &g->graph;
  to->n_nodes = n;
  to->degrees = g->degrees;
  to->in = (trm_csr){.n_rows = n,
                     .n_columns = n,
                     .n_edges = n_edges,
                     .offsets = g->in_offsets,
                     .columns = g->in_columns,
                     .values = weighted ? g->values : NULL};
  to->symmetric = symmetric;
  to->out = to->in;
  if (symmetric) return;
  trm_csr_transpose(&to->in, g->out_offsets, g->out_columns, g->map);
  to->out.offsets = g->out_offsets;
  to->out.columns = g->out_columns;
  to->out.map = weighted ? g->map : NULL;
}

static inline void graph_free(test_graph *g) {
  free(g->in_offsets);
  free(g->out_offsets);
  free(g->in_columns);
  free(g->out_columns);
  free(g->map);
  free(g->values);
  free(g->degrees);
}

/** About `degree` edges a node in communities of 16 neighbouring ids, some to anywhere, and every
 *  seventh node isolated. */
static inline void graph_random(test_graph *g, int64_t n, int64_t degree, bool directed,
                                bool weighted, uint64_t state) {
  float *has = graph_calloc(n * n, sizeof(float));
  for (int64_t k = 0; k < n * degree / (directed ? 1 : 2); ++k) {
    const int64_t i = graph_below(&state, n);
    const int64_t near = i / 16 * 16 + graph_below(&state, 16);
    const int64_t j = graph_below(&state, 8) > 0 && near < n ? near : graph_below(&state, n);
    const float weight = weighted ? (float)(1 + graph_below(&state, 1000)) / 300 : 1;
    if (i == j || i % 7 == 3 || j % 7 == 3) continue;
    has[i * n + j] = weight;
    if (!directed) has[j * n + i] = weight;
  }
  graph_from_matrix(g, n, has, weighted);
  free(has);
}

#endif
