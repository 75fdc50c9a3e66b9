#include "sweep_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/io/files.h"
#include "trireme/train/scores.h"

trm_status trm_curves_create(int64_t n_runs, trm_curves *curves) {
  *curves = (trm_curves){.n_runs = n_runs};
  return TRM_ALLOC(&curves->runs, n_runs, "results of runs");
}

void trm_curves_free(trm_curves *curves) {
  for (int64_t i = 0; curves->runs && i < curves->n_runs; ++i) {
    TRM_FREE(curves->runs[i].steps);
    TRM_FREE(curves->runs[i].values);
  }
  TRM_FREE(curves->runs);
}

/* ---- reading --------------------------------------------------------------------------------- */

enum { MAX_FIELDS = 64 };

/* Where the columns of a metrics.csv stand, by its header row. */
typedef struct layout {
  int step, valid_loss, first_score; /* scores: from there to the end of the row */
} layout;

static int field_named(const char *name, char *const *fields, int n) {
  for (int i = 0; i < n; ++i) {
    if (strcmp(fields[i], name) == 0) return i;
  }
  return -1;
}

static trm_status find_columns(const char *path, char *const *fields, int n, layout *at) {
  static const char *const names[] = {"step", "valid_loss", "samples_hash"};
  int found[3];
  for (int i = 0; i < 3; ++i) {
    found[i] = field_named(names[i], fields, n);
    if (found[i] < 0) {
      return trm_fail(TRM_ERR_DATA, "%s:1: no column '%s'; run it again, or leave this run out",
                      path, names[i]);
    }
  }
  *at = (layout){found[0], found[1], found[2] + 1};
  return TRM_OK;
}

/* The first run names the scores; the others must have the same. */
static trm_status take_names(trm_curves *curves, const char *path, char *const *fields, int n,
                             const layout *at) {
  trm_curves here = {.n_columns = 1};
  (void)snprintf(here.names[0], sizeof here.names[0], "valid_loss");
  for (int i = at->first_score; i < n && here.n_columns < TRM_SWEEP_SCORES; ++i) {
    (void)snprintf(here.names[here.n_columns++], sizeof here.names[0], "%s", fields[i]);
  }
  bool same = here.n_columns == curves->n_columns;
  for (int c = 0; same && c < here.n_columns; ++c) {
    same = strcmp(here.names[c], curves->names[c]) == 0;
  }
  if (curves->n_columns > 0 && !same) {
    return trm_fail(TRM_ERR_DATA,
                    "%s:1: its scores are not those of the runs before; run it again, or leave "
                    "this run out",
                    path);
  }
  curves->n_columns = here.n_columns;
  memcpy(curves->names, here.names, sizeof here.names);
  return TRM_OK;
}

static double number(const char *text) {
  return *text ? strtod(text, NULL) : (double)NAN;
}

static void take_row(const trm_curves *curves, trm_curve *curve, char *const *fields, int n,
                     const layout *at) {
  double *row = curve->values + curve->n * curves->n_columns;
  if (n <= at->valid_loss || n <= at->step) return;
  if (!*fields[at->valid_loss]) return; /* a training step */
  curve->steps[curve->n] = strtoll(fields[at->step], NULL, 10);
  row[0] = number(fields[at->valid_loss]);
  for (int c = 1; c < curves->n_columns; ++c) {
    const int i = at->first_score + c - 1;
    row[c] = i < n ? number(fields[i]) : (double)NAN;
  }
  ++curve->n;
}

static trm_status take_text(trm_curves *curves, trm_curve *curve, const char *path, char *text) {
  char *fields[MAX_FIELDS], *rest = NULL;
  layout at = {0};
  int64_t n_lines = 1;
  for (const char *p = text; (p = strchr(p, '\n')); ++p) ++n_lines;
  char *line = strtok_r(text, "\n", &rest);
  const int n = trm_csv_cut(line, fields, MAX_FIELDS);
  TRM_TRY(find_columns(path, fields, n, &at));
  TRM_TRY(take_names(curves, path, fields, n, &at));
  TRM_TRY(TRM_ALLOC(&curve->steps, n_lines, "results of a run"));
  TRM_TRY(TRM_ALLOC(&curve->values, n_lines * curves->n_columns, "results of a run"));
  while ((line = strtok_r(NULL, "\n", &rest))) {
    take_row(curves, curve, fields, trm_csv_cut(line, fields, MAX_FIELDS), &at);
  }
  return TRM_OK;
}

trm_status trm_curves_read(trm_curves *curves, int64_t run, const char *folder) {
  char path[4096], *text = NULL;
  int64_t bytes = 0;
  TRM_TRY(trm_path_join(path, sizeof path, folder, "metrics.csv"));
  TRM_TRY(trm_file_read_all(path, (int64_t)1 << 40, &text, &bytes));
  const trm_status status = take_text(curves, &curves->runs[run], path, text);
  TRM_FREE(text);
  return status;
}

/* ---- what is best ---------------------------------------------------------------------------- */

static int find(const trm_curves *curves, const char *subset, const char *metric) {
  char name[64];
  (void)snprintf(name, sizeof name, "%s_%s", subset, metric);
  for (int c = 0; c < curves->n_columns; ++c) {
    if (strcmp(curves->names[c], name) == 0) return c;
  }
  return -1;
}

trm_status trm_curves_select(const trm_curves *curves, const char *metric, int *column,
                             bool *higher) {
  *column = find(curves, "valid", metric);
  if (*column < 0) *column = find(curves, "test", metric);
  const trm_metric *known = trm_metric_find(metric);
  *higher = known && !known->less_is_better;
  if (*column >= 0 && known) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG, "eval.select is '%s', which these runs do not have", metric);
}

