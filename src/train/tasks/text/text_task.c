/* Training on text: samples are windows of tokens, blocks are contiguous in the stream of samples. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "evaluate.h"
#include "tasks_internal.h"
#include "text_generate.h"
#include "training_part.h"
#include "trireme/comm/watch.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/input/loader.h"
#include "vocab_facts.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("batch.size", "12", 1, 1048576, "samples", TRM_ON_RESULT,
                "Sequences of a step on all ranks."),
    TRM_KEY_CHOICE("eval.select", "auto", "auto|loss", TRM_NO_EFFECT,
                   "What makes an evaluation the best; auto: loss."),
    TRM_KEY_BOOL("eval.train", "false", TRM_NO_EFFECT,
                 "Evaluations measure the training part too, as they do the validation part."),
    TRM_KEY_REAL("eval.train_share", "1", 0, 1, "", TRM_NO_EFFECT,
                 "Share of the training part that eval.train measures, always the same of it."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

/* A text is cut in its order. */
static const trm_config_key part_keys[] = {
    TRM_KEY_INT("data.folds", "0", 0, 1000000, "folds", TRM_ON_RESULT,
                "Cut training and validation part into one piece more: data.fold k validates on "
                "piece k + 1 and trains on those before; 0: as the data are."),
    TRM_KEY_INT("data.fold", "0", 0, 1000000, "", TRM_ON_RESULT, "Which of data.folds validates."),
    TRM_KEY_REAL("data.train_share", "1", 1e-9, 1, "", TRM_ON_RESULT,
                 "Share of the training part that is trained on, from its beginning."),
};
static const trm_config_rows part_rows = TRM_CONFIG_ROWS(part_keys);

typedef struct text_task {
  trm_dataset *dataset;
  trm_loader *loader;
  trm_evaluator *evaluator; /* made at the first evaluation */
  trm_learner *learner;     /* borrowed from start on */
  trm_gradsync *sync;       /* borrowed from start on */
  int64_t T;
  uint64_t seed;
} text_task;

/* Whether losses are told a character too: those of words and subwords are of each vocabulary its own. */
static bool per_character(const trm_dataset *dataset) {
  const char *unit = trm_dataset_vocabulary(dataset)->unit;
  return (strcmp(unit, "word") == 0 || strcmp(unit, "subword") == 0) &&
         trm_dataset_characters(dataset, TRM_SUBSET_VALID) > 0;
}

static trm_status open_text(trm_task *task) {
  text_task *t = NULL;
  TRM_TRY(TRM_ALLOC(&t, 1, "task"));
  task->self = t;
  t->T = trm_config_int(task->config, "model.context");
  t->seed = (uint64_t)trm_config_int(task->config, "run.seed");
  TRM_TRY(trm_training_part_check(task->config));
  TRM_TRY(trm_dataset_open(trm_config_string(task->config, "data.path"), &t->dataset));
  TRM_TRY(trm_dataset_set_parts(t->dataset, trm_config_int(task->config, "data.folds"),
                                trm_config_int(task->config, "data.fold"),
                                trm_config_real(task->config, "data.train_share")));
  task->dims = (trm_model_dims){.n_outputs = trm_dataset_vocab(t->dataset)};
  if (per_character(t->dataset)) trm_task_add_score(task, "valid", "nats_per_char");
  task->train_loss = trm_config_bool(task->config, "eval.train");
  task->digest = trm_dataset_digest(t->dataset);
  return trm_task_select(task);
}

static void close_text(trm_task *task) {
  text_task *t = task->self;
  if (!t) return;
  trm_evaluator_destroy(&t->evaluator);
  trm_loader_destroy(&t->loader);
  trm_dataset_close(&t->dataset);
  TRM_FREE(task->self);
}

/* A block has about 256 tokens, a batch no fewer than 8 blocks. */
static int64_t default_blocks(int64_t batch, int64_t T) {
  const int64_t by_tokens = batch * T / 256;
  return by_tokens > 8 ? by_tokens : 8;
}

