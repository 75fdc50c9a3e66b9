/*
 * A pass over a subset gives each sample's outputs (classes, numbers) and the loss of each group; what
 * a group holds depends on the subset alone, so sums are the same for any number of ranks.
 */
#include "sample_evaluation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "class_scores.h"
#include "ensemble.h"
#include "number_scores.h"
#include "sample_views.h"
#include "sample_writing.h"
#include "set_scores.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

static const trm_config_key keys[] = {
    TRM_KEY_CHOICE(
        "eval.select", "auto",
        "auto|loss|accuracy|micro_f1|macro_f1|mcc|auc|rmse|mae|r2|token_accuracy|exact|bleu|chrf|"
        "per|wer",
        TRM_NO_EFFECT,
        "What makes an evaluation the best, of the scores that the data have; auto: "
        "loss."),
    TRM_KEY_BOOL("eval.test", "true", TRM_NO_EFFECT,
                 "Score the test part, where there is one, at every evaluation of a run too; "
                 "'trireme evaluate' always does."),
    TRM_KEY_BOOL("eval.train", "false", TRM_NO_EFFECT,
                 "Evaluations measure the training part too, as they do the validation part."),
    TRM_KEY_REAL("eval.train_share", "1", 0, 1, "", TRM_NO_EFFECT,
                 "Share of the training part that eval.train measures, always the same of it."),
};
const trm_config_rows trm_sample_evaluation_keys = TRM_CONFIG_ROWS(keys);

/* One subset, or all samples for a prediction. */
typedef struct part {
  trm_sample_passes *passes; /* NULL: there are no samples */
  int64_t n_groups, first_group, n_local;
  double *sums;                /* [N_SUMS n_groups + 1] of each group, then stops; owned */
  trm_sample_writing *writing; /* NULL: nothing is written */
} part;

struct trm_sample_evaluation {
  trm_task *task;       /* borrowed */
  trm_learner *learner; /* borrowed */
  trm_sample_view view;
  trm_sample_views views; /* owned */
  part parts[TRM_N_SUBSETS];
  int8_t *subsets; /* [n] bit s: the sample is in subset s and is scored; owned */
  /* Outputs of own samples of all parts, one after another. */
  int64_t n, room;
  int32_t *ids;   /* [room] owned */
  float *outputs; /* [room, n_outputs] owned; NULL: targets are tokens */
  float *mean;    /* [most of a group, n_outputs] owned; NULL: a sample has one view */
};

enum { LOSS, COUNT, RIGHT, N_SUMS };

static bool by_token(const trm_sample_evaluation *e) {
  return e->view.data->target == TRM_TARGET_TOKENS;
}

/* ---- scores ---------------------------------------------------------------------------------- */

static bool has_subset(const trm_samples *data, int split, trm_subset subset) {
  trm_ids ids;
  return trm_samples_split(data, split, subset, &ids) == TRM_OK && ids.n > 0;
}

/* Subsets that evaluations score, as bits. eval.test is about those of a run. */
static unsigned scored_subsets(const trm_task *task, const trm_samples *data) {
  const int split = (int)trm_config_int(task->config, "data.split");
  const bool test = task->use != TRM_USE_TRAIN || trm_config_bool(task->config, "eval.test");
  unsigned subsets = 1U << TRM_SUBSET_VALID;
  if (trm_config_bool(task->config, "eval.train")) subsets |= 1U << TRM_SUBSET_TRAIN;
  if (test && has_subset(data, split, TRM_SUBSET_TEST)) {
    subsets |= 1U << TRM_SUBSET_TEST;
  }
  return subsets;
}

/* Writing takes long: the training part is not written. */
static bool writes(trm_subset subset) {
  return subset != TRM_SUBSET_TRAIN;
}

