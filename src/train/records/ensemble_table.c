#include "ensemble_table.h"

#include <inttypes.h>
#include <math.h>
#include <sys/stat.h>

#include "text_file.h"
#include "trireme/io/files.h"

static void put_name(FILE *file, const char *name) {
  for (; *name; ++name) (void)fputc((unsigned char)*name < 0x20 ? ' ' : *name, file);
}

static void put_score(FILE *file, const char *member, const trm_evaluation *r, const char *score,
                      double value) {
  if (isnan(value)) return;
  put_name(file, member);
  (void)fputc('\t', file);
  if (r->step > 0) (void)fprintf(file, "%" PRId64, r->step);
  (void)fprintf(file, "\t%s\t%.9g\n", score, value);
}

/* Scores first, then the loss: of the part that evaluations choose by. */
static void put_member(FILE *file, const char *member, const trm_evaluation *r) {
  for (int i = 0; i < r->n_scores; ++i) {
    put_score(file, member, r, r->scores[i].name, r->scores[i].value);
  }
  if (r->count > 0) put_score(file, member, r, "valid_loss", r->loss);
}

trm_status trm_ensemble_table_write(const trm_members *members, const trm_evaluation *results) {
  char path[4096], whole[64];
  struct stat info;
  trm_text_file file;
  if (stat(members->runs[0], &info) != 0 || !S_ISDIR(info.st_mode)) {
    return trm_fail(
        TRM_ERR_USAGE,
        "evaluate: --report keeps the table in the folder of the first run, but '%s' is no "
        "folder; give the run directory",
        members->runs[0]);
  }
  TRM_TRY(trm_path_join(path, sizeof path, members->runs[0], TRM_ENSEMBLE_TABLE));
  TRM_TRY(trm_text_file_begin(&file));
  (void)fprintf(file.stream, "member\tstep\tscore\tvalue\n");
  for (int i = 0; i < members->n; ++i) put_member(file.stream, members->runs[i], &results[i]);
  (void)snprintf(whole, sizeof whole, "%s of %d", members->vote ? "votes" : "mean", members->n);
  put_member(file.stream, whole, &results[members->n]);
  return trm_text_file_publish(&file, path);
}
