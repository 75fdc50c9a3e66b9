/* What a reader wants to know first, and what a run said. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "page.h"
#include "trireme/core/log.h"

/* ---- in brief -------------------------------------------------------------------------------- */

static void put_fact(const trm_page *page, const char *value, const char *name) {
  if (!value || !value[0]) return;
  (void)fprintf(page->file, "<div><b>");
  trm_report_text(page->file, value);
  (void)fprintf(page->file, "</b><span>");
  trm_report_text(page->file, name);
  (void)fprintf(page->file, "</span></div>\n");
}

/* Whether all runs have the same value of a key. */
static const char *common(const trm_study *s, const char *key) {
  const char *value = trm_record_value(&s->records[0], key);
  for (int i = 1; i < s->n && value; ++i) {
    const char *other = trm_record_value(&s->records[i], key);
    if (!other || strcmp(other, value) != 0) return NULL;
  }
  return value;
}

static void put_score(const trm_page *page) {
  const trm_study *s = page->study;
  const trm_record *r = page->best;
  const int64_t row = trm_study_best_row(s, r);
  char text[64], title[96], name[160], steps[32];
  if (row < 0) {
    trm_score_text("loss", trm_record_last(r, "loss"), text, sizeof text);
    put_fact(page, text, "last training loss");
    return;
  }
  trm_format_count((long long)r->steps[row], steps);
  trm_score_title(s->select, title, sizeof title);
  trm_score_text(s->select, trm_record_at(r, s->select, row), text, sizeof text);
  (void)snprintf(name, sizeof name, "best %s, at step %s", title, steps);
  put_fact(page, text, name);
  char subset[16], test[TRM_COLUMN_BYTES];
  const char *metric;
  if (!trm_score_parts(s->select, subset, &metric) || strcmp(subset, "test") == 0) return;
  (void)snprintf(test, sizeof test, "test_%.30s", metric);
  trm_score_text(test, trm_record_at(r, test, row), text, sizeof text);
  trm_score_title(test, title, sizeof title);
  (void)snprintf(name, sizeof name, "%s there", title);
  put_fact(page, text, name);
}

static void put_sizes(const trm_page *page) {
  const trm_record *r = page->best;
  char text[96], steps[32], time[32];
  put_fact(page, common(page->study, "model.kind"), "model");
  put_fact(page, r->parameters, "parameters");
  const int64_t end = trm_record_end(r);
  trm_format_count(r->last_step, steps);
  if (end > r->last_step) {
    char of[32];
    trm_format_count(end, of);
    (void)snprintf(text, sizeof text, "%s of %s", steps, of);
  } else {
    (void)snprintf(text, sizeof text, "%s", steps);
  }
  put_fact(page, text, "steps");
  const double seconds = trm_record_last(r, "elapsed_s");
  if (!isnan(seconds)) {
    trm_format_duration(seconds, time);
    put_fact(page, time, "time");
  }
}

/* "adamw, learning rate 0.001, cosine" */
static void put_method(const trm_page *page) {
  const char *optimizer = common(page->study, "optimizer.name");
  const char *lr = common(page->study, "optimizer.lr");
  const char *schedule = common(page->study, "schedule.name");
  char text[256];
  if (!optimizer) return;
  (void)snprintf(text, sizeof text, "%.60s%s%.40s%s%.60s", optimizer, lr ? ", rate " : "",
                 lr ? lr : "", schedule ? ", " : "", schedule ? schedule : "");
  put_fact(page, text, "optimizer");
}

static void put_sentence(const trm_page *page) {
  const trm_study *s = page->study;
  const trm_record *r = page->best;
  const char *path = common(s, "data.path");
  (void)fprintf(page->file, "<p>");
  if (s->n > 1) {
    (void)fprintf(page->file, "%d runs of %d configuration%s. ", s->n, s->n_groups,
                  s->n_groups > 1 ? "s" : "");
  }
  if (path) {
    const char *slash = strrchr(path, '/');
    (void)fprintf(page->file, "Data: <code>");
    trm_report_text(page->file, slash ? slash + 1 : path);
    (void)fprintf(page->file, "</code>");
    if (r->data[0] && (s->n_groups == 1)) {
      (void)fprintf(page->file, " (");
      trm_report_text(page->file, r->data);
      (void)fprintf(page->file, ")");
    }
    (void)fprintf(page->file, ". ");
  } else if (s->n > 1) {
    (void)fprintf(page->file, "<span class=\"bad-word\">The runs were trained on different data "
                              "sets.</span> ");
  }
  if (s->n == 1 && r->layout[0]) {
    (void)fprintf(page->file, "Trained on ");
    trm_report_text(page->file, r->layout);
    (void)fprintf(page->file, ".");
  } else if (s->n > 1 && s->select[0]) {
    (void)fprintf(page->file, "The best one is <b>");
    trm_report_text(page->file, r->name);
    (void)fprintf(page->file, "</b>; the figures below are its.");
  }
  (void)fprintf(page->file, "</p>\n");
}

