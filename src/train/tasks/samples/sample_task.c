/*
 * Samples: tokens, an image or a row of a table, and a class, a set of classes, a number or a sequence
 * of tokens for each. Batches of tokens are sequences of different lengths one behind the other; blocks
 * cost about the same. Evaluation is sample_evaluation.c.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adversary.h"
#include "class_match.h"
#include "sample_attack.h"
#include "sample_evaluation.h"
#include "sample_facts.h"
#include "sample_views.h"
#include "sample_writing.h"
#include "tasks_internal.h"
#include "training_part.h"
#include "trireme/comm/watch.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "value_facts.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("data.split", "0", 0, 1000000, "", TRM_ON_RESULT,
                "Which of the data set's splits."),
    TRM_KEY_INT("batch.size", "64", 1, 1048576, "samples", TRM_ON_RESULT,
                "Samples of a step on all ranks."),
    TRM_KEY_INT("batch.tokens", "0", 0, 1073741824, "tokens", TRM_ON_RESULT,
                "Instead of batch.size: tokens of a step, inputs and targets together, on average; "
                "0: batch.size counts."),
    TRM_KEY_INT("batch.pool", "16", 1, 1048576, "steps", TRM_ON_RESULT,
                "Samples of so many steps are sorted by length and cut into batches together; 1: "
                "batches are drawn as they come."),
    TRM_KEY_TEXT("data.augment", "", TRM_ON_RESULT,
                 "What is done to samples before each step, in order, e.g. 'crop 4, flip': see "
                 "trireme help augment; empty: nothing."),
    TRM_KEY_CHOICE("loss.class_weights", "none", "none|balanced", TRM_ON_RESULT,
                   "Weight of a sample by its class; balanced: all classes count alike. Evaluation "
                   "is never weighted."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

typedef struct sample_task {
  trm_samples *data;
  trm_sample_view view;
  trm_training_part part; /* what the split is made of; owned */
  trm_ids train;
  trm_sample_scale scale; /* owned */
  trm_augment *augment;   /* owned */
  int64_t *levels;        /* [n_levels] of columns that are handed over as levels; owned */
  int32_t *categories;    /* [n, columns] as the model knows them, to evaluate or predict; owned */
  float *class_weights;   /* [classes], NULL: none; owned */
  int32_t *labels;        /* [n], or [set_offsets[n]], of the model's classes, to predict; owned */
  int64_t *set_offsets;   /* [n + 1] of several classes a sample, likewise; owned */
  uint64_t seed;
  trm_sample_loader *loader;
  trm_sample_evaluation *evaluation;
  trm_adversary *adversary; /* NULL: blocks are plain */
  trm_learner *learner;     /* borrowed from start on */
  trm_gradsync *sync;       /* borrowed from start on */
} sample_task;

/* ---- data ------------------------------------------------------------------------------------ */

static const char *target_words(const trm_samples *data) {
  if (data->target == TRM_TARGET_TOKENS) return "sequences of tokens";
  if (data->target == TRM_TARGET_NUMBER) return "numbers";
  return data->target == TRM_TARGET_CLASS ? "classes" : "sets of classes";
}

static const char *input_words(const trm_samples *data) {
  if (data->input == TRM_INPUT_TOKENS) return "tokens";
  return data->input == TRM_INPUT_IMAGE ? "images" : "rows of a table";
}

/* That the model reads such inputs. */
static trm_status check_inputs(const trm_task *task, const sample_task *t) {
  const bool tokens = t->data->input == TRM_INPUT_TOKENS;
  if (t->view.frame.tokens == tokens) return TRM_OK;
  return trm_fail(task->use == TRM_USE_TRAIN ? TRM_ERR_CONFIG : TRM_ERR_DATA,
                  "model.kind is '%s', but the inputs of %s are %s; %s",
                  trm_config_string(task->config, "model.kind"), t->data->path,
                  input_words(t->data),
                  task->use != TRM_USE_TRAIN          ? "give data like those it was trained on"
                  : tokens                            ? "set it to encoder or seq2seq"
                  : t->data->input == TRM_INPUT_IMAGE ? "set it to mlp, cnn or resnet"
                                                      : "set it to mlp");
}

