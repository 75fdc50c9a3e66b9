/* Lists of numbers, and the table of a sweep: what is best, of each run and in common. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/train/lab/sweep_table.h"
#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/train/sweep.h"

static void expect_numbers(const char *text, int64_t n, const int64_t *want) {
  int64_t *got = NULL, n_got = 0;
  if (!CHECK_OK(trm_sweep_numbers(text, "--seeds", &got, &n_got))) return;
  if (CHECK_EQ(n_got, n)) {
    for (int64_t i = 0; i < n; ++i) CHECK_EQ(got[i], want[i]);
  }
  TRM_FREE(got);
}

static void expect_refused(const char *text) {
  int64_t *got = NULL, n = 0;
  CHECK_EQ(trm_sweep_numbers(text, "--seeds", &got, &n), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(), "--seeds");
  CHECK(got == NULL);
}

static void check_numbers(void) {
  expect_numbers("7", 1, (int64_t[]){7});
  expect_numbers("0-3", 4, (int64_t[]){0, 1, 2, 3});
  expect_numbers("5,1-2,9", 4, (int64_t[]){5, 1, 2, 9});
  expect_numbers("9007199254740991-9007199254740992", 2,
                 (int64_t[]){9007199254740991, 9007199254740992}); /* the most run.seed may be */
  const char *const bad[] = {"",
                             "a",
                             "1-",
                             "3-1",
                             "1,,2",
                             "1;2",
                             "-1",
                             "0-1000000",
                             "1 2",
                             "1,",
                             "9223372036854775807",
                             "9007199254740993",
                             "99999999999999999999",
                             "0-99999999999999999999",
                             "1,1",
                             "3,0-5",
                             "7,2-3,7"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) expect_refused(bad[i]);
}

static void check_grid(void) {
  trm_grid grid = {.n_axes = 0};
  CHECK_EQ(trm_grid_points(&grid), 1);
  CHECK_OK(trm_grid_add(&grid, "optimizer.name=adam,sgd"));
  CHECK_OK(trm_grid_add(&grid, "data.augment=[],[crop 4, flip],noise 0.1"));
  CHECK_EQ(trm_grid_points(&grid), 6);
  CHECK_STR(grid.axes[1].key, "data.augment");
  CHECK_STR(trm_grid_value(&grid, 0, 1), "");
  CHECK_STR(trm_grid_value(&grid, 1, 1), "crop 4, flip");
  CHECK_STR(trm_grid_value(&grid, 2, 0), "adam");
  CHECK_STR(trm_grid_value(&grid, 5, 0), "sgd");
  CHECK_STR(trm_grid_value(&grid, 5, 1), "noise 0.1");
  const char *const bad[] = {
      "", "a", "a=", "=1", "a=[1", "a=[1]2", "a=1,2,1", "a=1,[1]", "optimizer.name=muon"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
    CHECK_EQ(trm_grid_add(&grid, bad[i]), TRM_ERR_USAGE);
    CHECK_HAS(trm_message(), "--grid");
  }
  CHECK_EQ(grid.n_axes, 2);
  trm_grid_free(&grid);
}

/* metrics.csv of a run: one training row, then evaluations of valid and test accuracy. */
static void write_run(const char *folder, int n, const double *valid, const double *test) {
  char path[4096], text[8192];
  int at = snprintf(text, sizeof text,
                    "step,loss,valid_loss,lr,grad_norm,nodes_per_s,step_s,exposed_comm_s,elapsed_s,"
                    "peak_rss_mb,weights_hash,samples_hash,valid_accuracy,test_accuracy\n"
                    "1,0.5,,0.1,1,2,3,4,5,6,00,00,,\n");
  for (int i = 0; i < n; ++i) {
    at += snprintf(text + at, sizeof text - (size_t)at, "%d,,%g,,,,,,1,2,,,%g,%g\n", 10 * (i + 1),
                   1 - valid[i], valid[i], test[i]);
  }
  CHECK_OK(trm_folder_make(folder));
  CHECK_OK(trm_path_join(path, sizeof path, folder, "metrics.csv"));
  CHECK_OK(trm_file_write_atomic(path, text, (size_t)at));
}

static void check_table(const char *folder) {
  char run[4096], *text = NULL;
  size_t bytes = 0;
  trm_curves curves;
  int column;
  bool higher;
  CHECK_OK(trm_curves_create(3, &curves)); /* the third run has no result */
  CHECK_OK(trm_path_join(run, sizeof run, folder, "a"));
  write_run(run, 3, (double[]){0.5, 0.8, 0.8}, (double[]){0.4, 0.7, 0.9});
  CHECK_OK(trm_curves_read(&curves, 0, run));
  CHECK_OK(trm_path_join(run, sizeof run, folder, "b"));
  write_run(run, 4, (double[]){0.6, 0.7, 0.9, 0.1}, (double[]){0.6, 0.7, 0.5, 0.2});
  CHECK_OK(trm_curves_read(&curves, 1, run));
  CHECK_EQ(curves.n_columns, 3);
  CHECK_STR(curves.names[1], "valid_accuracy");
  CHECK_OK(trm_curves_select(&curves, "accuracy", &column, &higher));
  CHECK_EQ(column, 1);
  CHECK(higher);
  CHECK_EQ(trm_curve_best(&curves.runs[0], 3, column, higher), 1); /* the first of equals */
  CHECK_EQ(trm_curve_best(&curves.runs[1], 3, column, higher), 2);
  CHECK_EQ(trm_curve_best(&curves.runs[2], 3, column, higher), -1);
  CHECK_EQ(trm_curves_best_step(&curves, column, higher), 30); /* not 40, which one run lacks */
  CHECK_OK(trm_curves_select(&curves, "loss", &column, &higher));
  CHECK(!higher && column == 0);
  CHECK_EQ(trm_curves_select(&curves, "auc", &column, &higher), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "auc");

  FILE *file = open_memstream(&text, &bytes);
  CHECK_OK(trm_curves_print(&curves, 1, true, file));
  CHECK(fclose(file) == 0);
  CHECK_HAS(text, "over 2 runs");
  CHECK_HAS(text, "60.00 +- 14.14"); /* tests at each run's best: 0.7 and 0.5 */
  CHECK_HAS(text, "55.00 +- 49.50"); /* at the last: 0.9 and 0.2 */
  CHECK_HAS(text, "70.00 +- 28.28"); /* at step 30: 0.9 and 0.5 */
  free(text);
  trm_curves_free(&curves);
}

