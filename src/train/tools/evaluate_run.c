/* Evaluation and prediction of a checkpoint. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ensemble.h"
#include "ensemble_table.h"
#include "prediction_columns.h"
#include "restore.h"
#include "rundir.h"
#include "task.h"
#include "text_file.h"
#include "trireme/comm/watch.h"
#include "trireme/io/output.h"
#include "trireme/train/train.h"

/* Keys that say how a model is evaluated may be others than in training. */
static trm_status set_keys(trm_config *config, const char *const *sets, int n_sets) {
  for (int i = 0; i < n_sets; ++i) {
    if (strncmp(sets[i], "eval.", 5) != 0) {
      return trm_fail(TRM_ERR_USAGE,
                      "--set %s: only keys of eval can be set; the others are those of the "
                      "run",
                      sets[i]);
    }
    TRM_TRY(trm_config_set(config, sets[i]));
  }
  return TRM_OK;
}

/* The data set of the run lies where it lay when it was trained, or --data tells. */
static trm_status open_data(trm_comm *comm, const char *data, trm_task_use use,
                            trm_restored *restored, trm_log *log, trm_task **task) {
  char why[TRM_MESSAGE_BYTES];
  TRM_TRY(trm_comm_agree(comm,
                         data ? trm_config_set_text(restored->config, "data.path", data) : TRM_OK));
  const trm_status status = trm_task_open(comm, restored->config, use, log, task);
  if ((status == TRM_ERR_IO || status == TRM_ERR_MISSING) && !data) {
    (void)snprintf(why, sizeof why, "%s", trm_message());
    return trm_fail(status, "%s; give --data", why);
  }
  TRM_TRY(status);
  TRM_TRY(trm_comm_agree(comm, trm_task_resolve(*task, restored->config)));
  if ((*task)->kind->any_ranks || trm_comm_size(comm) <= (*task)->n_blocks) return TRM_OK;
  return trm_fail(
      TRM_ERR_USAGE,
      "%d ranks are more than batch.blocks (%lld), with which the run was trained; start "
      "fewer",
      trm_comm_size(comm), (long long)(*task)->n_blocks);
}

/* A checkpoint with its data, ready for passes. */
typedef struct opened {
  trm_restored restored;
  trm_task *task;
  trm_log log;
} opened;

static void close_all(trm_comm *comm, opened *o) {
  trm_watch_stop(comm);
  trm_task_close(&o->task);
  trm_restored_free(&o->restored);
}

/* Weights of other shapes than the data set asks for: what it has. */
static trm_status say_sizes(const trm_task *task) {
  char why[TRM_MESSAGE_BYTES];
  (void)snprintf(why, sizeof why, "%s", trm_message());
  return trm_fail(TRM_ERR_DATA,
                  "%s has %lld features and %lld classes, which the model does not fit: %s",
                  trm_config_string(task->config, "data.path"), (long long)task->dims.n_features,
                  (long long)task->dims.n_outputs, why);
}

static trm_status open_all(trm_comm *comm, const trm_evaluate_options *options, trm_task_use use,
                           opened *o) {
  const char *data = options->data;
  char path[TRM_PATH_BYTES] = "";
  trm_status status = TRM_OK;
  *o = (opened){0};
  trm_log_init(&o->log, trm_comm_rank(comm) == 0 ? stderr : NULL);
  if (trm_comm_rank(comm) == 0) {
    status = trm_checkpoint_resolve(options->run, options->best, path, sizeof path, &o->log);
  }
  TRM_TRY(trm_comm_agree(comm, status));
  TRM_TRY(trm_comm_broadcast(comm, path, sizeof path, 0));
  TRM_TRY(trm_restore_begin(comm, path, options->raw, &o->restored));
  status = set_keys(o->restored.config, options->sets, options->n_sets);
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(open_data(comm, data, use, &o->restored, &o->log, &o->task));
  const trm_facts *facts = &o->restored.info.facts;
  TRM_TRY_OUT(trm_comm_agree(comm, trm_task_check_facts(o->task, facts, path)));
  /* Outputs are the checkpoint's: data to predict may have no labels. */
  if (use == TRM_USE_PREDICT) o->task->dims.n_outputs = trm_facts_outputs(facts);
  status = trm_restore_weights(path, &o->task->dims, &o->restored);
  if (status == TRM_ERR_DATA && data && o->task->dims.n_features > 0) status = say_sizes(o->task);
  if (status != TRM_OK) goto out;
  if (!data && o->task->digest != o->restored.info.data_digest) {
    trm_log_warn(&o->log, "%s has changed since the run was trained on it",
                 trm_config_string(o->restored.config, "data.path"));
  }
  TRM_TRY_OUT(trm_comm_agree(comm, trm_task_plan(o->task, &o->restored.learner, false)));
  TRM_TRY_OUT(trm_comm_agree(
      comm, trm_watch_start(comm, trm_config_real(o->restored.config, "comm.deadline_s"))));
  trm_watch_phase(comm, "evaluation", o->restored.info.step);
  return TRM_OK;
out:
  close_all(comm, o);
  return status;
}

