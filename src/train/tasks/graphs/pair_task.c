/*
 * Recommendation from user-item pairs. Every step passes over the whole graph of users and items,
 * shared out among the ranks by parts; the rows of the batch's users and items are then brought
 * together on every rank, each of which takes the loss of its own triplets.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ensemble.h"
#include "graph_batches.h"
#include "graph_store.h"
#include "rank_scores.h"
#include "samples.h"
#include "tasks_internal.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/input/graph_loader.h"
#include "whole.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("batch.size", "12", 1, 1048576, "samples", TRM_ON_RESULT,
                "Interactions of a step on all ranks."),
    TRM_KEY_CHOICE("eval.select", "auto", "auto|loss|recall|ndcg", TRM_NO_EFFECT,
                   "What makes an evaluation the best, on the test part; auto: recall."),
    TRM_KEY_INT("eval.top_k", "20", 1, 1000, "", TRM_NO_EFFECT, "Items recommended to each user."),
};
static const trm_config_rows key_rows = TRM_CONFIG_ROWS(keys);

typedef struct pair_task {
  trm_interactions *data;
  trm_graph_store store;
  trm_partition *partition; /* into batch.blocks; owned */
  trm_pair_batching batching;
  trm_graph_loader_options options;
  trm_graph_loader *loader;
  trm_whole *whole;
  uint64_t seed;
  trm_learner *learner;    /* borrowed from start on */
  trm_gradsync *sync;      /* borrowed from start on */
  uint64_t *hashes;        /* [own blocks] of the samples of a step; owned */
  trm_collector collector; /* of the batch's rows */
  trm_voice voice;         /* vectors of all nodes of an evaluation; owned */
} pair_task;

/* ---- data ------------------------------------------------------------------------------------ */

static trm_status open_data(void *self, const char *path, const trm_graph_memory *memory,
                            bool features, const trm_graph **graph) {
  pair_task *t = self;
  (void)features; /* there are none */
  TRM_TRY(trm_interactions_open(path, memory, &t->data));
  *graph = &t->data->graph;
  return TRM_OK;
}

static trm_status open_pairs(trm_task *task) {
  pair_task *t = NULL;
  trm_status status = TRM_ALLOC(&t, 1, "task");
  task->self = t; /* which is closed where another rank has failed, too */
  TRM_TRY(trm_comm_agree(task->comm, status));
  t->seed = (uint64_t)trm_config_int(task->config, "run.seed");
  TRM_TRY(trm_comm_agree(task->comm, trm_collector_init(task->comm, &t->collector)));
  TRM_TRY(trm_graph_store_open(task->comm, task->config, open_data, t, &t->store));
  task->dims = (trm_model_dims){.n_nodes = t->data->graph.n_nodes};
  task->digest = t->data->graph.digest;
  task->host_bytes = trm_graph_store_host_bytes(&t->store);
  task->exchanges = true;
  trm_rank_scores_declare(task);
  return trm_task_select(task);
}

static void close_pairs(trm_task *task) {
  pair_task *t = task->self;
  if (!t) return;
  trm_graph_loader_destroy(&t->loader);
  trm_whole_destroy(&t->whole);
  trm_partition_destroy(&t->partition);
  trm_interactions_close(&t->data);
  trm_graph_store_close(&t->store);
  TRM_FREE(t->hashes);
  trm_collector_release(&t->collector);
  TRM_FREE(t->voice.rows);
  TRM_FREE(task->self);
}

/* Blocks: enough for a few ranks. With METIS each is made of small parts whose nodes lie together, so
 * that a product finds many of its rows in the cache (benchmarks/compare_graph_peer.py). */
enum { BLOCKS = 4, LOCAL = 16 };

/* What each rank works out for itself. */
static trm_status resolve_sizes(trm_task *task, trm_config *config) {
  pair_task *t = task->self;
  task->batch = trm_config_int(config, "batch.size");
  const int64_t most = task->batch < TRM_PASS_MAX_BLOCKS ? task->batch : TRM_PASS_MAX_BLOCKS;
  TRM_TRY(trm_task_resolve_blocks(task, config, BLOCKS, most));
  t->batching = (trm_pair_batching){.data = t->data, .drop_edge = trm_drop_edge(config)};
  t->options = (trm_graph_loader_options){.way = trm_batching_by_pairs(&t->batching),
                                          .seed = t->seed,
                                          .batch = task->batch,
                                          .n_blocks = task->n_blocks,
                                          .depth = 2,
                                          .n_threads = 1};
  task->epoch_samples = trm_graph_epoch_samples(t->options.way);
  task->units_a_step = task->batch;
  TRM_TRY(trm_task_check_batch(task));
  (void)snprintf(task->summary, sizeof task->summary,
                 "%" PRId64 " user%s, %" PRId64 " item%s, %" PRId64 " of %" PRId64
                 " interaction%s a step",
                 t->data->n_users, trm_plural(t->data->n_users), t->data->n_items,
                 trm_plural(t->data->n_items), task->batch, task->epoch_samples,
                 trm_plural(task->epoch_samples));
  return TRM_OK;
}

