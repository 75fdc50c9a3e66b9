#include "nested.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "csv.h"
#include "sweep_table.h"
#include "text_file.h"
#include "trireme/core/memory.h"
#include "trireme/core/numbers.h"
#include "trireme/core/plural.h"
#include "trireme/io/files.h"
#include "trireme/train/report.h"
#include "trireme/train/scores.h"

enum { CELL = 48 };

/* ---- life ------------------------------------------------------------------------------------ */

static trm_status copy_text(const char *text, char **copy) {
  const int64_t n = (int64_t)strlen(text) + 1;
  TRM_TRY(TRM_ALLOC(copy, n, "values of a search"));
  memcpy(*copy, text, (size_t)n);
  return TRM_OK;
}

trm_status trm_nested_make(const trm_tune_options *options, trm_nested *nested) {
  *nested = (trm_nested){.options = options};
  return TRM_ALLOC(&nested->found, options->n_splits, "scores of splits");
}

void trm_nested_free(trm_nested *nested) {
  for (int64_t k = 0; nested->found && k < nested->options->n_splits; ++k) {
    for (int i = 0; i < TRM_SPACE_MOST; ++i) TRM_FREE(nested->found[k].values[i]);
  }
  for (int i = 0; i < TRM_SPACE_MOST; ++i) TRM_FREE(nested->keys[i]);
  TRM_FREE(nested->found);
}

trm_status trm_nested_add(trm_nested *nested, const trm_trials *trials, int64_t trial,
                          const trm_evaluation *tested, const char *folder, double took_s) {
  const trm_tuning *s = trials->search;
  trm_found *f = &nested->found[nested->n_found];
  f->tested = *tested;
  f->score = s->jobs[trm_tuning_job_of(s, trial, s->n_jobs)].score;
  f->took_s = took_s;
  (void)snprintf(f->folder, sizeof f->folder, "%s", folder);
  (void)snprintf(nested->select, sizeof nested->select, "%s", trials->select);
  for (int i = 0; i < s->space->n; ++i) {
    char text[TRM_SPACE_TEXT];
    const trm_parameter *p = &s->space->parameters[i];
    trm_parameter_text(p, s->values[trial * TRM_SPACE_MOST + i], text);
    TRM_TRY(copy_text(text, &f->values[i]));
    if (nested->n_found == 0) TRM_TRY(copy_text(p->key, &nested->keys[i]));
  }
  nested->n_parameters = s->space->n;
  ++nested->n_found;
  return TRM_OK;
}

double trm_nested_left_s(const trm_nested *nested) {
  double sum = 0;
  int64_t n = 0;
  for (int64_t k = 0; k < nested->n_found; ++k) {
    sum += nested->found[k].took_s;
    n += nested->found[k].took_s > 0;
  }
  return n > 0 ? sum / (double)n * (double)(nested->options->n_splits - nested->n_found) : 0;
}

/* ---- for people ------------------------------------------------------------------------------ */

/* The score of the test part that is named as the search's own; -1: none is. */
static int same_score(const trm_nested *nested) {
  const trm_evaluation *tested = &nested->found[0].tested;
  for (int c = 0; c < tested->n_scores; ++c) {
    if (strncmp(tested->scores[c].name, "test_", 5) == 0 &&
        strcmp(tested->scores[c].name + 5, nested->select) == 0)
      return c;
  }
  return -1;
}

static bool is_share(const char *name) {
  const trm_metric *metric = trm_metric_find(name);
  return metric && metric->unit == TRM_METRIC_SHARE;
}

/* A score as tables have it: shares in percent. */
static void show_score(const char *name, double value, char *text, size_t size) {
  const bool share = is_share(name);
  if (isnan(value)) {
    (void)snprintf(text, size, "-");
  } else {
    (void)snprintf(text, size, share ? "%.2f" : "%.4f", share ? 100 * value : value);
  }
}

/* Numbers in as many digits as tell them apart. */
static void show_value(const char *value, char text[CELL]) {
  double number;
  const bool whole = strspn(value, "0123456789-") == strlen(value);
  if (!*value) {
    (void)snprintf(text, CELL, "-");
  } else if (!whole && trm_real_parse(value, &number)) {
    (void)snprintf(text, CELL, "%.4g", number);
  } else {
    (void)snprintf(text, CELL, "%.*s", CELL - 1, value);
  }
}

