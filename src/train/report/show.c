/* Runs in a terminal: curves, how far they are, and a run that is going on. */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "curves.h"
#include "page.h"
#include "trireme/core/hash.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/train/report.h"

/* ---- how far ---------------------------------------------------------------------------------- */

static void print_steps(const trm_record *r, FILE *out) {
  char step[32], end[32];
  trm_format_count(r->last_step, step);
  trm_format_count(trm_record_end(r), end);
  (void)fprintf(out, "%s", step);
  if (trm_record_end(r) > r->last_step) (void)fprintf(out, "/%s", end);
}

/* "seed_3: running, step 120/2,000, best valid accuracy, % 78.20 at step 100" */
static void print_run(const trm_study *study, const trm_record *r, FILE *out) {
  char text[64], title[64], step[32];
  const int64_t best = trm_study_best_row(study, r);
  (void)fprintf(out, "%s: %s, step ", r->name, trm_run_state_text(r->state));
  print_steps(r, out);
  if (best >= 0) {
    trm_score_title(study->select, title, sizeof title);
    trm_score_text(study->select, trm_record_at(r, study->select, best), text, sizeof text);
    trm_format_count((long long)r->steps[best], step);
    (void)fprintf(out, ", best %s %s at step %s", title, text, step);
  }
  const double seconds = trm_record_last(r, "elapsed_s");
  if (!isnan(seconds)) {
    char time[32];
    trm_format_duration(seconds, time);
    (void)fprintf(out, ", %s", time);
  }
  (void)fprintf(out, "\n");
  if (r->why[0]) (void)fprintf(out, "  %s\n", r->why);
}

/* ---- once ------------------------------------------------------------------------------------ */

static bool is_chosen(const trm_study *study, const trm_chart *chart, const char *what) {
  char subset[16];
  const char *metric = "";
  if (what || strcmp(chart->name, "loss") == 0) return true;
  return trm_score_parts(study->select, subset, &metric) && strcmp(chart->name, metric) == 0;
}

/* How much of everything is drawn. */
typedef struct extent {
  int lines, names, runs; /* of a chart's height, of lines that are named below it, of runs told */
} extent;

/* Charts and runs that fit into the terminal together: of both the names take what is needed, up to a
 * share of it, and the charts' height the rest. */
static extent fit(const trm_study *study, const trm_show_options *o, int n_charts, int most_lines) {
  enum { BESIDES = 3, LEAST = 3 }; /* title, axis and a blank line */
  extent e = {o->lines, INT_MAX, INT_MAX};
  if (!o->follow || !o->redraw || o->rows <= 0) return e;
  const int names = o->rows / 8 > 2 ? o->rows / 8 : 2, runs = o->rows / 5 > 3 ? o->rows / 5 : 3;
  e.names = most_lines < names ? most_lines : names;
  e.runs = study->n < runs ? study->n : runs;
  const int left = o->rows - 1 - e.runs - n_charts * (BESIDES + e.names);
  const int lines = n_charts > 0 ? left / n_charts : e.lines;
  e.lines = lines > e.lines ? e.lines : lines < LEAST ? LEAST : lines;
  return e;
}

/* Those that train first. */
static void print_runs(const trm_study *study, int most, FILE *out) {
  const int n = study->n <= most ? study->n : most - 1;
  int told = 0;
  for (int pass = 0; pass < 2; ++pass) {
    for (int i = 0; i < study->n && told < n; ++i) {
      const bool running = study->records[i].state == TRM_RUN_RUNNING;
      if (n < study->n && running != (pass == 0)) continue;
      if (n == study->n && pass == 1) continue;
      print_run(study, &study->records[i], out);
      ++told;
    }
  }
  if (n < study->n) (void)fprintf(out, "and %d runs more\n", study->n - n);
}

static trm_status draw(const trm_study *study, const trm_show_options *options, FILE *out) {
  enum { POINTS = 1000000 };
  trm_charts charts;
  trm_status status = TRM_OK;
  int n_charts = 0, most_lines = 1;
  TRM_TRY(trm_charts_make(study, options->what, POINTS, &charts));
  for (int i = 0; i < charts.n; ++i) {
    if (!is_chosen(study, &charts.charts[i], options->what)) continue;
    ++n_charts;
    if (charts.charts[i].n_lines > most_lines) most_lines = charts.charts[i].n_lines;
  }
  const extent e = fit(study, options, n_charts, most_lines);
  for (int i = 0; i < charts.n && status == TRM_OK; ++i) {
    if (!is_chosen(study, &charts.charts[i], options->what)) continue;
    status = trm_chart_print(&charts.charts[i], options->columns, e.lines, e.names, out);
    (void)fprintf(out, "\n");
  }
  trm_charts_free(&charts);
  if (status == TRM_OK) print_runs(study, e.runs, out);
  return status;
}

/* Text without what does not fit: lines that were broken would push the first ones out of sight. */
static void put_clipped(const char *text, int width, int rows, FILE *out) {
  for (int row = 0; *text && row < rows; ++row) {
    const char *end = text + strcspn(text, "\n");
    int columns = 0;
    if (row > 0) (void)fputc('\n', out);
    for (; text < end; ++text) {
      columns += ((unsigned char)*text & 0xC0) != 0x80; /* not the rest of a character of UTF-8 */
      if (columns <= width) (void)fputc(*text, out);
    }
    if (*text) ++text;
  }
  (void)fputc('\n', out);
}

