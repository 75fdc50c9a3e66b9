/** The columns of a table: their names, what options say of them, and where they are in each file. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "table_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { NAME_BYTES = 256 };

static const struct {
  const char *name;
  trm_column_use use;
} kinds[] = {
    {"number", TRM_COLUMN_NUMBER}, {"category", TRM_COLUMN_CATEGORY}, {"skip", TRM_COLUMN_SKIPPED}};

const char *trm_table_name(const trm_table_data *table, int column,
                           char shown[TRM_COLUMN_NAME_BYTES]) {
  const int64_t *offsets = trm_names_offsets(&table->names);
  trm_text_escape(table->names.bytes.data + offsets[column], offsets[column + 1] - offsets[column],
                  shown, TRM_COLUMN_NAME_BYTES);
  return shown;
}

/* ---- options ---------------------------------------------------------------------------------- */

/* The column's name of "COLUMN=KIND", and where the kind begins. */
static trm_status cut_kind(const char *text, char name[NAME_BYTES], const char **kind) {
  const char *sign = strrchr(text, '=');
  if (!sign || sign == text || sign - text >= NAME_BYTES) {
    return trm_fail(TRM_ERR_USAGE, "--kind is '%s', expected COLUMN=number, category or skip",
                    text);
  }
  memcpy(name, text, (size_t)(sign - text));
  name[sign - text] = 0;
  *kind = sign + 1;
  return TRM_OK;
}

static bool are_numbers(const char *names) {
  return names[0] != 0 && strspn(names, "0123456789,") == strlen(names);
}

bool trm_table_has_header(const trm_prepare_table_options *o, trm_header header) {
  if (header != TRM_HEADER_AS_NAMED) return header == TRM_HEADER_YES;
  bool numbers = (o->target ? are_numbers(o->target) : o->n_kinds > 0 || o->id) &&
                 (!o->group || trm_column_is_number(o->group)) &&
                 (!o->fold || trm_column_is_number(o->fold)) &&
                 (!o->split || trm_column_is_number(o->split)) &&
                 (!o->id || trm_column_is_number(o->id));
  for (int i = 0; i < o->n_kinds; ++i) {
    char name[NAME_BYTES];
    const char *kind;
    numbers = numbers && cut_kind(o->kinds[i], name, &kind) == TRM_OK && trm_column_is_number(name);
  }
  return !numbers;
}

/* Gives a column to what an option names; each is for one thing. */
static trm_status use_column(trm_table_data *t, int column, trm_column_use use,
                             const char *option) {
  static const char *const by[] = {[TRM_COLUMN_TARGET] = "--target",
                                   [TRM_COLUMN_GROUP] = "--group",
                                   [TRM_COLUMN_FOLD] = "--fold",
                                   [TRM_COLUMN_SPLIT] = "--split"};
  trm_table_column *c = &t->columns[column];
  char shown[TRM_COLUMN_NAME_BYTES];
  if (c->given) {
    return trm_fail(TRM_ERR_USAGE, "column '%s' is given twice, by %s and by %s; leave one out",
                    trm_table_name(t, column, shown),
                    c->use >= TRM_COLUMN_TARGET ? by[c->use] : "--kind", option);
  }
  c->use = use;
  c->given = true;
  return TRM_OK;
}

/* One column, or several that commas part; a column whose own name has commas is one. */
static trm_status find_targets(trm_table_data *t, const trm_records *r) {
  const char *text = t->options->target;
  const bool whole = trm_names_find(&t->names, text, (int64_t)strlen(text)) >= 0;
  int n = 1;
  for (const char *p = text; *p && !whole; ++p) n += *p == ',';
  TRM_TRY(TRM_ALLOC(&t->targets, n, "targets"));
  for (const char *p = text; t->n_targets < n; ++t->n_targets) {
    const size_t bytes = n > 1 ? strcspn(p, ",") : strlen(p);
    char name[NAME_BYTES];
    if (bytes == 0 || bytes >= sizeof name) {
      return trm_fail(TRM_ERR_USAGE, "--target is '%s', expected a column, or several like a,b,c",
                      text);
    }
    memcpy(name, p, bytes);
    name[bytes] = 0;
    int *column = &t->targets[t->n_targets];
    TRM_TRY(trm_records_column(r, t->header, name, "--target", column));
    TRM_TRY(use_column(t, *column, TRM_COLUMN_TARGET, "--target"));
    p += bytes + (n > 1);
  }
  return TRM_OK;
}

