/* What a curve of losses over rates says, and how it is written. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "chart.h"
#include "trireme/core/memory.h"
#include "trireme/train/find_lr.h"

/* ---- the curve -------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* Points on both sides that a mean around point i takes: as many on one as on the other, so that the
 * curve is not moved along the rates. */
static int64_t reach(const trm_rate_curve *c, int64_t i) {
  return least(c->half_width, least(i, c->n - 1 - i));
}

static void smoothen(trm_rate_curve *c) {
  for (int64_t i = 0; i < c->n; ++i) {
    const int64_t h = reach(c, i);
    double sum = 0;
    for (int64_t k = i - h; k <= i + h; ++k) sum += c->losses[k];
    c->smooth[i] = sum / (double)(2 * h + 1);
  }
}

/* Root of the mean squared distance of losses from the smooth curve, up to its lowest point. */
static double scatter(const trm_rate_curve *c) {
  double sum = 0;
  for (int64_t i = 0; i <= c->lowest; ++i) {
    sum += (c->losses[i] - c->smooth[i]) * (c->losses[i] - c->smooth[i]);
  }
  return sqrt(sum / (double)(c->lowest + 1));
}

/* The point before the lowest where the smooth curve falls most in its neighbourhood; points are
 * equally far apart in the logarithm of the rate. */
static int64_t find_steepest(const trm_rate_curve *c) {
  int64_t best = -1;
  double most = 0;
  for (int64_t i = 1; i < c->lowest; ++i) {
    const int64_t h = least(c->half_width, least(i, c->lowest - i));
    const double fall = (c->smooth[i - h] - c->smooth[i + h]) / (double)(2 * h);
    if (fall <= most) continue;
    most = fall;
    best = i;
  }
  return best;
}

static void judge(trm_rate_curve *c) {
  c->lowest = 0;
  c->steepest = -1;
  for (int64_t i = 1; i < c->n; ++i) {
    if (c->smooth[i] < c->smooth[c->lowest]) c->lowest = i;
  }
  if (c->n == 0) return;
  /* Means of losses that only scatter differ by less. */
  c->fell = c->lowest > 0 && c->smooth[0] - c->smooth[c->lowest] > 3 * scatter(c);
  if (!c->fell) return;
  c->steepest = find_steepest(c);
  c->suggestion = c->rates[c->lowest] / 10;
  if (c->steepest >= 0 && c->rates[c->steepest] < c->suggestion) {
    c->suggestion = c->rates[c->steepest];
  }
}

trm_status trm_rate_curve_make(const double *rates, const double *losses, int64_t n_losses,
                               bool diverged, trm_rate_curve *curve) {
  enum { SHARE = 25 }; /* of the points on one side of a mean */
  const int64_t n = n_losses > 0 ? n_losses - 1 : 0;
  trm_status status = TRM_OK;
  *curve = (trm_rate_curve){.n = n, .diverged = diverged};
  TRM_TRY_OUT(TRM_ALLOC(&curve->rates, n, "curve of rates"));
  TRM_TRY_OUT(TRM_ALLOC(&curve->losses, n, "curve of rates"));
  TRM_TRY_OUT(TRM_ALLOC(&curve->smooth, n, "curve of rates"));
  curve->half_width = n / SHARE > 1 ? n / SHARE : 1;
  for (int64_t i = 0; i < n; ++i) {
    curve->rates[i] = rates[i];
    curve->losses[i] = losses[i + 1];
  }
  smoothen(curve);
  judge(curve);
  return TRM_OK;
out:
  trm_rate_curve_free(curve);
  return status;
}

void trm_rate_curve_free(trm_rate_curve *curve) {
  TRM_FREE(curve->rates);
  TRM_FREE(curve->losses);
  TRM_FREE(curve->smooth);
  curve->n = 0;
}

void trm_rate_curve_range(const trm_rate_curve *curve, double *low, double *high) {
  const double first = curve->n > 0 ? curve->smooth[0] : 1;
  *low = curve->n > 0 ? curve->smooth[curve->lowest] : 0;
  *high = first + (first - *low) / 4;
  if (*high > *low) return;
  *high = *low; /* it only rose */
  for (int64_t i = 0; i < curve->n; ++i) *high = fmax(*high, curve->smooth[i]);
  *high = fmin(*high, *low + fabs(*low));
  if (!(*high > *low)) *high = *low + 1;
}

/* ---- files ------------------------------------------------------------------------------------ */

void trm_rate_curve_write_csv(const trm_rate_curve *curve, FILE *file) {
  (void)fprintf(file, TRM_RATE_CURVE_COLUMNS "\n");
  for (int64_t i = 0; i < curve->n; ++i) {
    (void)fprintf(file, "%" PRId64 ",%.9g,%.9g,%.9g\n", i + 1, curve->rates[i], curve->losses[i],
                  curve->smooth[i]);
  }
}

static void add_mark(trm_chart *chart, double rate, const char *what) {
  trm_chart_mark *mark = &chart->marks[chart->n_marks++];
  mark->x = rate;
  (void)snprintf(mark->text, sizeof mark->text, "%s %.2g", what, rate);
}

void trm_rate_curve_write_svg(const trm_rate_curve *curve, const char *title, FILE *file) {
  const trm_chart_line lines[] = {{.name = "loss",
                                   .style = TRM_LINE_DOTS,
                                   .n = curve->n,
                                   .x = curve->rates,
                                   .y = curve->losses,
                                   .bad_x = (double)NAN},
                                  {.name = "smoothed",
                                   .n = curve->n,
                                   .x = curve->rates,
                                   .y = curve->smooth,
                                   .bad_x = (double)NAN}};
  trm_chart chart = {.mark = TRM_RATE_CURVE_MARK,
                     .title = title,
                     .x_name = "learning rate",
                     .y_name = "loss of the next batch",
                     .log_x = true,
                     .lines = lines,
                     .n_lines = 2,
                     .x_low = curve->n > 0 ? curve->rates[0] : 1,
                     .x_high = curve->n > 1 ? curve->rates[curve->n - 1] : 10};
  if (!(chart.x_high > chart.x_low)) chart.x_high = 10 * chart.x_low;
  trm_rate_curve_range(curve, &chart.y_low, &chart.y_high);
  if (curve->steepest >= 0) add_mark(&chart, curve->rates[curve->steepest], "steepest");
  if (curve->fell) add_mark(&chart, curve->rates[curve->lowest] / 10, "lowest / 10");
  trm_chart_svg(&chart, TRM_SVG_ALONE, file);
}
