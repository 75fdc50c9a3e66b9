/**
 * The largest block that any step can have, for planning memory. Bounds hold for every (seed, step):
 * E epochs at most meet in a batch, and the m largest things of E epochs are not more than E times the
 * m / E largest of one.
 */
#include "graph_loader_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

/* a * b, or a number larger than any size. */
static int64_t product(int64_t a, int64_t b) {
  const int64_t most = INT64_C(1) << 60;
  return a > 0 && b > most / a ? most : a * b;
}

/* Epochs that n samples one after another can be of. */
static int64_t epochs_met(const trm_graph_loader_options *o, int64_t n, int64_t n_epoch) {
  if (n_epoch % o->batch == 0 || n == 0) return 1; /* no batch lies across a seam */
  return trm_ceil_div(n - 1, n_epoch) + 1;
}

/* Sum of the n largest sizes when no epoch has one twice; sorts `sizes`. */
static int64_t largest_sum(trm_ranked *sizes, int64_t n_sizes, int64_t n, int64_t n_epochs) {
  const int64_t of_one = trm_min_i64(trm_ceil_div(n, n_epochs), n_sizes);
  int64_t sum = 0;
  trm_ranked_sort(sizes, n_sizes);
  for (int64_t i = 0; i < of_one; ++i) sum += sizes[n_sizes - 1 - i].key;
  return product(sum, n_epochs);
}

static void bound_neighbors(const trm_graph *g, const trm_graph_loader_options *o,
                            trm_graph_block *b) {
  const int64_t n_epoch = o->train.n;
  /* Parts bring together samples from anywhere in the batch. */
  const int64_t n_epochs = epochs_met(o, o->partition ? o->batch : b->n_samples, n_epoch);
  const int64_t different = trm_min_i64(trm_ceil_div(b->n_samples, n_epochs), n_epoch);
  trm_neighbor_bounds_of(g, &o->sampler, b->n_samples, b->n_samples - different, &b->subgraph);
  b->n_targets = b->n_samples;
}

static trm_status bound_clusters(const trm_graph *g, const trm_graph_loader_options *o,
                                 trm_graph_block *b) {
  const trm_partition *p = o->partition;
  const int64_t n_parts = trm_graph_epoch_samples(g, o);
  const int64_t n_epochs = epochs_met(o, b->n_samples, n_parts);
  trm_ranked *sizes = NULL;
  TRM_TRY(TRM_ALLOC(&sizes, n_parts, "sizes of clusters"));
  for (int64_t k = 0; k < n_parts; ++k) sizes[k].key = p->offsets[k + 1] - p->offsets[k];
  const int64_t n = largest_sum(sizes, n_parts, b->n_samples, n_epochs);
  for (int64_t k = 0; k < n_parts; ++k) {
    sizes[k].key = 0;
    for (int64_t at = p->offsets[k]; at < p->offsets[k + 1]; ++at) {
      sizes[k].key += g->in.offsets[p->order[at] + 1] - g->in.offsets[p->order[at]];
    }
  }
  const int64_t n_edges = largest_sum(sizes, n_parts, b->n_samples, n_epochs);
  TRM_FREE(sizes);
  trm_induced_bounds_of(o->sampler.n_hops, n, n_edges, &b->subgraph);
  b->n_targets = n;
  return TRM_OK;
}

/* The least loaded block has at most the mean, and gets at most the dearest graph besides. Of a cost,
 * nodes and edges have at most the share that they have in some graph. */
