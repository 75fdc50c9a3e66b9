/* What a model takes for what, its surest mistakes, and what it writes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "findings.h"
#include "page.h"
#include "picture.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/tokenizer.h"
#include "trireme/io/files.h"
#include "tsv.h"

/* ---- confusion ------------------------------------------------------------------------------- */

enum { MOST_CLASSES = TRM_FINDINGS_CLASSES, MOST_IN_TABLE = 26, NAME_BYTES = 64 };

typedef struct confusion {
  int64_t counts[TRM_N_SUBSETS][MOST_CLASSES][MOST_CLASSES]; /* label, predicted */
  char names[MOST_CLASSES][NAME_BYTES];
  int n; /* classes */
  int64_t n_lines;
} confusion;

static int subset_of(const char *name) {
  for (int s = 0; s < TRM_N_SUBSETS; ++s) {
    if (strcmp(trm_subset_name((trm_subset)s), name) == 0) return s;
  }
  return -1;
}

/* A class that was met, as label or prediction. */
static void name_class(confusion *c, long long class, const char *name) {
  if (name[0]) {
    (void)snprintf(c->names[class], NAME_BYTES, "%.60s", name);
  } else {
    (void)snprintf(c->names[class], NAME_BYTES, "%lld", class);
  }
  c->n = class >= c->n ? (int)class + 1 : c->n;
}

static void take_count(void *context, char *const *fields, int n_fields) {
  confusion *c = context;
  if (c->n_lines++ == 0 || n_fields < 6) return;
  const int s = subset_of(fields[0]);
  const long long label = strtoll(fields[1], NULL, 10), predicted = strtoll(fields[2], NULL, 10);
  if (s < 0 || label < 0 || predicted < 0 || label >= MOST_CLASSES || predicted >= MOST_CLASSES) {
    return;
  }
  c->counts[s][label][predicted] = strtoll(fields[3], NULL, 10);
  name_class(c, label, fields[4]);
  name_class(c, predicted, fields[5]);
}

static int64_t sum_of(const confusion *c, int s) {
  int64_t sum = 0;
  for (int i = 0; i < c->n; ++i) {
    for (int k = 0; k < c->n; ++k) sum += c->counts[s][i][k];
  }
  return sum;
}

static void put_share(FILE *file, int64_t part, int64_t whole) {
  if (whole > 0) {
    (void)fprintf(file, "<td>%.1f</td>", 100.0 * (double)part / (double)whole);
  } else {
    (void)fprintf(file, "<td></td>");
  }
}

static void put_matrix_row(FILE *file, const confusion *c, int s, int label) {
  int64_t all = 0;
  for (int k = 0; k < c->n; ++k) all += c->counts[s][label][k];
  (void)fprintf(file, "<tr><td>");
  trm_report_text(file, c->names[label]);
  (void)fprintf(file, "</td>");
  for (int k = 0; k < c->n; ++k) {
    const int64_t n = c->counts[s][label][k];
    const double share = all > 0 ? (double)n / (double)all : 0;
    (void)fprintf(file, "<td%s", k == label ? " class=\"hit\"" : "");
    if (n > 0) {
      (void)fprintf(file, " style=\"background:rgba(%s,%.2f)\"",
                    k == label ? "0,150,110" : "213,94,0", 0.08 + 0.6 * share);
    }
    (void)fprintf(file, ">");
    if (n > 0) (void)fprintf(file, "%" PRId64, n);
    (void)fprintf(file, "</td>");
  }
  put_share(file, c->counts[s][label][label], all);
  (void)fprintf(file, "</tr>\n");
}

static void put_matrix(FILE *file, const confusion *c, int s) {
  (void)fprintf(file, "<div class=\"wide\"><table class=\"confusion\"><thead><tr><th>label \\ "
                      "predicted</th>");
  for (int k = 0; k < c->n; ++k) {
    (void)fprintf(file, "<th>");
    trm_report_text(file, c->names[k]);
    (void)fprintf(file, "</th>");
  }
  (void)fprintf(file, "<th>recall, %%</th></tr></thead><tbody>\n");
  for (int i = 0; i < c->n; ++i) put_matrix_row(file, c, s, i);
  (void)fprintf(file, "<tr><td>precision, %%</td>");
  for (int k = 0; k < c->n; ++k) {
    int64_t all = 0;
    for (int i = 0; i < c->n; ++i) all += c->counts[s][i][k];
    put_share(file, c->counts[s][k][k], all);
  }
  (void)fprintf(file, "<td></td></tr>\n</tbody></table></div>\n");
}

typedef struct mix_up {
  int64_t n;
  int label, predicted;
} mix_up;

static int by_count(const void *a, const void *b) {
  const mix_up *x = a, *y = b;
  if (x->n != y->n) return x->n < y->n ? 1 : -1;
  return x->label != y->label ? x->label - y->label : x->predicted - y->predicted;
}

