/*
 * A training run: set up, the loop over steps, and the way out.
 *
 * Every rank goes through the same calls in the same order. What only one rank can see (a full
 * disk, a signal) is carried to the next place where the ranks agree: trm_comm_agree in set-up, the
 * status element of the last gradient bucket inside a step.
 */
#include "trireme/train/train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "drift.h"
#include "evaluate.h"
#include "metrics.h"
#include "replay.h"
#include "resume.h"
#include "rundir.h"
#include "samples.h"
#include "signals.h"
#include "states.h"
#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/input/loader.h"
#include "trireme/io/files.h"
#include "trireme/io/lock.h"
#include "trireme/math/gemm.h"
#include "trireme/parallel/gradsync.h"
#include "trireme/parallel/sharded.h"
#include "trireme/train/layout.h"
#include "trireme/train/learner.h"

typedef struct run {
  trm_comm *comm;                   /* borrowed */
  const trm_train_options *options; /* borrowed */
  trm_log *log;                     /* borrowed; silent on other ranks than 0 */
  bool root;

  trm_rundir dir;
  trm_dataset *dataset;
  trm_learner learner;
  trm_regions regions;
  trm_gradsync *sync;
  trm_sharded *sharded; /* NULL when every rank has all of the optimizer's state */
  trm_loader *loader;
  trm_evaluator *evaluator;
  trm_ckpt_store *store;               /* rank 0 only */
  trm_metrics *metrics;                /* rank 0 only */
  trm_table ledger;                    /* samples.csv, rank 0 only and on request */
  uint64_t weights_hash, samples_hash; /* of the last step, where they were taken */
  trm_run_state state;
  bool resumed;
  uint64_t *hashes;   /* [ranks], scratch of the drift check; owned */
  int lock;           /* on the run directory, -1: none */
  bool budget_counts; /* the time budget may stop the run */
  bool replay_stop;   /* a replay has found a difference */
  int64_t saved_step; /* newest step handed to the store, -1: none */
  trm_status pending; /* what this rank failed with since the ranks last agreed */

  uint64_t seed;
  int64_t n_steps, T, batch, n_blocks;
  int64_t eval_every, ckpt_every, check_every;
  double time_budget_s, start_s;
} run;

static int64_t get_int(const run *r, const char *key) {
  return trm_config_int(r->options->config, key);
}

/* ---- set-up --------------------------------------------------------------------------------- */

/* How long the cosine falls: as given, as in the run that is resumed, or to train.steps. */
static trm_status resolve_decay(run *r) {
  trm_config *config = r->options->config;
  char text[64];
  if (trm_config_int(config, "schedule.decay_steps") != 0) return TRM_OK;
  const int64_t decay = r->resumed ? r->state.decay_steps : r->n_steps;
  if (decay < r->n_steps) {
    trm_log_line(r->log,
                 "the learning rate follows the schedule the run began with, to step %" PRId64
                 "; schedule.decay_steps changes that",
                 decay);
  }
  (void)snprintf(text, sizeof text, "schedule.decay_steps=%" PRId64, decay);
  return trm_config_set(config, text);
}

static trm_status check_equal_ranks(run *r) {
  /* Every key: those that do not change the result still decide which collectives are called. */
  TRM_TRY(trm_comm_check_equal(r->comm, trm_config_digest(r->options->config, true),
                               "the configuration"));
  TRM_TRY(trm_comm_check_equal(r->comm, trm_dataset_digest(r->dataset), "the data set"));
  return trm_comm_check_equal(r->comm, (uint64_t)r->learner.params->n_weights,
                              "the number of parameters");
}

static trm_status create_sync(run *r) {
  const trm_config *config = r->options->config;
  const trm_gradsync_options options = {
      .engine = trm_config_string(config, "comm.allreduce"),
      .progress = trm_config_string(config, "comm.progress"),
      .n_blocks = r->n_blocks,
      .bucket_bytes = 1024 * get_int(r, "comm.bucket_kib"),
      .shared_window = trm_config_bool(config, "comm.shared_window"),
      .sharded = trm_states_shared_out(&r->learner),
  };
  TRM_TRY(trm_gradsync_create(r->comm, r->learner.params, &options, &r->sync));
  if (!options.sharded) return TRM_OK;
  return trm_sharded_create(r->comm, r->sync, r->learner.optimizer, &r->sharded);
}

