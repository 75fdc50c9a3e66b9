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
#include "trireme/core/memory.h"
#include "trireme/input/neighbor_sampler.h"
#include "trireme/nn/ops.h"

/* Graphs of one pass of the evaluation; fixed, so that passes do not depend on the ranks. */
enum { GROUP = 64 };

typedef struct set_task {
  trm_class_data data;
  uint64_t seed;
  trm_graph_batches *batches;

  /* evaluation */
  trm_neighbor_sampler *sampler;
  trm_feature_rows *rows;                 /* NULL with dense features */
  int64_t n_groups, first_group, n_local; /* groups of this rank: [first, first + n_local) */
  int32_t *ids;                           /* [n_graphs] all of them, 0, 1, ...; owned */
  int32_t *targets; /* [n_graphs] labels of the valid part, -1 elsewhere; owned */
  float *logits;    /* [own graphs, classes]; owned */
  double *sums;     /* [2 n_groups] loss and count; owned */
} set_task;

/* ---- data ------------------------------------------------------------------------------------ */

static trm_status check_data(const trm_task *task, const trm_graph_store *store) {
  const trm_graph *g = store->graph;
  const char *path = trm_config_string(task->config, "data.path");
  TRM_TRY(trm_task_whole_only(task, "whole graphs"));
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

static trm_status open_set(trm_task *task) {
  set_task *t = NULL;
  TRM_TRY(trm_comm_agree(task->comm, TRM_ALLOC(&t, 1, "task")));
  task->self = t;
  t->seed = (uint64_t)trm_config_int(task->config, "run.seed");
  return trm_class_data_open(task, check_data, &t->data);
}

static void close_set(trm_task *task) {
  set_task *t = task->self;
  if (!t) return;
  trm_graph_batches_destroy(&t->batches);
  trm_neighbor_sampler_destroy(&t->sampler);
  trm_feature_rows_destroy(&t->rows);
  trm_class_data_close(&t->data);
  TRM_FREE(t->ids);
  TRM_FREE(t->targets);
  TRM_FREE(t->logits);
  TRM_FREE(t->sums);
  TRM_FREE(task->self);
}

/* ---- evaluation ------------------------------------------------------------------------------ */

static int64_t group_size(const set_task *t, int64_t group) {
  const int64_t rest = t->data.store.graph->n_graphs - group * GROUP;
  return rest < GROUP ? rest : GROUP;
}

static trm_status make_evaluation(const trm_task *task, set_task *t, int n_hops) {
  const trm_graph *g = t->data.store.graph;
  const trm_neighbor_options options = {.n_hops = n_hops};
  t->n_groups = (g->n_graphs + GROUP - 1) / GROUP;
  trm_block_range(t->n_groups, trm_comm_rank(task->comm), trm_comm_size(task->comm),
                  &t->first_group, &t->n_local);
  TRM_TRY(trm_neighbor_sampler_create(g, &options, &t->sampler));
  if (g->sparse) TRM_TRY(trm_feature_rows_create(g, &t->rows));
  TRM_TRY(TRM_ALLOC(&t->ids, g->n_graphs, "graphs"));
  TRM_TRY(TRM_ALLOC(&t->targets, g->n_graphs, "labels of graphs"));
  TRM_TRY(TRM_ALLOC(&t->logits, t->n_local * GROUP * task->dims.n_outputs, "logits of graphs"));
  TRM_TRY(TRM_ALLOC(&t->sums, 2 * t->n_groups, "losses of groups"));
  for (int32_t i = 0; i < g->n_graphs; ++i) {
    t->ids[i] = i;
    t->targets[i] = trm_class_target(&t->data, i, TRM_SUBSET_VALID);
  }
  return TRM_OK;
}

/* What a pass over one group takes; `sparse` holds its features and their transpose. */
typedef struct group_batch {
  trm_subgraph subgraph;
  trm_csr sparse, transposed;
  trm_graph_batch graph;
} group_batch;

static trm_status make_group(set_task *t, int64_t group, group_batch *b) {
  const trm_graph *g = t->data.store.graph;
  const int64_t n = group_size(t, group);
  const int64_t *segments;
  TRM_TRY(trm_union_subgraph(t->sampler, 0, t->ids + group * GROUP, n, &b->subgraph, &segments));
  b->graph = (trm_graph_batch){.features = {.n_rows = b->subgraph.n_inputs,
                                            .n_features = g->n_features,
                                            .dense = g->dense,
                                            .rows = b->subgraph.inputs,
                                            .ids = b->subgraph.inputs},
                               .hops = b->subgraph.hops,
                               .n_hops = b->subgraph.n_hops,
                               .targets = t->targets + group * GROUP,
                               .n_graphs = n,
                               .graphs = segments};
  if (!g->sparse) return TRM_OK;
  TRM_TRY(trm_feature_rows_take(t->rows, b->subgraph.inputs, b->subgraph.n_inputs, &b->sparse,
                                &b->transposed));
  b->graph.features.sparse = &b->sparse;
  b->graph.features.transposed = &b->transposed;
  return TRM_OK;
}

static trm_status plan_evaluation(set_task *t, trm_learner *learner) {
  const trm_pass pass = {.dry = true};
  for (int64_t i = 0; i < t->n_local; ++i) {
    group_batch b;
    TRM_TRY(make_group(t, t->first_group + i, &b));
    trm_tape_begin(learner->tape, &pass);
    (void)trm_model_loss(learner->model, learner->tape, &(trm_batch){.graph = &b.graph});
    TRM_TRY(trm_tape_status(learner->tape));
  }
  return TRM_OK;
}

static trm_status run_group(const trm_task *task, set_task *t, trm_learner *learner, int64_t i) {
  group_batch b;
  const trm_pass pass = {.training = false};
  const int64_t group = t->first_group + i, C = task->dims.n_outputs;
  TRM_TRY(make_group(t, group, &b));
  trm_watch_phase(task->comm, "evaluation", group); /* each group is progress */
  trm_tape_begin(learner->tape, &pass);
  const trm_batch batch = {.graph = &b.graph};
  trm_var *logits = trm_model_outputs(learner->model, learner->tape, &batch);
  (void)trm_op_softmax_xent(learner->tape, logits, b.graph.targets);
  TRM_TRY(trm_tape_status(learner->tape));
  memcpy(t->logits + i * GROUP * C, logits->data, (size_t)(b.graph.n_graphs * C) * sizeof(float));
  t->sums[2 * group] = trm_tape_loss_sum(learner->tape);
  t->sums[2 * group + 1] = (double)trm_tape_loss_count(learner->tape);
  return TRM_OK;
}

static trm_status run_groups(const trm_task *task, set_task *t, trm_learner *learner) {
  memset(t->sums, 0, (size_t)(2 * t->n_groups) * sizeof *t->sums);
  for (int64_t i = 0; i < t->n_local; ++i) TRM_TRY(run_group(task, t, learner, i));
  return TRM_OK;
}

static trm_class_rows own_rows(const trm_task *task, const set_task *t) {
  const trm_graph *g = t->data.store.graph;
  const int64_t first = t->first_group * GROUP;
  const int64_t last = (t->first_group + t->n_local) * GROUP;
  const int64_t end = last < g->n_graphs ? last : g->n_graphs;
  return (trm_class_rows){.logits = t->logits,
                          .ids = t->ids + (first < end ? first : 0),
                          .labels = g->labels,
                          .parts = t->data.parts,
                          .n = end > first ? end - first : 0,
                          .n_classes = task->dims.n_outputs,
                          .n_samples = g->n_graphs};
}

static trm_status evaluate(trm_task *task, trm_learner *learner, trm_task_stop stop, void *context,
                           trm_evaluation *result, bool *stopped) {
  set_task *t = task->self;
  (void)stop; /* sets are small: an evaluation is about a step */
  (void)context;
  *stopped = false;
  TRM_TRY(trm_comm_agree(task->comm, run_groups(task, t, learner)));
  TRM_TRY(trm_comm_sum_f64(task->comm, t->sums, 2 * t->n_groups));
  trm_task_join_losses(t->sums, t->n_groups, result);
  const trm_class_rows rows = own_rows(task, t);
  return trm_class_scores_add(task, &rows, result);
}

static trm_status predict(trm_task *task, trm_learner *learner, const trm_predict_options *options,
                          int64_t *n_rows) {
  set_task *t = task->self;
  TRM_TRY(trm_comm_agree(task->comm, run_groups(task, t, learner)));
  const trm_class_rows rows = own_rows(task, t);
  return trm_class_predictions_write(task->comm, t->data.store.graph, &rows, options->output,
                                     n_rows);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static trm_status resolve(trm_task *task, trm_config *config) {
  const set_task *t = task->self;
  const trm_graph *g = t->data.store.graph;
  TRM_TRY(trm_graph_batches_resolve(task, t->data.train.n, config));
  (void)snprintf(task->summary, sizeof task->summary,
                 "%" PRId64 " graphs, %" PRId64 " nodes, %" PRId64 " of %" PRId64
                 " training graphs a step",
                 g->n_graphs, g->n_nodes, task->batch, t->data.train.n);
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
  const trm_graph_loader_options options = {
      .kind = TRM_BATCH_SET,
      .seed = t->seed,
      .batch = task->batch,
      .n_blocks = task->n_blocks,
      .train = t->data.train,
      .sampler = {.n_hops = n_hops, .drop_edge = trm_config_real(task->config, "model.drop_edge")}};
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

const trm_task_kind trm_task_set = {.data = "graphs",
                                    .part = "validation",
                                    .unit = "graph",
                                    .open = open_set,
                                    .close = close_set,
                                    .resolve = resolve,
                                    .plan = plan,
                                    .start = start,
                                    .run = run,
                                    .samples = samples,
                                    .evaluate = evaluate,
                                    .predict = predict};
