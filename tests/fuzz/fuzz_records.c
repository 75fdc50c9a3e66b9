/* A run's folder from a stranger: what reports, pictures, charts and sweeps read of it.
 *
 * A byte says which files there are and another what is asked; files follow, cut by lines "%%". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/train/lab/sweep_table.h"
#include "../../src/train/records/table.h"
#include "fuzz.h"
#include "trireme/train/report.h"

enum { N_FILES = 8 };

static const char *const names[N_FILES] = {"metrics.csv", "config.yaml",   "log.txt",
                                           "layers.tsv",  "confusion.tsv", "mistakes.tsv",
                                           "written.tsv", "ensemble.tsv"};

static void fill(const char *folder, uint32_t flags, const fuzz_input *parts) {
  char path[64];
  (void)mkdir(fuzz_path(folder), 0777);
  for (int i = 0; i < N_FILES; ++i) {
    (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    if (i == 0 || flags >> (i - 1) & 1) {
      (void)fuzz_file(path, parts[i]);
    } else {
      (void)unlink(fuzz_path(path));
    }
  }
}

static void curves(const char *const *folders) {
  trm_curves all;
  int column;
  bool higher;
  FILE *nowhere = fopen("/dev/null", "w");
  if (!nowhere || trm_curves_create(2, &all) != TRM_OK) abort();
  for (int i = 0; i < 2; ++i) {
    if (trm_curves_read(&all, i, folders[i]) != TRM_OK) break;
  }
  if (trm_curves_select(&all, "accuracy", &column, &higher) == TRM_OK ||
      trm_curves_select(&all, "loss", &column, &higher) == TRM_OK) {
    (void)trm_curves_best_step(&all, column, higher);
    (void)trm_curves_print(&all, column, higher, nowhere);
  }
  trm_curves_free(&all);
  (void)fclose(nowhere);
}

/* A run that goes on cuts its own file back. */
static void resume(const char *folder, fuzz_input metrics) {
  trm_step_table table;
  double value = 0;
  char *head = fuzz_text(metrics);
  head[strcspn(head, "\n")] = 0;
  if (trm_step_table_open(&table, folder, "metrics.csv", head, 20, false) == TRM_OK) {
    (void)trm_step_table_last(&table, head, "lr", &value);
    (void)trm_step_table_close(&table);
  }
  free(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size}, parts[N_FILES];
  const uint32_t flags = fuzz_take(&in, 1), asked = fuzz_take(&in, 1);
  const int64_t blocks = fuzz_blocks();
  const int n = 1 + (int)(asked >> 3 & 1);
  FILE *nowhere = fopen("/dev/null", "w");
  if (!nowhere) abort();
  (void)fuzz_take_texts(&in, parts, N_FILES);
  fill("run", flags, parts);
  fill("other", 0, parts); /* the same metrics, and nothing besides */
  const char *const folders[] = {fuzz_path("run"), fuzz_path("other")};
  const trm_report_options report = {.csv = asked & 4 ? fuzz_path("tables") : NULL, .force = true};
  const trm_show_options show = {.columns = 40, .lines = 8};
  switch (asked & 3) {
  case 0:
    (void)trm_report_write(folders, n, &report, fuzz_path("report.html"));
    break;
  case 1:
    (void)trm_plot_write(folders, n, asked & 4 ? "lr" : NULL, true, fuzz_path("curves.svg"));
    (void)trm_run_describe(folders[0], nowhere);
    break;
  case 2:
    (void)trm_show_write(folders, n, &show, nowhere);
    break;
  default:
    curves(folders);
    resume(folders[1], parts[0]);
  }
  (void)fclose(nowhere);
  fuzz_expect_blocks(blocks);
  return 0;
}
