/** The first pass over a table: whether columns are numbers or categories, and the target a class. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "table_internal.h"
#include "trireme/core/utf8.h"

enum {
  MOST_TARGET_CLASSES = 20, /* of whole numbers that are classes unless told otherwise */
  LOOKED_AT = 100,          /* fields of a column that tell whether most are numbers */
};

/* ---- fields ----------------------------------------------------------------------------------- */

static void note(trm_seen_field *seen, const trm_records *r, bool first, const char *text,
                 int64_t bytes) {
  if (seen->path) return;
  *seen = (trm_seen_field){.path = r->path, .line = r->line, .first = first};
  trm_text_escape(text, bytes, seen->text, sizeof seen->text);
}

/* More need not be known of a column with fields that are no numbers, whatever the first of them is. */
static bool is_known(const trm_table_column *c) {
  if (c->given && c->use != TRM_COLUMN_NUMBER && c->use != TRM_COLUMN_TARGET) return true;
  return c->n_texts > 1 && c->n_texts + c->n_numbers >= LOOKED_AT;
}

/* Whether an unnamed column goes on counting the rows of its file. */
static void look_at_count(trm_table_column *c, const trm_records *r, double x) {
  if (c->last_path == r->path) {
    c->jumps = c->jumps || x != c->last + 1;
  } else {
    c->jumps = c->jumps || (x != 0 && x != 1 && (!c->last_path || x != c->last + 1));
  }
  c->last_path = r->path;
  c->last = x;
}

static void look_at(trm_table_data *t, int column, const trm_records *r, bool first) {
  trm_table_column *c = &t->columns[column];
  int64_t bytes;
  double x;
  if (is_known(c)) return;
  const char *text = trm_table_field(t, r, column, &bytes);
  if (!text) return;
  if (trm_scan_number(&t->scan, text, bytes, &x)) {
    ++c->n_numbers;
    if (c->unnamed) look_at_count(c, r, x);
    if (!isfinite((float)x)) note(&c->large, r, first, text, bytes);
    if (c->use == TRM_COLUMN_TARGET && x != floor(x)) t->target_whole = false;
  } else if (trm_flaw_of_number(text, bytes).has) {
    if (c->n_flawed++ == 0) c->flaw = trm_flaw_of_number(text, bytes);
    note(&c->flawed, r, first, text, bytes);
  } else {
    ++c->n_texts;
    note(&c->text, r, first, text, bytes);
  }
}

trm_status trm_table_check_first(const trm_table_data *table, const trm_records *records) {
  const trm_table_data *t = table;
  trm_scan numbers = {0};
  bool counts = records->n_fields > 2 && !t->header && !t->options->header;
  for (int64_t i = 0; counts && i < records->n_fields; ++i) {
    int64_t bytes;
    double x = -1;
    const char *text = trm_records_trimmed(records, i, &bytes);
    counts = trm_scan_number(&numbers, text, bytes, &x) && x == (double)i;
  }
  (void)trm_scan_close(&numbers, TRM_OK);
  if (!counts) return TRM_OK;
  return trm_records_fail(records,
                          "the first row is 0, 1, 2 ... %lld, as pandas numbers columns; --header "
                          "yes takes it for names, --header no for values",
                          (long long)records->n_fields - 1);
}

trm_status trm_table_look(trm_table_data *table, const trm_records *records, bool first) {
  trm_table_data *t = table;
  int lacking;
  if (t->options->drop_missing_target && trm_table_lacks_target(t, records, &lacking))
    return TRM_OK;
  ++t->n_rows;
  for (int c = 0; c < t->n_columns; ++c) {
    if (t->field_of[c] >= 0) look_at(t, c, records, first);
  }
  if (t->n_targets == 0 || t->target_values.n > MOST_TARGET_CLASSES) return TRM_OK;
  int64_t bytes;
  int32_t id;
  bool added;
  const char *text = trm_table_field(t, records, t->targets[0], &bytes);
  return text ? trm_names_add(&t->target_values, text, bytes, &id, &added) : TRM_OK;
}

