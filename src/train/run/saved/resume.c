#include "resume.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "average.h"
#include "early_stop.h"
#include "plugin_facts.h"
#include "schedule_facts.h"
#include "states.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/optim/optim.h"
#include "trireme/train/keys.h"
#include "trireme/train/layout.h"

static void report_damage(void *context, const char *message) {
  trm_log_warn(context, "%s; using the one before", message);
}

/* Rank 0 alone looks at the folder; "" when there is nothing to resume from. */
static trm_status choose(const trm_train_options *options, const trm_rundir *dir, trm_log *log,
                         char path[TRM_PATH_BYTES]) {
  path[0] = 0;
  if (options->search) return TRM_OK;
  if (options->resume_path) {
    return trm_checkpoint_newest(options->resume_path, path, TRM_PATH_BYTES, log);
  }
  bool has = false;
  if (options->replay) return TRM_OK; /* from the beginning */
  TRM_TRY(trm_rundir_has_checkpoints(dir, &has));
  if (!has) return TRM_OK;
  if (!options->resume) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%s already holds a run; give --resume to go on with it, or "
                    "another run.dir",
                    dir->root);
  }
  return trm_ckpt_find_newest(dir->checkpoints, path, TRM_PATH_BYTES, report_damage, log);
}

/* A difference in evaluations, which counts where the rate or the end of a run goes by them. */
static trm_status other_evaluations(const trm_train_options *options, const char *follower,
                                    const char *key, const char *now, const char *before,
                                    trm_log *log) {
  if (!options->allow_changes) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "%s is %s, but the checkpoint was made with %s, and %s goes by evaluations; set "
        "it back, or give --allow-changes",
        key, now, before, follower);
  }
  trm_log_warn(log,
               "%s is %s, the checkpoint was made with %s: the result will differ from an "
               "uninterrupted run's, since %s goes by evaluations",
               key, now, before, follower);
  return TRM_OK;
}

static trm_status compare_evaluations(const trm_train_options *options, const trm_config *old,
                                      trm_log *log) {
  const trm_config *config = options->config;
  const char *follower = trm_patience_key(config);
  if (trm_schedule_follows(config)) follower = "schedule.name plateau";
  if (!follower) return TRM_OK;
  const int64_t every = trm_config_int(config, "eval.every");
  const int64_t before = trm_config_int(old, "eval.every");
  if (every != before) {
    char texts[2][24];
    (void)snprintf(texts[0], sizeof texts[0], "%" PRId64, every);
    (void)snprintf(texts[1], sizeof texts[1], "%" PRId64, before);
    TRM_TRY(other_evaluations(options, follower, "eval.every", texts[0], texts[1], log));
  }
  if (!trm_config_used(old, "eval.select") || !trm_config_used(config, "eval.select")) {
    return TRM_OK;
  }
  const char *by = trm_config_string(config, "eval.select");
  const char *by_before = trm_config_string(old, "eval.select");
  if (strcmp(by, by_before) == 0) return TRM_OK;
  return other_evaluations(options, follower, "eval.select", by, by_before, log);
}

/* The configuration may change where it does not change the result; elsewhere only on request. */
static trm_status compare_config(const trm_train_options *options, trm_config *old,
                                 const char *path, trm_log *log) {
  trm_config_change c = {0};
  while (trm_config_difference(old, options->config, c.key, &c)) {
    if (c.effect == TRM_ON_MODEL) { /* it cannot be loaded, whatever is allowed */
      return trm_fail(TRM_ERR_CONFIG,
                      "%s is %s, but the checkpoint %s is of a model with %s; set it back", c.key,
                      c.b, path, c.a);
    }
    if (!options->allow_changes) {
      return trm_fail(TRM_ERR_CONFIG,
                      "%s is %s, but the checkpoint %s was made with %s; set it back, or give "
                      "--allow-changes",
                      c.key, c.b, path, c.a);
    }
    trm_log_warn(log,
                 "%s is %s, the checkpoint was made with %s: the result will differ from an "
                 "uninterrupted run's",
                 c.key, c.b, c.a);
  }
  return TRM_OK;
}

