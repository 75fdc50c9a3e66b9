#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "app.h"
#include "trireme/comm/watch.h"
#include "trireme/core/log.h"
#include "trireme/train/find_lr.h"
#include "trireme/train/train.h"

/* ---- what was found --------------------------------------------------------------------------- */

/* A column is the mean of its points; with fewer points than columns, of the nearest one. */
static double column_of(const trm_rate_curve *curve, int column) {
  const double width = (double)curve->n / APP_CURVE_COLUMNS;
  const int64_t begin = (int64_t)(width * column);
  const int64_t end = (int64_t)(width * (column + 1));
  double sum = 0;
  for (int64_t i = begin; i < end; ++i) sum += curve->smooth[i];
  return end > begin ? sum / (double)(end - begin) : curve->smooth[begin];
}

static void draw(const trm_rate_curve *curve) {
  double values[APP_CURVE_COLUMNS], low, high;
  if (curve->n == 0) return;
  trm_rate_curve_range(curve, &low, &high);
  printf("# loss of the next batch, smoothed, over the learning rate\n");
  for (int c = 0; c < APP_CURVE_COLUMNS; ++c) values[c] = column_of(curve, c);
  app_print_curve(values, low, high);
  printf("#            %-*.3g%9.3g\n", APP_CURVE_COLUMNS - 9, curve->rates[0],
         curve->rates[curve->n - 1]);
}

/* How the run ended. */
static void say_end(const trm_find_lr_options *options, const trm_rate_curve *curve) {
  if (curve->diverged) {
    printf("# %" PRId64 " of %" PRId64
           " steps: then the loss was not finite, or 4 times the least\n",
           curve->n, options->n_steps);
  } else {
    printf("# %" PRId64 " steps, without divergence%s\n", curve->n,
           curve->n - 1 - curve->lowest <= curve->half_width ? "; a higher --to would show more"
                                                             : "");
  }
}

/* The last lines are configuration: they can be copied. */
static void say_suggestion(const trm_rate_curve *curve) {
  if (!curve->fell) {
    printf("# the loss did not fall by more than it scatters: no suggestion; try other --from and "
           "--to, or more --steps\n");
    return;
  }
  if (curve->steepest >= 0) {
    printf("# it falls most steeply at a rate of %.2g\n", curve->rates[curve->steepest]);
  }
  printf("# it is lowest at a rate of %.2g, a tenth of which is %.2g\n",
         curve->rates[curve->lowest], curve->rates[curve->lowest] / 10);
  printf("# the lesser of the two, as the highest rate of the schedule:\n");
  printf("optimizer: {lr: %.2g}\n", curve->suggestion);
}

static void report(const trm_find_lr_options *options, const trm_rate_curve *curve) {
  draw(curve);
  say_end(options, curve);
  say_suggestion(curve);
  if (options->folder) printf("# curve: %s/find_lr.csv, find_lr.svg\n", options->folder);
}

/* ---- the command ------------------------------------------------------------------------------ */

static trm_status find(trm_comm *comm, const trm_find_lr_options *options) {
  trm_log log;
  trm_rate_curve curve = {0};
  const bool speaks = trm_comm_rank(comm) == 0;
  const double deadline_s = trm_config_real(options->config, "comm.deadline_s");
  trm_log_init(&log, speaks ? stderr : NULL);
  trm_status status = trm_comm_agree(comm, trm_watch_start(comm, deadline_s));
  if (status == TRM_OK) status = trm_find_lr(comm, options, &log, &curve);
  trm_watch_stop(comm);
  trm_log_close(&log);
  if (status == TRM_OK && speaks) report(options, &curve);
  trm_rate_curve_free(&curve);
  return status;
}

int app_find_lr(int argc, char **argv) {
  static const char *assignments[256];
  app_list words, sets = {.items = assignments, .capacity = 256};
  trm_find_lr_options options = {.from = 1e-7, .to = 1, .n_steps = 100};
  bool helped;
  int64_t threads = 0;
  const app_option table[] = {
      APP_LIST("--set", 's', &sets, "KEY=VALUE", "override a key"),
      APP_REAL("--from", &options.from, 1e-12, 1e6, "RATE", "rate of the first step (1e-7)"),
      APP_REAL("--to", &options.to, 1e-12, 1e6, "RATE", "rate of the last step (1)"),
      APP_INT("--steps", 'n', &options.n_steps, 10, 1e6, "N", "steps (100)"),
      APP_TEXT("--output", 'o', &options.folder, "FOLDER",
               "write find_lr.csv and find_lr.svg there"),
      APP_FORCE(&options.force),
      APP_THREADS(&threads),
  };
  trm_comm *comm = NULL;
  trm_status status = app_parse("find-lr", argc, argv, APP_OPTIONS(table), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_expect("find-lr", &words, 1, "one configuration file");
  if (status == TRM_OK && !(options.from < options.to)) {
    status = trm_fail(TRM_ERR_USAGE, "find-lr: --from is %g and --to is %g; rates rise",
                      options.from, options.to);
  }
  if (status == TRM_OK) status = app_read_run(words.items[0], &sets, NULL, &options.config);
  if (status == TRM_OK) status = trm_train_catch_signals();
  status = app_start(&argc, &argv, threads, status, &comm);
  if (status == TRM_OK) status = find(comm, &options);
  if (options.config && status == TRM_ERR_CONFIG) trm_config_locate(options.config);
  trm_config_destroy(&options.config);
  return app_end(&comm, status);
}