void trm_nested_tell(const trm_nested *nested, int64_t split, char *text, size_t size) {
  const trm_found *f = &nested->found[split];
  const int c = same_score(nested);
  char cell[CELL];
  show_score(nested->select, f->score, cell, sizeof cell);
  int n = snprintf(text, size, "%s %s in the search", nested->select, cell);
  if (c >= 0 && n < (int)size) {
    show_score(nested->select, f->tested.scores[c].value, cell, sizeof cell);
    n += snprintf(text + n, size - (size_t)n, ", %s in the test", cell);
  }
  for (int i = 0; i < nested->n_parameters && n < (int)size; ++i) {
    const char *dot = strchr(nested->keys[i], '.');
    if (!*f->values[i]) continue;
    show_value(f->values[i], cell);
    n += snprintf(text + n, size - (size_t)n, ", %s %s", dot ? dot + 1 : nested->keys[i], cell);
  }
}

/* Mean and deviation over the splits of the search's score (c < 0) or of a score of the test part. */
static trm_status mean_of(const trm_nested *nested, int c, double *mean, double *deviation) {
  double *values = NULL;
  TRM_TRY(TRM_ALLOC(&values, nested->n_found, "scores of splits"));
  for (int64_t k = 0; k < nested->n_found; ++k) {
    const trm_found *f = &nested->found[k];
    values[k] = c < 0 ? f->score : f->tested.scores[c].value;
  }
  trm_mean_deviation(values, nested->n_found, mean, deviation);
  TRM_FREE(values);
  return TRM_OK;
}

/* Columns of the table: the split, the score in the search, the same in the test, values. */
enum { SPLIT, SEARCHED, TESTED, VALUES };

static void put_cell_text(const trm_nested *nested, int64_t k, int column, char text[CELL]) {
  const trm_found *f = &nested->found[k];
  const int c = same_score(nested);
  if (column == SPLIT) {
    (void)snprintf(text, CELL, "%" PRId64, nested->options->splits[k]);
  } else if (column == SEARCHED) {
    show_score(nested->select, f->score, text, CELL);
  } else if (column == TESTED) {
    show_score(nested->select, c < 0 ? (double)NAN : f->tested.scores[c].value, text, CELL);
  } else {
    show_value(f->values[column - VALUES], text);
  }
}

static void put_head(const trm_nested *nested, int column, char text[TRM_SPACE_TEXT]) {
  if (column == SPLIT) {
    (void)snprintf(text, TRM_SPACE_TEXT, "split");
  } else if (column < VALUES) {
    (void)snprintf(text, TRM_SPACE_TEXT, "%s %s%s", column == SEARCHED ? "search" : "test",
                   nested->select, is_share(nested->select) ? ", %" : "");
  } else {
    (void)snprintf(text, TRM_SPACE_TEXT, "%s", nested->keys[column - VALUES]);
  }
}

static void print_rows(const trm_nested *nested, FILE *file) {
  const int n = VALUES + nested->n_parameters;
  char head[TRM_SPACE_TEXT], cell[CELL];
  for (int64_t k = -1; k < nested->n_found; ++k) {
    for (int column = 0; column < n; ++column) {
      put_head(nested, column, head);
      const int width = column == SPLIT     ? 5
                        : column + 1 == n   ? 0
                        : strlen(head) > 12 ? (int)strlen(head)
                                            : 12;
      if (k >= 0) put_cell_text(nested, k, column, cell);
      (void)fprintf(file, "%s%-*s", column > 0 ? "  " : "", width, k < 0 ? head : cell);
    }
    (void)fputc('\n', file);
  }
}

trm_status trm_nested_print(const trm_nested *nested, FILE *file) {
  const trm_evaluation *tested = &nested->found[0].tested;
  double mean, deviation;
  char cell[64];
  print_rows(nested, file);
  (void)fprintf(file, "%s %" PRId64 " split%s, each with a search of its own, shares in percent\n",
                nested->n_found == 1 ? "scores of" : "mean +- deviation over", nested->n_found,
                trm_plural(nested->n_found));
  for (int c = -1; c < tested->n_scores; ++c) {
    const char *name = c < 0 ? nested->select : tested->scores[c].name;
    TRM_TRY(mean_of(nested, c, &mean, &deviation));
    trm_curves_cell(name, nested->n_found, mean, deviation, cell, sizeof cell);
    (void)fprintf(file, "%-24s  %s%s\n", name, cell, c < 0 ? "  (in the searches: too good)" : "");
  }
  return TRM_OK;
}

/* ---- files ----------------------------------------------------------------------------------- */

