/*
 * Classes of graphs in a set. Samples are graphs; a block is a disjoint union of some of the batch's
 * graphs, packed so that blocks cost about the same. Evaluation goes over all graphs once, in groups
 * of a fixed number that are dealt to the ranks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "class_data.h"
#include "class_scores.h"
#include "graph_batches.h"
#include "graph_store.h"
#include "tasks_internal.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/nn/ops.h"

static const trm_config_key keys[] = {
    TRM_KEY_BOOL("data.hold_out", "true", TRM_ON_RESULT,
                 "The fold after the test fold is for validation, not for training."),
    TRM_KEY_INT("batch.size", "12", 1, 1048576, "samples", TRM_ON_RESULT,
                "Graphs of a step on all ranks."),
};
static const trm_config_rows key_rows = TRM_CONFIG_ROWS(keys);

/* Graphs of one pass of the evaluation; fixed, so that passes do not depend on the ranks. */
enum { GROUP = 64 };

typedef struct set_task {
  trm_graph_set *set;
  trm_class_data data;
  uint64_t seed;
  trm_set_batching batching;
  trm_graph_batches *batches;

  /* evaluation */
  trm_set_passes *passes;
  int64_t n_groups, first_group, n_local; /* groups of this rank: [first, first + n_local) */
  int32_t *ids;                           /* [n_graphs] all of them, 0, 1, ...; owned */
  int32_t *targets; /* [n_graphs] labels of the subset measured, -1 elsewhere; owned */
  float *logits;    /* [own graphs, classes]; owned */
  double *sums;     /* [2 n_groups] loss and count; owned */
} set_task;

/* ---- data ------------------------------------------------------------------------------------ */

static trm_status check_data(const trm_task *task, const trm_graph_store *store) {
  const trm_graph *g = store->graph;
  const char *path = trm_config_string(task->config, "data.path");
  if (strcmp(trm_config_string(task->config, "model.readout"), "none") == 0) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "model.readout is 'none', but %s is a set of graphs; set it to sum, mean or max", path);
  }
  if (g->n_features == 0) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: nodes have no features; prepare it with --nodes-file, --attributes or "
                    "--degree-features",
                    path);
  }
  if (store->partitioned) {
    return trm_fail(TRM_ERR_CONFIG,
                    "data.storage is 'partitioned', but %s is a set of graphs; set "
                    "it to 'shared'",
                    path);
  }
  return TRM_OK;
}

static trm_status open_data(trm_task *task, const char *path, const trm_graph_memory *memory,
                            bool features, trm_class_data *data) {
  set_task *t = task->self;
  TRM_TRY(trm_graph_set_open(path, memory, features, &t->set));
  data->store.graph = &t->set->graph;
  data->classes = &t->set->classes;
  data->n_samples = t->set->n_graphs;
  data->n_splits = t->set->n_folds;
  return TRM_OK;
}

static trm_status split_data(const trm_task *task, int split, trm_subset subset, bool hold_out,
                             trm_ids *ids) {
  const set_task *t = task->self;
  return trm_graph_set_split(t->set, split, subset, hold_out, ids);
}

static trm_status open_set(trm_task *task) {
  static const trm_class_source source = {
      .open = open_data, .check = check_data, .split = split_data};
  set_task *t = NULL;
  const trm_status status = TRM_ALLOC(&t, 1, "task");
  task->self = t; /* which is closed where another rank has failed, too */
  TRM_TRY(trm_comm_agree(task->comm, status));
  t->seed = (uint64_t)trm_config_int(task->config, "run.seed");
  return trm_class_data_open(task, &source, &t->data);
}

static void close_set(trm_task *task) {
  set_task *t = task->self;
  if (!t) return;
  trm_graph_batches_destroy(&t->batches);
  trm_set_passes_destroy(&t->passes);
  trm_graph_set_close(&t->set);
  trm_class_data_close(&t->data);
  TRM_FREE(t->ids);
  TRM_FREE(t->targets);
  TRM_FREE(t->logits);
  TRM_FREE(t->sums);
  TRM_FREE(task->self);
}

/* ---- evaluation ------------------------------------------------------------------------------ */

static int64_t group_size(const set_task *t, int64_t group) {
  const int64_t rest = t->set->n_graphs - group * GROUP;
  return rest < GROUP ? rest : GROUP;
}