/* Samples without targets can be predicted, and no more. */
static trm_status check_unlabelled(const trm_task *task, const sample_task *t) {
  if (task->use == TRM_USE_PREDICT) return TRM_OK;
  return trm_fail(task->use == TRM_USE_TRAIN ? TRM_ERR_CONFIG : TRM_ERR_DATA,
                  "the samples of %s have no targets, so that they can only be predicted; prepare "
                  "them with labels",
                  t->data->path);
}

static trm_status check_model(const trm_task *task, const sample_task *t) {
  const char *kind = trm_config_string(task->config, "model.kind");
  const bool tokens = t->data->target == TRM_TARGET_TOKENS;
  if (t->data->target == TRM_TARGET_NONE) return check_unlabelled(task, t);
  if (t->view.frame.outputs == tokens) return TRM_OK;
  if (task->use != TRM_USE_TRAIN) {
    return trm_fail(
        TRM_ERR_DATA,
        "the targets of %s are %s, of which a model of kind '%s' says nothing; give data "
        "like those it was trained on",
        t->data->path, target_words(t->data), kind);
  }
  return trm_fail(TRM_ERR_CONFIG, "model.kind is '%s', but the targets of %s are %s; set it to %s",
                  kind, t->data->path, target_words(t->data),
                  tokens                 ? "seq2seq"
                  : t->view.frame.tokens ? "encoder"
                                         : "mlp, cnn or resnet");
}

static trm_status no_token(const sample_task *t, const char *side, const char *end) {
  return trm_fail(TRM_ERR_DATA,
                  "%s: its %s vocabulary has no token for the %s of a sequence, which this model "
                  "needs; prepare the data with a vocabulary that has one, or learn one",
                  t->data->path, side, end);
}

/* The model's frame is of tokens that the vocabularies have. */
static trm_status check_frame(const sample_task *t) {
  const trm_vocab *in = &t->data->input_vocab, *out = &t->data->target_vocab;
  const trm_frame frame = t->view.frame;
  if (frame.input_begin && in->bos < 0) return no_token(t, "input", "begin");
  if (frame.input_end && in->eos < 0) return no_token(t, "input", "end");
  if (frame.outputs && out->bos < 0) return no_token(t, "target", "begin");
  return frame.outputs && out->eos < 0 ? no_token(t, "target", "end") : TRM_OK;
}

static trm_status check_lengths(const trm_task *task, const sample_task *t) {
  if (!t->view.frame.tokens) return TRM_OK;
  const int64_t context = trm_config_int(task->config, "model.context");
  int64_t most = 0, n_over = 0;
  for (int32_t i = 0; i < t->data->n; ++i) {
    const int64_t in = trm_sample_input_rows(&t->view, i);
    const int64_t out = trm_sample_output_rows(&t->view, i), longer = in > out ? in : out;
    if (longer > most) most = longer;
    n_over += longer > context;
  }
  if (n_over == 0) return TRM_OK;
  const bool train = task->use == TRM_USE_TRAIN;
  return trm_fail(train ? TRM_ERR_CONFIG : TRM_ERR_DATA,
                  "model.context is %" PRId64 ", but %" PRId64 " of the %" PRId64
                  " samples of %s are longer, the longest has %" PRId64
                  " tokens; %sprepare the data with --longest",
                  context, n_over, t->data->n, t->data->path, most,
                  train ? "set model.context to that, or " : "");
}

static trm_status check_valid(const trm_task *task, const sample_task *t, int split) {
  trm_ids valid;
  TRM_TRY(trm_samples_split(t->data, split, TRM_SUBSET_VALID, &valid));
  if (valid.n > 0 || task->use != TRM_USE_TRAIN) return TRM_OK;
  return trm_task_without_valid(task, split);
}

