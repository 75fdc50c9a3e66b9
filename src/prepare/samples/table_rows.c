/** The second pass over a table: the values of its rows; then levels and classes in order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { MOST_CLASSES = 65536, FEWEST = 3, FEW = 10 };

/* A field that the first pass saw as a number. */
static trm_status read_number(trm_table_data *t, const trm_records *r, int column, const char *text,
                              int64_t bytes, double *x) {
  char name[TRM_COLUMN_NAME_BYTES];
  if (trm_scan_number(&t->scan, text, bytes, x)) return TRM_OK;
  return trm_records_fail(r,
                          "column '%s' has another field than before; does something write to it?",
                          trm_table_name(t, column, name));
}

/* ---- targets ---------------------------------------------------------------------------------- */

static trm_status take_class(trm_table_data *t, const trm_records *r, const char *text,
                             int64_t bytes, int32_t *id) {
  char name[TRM_COLUMN_NAME_BYTES];
  bool added;
  TRM_TRY(trm_names_add(&t->corpus.classes, text, bytes, id, &added));
  if (t->corpus.classes.n <= MOST_CLASSES) return TRM_OK;
  return trm_records_fail(r,
                          "more than %d different classes in column '%s'; is it the right one? "
                          "(--target-kind number takes numbers)",
                          MOST_CLASSES, trm_table_name(t, t->targets[0], name));
}

static trm_status push_class(trm_table_data *t, int32_t id) {
  trm_token_rows *sets = &t->class_sets;
  const int64_t at = sets->offsets[sets->n + 1];
  for (int64_t i = sets->offsets[sets->n]; i < at; ++i) {
    if (sets->values[i] == id) return TRM_OK;
  }
  TRM_TRY(TRM_GROW(&sets->values, at, &sets->values_capacity, "classes of rows"));
  sets->values[at] = id;
  ++sets->offsets[sets->n + 1];
  return TRM_OK;
}

/* Columns of 0 and 1: the classes are the columns. */
static trm_status take_flags(trm_table_data *t, const trm_records *r) {
  for (int i = 0; i < t->n_targets; ++i) {
    int64_t bytes;
    double x;
    char name[TRM_COLUMN_NAME_BYTES], shown[TRM_COLUMN_NAME_BYTES];
    const char *text = trm_table_field(t, r, t->targets[i], &bytes);
    if (!trm_scan_number(&t->scan, text, bytes, &x) || (x != 0 && x != 1)) {
      trm_text_escape(text, bytes, shown, sizeof shown);
      return trm_records_fail(r, "'%s' in column '%s'; of several targets each is 0 or 1", shown,
                              trm_table_name(t, t->targets[i], name));
    }
    if (x == 1) TRM_TRY(push_class(t, i));
  }
  return TRM_OK;
}

/* "a;b": a class each, blanks around them apart. */
static trm_status take_list(trm_table_data *t, const trm_records *r) {
  const char *separator = t->options->labels_separator;
  const int64_t step = (int64_t)strlen(separator);
  int64_t bytes;
  const char *text = trm_table_field(t, r, t->targets[0], &bytes);
  for (int64_t at = 0; text && at <= bytes; at += step) {
    const int64_t begin = at;
    while (at < bytes && (bytes - at < step || memcmp(text + at, separator, (size_t)step) != 0))
      ++at;
    int64_t first = begin, end = at;
    while (first < end && text[first] == ' ') ++first;
    while (end > first && text[end - 1] == ' ') --end;
    if (first == end) continue;
    int32_t id;
    TRM_TRY(take_class(t, r, text + first, end - first, &id));
    TRM_TRY(push_class(t, id));
  }
  return TRM_OK;
}

static trm_status take_set(trm_table_data *t, const trm_records *r) {
  trm_token_rows *sets = &t->class_sets;
  TRM_TRY(TRM_GROW(&sets->offsets, sets->n + 1, &sets->offsets_capacity, "classes of rows"));
  sets->offsets[sets->n + 1] = sets->offsets[sets->n];
  TRM_TRY(t->options->labels_separator ? take_list(t, r) : take_flags(t, r));
  t->report->without_class += sets->offsets[sets->n] == sets->offsets[sets->n + 1];
  ++sets->n;
  return TRM_OK;
}