static void set_targets(set_task *t, trm_subset subset) {
  for (int32_t i = 0; i < t->set->n_graphs; ++i) {
    t->targets[i] = trm_class_target(&t->data, i, subset);
  }
}

static trm_status make_evaluation(const trm_task *task, set_task *t, int n_hops) {
  const int64_t n = t->set->n_graphs;
  t->n_groups = trm_ceil_div(n, GROUP);
  trm_block_range(t->n_groups, trm_comm_rank(task->comm), trm_comm_size(task->comm),
                  &t->first_group, &t->n_local);
  TRM_TRY(trm_set_passes_create(t->set, n_hops, &t->passes));
  TRM_TRY(TRM_ALLOC(&t->ids, n, "graphs"));
  TRM_TRY(TRM_ALLOC(&t->targets, n, "labels of graphs"));
  TRM_TRY(TRM_ALLOC(&t->logits, t->n_local * GROUP * task->dims.n_outputs, "logits of graphs"));
  TRM_TRY(TRM_ALLOC(&t->sums, 2 * t->n_groups, "losses of groups"));
  for (int32_t i = 0; i < n; ++i) {
    t->ids[i] = i;
  }
  set_targets(t, TRM_SUBSET_VALID);
  return TRM_OK;
}

/* What a pass over one group takes. */
static trm_status make_group(set_task *t, int64_t group, trm_graph_batch *batch) {
  TRM_TRY(trm_set_passes_make(t->passes, t->ids + group * GROUP, group_size(t, group), batch));
  batch->targets = t->targets + group * GROUP;
  return TRM_OK;
}

static trm_status plan_evaluation(set_task *t, trm_learner *learner) {
  for (int64_t i = 0; i < t->n_local; ++i) {
    trm_graph_batch graph;
    TRM_TRY(make_group(t, t->first_group + i, &graph));
    const trm_batch batch = {.graph = &graph};
    TRM_TRY(trm_learner_plan(learner, TRM_PLAN_LOSS, (trm_pass){0}, &batch));
  }
  return TRM_OK;
}

static trm_status run_group(const trm_task *task, set_task *t, trm_learner *learner, int64_t i) {
  trm_graph_batch graph;
  const trm_pass pass = {.training = false};
  const int64_t group = t->first_group + i, C = task->dims.n_outputs;
  TRM_TRY(make_group(t, group, &graph));
  trm_watch_phase(task->comm, "evaluation", group); /* each group is progress */
  trm_tape_begin(learner->tape, &pass);
  const trm_batch batch = {.graph = &graph};
  trm_var *logits = trm_model_outputs(learner->model, learner->tape, &batch);
  (void)trm_op_softmax_xent(learner->tape, logits, graph.targets, NULL);
  TRM_TRY(trm_tape_status(learner->tape));
  memcpy(t->logits + i * GROUP * C, logits->data, (size_t)(graph.n_graphs * C) * sizeof(float));
  t->sums[2 * group] = trm_tape_loss_sum(learner->tape);
  t->sums[2 * group + 1] = trm_tape_loss_count(learner->tape);
  return TRM_OK;
}

static trm_status run_groups(const trm_task *task, set_task *t, trm_learner *learner) {
  memset(t->sums, 0, (size_t)(2 * t->n_groups) * sizeof *t->sums);
  for (int64_t i = 0; i < t->n_local; ++i) TRM_TRY(run_group(task, t, learner, i));
  return TRM_OK;
}

static trm_class_rows own_rows(const trm_task *task, const set_task *t) {
  const int64_t n_graphs = t->set->n_graphs;
  const int64_t first = t->first_group * GROUP;
  const int64_t last = (t->first_group + t->n_local) * GROUP;
  const int64_t end = last < n_graphs ? last : n_graphs;
  return (trm_class_rows){.logits = t->logits,
                          .ids = t->ids + (first < end ? first : 0),
                          .labels = t->data.classes->labels,
                          .subsets = t->data.subsets,
                          .n = end > first ? end - first : 0,
                          .n_classes = task->dims.n_outputs,
                          .n_samples = n_graphs,
                          .class_names = &t->data.classes->names};
}

/* Logits of own graphs, and the loss of a subset. Collective. */
static trm_status measure(trm_task *task, set_task *t, trm_learner *learner, trm_subset subset,
                          trm_evaluation *result) {
  set_targets(t, subset);
  TRM_TRY(trm_comm_agree(task->comm, run_groups(task, t, learner)));
  TRM_TRY(trm_comm_sum_f64(task->comm, t->sums, 2 * t->n_groups));
  trm_task_join_losses(t->sums, t->n_groups, result);
  return TRM_OK;
}

