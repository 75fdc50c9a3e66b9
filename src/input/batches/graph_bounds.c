/**
 * The largest block that any step can have, for planning memory. Bounds hold for every (seed, step):
 * E epochs at most meet in a batch, and the m largest things of E epochs are not more than E times the
 * m / E largest of one.
 */
#include "batching_internal.h"
#include "trireme/core/integers.h"

/* a * b, or a number larger than any size. */
static int64_t product(int64_t a, int64_t b) {
  const int64_t most = INT64_C(1) << 60;
  return a > 0 && b > most / a ? most : a * b;
}

int64_t trm_epochs_met(const trm_batching_plan *plan, int64_t n) {
  const int64_t n_epoch = plan->facts.n_epoch;
  if (n_epoch % plan->options.batch == 0 || n == 0) return 1; /* no batch lies across a seam */
  return trm_ceil_div(n - 1, n_epoch) + 1;
}

int64_t trm_largest_sum(trm_ranked *sizes, int64_t n_sizes, int64_t n, int64_t n_epochs) {
  const int64_t of_one = trm_min_i64(trm_ceil_div(n, n_epochs), n_sizes);
  int64_t sum = 0;
  trm_ranked_sort(sizes, n_sizes);
  for (int64_t i = 0; i < of_one; ++i) sum += sizes[n_sizes - 1 - i].key;
  return product(sum, n_epochs);
}

static void bound_features(const trm_batching_plan *plan, trm_graph_bounds *bounds) {
  const trm_graph *g = plan->facts.graph;
  trm_graph_block *b = &bounds->block;
  const int64_t n = b->subgraph.n_inputs;
  b->batch.features = (trm_features){.n_rows = n, .n_features = g->n_features};
  if (plan->facts.fetched) b->n_inputs = trm_min_i64(n, g->n_nodes);
  if (!g->sparse || g->n_features == 0) return;
  int64_t row = 0;
  for (int64_t i = 0; i < g->n_nodes; ++i) {
    row = trm_max_i64(row, g->features.offsets[i + 1] - g->features.offsets[i]);
  }
  /* A node has a row at most for each epoch. */
  const int64_t n_epochs = trm_epochs_met(plan, plan->options.batch);
  const int64_t entries = trm_min_i64(product(n, row), product(g->features.n_edges, n_epochs));
  bounds->sparse = (trm_csr){.n_rows = n, .n_columns = g->n_features, .n_edges = entries};
  bounds->transposed = (trm_csr){.n_rows = g->n_features, .n_columns = n, .n_edges = entries};
  b->batch.features.sparse = &bounds->sparse;
  b->batch.features.transposed = &bounds->transposed;
}

trm_status trm_graph_loader_bounds(const trm_graph_loader_options *options,
                                   trm_graph_bounds *bounds) {
  trm_batching_plan plan;
  *bounds = (trm_graph_bounds){0};
  TRM_TRY(trm_batching_plan_make(options, &plan));
  trm_graph_block *b = &bounds->block;
  b->n_samples = trm_ceil_div(options->batch, options->n_blocks);
  TRM_TRY(plan.way->bounds(&plan, bounds));
  if (!plan.way->cut) return TRM_OK;
  bound_features(&plan, bounds);
  b->batch.hops = b->subgraph.hops;
  b->batch.n_hops = b->subgraph.n_hops;
  return TRM_OK;
}
