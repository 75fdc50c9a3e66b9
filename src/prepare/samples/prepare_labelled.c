/** `trireme prepare labelled`: texts with a class or a number each. */
#include <string.h>

#include "corpus_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { MOST_CLASSES = 65536, FEWEST_TO_JUDGE = 20 };

typedef struct columns {
  int text, label, fold, split, id;
} columns;

static trm_status check_files(const trm_labelled_files *f) {
  const bool tables = f->n_tables > 0 || f->n_valid > 0 || f->n_test > 0;
  if (f->n_classes > 0 &&
      (tables || f->text || f->label || f->fold || f->split || f->real || f->unlabelled)) {
    return trm_fail(
        TRM_ERR_USAGE,
        "texts come from a file a class (--class) or from tables with columns, not both");
  }
  if (f->n_classes > 0 && f->id) {
    return trm_fail(TRM_ERR_USAGE,
                    "--id is a column of tables; files of classes (--class) have none");
  }
  if (f->n_classes > 0) return TRM_OK;
  if (f->split && (f->n_valid > 0 || f->n_test > 0)) {
    return trm_fail(TRM_ERR_USAGE, "--split tells the parts; leave --valid and --test out");
  }
  if (f->n_tables == 0) {
    return trm_fail(TRM_ERR_USAGE,
                    "give a table to train on, or a file for each class by --class NAME=FILE");
  }
  if (!f->text || (!f->label && !f->unlabelled)) {
    return trm_fail(TRM_ERR_USAGE,
                    "give the columns by --text COLUMN and --label COLUMN; --unlabelled takes "
                    "texts alone, to predict");
  }
  if (!f->unlabelled ||
      !(f->label || f->real || f->fold || f->split || f->n_valid > 0 || f->n_test > 0)) {
    return TRM_OK;
  }
  return trm_fail(TRM_ERR_USAGE,
                  "--unlabelled texts have no labels, folds or parts; leave --label, --real, "
                  "--fold, --split, --valid and --test out");
}

/* ---- tables ----------------------------------------------------------------------------------- */

static bool has_header(const trm_labelled_files *f, trm_header header) {
  if (header != TRM_HEADER_AS_NAMED) return header == TRM_HEADER_YES;
  return !trm_column_is_number(f->text) || (f->label && !trm_column_is_number(f->label)) ||
         (f->fold && !trm_column_is_number(f->fold)) || (f->id && !trm_column_is_number(f->id)) ||
         (f->split && !trm_column_is_number(f->split));
}

static trm_status find_columns(const trm_labelled_files *f, const trm_records *r, bool header,
                               columns *c) {
  TRM_TRY(trm_records_column(r, header, f->text, "--text", &c->text));
  c->label = -1;
  if (f->label) TRM_TRY(trm_records_column(r, header, f->label, "--label", &c->label));
  if (f->fold) TRM_TRY(trm_records_column(r, header, f->fold, "--fold", &c->fold));
  if (f->split) TRM_TRY(trm_records_column(r, header, f->split, "--split", &c->split));
  if (f->id) TRM_TRY(trm_records_column(r, header, f->id, "--id", &c->id));
  if (c->text != c->label) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s: --text and --label are the same column", r->path);
}

/* A field as a name, which is one of those before or a new one. */
static trm_status take_name(const trm_records *r, int column, const char *what, trm_names *names,
                            int32_t *id) {
  bool added;
  int64_t bytes;
  const char *text = trm_records_trimmed(r, column, &bytes);
  if (trm_is_blank(text, bytes)) {
    return trm_records_fail(r, "the %s is empty; give the line one, or remove it%s", what,
                            strcmp(what, "label") == 0 ? " (--no-label '' leaves such lines out)"
                                                       : "");
  }
  TRM_TRY(trm_names_add(names, text, bytes, id, &added));
  if (names->n <= MOST_CLASSES) return TRM_OK;
  return trm_records_fail(
      r,
      "more than %d different %ss; is the column the right one? (--real takes them "
      "as numbers)",
      MOST_CLASSES, what);
}

