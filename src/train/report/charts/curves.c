#include "curves.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/memory.h"

const char trm_waiting_column[] = "waiting_share";

/* ---- points ---------------------------------------------------------------------------------- */

typedef struct point {
  double x, y;
} point;

static int by_x(const void *a, const void *b) {
  const point *p = a, *q = b;
  return (p->x > q->x) - (p->x < q->x);
}

/* Values of a column that are there; the share of waiting is that of a step's time. */
static int64_t take_points(const trm_record *r, const char *column, point *points) {
  const bool waiting = column == trm_waiting_column;
  const int c = trm_record_column(r, waiting ? "exposed_comm_s" : column);
  const int time = waiting ? trm_record_column(r, "step_s") : -1;
  int64_t n = 0;
  if (c < 0 || (waiting && time < 0)) return 0;
  for (int64_t i = 0; i < r->n_rows; ++i) {
    double value = r->columns[c].values[i];
    if (waiting) value /= r->columns[time].values[i];
    if (isfinite(value)) points[n++] = (point){r->steps[i], value};
  }
  return n;
}

/* Mean and deviation of the points of one x, if half of the runs or more have it. */
static void join(const point *all, int64_t n, int n_runs, trm_points *out) {
  for (int64_t i = 0, end; i < n; i = end) {
    double sum = 0, squares = 0;
    for (end = i; end < n && all[end].x == all[i].x; ++end) sum += all[end].y;
    const double count = (double)(end - i), mean = sum / count;
    if (2 * count < n_runs) continue;
    for (int64_t k = i; k < end; ++k) squares += (all[k].y - mean) * (all[k].y - mean);
    out->x[out->n] = all[i].x;
    out->y[out->n] = mean;
    out->spread[out->n++] = count > 1 ? sqrt(squares / (count - 1)) : 0;
  }
}

trm_status trm_group_points(const trm_study *study, int group, const char *column,
                            trm_points *points) {
  const trm_group *g = &study->groups[group];
  point *all = NULL;
  int64_t most = 0, n = 0;
  *points = (trm_points){0};
  for (int m = 0; m < g->n; ++m) most += study->records[g->members[m]].n_rows;
  trm_status status = TRM_ALLOC(&all, most, "points of a curve");
  if (status != TRM_OK) return status;
  for (int m = 0; m < g->n; ++m) n += take_points(&study->records[g->members[m]], column, all + n);
  if (g->n > 1) qsort(all, (size_t)n, sizeof *all, by_x);
  TRM_TRY_OUT(TRM_ALLOC(&points->x, 3 * n, "points of a curve"));
  points->y = points->x + n;
  points->spread = points->y + n;
  if (g->n > 1) {
    join(all, n, g->n, points);
  } else {
    for (int64_t i = 0; i < n; ++i) {
      points->x[i] = all[i].x;
      points->y[i] = all[i].y;
    }
    points->n = n;
  }
out:
  TRM_FREE(all);
  return status;
}

void trm_points_free(trm_points *points) {
  TRM_FREE(points->x);
  points->n = 0;
}

/* ---- which charts ---------------------------------------------------------------------------- */

/* A line that each group has in a chart. */
typedef struct wanted_line {
  char column[TRM_COLUMN_BYTES];
  const char *what; /* "training"; "": the chart says it */
  trm_line_style style;
} wanted_line;

typedef struct wanted_chart {
  char name[96], title[96];
  wanted_line lines[3];
  int n_lines;
} wanted_chart;

enum { MOST_CHARTS = 32 };

typedef struct plan {
  const trm_study *study;
  wanted_chart charts[MOST_CHARTS];
  int n;
} plan;

static bool has(const trm_study *study, const char *column) {
  for (int i = 0; i < study->n; ++i) {
    const int c = trm_record_column(&study->records[i], column);
    if (c < 0) continue;
    const trm_column *found = &study->records[i].columns[c];
    if (found->n > 0 || found->bad_step >= 0) return true;
  }
  return false;
}

