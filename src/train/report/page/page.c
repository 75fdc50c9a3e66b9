/* The frame of the page, and the order of its sections. */
#include "page.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "report_assets.h"
#include "trireme/train/scores.h"

void trm_page_heading(const trm_page *page, const char *title) {
  (void)fprintf(page->file, "\n<h2>");
  trm_report_text(page->file, title);
  (void)fprintf(page->file, "</h2>\n");
}

void trm_score_text(const char *column, double value, char *text, size_t size) {
  const trm_metric *metric = trm_metric_find(column);
  text[0] = 0;
  if (isnan(value)) return;
  if (metric && metric->unit == TRM_METRIC_SHARE) {
    (void)snprintf(text, size, "%.2f", 100 * value);
  } else if (metric && metric->unit == TRM_METRIC_POINTS) {
    (void)snprintf(text, size, "%.2f", value);
  } else {
    (void)snprintf(text, size, fabs(value) < 1e5 ? "%.4f" : "%.5g", value);
  }
}

void trm_score_title(const char *column, char *text, size_t size) {
  const trm_metric *metric = trm_metric_find(column);
  const bool share = metric && metric->unit == TRM_METRIC_SHARE;
  (void)snprintf(text, size, "%s%s", column, share ? ", %" : "");
  for (char *c = text; *c; ++c) *c = *c == '_' ? ' ' : *c;
}

void trm_page_trouble(const trm_page *page) {
  (void)fprintf(page->file, "<p class=\"bad-word\">");
  trm_report_text(page->file, trm_message());
  (void)fprintf(page->file, "</p>\n");
}

static void write_title(const trm_page *page) {
  const trm_study *s = page->study;
  const char *given = page->options->title;
  if (given) {
    trm_report_text(page->file, given);
  } else if (s->n == 1) {
    trm_report_text(page->file, s->records[0].name);
  } else if (s->n_groups == 1) {
    trm_report_text(page->file, s->groups[0].label);
    (void)fprintf(page->file, ": %d runs", s->n);
  } else {
    (void)fprintf(page->file, "%d runs of %d configurations", s->n, s->n_groups);
  }
}

static void write_head(const trm_page *page) {
  (void)fprintf(
      page->file,
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n" TRM_PAGE_MARK
          TRM_VERSION "\">\n<title>");
  write_title(page);
  (void)fprintf(page->file, "</title>\n<style>\n%s", report_css);
  for (int slot = 0; slot < TRM_COLOURS; ++slot) {
    char light[8], dark[8];
    (void)fprintf(page->file, ".c%d{stroke:%s;--d:%s}.c%d.band,i.c%d{fill:%s}span.c%d{color:%s}\n",
                  slot, trm_colour(slot, false, light), trm_colour(slot, true, dark), slot, slot,
                  trm_colour(slot, false, light), slot, trm_colour(slot, false, light));
  }
  (void)fprintf(page->file, "@media screen and (prefers-color-scheme:dark){\n");
  for (int slot = 0; slot < TRM_COLOURS; ++slot) {
    char dark[8];
    const char *colour = trm_colour(slot, true, dark);
    (void)fprintf(page->file, ".c%d{stroke:%s}.c%d.band{fill:%s}span.c%d{color:%s}\n", slot, colour,
                  slot, colour, slot, colour);
  }
  (void)fprintf(page->file, "}\n</style>\n</head>\n<body>\n");
}

static void write_foot(const trm_page *page) {
  char when[40] = "";
  const time_t now = time(NULL);
  struct tm utc;
  if (gmtime_r(&now, &utc)) (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", &utc);
  (void)fprintf(
      page->file,
      "\n<footer>Written by trireme " TRM_VERSION ", %s. Every number as CSV: <code>trireme "
      "report RUN... --csv FOLDER</code>.</footer>\n<script>\n%s</script>\n</body>\n</html>\n",
      when, report_js);
}

static void write_sections(const trm_page *page) {
  for (int i = 0; i < page->options->n_sections; ++i) {
    const trm_report_section *section = &page->options->sections[i];
    trm_page_heading(page, section->title);
    section->write(section->context, page->file);
  }
}

void trm_page_write(const trm_page *page) {
  const bool several = page->study->n_groups > 1;
  write_head(page);
  (void)fprintf(page->file, "<h1>");
  write_title(page);
  (void)fprintf(page->file, "</h1>\n");
  trm_page_brief(page);
  if (several) {
    trm_page_results(page);
    trm_page_ensembles(page);
    trm_page_differences(page);
  }
  write_sections(page);
  if (!several) {
    trm_page_data(page);
    trm_page_model(page);
  }
  trm_page_curves(page);
  if (!several) {
    trm_page_results(page);
    trm_page_ensembles(page);
  }
  trm_page_findings(page);
  if (several) {
    trm_page_model(page);
    trm_page_data(page);
  }
  trm_page_history(page);
  write_foot(page);
}