/* Of many classes: which are most often taken for which. */
static void put_mix_ups(FILE *file, const confusion *c, int s) {
  enum { SHOWN = 25 };
  mix_up *all = NULL;
  int n = 0;
  if (TRM_ALLOC(&all, (int64_t)c->n * c->n, "confusion") != TRM_OK) return;
  for (int i = 0; i < c->n; ++i) {
    for (int k = 0; k < c->n; ++k) {
      if (i != k && c->counts[s][i][k] > 0) all[n++] = (mix_up){c->counts[s][i][k], i, k};
    }
  }
  qsort(all, (size_t)n, sizeof *all, by_count);
  (void)fprintf(file, "<div class=\"wide\"><table><thead><tr><th>label</th><th "
                      "class=\"word\">taken for</th><th>times</th></tr></thead><tbody>\n");
  for (int i = 0; i < n && i < SHOWN; ++i) {
    (void)fprintf(file, "<tr><td>");
    trm_report_text(file, c->names[all[i].label]);
    (void)fprintf(file, "</td><td class=\"word\">");
    trm_report_text(file, c->names[all[i].predicted]);
    (void)fprintf(file, "</td><td>%" PRId64 "</td></tr>\n", all[i].n);
  }
  (void)fprintf(file, "</tbody></table></div>\n");
  TRM_FREE(all);
}

static void put_confusion(const trm_page *page) {
  confusion *c = NULL;
  if (TRM_ALLOC(&c, 1, "confusion") != TRM_OK) return;
  const trm_status status = trm_tsv_read(page->best->folder, "confusion.tsv", take_count, c);
  if (status != TRM_OK) {
    trm_page_trouble(page);
    c->n = 0;
  }
  for (int s = TRM_SUBSET_VALID; s < TRM_N_SUBSETS && c->n > 0; ++s) {
    if (sum_of(c, s) == 0) continue;
    (void)fprintf(page->file, "<h3>Confusion, %s</h3>\n",
                  s == TRM_SUBSET_VALID ? "part to validate" : "part to test");
    if (c->n <= MOST_IN_TABLE) {
      put_matrix(page->file, c, s);
    } else {
      put_mix_ups(page->file, c, s);
    }
  }
  TRM_FREE(c);
}

/* ---- mistakes -------------------------------------------------------------------------------- */

typedef struct mistakes {
  const trm_page *page;
  trm_tokenizer *tokenizer; /* of samples of tokens */
  bool pictures, named;     /* named: some have a name */
  int64_t n_lines;
} mistakes;

static void put_class(FILE *file, const char *number, const char *name) {
  trm_report_text(file, name[0] ? name : number);
}

/* The text of a sample, cut where it is long. */
static void put_sample_text(const mistakes *m, int64_t sample) {
  enum { SHOWN = 400 };
  const trm_samples *data = m->page->look->samples;
  const int64_t *at = data->inputs.offsets + sample;
  char *text = NULL, shown[SHOWN];
  int64_t bytes;
  if (trm_tokenizer_decode(m->tokenizer, data->inputs.values + at[0], at[1] - at[0], &text,
                           &bytes) != TRM_OK) {
    return;
  }
  trm_text_escape_cut(text, bytes, false, shown, SHOWN);
  trm_report_text(m->page->file, shown);
  TRM_FREE(text);
}

static void put_picture(const mistakes *m, char *const *f, int64_t sample, const char *name) {
  FILE *file = m->page->file;
  (void)fprintf(file, "<figure><img alt=\"sample %" PRId64 "\" src=\"", sample);
  trm_picture_write(&m->page->look->samples->images, sample, file);
  (void)fprintf(file, "\"><figcaption><b>");
  put_class(file, f[2], f[5]);
  (void)fprintf(file, "</b> taken for <b>");
  put_class(file, f[3], f[6]);
  (void)fprintf(file, "</b><br><small>sure by %.1f %%, sample %" PRId64, 100 * strtod(f[4], NULL),
                sample);
  if (name[0]) (void)fprintf(file, "<br>");
  trm_report_text(file, name);
  (void)fprintf(file, "</small></figcaption></figure>\n");
}

