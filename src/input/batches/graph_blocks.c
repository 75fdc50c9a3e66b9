/** One block of a graph batch: from the ids of its samples to what a model takes. */
#include <string.h>

#include "graph_loader_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

/* ---- memory ---------------------------------------------------------------------------------- */

trm_status trm_block_maker_init(trm_block_maker *maker, const trm_graph *graph,
                                const trm_graph_loader_options *options) {
  *maker = (trm_block_maker){.graph = graph, .options = options};
  maker->n_epoch = trm_graph_epoch_samples(graph, options);
  trm_neighbor_options sampler = options->sampler;
  sampler.seed = options->seed;
  TRM_TRY(trm_neighbor_sampler_create(graph, &sampler, &maker->sampler));
  if (options->kind != TRM_BATCH_CLUSTER) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&maker->counts, graph->n_nodes, "training nodes"));
  for (int64_t i = 0; i < options->train.n; ++i) maker->counts[options->train.ids[i]] = 1;
  return TRM_OK;
}

void trm_block_maker_release(trm_block_maker *maker) {
  trm_neighbor_sampler_destroy(&maker->sampler);
  TRM_FREE(maker->counts);
}

trm_status trm_block_store_init(const trm_block_maker *maker, trm_block_store *store) {
  if (!maker->graph->sparse || maker->graph->n_features == 0) return TRM_OK;
  return trm_feature_rows_create(maker->graph, &store->rows);
}

void trm_block_store_release(trm_block_store *store) {
  trm_subgraph_store_release(&store->subgraph);
  trm_feature_rows_destroy(&store->rows);
  TRM_FREE(store->nodes);
  TRM_FREE(store->groups);
  TRM_FREE(store->targets);
  TRM_FREE(store->inputs);
  TRM_FREE(store->input_rows);
}

static trm_status reserve_hop(const trm_hop *hop, bool weights, bool transposed,
                              trm_hop_store *store) {
  const char *what = "subgraph";
  const int64_t n_edges = hop->in.n_edges;
  TRM_TRY(trm_hop_store_rows(store, hop->in.n_rows));
  TRM_TRY(trm_hop_store_edges(store, n_edges, weights));
  if (!transposed) return TRM_OK;
  TRM_TRY(
      TRM_BUFFER_GROW(&store->out_offsets, &store->out_offsets_room, hop->out.n_rows + 1, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&store->out_columns, &store->out_columns_room, n_edges, 0, what));
  if (!weights) return TRM_OK;
  return TRM_BUFFER_GROW(&store->map, &store->map_room, n_edges, 0, what);
}

/* Neighbour sampling has a hop of its own for each layer, the others one for all. */
static trm_status reserve_hops(const trm_block_maker *m, const trm_subgraph *bounds,
                               trm_subgraph_store *store) {
  const bool neighbor = m->options->kind == TRM_BATCH_NEIGHBOR;
  const bool transposed = neighbor || !m->graph->symmetric || m->options->sampler.drop_edge > 0;
  for (int h = 0; h < (neighbor || bounds->n_hops == 0 ? bounds->n_hops : 1); ++h) {
    const trm_hop *hop = &bounds->hops[bounds->n_hops - 1 - h];
    TRM_TRY(reserve_hop(hop, m->graph->in.values != NULL, transposed, &store->hops[h]));
  }
  TRM_TRY(TRM_BUFFER_GROW(&store->ids, &store->ids_room, bounds->n_inputs, 0, "subgraph"));
  return TRM_BUFFER_GROW(&store->degrees, &store->degrees_room, bounds->n_inputs, 0, "subgraph");
}

trm_status trm_block_maker_reserve(trm_block_maker *maker, const trm_graph_bounds *bounds) {
  const trm_subgraph *s = &bounds->block.subgraph;
  int64_t most_edges = 0;
  for (int h = 0; h < s->n_hops; ++h) {
    most_edges = trm_max_i64(most_edges, s->hops[h].in.n_edges);
  }
  if (maker->options->kind != TRM_BATCH_NEIGHBOR) return TRM_OK;
  return trm_neighbor_sampler_reserve(maker->sampler, most_edges);
}