/* A column that is for something else, as that of groups, may name rows too; one that is skipped is there for that. */
static trm_status find_id(trm_table_data *t, const trm_records *r) {
  t->id = -1;
  if (!t->options->id) return TRM_OK;
  TRM_TRY(trm_records_column(r, t->header, t->options->id, "--id", &t->id));
  trm_table_column *c = &t->columns[t->id];
  if (c->given && c->use != TRM_COLUMN_SKIPPED) return TRM_OK;
  c->use = TRM_COLUMN_ID;
  c->given = true;
  return TRM_OK;
}

static trm_status apply_options(trm_table_data *t, const trm_records *r) {
  const trm_prepare_table_options *o = t->options;
  if (!o->unlabelled) TRM_TRY(find_targets(t, r));
  t->group = t->fold = t->split = -1;
  if (o->group) {
    TRM_TRY(trm_records_column(r, t->header, o->group, "--group", &t->group));
    TRM_TRY(use_column(t, t->group, TRM_COLUMN_GROUP, "--group"));
  }
  if (o->fold) {
    TRM_TRY(trm_records_column(r, t->header, o->fold, "--fold", &t->fold));
    TRM_TRY(use_column(t, t->fold, TRM_COLUMN_FOLD, "--fold"));
  }
  if (o->split) {
    TRM_TRY(trm_records_column(r, t->header, o->split, "--split", &t->split));
    TRM_TRY(use_column(t, t->split, TRM_COLUMN_SPLIT, "--split"));
  }
  for (int i = 0; i < o->n_kinds; ++i) {
    char name[NAME_BYTES];
    const char *kind = NULL;
    int column, k = 0;
    TRM_TRY(cut_kind(o->kinds[i], name, &kind));
    TRM_TRY(trm_records_column(r, t->header, name, "--kind", &column));
    while (k < 3 && strcmp(kinds[k].name, kind) != 0) ++k;
    if (k == 3) {
      return trm_fail(TRM_ERR_USAGE, "--kind is '%s', expected %s=number, category or skip",
                      o->kinds[i], name);
    }
    TRM_TRY(use_column(t, column, kinds[k].use, "--kind"));
  }
  return find_id(t, r);
}

/* ---- names ------------------------------------------------------------------------------------ */

/* A column without a name is called by its number, as is one of a table without a header. */
static const char *column_name(const trm_table_data *t, const trm_records *r, int64_t i,
                               char number[32], int64_t *bytes) {
  const char *text = trm_records_trimmed(r, i, bytes);
  if (t->header && *bytes > 0) return text;
  *bytes = snprintf(number, 32, "%lld", (long long)i + 1);
  return number;
}

static trm_status twice(const trm_table_data *t, const trm_records *r, int first, int64_t second) {
  char shown[TRM_COLUMN_NAME_BYTES];
  return trm_records_fail(r, "columns %d and %lld are both called '%s'; rename one", first + 1,
                          (long long)second + 1, trm_table_name(t, first, shown));
}

/* A column that its writer gave no name: most often one that counts the rows. */
static bool is_unnamed(const trm_records *r, int64_t i) {
  static const char pandas[] = "Unnamed: ";
  int64_t bytes;
  const char *text = trm_records_trimmed(r, i, &bytes);
  const int64_t n = (int64_t)sizeof pandas - 1;
  return bytes == 0 || (bytes > n && memcmp(text, pandas, (size_t)n) == 0);
}

static trm_status name_columns(trm_table_data *t, const trm_records *r) {
  t->n_columns = r->n_fields;
  TRM_TRY(TRM_ALLOC(&t->columns, t->n_columns, "columns"));
  TRM_TRY(TRM_ALLOC(&t->field_of, t->n_columns, "columns"));
  for (int64_t i = 0; i < t->n_columns; ++i) {
    char number[32];
    int64_t bytes;
    int32_t id;
    bool added;
    const char *name = column_name(t, r, i, number, &bytes);
    t->columns[i].unnamed = t->header && is_unnamed(r, i);
    TRM_TRY(trm_names_add(&t->names, name, bytes, &id, &added));
    if (!added) return twice(t, r, id, i);
    t->field_of[i] = (int)i;
  }
  return apply_options(t, r);
}