static trm_status create_learner(run *r) {
  const trm_config *config = r->options->config;
  const int64_t vocab = trm_dataset_vocab(r->dataset);
  const int64_t max_samples = trm_block_samples_max(r->batch, r->n_blocks);
  if (!trm_config_bool(config, "optimizer.sharded")) {
    return trm_learner_create(config, vocab, max_samples, true, &r->learner);
  }
  return trm_learner_create_share(config, vocab, max_samples, trm_comm_rank(r->comm),
                                  trm_comm_size(r->comm), &r->learner);
}

static trm_status create_loader(run *r) {
  int64_t first_block, n_local, first, n, end, unused;
  trm_gradsync_blocks(r->sync, &first_block, &n_local);
  trm_block_samples(r->batch, r->n_blocks, first_block, &first, &unused);
  trm_block_samples(r->batch, r->n_blocks, first_block + n_local - 1, &end, &n);
  const trm_loader_options options = {.seed = r->seed,
                                      .context = r->T,
                                      .batch = r->batch,
                                      .first = first,
                                      .n = end + n - first,
                                      .first_step = r->state.step,
                                      .end_step = r->n_steps,
                                      .depth = 4};
  return trm_loader_create(r->dataset, &options, &r->loader);
}

/* A run directory belongs to one run at a time. */
static trm_status lock_dir(run *r) {
  TRM_TRY(trm_folder_make(r->dir.root));
  return trm_lock_take(r->dir.root, &r->lock);
}

/* Rank 0's folder, store, log and metrics. */
static trm_status open_outputs(run *r) {
  if (!r->root || r->options->replay) return TRM_OK;
  const trm_config *config = r->options->config;
  char path[TRM_PATH_BYTES];
  if (r->lock < 0) TRM_TRY(lock_dir(r));
  TRM_TRY(trm_rundir_make(&r->dir, config));
  TRM_TRY(trm_path_join(path, sizeof path, r->dir.root, "log.txt"));
  TRM_TRY(trm_log_open_file(r->log, path));
  return trm_ckpt_store_open(r->dir.checkpoints, (int)get_int(r, "checkpoint.keep"), &r->store);
}

static trm_status open_metrics(run *r) {
  if (!r->root || r->options->replay) return TRM_OK;
  const trm_metrics_options options = {.folder = r->dir.root,
                                       .first_step = r->state.step,
                                       .n_steps = r->n_steps,
                                       .log_every = get_int(r, "log.every"),
                                       .tensorboard =
                                           trm_config_bool(r->options->config, "log.tensorboard")};
  if (trm_config_bool(r->options->config, "log.samples")) {
    TRM_TRY(trm_table_open(&r->ledger, r->dir.root, "samples.csv", "step,samples", r->state.step));
  }
  return trm_metrics_open(&options, r->log, &r->metrics);
}

static void say_warning(void *context, const char *sentence) {
  trm_log_warn(context, "%s", sentence);
}

static trm_status introduce(run *r) {
  trm_layout layout;
  TRM_TRY(trm_layout_gather(r->comm, &layout));
  if (r->root) {
    char summary[256], n_weights[32];
    trm_layout_summary(r->comm, &layout, summary, sizeof summary);
    trm_layout_warnings(r->comm, &layout, say_warning, r->log);
    if (get_int(r, "schedule.warmup_steps") >= r->n_steps) {
      trm_log_warn(r->log,
                   "schedule.warmup_steps is %" PRId64 ", train.steps %" PRId64
                   ": the learning rate will not get to optimizer.lr",
                   get_int(r, "schedule.warmup_steps"), r->n_steps);
    }
    trm_format_count(r->learner.params->n_weights, n_weights);
    trm_log_line(r->log, "%s, gradients by %s (%s)", summary,
                 trm_config_string(r->options->config, "comm.allreduce"),
                 trm_gradsync_transport(r->sync));
    trm_log_line(r->log,
                 "%s: %s parameters, vocabulary %" PRId64 ", %" PRId64 " x %" PRId64
                 " tokens a step in %" PRId64 " blocks",
                 trm_config_string(r->options->config, "model.kind"), n_weights,
                 trm_dataset_vocab(r->dataset), r->batch, r->T, r->n_blocks);
  }
  trm_layout_free(&layout);
  return TRM_OK;
}

