#include "graph_batches.h"

#include <inttypes.h>

#include "adversary.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/math/threads.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT(
        "sampler.threads", "0", 0, 64, "", TRM_NO_EFFECT,
        "Threads of a rank that cut batches out ahead; 0: one for every four that compute."),
};
const trm_config_rows trm_batch_keys = TRM_CONFIG_ROWS(keys);

double trm_drop_edge(const trm_config *config) {
  return trm_config_used(config, "model.drop_edge") ? trm_config_real(config, "model.drop_edge")
                                                    : 0;
}

/* Features of others are fetched into one buffer while the block before computes from the other. */
enum { N_BUFFERS = 2 };

struct trm_graph_batches {
  trm_task *task;         /* kept */
  const trm_graph *graph; /* kept */
  trm_graph_loader_options options;
  trm_learner *learner;     /* kept */
  trm_adversary *adversary; /* NULL: blocks are plain */
  trm_gradsync *sync;       /* borrowed from start on */
  trm_graph_loader *loader;
  uint64_t seed;

  trm_fetch *fetch; /* NULL: features are in memory */
  int32_t *owner;   /* [n_nodes]; owned */
  int64_t *place;   /* [n_nodes]; owned */
  float *buffers[N_BUFFERS];
  int64_t n_rounds; /* fetches of a step: blocks of the rank that has most */
};

/* ---- memory ---------------------------------------------------------------------------------- */

/* Sets of graphs have no key for it. */
static bool attacked(const trm_graph_batches *b) {
  const trm_config *config = b->task->config;
  return trm_config_used(config, "adversarial.method") && trm_adversary_wanted(config);
}

static trm_status plan(trm_graph_batches *b, int64_t *max_inputs) {
  trm_graph_bounds *bounds = NULL;
  TRM_TRY(TRM_ALLOC(&bounds, 1, "sizes of blocks"));
  trm_graph_loader_options all = b->options; /* sizes do not depend on whose blocks they are */
  all.n_local = all.n_blocks;
  all.end_step = all.depth = all.n_threads = 1;
  trm_status status = trm_graph_loader_bounds(&all, bounds);
  if (status == TRM_OK) {
    const trm_batch batch = {.graph = &bounds->block.batch};
    *max_inputs = bounds->block.batch.features.n_rows;
    const trm_pass pass = {.bounds = true, .weights_use = trm_task_weights_use(b->task, true)};
    if (attacked(b)) {
      status = trm_adversary_create(b->task->comm, b->task->config, &b->task->dims, b->learner,
                                    pass, &batch, *max_inputs, &b->adversary);
    } else {
      status = trm_learner_plan(b->learner, TRM_PLAN_BACKWARD, pass, &batch);
    }
  }
  TRM_FREE(bounds);
  return status;
}

/* Which rank has each node's features, and where. */
static trm_status find_owners(trm_graph_batches *b, const trm_partition *partition) {
  const int size = trm_comm_size(b->task->comm);
  TRM_TRY(TRM_ALLOC(&b->owner, b->graph->n_nodes, "owners of nodes"));
  TRM_TRY(TRM_ALLOC(&b->place, b->graph->n_nodes, "places of nodes"));
  for (int r = 0; r < size; ++r) {
    int64_t block, n;
    trm_block_range(b->options.n_blocks, r, size, &block, &n);
    const int64_t first = partition->offsets[block];
    for (int64_t i = first; i < partition->offsets[block + n]; ++i) {
      b->owner[partition->order[i]] = r;
      b->place[partition->order[i]] = i - first;
    }
  }
  return TRM_OK;
}

static trm_status make_buffers(trm_graph_batches *b, const trm_own_features *own,
                               int64_t max_rows) {
  TRM_TRY(find_owners(b, own->partition));
  for (int i = 0; i < N_BUFFERS; ++i) {
    TRM_TRY(TRM_ALLOC(&b->buffers[i], max_rows * b->graph->n_features, "fetched features"));
  }
  return TRM_OK;
}

/* Collective. */
static trm_status make_fetch(trm_graph_batches *b, const trm_own_features *own, int64_t max_rows) {
  TRM_TRY(trm_comm_agree(b->task->comm, make_buffers(b, own, max_rows)));
  const int size = trm_comm_size(b->task->comm);
  const trm_fetch_options options = {.row_bytes = b->graph->n_features * (int64_t)sizeof(float),
                                     .owner = b->owner,
                                     .place = b->place,
                                     .n_nodes = b->graph->n_nodes,
                                     .own_rows = own->rows,
                                     .cache_bytes = own->cache_bytes,
                                     .max_rows = max_rows};
  b->n_rounds = trm_ceil_div(b->options.n_blocks, size);
  return trm_fetch_create(b->task->comm, &options, &b->fetch);
}

trm_status trm_graph_batches_create(trm_task *task, const trm_graph *graph,
                                    const trm_graph_loader_options *options,
                                    const trm_own_features *own, trm_learner *learner,
                                    trm_graph_batches **out) {
  trm_graph_batches *b = NULL;
  int64_t max_inputs = 0;
  trm_status status = TRM_ALLOC(&b, 1, "batches of a graph");
  if (status == TRM_OK) {
    b->task = task;
    b->graph = graph;
    b->options = *options;
    b->learner = learner;
    b->seed = options->seed;
    status = plan(b, &max_inputs);
  }
  TRM_TRY_OUT(trm_comm_agree(task->comm, status));
  if (own) TRM_TRY_OUT(make_fetch(b, own, max_inputs));
  *out = b;
  return TRM_OK;
out:
  trm_graph_batches_destroy(&b);
  return status;
}

