#include "record.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "trireme/core/config.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/io/lock.h"

static const int64_t most_bytes = (int64_t)1 << 32;

/* ---- configuration --------------------------------------------------------------------------- */

/* Pairs are counted, then kept, each as two texts in one block. */
typedef struct gatherer {
  trm_setting *settings;
  char *block;
  int n;
  size_t used;
} gatherer;

static const char *keep(gatherer *g, const char *text) {
  const size_t bytes = strlen(text) + 1;
  char *copy = g->block ? g->block + g->used : NULL;
  if (copy) memcpy(copy, text, bytes);
  g->used += bytes;
  return copy;
}

static trm_status gather(void *context, const char *name, const char *value) {
  gatherer *g = context;
  const trm_setting setting = {keep(g, name), keep(g, value)};
  if (g->settings) g->settings[g->n] = setting;
  ++g->n;
  return TRM_OK;
}

static trm_status read_config(trm_record *r) {
  char path[TRM_RECORD_PATH_BYTES], *text = NULL;
  int64_t bytes;
  gatherer g = {0};
  TRM_TRY(trm_path_join(path, sizeof path, r->folder, "config.yaml"));
  if (!trm_path_exists(path)) return TRM_OK; /* the metrics say enough */
  TRM_TRY(trm_file_read_all(path, 1 << 20, &text, &bytes));
  trm_status status = trm_config_pairs(text, path, gather, &g);
  if (status != TRM_OK) goto out;
  TRM_TRY_OUT(TRM_ALLOC(&r->settings, g.n, "configuration"));
  TRM_TRY_OUT(TRM_ALLOC(&r->config, (int64_t)g.used, "configuration"));
  g = (gatherer){.settings = r->settings, .block = r->config};
  status = trm_config_pairs(text, path, gather, &g);
  r->n_settings = g.n;
out:
  TRM_FREE(text);
  return status;
}

/* ---- metrics --------------------------------------------------------------------------------- */

/* Columns whose fields are no numbers. */
static bool is_word(const char *name) {
  return strcmp(name, "event") == 0 || strcmp(name, "weights_hash") == 0 ||
         strcmp(name, "samples_hash") == 0;
}

static trm_status take_header(trm_record *r, const char *path, char *line, int *n_fields) {
  static const char per_s[] = "s_per_s";
  char *fields[TRM_RECORD_COLUMNS + 1];
  const int n = trm_csv_cut(line, fields, TRM_RECORD_COLUMNS + 1);
  if (n > TRM_RECORD_COLUMNS || strcmp(fields[0], "step") != 0) {
    return trm_fail(TRM_ERR_DATA,
                    "%s:1: its first column is not 'step', or it has more than %d; give run "
                    "directories of this program",
                    path, TRM_RECORD_COLUMNS);
  }
  r->n_columns = *n_fields = n;
  r->first_score = n;
  for (int i = 0; i < n; ++i) {
    trm_column *column = &r->columns[i];
    const size_t length = strlen(fields[i]), ending = sizeof per_s - 1;
    (void)snprintf(column->name, sizeof column->name, "%s", fields[i]);
    column->bad_step = -1;
    if (strcmp(fields[i], "samples_hash") == 0) r->first_score = i + 1;
    if (r->unit[0] || length <= ending || strcmp(fields[i] + length - ending, per_s) != 0) continue;
    (void)snprintf(r->unit, sizeof r->unit, "%.*s", (int)(length - ending), fields[i]);
  }
  return TRM_OK;
}

static trm_status bad_field(const trm_record *r, const char *path, int64_t line, int i,
                            const char *field) {
  return trm_fail(TRM_ERR_DATA,
                  "%s:%" PRId64 ": column '%s' has '%.40s', which is no number; mend the file, or "
                  "leave this run out",
                  path, line, r->columns[i].name, field);
}

static trm_status take_field(trm_record *r, const char *path, int64_t line, int i, char *field) {
  trm_column *column = &r->columns[i];
  double *value = &column->values[r->n_rows];
  char *end;
  *value = (double)NAN;
  if (!*field) return TRM_OK;
  *value = strtod(field, &end);
  if (*end) return bad_field(r, path, line, i, field);
  if (isfinite(*value)) {
    ++column->n;
  } else {
    *value = (double)NAN;
    if (column->bad_step < 0) column->bad_step = (int64_t)r->steps[r->n_rows];
  }
  return TRM_OK;
}

