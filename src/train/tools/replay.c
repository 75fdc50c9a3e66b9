#include "replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/io/files.h"

static int64_t count_lines(const char *text) {
  int64_t n = 0;
  for (const char *p = text; (p = strchr(p, '\n')); ++p) ++n;
  return n;
}

trm_status trm_hash_rows_read(const char *folder, trm_hash_row **rows, int64_t *n) {
  char path[4096], *text = NULL;
  int64_t bytes = 0;
  *rows = NULL;
  *n = 0;
  TRM_TRY(trm_path_join(path, sizeof path, folder, "hashes.csv"));
  TRM_TRY(trm_file_read_all(path, (int64_t)1 << 40, &text, &bytes));
  const trm_status status = TRM_ALLOC(rows, count_lines(text), "hashes of a run");
  if (status == TRM_OK) {
    for (const char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
      trm_hash_row row;
      char end = 0;
      if (sscanf(line + 1, "%" SCNd64 ",%16" SCNx64 ",%16" SCNx64 "%c", &row.step, &row.weights,
                 &row.samples, &end) == 4 &&
          end == '\n') {
        (*rows)[(*n)++] = row;
      }
    }
  }
  TRM_FREE(text);
  return status;
}

bool trm_replay_compare(trm_replay *replay, int64_t step, uint64_t weights, uint64_t samples) {
  for (int64_t i = 0; i < replay->n_rows; ++i) {
    const trm_hash_row *row = &replay->rows[i];
    if (row->step != step) continue;
    if (row->samples != samples && replay->samples_differ < 0) replay->samples_differ = step;
    if (row->weights != weights && replay->differs < 0) replay->differs = step;
  }
  return replay->to_the_end || replay->differs < 0;
}