/* Whether the label says that there is none. */
static bool has_no_label(const trm_labelled_files *f, const trm_records *r, const columns *c) {
  int64_t bytes;
  if (!f->no_label || f->unlabelled) return false;
  const char *text = trm_records_field(r, c->label, &bytes);
  return trm_is_blank(text, bytes) ||
         (bytes == (int64_t)strlen(f->no_label) && memcmp(text, f->no_label, (size_t)bytes) == 0);
}

static trm_status add_record(trm_corpus *corpus, const trm_labelled_files *f, const trm_records *r,
                             const columns *c, trm_subset part) {
  trm_corpus_row row = {0};
  if (has_no_label(f, r, c)) {
    ++corpus->counts->no_label;
    return TRM_OK;
  }
  trm_origin origin = {.line = r->line, .path = r->path, .part = part};
  if (f->split) TRM_TRY(trm_corpus_take_part(corpus, r, c->split, &origin.part));
  row.text = trm_records_field(r, c->text, &row.n_text);
  if (f->id) trm_corpus_take_name(r, c->id, &row);
  if (f->fold) TRM_TRY(take_name(r, c->fold, "fold", &corpus->fold_names, &row.fold));
  if (f->unlabelled) return trm_corpus_add(corpus, &row, &origin);
  if (f->real) {
    TRM_TRY(trm_records_real(r, c->label, "label", &row.number));
  } else {
    TRM_TRY(take_name(r, c->label, "label", &corpus->classes, &row.label));
  }
  return trm_corpus_add(corpus, &row, &origin);
}

static trm_status read_records(trm_corpus *corpus, const trm_labelled_files *f, trm_records *r,
                               trm_header header, trm_subset part) {
  const bool named = has_header(f, header);
  columns c = {0};
  bool more, first = true;
  for (;; first = false) {
    TRM_TRY(trm_records_next(r, &more));
    if (!more) return TRM_OK;
    if (first) TRM_TRY(find_columns(f, r, named, &c));
    if (first) trm_records_tell(r, corpus->options->notes, named);
    if (!first || !named) TRM_TRY(add_record(corpus, f, r, &c, part));
  }
}

/* A class of the first line alone is the name of a column, more often than not. */
static trm_status check_first_label(const trm_corpus *c, int64_t first) {
  char shown[80];
  if (c->target != TRM_TARGET_CLASS || c->options->header || c->n < first + 3) return TRM_OK;
  const int32_t label = c->labels[first];
  if (c->origins[first].line != 1) return TRM_OK;
  for (int64_t i = 0; i < c->n; ++i) {
    if (i != first && c->labels[i] == label) return TRM_OK;
  }
  const int64_t *offsets = trm_names_offsets(&c->classes);
  trm_text_escape(c->classes.bytes.data + offsets[label], offsets[label + 1] - offsets[label],
                  shown, sizeof shown);
  return trm_corpus_fail(
      c, first,
      "no other line has the label '%s'; if the line names the columns give --header "
      "yes, else --header no",
      shown);
}

static trm_status read_tables(trm_corpus *corpus, const trm_labelled_files *f,
                              const char *const *paths, int n, trm_subset part) {
  trm_records_form form;
  trm_header header;
  TRM_TRY(trm_corpus_table_form(corpus, &form, &header));
  for (int i = 0; i < n; ++i) {
    trm_records records;
    const int64_t first = corpus->n;
    trm_status status = trm_records_open(&records, paths[i], &form, &corpus->progress);
    if (status == TRM_OK) status = read_records(corpus, f, &records, header, part);
    TRM_TRY(trm_records_close(&records, status));
    if (corpus->n > first && !has_header(f, header)) TRM_TRY(check_first_label(corpus, first));
  }
  corpus->has_part[part] = corpus->has_part[part] || n > 0;
  return TRM_OK;
}

/* ---- a file a class --------------------------------------------------------------------------- */

/* The name and the file of "NAME=FILE". */
static trm_status cut_class(const char *text, const char **path, int64_t *n_name) {
  const char *sign = strchr(text, '=');
  *path = sign ? sign + 1 : NULL;
  *n_name = sign ? sign - text : 0;
  if (*n_name > 0 && **path) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "--class is '%s', expected NAME=FILE", text);
}

