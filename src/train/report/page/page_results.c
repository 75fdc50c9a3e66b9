/* Tables: what runs came to, and in what they differ. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "page.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/train/scores.h"

/* ---- columns --------------------------------------------------------------------------------- */

enum { MOST_COLUMNS = 24 };

/* Columns of the table, by what a cell is. */
typedef enum kind { AT_BEST, LAST, BEST_STEP, LAST_STEP, SECONDS, MEGABYTES, RATE } kind;

typedef struct cell_column {
  kind what;
  char column[TRM_COLUMN_BYTES]; /* of metrics.csv */
  char title[64];
} cell_column;

typedef struct table {
  const trm_page *page;
  cell_column columns[MOST_COLUMNS];
  int n;
} table;

static void add(table *t, kind what, const char *column, const char *title) {
  if (t->n == MOST_COLUMNS) return;
  cell_column *c = &t->columns[t->n++];
  c->what = what;
  (void)snprintf(c->column, sizeof c->column, "%s", column);
  if (title) {
    (void)snprintf(c->title, sizeof c->title, "%s", title);
  } else {
    trm_score_title(column, c->title, sizeof c->title);
  }
}

static bool any_has(const trm_study *s, const char *column) {
  for (int i = 0; i < s->n; ++i) {
    const int c = trm_record_column(&s->records[i], column);
    if (c >= 0 && s->records[i].columns[c].n > 0) return true;
  }
  return false;
}

static bool is_added(const table *t, const char *column) {
  for (int i = 0; i < t->n; ++i) {
    if (strcmp(t->columns[i].column, column) == 0) return true;
  }
  return false;
}

/* Scores of all runs, what is selected first. */
static void add_scores(table *t) {
  const trm_study *s = t->page->study;
  char subset[16];
  const char *metric;
  if (s->select[0]) add(t, AT_BEST, s->select, NULL);
  for (int i = 0; i < s->n; ++i) {
    const trm_record *r = &s->records[i];
    for (int c = r->first_score; c < r->n_columns; ++c) {
      const char *name = r->columns[c].name;
      if (is_added(t, name) || !trm_score_parts(name, subset, &metric) ||
          strcmp(subset, "train") == 0 || !any_has(s, name)) {
        continue;
      }
      add(t, AT_BEST, name, NULL);
    }
  }
  if (!is_added(t, "valid_loss") && any_has(s, "valid_loss")) add(t, AT_BEST, "valid_loss", NULL);
}

static void plan_table(table *t) {
  char rate[TRM_COLUMN_BYTES], title[64];
  const trm_study *s = t->page->study;
  if (s->select[0]) add(t, BEST_STEP, "", "best step");
  add_scores(t);
  if (any_has(s, "loss")) add(t, LAST, "loss", "last training loss");
  add(t, LAST_STEP, "step", "steps");
  if (any_has(s, "elapsed_s")) add(t, SECONDS, "elapsed_s", "time");
  trm_rate_column(s, rate);
  (void)snprintf(title, sizeof title, "%.40ss/s", s->records[0].unit);
  if (any_has(s, rate)) add(t, RATE, rate, title);
  if (any_has(s, "peak_rss_mb")) add(t, MEGABYTES, "peak_rss_mb", "memory, MB");
}

/* ---- values ---------------------------------------------------------------------------------- */

static double mean_of(const trm_record *r, const char *column) {
  const int c = trm_record_column(r, column);
  double sum = 0;
  int64_t n = 0;
  for (int64_t i = 0; c >= 0 && i < r->n_rows; ++i) {
    if (isnan(r->columns[c].values[i])) continue;
    sum += r->columns[c].values[i];
    ++n;
  }
  return n > 0 ? sum / (double)n : (double)NAN;
}

static double value_of(const table *t, int column, const trm_record *r) {
  const cell_column *c = &t->columns[column];
  const int64_t best = trm_study_best_row(t->page->study, r);
  switch (c->what) {
  case AT_BEST:
    return trm_record_at(r, c->column, best);
  case BEST_STEP:
    return best < 0 ? (double)NAN : r->steps[best];
  case LAST_STEP:
    return (double)r->last_step;
  case RATE:
    return mean_of(r, c->column);
  case LAST:
  case SECONDS:
  case MEGABYTES:
    return trm_record_last(r, c->column);
  }
  return (double)NAN;
}