trm_status trm_nested_write(const trm_nested *nested) {
  const trm_evaluation *tested = &nested->found[0].tested;
  char path[TRM_PATH_BYTES];
  trm_text_file file;
  TRM_TRY(trm_path_join(path, sizeof path, nested->options->folder, "nested.csv"));
  TRM_TRY(trm_text_file_begin(&file));
  (void)fprintf(file.stream, "split,search_%s", nested->select);
  for (int c = 0; c < tested->n_scores; ++c) {
    (void)fprintf(file.stream, ",%s", tested->scores[c].name);
  }
  for (int i = 0; i < nested->n_parameters; ++i) (void)fprintf(file.stream, ",%s", nested->keys[i]);
  for (int64_t k = 0; k < nested->n_found; ++k) {
    const trm_found *f = &nested->found[k];
    (void)fprintf(file.stream, "\n%" PRId64 ",%.9g", nested->options->splits[k], f->score);
    for (int c = 0; c < tested->n_scores; ++c) {
      (void)fprintf(file.stream, ",%.9g", f->tested.scores[c].value);
    }
    for (int i = 0; i < nested->n_parameters; ++i) {
      (void)fputc(',', file.stream);
      trm_csv_field(f->values[i], file.stream);
    }
  }
  (void)fputc('\n', file.stream);
  return trm_text_file_publish(&file, path);
}

/* "76.8 +- 2.0" as pages have it. */
static void put_deviation(const char *cell, FILE *html) {
  const char *sign = strstr(cell, " +- ");
  if (sign) {
    (void)fprintf(html, "<td>%.*s ± %s</td>", (int)(sign - cell), cell, sign + 4);
  } else {
    (void)fprintf(html, "<td>%s</td>", cell);
  }
}

static void put_mean_row(const trm_nested *nested, FILE *html) {
  const int c = same_score(nested);
  const int columns[] = {-1, c};
  (void)fprintf(html, "<tr><td>mean</td>");
  for (int i = 0; i < 2; ++i) {
    double mean, deviation;
    char cell[64] = "-";
    const bool there = i == 0 || c >= 0;
    if (there && mean_of(nested, columns[i], &mean, &deviation) == TRM_OK) {
      trm_curves_cell(nested->select, nested->n_found, mean, deviation, cell, sizeof cell);
    }
    put_deviation(cell, html);
  }
  for (int i = 0; i < nested->n_parameters; ++i) (void)fprintf(html, "<td></td>");
  (void)fprintf(html, "</tr>\n");
}

static void put_splits(void *context, FILE *html) {
  const trm_nested *nested = context;
  char head[TRM_SPACE_TEXT], cell[CELL];
  (void)fprintf(html,
                "<p>Each split has a search of its own; its best values are tested on the split's "
                "test part, which the search has not seen.</p>\n"
                "<div class=\"wide\"><table><thead><tr>");
  for (int column = 0; column < VALUES + nested->n_parameters; ++column) {
    put_head(nested, column, head);
    (void)fprintf(html, "<th>");
    trm_report_text(html, head);
    (void)fprintf(html, "</th>");
  }
  (void)fprintf(html, "</tr></thead><tbody>\n");
  for (int64_t k = 0; k < nested->n_found; ++k) {
    (void)fprintf(html, "<tr>");
    for (int column = 0; column < VALUES + nested->n_parameters; ++column) {
      put_cell_text(nested, k, column, cell);
      (void)fprintf(html, "<td>");
      trm_report_text(html, cell);
      (void)fprintf(html, "</td>");
    }
    (void)fprintf(html, "</tr>\n");
  }
  put_mean_row(nested, html);
  (void)fprintf(html, "</tbody></table></div>\n");
}

trm_status trm_nested_write_page(const trm_nested *nested) {
  char path[TRM_PATH_BYTES];
  const char **runs = NULL;
  const trm_report_section section = {
      .title = "Splits", .write = put_splits, .context = (void *)(uintptr_t)nested};
  const trm_report_options options = {
      .title = "Nested search", .sections = &section, .n_sections = 1};
  TRM_TRY(TRM_ALLOC(&runs, nested->n_found, "report"));
  for (int64_t k = 0; k < nested->n_found; ++k) runs[k] = nested->found[k].folder;
  trm_status status = trm_path_join(path, sizeof path, nested->options->folder, "report.html");
  if (status == TRM_OK) status = trm_report_write(runs, (int)nested->n_found, &options, path);
  TRM_FREE(runs);
  return status;
}
