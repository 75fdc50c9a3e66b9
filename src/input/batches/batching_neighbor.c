/** Batches of training nodes: a block is what neighbour sampling draws from its seeds. */
#include <string.h>

#include "batching_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

static void facts_of(const void *options, trm_batching_facts *facts) {
  const trm_neighbor_batching *o = options;
  *facts = (trm_batching_facts){.graph = &o->data->graph,
                                .classes = &o->data->classes,
                                .train = o->train,
                                .n_epoch = o->train.n,
                                .partition = o->partition,
                                .neighbors = o->neighbors,
                                .fetched = o->fetched};
}

/* ---- seeds of a block lie close together ----------------------------------------------------- */

static trm_status deal_create(const trm_batching_plan *plan, void **scratch) {
  const trm_partition *p = plan->facts.partition;
  int64_t *heads = NULL; /* [parts + 1] */
  if (p) TRM_TRY(TRM_ALLOC(&heads, (int64_t)p->n_parts + 1, "samples of a batch"));
  *scratch = heads;
  return TRM_OK;
}

static void deal_destroy(void *scratch) {
  TRM_FREE(scratch);
}

/* Stable counting sort by the part of the seed. */
static void deal_by_part(trm_deal *d) {
  const trm_batching_plan *plan = d->plan;
  const trm_partition *p = plan->facts.partition;
  int64_t *heads = d->scratch;
  memset(heads, 0, ((size_t)p->n_parts + 1) * sizeof *heads);
  for (int64_t i = 0; i < plan->options.batch; ++i) {
    ++heads[p->part_of[trm_sample_node(plan, d->stream[i])] + 1];
  }
  for (int k = 0; k < p->n_parts; ++k) heads[k + 1] += heads[k];
  for (int64_t i = 0; i < plan->options.batch; ++i) {
    d->ids[heads[p->part_of[trm_sample_node(plan, d->stream[i])]]++] = d->stream[i];
  }
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static trm_status bounds_of(const trm_batching_plan *plan, trm_graph_bounds *bounds) {
  const trm_batching_facts *facts = &plan->facts;
  trm_graph_block *b = &bounds->block;
  /* Parts bring together samples from anywhere in the batch. */
  const int64_t n_epochs =
      trm_epochs_met(plan, facts->partition ? plan->options.batch : b->n_samples);
  const int64_t different = trm_min_i64(trm_ceil_div(b->n_samples, n_epochs), facts->n_epoch);
  trm_neighbor_bounds_of(facts->graph, &facts->neighbors, b->n_samples, b->n_samples - different,
                         &b->subgraph);
  b->n_targets = b->n_samples;
  return TRM_OK;
}

/* Not where all neighbours are taken. */
static bool bounds_are_close(const trm_batching_plan *plan) {
  for (int h = 0; h < plan->facts.neighbors.n_hops; ++h) {
    if (plan->facts.neighbors.fanout[h] < 0) return false;
  }
  return true;
}

static trm_status cut(trm_block_maker *maker, int64_t step, trm_block_store *store,
                      trm_graph_block *block) {
  block->n_targets = block->n_samples;
  TRM_TRY(trm_block_list_samples(maker, block, store));
  return trm_neighbor_sample_into(maker->sampler, &store->subgraph, step, store->nodes,
                                  block->n_samples, &block->subgraph);
}

static trm_status reserve_maker(trm_block_maker *maker, const trm_graph_bounds *bounds) {
  const trm_subgraph *s = &bounds->block.subgraph;
  int64_t most_edges = 0;
  for (int h = 0; h < s->n_hops; ++h) {
    most_edges = trm_max_i64(most_edges, s->hops[h].in.n_edges);
  }
  return trm_neighbor_sampler_reserve(maker->sampler, most_edges);
}

/* There is a hop of its own for each layer. */
static trm_status reserve_store(const trm_block_maker *maker, const trm_graph_bounds *bounds,
                                trm_block_store *store) {
  const trm_graph_block *b = &bounds->block;
  TRM_TRY(trm_block_reserve_hops(maker, &b->subgraph, b->subgraph.n_hops, true, &store->subgraph));
  return TRM_BUFFER_GROW(&store->nodes, &store->nodes_room, b->n_samples, 0, "seeds of a block");
}

const trm_batching_way trm_batching_way_neighbor = {.name = "neighbor",
                                                    .facts = facts_of,
                                                    .bounds = bounds_of,
                                                    .bounds_are_close = bounds_are_close,
                                                    .deal_create = deal_create,
                                                    .deal_destroy = deal_destroy,
                                                    .deal = deal_by_part,
                                                    .cut = cut,
                                                    .reserve_maker = reserve_maker,
                                                    .reserve_store = reserve_store};