/* What the schedule has left to us is what the run began with. */
static trm_status adopt_schedule(trm_config *config, const trm_config *old, trm_log *log,
                                 trm_schedule_steps *steps) {
  const char *key = trm_schedule_length_key(config);
  const int64_t n_steps = trm_config_int(config, "train.steps");
  const trm_schedule_steps ours = trm_schedule_steps_for(config, n_steps);
  *steps = trm_schedule_steps_of(old);
  if (key && trm_schedule_length(config) == 0 && steps->length > 0 && steps->length < n_steps) {
    trm_log_line(log,
                 "the learning rate follows the schedule the run began with, to step %" PRId64
                 "; %s changes that",
                 steps->length, key);
  }
  if (steps->length == 0) steps->length = ours.length;
  if (steps->warmup < 0) steps->warmup = ours.warmup;
  return trm_schedule_take(config, steps);
}

static trm_status check_config(const trm_train_options *options, const trm_task *task,
                               const trm_ckpt_info *info, const char *path, trm_log *log,
                               trm_schedule_steps *schedule) {
  trm_config *old = NULL;
  const int64_t n_steps = trm_config_int(options->config, "train.steps");
  if (n_steps < info->step) {
    return trm_fail(TRM_ERR_CONFIG,
                    "train.steps is %" PRId64 ", but %s is of step %" PRId64 "; set at least that",
                    n_steps, path, info->step);
  }
  TRM_TRY(trm_program_config(&old));
  trm_config_tell(old, "data", task->kind->brings.name);
  trm_status status = trm_config_read_text(old, info->config_text, path);
  if (status == TRM_OK) status = adopt_schedule(options->config, old, log, schedule);
  if (status == TRM_OK) status = compare_config(options, old, path, log);
  if (status == TRM_OK) status = compare_evaluations(options, old, log);
  trm_config_destroy(&old);
  return status;
}

/* A run directory holds one run. Resuming from an explicit file must not mix two: neither leave later
 * checkpoints of this run behind, which the next --resume would take, nor take over another's. */
static trm_status check_own(const trm_rundir *dir, int64_t step, const char *path) {
  if (!trm_path_exists(dir->checkpoints)) return TRM_OK;
  char **names = NULL;
  int n = 0;
  long long newest = -1;
  TRM_TRY(trm_folder_list(dir->checkpoints, "step_", ".h5", &names, &n));
  for (int i = 0; i < n; ++i) {
    const long long found = strtoll(names[i] + strlen("step_"), NULL, 10);
    if (found > newest) newest = found;
  }
  TRM_FREE(names);
  const size_t length = strlen(dir->checkpoints);
  const bool own = strncmp(path, dir->checkpoints, length) == 0 && path[length] == '/';
  if (n == 0 || (own && newest <= step)) return TRM_OK;
  return trm_fail(
      TRM_ERR_CONFIG,
      "%s holds %s (newest checkpoint: step %lld); give another run.dir to go on from %s",
      dir->root, own ? "later checkpoints" : "another run", newest, path);
}

/* The best evaluation so far is the best by eval.select: by another there is none yet, for the schedule
 * neither, which keeps its cuts. */
static void take_best(const trm_task *task, const trm_ckpt_info *info, trm_log *log,
                      trm_schedule_state *schedule, trm_run_state *state) {
  trm_schedule_restore(&info->facts, schedule);
  const char *before = trm_facts_text(&info->facts, "select");
  const char *now = trm_task_metric(task->kind, task->config);
  if (before && strcmp(before, now) != 0) {
    trm_log_line(log, "evaluations are compared by %s now, not by %s: none is the best yet", now,
                 before);
    *schedule = (trm_schedule_state){.n_cuts = schedule->n_cuts};
    return;
  }
  state->best_value = info->best_value;
  state->best_step = info->best_step;
  /* Files from before there were others kept nothing but the best. */
  if (info->best_step >= 0) {
    state->early =
        (trm_early_stop){.any = 1, .best = info->best_value, .step = (double)info->best_step};
  }
  trm_early_stop_restore(&info->facts, &state->early);
  trm_best_list_restore(&info->facts, &state->best);
  const int64_t most = trm_config_int(task->config, "checkpoint.keep_best");
  if (state->best.n > most) state->best.n = (int)most;
  if (most == 1) state->best.n = 0; /* there is best.h5 */
}