/* Folds, a share or a bootstrap sample take the place of the split's lists, for all who ask for them. */
static trm_status take_part(const trm_task *task, sample_task *t, int split) {
  const bool classes = t->data->target == TRM_TARGET_CLASS;
  const trm_part_facts facts = {.labels = classes ? t->data->classes.labels : NULL,
                                .groups = t->data->groups};
  trm_ids train, valid;
  TRM_TRY(trm_samples_split(t->data, split, TRM_SUBSET_TRAIN, &train));
  TRM_TRY(trm_samples_split(t->data, split, TRM_SUBSET_VALID, &valid));
  TRM_TRY(trm_training_part_make(task->config, train, valid, &facts, &t->part));
  trm_samples_set_split(t->data, split, TRM_SUBSET_TRAIN, t->part.train);
  trm_samples_set_split(t->data, split, TRM_SUBSET_VALID, t->part.valid);
  return TRM_OK;
}

/* The split, and its samples to train on. */
static trm_status open_split(const trm_task *task, sample_task *t) {
  const int split = (int)trm_config_int(task->config, "data.split");
  if (split >= t->data->n_splits && t->data->n_splits > 0) {
    return trm_fail(TRM_ERR_CONFIG, "data.split is %d, but %s has %d, from 0 to %d", split,
                    t->data->path, t->data->n_splits, t->data->n_splits - 1);
  }
  if (t->data->n_splits > 0) TRM_TRY(take_part(task, t, split));
  TRM_TRY(trm_samples_split(t->data, split, TRM_SUBSET_TRAIN, &t->train));
  if (t->train.n > 0) return check_valid(task, t, split);
  return trm_fail(TRM_ERR_DATA, "%s: data.split %d leaves no sample for training; choose another",
                  t->data->path, split);
}

/* Of the training part alone, so that nothing is known of the others. */
static void standardise(sample_task *t) {
  double sum = 0, squares = 0;
  const double n = (double)t->train.n;
  for (int64_t i = 0; i < t->train.n; ++i) sum += (double)t->data->numbers[t->train.ids[i]];
  t->view.mean = sum / n;
  for (int64_t i = 0; i < t->train.n; ++i) {
    const double d = (double)t->data->numbers[t->train.ids[i]] - t->view.mean;
    squares += d * d;
  }
  t->view.deviation = squares > 0 ? sqrt(squares / n) : 1;
}

static trm_status weigh_classes(const trm_task *task, sample_task *t) {
  const int n_classes = t->data->classes.n;
  if (task->use != TRM_USE_TRAIN) return TRM_OK;
  if (trm_config_is(task->config, "loss.class_weights", "none")) return TRM_OK;
  if (t->data->target != TRM_TARGET_CLASS) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "loss.class_weights is 'balanced', but the targets of %s are %s, not a class each; "
        "set it to none",
        t->data->path, target_words(t->data));
  }
  int64_t *counts = NULL;
  TRM_TRY(TRM_ALLOC(&t->class_weights, n_classes, "weights of classes"));
  TRM_TRY(TRM_ALLOC(&counts, n_classes, "weights of classes"));
  for (int64_t i = 0; i < t->train.n; ++i) ++counts[t->data->classes.labels[t->train.ids[i]]];
  for (int c = 0; c < n_classes; ++c) {
    if (counts[c] == 0) continue;
    t->class_weights[c] = (float)((double)t->train.n / ((double)n_classes * (double)counts[c]));
  }
  TRM_FREE(counts);
  t->view.class_weights = t->class_weights;
  return TRM_OK;
}

static int64_t n_outputs(const trm_samples *data) {
  if (data->target == TRM_TARGET_NUMBER) return 1;
  return data->target == TRM_TARGET_TOKENS ? data->target_vocab.n : data->classes.n;
}

