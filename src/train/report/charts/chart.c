#include "chart.h"

#include <math.h>
#include <stdlib.h>

#include "trireme/core/memory.h"

/* ---- ranges ---------------------------------------------------------------------------------- */

static int rising(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Values of y that are shown, of all lines and the ends of their bands; returns how many. */
static int64_t gather(const trm_chart *chart, double *values) {
  int64_t n = 0;
  for (int l = 0; l < chart->n_lines; ++l) {
    const trm_chart_line *line = &chart->lines[l];
    for (int64_t i = 0; i < line->n; ++i) {
      const double spread = line->spread ? line->spread[i] : 0;
      const double low = line->y[i] - spread, high = line->y[i] + spread;
      if (!chart->log_y || low > 0) values[n++] = low;
      if (spread > 0 && (!chart->log_y || high > 0)) values[n++] = high;
    }
  }
  return n;
}

/* One value far outside (a loss before the first step, one that explodes) must not flatten the rest. */
static void fit_y(trm_chart *chart, double *values, int64_t n) {
  chart->y_low = chart->log_y ? 1 : 0;
  chart->y_high = chart->log_y ? 10 : 1;
  if (n == 0) return;
  qsort(values, (size_t)n, sizeof *values, rising);
  const double low = values[n / 50], high = values[n - 1 - n / 50], span = high - low;
  chart->y_low = values[0];
  chart->y_high = values[n - 1];
  if (!chart->log_y && span > 0) {
    chart->y_low = fmax(chart->y_low, low - 2 * span);
    chart->y_high = fmin(chart->y_high, high + 2 * span);
  }
  if (chart->y_high > chart->y_low) {
    const double room = 0.04 * (chart->y_high - chart->y_low);
    if (chart->log_y) return;
    chart->y_low = chart->y_low >= 0 && chart->y_low < room ? 0 : chart->y_low - room;
    chart->y_high += room;
  } else {
    const double room = chart->y_low == 0 ? 1 : 0.1 * fabs(chart->y_low);
    chart->y_low -= room;
    chart->y_high += room;
  }
}

static void fit_x(trm_chart *chart) {
  chart->x_low = INFINITY;
  chart->x_high = -INFINITY;
  for (int l = 0; l < chart->n_lines; ++l) {
    const trm_chart_line *line = &chart->lines[l];
    int64_t first = 0;
    while (chart->log_x && first < line->n && !(line->x[first] > 0)) ++first;
    if (first == line->n) continue;
    chart->x_low = fmin(chart->x_low, line->x[first]);
    chart->x_high = fmax(chart->x_high, line->x[line->n - 1]);
    if (isfinite(line->bad_x)) chart->x_high = fmax(chart->x_high, line->bad_x);
  }
  if (!isfinite(chart->x_low)) {
    chart->x_low = chart->log_x ? 1 : 0;
    chart->x_high = 1;
  }
  if (!(chart->x_high > chart->x_low)) chart->x_high = chart->x_low + 1;
}

trm_status trm_chart_fit(trm_chart *chart) {
  double *values = NULL;
  int64_t n = 0;
  for (int l = 0; l < chart->n_lines; ++l) n += 2 * chart->lines[l].n;
  TRM_TRY(TRM_ALLOC(&values, n, "chart"));
  fit_y(chart, values, gather(chart, values));
  fit_x(chart);
  TRM_FREE(values);
  return TRM_OK;
}

/* ---- fewer points ---------------------------------------------------------------------------- */

int64_t trm_thin(const double *y, int64_t n, int64_t most, int64_t *kept) {
  int64_t n_kept = 0;
  if (n <= most) {
    for (int64_t i = 0; i < n; ++i) kept[i] = i;
    return n;
  }
  const int64_t stretches = most / 2 - 1;
  kept[n_kept++] = 0;
  for (int64_t s = 0; s < stretches; ++s) {
    const int64_t begin = 1 + s * (n - 2) / stretches, end = 1 + (s + 1) * (n - 2) / stretches;
    int64_t low = begin, high = begin;
    for (int64_t i = begin; i < end; ++i) {
      if (y[i] < y[low]) low = i;
      if (y[i] > y[high]) high = i;
    }
    kept[n_kept++] = low < high ? low : high;
    if (low != high) kept[n_kept++] = low < high ? high : low;
  }
  kept[n_kept++] = n - 1;
  return n_kept;
}

/* ---- colours --------------------------------------------------------------------------------- */

/* Okabe and Ito's, which people with any kind of colour blindness tell apart, without yellow, which white
 * paper swallows; made lighter for black. */
static const char *const on_white[] = {"#0072b2", "#d55e00", "#009e73", "#b0558f",
                                       "#8a6d00", "#3b9ccf", "#5b4bb7", "#7a7a7a"};
static const char *const on_black[] = {"#5ab4f0", "#ff8a4c", "#35d3a3", "#e79ac9",
                                       "#e6c229", "#9fdcff", "#a99cff", "#b9b9b9"};
enum { NAMED = sizeof on_white / sizeof on_white[0] };

int trm_colour_slot(int colour) {
  return colour % TRM_COLOURS;
}

/* A channel of hue h (0 to 6) at full saturation: 0 to 1. */
static double channel(double h, double shift) {
  const double k = fmod(h + shift, 6);
  return fmin(fmax(fabs(k - 3) - 1, 0), 1);
}

const char *trm_colour(int slot, bool dark, char text[8]) {
  if (slot < NAMED) return dark ? on_black[slot] : on_white[slot];
  const double hue = fmod((slot - NAMED) * 6 * 0.381966, 6); /* the golden angle apart */
  const double low = dark ? 110 : 10, high = dark ? 245 : 175;
  (void)snprintf(text, 8, "#%02x%02x%02x", (unsigned)(low + (high - low) * channel(hue, 0)) & 255u,
                 (unsigned)(low + (high - low) * channel(hue, 4)) & 255u,
                 (unsigned)(low + (high - low) * channel(hue, 2)) & 255u);
  return text;
}