static trm_status take_target(trm_table_data *t, const trm_records *r, trm_corpus_row *row) {
  int64_t bytes;
  double x;
  if (t->corpus.target == TRM_TARGET_NONE) return TRM_OK;
  if (t->corpus.target == TRM_TARGET_CLASSES) return take_set(t, r);
  const char *text = trm_table_field(t, r, t->targets[0], &bytes);
  if (t->corpus.target == TRM_TARGET_CLASS) return take_class(t, r, text, bytes, &row->label);
  TRM_TRY(read_number(t, r, t->targets[0], text, bytes, &x));
  row->number = (float)x;
  return TRM_OK;
}

static trm_status lacking(const trm_table_data *t, const trm_records *r, int column) {
  char name[TRM_COLUMN_NAME_BYTES];
  return trm_records_fail(r,
                          "the target '%s' is missing; fill it in, or leave such rows out by "
                          "--drop-missing-target",
                          trm_table_name(t, column, name));
}

/* ---- inputs ----------------------------------------------------------------------------------- */

static trm_status take_number(trm_table_data *t, const trm_records *r, int column) {
  trm_table_column *c = &t->columns[column];
  int64_t bytes;
  double x = NAN;
  const char *text = trm_table_field(t, r, column, &bytes);
  if (text) TRM_TRY(read_number(t, r, column, text, bytes, &x));
  TRM_TRY(TRM_GROW(&t->numbers, t->numbers_n, &t->numbers_capacity, "numbers of rows"));
  t->numbers[t->numbers_n++] = (float)x;
  c->n_missing += !text;
  if (fabs(x) > 0x1p24 && x == floor(x) && (double)(float)x != x) {
    t->report->columns[column].rounded = true;
  }
  return TRM_OK;
}

static trm_status too_many(const trm_table_data *t, const trm_records *r, int column) {
  const trm_table_column *c = &t->columns[column];
  char name[TRM_COLUMN_NAME_BYTES], number[4 * TRM_COLUMN_NAME_BYTES] = "";
  trm_table_name(t, column, name);
  if (c->n_texts > 0 && c->n_numbers > 0) {
    (void)snprintf(number, sizeof number,
                   ", --missing '%s' makes it numbers if no other field is none (%.80s:%lld)",
                   c->text.text, c->text.path, (long long)c->text.line);
  } else if (c->n_texts == 0) {
    (void)snprintf(number, sizeof number, ", --kind '%s=number' takes them as numbers", name);
  }
  return trm_records_fail(r,
                          "more than %lld different values in column '%s', which is categories; "
                          "--kind '%s=skip' leaves it out%s, --most-levels N allows more",
                          (long long)t->options->most_levels, name, name, number);
}

static trm_status take_category(trm_table_data *t, const trm_records *r, int column) {
  trm_table_column *c = &t->columns[column];
  int64_t bytes;
  int32_t id = -1;
  bool added;
  const char *text = trm_table_field(t, r, column, &bytes);
  if (text) TRM_TRY(trm_names_add(&c->levels, text, bytes, &id, &added));
  if (c->levels.n > t->options->most_levels) return too_many(t, r, column);
  TRM_TRY(TRM_GROW(&t->categories, t->categories_n, &t->categories_capacity, "categories of rows"));
  t->categories[t->categories_n++] = id;
  c->n_missing += !text;
  return TRM_OK;
}

static trm_status take_name(const trm_table_data *t, const trm_records *r, int column,
                            trm_names *names, int32_t *id) {
  char name[TRM_COLUMN_NAME_BYTES];
  int64_t bytes;
  bool added;
  const char *text = trm_records_trimmed(r, t->field_of[column], &bytes);
  if (bytes > 0) return trm_names_add(names, text, bytes, id, &added);
  return trm_records_fail(r, "the %s in column '%s' is empty; give the row one, or remove it",
                          column == t->fold ? "fold" : "group", trm_table_name(t, column, name));
}