void trm_sample_scores_declare(trm_task *task, const trm_samples *data) {
  const unsigned subsets = scored_subsets(task, data);
  task->train_loss = (subsets >> TRM_SUBSET_TRAIN & 1) != 0;
  switch (data->target) {
  case TRM_TARGET_CLASS:
    trm_class_scores_declare(task, task->dims.n_outputs, subsets);
    break;
  case TRM_TARGET_NUMBER:
    trm_number_scores_declare(task, subsets);
    break;
  case TRM_TARGET_CLASSES:
    trm_set_scores_declare(task, subsets);
    break;
  default:
    for (int s = 0; s < TRM_N_SUBSETS; ++s) {
      if (!(subsets >> s & 1)) continue;
      const char *subset = trm_subset_name((trm_subset)s);
      const char *const *names = trm_sample_writing_scores(task, data);
      trm_task_add_score(task, subset, "token_accuracy");
      for (int i = 0; names[i] && writes((trm_subset)s); ++i)
        trm_task_add_score(task, subset, names[i]);
    }
    break;
  }
}

/* ---- life ------------------------------------------------------------------------------------ */

static trm_status plan_pass(const trm_sample_evaluation *e, const trm_sample_passes *passes) {
  trm_sample_batch bounds;
  trm_sample_passes_bounds(passes, &bounds);
  const trm_pass pass = {.weights_use = TRM_WEIGHTS_FIRST, .bounds = true};
  const trm_batch batch = {.samples = &bounds};
  return trm_learner_plan(e->learner, TRM_PLAN_LOSS, pass, &batch);
}

static trm_status make_part(trm_sample_evaluation *e, part *p, const int32_t *samples, int64_t n) {
  trm_comm *comm = e->task->comm;
  if (n == 0) return TRM_OK;
  TRM_TRY(trm_sample_passes_create(&e->view, samples, n, &p->passes));
  p->n_groups = trm_sample_passes_n(p->passes);
  trm_block_range(p->n_groups, trm_comm_rank(comm), trm_comm_size(comm), &p->first_group,
                  &p->n_local);
  TRM_TRY(TRM_ALLOC(&p->sums, N_SUMS * p->n_groups + 1, "losses of groups"));
  return plan_pass(e, p->passes);
}

/* A share of the training part. */
static trm_status make_train(trm_sample_evaluation *e, trm_ids ids) {
  const int64_t n = trm_share_of(ids.n, trm_config_real(e->task->config, "eval.train_share"));
  int32_t *chosen = NULL;
  TRM_TRY(TRM_ALLOC(&chosen, n, "training samples of an evaluation"));
  for (int64_t i = 0; i < n; ++i) {
    chosen[i] = ids.ids[trm_share_at(i, ids.n, n)];
    e->subsets[chosen[i]] |= (int8_t)(1 << TRM_SUBSET_TRAIN);
  }
  const trm_status status = make_part(e, &e->parts[TRM_SUBSET_TRAIN], chosen, n);
  TRM_FREE(chosen);
  return status;
}

static trm_status make_subset(trm_sample_evaluation *e, trm_subset subset) {
  const int split = (int)trm_config_int(e->task->config, "data.split");
  trm_ids ids;
  TRM_TRY(trm_samples_split(e->view.data, split, subset, &ids));
  if (subset == TRM_SUBSET_TRAIN) return make_train(e, ids);
  for (int64_t i = 0; i < ids.n; ++i) e->subsets[ids.ids[i]] |= (int8_t)(1 << subset);
  part *p = &e->parts[subset];
  TRM_TRY(make_part(e, p, ids.ids, ids.n));
  if (ids.n == 0 || !trm_sample_writing_scores(e->task, e->view.data)[0]) return TRM_OK;
  return trm_sample_writing_create(e->task, &e->view, e->learner, ids, &p->writing);
}

/* All samples, whatever subset they are in. */
static trm_status make_all(trm_sample_evaluation *e) {
  int32_t *all = NULL;
  const int64_t n = e->view.data->n;
  TRM_TRY(TRM_ALLOC(&all, n, "samples"));
  for (int32_t i = 0; i < n; ++i) all[i] = i;
  const trm_status status = make_part(e, &e->parts[0], all, n);
  TRM_FREE(all);
  return status;
}