static bool is_trouble(trm_run_state_word state) {
  return state == TRM_RUN_STOPPED || state == TRM_RUN_DIVERGED || state == TRM_RUN_BROKEN;
}

/* Runs that did not end as they were to, each with its own words; of one run, how it ended in any case. */
static void put_troubles(const trm_page *page) {
  for (int i = 0; i < page->study->n; ++i) {
    const trm_record *r = &page->study->records[i];
    const bool plain = r->state == TRM_RUN_DONE || r->state == TRM_RUN_RUNNING;
    if (plain || (page->study->n > 1 && !is_trouble(r->state))) continue;
    (void)fprintf(page->file, "<p>");
    if (page->study->n > 1) {
      trm_report_text(page->file, r->name);
      (void)fprintf(page->file, ": ");
    }
    (void)fprintf(page->file, "<span%s>%s</span>%s",
                  is_trouble(r->state) ? " class=\"bad-word\"" : "", trm_run_state_text(r->state),
                  r->why[0] ? ": " : "");
    trm_report_text(page->file, r->why);
    (void)fprintf(page->file, "</p>\n");
  }
}

void trm_page_brief(const trm_page *page) {
  put_sentence(page);
  put_troubles(page);
  (void)fprintf(page->file, "<div class=\"facts\">\n");
  put_score(page);
  put_sizes(page);
  put_method(page);
  put_fact(page, trm_run_state_text(page->best->state), "state");
  (void)fprintf(page->file, "</div>\n");
}

/* ---- what was done ---------------------------------------------------------------------------- */

static void put_notes(const trm_page *page, const trm_record *r) {
  enum { MOST = 60 };
  const int skipped = r->n_notes > MOST ? r->n_notes - MOST : 0;
  if (r->layout[0]) {
    (void)fprintf(page->file, "<p class=\"soft\">");
    trm_report_text(page->file, r->layout);
    (void)fprintf(page->file, "</p>\n");
  }
  if (skipped > 0) (void)fprintf(page->file, "<p class=\"soft\">%d lines before.</p>\n", skipped);
  if (r->n_notes == 0) return;
  (void)fprintf(page->file, "<ul>\n");
  for (int i = skipped; i < r->n_notes; ++i) {
    (void)fprintf(page->file, "<li>");
    trm_report_text(page->file, r->notes[i]);
    (void)fprintf(page->file, "</li>\n");
  }
  (void)fprintf(page->file, "</ul>\n");
}

/* The configuration as its file has it, of all runs of one configuration once. */
static void put_settings(const trm_page *page, const trm_record *r) {
  char group[64] = "";
  (void)fprintf(page->file, "<details><summary>configuration</summary><pre>");
  for (int i = 0; i < r->n_settings; ++i) {
    const char *key = r->settings[i].key, *dot = strchr(key, '.');
    const size_t n = dot ? (size_t)(dot - key) : 0;
    if (n > 0 && n < sizeof group && (strncmp(group, key, n) != 0 || group[n] != 0)) {
      (void)snprintf(group, sizeof group, "%.*s", (int)n, key);
      trm_report_text(page->file, group);
      (void)fprintf(page->file, ":\n");
    }
    (void)fprintf(page->file, "%s", dot ? "  " : "");
    trm_report_text(page->file, dot ? dot + 1 : key);
    (void)fprintf(page->file, ": ");
    trm_report_text(page->file, r->settings[i].value);
    (void)fprintf(page->file, "\n");
  }
  (void)fprintf(page->file, "</pre></details>\n");
}

void trm_page_history(const trm_page *page) {
  enum { FEW = 5 }; /* whose words are printed too */
  const trm_study *s = page->study;
  trm_page_heading(page, "What was done");
  for (int i = 0; i < s->n; ++i) {
    const trm_record *r = &s->records[i];
    if (s->n > 1) {
      (void)fprintf(page->file, "<details%s><summary>", s->n <= FEW ? " class=\"printed\"" : "");
      trm_report_text(page->file, r->name);
      (void)fprintf(page->file, " (%s)</summary>\n", trm_run_state_text(r->state));
    }
    put_notes(page, r);
    if (s->n > 1) (void)fprintf(page->file, "</details>\n");
  }
  if (s->n_groups == 1) put_settings(page, &s->records[0]);
}