static trm_status take_row(trm_record *r, const char *path, int64_t line, char **fields) {
  char *end;
  r->steps[r->n_rows] = strtod(fields[0], &end);
  if (*end || end == fields[0] || !(fabs(r->steps[r->n_rows]) < 9e15)) {
    return bad_field(r, path, line, 0, fields[0]);
  }
  for (int i = 1; i < r->n_columns; ++i) {
    if (strcmp(r->columns[i].name, "event") == 0 && *fields[i]) {
      (void)snprintf(r->why, sizeof r->why, "%s", fields[i]);
      r->state = TRM_RUN_EARLY;
    }
    if (!r->columns[i].values) continue;
    TRM_TRY(take_field(r, path, line, i, fields[i]));
  }
  r->last_step = (int64_t)r->steps[r->n_rows];
  ++r->n_rows;
  return TRM_OK;
}

static trm_status take_columns(trm_record *r, int64_t n_lines) {
  TRM_TRY(TRM_ALLOC(&r->steps, n_lines, "metrics of a run"));
  for (int i = 1; i < r->n_columns; ++i) {
    if (is_word(r->columns[i].name)) continue;
    TRM_TRY(TRM_ALLOC(&r->columns[i].values, n_lines, "metrics of a run"));
  }
  return TRM_OK;
}

/* The last line may be cut short: the run is writing it, or was killed while it did. */
static trm_status take_metrics(trm_record *r, const char *path) {
  char *fields[TRM_RECORD_COLUMNS + 1], *line = r->text;
  int n_fields = 0;
  int64_t n_lines = 0, number = 1;
  for (const char *p = r->text; (p = strchr(p, '\n')); ++p) ++n_lines;
  char *end = strchr(line, '\n');
  if (!end) {
    return trm_fail(TRM_ERR_DATA, "%s: is empty; the run has not begun, or leave it out", path);
  }
  *end = 0;
  TRM_TRY(take_header(r, path, line, &n_fields));
  TRM_TRY(take_columns(r, n_lines));
  for (line = end + 1; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    ++number;
    if (!*line) continue;
    const int n = trm_csv_cut(line, fields, n_fields + 1);
    if (n != n_fields) {
      return trm_fail(TRM_ERR_DATA,
                      "%s:%" PRId64 ": has %s than the %d fields of the first line; mend the file, "
                      "or leave this run out",
                      path, number, n < n_fields ? "fewer" : "more", n_fields);
    }
    TRM_TRY(take_row(r, path, number, fields));
  }
  return TRM_OK;
}

static trm_status read_metrics(trm_record *r) {
  char path[TRM_RECORD_PATH_BYTES];
  int64_t bytes;
  TRM_TRY(trm_path_join(path, sizeof path, r->folder, "metrics.csv"));
  if (!trm_path_exists(r->folder)) {
    return trm_fail(TRM_ERR_MISSING,
                    "%s: there is no such folder; give run directories, or folders of a sweep",
                    r->folder);
  }
  if (!trm_path_exists(path)) {
    return trm_fail(TRM_ERR_IO,
                    "%s: has no metrics.csv, so it is no run directory; give run directories, or "
                    "folders of a sweep",
                    r->folder);
  }
  TRM_TRY(trm_file_read_all(path, most_bytes, &r->text, &bytes));
  return take_metrics(r, path);
}

/* ---- the log --------------------------------------------------------------------------------- */

/* "step 13/80  loss 8.9941 ..." and "step 1,000  validation loss ...": progress and evaluations, which
 * metrics.csv has. */
static bool is_progress(const char *line) {
  if (strncmp(line, "step ", 5) != 0) return false;
  const size_t n = strspn(line + 5, "0123456789,");
  return line[5 + n] == '/' || line[5 + n] == ' ';
}

/* "gcn: 23,063 parameters, 2708 nodes, ..." */
static bool take_model(trm_record *r, const char *line) {
  const char *at = strstr(line, ": "), *end = at ? strstr(at, " parameters, ") : NULL;
  if (!end || strspn(at + 2, "0123456789,") != (size_t)(end - at - 2)) return false;
  (void)snprintf(r->parameters, sizeof r->parameters, "%.*s", (int)(end - at - 2), at + 2);
  (void)snprintf(r->data, sizeof r->data, "%s", end + strlen(" parameters, "));
  return true;
}

static bool take_layout(trm_record *r, const char *line) {
  const size_t n = strspn(line, "0123456789");
  if (n == 0 || strncmp(line + n, " rank", 5) != 0) return false;
  (void)snprintf(r->layout, sizeof r->layout, "%s", line);
  return true;
}

/* The last thing a run says decides what became of it. */
static void take_end(trm_record *r, const char *line) {
  trm_run_state_word state = r->state;
  if (strncmp(line, "stopped at step ", 16) == 0) {
    state = TRM_RUN_STOPPED;
  } else if (strncmp(line, "paused after step ", 18) == 0) {
    state = TRM_RUN_PAUSED;
  } else if (strncmp(line, "given up after step ", 20) == 0) {
    state = TRM_RUN_GIVEN_UP;
  } else if (strncmp(line, "step ", 5) == 0 && strstr(line, ": the loss is ")) {
    state = TRM_RUN_DIVERGED;
  } else {
    return;
  }
  r->state = state;
  (void)snprintf(r->why, sizeof r->why, "%s", line);
}

