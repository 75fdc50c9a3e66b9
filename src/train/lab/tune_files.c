#include "tune_files.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "csv.h"
#include "importance.h"
#include "journal.h"
#include "sweep_summary.h"
#include "text_file.h"
#include "trireme/core/memory.h"
#include "trireme/core/numbers.h"
#include "trireme/io/files.h"
#include "trireme/train/report.h"

static trm_status place_of(const trm_trials *t, const char *name, char path[TRM_PATH_BYTES]) {
  return trm_path_join(path, TRM_PATH_BYTES, t->folder, name);
}

static double value_of(const trm_tuning *s, int64_t trial, int i) {
  return s->values[trial * TRM_SPACE_MOST + i];
}

/* ---- trials ---------------------------------------------------------------------------------- */

/* From 0 to 1 over the range. */
static double place_in_range(const trm_parameter *p, double value) {
  if (p->log) return (log(value) - log(p->low)) / (log(p->high) - log(p->low));
  return (value - p->low) / (p->high - p->low);
}

static void write_value(const trm_parameter *p, double value, bool places, FILE *file) {
  char text[TRM_SPACE_TEXT];
  (void)fputc(',', file);
  if (places) {
    if (!isnan(value)) (void)fprintf(file, "%.6g", place_in_range(p, value));
    return;
  }
  trm_parameter_text(p, value, text);
  trm_csv_field(text, file);
}

static void write_trial(const trm_tuning *s, int64_t trial, bool places, FILE *file) {
  const int64_t j = trm_tuning_job_of(s, trial, s->n_jobs);
  const trm_job *job = &s->jobs[j];
  const bool paused = job->outcome == TRM_JOB_DONE && job->rung + 1 < s->options->rungs;
  (void)fprintf(file, "%" PRId64 ",%s,", trial,
                paused ? "given up" : trm_job_outcome_text(job->outcome));
  if (!isnan(job->score)) (void)fprintf(file, "%.9g", job->score);
  (void)fprintf(file, ",%.6g,%" PRId64 ",%" PRId64, trm_tuning_length(s->options, job->rung),
                job->step, job->best_step);
  for (int i = 0; i < s->space->n; ++i) {
    write_value(&s->space->parameters[i], value_of(s, trial, i), places, file);
  }
  (void)fputc(',', file);
  trm_csv_field(job->reason, file);
  (void)fputc('\n', file);
}

static trm_status write_trials(const trm_trials *t, bool places) {
  const trm_tuning *s = t->search;
  char path[TRM_PATH_BYTES];
  trm_text_file file;
  TRM_TRY(place_of(t, places ? "parallel.csv" : "trials.csv", path));
  TRM_TRY(trm_text_file_begin(&file));
  (void)fprintf(file.stream, "trial,outcome,%s,length,step,best_step", t->select);
  for (int i = 0; i < s->space->n; ++i)
    (void)fprintf(file.stream, ",%s", s->space->parameters[i].key);
  (void)fprintf(file.stream, ",reason\n");
  for (int64_t trial = 0; trial < s->n_begun; ++trial) write_trial(s, trial, places, file.stream);
  return trm_text_file_publish(&file, path);
}

static trm_status write_importance(const trm_trials *t) {
  const trm_tuning *s = t->search;
  double shares[TRM_SPACE_MOST];
  char path[TRM_PATH_BYTES];
  trm_text_file file;
  int64_t n;
  TRM_TRY(trm_tuning_importance(s, shares, &n));
  TRM_TRY(place_of(t, "importance.csv", path));
  TRM_TRY(trm_text_file_begin(&file));
  (void)fprintf(file.stream, "parameter,variance_explained,trials\n");
  for (int i = 0; i < s->space->n; ++i) {
    (void)fprintf(file.stream, "%s,", s->space->parameters[i].key);
    if (!isnan(shares[i])) (void)fprintf(file.stream, "%.6g", shares[i]);
    (void)fprintf(file.stream, ",%" PRId64 "\n", n);
  }
  return trm_text_file_publish(&file, path);
}