/* One checkpoint, by itself or as the next member of an ensemble. Collective. */
static trm_status evaluate_one(trm_comm *comm, const trm_evaluate_options *options,
                               trm_ensemble *ensemble, trm_evaluation *result) {
  opened o;
  bool stopped;
  TRM_TRY(open_all(comm, options, TRM_USE_EVALUATE, &o));
  o.task->ensemble = ensemble;
  *result = (trm_evaluation){.subset = o.task->kind->subset,
                             .unit = o.task->unit,
                             .step = o.restored.info.step,
                             .train_loss = (double)NAN};
  const trm_status status =
      o.task->kind->evaluate(o.task, &o.restored.learner, NULL, NULL, result, &stopped);
  close_all(comm, &o);
  return status;
}

trm_status trm_robustness_run(trm_comm *comm, const trm_evaluate_options *options,
                              const trm_attack_options *attack, trm_robustness *result) {
  opened o;
  trm_status status;
  TRM_TRY(open_all(comm, options, TRM_USE_EVALUATE, &o));
  *result = (trm_robustness){.unit = o.task->unit, .step = o.restored.info.step};
  if (o.task->kind->attack) {
    status = o.task->kind->attack(o.task, &o.restored.learner, attack, result);
  } else {
    status = trm_fail(TRM_ERR_USAGE,
                      "evaluate: %s was trained on data of kind '%s', which cannot be attacked; "
                      "leave --attack out",
                      options->run, o.task->kind->brings.name);
  }
  close_all(comm, &o);
  return status;
}

trm_status trm_evaluate_run(trm_comm *comm, const trm_evaluate_options *options,
                            trm_evaluation *result) {
  return evaluate_one(comm, options, NULL, result);
}

/* That the member just asked said something that can be put together. */
static trm_status check_spoken(const trm_ensemble *e, int asked, const char *run) {
  if (e->n_added == asked) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "%s: says neither classes nor numbers of samples and ranks nothing, so it is no "
                  "member of an ensemble; give one run",
                  run);
}

trm_status trm_evaluate_ensemble(trm_comm *comm, const trm_evaluate_options *options,
                                 const trm_members *members, trm_evaluation *results) {
  trm_ensemble e = {.vote = members->vote, .n_members = members->n};
  trm_status status = TRM_OK;
  for (int i = 0; i < members->n && status == TRM_OK; ++i) {
    trm_evaluate_options of = *options;
    of.run = members->runs[i];
    status = evaluate_one(comm, &of, &e, &results[i]);
    if (status == TRM_OK) status = check_spoken(&e, i + 1, of.run);
  }
  if (status == TRM_OK) {
    results[members->n] = e.whole;
    results[members->n].subset = results[0].subset;
    results[members->n].unit = results[0].unit;
    results[members->n].train_loss = (double)NAN;
  }
  trm_ensemble_free(&e);
  return status;
}

trm_status trm_ensemble_keep(trm_comm *comm, const trm_members *members,
                             const trm_evaluation *results) {
  trm_status status = TRM_OK;
  if (trm_comm_rank(comm) == 0) status = trm_ensemble_table_write(members, results);
  return trm_comm_agree(comm, status);
}

