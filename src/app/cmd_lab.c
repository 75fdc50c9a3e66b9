/* Learning curves, and bias and variance: sweeps over what is trained on. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "trireme/comm/watch.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/io/files.h"
#include "trireme/train/sweep.h"
#include "trireme/train/train.h"

enum { AXIS_BYTES = 65536, PATH_BYTES = 4096 };

/* What both commands take. */
typedef struct lab {
  const char *name;
  app_many many;
  app_list sets;
  const char *run_dir;
  trm_train_options train;
  int64_t threads;
  const char *axis[2]; /* of the grid: one more would be refused */
  char *text;          /* that it is made in; owned */
  const char *shares;  /* of a learning curve */
  int64_t n_runs;      /* of bias and variance */
} lab;

/* Parses, reads the configuration and starts the ranks. */
static trm_status begin(lab *l, int *argc, char ***argv, const app_option *options, int n_options,
                        trm_status (*make_axis)(lab *l), bool *helped, trm_comm **comm) {
  app_list words;
  trm_status status = app_parse(l->name, *argc, *argv, options, n_options, &words, helped);
  if (*helped) return status;
  if (status == TRM_OK) status = app_expect(l->name, &words, 1, "one configuration file");
  if (status == TRM_OK) status = TRM_ALLOC(&l->text, AXIS_BYTES, "values");
  if (status == TRM_OK) status = make_axis(l);
  if (status == TRM_OK)
    status = app_read_run(words.items[0], &l->sets, l->run_dir, &l->train.config);
  if (status == TRM_OK) status = trm_train_catch_signals();
  return app_start(argc, argv, l->threads, status, comm);
}

static trm_status sweep(lab *l, trm_comm *comm) {
  trm_log log;
  trm_log_init(&log, trm_comm_rank(comm) == 0 ? stderr : NULL);
  l->axis[0] = l->text;
  l->many.grid = (app_list){.items = l->axis, .n = 1, .capacity = 1};
  const double deadline_s = trm_config_real(l->train.config, "comm.deadline_s");
  trm_status status = trm_comm_agree(comm, trm_watch_start(comm, deadline_s));
  if (status == TRM_OK) status = app_sweep_runs(comm, &l->train, &l->many, &log);
  trm_watch_stop(comm);
  trm_log_close(&log);
  return status;
}

static int end(lab *l, trm_comm **comm, trm_status status) {
  trm_config_destroy(&l->train.config);
  TRM_FREE(l->text);
  return app_end(comm, status);
}

#define LAB_OPTIONS(l)                                                                             \
  APP_LIST("--set", 's', &(l).sets, "KEY=VALUE", "override a key, in all runs"),                   \
      APP_RUN_DIR(&(l).run_dir),                                                                   \
      APP_INT("--at-once", 0, &(l).many.at_once, 1, 1e6, "N",                                      \
              "most runs at a time (default: as many as ranks)"),                                  \
      APP_FLAG("--resume", &(l).train.resume, "go on after a stop"), APP_THREADS(&(l).threads)

/* ---- learning curves ------------------------------------------------------------------------- */

static trm_status share_axis(lab *l) {
  if (strlen(l->shares) + 32 > AXIS_BYTES) {
    return trm_fail(TRM_ERR_USAGE, "learning-curve: --shares is too long; give fewer");
  }
  (void)snprintf(l->text, AXIS_BYTES, "data.train_share=%s", l->shares);
  return TRM_OK;
}

int app_learning_curve(int argc, char **argv) {
  static const char *assignments[256];
  lab l = {.name = "learning-curve",
           .sets = {.items = assignments, .capacity = 256},
           .shares = "0.05,0.1,0.2,0.4,0.7,1"};
  bool helped;
  const app_option options[] = {
      APP_TEXT("--shares", 0, &l.shares, "0.1,0.5,1",
               "of the training part (0.05,0.1,0.2,0.4,0.7,1)"),
      APP_TEXT("--seeds", 0, &l.many.seeds, "0-9", "each with these values of run.seed"),
      APP_TEXT("--splits", 0, &l.many.splits, "all|0-9", "each on these splits or folds"),
      LAB_OPTIONS(l),
  };
  trm_comm *comm = NULL;
  trm_status status = begin(&l, &argc, &argv, APP_OPTIONS(options), share_axis, &helped, &comm);
  if (helped) return app_end(NULL, status);
  /* Both ends of the gap are measured alike; where there is no such key the training loss tells. */
  if (status == TRM_OK && trm_config_used(l.train.config, "eval.train")) {
    status = trm_comm_agree(comm, trm_config_set_text(l.train.config, "eval.train", "true"));
  }
  if (status == TRM_OK) status = sweep(&l, comm);
  return end(&l, &comm, status);
}

