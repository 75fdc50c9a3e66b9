#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "trireme/comm/watch.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/optim/plugins.h"
#include "trireme/train/keys.h"
#include "trireme/train/train.h"

/* "runs/lm" for "conf/lm.yaml". */
static trm_status default_run_dir(trm_config *config, const char *path) {
  if (*trm_config_string(config, "run.dir")) return TRM_OK;
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  const char *dot = strrchr(name, '.');
  const int length = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
  char text[1024];
  (void)snprintf(text, sizeof text, "run.dir=runs/%.*s", length, name);
  return trm_config_set_from(config, text, path, 0);
}

/* The line for several words where one configuration is wanted; a checkpoint that was given apart
 * from --resume is the likely mistake. */
static trm_status wrong_words(const app_list *words, const char *resume) {
  if (resume && !*resume && words->n == 2) {
    const char *dot = strrchr(words->items[0], '.');
    const bool first = dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
    return trm_fail(TRM_ERR_USAGE,
                    "train: two words are given and one is a configuration; a checkpoint to resume "
                    "from is given as --resume=%s",
                    words->items[first ? 1 : 0]);
  }
  return trm_fail(TRM_ERR_USAGE,
                  "train: give one configuration file (%d given); see trireme help config for the "
                  "keys",
                  words->n);
}

/* -o and --set run.dir=, which are the same key. */
static trm_status set_run_dir(trm_config *config, const app_list *sets, const char *run_dir) {
  for (int i = 0; i < sets->n; ++i) {
    if (strncmp(sets->items[i], "run.dir=", 8) != 0) continue;
    return trm_fail(TRM_ERR_USAGE, "-o %s and --set %s are the same key; give one of them", run_dir,
                    sets->items[i]);
  }
  char text[4200];
  if (snprintf(text, sizeof text, "run.dir=%s", run_dir) >= (int)sizeof text) {
    return trm_fail(TRM_ERR_USAGE, "-o names a folder of %zu bytes; choose a shorter path",
                    strlen(run_dir));
  }
  return trm_config_set_from(config, text, "-o", 0);
}

trm_status app_read_run(const char *path, const app_list *sets, const char *run_dir,
                        trm_config **out) {
  trm_failures failures = {0};
  TRM_TRY(trm_program_config(out));
  trm_failures_add(&failures, trm_config_read_file(*out, path));
  for (int i = 0; i < sets->n; ++i) {
    trm_failures_add(&failures, trm_config_set(*out, sets->items[i]));
  }
  if (run_dir) trm_failures_add(&failures, set_run_dir(*out, sets, run_dir));
  if (failures.status == TRM_OK || failures.status == TRM_ERR_CONFIG) {
    trm_failures_add(&failures, default_run_dir(*out, path));
    trm_failures_add(&failures, trm_config_check(*out));
  }
  TRM_TRY(trm_failures_end(&failures));
  return trm_plugins_load(*out);
}

/* ---- --check -------------------------------------------------------------------------------- */

static void print_bytes(const char *what, int64_t bytes) {
  printf("#   %-12s %10.1f MiB\n", what, (double)bytes / 1048576);
}

/* The resolved configuration, and as YAML comments what a run would take. */
static trm_status print_plan(const trm_config *config, int n_ranks, const trm_train_plan *p) {
  char *text = NULL, weights[32];
  TRM_TRY(trm_config_text(config, false, &text));
  (void)fputs(text, stdout);
  TRM_FREE(text);
  trm_format_count(p->n_weights, weights);
  if (p->from[0]) printf("# goes on from %s at step %" PRId64 "\n", p->from, p->step);
  printf("# %s parameter%s, %s, %.1f steps an epoch\n", weights, trm_plural(p->n_weights),
         p->summary, p->steps_an_epoch);
  app_print_rates(config, trm_config_int(config, "train.steps"));
  (void)fputs(p->rules, stdout);
  printf("# memory of a rank, %d in all:\n", n_ranks);
  print_bytes("weights", p->weights_bytes);
  print_bytes("packed", p->packed_bytes);
  print_bytes("gradients", p->gradients_bytes);
  print_bytes("optimizer", p->optimizer_bytes);
  if (p->average_bytes > 0) print_bytes("average", p->average_bytes);
  print_bytes("activations", p->activations_bytes);
  print_bytes("data", p->data_bytes);
  print_bytes("together", p->weights_bytes + p->packed_bytes + p->gradients_bytes +
                              p->optimizer_bytes + p->average_bytes + p->activations_bytes +
                              p->data_bytes);
  if (p->host_bytes > 0) {
    printf("# on each host %.1f MiB of the data set, which its ranks share\n",
           (double)p->host_bytes / 1048576);
  }
  printf("# on rank 0 %.1f MiB for the checkpoint that is being written\n",
         (double)p->checkpoint_bytes / 1048576);
  printf("# besides, batches that are made ahead, and what the libraries take\n");
  return TRM_OK;
}

/* Of two steps, on these ranks and threads; `done`: steps that the run has behind it. */
static void print_time(const trm_config *config, int64_t done, double step_s) {
  char all[32], steps[32];
  const int64_t n = trm_config_int(config, "train.steps") - done;
  trm_format_duration(step_s * (double)n, all);
  trm_format_count(n, steps);
  printf("# %.3g s a step here; %s step%s take%s %s, evaluations and checkpoints aside\n", step_s,
         steps, trm_plural(n), n == 1 ? "s" : "", all);
}

