/** Batches of graphs of a set: a block has some side by side, and costs about as much as the others. */
#include <string.h>

#include "batching_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

static void facts_of(const void *options, trm_batching_facts *facts) {
  const trm_set_batching *o = options;
  *facts = (trm_batching_facts){.graph = &o->set->graph,
                                .classes = &o->set->classes,
                                .train = o->train,
                                .n_epoch = o->train.n,
                                .neighbors = {.n_hops = o->n_hops, .drop_edge = o->drop_edge}};
}

/* What a graph of a set costs: 1 + nodes + edges. */
static int64_t cost_of(const trm_graph_set *set, int64_t g) {
  const int64_t *rows = set->graph.in.offsets;
  const int64_t begin = set->graphs[g], end = set->graphs[g + 1];
  return 1 + (end - begin) + (rows[end] - rows[begin]);
}

/* ---- packing --------------------------------------------------------------------------------- */

typedef struct packing {
  int64_t *heads;     /* [V + 1] */
  trm_ranked *graphs; /* [B] */
  trm_ranked *loads;  /* [V] */
  int64_t *block_of;  /* [B] */
} packing;

static void deal_destroy(void *scratch) {
  packing *p = scratch;
  TRM_FREE(p->heads);
  TRM_FREE(p->graphs);
  TRM_FREE(p->loads);
  TRM_FREE(p->block_of);
  TRM_FREE(p);
}

static trm_status deal_create(const trm_batching_plan *plan, void **scratch) {
  const int64_t B = plan->options.batch, V = plan->options.n_blocks;
  const char *what = "samples of a batch";
  packing *p = NULL;
  TRM_TRY(TRM_ALLOC(&p, 1, what));
  *scratch = p; /* released by its owner after a failure too */
  TRM_TRY(TRM_ALLOC(&p->heads, V + 1, what));
  TRM_TRY(TRM_ALLOC(&p->graphs, B, what));
  TRM_TRY(TRM_ALLOC(&p->loads, V, what));
  return TRM_ALLOC(&p->block_of, B, what);
}

/* Blocks of about equal cost. */
static void pack(const trm_deal *d, packing *p) {
  const trm_batching_plan *plan = d->plan;
  const trm_set_batching *way = plan->options.way.options;
  const int64_t B = plan->options.batch, V = plan->options.n_blocks;
  for (int64_t i = 0; i < B; ++i) {
    const int32_t graph = trm_sample_node(plan, d->stream[i]);
    p->graphs[i] = (trm_ranked){.key = -cost_of(way->set, graph), .tie = i};
  }
  trm_ranked_sort(p->graphs, B);
  trm_ranked_deal(p->graphs, B, V, p->loads, p->block_of);
}