/* Errors of numbers: less is better, in their own unit. */
static void check_less(const char *folder) {
  char run[4096], path[4096], *text = NULL;
  size_t bytes = 0;
  trm_curves curves;
  int column;
  bool higher;
  CHECK_OK(trm_curves_create(1, &curves));
  CHECK_OK(trm_path_join(run, sizeof run, folder, "less"));
  CHECK_OK(trm_folder_make(run));
  CHECK_OK(trm_path_join(path, sizeof path, run, "metrics.csv"));
  static const char rows[] =
      "step,loss,valid_loss,samples_hash,valid_rmse,valid_bleu,valid_per\n"
      "1,,3,00,20.5,30.25,0.5\n2,,2,00,10.5,40.25,0.25\n3,,1,00,15.5,35,0.75\n";
  CHECK_OK(trm_file_write_atomic(path, rows, sizeof rows - 1));
  CHECK_OK(trm_curves_read(&curves, 0, run));
  CHECK_OK(trm_curves_select(&curves, "per", &column, &higher));
  CHECK(column == 3 && !higher);
  CHECK_OK(trm_curves_select(&curves, "bleu", &column, &higher));
  CHECK(column == 2 && higher);
  CHECK_OK(trm_curves_select(&curves, "rmse", &column, &higher));
  CHECK(column == 1 && !higher);
  CHECK_EQ(trm_curve_best(&curves.runs[0], 4, column, higher), 1);
  FILE *file = open_memstream(&text, &bytes);
  CHECK_OK(trm_curves_print(&curves, column, higher, file));
  CHECK(fclose(file) == 0);
  CHECK_HAS(text, "of 1 run, shares in percent");
  CHECK(!strstr(text, "+-")); /* one run has no deviation */
  CHECK_HAS(text, " 10.5000 ");
  CHECK_HAS(text, " 40.25 ");
  CHECK_HAS(text, " 25.00 ");
  free(text);
  trm_curves_free(&curves);
}

static void write_text(const char *folder, const char *text) {
  char path[4096];
  CHECK_OK(trm_folder_make(folder));
  CHECK_OK(trm_path_join(path, sizeof path, folder, "metrics.csv"));
  CHECK_OK(trm_file_write_atomic(path, text, strlen(text)));
}

/* Columns are found by name; a run that cannot be read is refused and leaves no curve. */
static void check_columns(const char *folder) {
  char run[4096];
  trm_curves curves;
  CHECK_OK(trm_curves_create(2, &curves));
  CHECK_OK(trm_path_join(run, sizeof run, folder, "c"));
  CHECK(trm_curves_read(&curves, 0, run) != TRM_OK); /* no metrics.csv */
  const char *const bad[] = {"", "\n", "step,loss,samples_hash\n1,2,3\n", "step,valid_loss,loss\n",
                             "valid_loss,samples_hash\n"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
    write_text(run, bad[i]);
    CHECK_EQ(trm_curves_read(&curves, 0, run), TRM_ERR_DATA);
    CHECK_HAS(trm_message(), "metrics.csv");
  }
  CHECK_EQ(curves.runs[0].n, 0);
  write_text(run, "loss,valid_loss,step,new,samples_hash,valid_auc\n,,1,8,0,\n,0.25,2,9,,0.75\n,3");
  CHECK_OK(trm_curves_read(&curves, 0, run));
  CHECK_EQ(curves.n_columns, 2);
  CHECK_STR(curves.names[1], "valid_auc");
  if (CHECK_EQ(curves.runs[0].n, 1)) {
    CHECK_EQ(curves.runs[0].steps[0], 2);
    CHECK(curves.runs[0].values[0] == 0.25 && curves.runs[0].values[1] == 0.75);
  }
  write_text(run, "step,valid_loss,samples_hash,valid_auc,test_auc\n1,2,,3,4\n"); /* other scores */
  CHECK_EQ(trm_curves_read(&curves, 1, run), TRM_ERR_DATA);
  CHECK_EQ(curves.n_columns, 2);
  CHECK_EQ(curves.runs[1].n, 0);
  trm_curves_free(&curves);
}

int main(void) {
  check_numbers();
  check_grid();
  check_table(check_temp_folder());
  check_less(check_temp_folder());
  check_columns(check_temp_folder());
  return check_verdict();
}
