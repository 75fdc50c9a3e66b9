#include "class_data.h"

#include <inttypes.h>

#include "class_scores.h"
#include "trireme/core/memory.h"

static trm_status check_split(const trm_config *config, const trm_graph *graph) {
  const int64_t split = trm_config_int(config, "data.split");
  const int n = trm_graph_n_splits(graph);
  if (split < n || n == 0) return TRM_OK; /* trm_graph_split says that there are none */
  return trm_fail(TRM_ERR_CONFIG, "data.split is %" PRId64 ", but %s has %d %s, from 0 to %d",
                  split, trm_config_string(config, "data.path"), n,
                  graph->kind == TRM_GRAPH_SET ? "folds" : "splits", n - 1);
}

/* Parts may overlap: with data.hold_out false a fold is validation and test part at once. */
static trm_status open_split(const trm_task *task, trm_class_data *data) {
  const trm_graph *g = data->store.graph;
  const int split = (int)trm_config_int(task->config, "data.split");
  const bool hold_out = trm_config_bool(task->config, "data.hold_out");
  TRM_TRY(check_split(task->config, g));
  int64_t n_valid = 0;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    trm_ids ids;
    TRM_TRY(trm_graph_split(g, split, (trm_subset)p, hold_out, &ids));
    for (int64_t i = 0; i < ids.n; ++i) data->parts[ids.ids[i]] |= (int8_t)(1 << p);
    if (p == TRM_SUBSET_TRAIN) data->train = ids;
    if (p == TRM_SUBSET_VALID) n_valid = ids.n;
  }
  const char *path = trm_config_string(task->config, "data.path"), *unit = task->kind->unit;
  if (data->train.n == 0) {
    return trm_fail(TRM_ERR_DATA, "%s: data.split %d leaves no %s for training; choose another",
                    path, split, unit);
  }
  if (n_valid > 0 || task->use != TRM_USE_TRAIN) return TRM_OK;
  trm_log_warn(task->log, "%s: data.split %d has no %s to validate with: no evaluation is the best",
               path, split, unit);
  const int64_t patience = trm_config_int(task->config, "train.patience");
  if (patience == 0) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "train.patience is %" PRId64 ", but data.split %d of %s has no %s to validate "
                  "with; set it to 0",
                  patience, split, path, unit);
}

static trm_status check_labels(const trm_task *task, const trm_graph *g) {
  if (g->labels && g->n_classes >= 2) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: %ss have no labels of two classes or more; prepare it with labels",
                  trm_config_string(task->config, "data.path"), task->kind->unit);
}

trm_status trm_class_data_open(trm_task *task,
                               trm_status (*check)(const trm_task *task,
                                                   const trm_graph_store *store),
                               trm_class_data *data) {
  *data = (trm_class_data){0};
  TRM_TRY(trm_graph_store_open(task->comm, task->config, &data->store));
  const trm_graph *g = data->store.graph;
  data->n_samples = g->kind == TRM_GRAPH_SET ? g->n_graphs : g->n_nodes;
  trm_status status = check(task, &data->store);
  if (status == TRM_OK) status = TRM_ALLOC(&data->parts, data->n_samples, "parts of the data");
  if (status == TRM_OK && task->use != TRM_USE_PREDICT) status = check_labels(task, g);
  if (status == TRM_OK && task->use != TRM_USE_PREDICT) status = open_split(task, data);
  TRM_TRY(trm_comm_agree(task->comm, status));
  task->dims = trm_graph_store_dims(&data->store);
  task->digest = g->digest;
  task->host_bytes = trm_graph_store_host_bytes(&data->store);
  trm_class_scores_declare(task, task->dims.n_outputs);
  return trm_task_select(task, "accuracy");
}

void trm_class_data_close(trm_class_data *data) {
  trm_graph_store_close(&data->store);
  TRM_FREE(data->parts);
}

int32_t trm_class_target(const trm_class_data *data, int32_t id, trm_subset subset) {
  return data->parts[id] >> subset & 1 ? data->store.graph->labels[id] : -1;
}