static wanted_chart *add_chart(plan *p, const char *name, const char *title) {
  if (p->n == MOST_CHARTS) return NULL;
  wanted_chart *chart = &p->charts[p->n++];
  *chart = (wanted_chart){0};
  (void)snprintf(chart->name, sizeof chart->name, "%s", name);
  (void)snprintf(chart->title, sizeof chart->title, "%s", title);
  return chart;
}

static void add_line(const plan *p, wanted_chart *chart, const char *column, const char *what,
                     trm_line_style style) {
  if (!chart || chart->n_lines == 3 || !has(p->study, column)) return;
  wanted_line *line = &chart->lines[chart->n_lines++];
  *line = (wanted_line){.what = what, .style = style};
  (void)snprintf(line->column, sizeof line->column, "%s", column);
}

static void drop_empty(plan *p) {
  if (p->n > 0 && p->charts[p->n - 1].n_lines == 0) --p->n;
}

static void add_losses(plan *p) {
  char title[96];
  (void)snprintf(title, sizeof title, "loss a %s", p->study->records[0].unit);
  wanted_chart *chart = add_chart(p, "loss", title);
  const bool valid = has(p->study, "valid_loss");
  add_line(p, chart, "loss", "training", valid ? TRM_LINE_PALE : TRM_LINE_SOLID);
  add_line(p, chart, "valid_loss", "validation", TRM_LINE_SOLID);
  add_line(p, chart, "train_loss", "training part, as evaluated", TRM_LINE_DASHED);
  drop_empty(p);
}

static bool is_planned(const plan *p, const char *name) {
  for (int i = 0; i < p->n; ++i) {
    if (strcmp(p->charts[i].name, name) == 0) return true;
  }
  return false;
}

static void add_metric(plan *p, const char *metric) {
  char column[TRM_COLUMN_BYTES], title[96];
  if (is_planned(p, metric)) return;
  (void)snprintf(title, sizeof title, "%s", metric);
  for (char *c = title; *c; ++c) *c = *c == '_' ? ' ' : *c;
  wanted_chart *chart = add_chart(p, metric, title);
  (void)snprintf(column, sizeof column, "valid_%.30s", metric);
  const bool valid = has(p->study, column);
  add_line(p, chart, column, "validation", TRM_LINE_SOLID);
  (void)snprintf(column, sizeof column, "test_%.30s", metric);
  add_line(p, chart, column, "test", valid ? TRM_LINE_DASHED : TRM_LINE_SOLID);
  (void)snprintf(column, sizeof column, "train_%.30s", metric);
  add_line(p, chart, column, "training", TRM_LINE_PALE);
  drop_empty(p);
}

/* What evaluations are compared by comes first. */
static void add_scores(plan *p) {
  char subset[16];
  const char *metric;
  if (trm_score_parts(p->study->select, subset, &metric) && strcmp(metric, "loss") != 0) {
    add_metric(p, metric);
  }
  for (int i = 0; i < p->study->n; ++i) {
    const trm_record *r = &p->study->records[i];
    for (int c = r->first_score; c < r->n_columns; ++c) {
      if (trm_score_parts(r->columns[c].name, subset, &metric)) add_metric(p, metric);
    }
  }
}

void trm_rate_column(const trm_study *study, char name[TRM_COLUMN_BYTES]) {
  (void)snprintf(name, TRM_COLUMN_BYTES, "%.30ss_per_s", study->records[0].unit);
}

static void add_one(plan *p, const char *column, const char *title) {
  add_line(p, add_chart(p, column, title), column, "", TRM_LINE_SOLID);
  drop_empty(p);
}

static void add_workings(plan *p) {
  char rate[TRM_COLUMN_BYTES], title[96];
  trm_rate_column(p->study, rate);
  (void)snprintf(title, sizeof title, "%.60ss a second", p->study->records[0].unit);
  add_one(p, "lr", "learning rate");
  add_one(p, "grad_norm", "gradient norm");
  add_one(p, rate, title);
  if (has(p->study, "exposed_comm_s")) {
    wanted_chart *chart =
        add_chart(p, trm_waiting_column, "waiting for communication, share of a step");
    add_line(p, chart, "exposed_comm_s", "", TRM_LINE_SOLID);
    if (chart) (void)snprintf(chart->lines[0].column, TRM_COLUMN_BYTES, "%s", trm_waiting_column);
  }
  add_one(p, "peak_rss_mb", "memory of rank 0, MB");
  add_one(p, "zero_share", "share of weights that are zero");
}