/* ---- other files ------------------------------------------------------------------------------ */

static trm_status match_by_place(const trm_table_data *t, const trm_records *r) {
  if (r->n_fields == t->n_columns) {
    for (int i = 0; i < t->n_columns; ++i) t->field_of[i] = i;
    return TRM_OK;
  }
  return trm_records_fail(r, "%lld columns, the first table has %lld; give both the same",
                          (long long)r->n_fields, (long long)t->n_columns);
}

static trm_status match_by_name(const trm_table_data *t, const trm_records *r) {
  char shown[TRM_COLUMN_NAME_BYTES];
  for (int i = 0; i < t->n_columns; ++i) t->field_of[i] = -1;
  for (int64_t i = 0; i < r->n_fields; ++i) {
    char number[32];
    int64_t bytes;
    const char *name = column_name(t, r, i, number, &bytes);
    const int32_t c = trm_names_find(&t->names, name, bytes);
    if (c < 0) {
      trm_text_escape(name, bytes, shown, sizeof shown);
      return trm_records_fail(r, "a column '%s' that the first table has not; remove or rename it",
                              shown);
    }
    if (t->field_of[c] >= 0) return twice(t, r, t->field_of[c], i);
    t->field_of[c] = (int)i;
  }
  for (int i = 0; i < t->n_columns; ++i) {
    if (t->field_of[i] >= 0 || t->columns[i].use == TRM_COLUMN_SKIPPED) continue;
    trm_table_name(t, i, shown);
    return trm_records_fail(
        r, "the column '%s' of the first table is missing; add it%s%s%s", shown,
        t->columns[i].use >= TRM_COLUMN_TARGET ? "" : ", or do without it by --kind '",
        t->columns[i].use >= TRM_COLUMN_TARGET ? "" : shown,
        t->columns[i].use >= TRM_COLUMN_TARGET ? "" : "=skip'");
  }
  return TRM_OK;
}

trm_status trm_table_find_columns(trm_table_data *table, const trm_records *records) {
  if (!table->columns) return name_columns(table, records);
  return table->header ? match_by_name(table, records) : match_by_place(table, records);
}

/* ---- fields ----------------------------------------------------------------------------------- */

static bool is_missing(const trm_prepare_table_options *o, const char *text, int64_t bytes) {
  static const char *const any_case[] = {"nan", "null", "n/a", "?"};
  if (bytes == 0 || (bytes == 2 && memcmp(text, "NA", 2) == 0)) return true;
  for (int i = 0; i < 4; ++i) {
    if (bytes == (int64_t)strlen(any_case[i]) &&
        strncasecmp(text, any_case[i], (size_t)bytes) == 0) {
      return true;
    }
  }
  for (int i = 0; i < o->n_missing; ++i) {
    if (bytes == (int64_t)strlen(o->missing[i]) && memcmp(text, o->missing[i], (size_t)bytes) == 0)
      return true;
  }
  return false;
}

const char *trm_table_field(const trm_table_data *table, const trm_records *records, int column,
                            int64_t *bytes) {
  const char *text = trm_records_trimmed(records, table->field_of[column], bytes);
  return is_missing(table->options, text, *bytes) ? NULL : text;
}

static bool is_no_label(const trm_prepare_table_options *o, const char *text, int64_t bytes) {
  return o->no_label && bytes == (int64_t)strlen(o->no_label) &&
         memcmp(text, o->no_label, (size_t)bytes) == 0;
}

bool trm_table_lacks_target(const trm_table_data *table, const trm_records *records, int *column) {
  for (int i = 0; i < table->n_targets; ++i) {
    int64_t bytes;
    *column = table->targets[i];
    const char *text = trm_table_field(table, records, *column, &bytes);
    if (text && !is_no_label(table->options, text, bytes)) continue;
    if (text || bytes > 0 || !table->options->labels_separator) return true;
  }
  return false;
}