trm_status trm_tune_write_tables(const trm_trials *t) {
  TRM_TRY(write_trials(t, false));
  TRM_TRY(write_trials(t, true));
  return write_importance(t);
}

/* ---- the page -------------------------------------------------------------------------------- */

enum { AXIS_GAP = 130, AXIS_HEIGHT = 220, AXIS_TOP = 42, AXIS_LEFT = 75, AXIS_NAMED = 8 };

/* Place of a score from the worst (0) to the best (1) of the trials. */
static double merit(const trm_tuning *s, double score, double low, double high) {
  if (!(high > low)) return 1;
  return s->higher ? (score - low) / (high - low) : (high - score) / (high - low);
}

static void find_range(const trm_tuning *s, double *low, double *high) {
  *low = HUGE_VAL;
  *high = -HUGE_VAL;
  for (int64_t trial = 0; trial < s->n_begun; ++trial) {
    const double score = s->jobs[trm_tuning_job_of(s, trial, s->n_jobs)].score;
    if (isnan(score)) continue;
    *low = fmin(*low, score);
    *high = fmax(*high, score);
  }
}

static void put_point(int axis, double place, FILE *html) {
  (void)fprintf(html, "%d,%.1f ", AXIS_LEFT + axis * AXIS_GAP,
                AXIS_TOP + (1 - place) * (double)AXIS_HEIGHT);
}

/* A line a trial, from the first parameter to the score; the better, the darker. */
static void draw_trial(const trm_tuning *s, int64_t trial, double low, double high, FILE *html) {
  const double score = s->jobs[trm_tuning_job_of(s, trial, s->n_jobs)].score;
  if (isnan(score)) return;
  const double place = merit(s, score, low, high);
  (void)fprintf(html,
                "<polyline fill=\"none\" stroke=\"currentColor\" stroke-opacity=\"%.2f\" points=\"",
                0.08 + 0.8 * place * place * place);
  for (int i = 0; i < s->space->n; ++i) {
    const double value = value_of(s, trial, i);
    if (!isnan(value)) put_point(i, place_in_range(&s->space->parameters[i], value), html);
  }
  put_point(s->space->n, place, html);
  (void)fprintf(html, "\"/>\n");
}

/* Text in the picture, at x by `anchor`. */
static void draw_text(int x, double y, const char *anchor, const char *text, FILE *html) {
  (void)fprintf(html,
                "<text x=\"%d\" y=\"%.1f\" font-size=\"11\" text-anchor=\"%s\" "
                "fill=\"currentColor\">",
                x, y, anchor);
  trm_report_text(html, text);
  (void)fprintf(html, "</text>\n");
}

static void draw_axis(int axis, const char *name, FILE *html) {
  const int x = AXIS_LEFT + axis * AXIS_GAP;
  (void)fprintf(html, "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"currentColor\"/>", x,
                x, AXIS_TOP, AXIS_TOP + AXIS_HEIGHT);
  draw_text(x, axis % 2 == 0 ? 12 : 26, "middle", name, html);
}

/* A value beside its place on an axis, cut where the next axis stands. */
static void draw_mark(int axis, double place, const char *text, FILE *html) {
  char cut[16];
  const double y = AXIS_TOP + (1 - place) * (double)AXIS_HEIGHT + (place > 0.5 ? 10 : -2);
  (void)snprintf(cut, sizeof cut, "%.15s", text);
  draw_text(AXIS_LEFT + axis * AXIS_GAP + 3, y, "start", cut, html);
}

static void draw_number(int axis, double place, double number, FILE *html) {
  char text[32];
  (void)snprintf(text, sizeof text, "%.3g", number);
  draw_mark(axis, place, text, html);
}

