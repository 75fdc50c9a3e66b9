/* The loop of a run: steps, evaluations, checkpoints, and the way to a stop. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "average.h"
#include "drift.h"
#include "rate_search.h"
#include "replay.h"
#include "run.h"
#include "samples.h"
#include "signals.h"
#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"
#include "trireme/core/float_mode.h"
#include "trireme/core/hash.h"
#include "trireme/math/kernels.h"
#include "trireme/math/threads.h"
#include "trireme/optim/plugins.h"

bool trm_run_stop_wanted(void *run) {
  const trm_run *r = run;
  if (trm_signals_received() != 0 || r->replay_stop) return true;
  return r->budget_counts && r->time_budget_s > 0 && trm_clock_s() - r->start_s >= r->time_budget_s;
}

/* What to change. A rate that no step of this start has used yet is not to blame. */
static void divergence_remedy(const trm_run *r, bool saved, char *remedy, size_t bytes) {
  const trm_config *config = r->options->config;
  const char *from = trm_config_string(config, "train.init_from");
  if (r->state.step == r->begin_step && r->resumed) {
    (void)snprintf(
        remedy, bytes,
        "the weights that it goes on from are too large already: choose another run.dir, "
        "and an earlier checkpoint by --resume=CHECKPOINT.h5, or none");
    return;
  }
  if (r->state.step == r->begin_step) {
    (void)snprintf(remedy, bytes,
                   "no step has changed the weights yet, so that it is numbers in %.300s that are "
                   "too large: make them smaller",
                   from[0] ? from : trm_config_string(config, "data.path"));
    return;
  }
  (void)snprintf(
      remedy, bytes, "try %s--set optimizer.lr=%g, or %s", saved ? "--resume --allow-changes " : "",
      trm_config_real(config, "optimizer.lr") / 10,
      trm_config_real(config, "optimizer.clip_norm") > 0 ? "a smaller optimizer.clip_norm"
                                                         : "optimizer.clip_norm=1 (now off)");
}

trm_status trm_run_diverged(const trm_run *r, double loss, const trm_step_info *info) {
  char where[TRM_PARAM_NAME_BYTES + 64] = "gradients are finite";
  char last[64] = "there is no checkpoint yet", remedy[512];
  bool saved = false;
  const int row =
      info->bad_element >= 0 ? trm_params_find(r->learner.params, info->bad_element) : -1;
  if (row >= 0) {
    (void)snprintf(where, sizeof where, "gradients are not finite, first that of %s",
                   r->learner.params->rows[row].name);
  }
  if (r->store) {
    const trm_status written = trm_ckpt_wait(r->store); /* one may be on its way */
    const int64_t newest = trm_ckpt_newest_step(r->store);
    saved = newest >= 0;
    if (written != TRM_OK) {
      (void)snprintf(last, sizeof last, "the last checkpoint could not be written");
    } else if (newest >= 0) {
      (void)snprintf(last, sizeof last, "the newest checkpoint is of step %" PRId64, newest);
    }
  }
  divergence_remedy(r, saved, remedy, sizeof remedy);
  return trm_fail(TRM_ERR_DIVERGED, "step %" PRId64 ": the loss is %g and %s; %s; %s",
                  r->state.step + 1, isnan(loss) ? (double)NAN : loss, where, last, remedy);
}

/* The user's own schedule has given what is no rate. */
static trm_status bad_rate(const trm_run *r, double lr) {
  return trm_fail(TRM_ERR_DIVERGED,
                  "step %" PRId64
                  ": the learning rate of schedule.name %s is %g; it must be finite "
                  "and at least 0",
                  r->state.step + 1, trm_config_string(r->options->config, "schedule.name"), lr);
}

/* The user's own optimizer may make weights of good gradients that are none. All ranks have all
 * weights, so they agree without a word. */
static trm_status check_plugged(const trm_run *r) {
  const trm_params *params = r->learner.params;
  trm_plugin_identity plugin = {.name = "?", .version = "?"};
  if (!trm_optimizer_is_plugged(r->learner.optimizer) || r->options->search) return TRM_OK;
  const int64_t bad = trm_find_not_finite(params->weights, params->n_elements);
  if (bad < 0) return TRM_OK;
  const int row = trm_params_find(params, bad);
  (void)trm_plugin_identify(r->options->config, "optimizer.plugin", &plugin);
  return trm_fail(
      TRM_ERR_DIVERGED,
      "step %" PRId64 ": the gradients are finite, but the weights that optimizer.plugin "
      "(%s %s) makes of them are not, first %s; try a smaller optimizer.lr, or mend the "
      "plug-in",
      r->state.step + 1, plugin.name, plugin.version, row < 0 ? "padding" : params->rows[row].name);
}