static trm_status resolve(trm_task *task, trm_config *config) {
  const text_task *t = task->self;
  task->batch = trm_config_int(config, "batch.size");
  TRM_TRY(trm_task_resolve_blocks(task, config, default_blocks(task->batch, t->T), task->batch));
  TRM_TRY(trm_dataset_check_context(t->dataset, t->T));
  task->epoch_samples = trm_dataset_epoch_samples(t->dataset, t->T);
  task->units_a_step = task->batch * t->T;
  (void)snprintf(task->summary, sizeof task->summary,
                 "vocabulary %" PRId64 ", %" PRId64 " x %" PRId64 " = %" PRId64 " token%s a step",
                 task->dims.n_outputs, task->batch, t->T, task->units_a_step,
                 trm_plural(task->units_a_step));
  return TRM_OK;
}

static trm_status plan(trm_task *task, trm_learner *learner, bool training) {
  const text_task *t = task->self;
  const bool evaluates = trm_config_int(task->config, "eval.every") > 0 ||
                         trm_config_bool(task->config, "eval.at_end");
  if (training && evaluates && trm_dataset_eval_samples(t->dataset, TRM_SUBSET_VALID, t->T) == 0) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: the valid split has fewer than 2 tokens, nothing to evaluate; prepare it "
                    "with a larger --valid-share, or set eval.every to 0 and eval.at_end to false",
                    trm_dataset_path(t->dataset));
  }
  if (training && task->batch > task->epoch_samples) {
    return trm_fail(TRM_ERR_CONFIG,
                    "batch.size is %" PRId64 ", but an epoch of %s has %" PRId64
                    " samples of model.context (%" PRId64
                    ") tokens; set batch.size to at most that, "
                    "or shorten the context",
                    task->batch, trm_dataset_path(t->dataset), task->epoch_samples, t->T);
  }
  const trm_tokens tokens = {.N = trm_ceil_div(task->batch, task->n_blocks), .T = t->T};
  const trm_pass pass = {.weights_use = trm_task_weights_use(task, training)};
  return trm_learner_plan(learner, training ? TRM_PLAN_BACKWARD : TRM_PLAN_LOSS, pass,
                          &(trm_batch){.tokens = &tokens});
}

static trm_status start(trm_task *task, trm_learner *learner, trm_gradsync *sync,
                        int64_t first_step, int64_t end_step) {
  text_task *t = task->self;
  int64_t first_block, n_local, first, n, end, unused;
  t->learner = learner;
  t->sync = sync;
  trm_gradsync_blocks(sync, &first_block, &n_local);
  trm_share(task->batch, task->n_blocks, first_block, &first, &unused);
  trm_share(task->batch, task->n_blocks, first_block + n_local - 1, &end, &n);
  const trm_loader_options options = {.seed = t->seed,
                                      .context = t->T,
                                      .batch = task->batch,
                                      .first = first,
                                      .n = end + n - first,
                                      .first_step = first_step,
                                      .end_step = end_step,
                                      .depth = 4};
  trm_loader_destroy(&t->loader);
  return trm_loader_create(t->dataset, &options, &t->loader);
}

static trm_status run(trm_task *task, int64_t step) {
  const text_task *t = task->self;
  trm_text_batch data;
  TRM_TRY(trm_loader_next(t->loader, &data));
  TRM_ASSERT(data.step == step);
  int64_t first_block, n_local, base, unused;
  trm_gradsync_blocks(t->sync, &first_block, &n_local);
  trm_share(task->batch, task->n_blocks, first_block, &base, &unused);
  for (int64_t i = 0; i < n_local; ++i) {
    int64_t first, n;
    trm_share(task->batch, task->n_blocks, first_block + i, &first, &n);
    const trm_tokens tokens = trm_tokens_slice(&data.tokens, first - base, n);
    const trm_batch batch = {.tokens = &tokens};
    const trm_pass pass = {.training = true, .seed = t->seed, .step = step, .sample0 = first};
    trm_watch_phase(task->comm, "forward and backward", step); /* each block is progress */
    TRM_TRY(trm_task_block(t->learner, t->sync, i, &pass, &batch, data.samples + first - base, n));
  }
  return TRM_OK;
}

