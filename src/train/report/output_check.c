#include "output_check.h"

#include <stdio.h>

#include "trireme/core/memory.h"

enum { PATH_BYTES = 4096 };

trm_status trm_report_check_output(const trm_output_rule *rule, const char *const *folders, int n,
                                   const char *path) {
  static const char *const names[] = {
      "config.yaml",  "metrics.csv",   "hashes.csv",  "samples.csv",    "log.txt",
      "layers.tsv",   "confusion.tsv", "written.tsv", "mistakes.tsv",   "sweep.csv",
      "ensemble.tsv", "points.csv",    "journal.csv", "importance.csv", "best.yaml"};
  enum { N_NAMES = sizeof names / sizeof *names };
  const char **inputs = NULL;
  char *paths = NULL;
  trm_output_rule whole = *rule;
  trm_status status = TRM_ALLOC(&inputs, n * N_NAMES, "names of inputs");
  if (status == TRM_OK) status = TRM_ALLOC(&paths, n * N_NAMES * PATH_BYTES, "names of inputs");
  for (int i = 0; i < n * N_NAMES && status == TRM_OK; ++i) {
    char *at = paths + (int64_t)i * PATH_BYTES;
    (void)snprintf(at, PATH_BYTES, "%s/%s", folders[i / N_NAMES], names[i % N_NAMES]);
    inputs[i] = at;
  }
  whole.inputs = inputs;
  whole.n_inputs = n * N_NAMES;
  if (status == TRM_OK) status = trm_output_check(&whole, path);
  TRM_FREE(inputs);
  TRM_FREE(paths);
  return status;
}
