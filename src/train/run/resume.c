#include "resume.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "states.h"
#include "tasks_internal.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/train/layout.h"

static void report_damage(void *context, const char *message) {
  trm_log_warn(context, "%s; using the one before", message);
}

/* Rank 0 alone looks at the folder; "" when there is nothing to resume from. */
static trm_status choose(const trm_train_options *options, const trm_rundir *dir, trm_log *log,
                         char path[TRM_PATH_BYTES]) {
  path[0] = 0;
  if (options->resume_path) {
    return trm_checkpoint_resolve(options->resume_path, false, path, TRM_PATH_BYTES, log);
  }
  bool has = false;
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

static int64_t decay_of(const trm_config *config) {
  return trm_config_int(config, "schedule.decay_steps");
}

/* A length of the cosine that was left to us is the run's own (resolve_decay in setup.c), and means
 * nothing when the rate is constant: then it is no difference. */
static trm_status align_decay(trm_config *old, const trm_config *now) {
  char text[64];
  const bool constant = strcmp(trm_config_string(now, "schedule.name"), "constant") == 0;
  if (decay_of(now) != 0 && !constant) return TRM_OK;
  (void)snprintf(text, sizeof text, "schedule.decay_steps=%" PRId64, decay_of(now));
  return trm_config_set(old, text);
}

/* The configuration may change where it does not change the result; elsewhere only on request. */
static trm_status compare_config(const trm_train_options *options, trm_config *old,
                                 const char *path, trm_log *log) {
  const char *was, *is, *key = NULL;
  while ((key = trm_config_difference(old, options->config, key, &was, &is))) {
    /* Another shape cannot be loaded, whatever is allowed. */
    if (strncmp(key, "model.", 6) == 0 && !strstr(key, "drop")) {
      return trm_fail(TRM_ERR_CONFIG,
                      "%s is %s, but the checkpoint %s is of a model with %s; set it back", key, is,
                      path, was);
    }
    if (!options->allow_changes) {
      return trm_fail(TRM_ERR_CONFIG,
                      "%s is %s, but the checkpoint %s was made with %s; set it back, or give "
                      "--allow-changes",
                      key, is, path, was);
    }
    trm_log_warn(log,
                 "%s is %s, the checkpoint was made with %s: the result will differ from an "
                 "uninterrupted run's",
                 key, is, was);
  }
  return TRM_OK;
}

static trm_status check_config(const trm_train_options *options, const trm_ckpt_info *info,
                               const char *path, trm_log *log, int64_t *decay_steps) {
  int n_keys;
  const trm_config_key *keys = trm_config_keys(&n_keys);
  trm_config *old = NULL;
  const int64_t n_steps = trm_config_int(options->config, "train.steps");
  if (n_steps < info->step) {
    return trm_fail(TRM_ERR_CONFIG,
                    "train.steps is %" PRId64 ", but %s is of step %" PRId64 "; set at least that",
                    n_steps, path, info->step);
  }
  TRM_TRY(trm_config_create(keys, n_keys, &old));
  trm_status status = trm_config_read_text(old, info->config_text, path);
  if (status == TRM_OK) {
    *decay_steps = decay_of(old);
    status = align_decay(old, options->config);
  }
  if (status == TRM_OK) status = compare_config(options, old, path, log);
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

static trm_status check_info(const trm_train_options *options, const trm_task *task,
                             const trm_ckpt_info *info, const char *path, trm_log *log,
                             int64_t *decay_steps) {
  TRM_TRY(check_config(options, info, path, log, decay_steps));
  const char *data = trm_config_string(options->config, "data.path");
  const trm_vocab *here = trm_text_task_vocab(task);
  trm_vocab vocab = {.n = info->vocab, .offsets = info->vocab_offsets, .bytes = info->vocab_bytes};
  (void)snprintf(vocab.unit, sizeof vocab.unit, "%s", info->vocab_unit);
  if (here && !trm_vocab_equal(&vocab, here)) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%s was trained on another vocabulary (%" PRId64 " %ss) than %s has (%" PRId64
                    "); use the data set it was trained on",
                    path, info->vocab, info->vocab_unit, data, here->n);
  }
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

trm_status trm_resume(trm_comm *comm, const trm_train_options *options, const trm_rundir *dir,
                      trm_task *task, trm_learner *learner, trm_regions *regions, trm_log *log,
                      trm_run_state *state, bool *resumed) {
  *resumed = false;
  *state = (trm_run_state){.best_loss = (double)NAN, .best_step = -1, .eval_step = -1};
  int64_t decay_steps = 0; /* rank 0's until the end */
  char path[TRM_PATH_BYTES] = "";
  trm_status status = TRM_OK;
  if (trm_comm_rank(comm) == 0) status = choose(options, dir, log, path);
  TRM_TRY(trm_comm_agree(comm, status));
  TRM_TRY(trm_comm_broadcast(comm, path, sizeof path, 0));
  if (path[0] == 0) {
    if (options->resume) trm_log_line(log, "no checkpoint in %s yet: starting afresh", dir->root);
    return TRM_OK;
  }
  /* The facts first, so that a wrong model is named before its arrays are. */
  trm_ckpt_info info = {0};
  if (trm_comm_rank(comm) == 0) {
    status = trm_ckpt_read_info(path, &info);
    if (status == TRM_OK) status = check_info(options, task, &info, path, log, &decay_steps);
    if (status == TRM_OK && options->resume_path && !options->replay) {
      status = check_own(dir, info.step, path);
    }
    trm_ckpt_info_free(&info);
  }
  TRM_TRY(trm_comm_agree(comm, status));
  const bool shared_out = trm_states_shared_out(learner);
  TRM_TRY(trm_ckpt_load_all(comm, path, &info, regions->rows,
                            shared_out ? regions->n_model : regions->n));
  if (shared_out) {
    status = trm_states_load(comm, learner, regions, path);
    if (status != TRM_OK) {
      trm_ckpt_info_free(&info);
      return status;
    }
  }
  state->step = info.step;
  state->best_loss = info.best_loss;
  state->best_step = info.best_step;
  state->eval_step = info.eval_step;
  state->samples_hash = info.samples_hash;
  TRM_TRY(trm_comm_broadcast(comm, &decay_steps, sizeof decay_steps, 0));
  state->decay_steps = decay_steps;
  trm_ckpt_info_free(&info);
  *resumed = true;
  trm_log_line(log, "resumed from %s at step %" PRId64, path, state->step);
  return TRM_OK;
}