static trm_status make_parts(trm_sample_evaluation *e) {
  const trm_task *task = e->task;
  TRM_TRY(TRM_ALLOC(&e->subsets, e->view.data->n, "subsets of samples"));
  if (task->use == TRM_USE_PREDICT) return make_all(e);
  const unsigned subsets = scored_subsets(task, e->view.data);
  for (int s = 0; s < TRM_N_SUBSETS; ++s) {
    if (subsets >> s & 1) TRM_TRY(make_subset(e, (trm_subset)s));
  }
  return TRM_OK;
}

static trm_status reserve_outputs(trm_sample_evaluation *e) {
  const int64_t C = e->task->dims.n_outputs;
  trm_sample_batch most;
  int64_t group = 0;
  for (int s = 0; s < TRM_N_SUBSETS; ++s) {
    const part *p = &e->parts[s];
    if (!p->passes) continue;
    trm_sample_passes_bounds(p->passes, &most);
    e->room += p->n_local * most.n;
    group = trm_max_i64(group, most.n);
  }
  if (e->room > e->view.data->n * TRM_N_SUBSETS) e->room = e->view.data->n * TRM_N_SUBSETS;
  TRM_TRY(TRM_ALLOC(&e->ids, e->room, "outputs of samples"));
  if (by_token(e)) return TRM_OK;
  if (e->views.n > 1) TRM_TRY(TRM_ALLOC(&e->mean, group * C, "outputs of samples"));
  return TRM_ALLOC(&e->outputs, e->room * C, "outputs of samples");
}

trm_status trm_sample_evaluation_create(trm_task *task, const trm_sample_view *view,
                                        trm_learner *learner, trm_sample_evaluation **out) {
  trm_sample_evaluation *e = NULL;
  trm_status status = TRM_OK;
  *out = NULL;
  TRM_TRY(TRM_ALLOC(&e, 1, "evaluation"));
  e->task = task;
  e->learner = learner;
  e->view = *view;
  e->view.class_weights = NULL;
  TRM_TRY_OUT(trm_sample_views_open(task->config, view->data, &e->views));
  e->view.augment = e->views.augment;
  TRM_TRY_OUT(make_parts(e));
  if (task->use != TRM_USE_PREDICT) trm_sample_writing_introduce(task, view->data);
  TRM_TRY_OUT(reserve_outputs(e));
  *out = e;
  return TRM_OK;
out:
  trm_sample_evaluation_destroy(&e);
  return status;
}

void trm_sample_evaluation_destroy(trm_sample_evaluation **evaluation) {
  trm_sample_evaluation *e = *evaluation;
  if (!e) return;
  for (int s = 0; s < TRM_N_SUBSETS; ++s) {
    trm_sample_passes_destroy(&e->parts[s].passes);
    trm_sample_writing_destroy(&e->parts[s].writing);
    TRM_FREE(e->parts[s].sums);
  }
  trm_sample_views_free(&e->views);
  TRM_FREE(e->subsets);
  TRM_FREE(e->ids);
  TRM_FREE(e->outputs);
  TRM_FREE(e->mean);
  TRM_FREE(*evaluation);
}

/* ---- passes ---------------------------------------------------------------------------------- */

static void keep_outputs(trm_sample_evaluation *e, const trm_sample_batch *batch,
                         const int32_t *samples, const trm_var *outputs) {
  const int64_t C = e->task->dims.n_outputs;
  TRM_ASSERT(e->n + batch->n <= e->room);
  memcpy(e->ids + e->n, samples, (size_t)batch->n * sizeof *samples);
  memcpy(e->outputs + e->n * C, outputs->data, (size_t)(batch->n * C) * sizeof(float));
  e->n += batch->n;
}