static trm_status read_class(trm_corpus *corpus, const char *given) {
  const trm_records_form form = {.lines = true, .any_bytes = trm_corpus_takes_any_bytes(corpus)};
  const char *path;
  int64_t n_name;
  trm_corpus_row row = {0};
  trm_records r;
  bool added, more = true;
  TRM_TRY(cut_class(given, &path, &n_name));
  TRM_TRY(trm_names_add(&corpus->classes, given, n_name, &row.label, &added));
  trm_status status = trm_records_open(&r, path, &form, &corpus->progress);
  while (status == TRM_OK) {
    status = trm_records_next(&r, &more);
    if (status != TRM_OK || !more) break;
    const trm_origin origin = {.line = r.line, .path = path};
    row.text = trm_records_field(&r, 0, &row.n_text);
    status = trm_corpus_add(corpus, &row, &origin);
  }
  return trm_records_close(&r, status);
}

/* ---- all -------------------------------------------------------------------------------------- */

static trm_status add_inputs(trm_corpus *corpus, const trm_labelled_files *f) {
  for (int i = 0; i < f->n_tables; ++i) TRM_TRY(trm_inputs_add(&corpus->inputs, f->tables[i]));
  for (int i = 0; i < f->n_valid; ++i) TRM_TRY(trm_inputs_add(&corpus->inputs, f->valid[i]));
  for (int i = 0; i < f->n_test; ++i) TRM_TRY(trm_inputs_add(&corpus->inputs, f->test[i]));
  for (int i = 0; i < f->n_classes; ++i) {
    const char *path;
    int64_t n_name;
    TRM_TRY(cut_class(f->classes[i], &path, &n_name));
    TRM_TRY(trm_inputs_add(&corpus->inputs, path));
  }
  return trm_inputs_check(&corpus->inputs, corpus->options->output, &corpus->progress);
}

/* Labels that hardly come twice are numbers, or another column. */
static trm_status check_labels(const trm_corpus *c, const trm_labelled_files *f) {
  const bool classes = c->target == TRM_TARGET_CLASS && f->n_classes == 0;
  if (!classes || c->n < FEWEST_TO_JUDGE || 2 * c->classes.n <= c->n) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: %lld different labels of %lld; is --label the right column? --real takes "
                  "labels that are numbers",
                  f->tables[0], (long long)c->classes.n, (long long)c->n);
}

static trm_status read_all(trm_corpus *corpus, const trm_labelled_files *f) {
  TRM_TRY(add_inputs(corpus, f));
  for (int i = 0; i < f->n_classes; ++i) TRM_TRY(read_class(corpus, f->classes[i]));
  if (f->n_classes > 0) return TRM_OK;
  TRM_TRY(read_tables(corpus, f, f->tables, f->n_tables, TRM_SUBSET_TRAIN));
  TRM_TRY(read_tables(corpus, f, f->valid, f->n_valid, TRM_SUBSET_VALID));
  return read_tables(corpus, f, f->test, f->n_test, TRM_SUBSET_TEST);
}

trm_status trm_prepare_labelled(const trm_labelled_files *files,
                                const trm_prepare_samples_options *options,
                                trm_prepare_samples_counts *counts) {
  trm_corpus corpus = {.options = options,
                       .counts = counts,
                       .progress = {.show = options->progress, .context = options->context},
                       .target = files->unlabelled ? TRM_TARGET_NONE
                                 : files->real     ? TRM_TARGET_NUMBER
                                                   : TRM_TARGET_CLASS,
                       .classes_given = files->n_classes > 0,
                       .has_folds = files->fold != NULL,
                       .has_names = files->id != NULL};
  *counts = (trm_prepare_samples_counts){0};
  trm_status status = check_files(files);
  if (status == TRM_OK) status = read_all(&corpus, files);
  if (status == TRM_OK) status = check_labels(&corpus, files);
  if (status == TRM_OK) status = trm_corpus_write(&corpus);
  trm_corpus_free(&corpus);
  return status;
}