static trm_status set_up(run *r) {
  trm_config *config = r->options->config;
  r->root = trm_comm_rank(r->comm) == 0;
  r->start_s = trm_clock_s();
  trm_watch_phase(r->comm, "set-up", 0);
  trm_status status = trm_train_resolve(config);
  r->n_steps = get_int(r, "train.steps");
  r->T = get_int(r, "model.context");
  r->batch = get_int(r, "batch.size");
  r->n_blocks = get_int(r, "batch.blocks");
  r->seed = (uint64_t)get_int(r, "run.seed");
  r->eval_every = get_int(r, "eval.every");
  r->ckpt_every = get_int(r, "checkpoint.every");
  r->check_every = get_int(r, "check.every");
  r->time_budget_s = trm_config_real(config, "train.time_budget_s");
  if (status == TRM_OK) status = trm_gemm_select(trm_config_string(config, "math.gemm"));
  if (status == TRM_OK) status = trm_rundir_paths(trm_config_string(config, "run.dir"), &r->dir);
  if (status == TRM_OK) status = trm_train_open_data(config, &r->dataset);
  if (status == TRM_OK) status = create_learner(r);
  if (status == TRM_OK) status = trm_learner_regions(&r->learner, &r->regions);
  TRM_TRY(trm_comm_agree(r->comm, status));
  TRM_TRY(check_equal_ranks(r));
  TRM_TRY(create_sync(r));
  if (r->root && !r->options->replay && trm_path_exists(r->dir.root)) status = lock_dir(r);
  TRM_TRY(trm_comm_agree(r->comm, status));
  trm_watch_phase(r->comm, "reading the checkpoint", 0);
  TRM_TRY(trm_resume(r->comm, r->options, &r->dir, r->dataset, &r->learner, &r->regions, r->log,
                     &r->state, &r->resumed));
  trm_watch_phase(r->comm, "opening the outputs", r->state.step);
  r->samples_hash = r->state.samples_hash;
  status = resolve_decay(r);
  if (status == TRM_OK) status = TRM_ALLOC(&r->hashes, trm_comm_size(r->comm), "hashes of ranks");
  if (status == TRM_OK) status = open_outputs(r);
  if (status == TRM_OK) status = open_metrics(r);
  if (status == TRM_OK) status = create_loader(r);
  TRM_TRY(trm_comm_agree(r->comm, status));
  TRM_TRY(trm_evaluator_create(r->comm, r->dataset, &r->learner, r->T,
                               trm_block_samples_max(r->batch, r->n_blocks), &r->evaluator));
  return introduce(r);
}

/* Waits for the last checkpoint and lets everything go; reports the first failure. */
static trm_status tear_down(run *r) {
  trm_status status = trm_ckpt_store_close(&r->store);
  const trm_status ledger = trm_table_close(&r->ledger);
  if (status == TRM_OK) status = ledger;
  const trm_status metrics = trm_metrics_close(&r->metrics);
  if (status == TRM_OK) status = metrics;
  trm_evaluator_destroy(&r->evaluator);
  trm_loader_destroy(&r->loader);
  trm_sharded_destroy(&r->sharded);
  trm_gradsync_destroy(&r->sync);
  trm_regions_free(&r->regions);
  trm_learner_destroy(&r->learner);
  trm_dataset_close(&r->dataset);
  TRM_FREE(r->hashes);
  trm_lock_release(&r->lock);
  return status;
}

/* ---- checkpoints ---------------------------------------------------------------------------- */