void trm_graph_batches_destroy(trm_graph_batches **batches) {
  trm_graph_batches *b = *batches;
  if (!b) return;
  trm_graph_loader_destroy(&b->loader);
  trm_adversary_destroy(&b->adversary);
  trm_fetch_destroy(&b->fetch);
  TRM_FREE(b->owner);
  TRM_FREE(b->place);
  for (int i = 0; i < N_BUFFERS; ++i) TRM_FREE(b->buffers[i]);
  TRM_FREE(*batches);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void poll_fetch(void *context) {
  /* What fails here fails again in finish, where it can be told. */
  (void)trm_fetch_poll(context);
}

/* Cutting a batch out takes a tenth to a third of the time it takes to compute one (Debian packages and
 * Coauthor CS, fan-outs 10, 10): a thread for every four of the rank keeps ahead. */
static int loader_threads(const trm_config *config) {
  const int64_t wanted = trm_config_int(config, "sampler.threads");
  return wanted > 0 ? (int)wanted : (int)trm_ceil_div(trm_threads_get(), 4);
}

trm_status trm_graph_batches_start(trm_graph_batches *b, trm_gradsync *sync, int64_t first_step,
                                   int64_t end_step) {
  b->sync = sync;
  trm_gradsync_blocks(sync, &b->options.first_block, &b->options.n_local);
  b->options.first_step = first_step;
  b->options.end_step = end_step;
  b->options.n_threads = loader_threads(b->task->config);
  b->options.depth = b->options.n_threads + 1;
  if (b->fetch) trm_gradsync_on_between(sync, poll_fetch, b->fetch);
  trm_graph_loader_destroy(&b->loader);
  return trm_graph_loader_create(&b->options, &b->loader);
}

static trm_status run_block(trm_graph_batches *b, int64_t step, int64_t i,
                            const trm_graph_block *block, const float *fetched) {
  trm_graph_batch graph = block->batch;
  trm_pass pass = {.training = true,
                   .seed = b->seed,
                   .step = step,
                   .sample0 = (b->options.first_block + i) * b->options.batch};
  if (fetched) graph.features.dense = fetched;
  for (int64_t t = 0; t < block->n_targets; ++t) pass.weight += graph.targets[t] >= 0;
  trm_watch_phase(b->task->comm, "forward and backward", step); /* each block is progress */
  const trm_batch batch = {.graph = &graph};
  if (!b->adversary) {
    return trm_task_block(b->learner, b->sync, i, &pass, &batch, block->samples, block->n_samples);
  }
  const trm_attacked on = {.rows = trm_sequences_equal(graph.features.n_rows, 1),
                           .width = trm_adversary_width(b->adversary),
                           .ids32 = graph.features.ids};
  return trm_adversary_block(b->adversary, b->sync, i, &pass, &batch, &on, block->samples,
                             block->n_samples);
}

/* Every rank fetches as often in a step, for no block at the end of the shorter ones. */
static trm_status start_fetch(trm_graph_batches *b, const trm_graph_step *data, int64_t round) {
  if (round >= b->n_rounds) return TRM_OK;
  const trm_graph_block *block = round < data->n_local ? &data->blocks[round] : NULL;
  return trm_fetch_start(b->fetch, block ? block->inputs : NULL, block ? block->n_inputs : 0,
                         b->buffers[round % N_BUFFERS]);
}

static trm_status run_fetched(trm_graph_batches *b, const trm_graph_step *data, int64_t step) {
  trm_status status = TRM_OK; /* of a block: the fetches go on, others wait for them */
  TRM_TRY(start_fetch(b, data, 0));
  for (int64_t i = 0; i < b->n_rounds; ++i) {
    TRM_TRY(trm_fetch_finish(b->fetch));
    TRM_TRY(start_fetch(b, data, i + 1));
    if (i >= data->n_local || status != TRM_OK) continue;
    status = run_block(b, step, i, &data->blocks[i], b->buffers[i % N_BUFFERS]);
  }
  return status;
}

trm_status trm_graph_batches_run(trm_graph_batches *b, int64_t step) {
  trm_graph_step data = {0};
  const trm_status loaded = trm_graph_loader_next(b->loader, &data);
  if (b->fetch) {
    if (loaded != TRM_OK)
      data = (trm_graph_step){0}; /* the fetches of others still need this rank */
    const trm_status ran = run_fetched(b, &data, step);
    return loaded != TRM_OK ? loaded : ran;
  }
  TRM_TRY(loaded);
  TRM_ASSERT(data.step == step);
  for (int64_t i = 0; i < data.n_local; ++i) {
    TRM_TRY(run_block(b, step, i, &data.blocks[i], NULL));
  }
  return TRM_OK;
}

trm_status trm_graph_batches_samples(trm_graph_batches *b, int64_t step, int64_t *ids,
                                     int64_t *offsets) {
  return trm_graph_samples(&b->options, step, ids, offsets);
}

/* Enough for a few ranks; neighbours that blocks share are drawn and computed by each. */
enum { BLOCKS = 4 };

trm_status trm_graph_batches_resolve(trm_task *task, int64_t n_samples, trm_config *config) {
  task->batch = trm_config_int(config, "batch.size");
  task->epoch_samples = n_samples;
  task->units_a_step = task->batch;
  TRM_TRY(trm_task_check_batch(task));
  return trm_task_resolve_blocks(task, config, BLOCKS, task->batch);
}