/* ---- decisions -------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static trm_status
fail_at(const trm_seen_field *at, const char *remedy, const char *format, ...) {
  char text[TRM_MESSAGE_BYTES / 4];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return trm_fail(TRM_ERR_DATA, "%s:%lld: %s; %s", at->path, (long long)at->line, text, remedy);
}

/* That a column of numbers has nothing else, and none too large. */
static trm_status check_numbers(const trm_table_data *t, int column) {
  const trm_table_column *c = &t->columns[column];
  const bool target = c->use == TRM_COLUMN_TARGET;
  char name[TRM_COLUMN_NAME_BYTES], remedy[3 * TRM_COLUMN_NAME_BYTES];
  trm_table_name(t, column, name);
  if (c->n_texts > 0) {
    (void)snprintf(remedy, sizeof remedy, "correct it, or give %s%s%s or --missing '%s'",
                   target ? "--target-kind class" : "--kind '", target ? "" : name,
                   target ? "" : "=category'", c->text.text);
    return fail_at(&c->text, remedy,
                   "column '%s' is to be numbers, and '%s' is none that is finite", name,
                   c->text.text);
  }
  if (c->n_flawed > 0) {
    (void)snprintf(remedy, sizeof remedy, "%s%s%s%s", c->flaw.remedy,
                   target ? ", or --target-kind class" : ", or give --kind '", target ? "" : name,
                   target ? "" : "=category'");
    return fail_at(&c->flawed, remedy, "column '%s': '%s' has %s", name, c->flawed.text,
                   c->flaw.has);
  }
  if (!c->large.path) return TRM_OK;
  (void)snprintf(remedy, sizeof remedy, "give the column in a larger unit, or --kind '%s=skip'",
                 name);
  return fail_at(&c->large, target ? "give it in a larger unit" : remedy,
                 "column '%s': %s is too large for a float, which ends at 3.4e38", name,
                 c->large.text);
}

/* A first line that is the only one to have a text in a column of numbers names the columns. */
static trm_status check_header(const trm_table_data *t, int column) {
  const trm_table_column *c = &t->columns[column];
  char name[TRM_COLUMN_NAME_BYTES];
  if (t->header || t->options->header || c->n_texts != 1 || !c->text.first || c->n_numbers == 0) {
    return TRM_OK;
  }
  return fail_at(
      &c->text,
      "if it names the columns give --header yes, or a column by its name, else --header no",
      "only this line has no number in column %s, but '%s'", trm_table_name(t, column, name),
      c->text.text);
}

static trm_status decide_column(trm_table_data *t, int column) {
  trm_table_column *c = &t->columns[column];
  TRM_TRY(check_header(t, column));
  if (c->given) return c->use == TRM_COLUMN_NUMBER ? check_numbers(t, column) : TRM_OK;
  if (c->unnamed && !c->jumps && c->n_numbers == t->n_rows && t->n_rows > 2) {
    char name[TRM_COLUMN_NAME_BYTES];
    trm_table_name(t, column, name);
    c->use = TRM_COLUMN_SKIPPED;
    trm_note(t->options->notes,
             "%s: passed over: column '%s', which has no name and counts the rows (--kind "
             "'%s=number' takes it)",
             c->last_path, name, name);
    return TRM_OK;
  }
  if (c->n_texts > 0) {
    c->use = TRM_COLUMN_CATEGORY;
    return TRM_OK;
  }
  /* A model that has the column is told that it is missing. */
  const bool number = c->n_numbers + c->n_flawed > 0 || t->options->unlabelled;
  c->use = number ? TRM_COLUMN_NUMBER : TRM_COLUMN_EMPTY;
  return check_numbers(t, column);
}

static trm_status decide_target(trm_table_data *t) {
  const trm_prepare_table_options *o = t->options;
  trm_sample_target *target = &t->corpus.target;
  if (o->unlabelled) {
    *target = TRM_TARGET_NONE;
    return TRM_OK;
  }
  const trm_table_column *c = &t->columns[t->targets[0]];
  if (t->n_targets > 1 || o->labels_separator) {
    *target = TRM_TARGET_CLASSES;
    return TRM_OK;
  }
  TRM_TRY(check_header(t, t->targets[0]));
  /* Codes and grades come again and again; so few whole numbers are rarely measured. */
  const bool few = c->n_numbers > 0 && c->n_texts + c->n_flawed == 0 && t->target_whole &&
                   t->target_values.n <= MOST_TARGET_CLASSES &&
                   c->n_numbers >= 2 * t->target_values.n;
  const bool class = o->target_kind ? strcmp(o->target_kind, "class") == 0 : c->n_texts > 0 || few;
  *target = class ? TRM_TARGET_CLASS : TRM_TARGET_NUMBER;
  t->report->target_either = few && !o->target_kind;
  return class ? TRM_OK : check_numbers(t, t->targets[0]);
}

trm_status trm_table_decide(trm_table_data *table) {
  trm_table_data *t = table;
  TRM_TRY(decide_target(t));
  for (int i = 0; i < t->n_columns; ++i) {
    trm_table_column *c = &t->columns[i];
    TRM_TRY(decide_column(t, i));
    if (c->use == TRM_COLUMN_NUMBER) c->at = t->n_numbers++;
    if (c->use == TRM_COLUMN_CATEGORY) c->at = t->n_categories++;
  }
  return TRM_OK;
}
