#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "trireme/comm/watch.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/train/sweep.h"
#include "trireme/train/train.h"

/* ---- what is swept --------------------------------------------------------------------------- */

bool app_many_wanted(const app_many *many) {
  return many->seeds || many->splits || many->grid.n > 0;
}

trm_status app_list_splits(const trm_config *config, const char *splits, int64_t **numbers,
                           int64_t *n) {
  char text[48];
  const char *path = trm_config_string(config, "data.path");
  int64_t n_all;
  TRM_TRY(trm_sweep_count_splits(path, &n_all));
  (void)snprintf(text, sizeof text, "0-%" PRId64, n_all - 1);
  if (strcmp(splits, "all") == 0) return trm_sweep_numbers(text, "--splits", numbers, n);
  TRM_TRY(trm_sweep_numbers(splits, "--splits", numbers, n));
  for (int64_t i = 0; i < *n; ++i) {
    if ((*numbers)[i] < n_all) continue;
    return trm_fail(TRM_ERR_USAGE, "--splits %s: %s has %" PRId64 " of them, from 0 to %" PRId64,
                    splits, path, n_all, n_all - 1);
  }
  return TRM_OK;
}

static trm_status read_grid(const app_list *words, trm_grid *grid) {
  for (int i = 0; i < words->n; ++i) TRM_TRY(trm_grid_add(grid, words->items[i]));
  return TRM_OK;
}

trm_status app_sweep_runs(trm_comm *comm, const trm_train_options *train, const app_many *many,
                          trm_log *log) {
  int64_t *seeds = NULL, *splits = NULL;
  trm_grid grid = {.n_axes = 0};
  trm_sweep_options options = {.config = train->config,
                               .grid = &grid,
                               .at_once = many->at_once,
                               .resume = train->resume,
                               .allow_changes = train->allow_changes};
  trm_status status = read_grid(&many->grid, &grid);
  if (status == TRM_OK && many->seeds) {
    status = trm_sweep_numbers(many->seeds, "--seeds", &seeds, &options.n_seeds);
  }
  if (status == TRM_OK && many->splits) {
    status = app_list_splits(train->config, many->splits, &splits, &options.n_splits);
  }
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK) {
    options.seeds = seeds;
    options.splits = splits;
    status = trm_sweep(comm, &options, log);
  }
  trm_grid_free(&grid);
  TRM_FREE(seeds);
  TRM_FREE(splits);
  return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static trm_status run(trm_comm *comm, const trm_train_options *train, const app_many *many) {
  trm_log log;
  trm_log_init(&log, trm_comm_rank(comm) == 0 ? stderr : NULL);
  trm_status status = trm_watch_start(comm, trm_config_real(train->config, "comm.deadline_s"));
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK) status = app_sweep_runs(comm, train, many, &log);
  trm_watch_stop(comm);
  trm_log_close(&log);
  return status;
}

static trm_status check_wanted(const app_many *many) {
  if (app_many_wanted(many)) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "sweep: give --grid KEY=VALUE,VALUE, --seeds or --splits; one run is "
                  "trireme train");
}

int app_sweep(int argc, char **argv) {
  static const char *assignments[256], *axes[TRM_GRID_AXES + 1];
  app_list words, sets = {.items = assignments, .capacity = 256};
  app_many many = {.grid = {.items = axes, .capacity = TRM_GRID_AXES + 1}};
  const char *run_dir = NULL;
  bool helped;
  int64_t threads = 0;
  trm_train_options train = {.config = NULL};
  const app_option options[] = {
      APP_LIST("--grid", 'g', &many.grid, "KEY=A,B",
               "values of a key; several times: every combination"),
      APP_TEXT("--seeds", 0, &many.seeds, "0-9", "each with these values of run.seed"),
      APP_TEXT("--splits", 0, &many.splits, "all|0-9", "each on these splits or folds of the data"),
      APP_INT("--at-once", 0, &many.at_once, 1, 1e6, "N",
              "most runs at a time, whose ranks work together (default: as many as ranks)"),
      APP_LIST("--set", 's', &sets, "KEY=VALUE", "override a key, in all runs"),
      APP_RUN_DIR(&run_dir),
      APP_FLAG("--resume", &train.resume,
               "go on after a stop: finished runs stay, others go on from their checkpoints"),
      APP_FLAG("--allow-changes", &train.allow_changes,
               "resume although keys that change the result differ"),
      APP_THREADS(&threads),
  };
  trm_comm *comm = NULL;
  trm_status status = app_parse("sweep", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_expect("sweep", &words, 1, "one configuration file");
  if (status == TRM_OK) status = check_wanted(&many);
  if (status == TRM_OK) status = app_read_run(words.items[0], &sets, run_dir, &train.config);
  if (status == TRM_OK) status = trm_train_catch_signals();
  status = app_start(&argc, &argv, threads, status, &comm);
  if (status == TRM_OK) status = run(comm, &train, &many);
  trm_config_destroy(&train.config);
  return app_end(&comm, status);
}