/* What has happened to the write in the background, without waiting for it. */
static void poll_store(trm_run *r) {
  bool writing;
  if (r->store && r->pending == TRM_OK)
    r->pending = trm_run_forgive(r, trm_ckpt_poll(r->store, &writing));
}

/* Whether the weights after `step` may be saved: then the ranks compare theirs first, so that no
 * checkpoint holds weights that only one rank has. */
static bool saves_at(const trm_run *r, int64_t step) {
  return trm_due(step, r->ckpt_every) || trm_due(step, r->eval_every) || step == r->n_steps;
}

/* debug.flip_step: what a flipped bit in one rank's memory does. */
static void flip_for_test(trm_run *r) {
  if (trm_run_int(r, "debug.flip_step") != r->state.step ||
      trm_run_int(r, "debug.flip_rank") != trm_comm_rank(r->comm)) {
    return;
  }
  unsigned char *bytes =
      (unsigned char *)(r->learner.params->weights + r->learner.params->rows[0].offset);
  bytes[2] ^= 1;
}

/* The ids of this step's samples, and that they are those all ranks used. */
static trm_status write_ledger(trm_run *r) {
  uint64_t expected;
  TRM_TRY(trm_sample_ledger_write(&r->ledger, r->task, r->state.step - 1, &expected));
  TRM_ASSERT(r->samples_hash == expected);
  return trm_step_table_flush(&r->ledger);
}

/* What a step leaves of a run that writes nothing. */
static void note_dry_step(trm_run *r, double loss, double lr) {
  if (r->options->replay) {
    r->replay_stop =
        !trm_replay_compare(r->options->replay, r->state.step, r->weights_hash, r->samples_hash);
    trm_log_progress(r->log, false, "step %" PRId64 "/%" PRId64, r->state.step, r->n_steps);
  } else {
    trm_log_progress(r->log, false, "step %" PRId64 "/%" PRId64 "  loss %.4f  lr %.2e",
                     r->state.step, r->n_steps, loss, lr);
  }
}

/* Of the weights, and of their average, which is saved too. */
static uint64_t hash_of_all(const trm_run *r) {
  const trm_average *average = r->learner.average;
  if (!trm_average_any(average)) return r->weights_hash;
  return trm_hash_chain(r->weights_hash, trm_average_hash(average, r->learner.params));
}

/* One step, from the batch to the update. What this rank failed with since the ranks last agreed
 * (r->pending) comes to all of them here. Collective; the status is the same on all ranks. */