trm_status trm_table_take(trm_table_data *table, const trm_records *records, trm_subset part) {
  trm_table_data *t = table;
  trm_corpus_row row = {0};
  trm_origin origin = {.line = records->line, .path = records->path, .part = part};
  int column;
  if (trm_table_lacks_target(t, records, &column)) {
    if (!t->options->drop_missing_target) return lacking(t, records, column);
    ++t->report->dropped;
    return TRM_OK;
  }
  TRM_TRY(take_target(t, records, &row));
  if (t->fold >= 0) TRM_TRY(take_name(t, records, t->fold, &t->corpus.fold_names, &row.fold));
  if (t->group >= 0) TRM_TRY(take_name(t, records, t->group, &t->groups, &row.group));
  if (t->split >= 0) {
    TRM_TRY(trm_corpus_take_part(&t->corpus, records, t->field_of[t->split], &origin.part));
  }
  if (t->id >= 0) trm_corpus_take_name(records, t->field_of[t->id], &row);
  for (int c = 0; c < t->n_columns; ++c) {
    if (t->columns[c].use == TRM_COLUMN_NUMBER) TRM_TRY(take_number(t, records, c));
    if (t->columns[c].use == TRM_COLUMN_CATEGORY) TRM_TRY(take_category(t, records, c));
  }
  return trm_corpus_add_facts(&t->corpus, &row, &origin);
}

/* ---- what columns turned out to be ------------------------------------------------------------ */

static void describe(trm_column_report *out, const float *values, int64_t n, int64_t step) {
  float distinct[FEW + 1];
  int64_t there = 0, n_distinct = 0;
  double sum = 0, squares = 0;
  bool whole = true, counts = true;
  for (int64_t i = 0; i < n; ++i) {
    const float x = values[i * step];
    if (isnan(x)) continue;
    int64_t k = 0;
    while (k < n_distinct && distinct[k] != x) ++k;
    if (k == n_distinct && k <= FEW) distinct[n_distinct++] = x;
    whole = whole && x == floorf(x);
    counts = counts && (i == 0 || x == values[(i - 1) * step] + 1);
    sum += (double)x;
    ++there;
  }
  out->missing = n - there;
  out->levels = n_distinct; /* FEW + 1: so many or more */
  out->mean = there > 0 ? sum / (double)there : 0;
  for (int64_t i = 0; i < n; ++i) {
    const double d = (double)values[i * step] - out->mean;
    if (!isnan(d)) squares += d * d;
  }
  out->deviation = there > 0 ? sqrt(squares / (double)there) : 0;
  out->few = whole && n_distinct >= FEWEST && n_distinct <= FEW && there >= FEW * n_distinct;
  out->distinct = counts && whole && there == n && n > FEW;
}

/* Of numbers and categories: those of one value have nothing to tell, unless it is that others miss it;
 * but a model that shall predict rows has the columns it was trained on. */
static trm_column_use use_of(const trm_table_data *t, trm_column_use use, int64_t distinct,
                             int64_t missing) {
  if (t->options->unlabelled) return use;
  if (distinct == 0) return TRM_COLUMN_EMPTY;
  return distinct == 1 && missing == 0 ? TRM_COLUMN_CONSTANT : use;
}

static void finish_numbers(trm_table_data *t, int column) {
  trm_table_column *c = &t->columns[column];
  trm_column_report *out = &t->report->columns[column];
  describe(out, t->numbers + c->at, t->corpus.n, t->n_numbers);
  c->use = use_of(t, c->use, out->levels, out->missing);
  out->levels = 0;
}

static bool are_parts(const trm_names *levels) {
  const int64_t *offsets = trm_names_offsets(levels);
  for (int64_t i = 0; i < levels->n; ++i) {
    trm_subset which;
    bool none;
    if (!trm_part_of_word(levels->bytes.data + offsets[i], offsets[i + 1] - offsets[i], &which,
                          &none)) {
      return false;
    }
  }
  return levels->n > 1;
}