/* ---- bias and variance ----------------------------------------------------------------------- */

static trm_status bootstrap_axis(lab *l) {
  int n = snprintf(l->text, AXIS_BYTES, "data.bootstrap=1");
  for (int64_t i = 2; i <= l->n_runs; ++i) {
    n += snprintf(l->text + n, AXIS_BYTES - (size_t)n, ",%" PRId64, i);
  }
  return TRM_OK;
}

static void print_parts(const trm_bias_variance *b, FILE *file) {
  (void)fprintf(file, "loss,mean,bias,variance\nsquared,%.9g,%.9g,%.9g\n", b->loss, b->bias,
                b->variance);
  if (b->classes) {
    (void)fprintf(file, "zero_one,%.9g,%.9g,%.9g\n", b->error, b->wrong, b->net);
    (void)fprintf(file, "zero_one_disagreement,%.9g,,%.9g\n", b->error, b->disagree);
  }
}

/* bias_variance.csv beside the runs. */
static trm_status write_parts(const lab *l, const trm_bias_variance *b) {
  char path[PATH_BYTES], *text = NULL;
  size_t bytes = 0;
  TRM_TRY(trm_path_join(path, sizeof path, trm_config_string(l->train.config, "run.dir"),
                        "bias_variance.csv"));
  FILE *file = open_memstream(&text, &bytes);
  if (!file) return trm_fail(TRM_ERR_MEMORY, "%s: no memory for it", path);
  print_parts(b, file);
  trm_status status = TRM_OK;
  if (fclose(file) != 0) status = trm_fail(TRM_ERR_MEMORY, "%s: no memory for it", path);
  if (status == TRM_OK) status = trm_file_write_atomic(path, text, bytes);
  free(text);
  return status;
}

static trm_status report(const lab *l, const trm_bias_variance *b) {
  TRM_TRY(write_parts(l, b));
  printf("\n%" PRId64 " models on bootstrap samples, %" PRId64 " sample%s of the %s part\n",
         l->n_runs, b->n, trm_plural(b->n), b->test ? "test" : "validation");
  printf("%-14s  %10s = %10s + %10s\n", "", "mean loss", "bias", "variance");
  printf("%-14s  %10.5f   %10.5f   %10.5f\n", "squared", b->loss, b->bias, b->variance);
  if (!b->classes) return TRM_OK;
  printf("%-14s  %10.5f   %10.5f   %10.5f   (net; %.5f of predictions differ from the main one)\n",
         "0-1", b->error, b->wrong, b->net, b->disagree);
  return TRM_OK;
}

/* The runs of the sweep, as members. */
static trm_status measure(const lab *l, trm_comm *comm) {
  const char *root = trm_config_string(l->train.config, "run.dir");
  const char **runs = NULL;
  char *paths = NULL;
  trm_bias_variance parts;
  trm_status status = TRM_ALLOC(&runs, l->n_runs, "runs");
  if (status == TRM_OK) status = TRM_ALLOC(&paths, l->n_runs * PATH_BYTES, "runs");
  status = trm_comm_agree(comm, status);
  for (int64_t i = 0; i < l->n_runs && status == TRM_OK; ++i) {
    (void)snprintf(paths + i * PATH_BYTES, PATH_BYTES, "%s/data.bootstrap-%" PRId64, root, i + 1);
    runs[i] = paths + i * PATH_BYTES;
  }
  const trm_members members = {.runs = runs, .n = (int)l->n_runs};
  const trm_evaluate_options options = {.best = true};
  if (status == TRM_OK) status = trm_evaluate_spread(comm, &options, &members, &parts);
  if (status == TRM_OK) {
    status = trm_comm_agree(comm, trm_comm_rank(comm) == 0 ? report(l, &parts) : TRM_OK);
  }
  TRM_FREE(runs);
  TRM_FREE(paths);
  return status;
}

int app_bias_variance(int argc, char **argv) {
  static const char *assignments[256];
  lab l = {.name = "bias-variance", .sets = {.items = assignments, .capacity = 256}, .n_runs = 20};
  bool helped;
  const app_option options[] = {
      APP_INT("--runs", 'n', &l.n_runs, 2, 1000, "N", "bootstrap samples, a model each (20)"),
      LAB_OPTIONS(l),
  };
  trm_comm *comm = NULL;
  trm_status status = begin(&l, &argc, &argv, APP_OPTIONS(options), bootstrap_axis, &helped, &comm);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = sweep(&l, comm);
  if (status == TRM_OK) status = measure(&l, comm);
  return end(&l, &comm, status);
}