/* Over what stands there. */
static trm_status redraw(const trm_study *study, const trm_show_options *options, FILE *out) {
  char *text = NULL;
  size_t size;
  (void)fprintf(out, "\033[H\033[J"); /* the upper left corner, and nothing below it */
  if (options->rows <= 0) return draw(study, options, out);
  FILE *memory = open_memstream(&text, &size);
  if (!memory) return trm_fail(TRM_ERR_MEMORY, "a page of the terminal does not fit into memory");
  const trm_status status = draw(study, options, memory);
  (void)fclose(memory);
  if (status == TRM_OK) put_clipped(text, options->width, options->rows - 1, out);
  free(text); /* of open_memstream */
  return status;
}

/* ---- again and again -------------------------------------------------------------------------- */

static int64_t count_rows(const trm_study *study) {
  int64_t n = 0;
  for (int i = 0; i < study->n; ++i) n += study->records[i].n_rows;
  return n;
}

/* The numbers of a row: where nothing can be drawn over. */
static void tell_row(const trm_record *r, int64_t row, FILE *out) {
  (void)fprintf(out, "%s: step %.0f", r->name, r->steps[row]);
  for (int c = 1; c < r->n_columns; ++c) {
    const trm_column *column = &r->columns[c];
    const bool score = c >= r->first_score || strstr(column->name, "loss") != NULL;
    if (!score || !column->values || isnan(column->values[row])) continue;
    (void)fprintf(out, "  %s %.5g", column->name, column->values[row]);
  }
  (void)fprintf(out, "\n");
}

enum { MOST_FOLLOWED = 1000 };

/* Rows that were told of each run, by its folder: a sweep that goes on has more of them every time. */
typedef struct told {
  int n;
  uint64_t runs[MOST_FOLLOWED];
  int64_t rows[MOST_FOLLOWED];
} told;

static int64_t *rows_told(told *t, const char *folder) {
  const uint64_t run = trm_hash64(folder, strlen(folder), 0);
  int i = 0;
  while (i < t->n && t->runs[i] != run) ++i;
  if (i == MOST_FOLLOWED) i = t->n = 0; /* many folders came and went */
  if (i == t->n) {
    t->runs[i] = run;
    t->rows[t->n++] = 0;
  }
  return &t->rows[i];
}

/* Rows that are new, of one run after another; a run that was cut back is told anew. */
static void tell_new(const trm_study *study, told *t, FILE *out) {
  for (int i = 0; i < study->n; ++i) {
    const trm_record *r = &study->records[i];
    int64_t *rows = rows_told(t, r->folder);
    if (*rows > r->n_rows) *rows = 0;
    for (; *rows < r->n_rows; ++*rows) tell_row(r, *rows, out);
  }
}

static void wait_a_moment(void) {
  const struct timespec moment = {.tv_sec = 1};
  (void)nanosleep(&moment, NULL); /* a signal only makes it shorter */
}

/* Returns when there is something of every run. */
static void await_runs(const char *const *folders, int n) {
  trm_log log;
  trm_log_init(&log, stderr);
  for (int i = 0; i < n; ++i) {
    if (trm_study_begun(folders[i])) continue;
    trm_log_line(&log, "waiting for %s, where no run has begun yet; Ctrl-C ends this", folders[i]);
    while (!trm_study_begun(folders[i])) wait_a_moment();
  }
}

static bool any_going_on(const char *const *folders, int n) {
  for (int i = 0; i < n; ++i) {
    if (trm_study_going_on(folders[i])) return true;
  }
  return false;
}

/* How many looks in a row at which nothing goes on mean the end: between two runs of a sweep none does. */
static int most_quiet(const trm_study *study, const char *const *folders, int n) {
  bool runs_alone = study->n == n; /* the folders are those of runs, not of sweeps */
  for (int i = 0; i < n && runs_alone; ++i) {
    runs_alone = strcmp(study->records[i].folder, folders[i]) == 0;
  }
  return runs_alone ? 1 : 2;
}

static trm_status follow(const char *const *folders, int n, const trm_show_options *options,
                         told *t, FILE *out) {
  trm_status status = TRM_OK;
  int64_t seen = -1;
  int n_quiet = 0;
  await_runs(folders, n);
  for (bool more = true; more && status == TRM_OK;) {
    trm_study study;
    /* Before the rows are read: the last ones are there when a run has ended. */
    n_quiet = any_going_on(folders, n) ? 0 : n_quiet + 1;
    TRM_TRY(trm_study_read(folders, n, &study));
    more = n_quiet < most_quiet(&study, folders, n);
    if (options->redraw && (count_rows(&study) != seen || !more)) {
      status = redraw(&study, options, out);
    } else if (!options->redraw) {
      tell_new(&study, t, out);
    }
    seen = count_rows(&study);
    (void)fflush(out);
    if (!more && !options->redraw && status == TRM_OK) status = draw(&study, options, out);
    trm_study_free(&study);
    if (more) wait_a_moment();
  }
  return status;
}

trm_status trm_show_write(const char *const *folders, int n_folders,
                          const trm_show_options *options, FILE *out) {
  trm_study study;
  if (options->follow) {
    told *t = NULL;
    TRM_TRY(TRM_ALLOC(&t, 1, "rows of runs"));
    const trm_status status = follow(folders, n_folders, options, t, out);
    TRM_FREE(t);
    return status;
  }
  TRM_TRY(trm_study_read(folders, n_folders, &study));
  const trm_status status = draw(&study, options, out);
  trm_study_free(&study);
  return status;
}
