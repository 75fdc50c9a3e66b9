/** `trireme prepare table`: rows of numbers and categories, with a target each. */
#include "trireme/prepare/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "samples.h"
#include "trireme/core/memory.h"
#include "trireme/input/samples.h"
#include "ways.h"

enum { MOST_FILES = 1024, MOST_OPTIONS = 4096, MOST_TOLD = 80, MOST_NAMED = 8 };

/* ---- the summary ------------------------------------------------------------------------------ */

static void tell_target(const app_prepare_call *call, const trm_samples *s,
                        const trm_table_report *r) {
  const char *other = r->target_either && s->target == TRM_TARGET_CLASS
                          ? ", few whole numbers; --target-kind number takes them as numbers"
                          : "";
  static const char *const one = "; all rows have the same one, so there is nothing to learn";
  if (s->target == TRM_TARGET_CLASSES) {
    app_line l = {0};
    app_say(&l, s->classes.n, "class", "classes");
    trm_log_line(call->log, "%s: target: any of %s a row, %.2f on average; %" PRId64 " without",
                 call->output, l.text, (double)s->class_sets.offsets[s->n] / (double)s->n,
                 r->without_class);
    return;
  }
  for (int64_t i = 0; i < r->n_columns; ++i) {
    const trm_column_report *c = &r->columns[i];
    if (c->use != TRM_COLUMN_TARGET) continue;
    if (s->target == TRM_TARGET_NUMBER) {
      trm_log_line(call->log, "%s: target %s: number, mean %.6g, deviation %.6g%s", call->output,
                   c->name, c->mean, c->deviation, c->deviation == 0 ? one : "");
    } else {
      trm_log_line(call->log, "%s: target %s: class, %" PRId64 " of them%s%s", call->output,
                   c->name, c->levels, other, c->levels == 1 ? one : "");
    }
  }
}

static void tell_column(const app_prepare_call *call, const trm_column_report *c, int64_t n) {
  char missing[48] = "", fresh[64] = "";
  if (c->missing > 0) {
    (void)snprintf(missing, sizeof missing, ", %.2f %% missing",
                   100 * (double)c->missing / (double)n);
  }
  if (c->new_levels > 0) {
    (void)snprintf(fresh, sizeof fresh, ", %" PRId64 " of them in no row to train on",
                   c->new_levels);
  }
  if (c->use == TRM_COLUMN_NUMBER) {
    trm_log_line(call->log, "%s: number %s: mean %.6g, deviation %.6g%s", call->output, c->name,
                 c->mean, c->deviation, missing);
  } else {
    trm_log_line(call->log, "%s: category %s: %" PRId64 " levels%s%s", call->output, c->name,
                 c->levels, fresh, missing);
  }
}

static void tell_columns(const app_prepare_call *call, const trm_samples *s,
                         const trm_table_report *r) {
  app_line l = {0};
  int64_t told = 0, n = 0;
  app_say(&l, s->table.n_numbers, "column of numbers", "columns of numbers");
  app_say(&l, s->table.n_categories, "of categories", "of categories");
  trm_log_line(call->log, "%s: inputs: %s", call->output, l.text);
  for (int64_t i = 0; i < r->n_columns; ++i) {
    const trm_column_report *c = &r->columns[i];
    if (c->use != TRM_COLUMN_NUMBER && c->use != TRM_COLUMN_CATEGORY) continue;
    if (++n > MOST_TOLD) continue;
    tell_column(call, c, s->n);
    ++told;
  }
  if (n > told) {
    trm_log_line(call->log, "%s: and %" PRId64 " more columns", call->output, n - told);
  }
}