/* Sizes of images or rows, once the scale is known. */
static trm_status set_value_dims(const sample_task *t, int64_t **levels, trm_model_dims *dims) {
  const trm_samples *data = t->data;
  const trm_table *table = &data->table;
  if (data->input == TRM_INPUT_IMAGE) {
    const int64_t size[3] = {data->images.height, data->images.width, data->images.channels};
    dims->n_value_dims = 3;
    memcpy(dims->value_dims, size, sizeof size);
  } else if (data->input == TRM_INPUT_ROW) {
    dims->n_value_dims = 1;
    dims->value_dims[0] = trm_sample_row_values(data, &t->scale, t->view.frame);
  }
  if (data->input != TRM_INPUT_ROW || !t->view.frame.levels) return TRM_OK;
  TRM_FREE(*levels);
  TRM_TRY(TRM_ALLOC(levels, table->n_categories, "levels of categories"));
  for (int64_t c = 0; c < table->n_categories; ++c) {
    (*levels)[c] = table->levels[c + 1] - table->levels[c] + 1;
  }
  dims->n_levels = table->n_categories;
  dims->levels = *levels;
  return TRM_OK;
}

static trm_status set_dims(trm_task *task, sample_task *t) {
  const trm_samples *data = t->data;
  task->dims = (trm_model_dims){.n_inputs = data->input_vocab.n,
                                .n_outputs = n_outputs(data),
                                .shared = data->shared_vocab,
                                .numbers = data->target == TRM_TARGET_NUMBER,
                                .class_sets = data->target == TRM_TARGET_CLASSES};
  return set_value_dims(t, &t->levels, &task->dims);
}

/* That keys which are set mean something to such inputs and targets. */
static trm_status check_keys(const trm_task *task, const sample_task *t) {
  const trm_config *config = task->config;
  const trm_sample_target target = t->data->target;
  const bool share = target == TRM_TARGET_CLASS || target == TRM_TARGET_TOKENS;
  const int64_t tokens = trm_config_int(config, "batch.tokens");
  const double smoothing = trm_config_real(config, "loss.label_smoothing");
  if (tokens > 0 && !t->view.frame.tokens) {
    return trm_fail(TRM_ERR_CONFIG,
                    "batch.tokens is %" PRId64
                    ", but the inputs of %s are %s, which have none; set "
                    "it to 0, and batch.size to the samples of a step",
                    tokens, t->data->path, input_words(t->data));
  }
  if (smoothing > 0 && !share) {
    return trm_fail(TRM_ERR_CONFIG,
                    "loss.label_smoothing is %g, but the targets of %s are %s, of which nothing is "
                    "smoothed; set it to 0",
                    smoothing, t->data->path, target_words(t->data));
  }
  if (target == TRM_TARGET_NUMBER || t->view.frame.outputs) return TRM_OK;
  if (trm_config_is(config, "loss.numbers", "squared")) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "loss.numbers is '%s', but the targets of %s are %s; leave it out",
                  trm_config_string(config, "loss.numbers"), t->data->path, target_words(t->data));
}

/* What the training part says: the scale of inputs and numbers, weights of classes. */
static trm_status fit(const trm_task *task, sample_task *t) {
  TRM_TRY(open_split(task, t));
  if (t->data->target == TRM_TARGET_NUMBER) standardise(t);
  if (!t->view.frame.tokens) TRM_TRY(trm_sample_scale_fit(t->data, t->train, &t->scale));
  return weigh_classes(task, t);
}

/* data.augment, for the inputs that there are. */
static trm_status open_augment(const trm_task *task, sample_task *t) {
  const char *text = trm_config_string(task->config, "data.augment");
  TRM_TRY(
      trm_augment_create("data.augment", text, trm_sample_augments(t->data), t->seed, &t->augment));
  t->view.augment = t->augment;
  return trm_sample_augment_check("data.augment", text, t->augment, t->data);
}