/* Every rank looks, since hosts may differ in the files they see. Collective; the status is the same
 * on all ranks. */
static trm_status check_only(trm_comm *comm, const trm_train_options *options, trm_log *log) {
  const trm_config *config = options->config;
  trm_train_plan plan;
  TRM_TRY(trm_train_check(comm, options, log, &plan));
  const bool speaks = trm_comm_rank(comm) == 0;
  TRM_TRY(trm_comm_agree(comm, speaks ? print_plan(config, trm_comm_size(comm), &plan) : TRM_OK));
  double step_s = NAN;
  TRM_TRY(trm_train_time(comm, config, &step_s));
  if (speaks && !isnan(step_s)) print_time(config, plan.step, step_s);
  return TRM_OK;
}

/* ---- --where --------------------------------------------------------------------------------- */

/* For scripts that start a run again: what --resume would go on from. By this process alone. */
static trm_status print_where(const trm_config *config) {
  const char *run = trm_config_string(config, "run.dir");
  char path[4096];
  int64_t step;
  trm_log log;
  trm_log_init(&log, stderr);
  const trm_status status = trm_run_progress(run, &step, path, sizeof path, &log);
  trm_log_close(&log);
  if (status != TRM_OK) return status;
  printf("run: %s\nstep: ", run);
  if (step < 0) {
    printf("none\n");
  } else {
    printf("%" PRId64 "\n", step);
  }
  if (*path) printf("checkpoint: %s\n", path);
  return TRM_OK;
}

/* ---- the command ---------------------------------------------------------------------------- */

static trm_status run(trm_comm *comm, const trm_train_options *options, bool check,
                      const app_many *many) {
  trm_log log;
  trm_log_init(&log, trm_comm_rank(comm) == 0 ? stderr : NULL);
  trm_status status = trm_watch_start(comm, trm_config_real(options->config, "comm.deadline_s"));
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK && check) {
    status = check_only(comm, options, &log);
  } else if (status == TRM_OK) {
    status = app_many_wanted(many) ? app_sweep_runs(comm, options, many, &log)
                                   : trm_train(comm, options, &log);
  }
  trm_watch_stop(comm);
  trm_log_close(&log);
  return status;
}

int app_train(int argc, char **argv) {
  static const char *assignments[256];
  app_list words, sets = {.items = assignments, .capacity = 256};
  const char *resume = NULL, *run_dir = NULL;
  bool helped, check = false, where = false, allow_changes = false;
  app_many many = {0};
  int64_t threads = 0, extend = 0;
  const app_option options[] = {
      APP_LIST("--set", 's', &sets, "KEY=VALUE", "override a key"),
      APP_RUN_DIR(&run_dir),
      APP_OPTIONAL_TEXT("--resume", &resume, "CHECKPOINT",
                        "go on from the newest good checkpoint, or this one"),
      APP_INT("--extend", 0, &extend, 1, 1e12, "N",
              "resume and train N steps more than the configuration says; the schedule stays what "
              "the run began with, and its last rate holds, unless schedule.decay_steps is given"),
      APP_FLAG("--allow-changes", &allow_changes,
               "resume although keys that change the result differ"),
      APP_TEXT("--seeds", 0, &many.seeds, "0-9",
               "one run for each seed, and the mean of their scores: trireme help sweep"),
      APP_TEXT("--splits", 0, &many.splits, "all|0-9",
               "one run for each split or fold of the data"),
      APP_FLAG("--check", &check,
               "print the configuration resolved and what a run takes, or what is wrong with it"),
      APP_FLAG(
          "--where", &where,
          "print the run directory and the step of its newest good checkpoint, and train nothing"),
      APP_THREADS(&threads),
  };
  trm_config *config = NULL;
  trm_comm *comm = NULL;
  trm_status status = app_parse("train", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK && words.n != 1) status = wrong_words(&words, resume);
  if (status == TRM_OK && app_many_wanted(&many) && resume && *resume) {
    status = trm_fail(TRM_ERR_USAGE, "train: several runs resume from their own checkpoints; give "
                                     "--resume alone");
  }
  if (status == TRM_OK && extend > 0 && app_many_wanted(&many)) {
    status = trm_fail(TRM_ERR_USAGE, "train: --extend goes on with one run; it is not for --seeds "
                                     "and --splits");
  }
  if (status == TRM_OK) status = app_read_run(words.items[0], &sets, run_dir, &config);
  if (status == TRM_OK && where) {
    status = print_where(config);
    trm_config_destroy(&config);
    return app_end(NULL, status);
  }
  if (status == TRM_OK) status = trm_train_catch_signals();
  status = app_start(&argc, &argv, threads, status, &comm);
  if (status == TRM_OK) {
    const trm_train_options train = {.config = config,
                                     .resume = resume != NULL || extend > 0,
                                     .extend = extend,
                                     .resume_path = resume && *resume ? resume : NULL,
                                     .allow_changes = allow_changes};
    status = run(comm, &train, check, &many);
  }
  if (config && status == TRM_ERR_CONFIG) trm_config_locate(config);
  trm_config_destroy(&config);
  return app_end(&comm, status);
}
