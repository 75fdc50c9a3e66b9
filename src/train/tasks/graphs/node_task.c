/*
 * Classes of nodes. A step works on the whole graph (seeds are all training nodes), or on what
 * sampling draws for the seeds of a batch (node_batches.c). Evaluation is exact either way: a pass
 * over the whole graph, shared out among the ranks, in which every node is scored once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adversary.h"
#include "class_data.h"
#include "class_scores.h"
#include "graph_store.h"
#include "node_attack.h"
#include "node_batches.h"
#include "samples.h"
#include "tasks_internal.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/nn/ops.h"
#include "whole.h"

static const trm_config_key keys[] = {
    TRM_KEY_CHOICE("sampler.kind", "full", "full|neighbor|cluster", TRM_ON_RESULT,
                   "A step works on the whole graph, on sampled neighbours of its seeds, or on the "
                   "graph within some clusters."),
};
static const trm_config_rows key_rows = TRM_CONFIG_ROWS(keys);

typedef struct node_task {
  trm_node_data *nodes;
  trm_class_data data;
  trm_node_batching batching;
  trm_partition *partition; /* into batch.blocks; owned */
  bool full;                /* sampler.kind */
  double drop_edge;
  uint64_t seed;
  trm_learner *learner; /* borrowed from start on */
  trm_gradsync *sync;   /* borrowed from start on */

  trm_whole *training;        /* full: what the training nodes depend on */
  trm_adversary *adversary;   /* full: NULL: passes are plain */
  int32_t *targets;           /* [own rows of it] labels of training nodes, -1 elsewhere; owned */
  uint64_t *hashes;           /* [own blocks] of the samples of a step; owned */
  int64_t *places;            /* [training nodes] places in their list, block after block; owned */
  int64_t *place_offsets;     /* [blocks + 1] first of each block; owned */
  int64_t *ids;               /* [training nodes] scratch of a block's samples; owned */
  trm_graph_batches *batches; /* else */
  trm_partition *clusters;    /* sampler.kind cluster; owned */
  int64_t n_clusters;         /* of them, those that are samples: the first ones */

  trm_whole *all;         /* evaluation */
  int32_t *eval_targets;  /* [own rows of it] labels of validation nodes; owned */
  int32_t *train_targets; /* the same of training nodes; owned */
  double *sums;           /* [2 V] loss and count of each block; owned */
} node_task;

/* ---- data ------------------------------------------------------------------------------------ */

static trm_status check_data(const trm_task *task, const trm_graph_store *store) {
  const trm_graph *g = store->graph;
  const char *path = trm_config_string(task->config, "data.path");
  if (g->n_features == 0) {
    return trm_fail(TRM_ERR_DATA, "%s: nodes have no features; prepare it with --features", path);
  }
  const char *readout = trm_config_string(task->config, "model.readout");
  if (strcmp(readout, "none") != 0) {
    return trm_fail(TRM_ERR_CONFIG,
                    "model.readout is '%s', but %s is one graph, whose nodes have the classes; set "
                    "it to none",
                    readout, path);
  }
  if (store->partitioned && g->sparse) {
    return trm_fail(TRM_ERR_CONFIG,
                    "data.storage is 'partitioned', but %s has sparse features, which stay small; "
                    "set it to 'shared'",
                    path);
  }
  return TRM_OK;
}

static trm_status open_data(trm_task *task, const char *path, const trm_graph_memory *memory,
                            bool features, trm_class_data *data) {
  node_task *t = task->self;
  TRM_TRY(trm_node_data_open(path, memory, features, &t->nodes));
  data->store.graph = &t->nodes->graph;
  data->classes = &t->nodes->classes;
  data->n_samples = t->nodes->graph.n_nodes;
  data->n_splits = t->nodes->n_splits;
  return TRM_OK;
}

static trm_status split_data(const trm_task *task, int split, trm_subset subset, bool hold_out,
                             trm_ids *ids) {
  const node_task *t = task->self;
  (void)hold_out; /* splits of nodes say themselves what is held out */
  return trm_node_data_split(t->nodes, split, subset, ids);
}

