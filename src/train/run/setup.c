/* Set-up of a run, and its end. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "layers.h"
#include "run.h"
#include "states.h"
#include "transfer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/io/files.h"
#include "trireme/io/lock.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"
#include "trireme/optim/plugins.h"
#include "trireme/train/layout.h"

static trm_status create_sync(trm_run *r) {
  const trm_config *config = r->options->config;
  const trm_gradsync_options options = {
      .engine = trm_config_string(config, "comm.allreduce"),
      .progress = trm_config_string(config, "comm.progress"),
      .n_blocks = r->task->n_blocks,
      .bucket_bytes = 1024 * trm_run_int(r, "comm.bucket_kib"),
      .shared_window = trm_config_bool(config, "comm.shared_window"),
      .sharded = trm_states_shared_out(&r->learner),
  };
  /* The main thread exchanges rows while another one reduces gradients. */
  if (r->task->exchanges && strcmp(options.progress, "thread") == 0 &&
      trm_comm_thread_level(r->comm) < TRM_THREAD_MULTIPLE) {
    return trm_fail(TRM_ERR_CONFIG,
                    "comm.progress is 'thread', but this MPI does not let two threads "
                    "communicate at once, as graphs need; set it to 'poll'");
  }
  TRM_TRY(trm_gradsync_create(r->comm, r->learner.params, &options, &r->sync));
  if (!options.sharded) return TRM_OK;
  return trm_sharded_create(r->comm, r->sync, r->learner.optimizer, &r->sharded);
}

/* A run directory belongs to one run at a time. */
static trm_status lock_dir(trm_run *r) {
  TRM_TRY(trm_folder_make(r->dir.root));
  return trm_lock_take(r->dir.root, &r->lock);
}

/* Rank 0's folder, store, log and metrics. */
static trm_status open_outputs(trm_run *r) {
  if (!r->root || !trm_run_writes(r)) return TRM_OK;
  const trm_config *config = r->options->config;
  char path[TRM_PATH_BYTES];
  if (r->lock < 0) TRM_TRY(lock_dir(r));
  TRM_TRY(trm_rundir_make(&r->dir, config));
  TRM_TRY(trm_rundir_final_remove(&r->dir));
  TRM_TRY(trm_path_join(path, sizeof path, r->dir.root, "log.txt"));
  TRM_TRY(trm_log_open_file(r->log, path));
  if (r->resumed) trm_log_note(r->log, "resumed at step %" PRId64, r->state.step);
  const int keep = (int)trm_run_int(r, "checkpoint.keep");
  TRM_TRY(trm_ckpt_store_open(r->dir.checkpoints, keep, &r->store));
  trm_ckpt_store_guard(r->store);
  r->written_step = trm_ckpt_newest_step(r->store);
  TRM_TRY(trm_ckpt_check_room(r->store, r->regions.rows, r->regions.n, 1));
  /* What is kept, one that is being written, and the best. */
  if (trm_ckpt_check_room(r->store, r->regions.rows, r->regions.n, keep + 2) != TRM_OK) {
    trm_log_warn(r->log, "%s", trm_message());
  }
  return TRM_OK;
}

/* No checkpoint is on disk without the rows up to its step: those alone are not made again. */
static trm_status accompany_checkpoints(const trm_run *r) {
  static const char *const tables[] = {"metrics.csv", "hashes.csv", "samples.csv", "norms.csv"};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; ++i) {
    TRM_TRY(trm_ckpt_accompany(r->store, r->dir.root, tables[i]));
  }
  return TRM_OK;
}

