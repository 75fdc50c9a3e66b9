/**
 * Induced subgraphs: the edges among some nodes, for clusters of a graph and for graphs of a set.
 * Source of training on clusters: Chiang et al. 2019, arXiv:1905.07953, section 3.
 */
#include <inttypes.h>

#include "edge_drop_internal.h"
#include "sampler_internal.h"

/* Edges of group rows [begin, end) from nodes of the same group; returns the number of edges so far. */
static int64_t induce_group(const trm_neighbor_sampler *s, const trm_edge_drop *drop,
                            const int32_t *ids, int64_t begin, int64_t end, int64_t n,
                            trm_hop_store *to) {
  const trm_csr *in = &s->graph->in;
  const uint32_t first = s->base + (uint32_t)begin;
  for (int64_t i = begin; i < end; ++i) s->place[ids[i]] = s->base + (uint32_t)i;
  for (int64_t i = begin; i < end; ++i) {
    to->in_offsets[i] = n;
    for (int64_t e = in->offsets[ids[i]]; e < in->offsets[ids[i] + 1]; ++e) {
      const uint32_t place = s->place[in->columns[e]];
      if (place < first) continue; /* of an earlier group or subgraph */
      if (trm_edge_dropped(drop, ids[i], in->columns[e])) continue;
      if (in->values) to->values[n] = in->values[in->map ? in->map[e] : e];
      to->in_columns[n++] = (int32_t)(place - s->base);
    }
  }
  to->in_offsets[end] = n;
  return n;
}

/* Room for all edges of the nodes; their ids and degrees. */
static trm_status take_nodes(const trm_neighbor_sampler *s, trm_subgraph_store *store,
                             const int32_t *nodes, int64_t n) {
  const trm_graph *g = s->graph;
  int64_t n_edges = 0;
  if (n > INT32_MAX) {
    return trm_fail(TRM_ERR_ARG,
                    "sampler: a subgraph of %" PRId64 " nodes is more rows than 32 bits count; use "
                    "smaller batches",
                    n);
  }
  TRM_TRY(TRM_BUFFER_GROW(&store->ids, &store->ids_room, n, 0, "nodes of a subgraph"));
  TRM_TRY(TRM_BUFFER_GROW(&store->degrees, &store->degrees_room, n, 0, "degrees of a subgraph"));
  for (int64_t i = 0; i < n; ++i) {
    store->ids[i] = nodes[i];
    store->degrees[i] = g->degrees[nodes[i]];
    n_edges += g->in.offsets[nodes[i] + 1] - g->in.offsets[nodes[i]];
  }
  TRM_TRY(trm_hop_store_rows(&store->hops[0], n));
  return trm_hop_store_edges(&store->hops[0], n_edges, g->in.values != NULL);
}

trm_status trm_induced_into(trm_neighbor_sampler *sampler, trm_subgraph_store *store, int64_t step,
                            const int32_t *nodes, const int64_t *groups, int64_t n_groups,
                            trm_subgraph *subgraph) {
  const int n_hops = sampler->options.n_hops;
  const int64_t n = groups[n_groups];
  *subgraph = (trm_subgraph){.n_hops = n_hops, .n_inputs = n};
  TRM_TRY(take_nodes(sampler, store, nodes, n));
  subgraph->inputs = store->ids;
  if (n_hops == 0) return TRM_OK;
  const trm_edge_drop drop =
      trm_edge_drop_at(sampler->options.seed, step, sampler->options.drop_edge);
  trm_hop_store *to = &store->hops[0];
  int64_t n_edges = 0;
  to->in_offsets[0] = 0;
  trm_neighbor_sampler_begin(sampler, n);
  for (int64_t g = 0; g < n_groups; ++g) {
    n_edges = induce_group(sampler, &drop, store->ids, groups[g], groups[g + 1], n_edges, to);
  }
  trm_neighbor_sampler_end(sampler, n);
  /* The edges left of a symmetric graph are their own transpose, unless they were left out by ones. */
  const bool symmetric = sampler->graph->symmetric && sampler->options.drop_edge <= 0;
  TRM_TRY(trm_hop_finish(sampler->graph, store, to, n, n, symmetric, &subgraph->hops[0]));
  for (int h = 1; h < n_hops; ++h) subgraph->hops[h] = subgraph->hops[0];
  return TRM_OK;
}

trm_status trm_induced_subgraph(trm_neighbor_sampler *sampler, int64_t step, const int32_t *nodes,
                                int64_t n, trm_subgraph *subgraph) {
  const int64_t groups[2] = {0, n};
  return trm_induced_into(sampler, &sampler->store, step, nodes, groups, 1, subgraph);
}

/* The nodes of each graph are contiguous, and all edges are inside graphs. */
trm_status trm_union_into(trm_neighbor_sampler *sampler, const trm_graph_set *set,
                          trm_subgraph_store *store, int64_t step, const int32_t *graphs, int64_t n,
                          trm_subgraph *subgraph) {
  const int64_t *first = set->graphs;
  TRM_ASSERT(sampler->graph == &set->graph);
  int64_t rows = 0;
  TRM_TRY(
      TRM_BUFFER_GROW(&store->segments, &store->segments_room, n + 1, 0, "graphs of a subgraph"));
  for (int64_t i = 0; i < n; ++i) {
    store->segments[i] = rows;
    rows += first[graphs[i] + 1] - first[graphs[i]];
  }
  store->segments[n] = rows;
  TRM_TRY(TRM_BUFFER_GROW(&store->ids, &store->ids_room, rows, 0, "nodes of a subgraph"));
  for (int64_t i = 0; i < n; ++i) {
    const int64_t begin = first[graphs[i]];
    for (int64_t at = store->segments[i]; at < store->segments[i + 1]; ++at) {
      store->ids[at] = (int32_t)(begin + at - store->segments[i]);
    }
  }
  return trm_induced_into(sampler, store, step, store->ids, store->segments, n, subgraph);
}

trm_status trm_union_subgraph(trm_neighbor_sampler *sampler, const trm_graph_set *set, int64_t step,
                              const int32_t *graphs, int64_t n, trm_subgraph *subgraph,
                              const int64_t **segments) {
  TRM_TRY(trm_union_into(sampler, set, &sampler->store, step, graphs, n, subgraph));
  *segments = sampler->store.segments;
  return TRM_OK;
}

void trm_induced_bounds_of(int n_hops, int64_t n, int64_t n_edges, trm_subgraph *bounds) {
  *bounds = (trm_subgraph){.n_hops = n_hops, .n_inputs = n};
  const trm_csr csr = {.n_rows = n, .n_columns = n, .n_edges = n_edges};
  for (int h = 0; h < n_hops; ++h) bounds->hops[h] = (trm_hop){.in = csr, .out = csr};
}