static trm_status finish_categories(trm_table_data *t, int column) {
  trm_table_column *c = &t->columns[column];
  trm_column_report *out = &t->report->columns[column];
  int32_t *place = NULL;
  TRM_TRY(trm_names_sort(&c->levels, &place));
  for (int64_t i = 0; i < t->corpus.n; ++i) {
    int32_t *id = &t->categories[i * t->n_categories + c->at];
    if (*id >= 0) *id = place[*id];
  }
  TRM_FREE(place);
  out->missing = c->n_missing;
  out->levels = c->levels.n;
  out->parts = are_parts(&c->levels);
  out->distinct = out->levels == t->corpus.n - out->missing && out->levels > FEW;
  if (c->n_numbers > c->n_texts && c->n_texts > 0) {
    memcpy(out->text, c->text.text, sizeof out->text);
    out->text_path = c->text.path;
    out->text_line = c->text.line;
  }
  c->use = use_of(t, c->use, out->levels, out->missing);
  return TRM_OK;
}

/* Columns that are left out go; the others move together. Both kinds of values have 4 bytes. */
static void compact(trm_table_data *t, trm_column_use use, void *values, int64_t *n_columns) {
  const int64_t before = *n_columns;
  char *to = values;
  int64_t n = 0;
  for (int c = 0; c < t->n_columns; ++c) n += t->columns[c].use == use;
  if (n == before) return;
  for (int64_t i = 0; i < t->corpus.n; ++i) {
    const char *row = (const char *)values + i * before * 4;
    for (int c = 0; c < t->n_columns; ++c) {
      if (t->columns[c].use != use) continue;
      memmove(to, row + t->columns[c].at * 4, 4);
      to += 4;
    }
  }
  *n_columns = 0;
  for (int c = 0; c < t->n_columns; ++c) {
    if (t->columns[c].use == use) t->columns[c].at = (*n_columns)++;
  }
}

static int by_id(const void *a, const void *b) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

/* Classes in order; those of each row rising. */
static trm_status finish_sets(trm_table_data *t) {
  trm_token_rows *sets = &t->class_sets;
  int32_t *place = NULL, id;
  bool added;
  if (t->options->labels_separator) {
    TRM_TRY(trm_names_sort(&t->corpus.classes, &place));
    for (int64_t i = 0; i < sets->offsets[sets->n]; ++i) sets->values[i] = place[sets->values[i]];
    TRM_FREE(place);
    for (int64_t i = 0; i < sets->n; ++i) {
      const int64_t begin = sets->offsets[i], n = sets->offsets[i + 1] - begin;
      if (n > 1) qsort(sets->values + begin, (size_t)n, sizeof *sets->values, by_id);
    }
    return TRM_OK;
  }
  const int64_t *offsets = trm_names_offsets(&t->names);
  for (int i = 0; i < t->n_targets; ++i) {
    const int64_t begin = offsets[t->targets[i]];
    TRM_TRY(trm_names_add(&t->corpus.classes, t->names.bytes.data + begin,
                          offsets[t->targets[i] + 1] - begin, &id, &added));
  }
  return TRM_OK;
}

static trm_status finish_target(trm_table_data *t) {
  trm_corpus *c = &t->corpus;
  if (c->target == TRM_TARGET_NONE) return TRM_OK;
  trm_column_report *out = &t->report->columns[t->targets[0]];
  if (c->target == TRM_TARGET_NUMBER) describe(out, c->numbers, c->n, 1);
  if (c->target == TRM_TARGET_CLASS) TRM_TRY(trm_corpus_sort_names(c, &c->classes, c->labels));
  if (c->target == TRM_TARGET_CLASSES) TRM_TRY(finish_sets(t));
  out->levels = c->classes.n;
  return t->n_targets > 1 ? TRM_OK : trm_corpus_tell_alike(c);
}

trm_status trm_table_finish(trm_table_data *table) {
  trm_table_data *t = table;
  TRM_TRY(finish_target(t));
  for (int c = 0; c < t->n_columns; ++c) {
    if (t->columns[c].use == TRM_COLUMN_NUMBER) finish_numbers(t, c);
    if (t->columns[c].use == TRM_COLUMN_CATEGORY) TRM_TRY(finish_categories(t, c));
    t->report->columns[c].use = t->columns[c].use;
  }
  compact(t, TRM_COLUMN_NUMBER, t->numbers, &t->n_numbers);
  compact(t, TRM_COLUMN_CATEGORY, t->categories, &t->n_categories);
  if (t->n_numbers + t->n_categories > 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: no column is left as an input; each is skipped, has one value, or is the "
                  "target",
                  t->corpus.inputs.source);
}