static trm_status open_metrics(trm_run *r) {
  if (!r->root || !trm_run_writes(r)) return TRM_OK;
  const trm_metrics_options options = {.folder = r->dir.root,
                                       .first_step = r->state.step,
                                       .evaluated = r->state.eval_step == r->state.step,
                                       .n_steps = r->n_steps,
                                       .log_every = trm_run_int(r, "log.every"),
                                       .task = r->task,
                                       .optimizer = r->learner.optimizer,
                                       .tensorboard =
                                           trm_config_bool(r->options->config, "log.tensorboard")};
  if (trm_config_bool(r->options->config, "log.samples")) {
    TRM_TRY(trm_step_table_open(&r->ledger, r->dir.root, "samples.csv", "step,samples",
                                r->state.step, true));
  }
  if (r->norms.every > 0) {
    TRM_TRY(trm_step_table_open(&r->norms.table, r->dir.root, "norms.csv",
                                "step,parameter,weight_norm,grad_norm", r->state.step, true));
  }
  TRM_TRY(trm_metrics_open(&options, r->log, &r->metrics));
  return accompany_checkpoints(r);
}

static void say_warning(void *context, const char *sentence) {
  trm_log_warn(context, "%s", sentence);
}

static void say_rules(trm_run *r) {
  const trm_optimizer *optimizer = r->learner.optimizer;
  for (int i = 0; i < trm_optimizer_n_rules(optimizer); ++i) {
    char text[TRM_RULE_TEXT_BYTES];
    trm_learner_rule_text(&r->learner, i, text);
    trm_log_line(r->log, "%s", text);
  }
}

static void name_plugins(trm_run *r) {
  const trm_config *config = r->options->config;
  trm_plugin_identity plugin;
  for (int i = 0; i < TRM_PLUGIN_KEYS; ++i) {
    const char *key = trm_plugin_keys[i];
    if (!trm_plugin_identify(config, key, &plugin)) continue;
    trm_log_line(r->log, "%s: %s %s from %s, contents %016" PRIx64, key, plugin.name,
                 plugin.version, trm_config_string(config, key), plugin.digest);
  }
}

static trm_status introduce(trm_run *r) {
  trm_layout layout;
  TRM_TRY(trm_layout_gather(r->comm, &layout));
  if (r->root) {
    char summary[256], n_weights[32];
    trm_layout_summary(r->comm, &layout, summary, sizeof summary);
    trm_layout_warnings(r->comm, &layout, say_warning, r->log);
    const int64_t warmup = trm_schedule_warmup(r->options->config);
    if (warmup > 0 && warmup >= r->n_steps && !r->options->search) {
      trm_log_warn(r->log,
                   "schedule.warmup_steps is %" PRId64 ", train.steps %" PRId64
                   ": the learning rate will not get to optimizer.lr",
                   warmup, r->n_steps);
    }
    if (trm_gemm_bf16() && !trm_bf16_instruction()) {
      trm_log_warn(r->log,
                   "train.precision is bf16, but this processor has no dot product of bfloat16 "
                   "(AVX512_BF16): plain arithmetic gives the same bits, several times slower than "
                   "float32");
    }
    trm_format_count(r->learner.params->n_weights, n_weights);
    trm_log_line(r->log, "%s, gradients by %s (%s)", summary,
                 trm_config_string(r->options->config, "comm.allreduce"),
                 trm_gradsync_transport(r->sync));
    trm_log_line(r->log, "%s: %s parameter%s, %s in %" PRId64 " block%s",
                 trm_config_string(r->options->config, "model.kind"), n_weights,
                 trm_plural(r->learner.params->n_weights), r->task->summary, r->task->n_blocks,
                 trm_plural(r->task->n_blocks));
  }
  trm_layout_free(&layout);
  name_plugins(r);
  say_rules(r);
  return TRM_OK;
}

trm_status trm_run_resolve(const trm_train_options *options, trm_task *task) {
  trm_config *config = options->config;
  TRM_TRY(trm_task_resolve(task, config));
  if (options->extend == 0) return TRM_OK;
  /* Steps take the place of epochs, which would set them again. */
  TRM_TRY(trm_config_set(config, "train.epochs=0"));
  return trm_config_set_int(config, "train.steps",
                            trm_config_int(config, "train.steps") + options->extend);
}

/* Every key: those that do not change the result still decide which collectives are called. */
static trm_status check_same_config(const trm_run *r) {
  char *facts = NULL;
  trm_status status = trm_comm_agree(r->comm, trm_config_facts(r->options->config, &facts));
  if (status == TRM_OK) {
    status = trm_comm_check_same(r->comm, facts, "start all ranks with the same configuration");
  }
  TRM_FREE(facts);
  return status;
}

