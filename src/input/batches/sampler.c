/** What the ways to cut a subgraph out of a graph have in common: memory, numbering, transposes. */
#include "sampler_internal.h"

#include <inttypes.h>
#include <string.h>

#include "trireme/core/memory.h"

void trm_subgraph_store_release(trm_subgraph_store *store) {
  TRM_FREE(store->ids);
  TRM_FREE(store->degrees);
  TRM_FREE(store->segments);
  for (int h = 0; h < TRM_MAX_HOPS; ++h) {
    trm_hop_store *s = &store->hops[h];
    TRM_FREE(s->in_offsets);
    TRM_FREE(s->counts);
    TRM_FREE(s->out_offsets);
    TRM_FREE(s->in_columns);
    TRM_FREE(s->out_columns);
    TRM_FREE(s->values);
    TRM_FREE(s->map);
  }
  *store = (trm_subgraph_store){0};
}

static trm_status check_options(const trm_neighbor_options *o) {
  if (o->n_hops < 0 || o->n_hops > TRM_MAX_HOPS || !(o->drop_edge >= 0 && o->drop_edge < 1)) {
    return trm_fail(TRM_ERR_ARG,
                    "sampler: %d hops (at most %d), edges left out with probability %g", o->n_hops,
                    TRM_MAX_HOPS, o->drop_edge);
  }
  for (int h = 0; h < o->n_hops; ++h) {
    if (o->fanout[h] >= -1 && o->fanout[h] <= INT32_MAX) continue;
    return trm_fail(TRM_ERR_ARG, "sampler: fan-out %" PRId64 ", expected 0 or more, or -1 for all",
                    o->fanout[h]);
  }
  return TRM_OK;
}

trm_status trm_neighbor_sampler_create(const trm_graph *graph, const trm_neighbor_options *options,
                                       trm_neighbor_sampler **out) {
  *out = NULL;
  TRM_TRY(check_options(options));
  trm_neighbor_sampler *s = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&s, 1, "sampler"));
  s->graph = graph;
  s->options = *options;
  s->base = 1;
  TRM_TRY_OUT(TRM_ALLOC(&s->place, graph->n_nodes, "rows of nodes in a subgraph"));
  *out = s;
  return TRM_OK;
out:
  trm_neighbor_sampler_destroy(&s);
  return status;
}

void trm_neighbor_sampler_destroy(trm_neighbor_sampler **sampler) {
  trm_neighbor_sampler *s = *sampler;
  *sampler = NULL;
  if (!s) return;
  trm_subgraph_store_release(&s->store);
  TRM_FREE(s->place);
  TRM_FREE(s->edges);
  TRM_FREE(s->chosen);
  TRM_FREE(s);
}

void trm_neighbor_sampler_begin(trm_neighbor_sampler *sampler, int64_t rows) {
  if (rows < (int64_t)(UINT32_MAX - sampler->base)) return;
  memset(sampler->place, 0, (size_t)sampler->graph->n_nodes * sizeof *sampler->place);
  sampler->base = 1;
}

void trm_neighbor_sampler_end(trm_neighbor_sampler *sampler, int64_t rows) {
  sampler->base += (uint32_t)rows;
}

trm_status trm_hop_store_rows(trm_hop_store *store, int64_t n_targets) {
  TRM_TRY(TRM_BUFFER_GROW(&store->in_offsets, &store->in_offsets_room, n_targets + 1, 0,
                          "rows of a subgraph"));
  return TRM_BUFFER_GROW(&store->counts, &store->counts_room, n_targets, 0, "rows of a subgraph");
}

trm_status trm_hop_store_edges(trm_hop_store *store, int64_t n_edges, bool weights) {
  TRM_TRY(TRM_BUFFER_GROW(&store->in_columns, &store->in_columns_room, n_edges, 0,
                          "edges of a subgraph"));
  if (!weights) return TRM_OK;
  return TRM_BUFFER_GROW(&store->values, &store->values_room, n_edges, 0, "edges of a subgraph");
}

static trm_status transpose(trm_hop_store *store, trm_hop *hop) {
  const trm_csr *in = &hop->in;
  const char *what = "transpose of a subgraph";
  TRM_TRY(
      TRM_BUFFER_GROW(&store->out_offsets, &store->out_offsets_room, in->n_columns + 1, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&store->out_columns, &store->out_columns_room, in->n_edges, 0, what));
  if (in->values) TRM_TRY(TRM_BUFFER_GROW(&store->map, &store->map_room, in->n_edges, 0, what));
  trm_csr_transpose(in, store->out_offsets, store->out_columns, in->values ? store->map : NULL);
  hop->out = (trm_csr){.n_rows = in->n_columns,
                       .n_columns = in->n_rows,
                       .n_edges = in->n_edges,
                       .offsets = store->out_offsets,
                       .columns = store->out_columns,
                       .values = in->values,
                       .map = in->values ? store->map : NULL};
  return TRM_OK;
}

/* What the hop holds of a target's degree, summed as the degree is. */
static void count_targets(const trm_csr *in, float *counts) {
  for (int64_t i = 0; i < in->n_rows; ++i) {
    const int64_t begin = in->offsets[i], end = in->offsets[i + 1];
    double sum = in->values ? 0 : (double)(end - begin);
    for (int64_t e = begin; in->values && e < end; ++e) sum += (double)in->values[e];
    counts[i] = (float)sum;
  }
}

trm_status trm_hop_finish(const trm_graph *graph, const trm_subgraph_store *from,
                          trm_hop_store *store, int64_t n_targets, int64_t n_sources,
                          bool symmetric, trm_hop *hop) {
  *hop = (trm_hop){.in = {.n_rows = n_targets,
                          .n_columns = n_sources,
                          .n_edges = store->in_offsets[n_targets],
                          .offsets = store->in_offsets,
                          .columns = store->in_columns,
                          .values = graph->in.values ? store->values : NULL},
                   .source_ids = from->ids,
                   .target_ids = from->ids,
                   .source_degrees = from->degrees,
                   .target_degrees = from->degrees,
                   .target_counts = store->counts};
  count_targets(&hop->in, store->counts);
  if (!symmetric) return transpose(store, hop);
  hop->out = hop->in;
  return TRM_OK;
}