static trm_status bound_sets(const trm_graph *g, const trm_graph_loader_options *o,
                             trm_graph_block *b) {
  const int64_t n_sizes = o->train.n, n_epochs = epochs_met(o, o->batch, n_sizes);
  trm_ranked *sizes = NULL;
  double node_share = 0, edge_share = 0;
  int64_t most_nodes = 0, most_edges = 0, most_cost = 0;
  TRM_TRY(TRM_ALLOC(&sizes, n_sizes, "sizes of graphs"));
  for (int64_t i = 0; i < n_sizes; ++i) {
    const int32_t id = o->train.ids[i];
    const int64_t cost = trm_set_cost(g, id), n = g->graphs[id + 1] - g->graphs[id];
    sizes[i].key = cost;
    if ((double)n / (double)cost > node_share) node_share = (double)n / (double)cost;
    const double of_edges = (double)(cost - 1 - n) / (double)cost;
    if (of_edges > edge_share) edge_share = of_edges;
    if (n > most_nodes) most_nodes = n;
    if (cost - 1 - n > most_edges) most_edges = cost - 1 - n;
    if (cost > most_cost) most_cost = cost;
  }
  const int64_t total = largest_sum(sizes, n_sizes, o->batch, n_epochs);
  TRM_FREE(sizes);
  int64_t cost = total / o->n_blocks + most_cost, n_graphs = trm_min_i64(o->batch, cost);
  if (o->batch <= o->n_blocks) n_graphs = 1;
  const bool one = n_graphs == 1;
  trm_induced_bounds_of(o->sampler.n_hops,
                        one ? most_nodes : (int64_t)(node_share * (double)cost) + 1,
                        one ? most_edges : (int64_t)(edge_share * (double)cost) + 1, &b->subgraph);
  b->n_samples = b->n_targets = b->n_graphs = n_graphs;
  return TRM_OK;
}

static trm_status bound_pairs(const trm_graph *g, const trm_graph_loader_options *o,
                              trm_graph_bounds *bounds) {
  const trm_partition *p = o->partition;
  const int64_t n = trm_min_i64(3 * o->batch, g->n_nodes);
  const int64_t own = p->offsets[o->first_block + o->n_local] - p->offsets[o->first_block];
  bounds->collection = (trm_collection){.n = n, .n_own = trm_min_i64(n, own)};
  bounds->uses = (trm_csr){.n_rows = n, .n_columns = 3 * o->batch, .n_edges = 3 * o->batch};
  bounds->triplets = (trm_triplets){.n = o->batch, .uses = &bounds->uses};
  return trm_pair_hop_bounds(g, o, &bounds->collection, &bounds->last);
}

static void bound_features(const trm_graph *g, const trm_graph_loader_options *o,
                           trm_graph_bounds *bounds) {
  trm_graph_block *b = &bounds->block;
  const int64_t n = b->subgraph.n_inputs;
  b->features = (trm_features){.n_rows = n, .n_features = g->n_features};
  if (o->fetched) b->n_inputs = trm_min_i64(n, g->n_nodes);
  if (!g->sparse || g->n_features == 0) return;
  int64_t row = 0;
  for (int64_t i = 0; i < g->n_nodes; ++i) {
    const int64_t entries = g->features.offsets[i + 1] - g->features.offsets[i];
    if (entries > row) row = entries;
  }
  /* A node has a row at most for each epoch. */
  const int64_t n_epochs = epochs_met(o, o->batch, trm_graph_epoch_samples(g, o));
  const int64_t entries = trm_min_i64(product(n, row), product(g->features.n_edges, n_epochs));
  bounds->sparse = (trm_csr){.n_rows = n, .n_columns = g->n_features, .n_edges = entries};
  bounds->transposed = (trm_csr){.n_rows = g->n_features, .n_columns = n, .n_edges = entries};
  b->features.sparse = &bounds->sparse;
  b->features.transposed = &bounds->transposed;
}

/** Not collective. Cost: O(nodes + samples log samples). */
trm_status trm_graph_loader_bounds(const trm_graph *graph, const trm_graph_loader_options *options,
                                   trm_graph_bounds *bounds) {
  *bounds = (trm_graph_bounds){0};
  TRM_TRY(trm_graph_loader_check(graph, options));
  trm_graph_block *b = &bounds->block;
  b->n_samples = trm_ceil_div(options->batch, options->n_blocks);
  switch (options->kind) {
  case TRM_BATCH_NEIGHBOR:
    bound_neighbors(graph, options, b);
    break;
  case TRM_BATCH_CLUSTER:
    TRM_TRY(bound_clusters(graph, options, b));
    break;
  case TRM_BATCH_SET:
    TRM_TRY(bound_sets(graph, options, b));
    break;
  case TRM_BATCH_PAIRS:
    return bound_pairs(graph, options, bounds);
  }
  bound_features(graph, options, bounds);
  return TRM_OK;
}