/* Begins a pass over a group as view `v` shows it. */
static trm_status begin_group(trm_sample_evaluation *e, part *p, int64_t g, int64_t v,
                              trm_weights_use use, trm_sample_batch *samples, const int32_t **ids) {
  const trm_pass pass = {.weights_use = use};
  TRM_TRY(trm_sample_passes_draw(p->passes, g, v, samples, ids));
  trm_watch_phase(e->task->comm, "evaluation", g); /* each is progress */
  trm_tape_begin(e->learner->tape, &pass);
  return TRM_OK;
}

/* Adds outputs to e->mean, which holds those of `v` views; of the last one makes their mean. */
static void add_view(trm_sample_evaluation *e, const trm_var *y, int64_t v) {
  const int64_t n = y->dims[0] * y->dims[1];
  const float share = v + 1 == e->views.n ? 1 / (float)e->views.n : 1;
  for (int64_t i = 0; i < n; ++i) {
    e->mean[i] = ((v > 0 ? e->mean[i] : 0) + y->data[i]) * share;
  }
}

/* Outputs of a group on a pass that goes on from them: the mean of all views. */
static trm_status say_outputs(trm_sample_evaluation *e, part *p, int64_t g, trm_weights_use use,
                              trm_sample_batch *samples, const int32_t **ids, trm_var **y) {
  trm_tape *tape = e->learner->tape;
  const trm_batch batch = {.samples = samples};
  for (int64_t v = 0; v < e->views.n; ++v) {
    TRM_TRY(begin_group(e, p, g, v, v == 0 ? use : TRM_WEIGHTS_SAME, samples, ids));
    *y = trm_model_outputs(e->learner->model, tape, &batch);
    TRM_TRY(trm_tape_status(tape));
    if (e->mean) add_view(e, *y, v);
  }
  if (!e->mean) return TRM_OK;
  const trm_pass rest = {.weights_use = TRM_WEIGHTS_SAME};
  const int64_t dims[] = {(*y)->dims[0], (*y)->dims[1]};
  trm_tape_begin(tape, &rest);
  *y = trm_tape_input(tape, e->mean, 2, dims, false);
  return trm_tape_status(tape);
}

static trm_status run_group(trm_sample_evaluation *e, part *p, int64_t g, trm_weights_use use) {
  trm_tape *tape = e->learner->tape;
  trm_sample_batch samples;
  const int32_t *ids;
  const trm_batch batch = {.samples = &samples};
  if (by_token(e)) {
    TRM_TRY(begin_group(e, p, g, 0, use, &samples, &ids));
    (void)trm_model_loss(e->learner->model, tape, &batch);
  } else {
    trm_var *y = NULL;
    TRM_TRY(say_outputs(e, p, g, use, &samples, &ids, &y));
    if (e->task->use != TRM_USE_PREDICT) {
      (void)trm_model_loss_of(e->learner->model, tape, y, &batch);
    }
    if (trm_tape_status(tape) == TRM_OK) keep_outputs(e, &samples, ids, y);
  }
  TRM_TRY(trm_tape_status(tape));
  double *sums = p->sums + N_SUMS * g;
  sums[LOSS] = trm_tape_loss_sum(tape);
  sums[COUNT] = trm_tape_loss_count(tape);
  sums[RIGHT] = (double)trm_tape_right(tape);
  return TRM_OK;
}

/* Sums of all ranks; `stopped` where one was asked to. Collective. */
static trm_status run_part(trm_sample_evaluation *e, part *p, trm_task_stop stop, void *context,
                           bool *stopped) {
  const int64_t G = p->n_groups;
  trm_status status = TRM_OK; /* carried to the agreement below: nobody leaves alone */
  if (!p->passes) return TRM_OK;
  memset(p->sums, 0, (size_t)(N_SUMS * G + 1) * sizeof *p->sums);
  for (int64_t i = 0; i < p->n_local && status == TRM_OK; ++i) {
    if (stop && stop(context)) {
      p->sums[N_SUMS * G] = 1;
      break;
    }
    status = run_group(e, p, p->first_group + i, i == 0 ? TRM_WEIGHTS_FIRST : TRM_WEIGHTS_SAME);
  }
  TRM_TRY(trm_comm_agree(e->task->comm, status));
  TRM_TRY(trm_comm_sum_f64(e->task->comm, p->sums, N_SUMS * G + 1));
  *stopped = *stopped || p->sums[N_SUMS * G] > 0;
  return TRM_OK;
}

