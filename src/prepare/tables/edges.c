/**
 * Pairs of nodes become compressed sparse rows.
 *
 *     pairs --count, place--> rows by source, in the order given
 *           --transpose-----> rows by destination, sources rising, repeated ones side by side
 *           --compact-------> each edge once
 *
 * Transposing walks the rows of the first in rising order, which is what sorts the second: two
 * passes over the edges instead of a sort. Source: Gustavson 1978, "Two fast algorithms for sparse
 * matrices", section 3 (permuted transposition).
 */
#include <string.h>

#include "edges.h"
#include "trireme/core/memory.h"

typedef struct builder {
  const trm_edge_list *edges;
  int64_t n_nodes;
  bool undirected;
  int64_t *by_source, *offsets; /* [n_nodes + 1] rows by source, by destination */
  int32_t *targets, *sources;   /* [placed] their columns */
  int64_t *origin, *map;        /* [placed] place of an edge in `edges`, weighted only */
} builder;

/* Rows by source; self-loops stay behind. Returns how many there are. */
static int64_t count_rows(builder *b) {
  const trm_edge_list *e = b->edges;
  int64_t loops = 0;
  for (int64_t i = 0; i < e->n; ++i) {
    const int32_t u = e->sources[i], v = e->targets[i];
    TRM_ASSERT(u >= 0 && u < b->n_nodes && v >= 0 && v < b->n_nodes);
    if (u == v) {
      ++loops;
      continue;
    }
    ++b->by_source[u + 1];
    if (b->undirected) ++b->by_source[v + 1];
  }
  for (int64_t r = 0; r < b->n_nodes; ++r) b->by_source[r + 1] += b->by_source[r];
  return loops;
}

static void place(builder *b, int32_t source, int32_t target, int64_t edge) {
  const int64_t at = b->by_source[source]++;
  b->targets[at] = target;
  if (b->origin) b->origin[at] = edge;
}

static void place_all(builder *b) {
  const trm_edge_list *e = b->edges;
  for (int64_t i = 0; i < e->n; ++i) {
    if (e->sources[i] == e->targets[i]) continue;
    place(b, e->sources[i], e->targets[i], i);
    if (b->undirected) place(b, e->targets[i], e->sources[i], i);
  }
  /* Each row's begin has walked to its end, which is the begin of the next. */
  memmove(b->by_source + 1, b->by_source, (size_t)b->n_nodes * sizeof *b->by_source);
  b->by_source[0] = 0;
}

/* Of equal neighbours the first stays, in both directions the same. Returns the edges dropped. */
static int64_t compact(builder *b) {
  int64_t to = 0, from = 0;
  for (int64_t r = 0; r < b->n_nodes; ++r) {
    const int64_t row = to, end = b->offsets[r + 1];
    for (; from < end; ++from) {
      if (to > row && b->sources[to - 1] == b->sources[from]) continue;
      b->sources[to] = b->sources[from];
      if (b->map) b->map[to] = b->map[from];
      ++to;
    }
    b->offsets[r + 1] = to;
  }
  return from - to;
}

static int64_t count_isolated(const builder *b) {
  int64_t n = 0;
  for (int64_t r = 0; r < b->n_nodes; ++r) {
    n += b->offsets[r] == b->offsets[r + 1] && b->by_source[r] == b->by_source[r + 1];
  }
  return n;
}

/* The columns had room for what was dropped; what is handed out has not. */
static trm_status take_columns(const builder *b, int32_t **columns, float **values) {
  const int64_t n = b->offsets[b->n_nodes];
  TRM_TRY(TRM_ALLOC(columns, n, "edges of a graph"));
  memcpy(*columns, b->sources, (size_t)n * sizeof **columns);
  if (!b->edges->weights) return TRM_OK;
  TRM_TRY(TRM_ALLOC(values, n, "weights of a graph"));
  for (int64_t e = 0; e < n; ++e) (*values)[e] = b->edges->weights[b->map[e]];
  return TRM_OK;
}

trm_status trm_graph_from_edges(const trm_edge_list *edges, int64_t n_nodes, bool undirected,
                                int64_t **offsets, int32_t **columns, float **values,
                                trm_graph_counts *counts) {
  TRM_ASSERT(n_nodes >= 0 && n_nodes <= INT32_MAX);
  builder b = {.edges = edges, .n_nodes = n_nodes, .undirected = undirected};
  int32_t *new_columns = NULL;
  float *new_values = NULL;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&b.by_source, n_nodes + 1, "rows of a graph"));
  TRM_TRY_OUT(TRM_ALLOC(&b.offsets, n_nodes + 1, "rows of a graph"));
  const int64_t loops = count_rows(&b), n = b.by_source[n_nodes];
  TRM_TRY_OUT(TRM_ALLOC(&b.targets, n, "edges of a graph"));
  if (edges->weights) TRM_TRY_OUT(TRM_ALLOC(&b.origin, n, "weights of a graph"));
  place_all(&b);
  TRM_TRY_OUT(TRM_ALLOC(&b.sources, n, "edges of a graph"));
  if (edges->weights) TRM_TRY_OUT(TRM_ALLOC(&b.map, n, "weights of a graph"));
  const trm_csr by_source = {.n_rows = n_nodes,
                             .n_columns = n_nodes,
                             .n_edges = n,
                             .offsets = b.by_source,
                             .columns = b.targets,
                             .map = b.origin};
  trm_csr_transpose(&by_source, b.offsets, b.sources, b.map);
  const int64_t dropped = compact(&b);
  TRM_TRY_OUT(take_columns(&b, &new_columns, &new_values));
  counts->self_loops = loops;
  counts->duplicates = undirected ? dropped / 2 : dropped;
  counts->isolated = count_isolated(&b);
  *offsets = b.offsets, b.offsets = NULL;
  *columns = new_columns, new_columns = NULL;
  *values = new_values, new_values = NULL;
out:
  TRM_FREE(new_columns);
  TRM_FREE(new_values);
  TRM_FREE(b.by_source);
  TRM_FREE(b.offsets);
  TRM_FREE(b.targets);
  TRM_FREE(b.sources);
  TRM_FREE(b.origin);
  TRM_FREE(b.map);
  return status;
}