static bool better(double a, double b, bool higher) {
  return higher ? a > b : a < b;
}

int64_t trm_curve_best(const trm_curve *curve, int n_columns, int column, bool higher) {
  int64_t best = -1;
  for (int64_t i = 0; i < curve->n; ++i) {
    const double value = curve->values[i * n_columns + column];
    if (isnan(value)) continue; /* the subset is empty */
    if (best < 0 || better(value, curve->values[best * n_columns + column], higher)) best = i;
  }
  return best;
}

static int64_t row_of_step(const trm_curve *curve, int64_t step) {
  int64_t low = 0, high = curve->n - 1;
  while (low <= high) {
    const int64_t middle = (low + high) / 2;
    if (curve->steps[middle] == step) return middle;
    if (curve->steps[middle] < step)
      low = middle + 1;
    else
      high = middle - 1;
  }
  return -1;
}

/* Mean over the runs of the value at `step`; NaN when a run has none. */
static double mean_at(const trm_curves *curves, int64_t step, int column) {
  double sum = 0;
  int64_t n = 0;
  for (int64_t r = 0; r < curves->n_runs; ++r) {
    const trm_curve *curve = &curves->runs[r];
    if (curve->n == 0) continue;
    const int64_t row = row_of_step(curve, step);
    if (row < 0) return (double)NAN;
    sum += curve->values[row * curves->n_columns + column];
    ++n;
  }
  return n > 0 ? sum / (double)n : (double)NAN;
}

int64_t trm_curves_best_step(const trm_curves *curves, int column, bool higher) {
  int64_t best = -1;
  double best_mean = (double)NAN;
  const trm_curve *first = NULL;
  for (int64_t r = 0; r < curves->n_runs && !first; ++r) {
    if (curves->runs[r].n > 0) first = &curves->runs[r];
  }
  for (int64_t i = 0; first && i < first->n; ++i) {
    const double mean = mean_at(curves, first->steps[i], column);
    if (isnan(mean) || !(best < 0 || better(mean, best_mean, higher))) continue;
    best = first->steps[i];
    best_mean = mean;
  }
  return best;
}

/* ---- the table ------------------------------------------------------------------------------- */

typedef enum when { AT_BEST, AT_LAST, AT_STEP } when;

static int64_t row_of(const trm_curves *curves, int64_t run, when at, int64_t step, int column,
                      bool higher) {
  const trm_curve *curve = &curves->runs[run];
  if (at == AT_STEP) return row_of_step(curve, step);
  if (at == AT_LAST) return curve->n - 1;
  return trm_curve_best(curve, curves->n_columns, column, higher);
}

void trm_curves_cell(const char *name, int64_t n, double mean, double deviation, char *cell,
                     size_t size) {
  const trm_metric *metric = trm_metric_find(name);
  const trm_metric_unit unit = metric ? metric->unit : TRM_METRIC_PLAIN;
  const double scale = unit == TRM_METRIC_SHARE ? 100 : 1;
  const int digits = unit == TRM_METRIC_PLAIN ? 4 : 2;
  if (n < 2) {
    (void)snprintf(cell, size, "%.*f", digits, scale * mean);
  } else {
    (void)snprintf(cell, size, "%.*f +- %.*f", digits, scale * mean, digits, scale * deviation);
  }
}

static void put_cell(const trm_curves *curves, when at, int64_t step, int column, bool higher,
                     int c, double *values, FILE *file) {
  int64_t n = 0;
  for (int64_t r = 0; r < curves->n_runs; ++r) {
    const int64_t row = row_of(curves, r, at, step, column, higher);
    if (row >= 0) values[n++] = curves->runs[r].values[row * curves->n_columns + c];
  }
  double mean, deviation;
  char cell[64] = "-";
  trm_mean_deviation(values, n, &mean, &deviation);
  if (n > 0 && !isnan(mean)) {
    trm_curves_cell(curves->names[c], n, mean, deviation, cell, sizeof cell);
  }
  (void)fprintf(file, "  %18s", cell);
}

trm_status trm_curves_print(const trm_curves *curves, int column, bool higher, FILE *file) {
  double *values = NULL;
  int64_t n_good = 0;
  const int64_t step = trm_curves_best_step(curves, column, higher);
  TRM_TRY(TRM_ALLOC(&values, curves->n_runs, "results of runs"));
  for (int64_t r = 0; r < curves->n_runs; ++r) n_good += curves->runs[r].n > 0;
  (void)fprintf(file, "%s %lld run%s, shares in percent\n",
                n_good == 1 ? "scores of" : "mean +- deviation over", (long long)n_good,
                trm_plural(n_good));
  (void)fprintf(file, "%-16s  %18s  %18s", "", "best of each run", "last of each run");
  if (step >= 0) (void)fprintf(file, "  all at step %6lld", (long long)step);
  for (int c = 0; c < curves->n_columns; ++c) {
    (void)fprintf(file, "\n%-16s", curves->names[c]);
    put_cell(curves, AT_BEST, step, column, higher, c, values, file);
    put_cell(curves, AT_LAST, step, column, higher, c, values, file);
    if (step >= 0) put_cell(curves, AT_STEP, step, column, higher, c, values, file);
  }
  (void)fprintf(file, "\nbest means best %s\n", curves->names[column]);
  TRM_FREE(values);
  return TRM_OK;
}