static trm_status resolve(trm_task *task, trm_config *config) {
  pair_task *t = task->self;
  const bool metis = trm_graph_store_metis(config);
  const trm_status status = resolve_sizes(task, config);
  TRM_TRY(trm_graph_store_partition(task->comm, &t->store, metis,
                                    task->n_blocks * (metis ? LOCAL : 1), (trm_ids){0}, status,
                                    &t->partition));
  if (metis) trm_partition_join(t->partition, LOCAL);
  t->batching.partition = t->partition;
  return TRM_OK;
}

/* ---- passes ---------------------------------------------------------------------------------- */

static trm_status plan_steps(pair_task *t, trm_learner *learner) {
  trm_graph_bounds *bounds = NULL;
  int64_t n_local = trm_whole_field(t->whole)->n_local;
  t->batching.field = trm_whole_field(t->whole);
  t->batching.rows = trm_collector_exchange(&t->collector);
  t->batching.sources = trm_whole_sources(t->whole); /* own nodes may need any of them */
  t->options.first_block = trm_whole_field(t->whole)->first_block;
  t->options.n_local = n_local;
  TRM_TRY(TRM_ALLOC(&t->hashes, n_local, "hashes of samples"));
  TRM_TRY(TRM_ALLOC(&bounds, 1, "sizes of batches"));
  t->options.end_step = 1;
  trm_status status = trm_graph_loader_bounds(&t->options, bounds);
  if (status == TRM_OK) {
    trm_pass pass = {.bounds = true};
    const trm_graph_batch graph = trm_whole_batch_of_pairs(t->whole, &bounds->batch);
    trm_whole_pass(t->whole, &pass);
    status = trm_learner_plan(learner, TRM_PLAN_BACKWARD, pass, &(trm_batch){.graph = &graph});
  }
  TRM_FREE(bounds);
  return status;
}

static trm_status plan_outputs(pair_task *t, trm_learner *learner) {
  trm_pass pass = {0};
  const trm_graph_batch graph = trm_whole_batch(t->whole);
  trm_whole_pass(t->whole, &pass);
  return trm_learner_plan(learner, TRM_PLAN_OUTPUTS, pass, &(trm_batch){.graph = &graph});
}

static trm_status plan(trm_task *task, trm_learner *learner, bool training) {
  pair_task *t = task->self;
  int n_hops;
  TRM_TRY(trm_graph_hops(learner->model, &n_hops));
  TRM_TRY(trm_whole_create(task->comm, &t->store, t->partition, n_hops, NULL, training, &t->whole));
  trm_status status = plan_outputs(t, learner);
  if (status == TRM_OK && training) status = plan_steps(t, learner);
  TRM_TRY(trm_comm_agree(task->comm, status));
  return trm_whole_reserve(t->whole);
}

static trm_status start(trm_task *task, trm_learner *learner, trm_gradsync *sync,
                        int64_t first_step, int64_t end_step) {
  pair_task *t = task->self;
  t->learner = learner;
  t->sync = sync;
  t->options.first_step = first_step;
  t->options.end_step = end_step;
  trm_graph_loader_destroy(&t->loader);
  return trm_graph_loader_create(&t->options, &t->loader);
}

static trm_status run(trm_task *task, int64_t step) {
  pair_task *t = task->self;
  trm_graph_step data;
  trm_pass pass = {.training = true, .seed = t->seed, .step = step};
  trm_watch_phase(task->comm, "forward and backward", step);
  trm_status status = trm_graph_loader_next(t->loader, &data);
  if (status == TRM_OK && t->batching.drop_edge > 0) {
    status = trm_whole_drop_edges(t->whole, t->batching.drop_edge, t->seed, step);
  }
  TRM_TRY(trm_comm_agree(task->comm, status)); /* ranks wait for each other in the pass */
  TRM_ASSERT(data.step == step);
  for (int64_t k = 0; k < data.n_local; ++k) {
    t->hashes[k] = trm_samples_hash(data.blocks[k].samples, data.blocks[k].n_samples);
  }
  trm_collector_tell(&t->collector, data.batch.collection->n_own);
  const trm_graph_batch graph = trm_whole_batch_of_pairs(t->whole, &data.batch);
  trm_whole_pass(t->whole, &pass);
  trm_gradsync_all_begin(t->sync, &pass);
  trm_tape_begin(t->learner->tape, &pass);
  trm_var *loss =
      trm_model_loss(t->learner->model, t->learner->tape, &(trm_batch){.graph = &graph});
  trm_gradsync_all_backward(t->sync, t->learner->tape, loss, t->hashes);
  return trm_tape_status(t->learner->tape);
}

