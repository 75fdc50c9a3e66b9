#include "sweep_summary.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "csv.h"
#include "trireme/core/memory.h"
#include "trireme/train/scores.h"

/* ---- one run --------------------------------------------------------------------------------- */

/* Column of another part's score beside that of the validation part; -1: there is none. */
static int column_beside(const trm_curves *curves, int column, const char *part) {
  char name[64];
  if (strncmp(curves->names[column], "valid_", 6) != 0) return -1;
  (void)snprintf(name, sizeof name, "%s_%s", part, curves->names[column] + 6);
  for (int c = 0; c < curves->n_columns; ++c) {
    if (strcmp(curves->names[c], name) == 0) return c;
  }
  return -1;
}

void trm_sweep_shown(const trm_curves *curves, int column, int shown[TRM_SWEEP_SHOWN]) {
  int n = 0, score = column;
  shown[n++] = column;
  if (column == 0 && curves->n_columns > 1) shown[n++] = score = 1;
  const int test = column_beside(curves, score, "test"),
            train = column_beside(curves, score, "train");
  if (test >= 0) shown[n++] = test;
  if (train >= 0) shown[n++] = train;
  while (n < TRM_SWEEP_SHOWN) shown[n++] = -1;
}

static void say_value(const char *name, double value, char *text, size_t size) {
  const trm_metric *metric = trm_metric_find(name);
  const trm_metric_unit unit = metric ? metric->unit : TRM_METRIC_PLAIN;
  const double scale = unit == TRM_METRIC_SHARE ? 100 : 1;
  (void)snprintf(text, size, unit == TRM_METRIC_PLAIN ? "%s %.4f" : "%s %.2f", name, scale * value);
}

void trm_sweep_say_best(const trm_curve *curve, const trm_curves *curves, int column, bool higher,
                        char *text, size_t size) {
  int shown[TRM_SWEEP_SHOWN], n = 0;
  const int64_t row = trm_curve_best(curve, curves->n_columns, column, higher);
  trm_sweep_shown(curves, column, shown);
  if (row < 0) {
    (void)snprintf(text, size, "no evaluation");
    return;
  }
  for (int i = 0; i < TRM_SWEEP_SHOWN; ++i) {
    char cell[64];
    if (shown[i] < 0) continue;
    const double value = curve->values[row * curves->n_columns + shown[i]];
    if (isnan(value)) continue;
    say_value(curves->names[shown[i]], value, cell, sizeof cell);
    n += snprintf(text + n, size - (size_t)n, "%s%s", n > 0 ? ", " : "", cell);
  }
  (void)snprintf(text + n, size - (size_t)n, " (step %" PRId64 ")", curve->steps[row]);
}

/* ---- points ---------------------------------------------------------------------------------- */

typedef struct cell {
  int64_t n;
  double mean, deviation;
} cell;

/* Column c over the runs of a point, each at its best. */
static cell cell_of(const trm_sweep_summary *s, int64_t point, int c, double *values) {
  cell result = {0};
  const int n = s->curves->n_columns;
  for (int64_t r = point * s->runs_a_point; r < (point + 1) * s->runs_a_point; ++r) {
    const trm_curve *curve = &s->curves->runs[r];
    const int64_t row = trm_curve_best(curve, n, s->column, s->higher);
    if (row >= 0) values[result.n++] = curve->values[row * n + c];
  }
  trm_mean_deviation(values, result.n, &result.mean, &result.deviation);
  return result;
}

/* The point whose mean is the best; -1: none has a result. */
static int64_t best_point(const trm_sweep_summary *s, double *values) {
  int64_t best = -1;
  double best_mean = 0;
  for (int64_t p = 0; p < trm_grid_points(s->grid); ++p) {
    const cell here = cell_of(s, p, s->column, values);
    if (here.n == 0 || isnan(here.mean)) continue;
    if (best >= 0 && !(s->higher ? here.mean > best_mean : here.mean < best_mean)) continue;
    best = p;
    best_mean = here.mean;
  }
  return best;
}