trm_status trm_evaluate_spread(trm_comm *comm, const trm_evaluate_options *options,
                               const trm_members *members, trm_bias_variance *parts) {
  trm_bias_variance sums = {.n = 0};
  trm_ensemble e = {.vote = true, .n_members = members->n, .parts = &sums};
  trm_status status = TRM_OK;
  for (int i = 0; i < members->n && status == TRM_OK; ++i) {
    trm_evaluation result;
    trm_evaluate_options of = *options;
    of.run = members->runs[i];
    status = evaluate_one(comm, &of, &e, &result);
    if (status == TRM_OK) status = check_spoken(&e, i + 1, of.run);
  }
  *parts = trm_bias_variance_mean(&sums);
  trm_ensemble_free(&e);
  return status;
}

static trm_status predict_one(trm_comm *comm, const trm_predict_options *options,
                              trm_ensemble *ensemble, int64_t *n_rows) {
  opened o;
  trm_status status = TRM_OK;
  const trm_evaluate_options of = {.run = options->run,
                                   .best = options->best,
                                   .raw = options->raw,
                                   .data = options->data,
                                   .sets = options->sets,
                                   .n_sets = options->n_sets};
  TRM_TRY(open_all(comm, &of, TRM_USE_PREDICT, &o));
  o.task->ensemble = ensemble;
  if (o.task->kind->predict) {
    status = o.task->kind->predict(o.task, &o.restored.learner, options, n_rows);
  } else {
    status =
        trm_fail(TRM_ERR_USAGE,
                 "predict: %s was trained on data of kind '%s', of which nothing is predicted; "
                 "trireme generate or trireme evaluate say what it has learned",
                 options->run, o.task->kind->brings.name);
  }
  close_all(comm, &o);
  return status;
}

/* Whether a file begins as files of predictions do. */
static bool is_predictions(const char *path) {
  static const char *const columns[] = {TRM_CLASS_COLUMNS, TRM_CLASS_SET_COLUMNS,
                                        TRM_NUMBER_COLUMNS, TRM_ITEM_COLUMNS, TRM_PRODUCT_COLUMNS};
  for (size_t i = 0; i < sizeof columns / sizeof *columns; ++i) {
    if (trm_file_begins_with(path, columns[i])) return true;
  }
  return false;
}

/* Collective. */
static trm_status check_output(trm_comm *comm, const trm_predict_options *options,
                               const char *const *runs, int n_runs) {
  const char *inputs[TRM_MAX_MEMBERS + 1];
  trm_status status = TRM_OK;
  const bool looks = trm_comm_rank(comm) == 0 && strcmp(options->output, TRM_TEXT_TO_TERMINAL) != 0;
  for (int i = 0; i < n_runs; ++i) inputs[i] = runs[i];
  if (options->data) inputs[n_runs++] = options->data;
  if (looks) {
    const trm_output_rule rule = {.command = "predict",
                                  .made = is_predictions,
                                  .force = options->force,
                                  .inputs = inputs,
                                  .n_inputs = n_runs};
    status = trm_output_check(&rule, options->output);
  }
  return trm_comm_agree(comm, status);
}

trm_status trm_predict_run(trm_comm *comm, const trm_predict_options *options, int64_t *n_rows) {
  TRM_TRY(check_output(comm, options, &options->run, 1));
  return predict_one(comm, options, NULL, n_rows);
}

trm_status trm_predict_ensemble(trm_comm *comm, const trm_predict_options *options,
                                const trm_members *members, int64_t *n_rows) {
  trm_ensemble e = {.vote = members->vote, .n_members = members->n};
  trm_status status = check_output(comm, options, members->runs, members->n);
  for (int i = 0; i < members->n && status == TRM_OK; ++i) {
    trm_predict_options of = *options;
    of.run = members->runs[i];
    status = predict_one(comm, &of, &e, n_rows);
    if (status == TRM_OK) status = check_spoken(&e, i + 1, of.run);
  }
  trm_ensemble_free(&e);
  return status;
}