static trm_status declare_scores(trm_task *task, const sample_task *t) {
  trm_sample_scores_declare(task, t->data);
  return trm_task_select(task);
}

static trm_status open_data(trm_task *task, sample_task *t) {
  TRM_TRY(trm_samples_open(trm_config_string(task->config, "data.path"), &t->data));
  t->view =
      (trm_sample_view){.data = t->data, .frame = trm_model_frame(task->config), .deviation = 1};
  t->view.scale = &t->scale;
  TRM_TRY(check_inputs(task, t));
  TRM_TRY(check_model(task, t));
  TRM_TRY(check_frame(t));
  TRM_TRY(check_lengths(task, t));
  if (task->use != TRM_USE_PREDICT) TRM_TRY(fit(task, t));
  if (task->use == TRM_USE_TRAIN) TRM_TRY(check_keys(task, t));
  if (task->use == TRM_USE_TRAIN) TRM_TRY(open_augment(task, t));
  if (task->use == TRM_USE_TRAIN) TRM_TRY(set_dims(task, t));
  task->digest = t->data->digest;
  if (t->data->target == TRM_TARGET_TOKENS) task->unit = "token";
  if (t->data->target == TRM_TARGET_CLASSES) task->unit = "label"; /* each class of each sample */
  /* What is evaluated or predicted has the classes of a model, which is not known yet. */
  return task->use == TRM_USE_TRAIN ? declare_scores(task, t) : TRM_OK;
}

static trm_status open_samples(trm_task *task) {
  sample_task *t = NULL;
  TRM_TRY(TRM_ALLOC(&t, 1, "task"));
  task->self = t;
  t->seed = (uint64_t)trm_config_int(task->config, "run.seed");
  return open_data(task, t);
}