/* Blocks one after another, in each the samples in rising order. */
static void deal(trm_deal *d) {
  packing *p = d->scratch;
  const int64_t B = d->plan->options.batch, V = d->plan->options.n_blocks;
  pack(d, p);
  memset(d->offsets, 0, (size_t)(V + 1) * sizeof *d->offsets);
  for (int64_t i = 0; i < B; ++i) ++d->offsets[p->block_of[i] + 1];
  for (int64_t b = 0; b < V; ++b) d->offsets[b + 1] += d->offsets[b];
  memcpy(p->heads, d->offsets, (size_t)(V + 1) * sizeof *p->heads);
  for (int64_t i = 0; i < B; ++i) p->graphs[i] = (trm_ranked){.key = d->stream[i], .tie = i};
  trm_ranked_sort(p->graphs, B);
  for (int64_t i = 0; i < B; ++i) {
    d->ids[p->heads[p->block_of[p->graphs[i].tie]]++] = p->graphs[i].key;
  }
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* The least loaded block has at most the mean, and gets at most the dearest graph besides. Of a cost,
 * nodes and edges have at most the share that they have in some graph. */
static trm_status bounds_of(const trm_batching_plan *plan, trm_graph_bounds *bounds) {
  const trm_set_batching *way = plan->options.way.options;
  const trm_graph_loader_options *o = &plan->options;
  trm_graph_block *b = &bounds->block;
  const int64_t n_sizes = way->train.n, n_epochs = trm_epochs_met(plan, o->batch);
  trm_ranked *sizes = NULL;
  double node_share = 0, edge_share = 0;
  int64_t most_nodes = 0, most_edges = 0, most_cost = 0;
  TRM_TRY(TRM_ALLOC(&sizes, n_sizes, "sizes of graphs"));
  for (int64_t i = 0; i < n_sizes; ++i) {
    const int32_t id = way->train.ids[i];
    const int64_t cost = cost_of(way->set, id), n = way->set->graphs[id + 1] - way->set->graphs[id];
    sizes[i].key = cost;
    if ((double)n / (double)cost > node_share) node_share = (double)n / (double)cost;
    const double of_edges = (double)(cost - 1 - n) / (double)cost;
    if (of_edges > edge_share) edge_share = of_edges;
    if (n > most_nodes) most_nodes = n;
    if (cost - 1 - n > most_edges) most_edges = cost - 1 - n;
    if (cost > most_cost) most_cost = cost;
  }
  const int64_t total = trm_largest_sum(sizes, n_sizes, o->batch, n_epochs);
  TRM_FREE(sizes);
  int64_t cost = total / o->n_blocks + most_cost, n_graphs = trm_min_i64(o->batch, cost);
  if (o->batch <= o->n_blocks) n_graphs = 1;
  const bool one = n_graphs == 1;
  trm_induced_bounds_of(way->n_hops, one ? most_nodes : (int64_t)(node_share * (double)cost) + 1,
                        one ? most_edges : (int64_t)(edge_share * (double)cost) + 1, &b->subgraph);
  b->n_samples = b->n_targets = b->batch.n_graphs = n_graphs;
  return TRM_OK;
}

static bool bounds_are_close(const trm_batching_plan *plan) {
  (void)plan;
  return true;
}

static trm_status cut(trm_block_maker *maker, int64_t step, trm_block_store *store,
                      trm_graph_block *block) {
  const trm_set_batching *way = maker->plan->options.way.options;
  TRM_TRY(trm_block_list_samples(maker, block, store));
  TRM_TRY(trm_union_into(maker->sampler, way->set, &store->subgraph, step, store->nodes,
                         block->n_samples, &block->subgraph));
  block->n_targets = block->batch.n_graphs = block->n_samples;
  block->batch.graphs = store->subgraph.segments;
  return TRM_OK;
}

static trm_status reserve_store(const trm_block_maker *maker, const trm_graph_bounds *bounds,
                                trm_block_store *store) {
  const trm_graph_block *b = &bounds->block;
  const char *what = "graphs of a block";
  TRM_TRY(trm_block_reserve_one_hop(maker, &b->subgraph, &store->subgraph));
  TRM_TRY(TRM_BUFFER_GROW(&store->nodes, &store->nodes_room, b->n_samples, 0, what));
  return TRM_BUFFER_GROW(&store->subgraph.segments, &store->subgraph.segments_room,
                         b->batch.n_graphs + 1, 0, what);
}

const trm_batching_way trm_batching_way_set = {.name = "set",
                                               .facts = facts_of,
                                               .bounds = bounds_of,
                                               .bounds_are_close = bounds_are_close,
                                               .deal_create = deal_create,
                                               .deal_destroy = deal_destroy,
                                               .deal = deal,
                                               .cut = cut,
                                               .reserve_store = reserve_store};

/* ---- passes without a loader ----------------------------------------------------------------- */

struct trm_set_passes {
  trm_set_batching way; /* all graphs are samples */
  trm_batching_plan plan;
  trm_block_maker maker;
  trm_block_store store;
  trm_graph_block block;
  int32_t *all;     /* [n_graphs] 0, 1, ... */
  int64_t *samples; /* those of a pass */
  int64_t samples_room;
};

trm_status trm_set_passes_create(const trm_graph_set *set, int n_hops, trm_set_passes **out) {
  trm_set_passes *p = NULL;
  trm_status status = TRM_OK;
  *out = NULL;
  TRM_TRY(TRM_ALLOC(&p, 1, "passes over graphs"));
  TRM_TRY_OUT(TRM_ALLOC(&p->all, set->n_graphs, "graphs"));
  for (int64_t i = 0; i < set->n_graphs; ++i) p->all[i] = (int32_t)i;
  p->way = (trm_set_batching){.set = set, .train = {p->all, set->n_graphs}, .n_hops = n_hops};
  const trm_graph_loader_options options = {.way = trm_batching_by_graphs(&p->way),
                                            .batch = 1,
                                            .n_blocks = 1,
                                            .n_local = 1,
                                            .depth = 1,
                                            .n_threads = 1};
  TRM_TRY_OUT(trm_batching_plan_make(&options, &p->plan));
  TRM_TRY_OUT(trm_block_maker_init(&p->maker, &p->plan));
  TRM_TRY_OUT(trm_block_store_init(&p->maker, &p->store));
  *out = p;
  return TRM_OK;
out:
  trm_set_passes_destroy(&p);
  return status;
}

trm_status trm_set_passes_make(trm_set_passes *p, const int32_t *graphs, int64_t n,
                               trm_graph_batch *batch) {
  TRM_TRY(TRM_BUFFER_GROW(&p->samples, &p->samples_room, n, 0, "graphs of a pass"));
  for (int64_t i = 0; i < n; ++i) p->samples[i] = graphs[i];
  TRM_TRY(trm_block_make(&p->maker, 0, p->samples, n, &p->store, &p->block));
  *batch = p->block.batch;
  return TRM_OK;
}

void trm_set_passes_destroy(trm_set_passes **passes) {
  trm_set_passes *p = *passes;
  *passes = NULL;
  if (!p) return;
  trm_block_store_release(&p->store);
  trm_block_maker_release(&p->maker);
  TRM_FREE(p->all);
  TRM_FREE(p->samples);
  TRM_FREE(p);
}
