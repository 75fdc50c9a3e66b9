/** One block of a graph batch: from the ids of its samples to what a model takes. What the block is made
 *  of is its way's to cut out; features and targets stand beside it. */
#include "batching_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

/* ---- memory ---------------------------------------------------------------------------------- */

trm_status trm_block_maker_init(trm_block_maker *maker, const trm_batching_plan *plan) {
  *maker = (trm_block_maker){.plan = plan};
  if (!plan->way->cut) return TRM_OK;
  TRM_TRY(trm_neighbor_sampler_create(plan->facts.graph, &plan->facts.neighbors, &maker->sampler));
  return plan->way->maker_init ? plan->way->maker_init(maker) : TRM_OK;
}

void trm_block_maker_release(trm_block_maker *maker) {
  trm_neighbor_sampler_destroy(&maker->sampler);
  TRM_FREE(maker->self);
}

trm_status trm_block_store_init(const trm_block_maker *maker, trm_block_store *store) {
  const trm_graph *graph = maker->plan->facts.graph;
  if (!maker->plan->way->cut || !graph->sparse || graph->n_features == 0) return TRM_OK;
  return trm_sparse_rows_create(graph, &store->rows);
}

void trm_block_store_release(trm_block_store *store) {
  trm_subgraph_store_release(&store->subgraph);
  trm_sparse_rows_destroy(&store->rows);
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

trm_status trm_block_reserve_hops(const trm_block_maker *maker, const trm_subgraph *bounds, int n,
                                  bool transposed, trm_subgraph_store *store) {
  const bool weights = maker->plan->facts.graph->in.values != NULL;
  for (int h = 0; h < n; ++h) {
    const trm_hop *hop = &bounds->hops[bounds->n_hops - 1 - h];
    TRM_TRY(reserve_hop(hop, weights, transposed, &store->hops[h]));
  }
  TRM_TRY(TRM_BUFFER_GROW(&store->ids, &store->ids_room, bounds->n_inputs, 0, "subgraph"));
  return TRM_BUFFER_GROW(&store->degrees, &store->degrees_room, bounds->n_inputs, 0, "subgraph");
}

trm_status trm_block_reserve_one_hop(const trm_block_maker *maker, const trm_subgraph *bounds,
                                     trm_subgraph_store *store) {
  const trm_batching_facts *facts = &maker->plan->facts;
  return trm_block_reserve_hops(maker, bounds, bounds->n_hops > 0 ? 1 : 0,
                                !facts->graph->symmetric || facts->neighbors.drop_edge > 0, store);
}

trm_status trm_block_store_reserve(const trm_block_maker *maker, const trm_graph_bounds *bounds,
                                   trm_block_store *store) {
  const trm_graph_block *b = &bounds->block;
  const int64_t n = b->subgraph.n_inputs;
  const char *what = "block of a graph batch";
  TRM_TRY(maker->plan->way->reserve_store(maker, bounds, store));
  TRM_TRY(TRM_BUFFER_GROW(&store->targets, &store->targets_room, b->n_targets, 0, what));
  if (maker->plan->facts.fetched) {
    TRM_TRY(TRM_BUFFER_GROW(&store->inputs, &store->inputs_room, n, 0, what));
    TRM_TRY(TRM_BUFFER_GROW(&store->input_rows, &store->input_rows_room, n, 0, what));
  }
  return store->rows ? trm_sparse_rows_reserve(store->rows, n, bounds->sparse.n_edges) : TRM_OK;
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

/* ---- what a block holds ---------------------------------------------------------------------- */

int32_t trm_sample_node(const trm_batching_plan *plan, int64_t sample) {
  return plan->facts.train.ids[sample % plan->facts.n_epoch];
}

trm_status trm_block_list_samples(const trm_block_maker *maker, const trm_graph_block *block,
                                  trm_block_store *store) {
  const int64_t n = block->n_samples;
  TRM_TRY(TRM_BUFFER_GROW(&store->nodes, &store->nodes_room, n, 0, "samples of a block"));
  for (int64_t i = 0; i < n; ++i) {
    store->nodes[i] = trm_sample_node(maker->plan, block->samples[i]);
  }
  return TRM_OK;
}

static trm_status make_targets(const trm_block_maker *m, trm_block_store *store,
                               trm_graph_block *block) {
  const int32_t *labels = m->plan->facts.classes->labels;
  const trm_batching_way *way = m->plan->way;
  if (!labels) return TRM_OK;
  TRM_TRY(TRM_BUFFER_GROW(&store->targets, &store->targets_room, block->n_targets, 0,
                          "targets of a block"));
  for (int64_t i = 0; i < block->n_targets; ++i) {
    const int32_t node = store->nodes[i];
    store->targets[i] = way->target ? way->target(m, node) : labels[node];
  }
  block->batch.targets = store->targets;
  return TRM_OK;
}

/* Each input once, and which of them a row is; the rows are their own numbers unless some repeat. */
static trm_status list_inputs(trm_block_maker *m, trm_block_store *store, trm_graph_block *block) {
  trm_neighbor_sampler *s = m->sampler;
  const int64_t n = block->subgraph.n_inputs;
  const int32_t *nodes = block->subgraph.inputs;
  TRM_TRY(TRM_BUFFER_GROW(&store->inputs, &store->inputs_room, n, 0, "inputs of a block"));
  TRM_TRY(TRM_BUFFER_GROW(&store->input_rows, &store->input_rows_room, n, 0, "inputs of a block"));
  trm_neighbor_sampler_begin(s, n);
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
  trm_neighbor_sampler_end(s, n_once);
  block->n_inputs = n_once;
  block->inputs = store->inputs;
  block->batch.features.rows = n_once < n ? store->input_rows : NULL;
  return TRM_OK;
}

static trm_status make_features(trm_block_maker *m, trm_block_store *store,
                                trm_graph_block *block) {
  const trm_graph *g = m->plan->facts.graph;
  trm_features *f = &block->batch.features;
  f->n_rows = block->subgraph.n_inputs;
  f->n_features = g->n_features;
  f->ids = block->subgraph.inputs;
  if (m->plan->facts.fetched) return list_inputs(m, store, block);
  if (!store->rows) {
    f->dense = g->dense;
    f->rows = block->subgraph.inputs;
    return TRM_OK;
  }
  TRM_TRY(trm_sparse_rows_take(store->rows, f->ids, f->n_rows, &store->sparse, &store->transposed));
  f->sparse = &store->sparse;
  f->transposed = &store->transposed;
  return TRM_OK;
}

trm_status trm_block_make(trm_block_maker *maker, int64_t step, const int64_t *samples, int64_t n,
                          trm_block_store *store, trm_graph_block *block) {
  trm_neighbor_sampler *s = maker->sampler;
  *block = (trm_graph_block){.n_samples = n, .samples = samples};
  if (!maker->plan->way->cut) return TRM_OK;
  TRM_TRY(maker->plan->way->cut(maker, step, store, block));
  if (s->stopped && s->stopped(s->context)) return TRM_OK; /* the subgraph may be half there */
  block->batch.hops = block->subgraph.hops;
  block->batch.n_hops = block->subgraph.n_hops;
  TRM_TRY(make_targets(maker, store, block));
  return make_features(maker, store, block);
}