static trm_status check_info(const trm_train_options *options, trm_task *task,
                             const trm_ckpt_info *info, const char *path, trm_log *log,
                             trm_schedule_steps *schedule) {
  if (trm_facts_text(&info->facts, "averaged")) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "%s holds the mean of weights, without what a run goes on from; resume from one "
        "of the checkpoints it is made of",
        path);
  }
  TRM_TRY(check_config(options, task, info, path, log, schedule));
  TRM_TRY(trm_plugins_compare(options->config, &info->facts, path, options->allow_changes, log));
  const char *data = trm_config_string(options->config, "data.path");
  TRM_TRY(trm_task_check_facts(task, &info->facts, path));
  if (info->data_digest != task->digest) {
    if (!options->allow_changes) {
      return trm_fail(TRM_ERR_CONFIG,
                      "%s is not the data set that %s was trained on (contents "
                      "differ); %s",
                      data, path,
                      options->replay ? "give the one it was trained on"
                                      : "set data.path back, or give --allow-changes");
    }
    trm_log_warn(log, "%s is not the data set that %s was trained on", data, path);
  }
  char fingerprint[128];
  trm_fingerprint(fingerprint, sizeof fingerprint);
  if (strcmp(fingerprint, info->fingerprint) != 0) {
    trm_log_warn(log, "%s was written on %s, this is %s: the curve goes on, bits may differ", path,
                 info->fingerprint, fingerprint);
  }
  return TRM_OK;
}

/* The average that the checkpoint has; a run may begin to average when it goes on. Collective; the status
 * is the same on all ranks. */
static trm_status load_average(trm_comm *comm, const char *path, const trm_facts *facts,
                               const trm_regions *regions, trm_average *average) {
  bool stale;
  if (!average || !trm_average_in(facts, &stale)) return TRM_OK;
  trm_ckpt_info again = {0};
  trm_average_restore(facts, average);
  TRM_TRY(trm_ckpt_load_all(comm, path, &again, regions->rows + regions->n_training,
                            regions->n - regions->n_training));
  trm_ckpt_info_free(&again);
  return TRM_OK;
}

trm_status trm_resume(trm_comm *comm, const trm_train_options *options, const trm_rundir *dir,
                      trm_task *task, trm_learner *learner, trm_regions *regions, trm_log *log,
                      trm_run_state *state, char path[TRM_PATH_BYTES]) {
  *state = (trm_run_state){.best_value = (double)NAN, .best_step = -1, .eval_step = -1};
  trm_schedule_steps schedule = {0}; /* rank 0's until the end */
  trm_status status = TRM_OK;
  path[0] = 0;
  if (trm_comm_rank(comm) == 0) status = choose(options, dir, log, path);
  TRM_TRY(trm_comm_agree(comm, status));
  TRM_TRY(trm_comm_broadcast(comm, path, TRM_PATH_BYTES, 0));
  if (path[0] == 0) {
    if (options->resume) trm_log_line(log, "no checkpoint in %s yet: starting afresh", dir->root);
    return TRM_OK;
  }
  /* The facts first, so that a wrong model is named before its arrays are. */
  trm_ckpt_info info = {0};
  if (trm_comm_rank(comm) == 0) {
    status = trm_ckpt_read_info(path, &info);
    if (status == TRM_OK) status = check_info(options, task, &info, path, log, &schedule);
    if (status == TRM_OK && options->resume_path && !options->replay) {
      status = check_own(dir, info.step, path);
    }
    trm_ckpt_info_free(&info);
  }
  TRM_TRY(trm_comm_agree(comm, status));
  const bool shared_out = trm_states_shared_out(learner);
  TRM_TRY(trm_ckpt_load_all(comm, path, &info, regions->rows,
                            shared_out ? regions->n_model : regions->n_training));
  if (shared_out) status = trm_states_load(comm, learner, regions, path);
  if (status == TRM_OK) status = load_average(comm, path, &info.facts, regions, learner->average);
  if (status != TRM_OK) {
    trm_ckpt_info_free(&info);
    return status;
  }
  state->step = info.step;
  take_best(task, &info, log, trm_optimizer_schedule(learner->optimizer), state);
  state->eval_step = info.eval_step;
  state->samples_hash = info.samples_hash;
  trm_ckpt_info_free(&info);
  TRM_TRY(trm_comm_broadcast(comm, &schedule, sizeof schedule, 0));
  return trm_comm_agree(comm, trm_schedule_take(options->config, &schedule));
}