/* The ends of a range; choices by their names, of many the first and the last. */
static void draw_marks(int axis, const trm_parameter *p, FILE *html) {
  const int n = p->n_choices;
  if (n == 0) {
    draw_number(axis, 0, p->low, html);
    draw_number(axis, 1, p->high, html);
  }
  for (int k = 0; k < n; ++k) {
    if (n > AXIS_NAMED && k > 0 && k < n - 1) continue;
    draw_mark(axis, place_in_range(p, k), p->choices[k], html);
  }
}

static void write_coordinates(void *context, FILE *html) {
  const trm_trials *t = context;
  const trm_tuning *s = t->search;
  const int width = 2 * AXIS_LEFT + s->space->n * AXIS_GAP;
  double low, high;
  find_range(s, &low, &high);
  (void)fprintf(html,
                "<p>A line a trial: its values from the lowest (below) to the highest of each "
                "parameter's range, and its score, the best above.</p>\n"
                "<div class=\"wide\"><svg viewBox=\"0 0 %d %d\" role=\"img\" "
                "style=\"width:%dpx;max-width:max(100%%,%dpx)\">\n",
                width, AXIS_TOP + AXIS_HEIGHT + 10, width, width / 2);
  for (int64_t trial = 0; trial < s->n_begun; ++trial) draw_trial(s, trial, low, high, html);
  for (int i = 0; i < s->space->n; ++i) {
    draw_axis(i, s->space->parameters[i].key, html);
    draw_marks(i, &s->space->parameters[i], html);
  }
  draw_axis(s->space->n, t->select, html);
  if (low <= high) {
    draw_number(s->space->n, 0, s->higher ? low : high, html);
    draw_number(s->space->n, 1, s->higher ? high : low, html);
  }
  (void)fprintf(html, "</svg></div>\n");
}

static void write_shares(void *context, FILE *html) {
  const trm_trials *t = context;
  double shares[TRM_SPACE_MOST];
  int64_t n;
  if (trm_tuning_importance(t->search, shares, &n) != TRM_OK) return;
  (void)fprintf(html,
                "<p>Share of the variance of the ranks of %" PRId64
                " trials that each parameter explains by itself.</p>\n<table><tr><th>parameter</th>"
                "<th>variance explained</th></tr>\n",
                n);
  for (int i = 0; i < t->search->space->n; ++i) {
    (void)fprintf(html, "<tr><td>");
    trm_report_text(html, t->search->space->parameters[i].key);
    if (isnan(shares[i])) {
      (void)fprintf(html, "</td><td>-</td></tr>\n");
    } else {
      (void)fprintf(html, "</td><td>%.0f %%</td></tr>\n", 100 * shares[i]);
    }
  }
  (void)fprintf(html, "</table>\n");
}

trm_status trm_tune_write_page(const trm_trials *t) {
  enum { MOST = 200 };
  const int64_t n = t->search->n_begun < MOST ? t->search->n_begun : MOST;
  const int64_t fold = t->search->options->folds > 0 ? 0 : -1;
  char path[TRM_PATH_BYTES], (*folders)[TRM_PATH_BYTES] = NULL;
  const char **runs = NULL;
  int n_runs = 0;
  trm_status status;
  trm_report_section sections[] = {
      {.title = "What matters", .write = write_shares, .context = (void *)(uintptr_t)t},
      {.title = "All trials", .write = write_coordinates, .context = (void *)(uintptr_t)t}};
  const trm_report_options options = {.title = "Search", .sections = sections, .n_sections = 2};
  TRM_TRY_OUT(TRM_ALLOC(&folders, n, "report"));
  TRM_TRY_OUT(TRM_ALLOC(&runs, n, "report"));
  for (int64_t i = 0; i < n; ++i) {
    TRM_TRY_OUT(trm_trial_folder(t, i, fold, folders[n_runs]));
    TRM_TRY_OUT(trm_path_join(path, sizeof path, folders[n_runs], "metrics.csv"));
    if (trm_path_exists(path)) { /* one that was refused has none */
      runs[n_runs] = folders[n_runs];
      ++n_runs;
    }
  }
  TRM_TRY_OUT(place_of(t, "report.html", path));
  if (n_runs > 0) status = trm_report_write(runs, n_runs, &options, path);
out:
  TRM_FREE(folders);
  TRM_FREE(runs);
  return status;
}

