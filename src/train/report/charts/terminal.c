/* Charts in characters. */
#include <math.h>
#include <string.h>

#include "chart.h"
#include "ticks.h"
#include "trireme/core/memory.h"
#include "trireme/train/report.h"

void trm_print_grid(const double *const *values, int n, const char *signs, int columns, int lines,
                    double low, double high, const char *prefix, FILE *file) {
  enum { MOST = 400 };
  char text[MOST + 1];
  if (columns > MOST) columns = MOST;
  for (int line = lines - 1; line >= 0; --line) {
    int used = 0;
    for (int c = 0; c < columns; ++c) {
      text[c] = ' ';
      for (int k = 0; k < n; ++k) {
        if (isnan(values[k][c])) continue;
        const double share = fmin(fmax((values[k][c] - low) / (high - low), 0), 1);
        const int at = share * lines < lines ? (int)(share * lines) : lines - 1;
        if (at == line) text[c] = signs[k];
      }
      if (text[c] != ' ') used = c + 1;
    }
    text[used] = 0;
    if (line == lines - 1 || line == 0) {
      (void)fprintf(file, "%s%9.3g |%s\n", prefix, line == 0 ? low : high, text);
    } else {
      (void)fprintf(file, "%s%9s |%s\n", prefix, "", text);
    }
  }
}

static double place(double value, double low, double high, bool log) {
  return log ? log10(value / low) / log10(high / low) : (value - low) / (high - low);
}

/* A column is the mean of the points in it; those between two points that are further apart lie on the
 * line between them. */
static void fill_columns(const trm_chart *chart, const trm_chart_line *line, int columns,
                         double *sums, int *counts) {
  int last = -1;
  for (int c = 0; c < columns; ++c) {
    sums[c] = 0;
    counts[c] = 0;
  }
  for (int64_t i = 0; i < line->n; ++i) {
    if (chart->log_x && !(line->x[i] > 0)) continue;
    const double x = place(line->x[i], chart->x_low, chart->x_high, chart->log_x);
    const int c = (int)fmin(fmax(x * columns, 0), columns - 1);
    sums[c] += line->y[i];
    ++counts[c];
  }
  for (int c = 0; c < columns; ++c) {
    if (counts[c] == 0) {
      sums[c] = (double)NAN;
      continue;
    }
    sums[c] /= counts[c];
    for (int k = last + 1; last >= 0 && k < c; ++k) {
      sums[k] = sums[last] + (sums[c] - sums[last]) * (k - last) / (c - last);
    }
    last = c;
  }
}

static const char letters[] = "*o+x#@%&=~abcdefghijklmnpqrstuvwyz";
enum { LETTERS = sizeof letters - 1 };

static void print_legend(const trm_chart *chart, int columns, int names, FILE *file) {
  char low[TRM_TICK_BYTES], high[TRM_TICK_BYTES];
  trm_tick_text(chart->x_low, low);
  trm_tick_text(chart->x_high, high);
  (void)fprintf(file, "%10s%-*s%s %s\n", "", columns - (int)strlen(high) + 1, low, high,
                chart->x_name);
  const int n = chart->n_lines <= names ? chart->n_lines : names - 1;
  for (int l = 0; l < n; ++l) {
    const trm_chart_line *line = &chart->lines[l];
    (void)fprintf(file, "%10s%c %s", "", letters[l % LETTERS], line->name);
    if (line->n > 0) (void)fprintf(file, ": %.6g", line->y[line->n - 1]);
    if (isfinite(line->bad_x)) {
      (void)fprintf(file, ", no finite number from step %.0f on", line->bad_x);
    }
    (void)fprintf(file, "\n");
  }
  if (n < chart->n_lines) (void)fprintf(file, "%10sand %d lines more\n", "", chart->n_lines - n);
}

trm_status trm_chart_print(const trm_chart *chart, int columns, int lines, int names, FILE *file) {
  const int n = chart->n_lines;
  double *values = NULL;
  const double **rows = NULL;
  int *counts = NULL;
  char *signs = NULL;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&values, (int64_t)n * columns, "chart"));
  TRM_TRY_OUT(TRM_ALLOC(&rows, n, "chart"));
  TRM_TRY_OUT(TRM_ALLOC(&counts, columns, "chart"));
  TRM_TRY_OUT(TRM_ALLOC(&signs, n + 1, "chart"));
  for (int l = 0; l < n; ++l) {
    double *row = values + (int64_t)l * columns;
    fill_columns(chart, &chart->lines[l], columns, row, counts);
    rows[l] = row;
    signs[l] = letters[l % LETTERS];
  }
  (void)fprintf(file, "%s\n", chart->title);
  trm_print_grid(rows, n, signs, columns, lines, chart->y_low, chart->y_high, "", file);
  print_legend(chart, columns, names, file);
out:
  TRM_FREE(values);
  TRM_FREE(rows);
  TRM_FREE(counts);
  TRM_FREE(signs);
  return status;
}