static void describe_run(const run *r, const char *config_text, char fingerprint[128],
                         trm_ckpt_info *info) {
  const trm_vocab *vocab = trm_dataset_vocabulary(r->dataset);
  trm_fingerprint(fingerprint, 128);
  *info = (trm_ckpt_info){.step = r->state.step,
                          .seed = r->seed,
                          .data_digest = trm_dataset_digest(r->dataset),
                          .weights_hash = trm_params_hash(r->learner.params),
                          .samples_hash = r->samples_hash,
                          .best_loss = r->state.best_loss,
                          .best_step = r->state.best_step,
                          .eval_step = r->state.eval_step,
                          .vocab = vocab->n,
                          .config_text = (char *)config_text,
                          .program_version = TRM_VERSION,
                          .fingerprint = fingerprint,
                          .vocab_offsets = vocab->offsets,
                          .vocab_bytes = vocab->bytes};
  (void)snprintf(info->vocab_unit, sizeof info->vocab_unit, "%s", vocab->unit);
}

/* The write goes on while training does. */
static trm_status write_checkpoint(run *r, bool best) {
  char *config_text = NULL, fingerprint[128];
  if (r->metrics) TRM_TRY(trm_metrics_flush(r->metrics)); /* no checkpoint without its rows */
  TRM_TRY(trm_config_text(r->options->config, &config_text));
  trm_ckpt_info info;
  describe_run(r, config_text, fingerprint, &info);
  const trm_status status = trm_ckpt_save(r->store, &info, r->regions.rows, r->regions.n, best);
  TRM_FREE(config_text);
  return status;
}

/* What fails is kept in r->pending. Collective, since rank 0, which alone has a store, collects state
 * that is shared out: all ranks come here after the same steps, also one with something pending. */
static void save(run *r, bool best) {
  trm_real *states = NULL;
  r->saved_step = r->state.step;
  if (r->options->replay) return;
  if (r->sharded) {
    trm_watch_phase(r->comm, "collecting a checkpoint", r->state.step);
    const trm_status status = trm_states_collect(r->comm, &r->learner, &r->regions, &states);
    if (r->pending == TRM_OK) r->pending = status;
  }
  if (r->store && r->pending == TRM_OK) r->pending = write_checkpoint(r, best);
  if (r->sharded) trm_states_release(&r->learner, &r->regions, &states);
}