static trm_status open_nodes(trm_task *task) {
  static const trm_class_source source = {
      .open = open_data, .check = check_data, .split = split_data};
  node_task *t = NULL;
  const trm_status status = TRM_ALLOC(&t, 1, "task");
  task->self = t; /* which is closed where another rank has failed, too */
  TRM_TRY(trm_comm_agree(task->comm, status));
  t->full = trm_config_is(task->config, "sampler.kind", "full");
  t->drop_edge = trm_drop_edge(task->config);
  t->seed = (uint64_t)trm_config_int(task->config, "run.seed");
  return trm_class_data_open(task, &source, &t->data);
}

static void close_nodes(trm_task *task) {
  node_task *t = task->self;
  if (!t) return;
  trm_adversary_destroy(&t->adversary);
  trm_graph_batches_destroy(&t->batches);
  trm_whole_destroy(&t->training);
  trm_whole_destroy(&t->all);
  trm_partition_destroy(&t->partition);
  trm_partition_destroy(&t->clusters);
  trm_node_data_close(&t->nodes);
  trm_class_data_close(&t->data);
  TRM_FREE(t->targets);
  TRM_FREE(t->hashes);
  TRM_FREE(t->places);
  TRM_FREE(t->place_offsets);
  TRM_FREE(t->ids);
  TRM_FREE(t->eval_targets);
  TRM_FREE(t->train_targets);
  TRM_FREE(t->sums);
  TRM_FREE(task->self);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* Enough for a few ranks; more make the rows of a small graph expensive to cut up. */
enum { BLOCKS_SMALL = 4, BLOCKS = 8, SMALL_NODES = 50000 };

static trm_status resolve_full(trm_task *task, const node_task *t, trm_config *config) {
  TRM_TRY(trm_adversary_check_whole(config));
  const int64_t n = t->data.store.graph->n_nodes;
  task->batch = task->epoch_samples = t->data.train.n;
  return trm_task_resolve_blocks(task, config, n < SMALL_NODES ? BLOCKS_SMALL : BLOCKS,
                                 TRM_PASS_MAX_BLOCKS);
}

/* What each rank works out for itself. */
static trm_status resolve_sizes(trm_task *task, node_task *t, trm_config *config) {
  if (t->full) {
    TRM_TRY(resolve_full(task, t, config));
  } else {
    const int64_t n_samples = t->clusters ? t->n_clusters : t->data.train.n;
    TRM_TRY(trm_graph_batches_resolve(task, n_samples, config));
  }
  task->exchanges = t->full || t->data.store.partitioned;
  task->units_a_step = task->batch;
  (void)snprintf(task->summary, sizeof task->summary,
                 "%" PRId64 " node%s, %" PRId64 " edge%s, %" PRId64 " of %" PRId64 " %s%s a step",
                 t->data.store.graph->n_nodes, trm_plural(t->data.store.graph->n_nodes),
                 t->data.store.graph->in.n_edges, trm_plural(t->data.store.graph->in.n_edges),
                 task->batch, task->epoch_samples, t->clusters ? "cluster" : "training node",
                 trm_plural(task->epoch_samples));
  return TRM_OK;
}

static trm_status resolve(trm_task *task, trm_config *config) {
  node_task *t = task->self;
  if (task->use == TRM_USE_TRAIN && !t->full && trm_node_batches_clusters(config)) {
    TRM_TRY(trm_node_batches_cut(task->comm, config, &t->data.store, t->data.train, &t->clusters,
                                 &t->n_clusters));
  }
  const trm_status status = resolve_sizes(task, t, config);
  return trm_graph_store_partition(task->comm, &t->data.store, trm_graph_store_metis(config),
                                   task->n_blocks, t->data.train, status, &t->partition);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Labels of the rows of a pass that are in a subset, -1 for the others. */
static trm_status labels_of_rows(const node_task *t, const trm_whole *whole, trm_subset subset,
                                 int32_t **targets) {
  const trm_field *f = trm_whole_field(whole);
  TRM_TRY(TRM_ALLOC(targets, f->n_targets, "targets"));
  for (int64_t i = 0; i < f->n_targets; ++i) {
    (*targets)[i] = trm_class_target(&t->data, f->targets[i], subset);
  }
  return TRM_OK;
}

/* Statistics of a batch are taken over all nodes, whatever the loss depends on. */
static bool needs_all_rows(const trm_task *task) {
  return trm_config_is(task->config, "model.norm", "batch");
}

/* Which training nodes each block has: the same in every step. */
static trm_status list_places(const trm_task *task, node_task *t) {
  const trm_ids train = t->data.train;
  TRM_TRY(TRM_ALLOC(&t->places, train.n, "sample ids"));
  TRM_TRY(TRM_ALLOC(&t->place_offsets, task->n_blocks + 1, "sample ids"));
  TRM_TRY(TRM_ALLOC(&t->ids, train.n, "sample ids"));
  for (int64_t i = 0; i < train.n; ++i) ++t->place_offsets[t->partition->part_of[train.ids[i]] + 1];
  for (int64_t b = 0; b < task->n_blocks; ++b) t->place_offsets[b + 1] += t->place_offsets[b];
  for (int64_t i = 0; i < train.n; ++i) {
    /* Offsets walk to the next block's and are set back below. */
    t->places[t->place_offsets[t->partition->part_of[train.ids[i]]]++] = i;
  }
  for (int64_t b = task->n_blocks; b > 0; --b) t->place_offsets[b] = t->place_offsets[b - 1];
  t->place_offsets[0] = 0;
  return TRM_OK;
}

/* The own rows of features that a pass over the whole graph begins with. */
static trm_attacked own_features(const node_task *t, int64_t width) {
  const trm_field *f = trm_whole_field(t->training);
  return (trm_attacked){
      .rows = trm_sequences_equal(f->n_inputs, 1), .width = width, .ids32 = f->inputs};
}

static trm_status plan_adversary(const trm_task *task, node_task *t, trm_learner *learner) {
  const trm_graph_batch graph = trm_whole_batch(t->training);
  trm_pass pass = {0};
  trm_whole_pass(t->training, &pass);
  return trm_adversary_create(task->comm, task->config, &task->dims, learner, pass,
                              &(trm_batch){.graph = &graph}, trm_whole_field(t->training)->n_inputs,
                              &t->adversary);
}

static trm_status plan_full(trm_task *task, node_task *t, trm_learner *learner) {
  TRM_TRY(trm_whole_create(task->comm, &t->data.store, t->partition,
                           trm_model_n_hops(learner->model),
                           needs_all_rows(task) ? NULL : &t->data.train, true, &t->training));
  const int64_t n_local = trm_whole_field(t->training)->n_local;
  trm_status status = labels_of_rows(t, t->training, TRM_SUBSET_TRAIN, &t->targets);
  if (status == TRM_OK) status = TRM_ALLOC(&t->hashes, n_local, "hashes of samples");
  if (status == TRM_OK) status = list_places(task, t);
  if (status == TRM_OK) {
    trm_whole_weigh(t->training, t->targets);
    status = trm_adversary_wanted(task->config) ? plan_adversary(task, t, learner)
                                                : trm_whole_plan(t->training, learner, true);
  }
  TRM_TRY(trm_comm_agree(task->comm, status));
  return trm_whole_reserve(t->training);
}

static trm_status plan_batches(trm_task *task, node_task *t, trm_learner *learner) {
  trm_graph_loader_options options;
  trm_own_features own = {
      .partition = t->partition,
      .rows = trm_whole_batch(t->all).features.dense, /* the same nodes in the same order */
  };
  if (t->data.store.partitioned) {
    own.cache_bytes = trm_config_int(task->config, "data.halo_cache_mib") << 20;
  }
  TRM_TRY(trm_comm_agree(
      task->comm, trm_node_batches_options(task->config, trm_model_n_hops(learner->model), t->nodes,
                                           t->data.train, t->partition, t->clusters,
                                           t->data.store.partitioned, &t->batching, &options)));
  options.batch = task->batch;
  options.n_blocks = task->n_blocks;
  return trm_graph_batches_create(task, t->data.store.graph, &options,
                                  t->data.store.partitioned ? &own : NULL, learner, &t->batches);
}

static trm_status plan(trm_task *task, trm_learner *learner, bool training) {
  node_task *t = task->self;
  int n_hops;
  TRM_TRY(trm_graph_hops(learner->model, &n_hops));
  TRM_TRY(trm_whole_create(task->comm, &t->data.store, t->partition, n_hops, NULL, false, &t->all));
  trm_status status = labels_of_rows(t, t->all, TRM_SUBSET_VALID, &t->eval_targets);
  if (status == TRM_OK && task->train_loss) {
    status = labels_of_rows(t, t->all, TRM_SUBSET_TRAIN, &t->train_targets);
  }
  if (status == TRM_OK) status = TRM_ALLOC(&t->sums, 2 * task->n_blocks, "losses of blocks");
  if (status == TRM_OK) status = trm_whole_plan(t->all, learner, false);
  TRM_TRY(trm_comm_agree(task->comm, status));
  TRM_TRY(trm_whole_reserve(t->all));
  if (!training) return TRM_OK;
  if (t->full) return plan_full(task, t, learner);
  return plan_batches(task, t, learner);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static trm_status start(trm_task *task, trm_learner *learner, trm_gradsync *sync,
                        int64_t first_step, int64_t end_step) {
  node_task *t = task->self;
  t->learner = learner;
  t->sync = sync;
  if (t->full) return TRM_OK;
  return trm_graph_batches_start(t->batches, sync, first_step, end_step);
}

/* Samples of a block in a step over the whole graph: places in the list of training nodes. */
static int64_t block_samples(const node_task *t, int64_t block, int64_t step, int64_t *ids) {
  const int64_t first = t->place_offsets[block], n = t->place_offsets[block + 1] - first;
  for (int64_t i = 0; i < n; ++i) ids[i] = step * t->data.train.n + t->places[first + i];
  return n;
}

static trm_status run_full(trm_task *task, node_task *t, int64_t step) {
  const trm_field *f = trm_whole_field(t->training);
  trm_pass pass = {.training = true, .seed = t->seed, .step = step};
  trm_watch_phase(task->comm, "forward and backward", step);
  if (t->drop_edge > 0) { /* it may take memory: ranks wait for each other in the pass */
    TRM_TRY(
        trm_comm_agree(task->comm, trm_whole_drop_edges(t->training, t->drop_edge, t->seed, step)));
  }
  for (int64_t k = 0; k < f->n_local; ++k) {
    const int64_t n = block_samples(t, f->first_block + k, step, t->ids);
    t->hashes[k] = trm_samples_hash(t->ids, n);
  }
  trm_graph_batch graph = trm_whole_batch(t->training);
  graph.targets = t->targets;
  const trm_batch batch = {.graph = &graph};
  trm_nudge nudge;
  trm_whole_pass(t->training, &pass);
  if (t->adversary) {
    const trm_attacked on = own_features(t, trm_adversary_width(t->adversary));
    TRM_TRY(trm_adversary_change(t->adversary, &pass, &batch, &on, &nudge));
    pass.nudge = &nudge;
  }
  trm_gradsync_all_begin(t->sync, &pass);
  trm_tape_begin(t->learner->tape, &pass);
  trm_var *loss = trm_model_loss(t->learner->model, t->learner->tape, &batch);
  trm_gradsync_all_backward(t->sync, t->learner->tape, loss, t->hashes);
  return trm_tape_status(t->learner->tape);
}

static trm_status run(trm_task *task, int64_t step) {
  node_task *t = task->self;
  return t->full ? run_full(task, t, step) : trm_graph_batches_run(t->batches, step);
}

static trm_status samples(trm_task *task, int64_t step, int64_t *ids, int64_t *offsets) {
  const node_task *t = task->self;
  if (!t->full) return trm_graph_batches_samples(t->batches, step, ids, offsets);
  offsets[0] = 0;
  for (int64_t b = 0; b < task->n_blocks; ++b) {
    offsets[b + 1] = offsets[b] + block_samples(t, b, step, ids + offsets[b]);
  }
  return TRM_OK;
}

/* ---- evaluation ------------------------------------------------------------------------------ */

/* Logits of own nodes; the loss of each own block against targets[own rows] goes to its place in t->sums. */
static trm_status pass_over_all(trm_task *task, node_task *t, trm_learner *learner,
                                const int32_t *targets, trm_class_rows *rows) {
  const trm_field *f = trm_whole_field(t->all);
  trm_pass pass = {.training = false};
  trm_graph_batch graph = trm_whole_batch(t->all);
  graph.targets = targets;
  const trm_batch batch = {.graph = &graph};
  trm_whole_pass(t->all, &pass);
  trm_tape_begin(learner->tape, &pass);
  trm_var *logits = trm_model_outputs(learner->model, learner->tape, &batch);
  (void)trm_op_softmax_xent(learner->tape, logits, targets, NULL);
  TRM_TRY(trm_tape_status(learner->tape));
  memset(t->sums, 0, (size_t)(2 * task->n_blocks) * sizeof *t->sums);
  for (int64_t k = 0; k < f->n_local; ++k) {
    double *at = t->sums + 2 * (f->first_block + k);
    trm_tape_block_loss(learner->tape, (int)k, &at[0], &at[1]);
  }
  *rows = (trm_class_rows){.logits = logits->data,
                           .ids = f->targets,
                           .labels = t->data.classes->labels,
                           .subsets = t->data.subsets,
                           .n = f->n_targets,
                           .n_classes = task->dims.n_outputs,
                           .n_samples = t->data.store.graph->n_nodes,
                           .class_names = &t->data.classes->names,
                           .names = &t->nodes->graph.names};
  return TRM_OK;
}

/* A pass over all nodes, and the loss of those that have targets. Collective. */
static trm_status measure(trm_task *task, node_task *t, trm_learner *learner,
                          const int32_t *targets, trm_class_rows *rows, trm_evaluation *result) {
  TRM_TRY(trm_comm_agree(task->comm, pass_over_all(task, t, learner, targets, rows)));
  TRM_TRY(trm_comm_sum_f64(task->comm, t->sums, 2 * task->n_blocks));
  trm_task_join_losses(t->sums, task->n_blocks, result);
  return TRM_OK;
}

static trm_status evaluate(trm_task *task, trm_learner *learner, trm_task_stop stop, void *context,
                           trm_evaluation *result, bool *stopped) {
  node_task *t = task->self;
  trm_class_rows rows;
  (void)stop; /* one pass: as long as a step over the whole graph */
  (void)context;
  *stopped = false;
  if (task->train_loss) {
    trm_evaluation train = {0};
    TRM_TRY(measure(task, t, learner, t->train_targets, &rows, &train));
    result->train_loss = train.loss;
  }
  TRM_TRY(measure(task, t, learner, t->eval_targets, &rows, result));
  return trm_class_scores_add(task, &rows, t->data.scored, result);
}

static trm_status attack(trm_task *task, trm_learner *learner, const trm_attack_options *options,
                         trm_robustness *result) {
  node_task *t = task->self;
  trm_whole *whole = NULL;
  int32_t *targets = NULL;
  int n_hops;
  result->subset = trm_subset_name(TRM_SUBSET_TEST);
  TRM_TRY(trm_graph_hops(learner->model, &n_hops));
  TRM_TRY(trm_whole_create(task->comm, &t->data.store, t->partition, n_hops, NULL, true, &whole));
  trm_status status =
      trm_comm_agree(task->comm, labels_of_rows(t, whole, TRM_SUBSET_TEST, &targets));
  if (status == TRM_OK) status = trm_node_attack(task, whole, targets, learner, options, result);
  TRM_FREE(targets);
  trm_whole_destroy(&whole);
  return status;
}

static trm_status predict(trm_task *task, trm_learner *learner, const trm_predict_options *options,
                          int64_t *n_rows) {
  node_task *t = task->self;
  trm_class_rows rows;
  TRM_TRY(trm_comm_agree(task->comm, pass_over_all(task, t, learner, t->eval_targets, &rows)));
  return trm_class_predictions_write(task, t->data.classes, &rows, options->output, n_rows);
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static trm_status put_facts(const trm_task *task, trm_facts *facts) {
  const node_task *t = task->self;
  return trm_class_data_facts(&t->data, facts);
}

static trm_status check_facts(trm_task *task, const trm_facts *facts, const char *path) {
  node_task *t = task->self;
  return trm_class_data_check_facts(task, &t->data, facts, path);
}

const trm_task_kind trm_task_nodes = {
    TRM_TASK_PART("graph", &key_rows, &trm_class_keys, &trm_part_keys, &trm_graph_store_keys,
                  &trm_graph_partition_keys, &trm_adversary_keys),
    .more = {&trm_neighbor_batches, &trm_cluster_batches, &trm_neighbor_halo, &trm_cluster_halo,
             TRM_ADVERSARY_PARTS},
    .select = "accuracy",
    .subset = "validation",
    .unit = "node",
    .open = open_nodes,
    .close = close_nodes,
    .resolve = resolve,
    .plan = plan,
    .start = start,
    .run = run,
    .samples = samples,
    .evaluate = evaluate,
    .facts = put_facts,
    .check_facts = check_facts,
    .attack = attack,
    .predict = predict};