trm_status trm_block_store_reserve(const trm_block_maker *maker, const trm_graph_bounds *bounds,
                                   trm_block_store *store) {
  const trm_graph_block *b = &bounds->block;
  const int64_t n = b->subgraph.n_inputs;
  const bool cluster = maker->options->kind == TRM_BATCH_CLUSTER;
  const char *what = "block of a graph batch";
  TRM_TRY(reserve_hops(maker, &b->subgraph, &store->subgraph));
  TRM_TRY(TRM_BUFFER_GROW(&store->nodes, &store->nodes_room, cluster ? n : b->n_samples, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&store->groups, &store->groups_room, b->n_samples + 1, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&store->targets, &store->targets_room, b->n_targets, 0, what));
  if (maker->options->kind == TRM_BATCH_SET) {
    TRM_TRY(TRM_BUFFER_GROW(&store->subgraph.segments, &store->subgraph.segments_room,
                            b->n_graphs + 1, 0, what));
  }
  if (maker->options->fetched) {
    TRM_TRY(TRM_BUFFER_GROW(&store->inputs, &store->inputs_room, n, 0, what));
    TRM_TRY(TRM_BUFFER_GROW(&store->input_rows, &store->input_rows_room, n, 0, what));
  }
  return store->rows ? trm_feature_rows_reserve(store->rows, n, bounds->sparse.n_edges) : TRM_OK;
}

int64_t trm_block_store_bytes(const trm_graph *graph, const trm_graph_bounds *bounds) {
  const trm_subgraph *s = &bounds->block.subgraph;
  const double edge = graph->in.values ? 24 : 8;
  double bytes = 24 * (double)s->n_inputs + 20 * (double)bounds->sparse.n_edges;
  for (int h = 0; h < s->n_hops; ++h) {
    bytes += edge * (double)s->hops[h].in.n_edges +
             12 * (double)(s->hops[h].in.n_rows + s->hops[h].in.n_columns);
  }
  return bytes < 0x1p62 ? (int64_t)bytes : INT64_C(1) << 62;
}

/* ---- subgraphs ------------------------------------------------------------------------------- */

/* The node, or graph, that a sample is. */
static int32_t sample_node(const trm_block_maker *m, int64_t sample) {
  return m->options->train.ids[sample % m->n_epoch];
}

static trm_status list_samples(const trm_block_maker *m, const int64_t *samples, int64_t n,
                               trm_block_store *store) {
  TRM_TRY(TRM_BUFFER_GROW(&store->nodes, &store->nodes_room, n, 0, "samples of a block"));
  for (int64_t i = 0; i < n; ++i) store->nodes[i] = sample_node(m, samples[i]);
  return TRM_OK;
}

/* Nodes of the clusters, and a group for each epoch that they are of. */
static trm_status list_clusters(const trm_block_maker *m, const int64_t *samples, int64_t n,
                                trm_block_store *store, int64_t *n_groups) {
  const trm_partition *p = m->options->partition;
  int64_t n_nodes = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t k = samples[i] % m->n_epoch;
    n_nodes += p->offsets[k + 1] - p->offsets[k];
  }
  TRM_TRY(TRM_BUFFER_GROW(&store->nodes, &store->nodes_room, n_nodes, 0, "nodes of a block"));
  TRM_TRY(TRM_BUFFER_GROW(&store->groups, &store->groups_room, n + 1, 0, "epochs of a block"));
  *n_groups = 0;
  n_nodes = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (i == 0 || samples[i] / m->n_epoch != samples[i - 1] / m->n_epoch) {
      store->groups[(*n_groups)++] = n_nodes;
    }
    const int64_t begin = p->offsets[samples[i] % m->n_epoch];
    const int64_t size = p->offsets[samples[i] % m->n_epoch + 1] - begin;
    if (size > 0) {
      memcpy(store->nodes + n_nodes, p->order + begin, (size_t)size * sizeof *store->nodes);
    }
    n_nodes += size;
  }
  store->groups[*n_groups] = n_nodes;
  return TRM_OK;
}