static trm_class_rows class_rows(const trm_sample_evaluation *e) {
  return (trm_class_rows){.logits = e->outputs,
                          .ids = e->ids,
                          .labels = e->view.data->classes.labels,
                          .subsets = e->subsets,
                          .n = e->n,
                          .n_classes = e->task->dims.n_outputs,
                          .n_samples = e->view.data->n,
                          .class_names = &e->view.data->classes.names,
                          .names = &e->view.data->names};
}

static trm_set_rows set_rows(const trm_sample_evaluation *e) {
  const trm_ragged *sets = &e->view.data->class_sets;
  return (trm_set_rows){.logits = e->outputs,
                        .ids = e->ids,
                        .sets = sets->offsets ? sets : NULL,
                        .subsets = e->subsets,
                        .n = e->n,
                        .n_classes = e->task->dims.n_outputs,
                        .n_samples = e->view.data->n,
                        .names = &e->view.data->names};
}

/* Own predictions in the user's units; the caller frees *values. */
static trm_status number_rows(const trm_sample_evaluation *e, double **values,
                              trm_number_rows *rows) {
  TRM_TRY(TRM_ALLOC(values, e->n, "predictions"));
  for (int64_t i = 0; i < e->n; ++i) {
    (*values)[i] = (double)e->outputs[i] * e->view.deviation + e->view.mean;
  }
  *rows = (trm_number_rows){.values = *values,
                            .ids = e->ids,
                            .targets = e->view.data->numbers,
                            .subsets = e->subsets,
                            .n = e->n,
                            .n_samples = e->view.data->n,
                            .names = &e->view.data->names};
  return TRM_OK;
}

static trm_status add_number_scores(trm_sample_evaluation *e, unsigned subsets,
                                    trm_evaluation *result) {
  double *values = NULL;
  trm_number_rows rows;
  trm_status status = trm_comm_agree(e->task->comm, number_rows(e, &values, &rows));
  if (status == TRM_OK) status = trm_number_scores_add(e->task, &rows, subsets, result);
  TRM_FREE(values);
  return status;
}

/* Of the tokens that count, teacher-forced. */
static double token_accuracy(const part *p) {
  double right = 0, count = 0;
  for (int64_t g = 0; g < p->n_groups; ++g) {
    right += p->sums[N_SUMS * g + RIGHT];
    count += p->sums[N_SUMS * g + COUNT];
  }
  return count > 0 ? right / count : (double)NAN;
}

/* What is said of tokens, subset by subset. */
static trm_status add_token_scores(trm_sample_evaluation *e, unsigned subsets, trm_task_stop stop,
                                   void *context, trm_evaluation *result, bool *stopped) {
  const char *const *names = trm_sample_writing_scores(e->task, e->view.data);
  for (int s = 0; s < TRM_N_SUBSETS && !*stopped; ++s) {
    double written[3] = {NAN, NAN, NAN};
    part *p = &e->parts[s];
    if (!(subsets >> s & 1)) continue;
    if (p->writing) TRM_TRY(trm_sample_writing_run(p->writing, stop, context, written, stopped));
    trm_task_put_score(e->task, token_accuracy(p), result);
    for (int i = 0; names[i] && writes((trm_subset)s); ++i) {
      trm_task_put_score(e->task, written[i], result);
    }
  }
  return TRM_OK;
}

