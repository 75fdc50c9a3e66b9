#include <stdio.h>
#include <string.h>

#include "app.h"
#include "trireme/comm/watch.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/train/train.h"
#include "trireme/train/tune.h"

enum { PATH_BYTES = 4096 };

/* "runs/space" for "conf/space.yaml". */
static void default_folder(const char *space, char folder[PATH_BYTES]) {
  const char *slash = strrchr(space, '/');
  const char *name = slash ? slash + 1 : space;
  const char *dot = strrchr(name, '.');
  const int length = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
  (void)snprintf(folder, PATH_BYTES, "runs/%.*s", length, name);
}

static trm_status tune(trm_comm *comm, trm_tune_options *options, const char *splits) {
  trm_log log;
  int64_t *numbers = NULL;
  trm_log_init(&log, trm_comm_rank(comm) == 0 ? stderr : NULL);
  const double deadline_s = trm_config_real(options->config, "comm.deadline_s");
  trm_status status = trm_watch_start(comm, deadline_s);
  if (status == TRM_OK && splits) {
    status = app_list_splits(options->config, splits, &numbers, &options->n_splits);
  }
  options->splits = numbers;
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK) status = trm_tune(comm, options, &log);
  trm_watch_stop(comm);
  trm_log_close(&log);
  TRM_FREE(numbers);
  return status;
}

/* The configuration that the space names, with the overrides of the command line. */
static trm_status read_config(const char *space, const app_list *sets, trm_config **config) {
  char path[PATH_BYTES];
  TRM_TRY(trm_tune_config_path(space, path, sizeof path));
  return app_read_run(path, sets, NULL, config);
}

int app_tune(int argc, char **argv) {
  static const char *assignments[256];
  app_list words, sets = {.items = assignments, .capacity = 256};
  char folder[PATH_BYTES];
  const char *splits = NULL;
  bool helped;
  int64_t threads = 0;
  trm_tune_options options = {.config = NULL};
  const app_option table[] = {
      APP_LIST("--set", 's', &sets, "KEY=VALUE", "override a key of the configuration"),
      APP_TEXT("--output", 'o', &options.folder, "FOLDER",
               "journal, tables and trials (default: runs/<name of the space>)"),
      APP_TEXT("--splits", 0, &splits, "all|0-9",
               "a search for each split or fold, and the mean of their test scores: nested "
               "cross-validation"),
      APP_INT("--folds", 0, &options.folds, 2, 1000, "N",
              "judge each trial by N inner folds, not by one validation part (search.folds)"),
      APP_FLAG("--resume", &options.resume, "go on with a search that was stopped or killed"),
      APP_THREADS(&threads),
  };
  trm_comm *comm = NULL;
  trm_status status = app_parse("tune", argc, argv, APP_OPTIONS(table), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_expect("tune", &words, 1, "one file of a search space");
  if (status == TRM_OK) {
    options.space = words.items[0];
    default_folder(options.space, folder);
    if (!options.folder) options.folder = folder;
    status = read_config(options.space, &sets, &options.config);
  }
  if (status == TRM_OK) status = trm_train_catch_signals();
  status = app_start(&argc, &argv, threads, status, &comm);
  if (status == TRM_OK) status = tune(comm, &options, splits);
  trm_config_destroy(&options.config);
  return app_end(&comm, status);
}