static trm_status step(trm_run *r, bool *stop) {
  const double start_s = trm_clock_s();
  poll_store(r);
  /* Ranks that wait for each other in a pass run it also with something pending. */
  if (r->pending == TRM_OK || r->task->exchanges) {
    const trm_status ran = r->task->kind->run(r->task, r->state.step);
    if (r->pending == TRM_OK) r->pending = ran;
  }
  trm_watch_phase(r->comm, "gradient all-reduce", r->state.step);
  trm_gradsync_result sums;
  TRM_TRY(trm_gradsync_finish(r->sync, r->pending, trm_run_stop_wanted(r), &sums));
  if (sums.n_failed > 0) {
    const trm_status status = trm_comm_agree(r->comm, r->pending);
    TRM_ASSERT(status != TRM_OK);
    return status;
  }
  *stop = sums.stop;
  trm_watch_phase(r->comm, "update", r->state.step);

  if (!(sums.count > 0)) {
    return trm_fail(TRM_ERR_DATA,
                    "step %" PRId64 ": none of its %ss has a label, so there is nothing to learn "
                    "from; raise batch.size or leave those without a label out",
                    r->state.step + 1, r->task->unit);
  }
  trm_step_info info = {.finite = true, .bad_element = -1};
  trm_rate_search *search = r->options->search;
  if (search) {
    trm_optimizer_fix_rate(r->learner.optimizer, trm_rate_search_rate(search, r->state.step));
  }
  const bool norms = trm_due(r->state.step + 1, r->norms.every);
  if (norms) {
    const trm_stripes stripes = trm_optimizer_stripes(r->learner.optimizer);
    TRM_TRY(trm_norms_gradient(&r->norms, r->comm, r->learner.params, &stripes, sums.grads,
                               sums.count));
  }
  if (r->sharded) {
    TRM_TRY(trm_sharded_step(r->sharded, &sums, r->state.step, &info));
  } else {
    trm_optimizer_step(r->learner.optimizer, sums.grads, sums.count, r->state.step, &info);
  }
  const double loss = sums.loss_sum / sums.count;
  if (search) {
    trm_rate_search_note(search, loss, info.finite);
    if (search->over) return TRM_OK;
  }
  if (!isfinite(info.lr) || info.lr < 0) return bad_rate(r, info.lr);
  if (!info.finite || !isfinite(loss)) return trm_run_diverged(r, loss, &info);
  TRM_TRY(check_plugged(r));
  ++r->state.step;
  flip_for_test(r);
  if (r->learner.average) {
    trm_average_observe(r->learner.average, r->learner.params, r->state.step);
  }
  r->samples_hash = sums.samples_hash;
  const bool check = trm_due(r->state.step, r->check_every) || saves_at(r, r->state.step) || *stop;
  if (r->root || check) r->weights_hash = trm_params_hash(r->learner.params);
  if (check) TRM_TRY(trm_drift_check(r->comm, hash_of_all(r), r->state.step, r->hashes));
  trm_threads_step(trm_clock_s() - start_s - sums.exposed_s);
  if (!r->root) return TRM_OK;
  const trm_straggler straggler = trm_run_straggler(r);
  const trm_step_record record = {.step = r->state.step,
                                  .loss = loss,
                                  .lr = info.lr,
                                  .grad_norm = info.grad_norm,
                                  .units = (int64_t)sums.count,
                                  .step_s = trm_clock_s() - start_s,
                                  .exposed_s = sums.exposed_s,
                                  .slow_rank = straggler.rank,
                                  .slow_share = straggler.share,
                                  .weights_hash = r->weights_hash,
                                  .samples_hash = r->samples_hash};
  if (!trm_run_writes(r)) {
    note_dry_step(r, loss, info.lr);
    return TRM_OK;
  }
  trm_watch_phase(r->comm, "writing", r->state.step);
  trm_watch_pause(r->comm); /* the disk may be slow */
  r->pending = trm_metrics_step(r->metrics, &record);
  if (r->pending == TRM_OK && norms) {
    r->pending = trm_norms_write(&r->norms, r->learner.params, r->state.step, r->metrics);
  }
  if (r->pending == TRM_OK && r->ledger.file) r->pending = write_ledger(r);
  return TRM_OK;
}

/* An evaluation that is due may lower the rate: one that comes with a run's end does not, so that a
 * run that goes on from there is the one that was longer from the beginning. */
static void let_schedule_observe(trm_run *r, double value) {
  const trm_config *config = r->options->config;
  trm_schedule_state *state = trm_optimizer_schedule(r->learner.optimizer);
  const double n_cuts = state->n_cuts;
  if (!trm_due(r->state.step, r->eval_every)) return;
  trm_schedule_observe(config, state, value);
  if (state->n_cuts > n_cuts) {
    trm_log_line(r->log, "step %" PRId64 ": no better for a while, the learning rate is now %g",
                 r->state.step, trm_schedule_lr_after(config, state, r->state.step));
  }
}

/* Says once that the rate stays what it is. */
static void say_schedule_end(const trm_run *r) {
  const trm_config *config = r->options->config;
  const int64_t length = trm_schedule_length(config);
  if (length == 0 || r->options->search || r->state.step != length || length >= r->n_steps) return;
  trm_log_line(r->log,
               "the schedule ends at step %" PRId64 " (%s): from here on the learning rate is %g",
               length, trm_schedule_length_key(config), trm_schedule_lr(config, length));
}

/* Evaluates the average of the weights where there is one, else the weights as they are. Collective. */
static trm_status measure(trm_run *r, trm_evaluation *result, bool *stopped) {
  trm_average *average = r->learner.average;
  const bool shows = trm_average_any(average);
  if (trm_average_wants_statistics(average)) {
    TRM_TRY(trm_run_estimate_statistics(r, stopped));
    if (*stopped) return TRM_OK;
  }
  trm_watch_phase(r->comm, "evaluation", r->state.step);
  if (r->findings) trm_findings_begin(r->findings);
  if (shows) trm_average_show(average, r->learner.params);
  const trm_status status =
      r->task->kind->evaluate(r->task, &r->learner, trm_run_stop_wanted, r, result, stopped);
  if (shows) trm_average_hide(average, r->learner.params);
  return status;
}