typedef bool (*column_test)(const trm_column_report *c);
static bool is_constant(const trm_column_report *c) {
  return c->use == TRM_COLUMN_CONSTANT;
}
static bool is_empty(const trm_column_report *c) {
  return c->use == TRM_COLUMN_EMPTY;
}
static bool is_skipped(const trm_column_report *c) {
  return c->use == TRM_COLUMN_SKIPPED;
}
static bool is_input(const trm_column_report *c) {
  return c->use == TRM_COLUMN_NUMBER || c->use == TRM_COLUMN_CATEGORY;
}
static bool is_distinct(const trm_column_report *c) {
  return is_input(c) && c->distinct;
}
static bool is_parts(const trm_column_report *c) {
  return c->use == TRM_COLUMN_CATEGORY && c->parts;
}
static bool is_few(const trm_column_report *c) {
  return c->use == TRM_COLUMN_NUMBER && c->few;
}
static bool is_rounded(const trm_column_report *c) {
  return c->use == TRM_COLUMN_NUMBER && c->rounded;
}

/* "what: a, b, c ... (12 columns)", when there are any. */
static void tell_those(const app_prepare_call *call, const trm_table_report *r, column_test test,
                       const char *what) {
  char names[MOST_NAMED * (TRM_COLUMN_NAME_BYTES + 2)] = "", rest[48] = "";
  int64_t n = 0;
  for (int64_t i = 0; i < r->n_columns; ++i) {
    const size_t used = strlen(names);
    if (!test(&r->columns[i]) || ++n > MOST_NAMED) continue;
    (void)snprintf(names + used, sizeof names - used, "%s%s", n > 1 ? ", " : "",
                   r->columns[i].name);
  }
  if (n > MOST_NAMED) (void)snprintf(rest, sizeof rest, " ... (%" PRId64 " columns)", n);
  if (n > 0) trm_log_line(call->log, "%s: %s: %s%s", call->output, what, names, rest);
}

static void tell_notes(const app_prepare_call *call, const trm_table_report *r) {
  char count[32];
  tell_those(call, r, is_constant, "left out, one value in all rows");
  tell_those(call, r, is_empty, "left out, missing in all rows");
  tell_those(call, r, is_skipped, "left out, as asked");
  if (r->dropped > 0) {
    trm_format_count(r->dropped, count);
    trm_log_line(call->log, "%s: left out: rows without a target: %s", call->output, count);
  }
  for (int64_t i = 0; i < r->n_columns; ++i) {
    const trm_column_report *c = &r->columns[i];
    if (c->use != TRM_COLUMN_CATEGORY || !c->text[0]) continue;
    trm_log_line(
        call->log,
        "%s: note: %s has numbers for the most part, and is categories since '%s' (%s:%" PRId64
        ") is none; --missing takes such a text for a gap",
        call->output, c->name, c->text, c->text_path, c->text_line);
  }
  tell_those(call, r, is_distinct,
             "note: another value in each row (if it is an id: --id COLUMN keeps it as a name, "
             "--kind COLUMN=skip leaves it out)");
  tell_those(call, r, is_parts, "note: values are names of parts (--split COLUMN divides by them)");
  tell_those(call, r, is_few,
             "note: few different whole numbers (if they are codes: --kind COLUMN=category)");
  tell_those(call, r, is_rounded,
             "note: whole numbers over 2^24 are rounded to floats (if it is an id: --id COLUMN "
             "keeps it as a name, --kind COLUMN=skip leaves it out)");
  if (r->leaked > 0) {
    trm_format_count(r->leaked, count);
    trm_log_line(call->log, "%s: note: rows to validate or test whose group is also trained on: %s",
                 call->output, count);
  }
}

static trm_status tell(const app_prepare_call *call, const trm_table_report *report) {
  trm_samples *s = NULL;
  TRM_TRY(trm_samples_open(call->output, &s));
  app_tell_parts(call, s, "row", "rows");
  tell_target(call, s, report);
  const trm_status status = app_tell_classes(call, s);
  tell_columns(call, s, report);
  tell_notes(call, report);
  trm_samples_close(&s);
  return status;
}

/* ---- the way ---------------------------------------------------------------------------------- */