static trm_status make_subgraph(trm_block_maker *m, int64_t step, trm_block_store *store,
                                trm_graph_block *block) {
  const int64_t n = block->n_samples;
  int64_t n_groups;
  if (m->options->kind == TRM_BATCH_CLUSTER) {
    TRM_TRY(list_clusters(m, block->samples, n, store, &n_groups));
    return trm_induced_into(m->sampler, &store->subgraph, step, store->nodes, store->groups,
                            n_groups, &block->subgraph);
  }
  TRM_TRY(list_samples(m, block->samples, n, store));
  if (m->options->kind == TRM_BATCH_NEIGHBOR) {
    return trm_neighbor_sample_into(m->sampler, &store->subgraph, step, store->nodes, n,
                                    &block->subgraph);
  }
  TRM_TRY(trm_union_into(m->sampler, &store->subgraph, step, store->nodes, n, &block->subgraph));
  block->n_graphs = n;
  block->graphs = store->subgraph.segments;
  return TRM_OK;
}

/* ---- what stands beside them ----------------------------------------------------------------- */

/* Labels of the samples, or of the clusters' training nodes. */
static trm_status make_targets(const trm_block_maker *m, trm_block_store *store,
                               trm_graph_block *block) {
  const int32_t *labels = m->graph->labels;
  const bool cluster = m->options->kind == TRM_BATCH_CLUSTER;
  block->n_targets = cluster ? block->subgraph.n_inputs : block->n_samples;
  if (!labels) return TRM_OK;
  TRM_TRY(TRM_BUFFER_GROW(&store->targets, &store->targets_room, block->n_targets, 0,
                          "targets of a block"));
  for (int64_t i = 0; i < block->n_targets; ++i) {
    const int32_t node = store->nodes[i];
    store->targets[i] = cluster && !m->counts[node] ? -1 : labels[node];
  }
  block->targets = store->targets;
  return TRM_OK;
}

/* Each input once, and which of them a row is; the rows are their own numbers unless some repeat. */
static trm_status list_inputs(trm_block_maker *m, trm_block_store *store, trm_graph_block *block) {
  trm_neighbor_sampler *s = m->sampler;
  const int64_t n = block->subgraph.n_inputs;
  const int32_t *nodes = block->subgraph.inputs;
  TRM_TRY(TRM_BUFFER_GROW(&store->inputs, &store->inputs_room, n, 0, "inputs of a block"));
  TRM_TRY(TRM_BUFFER_GROW(&store->input_rows, &store->input_rows_room, n, 0, "inputs of a block"));
  trm_sampler_begin(s, n);
  int64_t n_once = 0;
  for (int64_t i = 0; i < n; ++i) {
    uint32_t row = s->place[nodes[i]] - s->base;
    if (row >= (uint32_t)n_once) {
      row = (uint32_t)n_once;
      s->place[nodes[i]] = s->base + row;
      store->inputs[n_once++] = nodes[i];
    }
    store->input_rows[i] = (int32_t)row;
  }
  trm_sampler_end(s, n_once);
  block->n_inputs = n_once;
  block->inputs = store->inputs;
  block->features.rows = n_once < n ? store->input_rows : NULL;
  return TRM_OK;
}

static trm_status make_features(trm_block_maker *m, trm_block_store *store,
                                trm_graph_block *block) {
  const trm_graph *g = m->graph;
  trm_features *f = &block->features;
  f->n_rows = block->subgraph.n_inputs;
  f->n_features = g->n_features;
  f->ids = block->subgraph.inputs;
  if (m->options->fetched) return list_inputs(m, store, block);
  if (!store->rows) {
    f->dense = g->dense;
    f->rows = block->subgraph.inputs;
    return TRM_OK;
  }
  TRM_TRY(
      trm_feature_rows_take(store->rows, f->ids, f->n_rows, &store->sparse, &store->transposed));
  f->sparse = &store->sparse;
  f->transposed = &store->transposed;
  return TRM_OK;
}

trm_status trm_block_make(trm_block_maker *maker, int64_t step, const int64_t *samples, int64_t n,
                          trm_block_store *store, trm_graph_block *block) {
  trm_neighbor_sampler *s = maker->sampler;
  *block = (trm_graph_block){.n_samples = n, .samples = samples};
  if (maker->options->kind == TRM_BATCH_PAIRS) return TRM_OK;
  TRM_TRY(make_subgraph(maker, step, store, block));
  if (s->stopped && s->stopped(s->context)) return TRM_OK; /* the subgraph may be half there */
  TRM_TRY(make_targets(maker, store, block));
  return make_features(maker, store, block);
}