/* What the best evaluation came to besides scores goes to its files now and then, and at the end. */
static void keep_findings(trm_run *r) {
  static const double seconds_between = 10;
  trm_findings *last = r->findings;
  r->task->findings = r->findings = r->best_findings;
  r->best_findings = last;
  r->findings_pending = r->root;
  if (!r->root || r->pending != TRM_OK) return;
  if (trm_clock_s() - r->findings_written_s < seconds_between) return;
  r->pending = trm_findings_write(last, r->dir.root);
  r->findings_written_s = trm_clock_s();
  r->findings_pending = false;
}

/* Scores of the part to test, for the last line of the run. */
static void note_tests(trm_run *r, const trm_evaluation *e) {
  size_t n = 0;
  r->best_tests[0] = 0;
  for (int i = 0; i < e->n_scores && n < sizeof r->best_tests - 1; ++i) {
    if (strncmp(e->scores[i].name, "test_", 5) != 0 || isnan(e->scores[i].value)) continue;
    n += (size_t)snprintf(r->best_tests + n, sizeof r->best_tests - n, ", %s %.4f",
                          e->scores[i].name, e->scores[i].value);
  }
}

/* Evaluates, and notes and saves the weights when they are the best so far.
 * Collective; the status is the same on all ranks. `*stop` may become true. */
static trm_status evaluate(trm_run *r, bool *stop) {
  trm_evaluation result = {
      .subset = r->task->kind->subset, .unit = r->task->unit, .step = r->state.step};
  bool stopped = false;
  TRM_TRY(measure(r, &result, &stopped));
  if (stopped) {
    *stop = true;
    return TRM_OK;
  }
  if (result.count > 0 && !isfinite(result.loss)) { /* without samples there is no loss */
    const trm_step_info info = {.finite = true, .bad_element = -1};
    return trm_run_diverged(r, result.loss, &info);
  }
  r->state.eval_step = r->state.step;
  trm_task_check_selection(r->task, &result);
  const double value = trm_task_rank_value(r->task, &result);
  let_schedule_observe(r, value);
  if (trm_due(r->state.step, r->eval_every)) {
    trm_early_stop_observe(&r->state.early, &r->patience, r->state.step, value);
  }
  const bool best = isfinite(value) && !(value >= r->state.best_value); /* also when none was */
  if (best) {
    r->state.best_value = value;
    r->state.best_step = r->state.step;
    note_tests(r, &result);
  }
  if (r->root && trm_run_writes(r) && r->pending == TRM_OK) {
    r->pending = trm_metrics_eval(r->metrics, &result, best);
  }
  if (best && r->findings) keep_findings(r);
  const int n_kept = (int)trm_run_int(r, "checkpoint.keep_best");
  const bool kept = n_kept > 1 && trm_best_list_offer(&r->state.best, n_kept, r->state.step, value);
  r->evaluated_since = r->saved_step == r->state.step;
  if (best || kept) trm_run_save(r, best);
  const trm_train_watch *watch = r->options->watch;
  if (watch && watch->gives_up) {
    const double score = trm_task_ranked_score(r->task, value);
    r->given_up = watch->gives_up(watch->context, r->state.step, score);
  }
  return TRM_OK;
}

enum { REASON_BYTES = 128 };

/* Whether evaluations have been no better for too long; a function of the state alone. */
static bool patience_is_over(const trm_run *r, char why[REASON_BYTES]) {
  return trm_early_stop_over(&r->state.early, &r->patience, r->state.step, why, REASON_BYTES);
}

/* The run ends early. */
static void say_over(trm_run *r, const char *why) {
  trm_log_line(r->log, "%s (%s): the run ends at step %" PRId64, why,
               trm_patience_key(r->options->config), r->state.step);
  if (r->metrics && r->pending == TRM_OK) {
    r->pending = trm_metrics_event(r->metrics, r->state.step, why);
  }
}

/* Evaluates unless these weights have been. */
static trm_status evaluate_once(trm_run *r, bool *stop) {
  return r->state.eval_step == r->state.step ? TRM_OK : evaluate(r, stop);
}