static trm_status samples(trm_task *task, int64_t step, int64_t *ids, int64_t *offsets) {
  const pair_task *t = task->self;
  return trm_graph_samples(&t->options, step, ids, offsets);
}

/* ---- evaluation ------------------------------------------------------------------------------ */

/* Rows of all nodes. */
static trm_status gather_vectors(trm_task *task, pair_task *t, const trm_var *own) {
  const int64_t C = t->voice.width = own->dims[1], n = t->data->graph.n_nodes;
  trm_status status = TRM_OK;
  if (!t->voice.rows) status = TRM_ALLOC(&t->voice.rows, n * C, "vectors of nodes");
  TRM_TRY(trm_comm_agree(task->comm, status));
  return trm_whole_gather(t->whole, own->data, C, t->voice.rows);
}

static trm_status make_ranker(trm_task *task, pair_task *t, trm_learner *learner, int64_t K,
                              trm_ranker *ranker) {
  trm_pass pass = {.training = false};
  trm_whole_all_edges(t->whole);
  const trm_graph_batch graph = trm_whole_batch(t->whole);
  trm_whole_pass(t->whole, &pass);
  trm_tape_begin(learner->tape, &pass);
  const trm_var *own =
      trm_model_outputs(learner->model, learner->tape, &(trm_batch){.graph = &graph});
  TRM_TRY(trm_comm_agree(task->comm, trm_tape_status(learner->tape)));
  TRM_TRY(gather_vectors(task, t, own));
  *ranker =
      (trm_ranker){.data = t->data, .voices = &t->voice, .n_voices = 1, .K = K, .seed = t->seed};
  return TRM_OK;
}

/* Makes a model's ranker that of all members of the ensemble, once the last one has spoken. */
static trm_status join_voices(const trm_task *task, trm_ranker *ranker, bool *full) {
  const pair_task *t = task->self;
  const trm_answers *answers;
  const trm_question question = {.data = t->data->graph.path,
                                 .digest = task->digest,
                                 .n_facts = 1,
                                 .facts = {{"eval.top_k", ranker->K}}};
  TRM_TRY(
      trm_ensemble_add_voice(task, 0, &question, ranker->voices, t->data->graph.n_nodes, &answers));
  *full = answers != NULL;
  if (!*full) return TRM_OK;
  ranker->voices = answers->voices;
  ranker->n_voices = answers->n;
  return TRM_OK;
}

static trm_status evaluate(trm_task *task, trm_learner *learner, trm_task_stop stop, void *context,
                           trm_evaluation *result, bool *stopped) {
  trm_ranker ranker;
  bool full = false;
  TRM_TRY(
      make_ranker(task, task->self, learner, trm_config_int(task->config, "eval.top_k"), &ranker));
  TRM_TRY(trm_rank_scores_add(task, &ranker, stop, context, result, stopped));
  if (task->ensemble) TRM_TRY(join_voices(task, &ranker, &full));
  if (!full) return TRM_OK;
  return trm_rank_scores_add(task, &ranker, stop, context, &task->ensemble->whole, stopped);
}

static trm_status predict(trm_task *task, trm_learner *learner, const trm_predict_options *options,
                          int64_t *n_rows) {
  trm_ranker ranker;
  bool full = true;
  *n_rows = 0;
  TRM_TRY(make_ranker(task, task->self, learner, options->top_k, &ranker));
  if (task->ensemble) TRM_TRY(join_voices(task, &ranker, &full));
  if (!full) return TRM_OK;
  return trm_rank_predictions_write(task->comm, &ranker, options->output, n_rows);
}

const trm_task_kind trm_task_pairs = {
    TRM_TASK_PART("interactions", &key_rows, &trm_graph_store_keys, &trm_graph_partition_keys),
    .select = "recall",
    .subset = "test",
    .unit = "interaction",
    .open = open_pairs,
    .close = close_pairs,
    .resolve = resolve,
    .plan = plan,
    .start = start,
    .run = run,
    .samples = samples,
    .evaluate = evaluate,
    .predict = predict};