static void close_samples(trm_task *task) {
  sample_task *t = task->self;
  if (!t) return;
  trm_sample_evaluation_destroy(&t->evaluation);
  trm_adversary_destroy(&t->adversary);
  trm_sample_loader_destroy(&t->loader);
  trm_samples_close(&t->data);
  trm_training_part_free(&t->part);
  trm_sample_scale_free(&t->scale);
  trm_augment_destroy(&t->augment);
  TRM_FREE(t->levels);
  TRM_FREE(t->categories);
  TRM_FREE(t->class_weights);
  TRM_FREE(t->labels);
  TRM_FREE(t->set_offsets);
  TRM_FREE(task->self);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static trm_sample_order_options order_options(const trm_task *task, const sample_task *t) {
  const int64_t tokens = trm_config_int(task->config, "batch.tokens");
  return (trm_sample_order_options){.view = t->view,
                                    .train = t->train,
                                    .seed = t->seed,
                                    .batch =
                                        tokens > 0 ? 0 : trm_config_int(task->config, "batch.size"),
                                    .batch_tokens = tokens,
                                    .n_blocks = task->n_blocks > 0 ? task->n_blocks : 1,
                                    .pool = trm_config_int(task->config, "batch.pool")};
}

/* A block has about 256 tokens, or 16 images, or 64 rows of a table; a batch no fewer than 8 blocks. */
static int64_t default_blocks(const trm_task *task, const sample_task *t) {
  const int64_t samples = t->train.n / task->epoch_steps;
  if (t->view.frame.tokens) return trm_max_i64(8, task->units_a_step / 256);
  return trm_max_i64(8, samples / (t->data->input == TRM_INPUT_IMAGE ? 16 : 64));
}

static int64_t epoch_tokens(const sample_task *t) {
  int64_t n = 0;
  for (int64_t i = 0; i < t->train.n; ++i) {
    n += trm_sample_input_rows(&t->view, t->train.ids[i]) +
         trm_sample_output_rows(&t->view, t->train.ids[i]);
  }
  return n;
}

static trm_status resolve(trm_task *task, trm_config *config) {
  sample_task *t = task->self;
  if (task->use != TRM_USE_TRAIN) return TRM_OK;
  const bool by_size = trm_config_int(config, "batch.tokens") == 0;
  task->epoch_samples = t->train.n;
  task->batch = by_size ? trm_config_int(config, "batch.size") : 1;
  TRM_TRY(trm_task_check_batch(task));
  trm_sample_order *order = NULL;
  trm_sample_order_options options = order_options(task, t);
  TRM_TRY(trm_sample_order_create(&options, &order));
  task->epoch_steps = trm_sample_order_epoch_steps(order);
  task->batch = trm_sample_order_most(order);
  trm_sample_order_destroy(&order);
  task->units_a_step = epoch_tokens(t) / task->epoch_steps;
  TRM_TRY(trm_task_resolve_blocks(task, config, default_blocks(task, t), task->batch));
  const int64_t samples = t->train.n / task->epoch_steps;
  if (t->view.frame.tokens) {
    (void)snprintf(task->summary, sizeof task->summary,
                   "%" PRId64 " sample%s, %" PRId64 " and %" PRId64 " token%s a step", t->train.n,
                   trm_plural(t->train.n), samples, task->units_a_step,
                   trm_plural(task->units_a_step));
  } else {
    (void)snprintf(task->summary, sizeof task->summary, "%" PRId64 " %s, %" PRId64 " a step",
                   t->train.n, input_words(t->data), samples);
  }
  return TRM_OK;
}

/* Whether samples have two classes. */
static bool mixes(const sample_task *t) {
  return t->data->target == TRM_TARGET_CLASS && t->data->input != TRM_INPUT_TOKENS && t->augment &&
         trm_augment_mixes(t->augment);
}

static trm_status plan(trm_task *task, trm_learner *learner, bool training) {
  sample_task *t = task->self;
  TRM_TRY(trm_sample_evaluation_create(task, &t->view, learner, &t->evaluation));
  if (!training) return TRM_OK;
  trm_sample_batch bounds;
  const trm_sample_order_options options = order_options(task, t);
  TRM_TRY(trm_sample_order_bounds(&options, &bounds));
  const int32_t some = 0; /* not read: that there are mixed targets */
  if (mixes(t)) bounds.mixed_targets = &some;
  const trm_pass pass = {.weights_use = trm_task_weights_use(task, training), .bounds = true};
  const trm_batch batch = {.samples = &bounds};
  if (trm_adversary_wanted(task->config)) {
    const int64_t n_rows = trm_attacked_samples(&bounds, 0, 0).rows.n_rows;
    return trm_adversary_create(task->comm, task->config, &task->dims, learner, pass, &batch,
                                n_rows, &t->adversary);
  }
  return trm_learner_plan(learner, TRM_PLAN_BACKWARD, pass, &batch);
}

static trm_status start(trm_task *task, trm_learner *learner, trm_gradsync *sync,
                        int64_t first_step, int64_t end_step) {
  sample_task *t = task->self;
  t->learner = learner;
  t->sync = sync;
  trm_sample_loader_options options = {
      .order = order_options(task, t), .first_step = first_step, .end_step = end_step, .depth = 4};
  trm_gradsync_blocks(sync, &options.first_block, &options.n_local);
  trm_sample_loader_destroy(&t->loader);
  return trm_sample_loader_create(&options, &t->loader);
}

/* What the loss of a block counts: statistics of blocks are averaged by it. */
static double block_weight(const sample_task *t, const trm_sample_batch *b) {
  double sum = 0;
  if (t->data->target == TRM_TARGET_CLASSES) return (double)(b->n * t->data->classes.n);
  if (!b->class_weights) return (double)b->n;
  for (int64_t i = 0; i < b->n; ++i) {
    const double own = b->mixed_targets ? (double)b->mix[i] : 1;
    sum += own * (double)b->class_weights[b->targets[i]];
    if (own < 1) sum += (1 - own) * (double)b->class_weights[b->mixed_targets[i]];
  }
  return sum;
}

static trm_status run_block(const sample_task *t, int64_t step, int64_t i,
                            const trm_sample_block *b) {
  const trm_batch batch = {.samples = &b->batch};
  const trm_pass pass = {.training = true,
                         .seed = t->seed,
                         .step = step,
                         .sample0 = b->sample0,
                         .weight = block_weight(t, &b->batch)};
  if (!t->adversary) {
    return trm_task_block(t->learner, t->sync, i, &pass, &batch, b->samples, b->batch.n);
  }
  const trm_attacked on =
      trm_attacked_samples(&b->batch, trm_adversary_width(t->adversary), b->sample0);
  return trm_adversary_block(t->adversary, t->sync, i, &pass, &batch, &on, b->samples, b->batch.n);
}

static trm_status run(trm_task *task, int64_t step) {
  const sample_task *t = task->self;
  const trm_sample_block *blocks;
  int64_t loaded, first_block, n_local;
  TRM_TRY(trm_sample_loader_next(t->loader, &loaded, &blocks));
  TRM_ASSERT(loaded == step);
  trm_gradsync_blocks(t->sync, &first_block, &n_local);
  for (int64_t i = 0; i < n_local; ++i) {
    trm_watch_phase(task->comm, "forward and backward", step); /* each block is progress */
    TRM_TRY(run_block(t, step, i, &blocks[i]));
  }
  return TRM_OK;
}

static trm_status samples(trm_task *task, int64_t step, int64_t *ids, int64_t *offsets) {
  const sample_task *t = task->self;
  trm_sample_order *order = NULL;
  const trm_sample_order_options options = order_options(task, t);
  TRM_TRY(trm_sample_order_create(&options, &order));
  const trm_sample_step s = trm_sample_order_step(order, step);
  memcpy(offsets, s.offsets, (size_t)(task->n_blocks + 1) * sizeof *offsets);
  memcpy(ids, s.ids, (size_t)offsets[task->n_blocks] * sizeof *ids);
  trm_sample_order_destroy(&order);
  return TRM_OK;
}

static trm_status evaluate(trm_task *task, trm_learner *learner, trm_task_stop stop, void *context,
                           trm_evaluation *result, bool *stopped) {
  const sample_task *t = task->self;
  (void)learner;
  return trm_sample_evaluation_run(t->evaluation, stop, context, result, stopped);
}

static trm_status attack(trm_task *task, trm_learner *learner, const trm_attack_options *options,
                         trm_robustness *result) {
  const sample_task *t = task->self;
  return trm_sample_attack(task, &t->view, learner, options, result);
}

static trm_status predict(trm_task *task, trm_learner *learner, const trm_predict_options *options,
                          int64_t *n_rows) {
  const sample_task *t = task->self;
  (void)learner;
  if (t->data->target == TRM_TARGET_TOKENS) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "%s: the model writes sequences, of which predict says nothing; trireme translate "
        "writes them",
        options->run);
  }
  return trm_sample_evaluation_predict(t->evaluation, options, n_rows);
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static trm_status put_facts(const trm_task *task, trm_facts *facts) {
  const sample_task *t = task->self;
  TRM_TRY(trm_sample_facts_put(facts, &t->view));
  return trm_value_facts_put(facts, &t->view);
}