static trm_status make_plan(const trm_study *study, const char *only, plan *p) {
  *p = (plan){.study = study};
  if (!only) {
    add_losses(p);
    add_scores(p);
    add_workings(p);
    return TRM_OK;
  }
  if (strcmp(only, "loss") == 0) {
    add_losses(p);
  } else if (strcmp(only, trm_waiting_column) == 0) {
    add_workings(p);
    while (p->n > 0 && strcmp(p->charts[p->n - 1].name, trm_waiting_column) != 0) --p->n;
    if (p->n > 0) p->charts[0] = p->charts[p->n - 1];
    p->n = p->n > 0;
  } else {
    add_metric(p, only);
    if (p->n == 0) add_one(p, only, only);
  }
  if (p->n > 0) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "no run has a column '%s'; there are those of metrics.csv, kinds of scores as "
                  "'accuracy', and %s",
                  only, trm_waiting_column);
}

/* ---- making them ----------------------------------------------------------------------------- */

/* From where on a line has no finite number, in any of its runs. */
static double bad_from(const trm_study *study, int group, const wanted_line *wanted) {
  const trm_group *g = &study->groups[group];
  double first = (double)NAN;
  for (int m = 0; m < g->n; ++m) {
    const trm_record *r = &study->records[g->members[m]];
    const int c = trm_record_column(r, wanted->column);
    double step =
        c >= 0 && r->columns[c].bad_step >= 0 ? (double)r->columns[c].bad_step : (double)NAN;
    if (r->state == TRM_RUN_DIVERGED && strcmp(wanted->column, "loss") == 0 && isnan(step)) {
      step = strtod(r->why + strlen("step "), NULL); /* as it said itself */
    }
    first = fmin(first, step); /* of a number and NaN it is the number */
  }
  return first;
}

static void name_line(const trm_study *study, int group, const wanted_chart *chart,
                      const wanted_line *wanted, trm_chart_line *line) {
  const trm_group *g = &study->groups[group];
  const bool one = study->n_groups == 1, what = wanted->what[0] && chart->n_lines > 1;
  if (one) {
    (void)snprintf(line->name, sizeof line->name, "%s", what ? wanted->what : chart->title);
  } else {
    (void)snprintf(line->name, sizeof line->name, "%.120s%s%s", g->label, what ? ": " : "",
                   what ? wanted->what : "");
  }
}

/* Column of a wanted line, by which points are found: that of waiting is known by its address. */
static const char *column_of(const wanted_line *wanted) {
  return strcmp(wanted->column, trm_waiting_column) == 0 ? trm_waiting_column : wanted->column;
}

static trm_status take_block(int64_t n, double **block, trm_chart_line *line) {
  TRM_TRY(TRM_ALLOC(block, 3 * n, "points of a curve"));
  line->n = n;
  line->x = *block;
  line->y = *block + n;
  line->spread = *block + 2 * n;
  return TRM_OK;
}

/* Points that show all there is. */
static trm_status keep_extremes(const trm_points *points, int64_t most, double **block,
                                trm_chart_line *line) {
  int64_t *kept = NULL;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&kept, most, "points of a curve"));
  const int64_t n = trm_thin(points->y, points->n, most, kept);
  TRM_TRY_OUT(take_block(n, block, line));
  for (int64_t i = 0; i < n; ++i) {
    (*block)[i] = points->x[kept[i]];
    (*block)[n + i] = points->y[kept[i]];
    (*block)[2 * n + i] = points->spread[kept[i]];
  }
out:
  TRM_FREE(kept);
  return status;
}

/* Means of as many points each: what scatters in many lines at once hides all of them. */
static trm_status keep_means(const trm_points *points, int64_t most, double **block,
                             trm_chart_line *line) {
  const int64_t n = points->n < most ? points->n : most;
  TRM_TRY(take_block(n, block, line));
  for (int64_t i = 0; i < n; ++i) {
    const int64_t begin = i * points->n / n, end = (i + 1) * points->n / n;
    double sums[3] = {0};
    for (int64_t k = begin; k < end; ++k) {
      sums[0] += points->x[k];
      sums[1] += points->y[k];
      sums[2] += points->spread[k];
    }
    for (int j = 0; j < 3; ++j) (*block)[j * n + i] = sums[j] / (double)(end - begin);
  }
  return TRM_OK;
}