/* Saves if this step has not been saved, and waits until it is on disk. Collective. */
static trm_status save_last(run *r) {
  if (r->saved_step != r->state.step) save(r, false);
  trm_watch_pause(r->comm); /* the disk may be slow; whoever dies meanwhile ends the job */
  if (r->store && r->pending == TRM_OK) r->pending = trm_ckpt_wait(r->store);
  return trm_comm_agree(r->comm, r->pending);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static bool stop_wanted(void *context) {
  const run *r = context;
  if (trm_signals_received() != 0 || r->replay_stop) return true;
  return r->budget_counts && r->time_budget_s > 0 && trm_clock_s() - r->start_s >= r->time_budget_s;
}

/* Forward and backward over this rank's blocks of one batch. */
static trm_status run_blocks(run *r) {
  trm_text_batch batch;
  TRM_TRY(trm_loader_next(r->loader, &batch));
  TRM_ASSERT(batch.step == r->state.step);
  int64_t first_block, n_local, base, unused;
  trm_gradsync_blocks(r->sync, &first_block, &n_local);
  trm_block_samples(r->batch, r->n_blocks, first_block, &base, &unused);
  for (int64_t i = 0; i < n_local; ++i) {
    int64_t first, n;
    trm_block_samples(r->batch, r->n_blocks, first_block + i, &first, &n);
    const int64_t at = (first - base) * r->T;
    const trm_tokens tokens = {
        .N = n, .T = r->T, .inputs = batch.inputs + at, .targets = batch.targets + at};
    trm_pass pass = {.training = true, .seed = r->seed, .step = r->state.step, .sample0 = first};
    trm_watch_phase(r->comm, "forward and backward", r->state.step); /* each block is progress */
    trm_gradsync_block_begin(r->sync, i, &pass);
    trm_tape_begin(r->learner.tape, &pass);
    trm_var *loss = trm_model_loss(r->learner.model, r->learner.tape, &tokens);
    trm_gradsync_block_backward(r->sync, i, r->learner.tape, loss,
                                trm_samples_hash(batch.samples + first - base, n));
    TRM_TRY(trm_tape_status(r->learner.tape));
  }
  return TRM_OK;
}

/* The loss or a gradient is not finite; the same on all ranks. */
static trm_status diverged(const run *r, double loss, const trm_step_info *info) {
  char where[TRM_PARAM_NAME_BYTES + 64] = "gradients are finite";
  char last[64] = "there is no checkpoint yet";
  const int row =
      info->bad_element >= 0 ? trm_params_find(r->learner.params, info->bad_element) : -1;
  if (row >= 0) {
    (void)snprintf(where, sizeof where, "gradients are not finite, first that of %s",
                   r->learner.params->rows[row].name);
  }
  if (r->store) {
    const trm_status written = trm_ckpt_wait(r->store); /* one may be on its way */
    const int64_t newest = trm_ckpt_newest_step(r->store);
    if (written != TRM_OK) {
      (void)snprintf(last, sizeof last, "the last checkpoint could not be written");
    } else if (newest >= 0) {
      (void)snprintf(last, sizeof last, "the newest checkpoint is of step %" PRId64, newest);
    }
  }
  return trm_fail(TRM_ERR_DIVERGED,
                  "step %" PRId64 ": the loss is %g and %s; %s; try --resume --allow-changes --set "
                  "optimizer.lr=%g, or a smaller optimizer.clip_norm",
                  r->state.step + 1, loss, where, last,
                  trm_config_real(r->options->config, "optimizer.lr") / 10);
}

/* What has happened to the write in the background, without waiting for it. */
static void poll_store(run *r) {
  bool writing;
  if (r->store && r->pending == TRM_OK) r->pending = trm_ckpt_poll(r->store, &writing);
}

static bool due(int64_t step, int64_t every) {
  return every > 0 && step % every == 0;
}

/* Whether the weights after `step` may be saved: then the ranks compare theirs first, so that no
 * checkpoint holds weights that only one rank has. */
static bool saves_at(const run *r, int64_t step) {
  return due(step, r->ckpt_every) || due(step, r->eval_every) || step == r->n_steps;
}

/* debug.flip_step: what a flipped bit in one rank's memory does. */
static void flip_for_test(run *r) {
  if (get_int(r, "debug.flip_step") != r->state.step ||
      get_int(r, "debug.flip_rank") != trm_comm_rank(r->comm)) {
    return;
  }
  unsigned char *bytes =
      (unsigned char *)(r->learner.params->weights + r->learner.params->rows[0].offset);
  bytes[2] ^= 1;
}

/* The ids of this step's samples, and that they are those all ranks used. */
static trm_status write_ledger(run *r) {
  const int64_t step = r->state.step - 1;
  TRM_ASSERT(r->samples_hash ==
             trm_samples_expected(r->dataset, r->seed, r->T, r->batch, r->n_blocks, step));
  TRM_TRY(trm_samples_write(&r->ledger, r->dataset, r->seed, r->T, r->batch, step));
  return trm_table_flush(&r->ledger);
}

/* One step, from the batch to the update. What this rank failed with since the ranks last agreed
 * (r->pending) comes to all of them here. Collective; the status is the same on all ranks. */
static trm_status step(run *r, bool *stop) {
  const double start_s = trm_clock_s();
  poll_store(r);
  if (r->pending == TRM_OK) r->pending = run_blocks(r);
  trm_watch_phase(r->comm, "gradient all-reduce", r->state.step);
  trm_gradsync_result sums;
  TRM_TRY(trm_gradsync_finish(r->sync, r->pending, stop_wanted(r), &sums));
  if (sums.n_failed > 0) {
    const trm_status status = trm_comm_agree(r->comm, r->pending);
    TRM_ASSERT(status != TRM_OK);
    return status;
  }
  *stop = sums.stop;

  trm_step_info info = {.finite = true, .bad_element = -1};
  if (r->sharded) {
    TRM_TRY(trm_sharded_step(r->sharded, &sums, r->state.step, &info));
  } else {
    trm_optimizer_step(r->learner.optimizer, sums.grads, sums.count, r->state.step, &info);
  }
  const double loss = sums.loss_sum / sums.count;
  if (!info.finite || !isfinite(loss)) return diverged(r, loss, &info);
  ++r->state.step;
  flip_for_test(r);
  r->samples_hash = sums.samples_hash;
  const bool check = due(r->state.step, r->check_every) || saves_at(r, r->state.step) || *stop;
  if (r->root || check) r->weights_hash = trm_params_hash(r->learner.params);
  if (check) TRM_TRY(trm_drift_check(r->comm, r->weights_hash, r->state.step, r->hashes));
  if (!r->root) return TRM_OK;
  const trm_step_record record = {.step = r->state.step,
                                  .loss = loss,
                                  .lr = info.lr,
                                  .grad_norm = info.grad_norm,
                                  .tokens = r->batch * r->T,
                                  .step_s = trm_clock_s() - start_s,
                                  .exposed_s = sums.exposed_s,
                                  .weights_hash = r->weights_hash,
                                  .samples_hash = r->samples_hash};
  if (r->options->replay) {
    r->replay_stop =
        !trm_replay_compare(r->options->replay, r->state.step, r->weights_hash, r->samples_hash);
    trm_log_progress(r->log, false, "step %" PRId64 "/%" PRId64, r->state.step, r->n_steps);
    return TRM_OK;
  }
  r->pending = trm_metrics_step(r->metrics, &record);
  if (r->pending == TRM_OK && r->ledger.file) r->pending = write_ledger(r);
  return TRM_OK;
}

/* Evaluates the weights as they are, and notes and saves them when they are the best so far.
 * Collective; the status is the same on all ranks. `*stop` may become true. */
static trm_status evaluate(run *r, bool *stop) {
  double loss;
  int64_t tokens;
  bool stopped;
  trm_watch_phase(r->comm, "evaluation", r->state.step);
  TRM_TRY(
      trm_evaluator_run(r->evaluator, TRM_SPLIT_VALID, stop_wanted, r, &loss, &tokens, &stopped));
  if (stopped) {
    *stop = true;
    return TRM_OK;
  }
  if (!isfinite(loss)) {
    const trm_step_info info = {.finite = true, .bad_element = -1};
    return diverged(r, loss, &info);
  }
  r->state.eval_step = r->state.step;
  const bool best = !(loss >= r->state.best_loss); /* also when there was none */
  if (best) {
    r->state.best_loss = loss;
    r->state.best_step = r->state.step;
  }
  if (r->root && r->pending == TRM_OK) {
    r->pending = trm_metrics_eval(r->metrics, r->state.step, loss, best);
  }
  if (best) save(r, true);
  return TRM_OK;
}

/* Whether the last write is still under way after a wait that the other ranks' deadline allows. */
static bool disk_is_behind(run *r) {
  const double deadline_s = trm_config_real(r->options->config, "comm.deadline_s");
  const double start_s = trm_clock_s();
  bool writing = false;
  while (r->pending == TRM_OK) {
    r->pending = trm_ckpt_poll(r->store, &writing);
    if (!writing || (deadline_s > 0 && trm_clock_s() - start_s > deadline_s / 4)) break;
    trm_sleep_s(0.001);
  }
  return writing;
}

/* Saves now and then; what fails is carried to the next step. A checkpoint that is due while the disk
 * is far behind is left out. Collective; the status is the same on all ranks. */
static trm_status save_if_due(run *r) {
  if (r->saved_step == r->state.step || !due(r->state.step, r->ckpt_every)) return TRM_OK;
  double behind = r->store && disk_is_behind(r) ? 1 : 0;
  if (r->sharded) TRM_TRY(trm_comm_max_f64(r->comm, &behind, 1)); /* else only rank 0 saves */
  if (behind > 0) {
    trm_log_warn(r->log,
                 "step %" PRId64 ": no checkpoint, the last one is still being written; "
                 "checkpoint.every is short for this disk",
                 r->state.step);
    return TRM_OK;
  }
  save(r, false);
  return TRM_OK;
}

/* Evaluates unless these weights have been. */
static trm_status evaluate_once(run *r, bool *stop) {
  return r->state.eval_step == r->state.step ? TRM_OK : evaluate(r, stop);
}

static trm_status finish(run *r) {
  trm_replay *replay = r->options->replay;
  if (!replay) return save_last(r);
  if (!replay->at_end) return TRM_OK;
  return trm_comm_agree(r->comm,
                        r->root ? replay->at_end(replay->context, r->learner.params) : TRM_OK);
}

static trm_status loop(run *r, bool *stopped) {
  bool stop = false;
  r->saved_step = r->resumed ? r->state.step : -1;
  if (!r->resumed && trm_config_bool(r->options->config, "checkpoint.initial")) save(r, false);
  if (r->resumed && r->state.step >= r->n_steps) {
    trm_log_line(r->log, "the run is complete at step %" PRId64 "; raise train.steps to go on",
                 r->state.step);
  } else if (r->resumed && due(r->state.step, r->eval_every)) {
    TRM_TRY(evaluate_once(r, &stop)); /* the one a stop came before */
  }
  r->budget_counts = true;
  while (r->state.step < r->n_steps && !stop) {
    TRM_TRY(step(r, &stop));
    const bool last = r->state.step == r->n_steps;
    if (!stop && !last && due(r->state.step, r->eval_every)) TRM_TRY(evaluate(r, &stop));
    TRM_TRY(save_if_due(r));
  }
  if (r->state.step == r->n_steps) { /* a stop that came with the last step stops nothing */
    stop = false;
    r->budget_counts = false;
    if (trm_config_bool(r->options->config, "eval.at_end")) TRM_TRY(evaluate_once(r, &stop));
  }
  *stopped = stop;
  /* A failure of rank 0's outputs at the very end comes to all ranks here. */
  TRM_TRY(trm_comm_agree(r->comm, r->pending));
  return finish(r);
}

static const char *stop_reason(const run *r) {
  const int number = trm_signals_received();
  if (number != 0) return trm_signal_name(number);
  const bool budget = r->time_budget_s > 0 && trm_clock_s() - r->start_s >= r->time_budget_s;
  return budget ? "the time budget" : "a signal to another rank";
}

trm_status trm_train_catch_signals(void) {
  return trm_signals_install();
}

trm_status trm_train(trm_comm *comm, const trm_train_options *options, trm_log *log) {
  run *r = NULL;
  trm_status status = TRM_ALLOC(&r, 1, "run");
  TRM_TRY(trm_comm_agree(comm, status));
  r->comm = comm;
  r->options = options;
  r->log = log;
  r->lock = -1;
  bool stopped = false;
  status = set_up(r);
  if (status == TRM_OK) status = loop(r, &stopped);
  if (status == TRM_OK && stopped) {
    status = trm_fail(TRM_STOPPED,
                      "stopped at step %" PRId64 " by %s, with a checkpoint; go on with --resume",
                      r->state.step, stop_reason(r));
  }
  trm_watch_pause(comm);
  char message[TRM_MESSAGE_BYTES];
  (void)snprintf(message, sizeof message, "%s", trm_message());
  if (status != TRM_OK) trm_log_note(log, "%s", message);
  const trm_status closing = tear_down(r);
  if (status == TRM_OK || (status == TRM_STOPPED && closing != TRM_OK)) {
    status = closing;
  } else {
    trm_message_set(message);
  }
  TRM_FREE(r);
  /* Closing may fail on rank 0 alone. */
  return status == TRM_OK || closing != TRM_OK ? trm_comm_agree(comm, status) : status;
}