static trm_status add_scores(trm_sample_evaluation *e, trm_task_stop stop, void *context,
                             trm_evaluation *result, bool *stopped) {
  const trm_class_rows rows = class_rows(e);
  const trm_set_rows sets = set_rows(e);
  const unsigned subsets = scored_subsets(e->task, e->view.data);
  switch (e->view.data->target) {
  case TRM_TARGET_CLASS:
    return trm_class_scores_add(e->task, &rows, subsets, result);
  case TRM_TARGET_NUMBER:
    return add_number_scores(e, subsets, result);
  case TRM_TARGET_CLASSES:
    return trm_set_scores_add(e->task, &sets, subsets, result);
  default:
    return add_token_scores(e, subsets, stop, context, result, stopped);
  }
}

/* What the loss of numbers is in. */
static const char *number_unit(const trm_config *config) {
  if (trm_config_is(config, "loss.numbers", "absolute")) return "deviations";
  return trm_config_is(config, "loss.numbers", "huber") ? "Huber's deviations"
                                                        : "squared deviations";
}

static double join_losses(const part *p, double *n) {
  double sum = 0, count = 0;
  for (int64_t g = 0; g < p->n_groups; ++g) {
    sum += p->sums[N_SUMS * g + LOSS];
    count += p->sums[N_SUMS * g + COUNT];
  }
  *n = count;
  return count > 0 ? sum / count : (double)NAN; /* an empty subset has none */
}

trm_status trm_sample_evaluation_run(trm_sample_evaluation *e, trm_task_stop stop, void *context,
                                     trm_evaluation *result, bool *stopped) {
  e->n = 0;
  *stopped = false;
  for (int s = 0; s < TRM_N_SUBSETS && !*stopped; ++s) {
    TRM_TRY(run_part(e, &e->parts[s], stop, context, stopped));
  }
  if (*stopped) return TRM_OK;
  double count = 0, n_train;
  result->loss = join_losses(&e->parts[TRM_SUBSET_VALID], &count);
  result->count = (int64_t)count;
  result->train_loss = join_losses(&e->parts[TRM_SUBSET_TRAIN], &n_train);
  if (e->view.data->target == TRM_TARGET_NUMBER) result->loss_unit = number_unit(e->task->config);
  return add_scores(e, stop, context, result, stopped);
}

/* ---- predictions ----------------------------------------------------------------------------- */

trm_status trm_sample_evaluation_predict(trm_sample_evaluation *e,
                                         const trm_predict_options *options, int64_t *n_rows) {
  trm_comm *comm = e->task->comm;
  bool stopped = false;
  e->n = 0;
  if (e->task->ensemble && e->view.data->target == TRM_TARGET_CLASSES) {
    return trm_fail(TRM_ERR_USAGE,
                    "%s: says several classes of a sample, so it is no member of an ensemble; give "
                    "one run",
                    options->run);
  }
  TRM_TRY(run_part(e, &e->parts[0], NULL, NULL, &stopped));
  if (e->view.data->target == TRM_TARGET_CLASS) {
    const trm_class_rows rows = class_rows(e);
    return trm_class_predictions_write(e->task, &e->view.data->classes, &rows, options->output,
                                       n_rows);
  }
  if (e->view.data->target == TRM_TARGET_CLASSES) {
    const trm_set_rows rows = set_rows(e);
    return trm_set_predictions_write(comm, e->task->kind->unit, &e->view.data->classes, &rows,
                                     options->output, n_rows);
  }
  double *values = NULL;
  trm_number_rows rows;
  trm_status status = trm_comm_agree(comm, number_rows(e, &values, &rows));
  if (status == TRM_OK && e->task->ensemble) {
    status = trm_ensemble_add_numbers(e->task, &rows, &rows);
    if (status != TRM_OK || !trm_ensemble_full(e->task->ensemble)) {
      TRM_FREE(values);
      return status;
    }
  }
  if (status == TRM_OK) {
    status = trm_number_predictions_write(comm, e->task->unit, &rows, options->output, n_rows);
  }
  TRM_FREE(values);
  return status;
}