static trm_status make_line(const trm_study *study, int group, const wanted_chart *chart, int which,
                            int64_t most, trm_charts *out) {
  enum { FEW = 4 };
  const wanted_line *wanted = &chart->lines[which];
  trm_chart_line *line = &out->lines[out->n_lines];
  trm_points points;
  *line = (trm_chart_line){.colour = group, .style = wanted->style};
  /* The lines of one configuration alone differ in colour too. */
  if (study->n_groups == 1) line->colour = which;
  name_line(study, group, chart, wanted, line);
  line->bad_x = bad_from(study, group, wanted);
  TRM_TRY(trm_group_points(study, group, column_of(wanted), &points));
  trm_status status = TRM_OK;
  if (points.n > 0 || isfinite(line->bad_x)) {
    const bool band = study->groups[group].n > 1;
    double **block = &out->blocks[out->n_lines++];
    status = band || study->n_groups > FEW ? keep_means(&points, most, block, line)
                                           : keep_extremes(&points, most, block, line);
    if (!band) line->spread = NULL;
  }
  trm_points_free(&points);
  return status;
}

static trm_status make_chart(const trm_study *study, const wanted_chart *wanted, int64_t most,
                             trm_charts *out) {
  const int first = out->n_lines;
  trm_chart *chart = &out->charts[out->n];
  char(*texts)[96] = out->texts[out->n];
  (void)snprintf(texts[0], sizeof texts[0], "%s", wanted->name);
  (void)snprintf(texts[1], sizeof texts[1], "%s", wanted->title);
  for (int g = 0; g < study->n_groups; ++g) {
    for (int l = 0; l < wanted->n_lines; ++l) {
      TRM_TRY(make_line(study, g, wanted, l, most, out));
    }
  }
  *chart = (trm_chart){.name = texts[0],
                       .title = texts[1],
                       .x_name = "step",
                       .lines = out->lines + first,
                       .n_lines = out->n_lines - first};
  if (chart->n_lines > 0) ++out->n;
  return trm_chart_fit(chart);
}

trm_status trm_charts_make(const trm_study *study, const char *only, int64_t points,
                           trm_charts *charts) {
  enum { LEAST = 40, MOST = 500 };
  plan *p = NULL;
  int64_t n_lines = 0;
  trm_status status = TRM_OK;
  *charts = (trm_charts){0};
  TRM_TRY_OUT(TRM_ALLOC(&p, 1, "charts"));
  TRM_TRY_OUT(make_plan(study, only, p));
  for (int i = 0; i < p->n; ++i) n_lines += (int64_t)p->charts[i].n_lines * study->n_groups;
  TRM_TRY_OUT(TRM_ALLOC(&charts->charts, p->n, "charts"));
  TRM_TRY_OUT(TRM_ALLOC(&charts->texts, p->n, "charts"));
  TRM_TRY_OUT(TRM_ALLOC(&charts->lines, n_lines, "charts"));
  TRM_TRY_OUT(TRM_ALLOC(&charts->blocks, n_lines, "charts"));
  int64_t most = points / (n_lines > 0 ? n_lines : 1);
  most = most < LEAST ? LEAST : most > MOST ? MOST : most;
  for (int i = 0; i < p->n; ++i) TRM_TRY_OUT(make_chart(study, &p->charts[i], most, charts));
out:
  TRM_FREE(p);
  if (status != TRM_OK) trm_charts_free(charts);
  return status;
}

void trm_charts_free(trm_charts *charts) {
  for (int i = 0; i < charts->n_lines; ++i) TRM_FREE(charts->blocks[i]);
  TRM_FREE(charts->blocks);
  TRM_FREE(charts->lines);
  TRM_FREE(charts->charts);
  TRM_FREE(charts->texts);
  charts->n = charts->n_lines = 0;
}