static void put_mistake(void *context, char *const *f, int n_fields) {
  mistakes *m = context;
  FILE *file = m->page->file;
  if (m->n_lines++ == 0 || n_fields < 7) return;
  const int64_t sample = strtoll(f[1], NULL, 10);
  const char *name = n_fields > 7 ? f[7] : "";
  const trm_samples *data = m->page->look ? m->page->look->samples : NULL;
  if (data && (sample < 0 || sample >= data->n)) return; /* other data than the run's */
  if (m->pictures) {
    put_picture(m, f, sample, name);
    return;
  }
  (void)fprintf(file, "<tr>");
  if (m->tokenizer) { /* the text comes first, for narrow screens */
    (void)fprintf(file, "<td style=\"min-width:14rem\">");
    put_sample_text(m, sample);
    (void)fprintf(file, "</td>");
  }
  (void)fprintf(file, "<td>%" PRId64 "</td><td class=\"word\">", sample);
  if (m->named) {
    trm_report_text(file, name);
    (void)fprintf(file, "</td><td class=\"word\">");
  }
  put_class(file, f[2], f[5]);
  (void)fprintf(file, "</td><td class=\"word\">");
  put_class(file, f[3], f[6]);
  (void)fprintf(file, "</td><td>%.1f</td></tr>\n", 100 * strtod(f[4], NULL));
}

/* What a table of a run holds. */
typedef struct contents {
  int64_t n_lines;
  bool named; /* a line has something in the field `field` */
  int field;
} contents;

static void look_at_line(void *context, char *const *fields, int n_fields) {
  contents *c = context;
  if (c->n_lines++ > 0 && n_fields > c->field && fields[c->field][0]) c->named = true;
}

static void put_mistakes(const trm_page *page) {
  static const char name[] = "mistakes.tsv";
  const trm_samples *data = page->look ? page->look->samples : NULL;
  mistakes m = {.page = page, .pictures = data && data->input == TRM_INPUT_IMAGE};
  contents c = {.field = 7};
  if (trm_tsv_read(page->best->folder, name, look_at_line, &c) != TRM_OK || c.n_lines < 2) return;
  m.named = c.named;
  if (data && data->input == TRM_INPUT_TOKENS &&
      trm_tokenizer_create(&data->input_vocab, &m.tokenizer) != TRM_OK) {
    return;
  }
  (void)fprintf(page->file, "<h3>Surest mistakes</h3>\n");
  if (m.pictures) {
    (void)fprintf(page->file, "<div class=\"pictures\">\n");
  } else {
    (void)fprintf(
        page->file,
        "<div class=\"wide\"><table><thead><tr>%s<th>number</th>%s<th class=\"word\">is</th>"
        "<th class=\"word\">taken for</th><th>sure by, %%</th></tr></thead><tbody>\n",
        m.tokenizer ? "<th>text</th>" : "", m.named ? "<th class=\"word\">name</th>" : "");
  }
  (void)trm_tsv_read(page->best->folder, name, put_mistake, &m); /* it has been read before */
  (void)fprintf(page->file, "%s", m.pictures ? "</div>\n" : "</tbody></table></div>\n");
  trm_tokenizer_destroy(&m.tokenizer);
}

/* ---- what is written ------------------------------------------------------------------------- */

typedef struct texts {
  FILE *file;
  int64_t n_lines;
  int n_columns;
} texts;

static void put_text_row(void *context, char *const *fields, int n_fields) {
  texts *t = context;
  const char *tag = t->n_lines++ == 0 ? "th" : "td";
  if (n_fields < t->n_columns) return;
  (void)fprintf(t->file, "<tr>");
  for (int i = 0; i < t->n_columns; ++i) {
    (void)fprintf(t->file, "<%s class=\"word\">", tag);
    trm_report_text(t->file, fields[i]);
    (void)fprintf(t->file, "</%s>", tag);
  }
  (void)fprintf(t->file, "</tr>\n");
}

static void put_texts(const trm_page *page) {
  static const char name[] = "written.tsv";
  contents c = {.field = 3};
  if (trm_tsv_read(page->best->folder, name, look_at_line, &c) != TRM_OK || c.n_lines < 2) return;
  texts t = {.file = page->file, .n_columns = c.named ? 4 : 3};
  (void)fprintf(page->file,
                "<h3>What it writes</h3>\n<div class=\"wide\"><table class=\"sides\">\n");
  (void)trm_tsv_read(page->best->folder, name, put_text_row, &t);
  (void)fprintf(page->file, "</table></div>\n");
}

/* Whether there is anything of it. */
static bool has_findings(const trm_page *page) {
  static const char *const names[] = {"confusion.tsv", "mistakes.tsv", "written.tsv"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    char path[TRM_RECORD_PATH_BYTES];
    if (trm_path_join(path, sizeof path, page->best->folder, names[i]) == TRM_OK &&
        trm_path_exists(path)) {
      return true;
    }
  }
  return page->text != NULL;
}

void trm_page_findings(const trm_page *page) {
  if (!has_findings(page)) return;
  if (page->study->n_groups > 1) trm_page_heading(page, "What the best run makes of samples");
  put_confusion(page);
  put_mistakes(page);
  put_texts(page);
  if (!page->text) return;
  (void)fprintf(page->file, "<h3>What it writes</h3>\n<pre class=\"text\">");
  trm_report_text(page->file, page->text);
  (void)fprintf(page->file, "</pre>\n");
}