static int width_of_axis(const trm_grid *grid, int axis) {
  size_t width = strlen(grid->axes[axis].key);
  for (int64_t i = 0; i < grid->axes[axis].n; ++i) {
    const size_t n = strlen(grid->axes[axis].values[i]);
    width = n > width ? n : width;
  }
  return (int)width;
}

static void print_point(const trm_sweep_summary *s, int64_t point, bool best, const int *columns,
                        double *values, FILE *file) {
  (void)fputc(best ? '*' : ' ', file);
  for (int a = 0; a < s->grid->n_axes; ++a) {
    (void)fprintf(file, " %-*s ", width_of_axis(s->grid, a), trm_grid_value(s->grid, point, a));
  }
  (void)fprintf(file, "%4" PRId64, cell_of(s, point, s->column, values).n);
  for (int i = 0; i < TRM_SWEEP_SHOWN; ++i) {
    char text[64] = "-";
    if (columns[i] < 0) continue;
    const cell here = cell_of(s, point, columns[i], values);
    if (here.n > 0 && !isnan(here.mean)) {
      trm_curves_cell(s->curves->names[columns[i]], here.n, here.mean, here.deviation, text,
                      sizeof text);
    }
    (void)fprintf(file, "  %18s", text);
  }
  (void)fputc('\n', file);
}

trm_status trm_sweep_print_points(const trm_sweep_summary *s, FILE *file) {
  double *values = NULL;
  TRM_TRY(TRM_ALLOC(&values, s->runs_a_point, "results of runs"));
  int columns[TRM_SWEEP_SHOWN];
  trm_sweep_shown(s->curves, s->column, columns);
  const int64_t best = best_point(s, values);
  (void)fprintf(file,
                "mean +- deviation over the runs of each point, at each run's best %s; shares in "
                "percent\n ",
                s->curves->names[s->column]);
  for (int a = 0; a < s->grid->n_axes; ++a) {
    (void)fprintf(file, " %-*s ", width_of_axis(s->grid, a), s->grid->axes[a].key);
  }
  (void)fprintf(file, "runs");
  for (int i = 0; i < TRM_SWEEP_SHOWN; ++i) {
    if (columns[i] >= 0) (void)fprintf(file, "  %18s", s->curves->names[columns[i]]);
  }
  (void)fputc('\n', file);
  for (int64_t p = 0; p < trm_grid_points(s->grid); ++p) {
    print_point(s, p, p == best, columns, values, file);
  }
  (void)fprintf(file, "* best mean %s\n", s->curves->names[s->column]);
  TRM_FREE(values);
  return TRM_OK;
}

trm_status trm_sweep_write_points(const trm_sweep_summary *s, FILE *file) {
  double *values = NULL;
  TRM_TRY(TRM_ALLOC(&values, s->runs_a_point, "results of runs"));
  for (int a = 0; a < s->grid->n_axes; ++a) (void)fprintf(file, "%s,", s->grid->axes[a].key);
  (void)fprintf(file, "runs");
  for (int c = 0; c < s->curves->n_columns; ++c) {
    const char *name = s->curves->names[c];
    (void)fprintf(file, ",%s,%s_deviation", name, name);
  }
  for (int64_t p = 0; p < trm_grid_points(s->grid); ++p) {
    (void)fputc('\n', file);
    for (int a = 0; a < s->grid->n_axes; ++a) {
      trm_csv_field(trm_grid_value(s->grid, p, a), file);
      (void)fputc(',', file);
    }
    (void)fprintf(file, "%" PRId64, cell_of(s, p, s->column, values).n);
    for (int c = 0; c < s->curves->n_columns; ++c) {
      const cell here = cell_of(s, p, c, values);
      if (here.n > 0 && !isnan(here.mean)) {
        (void)fprintf(file, ",%.9g,%.9g", here.mean, here.deviation);
      } else {
        (void)fprintf(file, ",,");
      }
    }
  }
  (void)fputc('\n', file);
  TRM_FREE(values);
  return TRM_OK;
}