static trm_status run(app_prepare_call *call) {
  trm_prepare_table_options o = {.valid_share = -1,
                                 .test_share = -1,
                                 .most_levels = 10000,
                                 .progress = app_prepare_progress,
                                 .context = call->log};
  int64_t seed = 1;
  const char *given_valid[MOST_FILES], *given_test[MOST_FILES], *given_kinds[MOST_OPTIONS],
      *given_missing[MOST_OPTIONS];
  app_list tables, valid = {given_valid, 0, MOST_FILES}, test = {given_test, 0, MOST_FILES},
                   kinds = {given_kinds, 0, MOST_OPTIONS},
                   missing = {given_missing, 0, MOST_OPTIONS};
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--target", 0, &o.target, "COLUMN",
               "to be predicted, by name or number from 1; a,b,c: several of 0 and 1"),
      APP_FLAG("--unlabelled", &o.unlabelled,
               "there is none: rows to predict, of which no column is left out"),
      APP_TEXT("--target-kind", 0, &o.target_kind, "number|class",
               "what the target is (default: numbers, unless texts or few whole numbers)"),
      APP_TEXT("--labels-separator", 0, &o.labels_separator, "TEXT",
               "between the classes of a target that has any number of them"),
      APP_LIST("--kind", 0, &kinds, "COLUMN=KIND",
               "a column is number, category or skip (default: numbers when all its fields are)"),
      APP_LIST("--missing", 0, &missing, "TEXT",
               "a field that is missing, besides empty ones, NA, N/A, nan, null and ?"),
      APP_FLAG("--drop-missing-target", &o.drop_missing_target, "leave rows without a target out"),
      APP_TEXT("--no-label", 0, &o.no_label, "VALUE",
               "leave rows out whose target is this, or missing (rows without any: --unlabelled)"),
      APP_INT("--most-levels", 0, &o.most_levels, 1, INT32_MAX, "N",
              "different values of a column of categories (default 10000)"),
      APP_TEXT("--group", 0, &o.group, "COLUMN",
               "rows of one value stay in one part; the column is no input"),
      APP_TEXT("--id", 0, &o.id, "COLUMN",
               "names of the rows, which predictions show; the column is no input"),
      APP_LIST("--valid", 0, &valid, "FILE", "table of rows for validation"),
      APP_LIST("--test", 0, &test, "FILE", "table of rows to test"),
      APP_TEXT("--split", 0, &o.split, "COLUMN",
               "of parts: train, valid (val, dev) or test (default: files, or shares)"),
      APP_TEXT("--fold", 0, &o.fold, "COLUMN", "of folds: fold k is the test part of split k"),
      APP_INT("--folds", 0, &o.n_folds, 2, 1e6, "N", "deal N folds at random"),
      APP_TEXT("--separator", 0, &o.separator, "tab|comma|semicolon|pipe|colons|blanks",
               "between fields (default: what parts the first lines alike)"),
      APP_TEXT("--header", 0, &o.header, "yes|no",
               "the first line names the columns (default: when a column is given by name)"),
      APP_REAL("--valid-share", &o.valid_share, 0, 0.99, "SHARE",
               "of the rows, at random, for validation (default 0.1, 0 with a file)"),
      APP_REAL("--test-share", &o.test_share, 0, 0.99, "SHARE",
               "of the rows, at random, to test (default 0)"),
      APP_INT("--seed", 0, &seed, 0, 9e15, "N", "of shares and folds (default 1)"),
  };
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &tables));
  if (call->done) return TRM_OK;
  const app_list *files[TRM_N_SUBSETS] = {&tables, &valid, &test};
  trm_table_report report = {0};
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    o.tables[p] = files[p]->items;
    o.n_tables[p] = files[p]->n;
  }
  o.output = call->output;
  if (o.no_label) o.drop_missing_target = true;
  o.kinds = kinds.items, o.n_kinds = kinds.n;
  o.missing = missing.items, o.n_missing = missing.n;
  o.seed = (uint64_t)seed;
  trm_notes notes = {0};
  o.notes = &notes;
  trm_status status = trm_prepare_table(&o, &report);
  if (status == TRM_OK) app_tell_notes(call->log, &notes);
  trm_notes_free(&notes);
  if (status == TRM_OK) status = tell(call, &report);
  trm_table_report_free(&report);
  return status;
}

const app_prepare_way app_prepare_way_table = {
    .name = "table",
    .words = "FILE.csv...",
    .summary = "rows of numbers and categories with a target each, from CSV or TSV",
    .run = run,
};