/* Labels as the model numbers classes: places[classes of the data]. */
static trm_status take_labels(sample_task *t, const int32_t *places) {
  if (!t->data->classes.labels) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&t->labels, t->data->n, "labels"));
  for (int64_t i = 0; i < t->data->n; ++i) t->labels[i] = places[t->data->classes.labels[i]];
  return TRM_OK;
}

/* The same of several classes a sample; those that the model does not know are left out. */
static trm_status take_sets(sample_task *t, const int32_t *places) {
  trm_ragged *sets = &t->data->class_sets;
  int64_t n = 0;
  if (!sets->offsets) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&t->labels, sets->offsets[t->data->n], "labels"));
  TRM_TRY(TRM_ALLOC(&t->set_offsets, t->data->n + 1, "labels"));
  for (int64_t i = 0; i < t->data->n; ++i) {
    for (int64_t k = sets->offsets[i]; k < sets->offsets[i + 1]; ++k) {
      const int32_t place = places[sets->values[k]];
      if (place >= 0) t->labels[n++] = place;
    }
    t->set_offsets[i + 1] = n;
  }
  *sets = (trm_ragged){.offsets = t->set_offsets, .values = t->labels};
  return TRM_OK;
}

/* Scores and predictions are of the model's classes, whichever the data have. Borrows the facts. */
static trm_status take_classes(const trm_task *task, sample_task *t, const trm_facts *facts,
                               const char *path) {
  const bool sets = t->data->target == TRM_TARGET_CLASSES;
  const trm_ragged *of_sets = &t->data->class_sets;
  trm_classes *classes = &t->data->classes;
  trm_class_match match = {.path = path,
                           .data = t->data->path,
                           .classes = classes,
                           .labels = classes->labels,
                           .n_labels = t->data->n,
                           .n_known = trm_facts_outputs(facts)};
  int32_t *places = NULL;
  if (of_sets->offsets) {
    match.labels = of_sets->values;
    match.n_labels = of_sets->offsets[t->data->n];
  }
  TRM_TRY(trm_class_names_get(facts, path, &match.known));
  TRM_TRY(TRM_ALLOC(&places, classes->n, "classes"));
  trm_status status = trm_class_match_find(task, &match, places);
  if (status == TRM_OK) status = sets ? take_sets(t, places) : take_labels(t, places);
  TRM_FREE(places);
  *classes = (trm_classes){
      .n = (int)match.n_known, .labels = sets ? NULL : t->labels, .names = match.known};
  return status;
}

