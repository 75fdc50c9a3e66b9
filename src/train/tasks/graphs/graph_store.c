#include "graph_store.h"

#include <string.h>

#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"
#include "trireme/input/neighbor_sampler.h"

static const trm_config_key store_keys[] = {
    TRM_KEY_CHOICE(
        "data.storage", "shared", "replicated|shared|partitioned", TRM_NO_EFFECT,
        "A copy in every rank, one on every host, or structure once on every host and each "
        "rank its own features."),
};
const trm_config_rows trm_graph_store_keys = TRM_CONFIG_ROWS(store_keys);

static const trm_config_key partition_keys[] = {
    TRM_KEY_CHOICE("data.partition", "contiguous", "contiguous|metis", TRM_ON_RESULT,
                   "How nodes are put in order before they are cut into batch.blocks parts."),
};
const trm_config_rows trm_graph_partition_keys = TRM_CONFIG_ROWS(partition_keys);

static const trm_config_key halo_keys[] = {
    TRM_KEY_INT("data.halo_cache_mib", "64", 0, 1048576, "MiB", TRM_NO_EFFECT,
                "Features of other ranks' nodes kept by each rank."),
};
const trm_config_rows trm_graph_halo_keys = TRM_CONFIG_ROWS(halo_keys);

static trm_status take(void *context, int64_t bytes, const char *what, void **memory, bool *fill) {
  return trm_shared_take(context, bytes, what, memory, fill);
}

static trm_status settle(void *context, trm_status status) {
  return trm_shared_settle(context, status);
}

trm_status trm_graph_store_open(trm_comm *comm, const trm_config *config, trm_graph_opener open,
                                void *self, trm_graph_store *store) {
  const char *storage = trm_config_string(config, "data.storage");
  const char *path = trm_config_string(config, "data.path");
  *store = (trm_graph_store){.partitioned = strcmp(storage, "partitioned") == 0};
  const trm_graph_memory *memory = NULL;
  if (strcmp(storage, "replicated") != 0 && trm_comm_size(comm) > 1) {
    TRM_TRY(trm_shared_create(comm, &store->shared));
    store->memory = (trm_graph_memory){.context = store->shared, .take = take, .settle = settle};
    memory = &store->memory;
  }
  return trm_comm_agree(comm, open(self, path, memory, !store->partitioned, &store->graph));
}

void trm_graph_store_close(trm_graph_store *store) {
  store->graph = NULL;
  trm_shared_destroy(&store->shared);
}

trm_status trm_graph_hops(const trm_model *model, int *n_hops) {
  *n_hops = trm_model_n_hops(model);
  if (*n_hops <= TRM_MAX_HOPS) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG, "model.layers is %d; graph models have at most %d", *n_hops,
                  TRM_MAX_HOPS);
}

bool trm_graph_store_metis(const trm_config *config) {
  return strcmp(trm_config_string(config, "data.partition"), "metis") == 0;
}

/* Rank 0's partition on the others, from the parts of its nodes. */
static trm_status share_metis(trm_comm *comm, const trm_graph *graph, int n_parts, trm_ids balance,
                              trm_partition **out) {
  const bool root = trm_comm_rank(comm) == 0;
  int32_t *part_of = NULL;
  trm_status status = root ? trm_partition_metis(graph, n_parts, balance, 1, out)
                           : TRM_ALLOC(&part_of, graph->n_nodes, "parts of nodes");
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(trm_comm_broadcast(comm, root ? (*out)->part_of : part_of,
                                 graph->n_nodes * (int64_t)sizeof *part_of, 0));
  if (!root) status = trm_partition_from_parts(graph->n_nodes, n_parts, part_of, out);
  status = trm_comm_agree(comm, status);
out:
  TRM_FREE(part_of);
  return status;
}

trm_status trm_graph_store_partition(trm_comm *comm, const trm_graph_store *store, bool metis,
                                     int64_t n_parts, trm_ids balance, trm_status before,
                                     trm_partition **out) {
  *out = NULL;
  if (metis) trm_watch_pause(comm);
  TRM_TRY(trm_comm_agree(comm, before));
  const trm_status status =
      metis ? share_metis(comm, store->graph, (int)n_parts, balance, out)
            : trm_comm_agree(comm, trm_partition_contiguous(store->graph, (int)n_parts, out));
  if (status != TRM_OK) trm_partition_destroy(out);
  return status;
}

int64_t trm_graph_store_host_bytes(const trm_graph_store *store) {
  return store->shared ? trm_shared_bytes(store->shared) : 0;
}
