#include "node_batches.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const trm_config_key neighbor_keys[] = {
    TRM_KEY_INT("batch.size", "12", 1, 1048576, "samples", TRM_ON_RESULT,
                "Seeds of a step on all ranks."),
    TRM_KEY_TEXT("sampler.fanout", "10", TRM_ON_RESULT,
                 "Neighbours drawn for a node in each layer, from the seeds back: '15,10', or one "
                 "number for all layers; -1: all."),
    TRM_KEY_BOOL("sampler.replace", "false", TRM_ON_RESULT,
                 "Neighbours are drawn with replacement."),
};
static const trm_config_rows neighbor_rows = TRM_CONFIG_ROWS(neighbor_keys);
const trm_config_part trm_neighbor_batches = {
    .selector = "sampler.kind", .name = "neighbor", .rows = {&neighbor_rows, &trm_batch_keys}};

static const trm_config_key cluster_keys[] = {
    TRM_KEY_INT("batch.size", "12", 1, 1048576, "samples", TRM_ON_RESULT,
                "Clusters of a step on all ranks."),
    TRM_KEY_INT("sampler.clusters", "0", 0, 1048576, "", TRM_ON_RESULT,
                "Parts the graph is cut into; batch.size of them make a step."),
};
static const trm_config_rows cluster_rows = TRM_CONFIG_ROWS(cluster_keys);
const trm_config_part trm_cluster_batches = {
    .selector = "sampler.kind", .name = "cluster", .rows = {&cluster_rows, &trm_batch_keys}};

/* Where features are partitioned, sampled rows come from the ranks that have them. */
const trm_config_part trm_neighbor_halo = {.within = &trm_neighbor_batches,
                                           .selector = "data.storage",
                                           .name = "partitioned",
                                           .label = "data.storage partitioned of neighbor",
                                           .rows = {&trm_graph_halo_keys}};
const trm_config_part trm_cluster_halo = {.within = &trm_cluster_batches,
                                          .selector = "data.storage",
                                          .name = "partitioned",
                                          .label = "data.storage partitioned of cluster",
                                          .rows = {&trm_graph_halo_keys}};

static trm_status bad_fanout(const char *text, int n_hops) {
  return trm_fail(TRM_ERR_CONFIG,
                  "sampler.fanout is '%s', expected one number of neighbours for all layers, as "
                  "'10', or %d with commas between, one for each of model.layers (-1: all)",
                  text, n_hops);
}

trm_status trm_fanout_parse(const char *text, int n_hops, int64_t *fanout) {
  const char *at = text;
  for (int h = 0; h < n_hops; ++h) {
    char *end;
    const long long n = strtoll(at, &end, 10);
    if (end == at || n < -1 || n == 0 || n > INT32_MAX) return bad_fanout(text, n_hops);
    fanout[h] = n;
    if (h == 0 && *end == 0) { /* one for all */
      for (int other = 1; other < n_hops; ++other) fanout[other] = n;
      return TRM_OK;
    }
    if (*end != (h + 1 < n_hops ? ',' : 0)) return bad_fanout(text, n_hops);
    at = end + 1;
  }
  return TRM_OK;
}

bool trm_node_batches_clusters(const trm_config *config) {
  return trm_config_is(config, "sampler.kind", "cluster");
}

static trm_status check_clusters(const trm_config *config, const trm_graph *graph) {
  const int64_t n = trm_config_int(config, "sampler.clusters");
  const int64_t batch = trm_config_int(config, "batch.size");
  if (n < 1 || n > graph->n_nodes || n < batch) {
    return trm_fail(TRM_ERR_CONFIG,
                    "sampler.clusters is %" PRId64 "; set it between batch.size (%" PRId64
                    ") and the number of nodes (%" PRId64 ")",
                    n, batch, graph->n_nodes);
  }
  return TRM_OK;
}

trm_status trm_node_batches_cut(trm_comm *comm, const trm_config *config,
                                const trm_graph_store *store, trm_ids train,
                                trm_partition **clusters, int64_t *n) {
  const int64_t n_clusters = trm_config_int(config, "sampler.clusters");
  const int64_t batch = trm_config_int(config, "batch.size");
  TRM_TRY(trm_graph_store_partition(comm, store, true, n_clusters, train,
                                    check_clusters(config, store->graph), clusters));
  TRM_TRY(trm_comm_agree(comm, trm_partition_lead(*clusters, train, n)));
  if (batch <= *n) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "batch.size is %" PRId64 ", but of the %" PRId64 " clusters %" PRId64
                  " have training nodes; set batch.size or sampler.clusters lower",
                  batch, n_clusters, *n);
}

trm_status trm_node_batches_options(const trm_config *config, int n_hops, const trm_node_data *data,
                                    trm_ids train, const trm_partition *parts,
                                    const trm_partition *clusters, bool fetched,
                                    trm_node_batching *way, trm_graph_loader_options *options) {
  const double drop_edge = trm_drop_edge(config);
  *options = (trm_graph_loader_options){.seed = (uint64_t)trm_config_int(config, "run.seed")};
  if (clusters) {
    way->clusters = (trm_cluster_batching){.data = data,
                                           .train = train,
                                           .clusters = clusters,
                                           .n_hops = n_hops,
                                           .drop_edge = drop_edge,
                                           .fetched = fetched};
    options->way = trm_batching_by_clusters(&way->clusters);
    return TRM_OK;
  }
  way->neighbors =
      (trm_neighbor_batching){.data = data,
                              .train = train,
                              .partition = parts,
                              .neighbors = {.n_hops = n_hops,
                                            .replace = trm_config_bool(config, "sampler.replace"),
                                            .drop_edge = drop_edge},
                              .fetched = fetched};
  options->way = trm_batching_by_neighbors(&way->neighbors);
  return trm_fanout_parse(trm_config_string(config, "sampler.fanout"), n_hops,
                          way->neighbors.neighbors.fanout);
}
