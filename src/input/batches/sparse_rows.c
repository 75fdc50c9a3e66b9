/** Sparse feature rows of some nodes, one after another, and their transpose. */
#include "batching_internal.h"
#include "trireme/core/memory.h"

struct trm_sparse_rows {
  const trm_graph *graph; /* kept */
  int64_t *offsets, *out_offsets, *map;
  int32_t *columns, *out_columns;
  float *values;
  int64_t offsets_room, out_offsets_room, map_room, columns_room, out_columns_room, values_room;
};

trm_status trm_sparse_rows_create(const trm_graph *graph, trm_sparse_rows **out) {
  TRM_ASSERT(graph->sparse);
  *out = NULL;
  TRM_TRY(TRM_ALLOC(out, 1, "feature rows"));
  (*out)->graph = graph;
  return TRM_OK;
}

void trm_sparse_rows_destroy(trm_sparse_rows **rows) {
  trm_sparse_rows *r = *rows;
  *rows = NULL;
  if (!r) return;
  TRM_FREE(r->offsets);
  TRM_FREE(r->out_offsets);
  TRM_FREE(r->map);
  TRM_FREE(r->columns);
  TRM_FREE(r->out_columns);
  TRM_FREE(r->values);
  TRM_FREE(r);
}

trm_status trm_sparse_rows_reserve(trm_sparse_rows *r, int64_t n, int64_t n_entries) {
  const char *what = "feature rows";
  const int64_t F = r->graph->n_features;
  TRM_TRY(TRM_BUFFER_GROW(&r->offsets, &r->offsets_room, n + 1, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&r->out_offsets, &r->out_offsets_room, F + 1, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&r->columns, &r->columns_room, n_entries, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&r->out_columns, &r->out_columns_room, n_entries, 0, what));
  if (!r->graph->features.values) return TRM_OK;
  TRM_TRY(TRM_BUFFER_GROW(&r->values, &r->values_room, n_entries, 0, what));
  return TRM_BUFFER_GROW(&r->map, &r->map_room, n_entries, 0, what);
}

static void copy_rows(trm_sparse_rows *r, const int32_t *nodes, int64_t n) {
  const trm_csr *from = &r->graph->features;
  int64_t to = 0;
  for (int64_t i = 0; i < n; ++i) {
    r->offsets[i] = to;
    for (int64_t e = from->offsets[nodes[i]]; e < from->offsets[nodes[i] + 1]; ++e) {
      if (from->values) r->values[to] = from->values[from->map ? from->map[e] : e];
      r->columns[to++] = from->columns[e];
    }
  }
  r->offsets[n] = to;
}

trm_status trm_sparse_rows_take(trm_sparse_rows *rows, const int32_t *nodes, int64_t n,
                                trm_csr *sparse, trm_csr *transposed) {
  const trm_csr *from = &rows->graph->features;
  int64_t n_entries = 0;
  for (int64_t i = 0; i < n; ++i)
    n_entries += from->offsets[nodes[i] + 1] - from->offsets[nodes[i]];
  TRM_TRY(trm_sparse_rows_reserve(rows, n, n_entries));
  copy_rows(rows, nodes, n);
  const bool weights = from->values != NULL;
  *sparse = (trm_csr){.n_rows = n,
                      .n_columns = rows->graph->n_features,
                      .n_edges = n_entries,
                      .offsets = rows->offsets,
                      .columns = rows->columns,
                      .values = weights ? rows->values : NULL};
  trm_csr_transpose(sparse, rows->out_offsets, rows->out_columns, weights ? rows->map : NULL);
  *transposed = (trm_csr){.n_rows = rows->graph->n_features,
                          .n_columns = n,
                          .n_edges = n_entries,
                          .offsets = rows->out_offsets,
                          .columns = rows->out_columns,
                          .values = sparse->values,
                          .map = weights ? rows->map : NULL};
  return TRM_OK;
}
