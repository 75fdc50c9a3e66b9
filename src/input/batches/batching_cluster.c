/** Batches of clusters: a block is the graph that its clusters induce. */
#include <string.h>

#include "batching_internal.h"
#include "trireme/core/memory.h"

/* Clusters up to the last one that has a training node. */
static int64_t n_clusters(const trm_cluster_batching *o) {
  const trm_partition *p = o->clusters;
  int64_t n = 0;
  if (!p || p->n_nodes != o->data->graph.n_nodes) return 0; /* refused later */
  for (int64_t i = 0; i < o->train.n; ++i) {
    const int64_t part = p->part_of[o->train.ids[i]];
    if (part >= n) n = part + 1;
  }
  return n;
}

static void facts_of(const void *options, trm_batching_facts *facts) {
  const trm_cluster_batching *o = options;
  *facts = (trm_batching_facts){.graph = &o->data->graph,
                                .classes = &o->data->classes,
                                .train = o->train,
                                .n_epoch = n_clusters(o),
                                .partition = o->clusters,
                                .neighbors = {.n_hops = o->n_hops, .drop_edge = o->drop_edge},
                                .fetched = o->fetched};
}

static trm_status check(const trm_batching_plan *plan) {
  if (plan->facts.partition) return TRM_OK;
  return trm_fail(TRM_ERR_ARG, "graph loader: a partition is needed");
}

static trm_status bounds_of(const trm_batching_plan *plan, trm_graph_bounds *bounds) {
  const trm_partition *p = plan->facts.partition;
  const trm_csr *in = &plan->facts.graph->in;
  trm_graph_block *b = &bounds->block;
  const int64_t n_parts = plan->facts.n_epoch, n_epochs = trm_epochs_met(plan, b->n_samples);
  trm_ranked *sizes = NULL;
  TRM_TRY(TRM_ALLOC(&sizes, n_parts, "sizes of clusters"));
  for (int64_t k = 0; k < n_parts; ++k) sizes[k].key = p->offsets[k + 1] - p->offsets[k];
  const int64_t n = trm_largest_sum(sizes, n_parts, b->n_samples, n_epochs);
  for (int64_t k = 0; k < n_parts; ++k) {
    sizes[k].key = 0;
    for (int64_t at = p->offsets[k]; at < p->offsets[k + 1]; ++at) {
      sizes[k].key += in->offsets[p->order[at] + 1] - in->offsets[p->order[at]];
    }
  }
  const int64_t n_edges = trm_largest_sum(sizes, n_parts, b->n_samples, n_epochs);
  TRM_FREE(sizes);
  trm_induced_bounds_of(plan->facts.neighbors.n_hops, n, n_edges, &b->subgraph);
  b->n_targets = n;
  return TRM_OK;
}

static bool bounds_are_close(const trm_batching_plan *plan) {
  (void)plan;
  return true;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* Nodes of the clusters, and a group for each epoch that they are of. */
static trm_status list_clusters(const trm_block_maker *m, const int64_t *samples, int64_t n,
                                trm_block_store *store, int64_t *n_groups) {
  const int64_t n_epoch = m->plan->facts.n_epoch;
  const trm_partition *p = m->plan->facts.partition;
  int64_t n_nodes = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t k = samples[i] % n_epoch;
    n_nodes += p->offsets[k + 1] - p->offsets[k];
  }
  TRM_TRY(TRM_BUFFER_GROW(&store->nodes, &store->nodes_room, n_nodes, 0, "nodes of a block"));
  TRM_TRY(TRM_BUFFER_GROW(&store->groups, &store->groups_room, n + 1, 0, "epochs of a block"));
  *n_groups = 0;
  n_nodes = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (i == 0 || samples[i] / n_epoch != samples[i - 1] / n_epoch) {
      store->groups[(*n_groups)++] = n_nodes;
    }
    const int64_t begin = p->offsets[samples[i] % n_epoch];
    const int64_t size = p->offsets[samples[i] % n_epoch + 1] - begin;
    if (size > 0) {
      memcpy(store->nodes + n_nodes, p->order + begin, (size_t)size * sizeof *store->nodes);
    }
    n_nodes += size;
  }
  store->groups[*n_groups] = n_nodes;
  return TRM_OK;
}

static trm_status cut(trm_block_maker *maker, int64_t step, trm_block_store *store,
                      trm_graph_block *block) {
  int64_t n_groups;
  TRM_TRY(list_clusters(maker, block->samples, block->n_samples, store, &n_groups));
  TRM_TRY(trm_induced_into(maker->sampler, &store->subgraph, step, store->nodes, store->groups,
                           n_groups, &block->subgraph));
  block->n_targets = block->subgraph.n_inputs;
  return TRM_OK;
}

/* Whose label counts: [n_nodes] bytes. */
static trm_status maker_init(trm_block_maker *maker) {
  const trm_batching_facts *facts = &maker->plan->facts;
  uint8_t *counts = NULL;
  TRM_TRY(TRM_ALLOC(&counts, facts->graph->n_nodes, "training nodes"));
  for (int64_t i = 0; i < facts->train.n; ++i) counts[facts->train.ids[i]] = 1;
  maker->self = counts;
  return TRM_OK;
}

static int32_t target(const trm_block_maker *maker, int32_t node) {
  const uint8_t *counts = maker->self;
  return counts[node] ? maker->plan->facts.classes->labels[node] : -1;
}

static trm_status reserve_store(const trm_block_maker *maker, const trm_graph_bounds *bounds,
                                trm_block_store *store) {
  const trm_graph_block *b = &bounds->block;
  const char *what = "nodes of a block";
  TRM_TRY(trm_block_reserve_one_hop(maker, &b->subgraph, &store->subgraph));
  TRM_TRY(TRM_BUFFER_GROW(&store->nodes, &store->nodes_room, b->subgraph.n_inputs, 0, what));
  return TRM_BUFFER_GROW(&store->groups, &store->groups_room, b->n_samples + 1, 0, what);
}

const trm_batching_way trm_batching_way_cluster = {.name = "cluster",
                                                   .facts = facts_of,
                                                   .check = check,
                                                   .bounds = bounds_of,
                                                   .bounds_are_close = bounds_are_close,
                                                   .cut = cut,
                                                   .maker_init = maker_init,
                                                   .target = target,
                                                   .reserve_store = reserve_store};