static trm_status samples(trm_task *task, int64_t step, int64_t *ids, int64_t *offsets) {
  const text_task *t = task->self;
  for (int64_t i = 0; i < task->batch; ++i) {
    int64_t epoch, window, token;
    trm_dataset_locate(t->dataset, t->seed, t->T, step * task->batch + i, &epoch, &window, &token);
    ids[i] = epoch * task->epoch_samples + window;
  }
  for (int64_t b = 0; b < task->n_blocks; ++b) {
    int64_t n;
    trm_share(task->batch, task->n_blocks, b, &offsets[b], &n);
  }
  offsets[task->n_blocks] = task->batch;
  return TRM_OK;
}

static trm_status evaluate(trm_task *task, trm_learner *learner, trm_task_stop stop, void *context,
                           trm_evaluation *result, bool *stopped) {
  text_task *t = task->self;
  if (!t->evaluator) {
    const int64_t group = trm_ceil_div(task->batch, task->n_blocks);
    TRM_TRY(trm_evaluator_create(task->comm, t->dataset, learner, t->T, group, &t->evaluator));
  }
  TRM_TRY(trm_evaluator_run(t->evaluator, TRM_SUBSET_VALID, 1, stop, context, &result->loss,
                            &result->count, stopped));
  if (task->train_loss && !*stopped) {
    const double share = trm_config_real(task->config, "eval.train_share");
    int64_t tokens;
    TRM_TRY(trm_evaluator_run(t->evaluator, TRM_SUBSET_TRAIN, share, stop, context,
                              &result->train_loss, &tokens, stopped));
  }
  if (task->n_scores > 0) {
    const double characters = (double)trm_dataset_characters(t->dataset, TRM_SUBSET_VALID);
    trm_task_put_score(task, result->loss * (double)result->count / characters, result);
  }
  return TRM_OK;
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static trm_status put_facts(const trm_task *task, trm_facts *facts) {
  const text_task *t = task->self;
  return trm_vocab_facts_put(facts, "", trm_dataset_vocabulary(t->dataset));
}

static trm_status check_facts(trm_task *task, const trm_facts *facts, const char *path) {
  const text_task *t = task->self;
  const trm_vocab *here = trm_dataset_vocabulary(t->dataset);
  trm_vocab vocab;
  TRM_TRY(trm_vocab_facts_get(facts, path, "", &vocab));
  if (trm_vocab_equal(&vocab, here)) return TRM_OK;
  return trm_fail(task->use == TRM_USE_TRAIN ? TRM_ERR_CONFIG : TRM_ERR_DATA,
                  "%s has another vocabulary (%" PRId64 " %ss) than %s was trained on (%" PRId64
                  " %ss), in which its tokens would mean something else; use the data set it was "
                  "trained on",
                  trm_config_string(task->config, "data.path"), here->n, here->unit, path, vocab.n,
                  vocab.unit);
}

const trm_task_kind trm_task_text = {TRM_TASK_PART("text", &rows, &part_rows),
                                     .select = "loss",
                                     .subset = "validation",
                                     .unit = "token",
                                     .open = open_text,
                                     .close = close_text,
                                     .resolve = resolve,
                                     .plan = plan,
                                     .start = start,
                                     .run = run,
                                     .samples = samples,
                                     .evaluate = evaluate,
                                     .facts = put_facts,
                                     .check_facts = check_facts,
                                     .any_ranks = true,
                                     .generate = trm_text_generate};