/* ---- the best -------------------------------------------------------------------------------- */

trm_status trm_tune_write_best(const trm_trials *t, int64_t trial) {
  char path[TRM_PATH_BYTES], folder[TRM_PATH_BYTES], *text = NULL;
  trm_config *config = NULL;
  trm_status status;
  TRM_TRY_OUT(place_of(t, "best.yaml", path));
  TRM_TRY_OUT(place_of(t, "best", folder));
  TRM_TRY_OUT(trm_trial_config(t, trial, -1, folder, &config));
  TRM_TRY_OUT(trm_config_text(config, true, &text));
  status = trm_file_write_atomic(path, text, strlen(text));
out:
  TRM_FREE(text);
  trm_config_destroy(&config);
  return status;
}

trm_status trm_tune_write_test(const trm_trials *t, int64_t trial, double score,
                               const trm_evaluation *tested) {
  char path[TRM_PATH_BYTES];
  trm_text_file file;
  TRM_TRY(place_of(t, "test.csv", path));
  TRM_TRY(trm_text_file_begin(&file));
  (void)fprintf(file.stream, "score,value\ntrial,%" PRId64 "\nsearch_%s,%.9g\n", trial, t->select,
                score);
  for (int i = 0; i < tested->n_scores; ++i) {
    (void)fprintf(file.stream, "%s,%.9g\n", tested->scores[i].name, tested->scores[i].value);
  }
  return trm_text_file_publish(&file, path);
}

trm_status trm_tune_read_test(const trm_trials *t, int64_t trial, trm_evaluation *tested,
                              bool *found) {
  char path[TRM_PATH_BYTES], *text = NULL, *rest = NULL;
  int64_t bytes, of = -1;
  *found = false;
  TRM_TRY(place_of(t, "test.csv", path));
  if (!trm_path_exists(path)) return TRM_OK;
  TRM_TRY(trm_file_read_all(path, 1 << 20, &text, &bytes));
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char *comma = strchr(line, ',');
    if (!comma) continue;
    *comma = 0;
    double value = (double)NAN; /* one that could not be computed */
    if (strcmp(line, "trial") == 0) {
      (void)trm_int_parse(comma + 1, &of);
    } else if (tested->n_scores < TRM_MAX_SCORES && strncmp(line, "search_", 7) != 0 &&
               strcmp(line, "score") != 0) {
      (void)trm_real_parse(comma + 1, &value);
      (void)snprintf(tested->scores[tested->n_scores].name, TRM_SCORE_BYTES, "%.31s", line);
      tested->scores[tested->n_scores++].value = value;
    }
  }
  TRM_FREE(text);
  *found = of == trial;
  if (!*found) tested->n_scores = 0;
  return TRM_OK;
}

trm_status trm_tune_print(const trm_trials *t, int64_t trial, const trm_evaluation *tested,
                          FILE *file) {
  const trm_tuning *s = t->search;
  double shares[TRM_SPACE_MOST];
  int64_t n;
  TRM_TRY(trm_tuning_importance(s, shares, &n));
  (void)fprintf(file, "%-24s  %-24s  variance explained\n", "parameter", "best value");
  for (int i = 0; i < s->space->n; ++i) {
    char text[TRM_SPACE_TEXT], share[32] = "-";
    const double value = value_of(s, trial, i);
    trm_parameter_text(&s->space->parameters[i], value, text);
    if (!isnan(shares[i])) (void)snprintf(share, sizeof share, "%.0f %%", 100 * shares[i]);
    (void)fprintf(file, "%-24s  %-24s  %s\n", s->space->parameters[i].key,
                  isnan(value) ? "(not used)" : text, share);
  }
  for (int i = 0; tested && i < tested->n_scores; ++i) {
    (void)fprintf(file, "%-24s  %.6f\n", tested->scores[i].name, tested->scores[i].value);
  }
  return TRM_OK;
}