static trm_status evaluate(trm_task *task, trm_learner *learner, trm_task_stop stop, void *context,
                           trm_evaluation *result, bool *stopped) {
  set_task *t = task->self;
  (void)stop; /* sets are small: an evaluation is about a step */
  (void)context;
  *stopped = false;
  if (task->train_loss) {
    trm_evaluation train = {0};
    TRM_TRY(measure(task, t, learner, TRM_SUBSET_TRAIN, &train));
    result->train_loss = train.loss;
  }
  TRM_TRY(measure(task, t, learner, TRM_SUBSET_VALID, result));
  const trm_class_rows rows = own_rows(task, t);
  return trm_class_scores_add(task, &rows, t->data.scored, result);
}

static trm_status predict(trm_task *task, trm_learner *learner, const trm_predict_options *options,
                          int64_t *n_rows) {
  set_task *t = task->self;
  TRM_TRY(trm_comm_agree(task->comm, run_groups(task, t, learner)));
  const trm_class_rows rows = own_rows(task, t);
  return trm_class_predictions_write(task, t->data.classes, &rows, options->output, n_rows);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static trm_status resolve(trm_task *task, trm_config *config) {
  const set_task *t = task->self;
  TRM_TRY(trm_graph_batches_resolve(task, t->data.train.n, config));
  (void)snprintf(task->summary, sizeof task->summary,
                 "%" PRId64 " graphs, %" PRId64 " nodes, %" PRId64 " of %" PRId64
                 " training graph%s a step",
                 t->set->n_graphs, t->set->graph.n_nodes, task->batch, t->data.train.n,
                 trm_plural(t->data.train.n));
  return TRM_OK;
}

static trm_status plan(trm_task *task, trm_learner *learner, bool training) {
  set_task *t = task->self;
  int n_hops;
  TRM_TRY(trm_graph_hops(learner->model, &n_hops));
  trm_status status = make_evaluation(task, t, n_hops);
  if (status == TRM_OK) status = plan_evaluation(t, learner);
  TRM_TRY(trm_comm_agree(task->comm, status));
  if (!training) return TRM_OK;
  t->batching = (trm_set_batching){.set = t->set,
                                   .train = t->data.train,
                                   .n_hops = n_hops,
                                   .drop_edge = trm_drop_edge(task->config)};
  const trm_graph_loader_options options = {.way = trm_batching_by_graphs(&t->batching),
                                            .seed = t->seed,
                                            .batch = task->batch,
                                            .n_blocks = task->n_blocks};
  return trm_graph_batches_create(task, t->data.store.graph, &options, NULL, learner, &t->batches);
}

static trm_status start(trm_task *task, trm_learner *learner, trm_gradsync *sync,
                        int64_t first_step, int64_t end_step) {
  const set_task *t = task->self;
  (void)learner;
  return trm_graph_batches_start(t->batches, sync, first_step, end_step);
}

static trm_status run(trm_task *task, int64_t step) {
  const set_task *t = task->self;
  return trm_graph_batches_run(t->batches, step);
}

static trm_status samples(trm_task *task, int64_t step, int64_t *ids, int64_t *offsets) {
  const set_task *t = task->self;
  return trm_graph_batches_samples(t->batches, step, ids, offsets);
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static trm_status put_facts(const trm_task *task, trm_facts *facts) {
  const set_task *t = task->self;
  return trm_class_data_facts(&t->data, facts);
}

static trm_status check_facts(trm_task *task, const trm_facts *facts, const char *path) {
  set_task *t = task->self;
  return trm_class_data_check_facts(task, &t->data, facts, path);
}

const trm_task_kind trm_task_set = {TRM_TASK_PART("graphs", &key_rows, &trm_class_keys,
                                                  &trm_part_keys, &trm_bootstrap_keys,
                                                  &trm_graph_store_keys, &trm_batch_keys),
                                    .select = "accuracy",
                                    .subset = "validation",
                                    .unit = "graph",
                                    .open = open_set,
                                    .close = close_set,
                                    .resolve = resolve,
                                    .plan = plan,
                                    .start = start,
                                    .run = run,
                                    .samples = samples,
                                    .evaluate = evaluate,
                                    .facts = put_facts,
                                    .check_facts = check_facts,
                                    .predict = predict};