static trm_status check_same_plugins(const trm_run *r) {
  char facts[TRM_PLUGIN_KEYS * 256] = "";
  size_t n = 0;
  trm_plugin_identity plugin;
  for (int i = 0; i < TRM_PLUGIN_KEYS; ++i) {
    if (!trm_plugin_identify(r->options->config, trm_plugin_keys[i], &plugin)) continue;
    n += (size_t)snprintf(facts + n, sizeof facts - n, "%s\t%.60s %.60s, contents %016" PRIx64 "\n",
                          trm_plugin_keys[i], plugin.name, plugin.version, plugin.digest);
  }
  return trm_comm_check_same(r->comm, facts, "give all ranks the same library");
}

static trm_status check_same_model(const trm_run *r) {
  char facts[64];
  (void)snprintf(facts, sizeof facts, "the number of parameters\t%" PRId64,
                 r->learner.params->n_weights);
  return trm_comm_check_same(r->comm, facts,
                             "start all ranks with the same program, configuration and data");
}

/* How far it is trained this time. */
static void resolve_end(trm_run *r) {
  trm_train_watch *watch = r->options->watch;
  r->n_steps = trm_run_int(r, "train.steps");
  r->end_step = r->n_steps;
  if (!watch) return;
  watch->n_steps = r->n_steps;
  if (!(watch->until > 0 && watch->until < 1)) return;
  const int64_t step = (int64_t)ceil(watch->until * (double)r->n_steps);
  r->end_step = step > 1 ? step : 1;
}

/* What the configuration and the data decide, before there is a model. */
static trm_status open_task(trm_run *r) {
  trm_config *config = r->options->config;
  trm_status status = trm_gemm_configure(config);
  if (status == TRM_OK) status = trm_rundir_paths(trm_config_string(config, "run.dir"), &r->dir);
  if (status == TRM_OK) status = trm_watch_fault(r->comm, trm_config_string(config, "debug.fault"));
  TRM_TRY(trm_comm_agree(r->comm, status));
  TRM_TRY(check_same_config(r));
  TRM_TRY(check_same_plugins(r));
  trm_watch_phase(r->comm, "reading the data", 0);
  trm_watch_pause(r->comm); /* rank 0 of a host may read while others wait */
  TRM_TRY(trm_task_open(r->comm, config, TRM_USE_TRAIN, r->log, &r->task));
  TRM_TRY(trm_comm_agree(r->comm, trm_run_resolve(r->options, r->task))); /* METIS takes its time */
  trm_watch_phase(r->comm, "set-up", 0);
  resolve_end(r);
  return TRM_OK;
}

/* Outputs, and the reading ahead of batches. Collective; the status is the same on all ranks. */
static trm_status open_both_ends(trm_run *r) {
  trm_status status = TRM_OK;
  /* A run that goes on has what its schedule began with already. */
  if (!r->resumed) status = trm_schedule_resolve(r->options->config, r->n_steps);
  if (status == TRM_OK) status = TRM_ALLOC(&r->hashes, trm_comm_size(r->comm), "hashes of ranks");
  if (status == TRM_OK) status = open_outputs(r);
  if (status == TRM_OK) status = open_metrics(r);
  if (status == TRM_OK && r->root && r->findings) {
    status = trm_layers_write(&r->learner, r->dir.root);
  }
  TRM_TRY(trm_comm_agree(r->comm, status));
  return trm_comm_agree(
      r->comm, r->task->kind->start(r->task, &r->learner, r->sync, r->state.step, r->n_steps));
}

/* Weights and state of the checkpoint to go on from, if there is one. Collective. */
static trm_status resume(trm_run *r) {
  char from[TRM_PATH_BYTES];
  TRM_TRY(trm_resume(r->comm, r->options, &r->dir, r->task, &r->learner, &r->regions, r->log,
                     &r->state, from));
  r->resumed = from[0] != 0;
  if (r->resumed) trm_log_line(r->log, "resumed from %s at step %" PRId64, from, r->state.step);
  return TRM_OK;
}