static void text_of(const table *t, int column, double value, char *text, size_t size) {
  const cell_column *c = &t->columns[column];
  char words[32];
  text[0] = 0;
  if (isnan(value)) return;
  switch (c->what) {
  case AT_BEST:
  case LAST:
    trm_score_text(c->column, value, text, size);
    return;
  case BEST_STEP:
  case LAST_STEP:
  case RATE:
    trm_format_count((long long)(value + 0.5), words);
    break;
  case SECONDS:
    trm_format_duration(value, words);
    break;
  case MEGABYTES:
    (void)snprintf(words, sizeof words, "%.0f", value);
    break;
  }
  (void)snprintf(text, size, "%s", words);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void put_cell(const table *t, int column, double value, double deviation) {
  FILE *file = t->page->file;
  char text[64];
  text_of(t, column, value, text, sizeof text);
  if (isnan(value)) {
    (void)fprintf(file, "<td></td>");
    return;
  }
  (void)fprintf(file, "<td data-v=\"%.9g\">%s", value, text);
  const kind what = t->columns[column].what;
  if (!isnan(deviation) && (what == AT_BEST || what == LAST)) {
    trm_score_text(t->columns[column].column, deviation, text, sizeof text);
    (void)fprintf(file, " \xc2\xb1 %s", text);
  }
  (void)fprintf(file, "</td>");
}

/* The state, with the last words of one that did not end well as what a pointer shows. */
static void put_state(FILE *file, const trm_record *r) {
  const bool bad = r->state == TRM_RUN_DIVERGED || r->state == TRM_RUN_BROKEN;
  (void)fprintf(file, "<td class=\"word\" title=\"");
  trm_report_text(file, r->why);
  (void)fprintf(file, "\"><span%s>%s</span>%s</td>", bad ? " class=\"bad-word\"" : "",
                trm_run_state_text(r->state), r->n_resumes > 0 ? ", resumed" : "");
}

static void put_run(const table *t, int record, const char *class, const char *label, int colour) {
  const trm_page *page = t->page;
  const trm_record *r = &page->study->records[record];
  (void)fprintf(page->file, "<tr%s><td data-v=\"", class);
  trm_report_text(page->file, label);
  (void)fprintf(page->file, "\">");
  if (colour >= 0) {
    (void)fprintf(page->file, "<span class=\"key c%d\"></span>", trm_colour_slot(colour));
  }
  trm_report_text(page->file, label);
  (void)fprintf(page->file, "</td>");
  put_state(page->file, r);
  for (int c = 0; c < t->n; ++c) put_cell(t, c, value_of(t, c, r), (double)NAN);
  (void)fprintf(page->file, "</tr>\n");
}

/* How many runs of a group are in each state: "3 done, 1 diverged". */
static void put_states(const trm_page *page, const trm_group *g) {
  int counts[TRM_RUN_BROKEN + 1] = {0};
  const char *between = "";
  for (int m = 0; m < g->n; ++m) ++counts[page->study->records[g->members[m]].state];
  (void)fprintf(page->file, "<td class=\"word\">");
  for (int s = 0; s <= TRM_RUN_BROKEN; ++s) {
    if (counts[s] == 0) continue;
    (void)fprintf(page->file, "%s%d %s", between, counts[s],
                  trm_run_state_text((trm_run_state_word)s));
    between = ", ";
  }
  (void)fprintf(page->file, "</td>");
}

/* Mean and deviation over those runs that have a value. */
static void put_means(const table *t, int group) {
  const trm_page *page = t->page;
  const trm_group *g = &page->study->groups[group];
  double *values = NULL, mean, deviation;
  if (TRM_ALLOC(&values, g->n, "results") != TRM_OK) return;
  (void)fprintf(page->file, "<tr><td data-v=\"");
  trm_report_text(page->file, g->label);
  (void)fprintf(page->file, "\"><span class=\"key c%d\"></span>", trm_colour_slot(group));
  trm_report_text(page->file, g->label);
  (void)fprintf(page->file, " <span class=\"soft\">(mean of %d)</span></td>", g->n);
  put_states(page, g);
  for (int c = 0; c < t->n; ++c) {
    int n = 0;
    for (int m = 0; m < g->n; ++m) {
      const double value = value_of(t, c, &page->study->records[g->members[m]]);
      if (!isnan(value)) values[n++] = value;
    }
    trm_mean_deviation(values, n, &mean, &deviation);
    put_cell(t, c, n > 0 ? mean : (double)NAN, n > 1 ? deviation : (double)NAN);
  }
  (void)fprintf(page->file, "</tr>\n");
  TRM_FREE(values);
}

static void put_group(const table *t, int group) {
  const trm_study *s = t->page->study;
  const trm_group *g = &s->groups[group];
  (void)fprintf(t->page->file, "<tbody>\n");
  if (g->n == 1) {
    put_run(t, g->members[0], "", g->label, s->n_groups > 1 ? group : -1);
  } else {
    put_means(t, group);
    for (int m = 0; m < g->n; ++m) {
      put_run(t, g->members[m], " class=\"member\"", s->records[g->members[m]].name, -1);
    }
  }
  (void)fprintf(t->page->file, "</tbody>\n");
}

void trm_page_results(const trm_page *page) {
  table t = {.page = page};
  plan_table(&t);
  trm_page_heading(page, "Results");
  if (page->study->select[0]) {
    char title[64];
    trm_score_title(page->study->select, title, sizeof title);
    (void)fprintf(page->file,
                  "<p class=\"soft\">Scores are those of the evaluation that is best by ");
    trm_report_text(page->file, title);
    (void)fprintf(page->file, "%s. A click on a head sorts.</p>\n",
                  page->study->higher ? " (the higher the better)" : " (the lower the better)");
  } else {
    (void)fprintf(page->file, "<p class=\"soft\">No run was evaluated.</p>\n");
  }
  (void)fprintf(page->file,
                "<div class=\"wide\"><table class=\"sortable\" id=\"results\"><thead><tr>"
                "<th>%s</th><th class=\"word\">state</th>",
                page->study->n_groups > 1 ? "configuration" : "run");
  for (int c = 0; c < t.n; ++c) {
    (void)fprintf(page->file, "<th>");
    trm_report_text(page->file, t.columns[c].title);
    (void)fprintf(page->file, "</th>");
  }
  (void)fprintf(page->file, "</tr></thead>\n");
  for (int g = 0; g < page->study->n_groups; ++g) put_group(&t, g);
  (void)fprintf(page->file, "</table></div>\n");
}

/* ---- differences ----------------------------------------------------------------------------- */

void trm_page_differences(const trm_page *page) {
  const trm_study *s = page->study;
  FILE *file = page->file;
  trm_page_heading(page, "What differs");
  if (s->n_differences == 0) {
    (void)fprintf(file, "<p>Nothing that their configurations say.</p>\n");
    return;
  }
  (void)fprintf(file, "<div class=\"wide\"><table class=\"sortable\" id=\"differences\"><thead><tr>"
                      "<th>configuration</th>");
  for (int d = 0; d < s->n_differences; ++d) {
    (void)fprintf(file, "<th>");
    trm_report_text(file, s->differences[d]);
    (void)fprintf(file, "</th>");
  }
  (void)fprintf(file, "</tr></thead>\n");
  for (int g = 0; g < s->n_groups; ++g) {
    const trm_record *r = &s->records[s->groups[g].members[0]];
    (void)fprintf(file, "<tbody><tr><td><span class=\"key c%d\"></span>", trm_colour_slot(g));
    trm_report_text(file, s->groups[g].label);
    (void)fprintf(file, "</td>");
    for (int d = 0; d < s->n_differences; ++d) {
      const char *value = trm_record_value(r, s->differences[d]);
      (void)fprintf(file, "<td>");
      trm_report_text(file, value ? value : "\xe2\x80\x93");
      (void)fprintf(file, "</td>");
    }
    (void)fprintf(file, "</tr></tbody>\n");
  }
  (void)fprintf(file, "</table></div>\n");
}
