/* Checkpoints of a run. */
#include <inttypes.h>
#include <stdio.h>

#include "average.h"
#include "plugin_facts.h"
#include "run.h"
#include "schedule_facts.h"
#include "states.h"
#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/train/layout.h"

trm_status trm_run_forgive(trm_run *r, trm_status status) {
  const int64_t newest = trm_ckpt_newest_step(r->store);
  if (newest != r->written_step) { /* one has been written since */
    r->written_step = newest;
    r->n_failed_saves = 0;
  }
  if (status != TRM_ERR_IO || newest < 0) return status;
  const int64_t most = trm_run_int(r, "checkpoint.failures");
  if (++r->n_failed_saves > most) return status;
  trm_log_warn(r->log,
               "%s. The run goes on, its newest checkpoint is of step %" PRId64 "; %" PRId64
               " of %" PRId64 " failures in a row (checkpoint.failures)",
               trm_message(), newest, r->n_failed_saves, most);
  return TRM_OK;
}

/* Texts are borrowed, facts are not: trm_facts_free. */
static trm_status describe_run(const trm_run *r, const char *config_text, char fingerprint[128],
                               trm_ckpt_info *info) {
  trm_fingerprint(fingerprint, 128);
  *info = (trm_ckpt_info){.step = r->state.step,
                          .seed = r->seed,
                          .data_digest = r->task->digest,
                          .weights_hash = trm_params_hash(r->learner.params),
                          .samples_hash = r->samples_hash,
                          .best_value = r->state.best_value,
                          .best_step = r->state.best_step,
                          .eval_step = r->state.eval_step,
                          .config_text = (char *)config_text,
                          .program_version = TRM_VERSION,
                          .fingerprint = fingerprint};
  TRM_TRY(trm_task_facts(r->task, &info->facts));
  TRM_TRY(trm_early_stop_keep(&r->state.early, &info->facts));
  TRM_TRY(trm_best_list_keep(&r->state.best, &info->facts));
  if (r->learner.average)
    TRM_TRY(trm_average_keep(r->learner.average, r->learner.params, &info->facts));
  TRM_TRY(trm_plugins_keep(r->options->config, &info->facts));
  return trm_schedule_keep(r->options->config, trm_optimizer_schedule(r->learner.optimizer),
                           &info->facts);
}

/* The write goes on while training does. */
static trm_status write_checkpoint(trm_run *r, bool best) {
  char *config_text = NULL, fingerprint[128];
  TRM_TRY(trm_run_forgive(r, trm_ckpt_wait(r->store)));
  TRM_TRY(trm_ckpt_hold(r->store, r->state.best.steps, r->state.best.n));
  if (r->metrics) TRM_TRY(trm_metrics_flush(r->metrics)); /* no checkpoint without its rows */
  TRM_TRY(trm_config_text(r->options->config, false, &config_text));
  trm_ckpt_info info;
  trm_status status = describe_run(r, config_text, fingerprint, &info);
  if (status == TRM_OK) {
    /* Before there is an average there is none to save. */
    const int n = trm_average_any(r->learner.average) ? r->regions.n : r->regions.n_training;
    status = trm_ckpt_save(r->store, &info, r->regions.rows, n, best);
  }
  trm_facts_free(&info.facts);
  TRM_FREE(config_text);
  return status;
}

/* What fails is kept in r->pending. Collective, since rank 0, which alone has a store, collects state
 * that is shared out: all ranks come here after the same steps, also one with something pending. */
void trm_run_save(trm_run *r, bool best) {
  trm_real *states = NULL;
  r->saved_step = r->state.step;
  r->evaluated_since = false;
  if (!trm_run_writes(r)) return;
  if (r->sharded) {
    trm_watch_phase(r->comm, "collecting a checkpoint", r->state.step);
    const trm_status status = trm_states_collect(r->comm, &r->learner, &r->regions, &states);
    if (r->pending == TRM_OK) r->pending = status;
  }
  if (r->store && r->pending == TRM_OK) {
    trm_watch_phase(r->comm, "saving a checkpoint", r->state.step);
    trm_watch_pause(r->comm);
    r->pending = write_checkpoint(r, best);
  }
  if (r->sharded) trm_states_release(&r->learner, &r->regions, &states);
}

trm_status trm_run_save_last(trm_run *r) {
  if (r->saved_step != r->state.step || r->evaluated_since) trm_run_save(r, false);
  trm_watch_phase(r->comm, "saving a checkpoint", r->state.step);
  trm_watch_pause(r->comm); /* the disk may be slow; whoever dies meanwhile ends the job */
  if (r->store && r->pending == TRM_OK) r->pending = trm_ckpt_wait(r->store);
  return trm_comm_agree(r->comm, r->pending);
}

/* Whether the last write is still under way after a wait that the other ranks' deadline allows. */
static bool disk_is_behind(trm_run *r) {
  const double deadline_s = trm_config_real(r->options->config, "comm.deadline_s");
  const double start_s = trm_clock_s();
  bool writing = false;
  while (r->pending == TRM_OK) {
    r->pending = trm_run_forgive(r, trm_ckpt_poll(r->store, &writing));
    if (!writing || (deadline_s > 0 && trm_clock_s() - start_s > deadline_s / 4)) break;
    trm_sleep_s(0.001);
  }
  return writing;
}

trm_status trm_run_save_if_due(trm_run *r) {
  if (r->saved_step == r->state.step || !trm_due(r->state.step, r->ckpt_every)) return TRM_OK;
  double behind = r->store && disk_is_behind(r) ? 1 : 0;
  if (r->sharded) TRM_TRY(trm_comm_max_f64(r->comm, &behind, 1)); /* else only rank 0 saves */
  if (behind > 0) {
    trm_log_warn(r->log,
                 "step %" PRId64 ": no checkpoint, the last one is still being written; "
                 "checkpoint.every is short for this disk",
                 r->state.step);
    return TRM_OK;
  }
  trm_run_save(r, false);
  return TRM_OK;
}