/* Where the best weights are, unless they are the last ones. */
static void say_best(const trm_run *r) {
  const int selected = r->task->selected;
  if (r->state.best_step < 0 || r->state.best_step == r->state.step) return;
  trm_log_line(r->log, "best: step %" PRId64 ", %s %.4f%s: %s/best.h5", r->state.best_step,
               selected < 0 ? "loss" : r->task->scores[selected],
               trm_task_ranked_score(r->task, r->state.best_value), r->best_tests,
               r->dir.checkpoints);
}

/* The best weights become the run's result; the last ones stay, for a longer run to go on from. */
static trm_status restore_best(const trm_run *r) {
  if (!r->root || r->state.best_step < 0 || r->state.best_step == r->state.step) return TRM_OK;
  trm_log_line(r->log, "the result of the run is its best: step %" PRId64, r->state.best_step);
  return trm_rundir_final_make(&r->dir);
}

static trm_status finish(trm_run *r, bool ended) {
  trm_replay *replay = r->options->replay;
  if (r->given_up) return TRM_OK;
  if (trm_run_writes(r)) {
    TRM_TRY(trm_run_save_last(r));
    const bool restores = ended && trm_config_bool(r->options->config, "train.restore_best");
    return trm_comm_agree(r->comm, restores ? restore_best(r) : TRM_OK);
  }
  if (!replay || !replay->at_end) return TRM_OK;
  return trm_comm_agree(r->comm,
                        r->root ? replay->at_end(replay->context, r->learner.params) : TRM_OK);
}

trm_status trm_run_loop(trm_run *r, bool *stopped) {
  bool stop = false;
  trm_float_mode_standard(); /* set-up may have loaded parts of MPI that change it */
  r->saved_step = r->resumed ? r->state.step : -1;
  r->begin_step = r->state.step;
  if (!r->resumed && trm_config_bool(r->options->config, "checkpoint.initial"))
    trm_run_save(r, false);
  if (r->resumed && r->state.step >= r->n_steps) {
    trm_log_line(
        r->log, "the run is complete at step %" PRId64 "; raise %s to go on", r->state.step,
        trm_config_real(r->options->config, "train.epochs") > 0 ? "train.epochs" : "train.steps");
  } else if (r->resumed && trm_due(r->state.step, r->eval_every)) {
    TRM_TRY(evaluate_once(r, &stop)); /* the one a stop came before */
  }
  r->budget_counts = true;
  const trm_rate_search *search = r->options->search;
  char why[REASON_BYTES] = "";
  const int64_t first_step = r->state.step;
  bool over = patience_is_over(r, why);
  if (over && r->resumed && r->state.step < r->n_steps) {
    trm_log_line(r->log, "the run ended early at step %" PRId64 ": %s; raise %s to go on",
                 r->state.step, why, trm_patience_key(r->options->config));
  }
  while (r->state.step < r->end_step && !stop && !over && !r->given_up &&
         !(search && search->over)) {
    TRM_TRY(step(r, &stop));
    say_schedule_end(r);
    const bool last = r->state.step == r->n_steps;
    /* Saved first: an evaluation that never ends loses no step. Who resumes evaluates again. */
    if (!last) TRM_TRY(trm_run_save_if_due(r));
    if (!stop && !last && trm_due(r->state.step, r->eval_every)) TRM_TRY(evaluate(r, &stop));
    over = patience_is_over(r, why);
  }
  if (over && !stop && r->state.step > first_step) say_over(r, why);
  if (r->given_up && !stop) trm_log_line(r->log, "given up after step %" PRId64, r->state.step);
  const bool pauses = r->state.step == r->end_step && r->end_step < r->n_steps;
  if (pauses && !stop) {
    TRM_TRY(evaluate_once(r, &stop));
    trm_log_line(r->log, "paused after step %" PRId64 " of %" PRId64, r->state.step, r->n_steps);
  }
  if (r->state.step == r->n_steps) { /* a stop that came with the last step stops nothing */
    stop = false;
    r->budget_counts = false;
    if (r->eval_at_end) TRM_TRY(evaluate_once(r, &stop));
  }
  *stopped = stop;
  if (r->options->watch) r->options->watch->end_step = r->state.step;
  /* A failure of rank 0's outputs at the very end comes to all ranks here. */
  TRM_TRY(trm_comm_agree(r->comm, r->pending));
  if (!stop && trm_run_writes(r)) say_best(r);
  return finish(r, !stop && !pauses);
}
