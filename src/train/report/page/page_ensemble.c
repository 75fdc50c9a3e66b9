/* Ensembles: what members came to, and all together, as `trireme evaluate --report` has left it. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ensemble_table.h"
#include "page.h"
#include "trireme/core/memory.h"
#include "tsv.h"

enum { MOST_SCORES = 24, MOST_MEMBERS = TRM_MAX_MEMBERS + 1, NAME_BYTES = 256 };

/* The table of one ensemble: a row for each member, the last one for the whole. */
typedef struct ensemble {
  char scores[MOST_SCORES][TRM_COLUMN_BYTES];
  char members[MOST_MEMBERS][NAME_BYTES];
  char steps[MOST_MEMBERS][24];
  double values[MOST_MEMBERS][MOST_SCORES];
  int n_scores, n_members;
  int64_t n_lines;
} ensemble;

/* Column of a score; a new one where there is none yet, -1 where there is no room. */
static int score_of(ensemble *e, const char *name) {
  for (int s = 0; s < e->n_scores; ++s) {
    if (strcmp(e->scores[s], name) == 0) return s;
  }
  if (e->n_scores == MOST_SCORES) return -1;
  (void)snprintf(e->scores[e->n_scores], TRM_COLUMN_BYTES, "%s", name);
  return e->n_scores++;
}

/* A member's lines follow each other; one may be there twice. */
static int member_of(ensemble *e, const char *name, const char *step, int score) {
  const int last = e->n_members - 1;
  char shown[NAME_BYTES];
  (void)snprintf(shown, sizeof shown, "%s", name);
  if (last >= 0 && strcmp(e->members[last], shown) == 0 && isnan(e->values[last][score])) {
    return last;
  }
  if (e->n_members == MOST_MEMBERS) return -1;
  memcpy(e->members[e->n_members], shown, sizeof shown);
  (void)snprintf(e->steps[e->n_members], sizeof e->steps[0], "%s", step);
  for (int s = 0; s < MOST_SCORES; ++s) e->values[e->n_members][s] = (double)NAN;
  return e->n_members++;
}

static void take_line(void *context, char *const *fields, int n_fields) {
  ensemble *e = context;
  if (e->n_lines++ == 0 || n_fields < 4) return;
  const int score = score_of(e, fields[2]);
  const int member = score < 0 ? -1 : member_of(e, fields[0], fields[1], score);
  if (member >= 0) e->values[member][score] = strtod(fields[3], NULL);
}

static void put_row(const trm_page *page, const ensemble *e, int member) {
  char text[64];
  const bool whole = member == e->n_members - 1;
  (void)fprintf(page->file, "<tr%s><td>%s", whole ? "" : " class=\"member\"", whole ? "<b>" : "");
  trm_report_text(page->file, e->members[member]);
  (void)fprintf(page->file, "%s</td><td>", whole ? "</b>" : "");
  trm_report_text(page->file, e->steps[member]);
  (void)fprintf(page->file, "</td>");
  for (int s = 0; s < e->n_scores; ++s) {
    trm_score_text(e->scores[s], e->values[member][s], text, sizeof text);
    (void)fprintf(page->file, "<td>%s</td>", text);
  }
  (void)fprintf(page->file, "</tr>\n");
}

static void put_table(const trm_page *page, const ensemble *e) {
  char title[64];
  (void)fprintf(page->file,
                "<div class=\"wide\"><table class=\"ensemble\"><thead><tr><th>member</th>"
                "<th>step</th>");
  for (int s = 0; s < e->n_scores; ++s) {
    trm_score_title(e->scores[s], title, sizeof title);
    (void)fprintf(page->file, "<th>");
    trm_report_text(page->file, title);
    (void)fprintf(page->file, "</th>");
  }
  (void)fprintf(page->file, "</tr></thead><tbody>\n");
  for (int m = 0; m < e->n_members; ++m) put_row(page, e, m);
  (void)fprintf(page->file, "</tbody></table></div>\n");
}

/* Of each run that has one: it is the first member. */
void trm_page_ensembles(const trm_page *page) {
  ensemble *e = NULL;
  bool headed = false;
  if (TRM_ALLOC(&e, 1, "ensemble") != TRM_OK) return;
  for (int i = 0; i < page->study->n; ++i) {
    *e = (ensemble){0};
    const trm_status status =
        trm_tsv_read(page->study->records[i].folder, TRM_ENSEMBLE_TABLE, take_line, e);
    if (status == TRM_OK && e->n_members == 0) continue;
    if (!headed) trm_page_heading(page, "Together");
    headed = true;
    if (status == TRM_OK) {
      put_table(page, e);
    } else {
      trm_page_trouble(page);
    }
  }
  TRM_FREE(e);
}