static void take_line(trm_record *r, const char *line) {
  if (is_progress(line)) {
    if (r->state == TRM_RUN_EARLY) return;
    r->state = TRM_RUN_BROKEN; /* it went on; the end of the file will tell */
    r->why[0] = 0;
    return;
  }
  if (take_model(r, line) || take_layout(r, line)) return;
  if (strncmp(line, "resumed at step ", 16) == 0) ++r->n_resumes;
  take_end(r, line);
  r->notes[r->n_notes++] = line;
}

/* "2026-11-28T09:21:20Z text" */
static trm_status read_log(trm_record *r) {
  char path[TRM_RECORD_PATH_BYTES];
  int64_t bytes, n_lines = 1;
  TRM_TRY(trm_path_join(path, sizeof path, r->folder, "log.txt"));
  if (!trm_path_exists(path)) return TRM_OK;
  TRM_TRY(trm_file_read_all(path, most_bytes, &r->log, &bytes));
  for (const char *p = r->log; (p = strchr(p, '\n')); ++p) ++n_lines;
  TRM_TRY(TRM_ALLOC(&r->notes, n_lines, "log of a run"));
  char *rest = NULL;
  for (char *line = strtok_r(r->log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    const char *text = strchr(line, ' ');
    if (text) take_line(r, text + 1);
  }
  return TRM_OK;
}

/* ---- all of it ------------------------------------------------------------------------------- */

int64_t trm_record_end(const trm_record *record) {
  const char *steps = trm_record_value(record, "train.steps");
  return steps ? strtoll(steps, NULL, 10) : 0;
}

/* What its files leave open. */
static void judge(trm_record *r) {
  const int64_t end = trm_record_end(r);
  const bool running = trm_lock_held(r->folder);
  if (r->state >= TRM_RUN_STOPPED && r->state <= TRM_RUN_DIVERGED) { /* by its own words */
    if (running) r->state = TRM_RUN_RUNNING;
  } else if (end == 0 || r->last_step >= end) {
    r->state = TRM_RUN_DONE;
  } else if (r->state != TRM_RUN_EARLY) {
    r->state = running ? TRM_RUN_RUNNING : TRM_RUN_BROKEN;
  }
}

static void name_after_folder(trm_record *r) {
  const char *slash = strrchr(r->folder, '/');
  (void)snprintf(r->name, sizeof r->name, "%.250s", slash && slash[1] ? slash + 1 : r->folder);
}

trm_status trm_record_read(const char *folder, trm_record *record) {
  trm_status status = TRM_OK;
  *record = (trm_record){0};
  size_t n = strlen(folder);
  while (n > 1 && folder[n - 1] == '/') --n;
  if (n >= sizeof record->folder) return trm_fail(TRM_ERR_IO, "%.200s...: path too long", folder);
  memcpy(record->folder, folder, n);
  name_after_folder(record);
  TRM_TRY_OUT(read_metrics(record));
  TRM_TRY_OUT(read_config(record));
  TRM_TRY_OUT(read_log(record));
  judge(record);
  return TRM_OK;
out:
  trm_record_free(record);
  return status;
}

void trm_record_free(trm_record *record) {
  for (int i = 0; i < record->n_columns; ++i) TRM_FREE(record->columns[i].values);
  TRM_FREE(record->steps);
  TRM_FREE(record->settings);
  TRM_FREE(record->notes);
  TRM_FREE(record->text);
  TRM_FREE(record->log);
  TRM_FREE(record->config);
  record->n_columns = 0;
}

const char *trm_record_value(const trm_record *record, const char *key) {
  for (int i = 0; i < record->n_settings; ++i) {
    if (strcmp(record->settings[i].key, key) == 0) return record->settings[i].value;
  }
  return NULL;
}

int trm_record_column(const trm_record *record, const char *name) {
  for (int i = 1; i < record->n_columns; ++i) {
    if (strcmp(record->columns[i].name, name) == 0) return record->columns[i].values ? i : -1;
  }
  return -1;
}

const char *trm_run_state_text(trm_run_state_word state) {
  static const char *const texts[] = {
      [TRM_RUN_DONE] = "done",         [TRM_RUN_EARLY] = "ended early",
      [TRM_RUN_RUNNING] = "running",   [TRM_RUN_STOPPED] = "stopped",
      [TRM_RUN_PAUSED] = "paused",     [TRM_RUN_GIVEN_UP] = "given up",
      [TRM_RUN_DIVERGED] = "diverged", [TRM_RUN_BROKEN] = "broken off"};
  return texts[state];
}