/* Samples without targets have such as the model gives, all of them unknown. */
static trm_status take_target(sample_task *t, const trm_facts *facts, const char *path) {
  trm_sample_facts known;
  TRM_TRY(trm_sample_facts_get(facts, path, &known));
  t->data->target = known.target;
  return TRM_OK;
}

static trm_status check_facts(trm_task *task, const trm_facts *facts, const char *path) {
  sample_task *t = task->self;
  TRM_TRY(trm_sample_facts_check(facts, path, task->use, &t->view));
  TRM_TRY(trm_value_facts_check(facts, path, t->data));
  if (task->use != TRM_USE_TRAIN) {
    trm_sample_scale_free(&t->scale);
    TRM_TRY(trm_value_facts_take(facts, path, t->data, &t->scale, &t->categories));
  }
  if (t->data->target == TRM_TARGET_NONE) TRM_TRY(take_target(t, facts, path));
  const bool classes = t->data->target == TRM_TARGET_CLASS || t->data->target == TRM_TARGET_CLASSES;
  if (task->use == TRM_USE_TRAIN) return TRM_OK;
  if (classes) TRM_TRY(take_classes(task, t, facts, path));
  TRM_TRY(set_dims(task, t));
  return task->use == TRM_USE_EVALUATE ? declare_scores(task, t) : TRM_OK;
}

const trm_task_kind trm_task_samples = {
    TRM_TASK_PART("samples", &rows, &trm_part_keys, &trm_bootstrap_keys,
                  &trm_sample_evaluation_keys, &trm_sample_views_keys, &trm_sample_writing_keys,
                  &trm_adversary_keys),
    .more = {TRM_ADVERSARY_PARTS},
    .select = "loss",
    .subset = "validation",
    .unit = "sample",
    .open = open_samples,
    .close = close_samples,
    .resolve = resolve,
    .plan = plan,
    .start = start,
    .run = run,
    .samples = samples,
    .evaluate = evaluate,
    .facts = put_facts,
    .check_facts = check_facts,
    .any_ranks = true,
    .attack = attack,
    .predict = predict};
