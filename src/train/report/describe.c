/* What `trireme inspect` says of a run. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "page.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/train/report.h"

static void say(FILE *out, const char *what, const char *text) {
  if (text && text[0]) (void)fprintf(out, "  %-13s %s\n", what, text);
}

static void say_end(const trm_record *r, FILE *out) {
  char step[32], end[32], text[128];
  trm_format_count(r->last_step, step);
  trm_format_count(trm_record_end(r), end);
  (void)snprintf(text, sizeof text, "%s of %s%s", step, trm_record_end(r) > 0 ? end : "?",
                 r->n_resumes > 0 ? ", resumed" : "");
  say(out, "steps", text);
  say(out, "because", r->why);
}

/* Scores at the best evaluation. */
static void say_best(const trm_study *study, const trm_record *r, FILE *out) {
  char subset[16], title[64], text[64];
  const char *metric;
  const int64_t row = trm_study_best_row(study, r);
  if (row < 0) {
    say(out, "best", "it was not evaluated");
    return;
  }
  trm_score_title(study->select, title, sizeof title);
  trm_score_text(study->select, trm_record_at(r, study->select, row), text, sizeof text);
  (void)fprintf(out, "  %-13s %s %s at step %.0f\n", "best", title, text, r->steps[row]);
  for (int c = 1; c < r->n_columns; ++c) {
    const char *name = r->columns[c].name;
    if (!trm_score_parts(name, subset, &metric) || strcmp(name, study->select) == 0) continue;
    trm_score_title(name, title, sizeof title);
    trm_score_text(name, trm_record_at(r, name, row), text, sizeof text);
    if (text[0]) (void)fprintf(out, "  %-13s %s %s\n", "", title, text);
  }
}

static void say_checkpoints(const trm_record *r, FILE *out) {
  char folder[TRM_RECORD_PATH_BYTES], path[TRM_RECORD_PATH_BYTES], **names = NULL, text[64];
  int n = 0;
  if (trm_path_join(folder, sizeof folder, r->folder, "checkpoints") != TRM_OK ||
      !trm_path_exists(folder) || trm_folder_list(folder, "step_", ".h5", &names, &n) != TRM_OK) {
    say(out, "checkpoints", "none");
    return;
  }
  const bool best =
      trm_path_join(path, sizeof path, folder, "best.h5") == TRM_OK && trm_path_exists(path);
  (void)snprintf(text, sizeof text, "%d, the newest %s%s", n, n > 0 ? names[n - 1] : "-",
                 best ? "; and best.h5" : "");
  say(out, "checkpoints", text);
  TRM_FREE(names);
}

static void say_run(const trm_study *study, const trm_record *r, FILE *out) {
  char time[32];
  (void)fprintf(out, "%s: run, %s\n", r->folder, trm_run_state_text(r->state));
  say(out, "model", trm_record_value(r, "model.kind"));
  say(out, "parameters", r->parameters);
  say(out, "data", trm_record_value(r, "data.path"));
  say(out, "", r->data);
  say(out, "ranks", r->layout);
  say_end(r, out);
  const double seconds = trm_record_last(r, "elapsed_s");
  if (!isnan(seconds)) {
    trm_format_duration(seconds, time);
    say(out, "time", time);
  }
  say_best(study, r, out);
  say_checkpoints(r, out);
}

trm_status trm_run_describe(const char *folder, FILE *out) {
  trm_study study;
  TRM_TRY(trm_study_read(&folder, 1, &study));
  for (int i = 0; i < study.n; ++i) say_run(&study, &study.records[i], out);
  trm_study_free(&study);
  return TRM_OK;
}