trm_status trm_run_set_up(trm_run *r) {
  trm_config *config = r->options->config;
  r->root = trm_comm_rank(r->comm) == 0;
  r->start_s = trm_clock_s();
  trm_watch_phase(r->comm, "set-up", 0);
  r->seed = (uint64_t)trm_run_int(r, "run.seed");
  /* A replay repeats the training, to which evaluations belong when the rate follows them. */
  const bool evaluates = trm_run_writes(r), follows = trm_schedule_follows(config);
  r->eval_every = evaluates || (follows && !r->options->search) ? trm_run_int(r, "eval.every") : 0;
  r->ckpt_every = trm_run_int(r, "checkpoint.every");
  r->check_every = trm_run_int(r, "check.every");
  r->eval_at_end = evaluates && trm_config_bool(config, "eval.at_end");
  r->time_budget_s = trm_config_real(config, "train.time_budget_s");
  TRM_TRY(open_task(r));
  if (evaluates) r->patience = trm_patience_of(config, trm_task_epoch_steps(r->task));
  trm_status status = TRM_OK;
  if (evaluates && trm_config_bool(config, "log.report")) {
    status = trm_findings_create(&r->findings);
    if (status == TRM_OK) status = trm_findings_create(&r->best_findings);
    TRM_TRY(trm_comm_agree(r->comm, status));
    r->findings_written_s = trm_clock_s();
    r->task->findings = r->findings;
  }
  status = trm_states_learner(r->comm, config, &r->task->dims, &r->learner);
  if (status == TRM_OK) status = trm_learner_regions(&r->learner, &r->regions);
  if (status == TRM_OK && !r->options->replay) {
    status = trm_norms_create(r->learner.params, trm_run_int(r, "log.norms"), &r->norms);
  }
  TRM_TRY(trm_comm_agree(r->comm, status));
  TRM_TRY(check_same_model(r));
  TRM_TRY(create_sync(r));
  trm_watch_blocks(r->comm, r->task->n_blocks);
  TRM_TRY(trm_comm_agree(r->comm, trm_task_plan(r->task, &r->learner, true)));
  if (r->root && trm_run_writes(r) && trm_path_exists(r->dir.root)) status = lock_dir(r);
  TRM_TRY(trm_comm_agree(r->comm, status));
  trm_watch_phase(r->comm, "reading the checkpoint", 0);
  trm_watch_pause(r->comm); /* from a slow disk */
  TRM_TRY(resume(r));
  trm_watch_phase(r->comm, "opening the outputs", r->state.step);
  trm_watch_pause(r->comm);
  if (!r->resumed) TRM_TRY(trm_transfer(r->comm, config, r->task, &r->learner, r->log));
  r->samples_hash = r->state.samples_hash;
  trm_processors before; /* the threads of outputs and loader are none that compute */
  trm_threads_unpin(&before);
  status = open_both_ends(r);
  trm_threads_pin(&before);
  TRM_TRY(status);
  return introduce(r);
}

trm_status trm_run_tear_down(trm_run *r) {
  trm_status status = trm_ckpt_store_close(&r->store);
  const trm_status ledger = trm_step_table_close(&r->ledger);
  if (status == TRM_OK) status = ledger;
  const trm_status norms = trm_norms_destroy(&r->norms);
  if (status == TRM_OK) status = norms;
  const trm_status metrics = trm_metrics_close(&r->metrics);
  if (status == TRM_OK) status = metrics;
  if (r->findings_pending) { /* names of classes are the data set's */
    const trm_status written = trm_findings_write(r->best_findings, r->dir.root);
    if (status == TRM_OK) status = written;
  }
  trm_task_close(&r->task);
  trm_findings_destroy(&r->findings);
  trm_findings_destroy(&r->best_findings);
  trm_sharded_destroy(&r->sharded);
  trm_gradsync_destroy(&r->sync);
  trm_regions_free(&r->regions);
  trm_learner_destroy(&r->learner);
  TRM_FREE(r->hashes);
  trm_lock_release(&r->lock);
  return status;
}
