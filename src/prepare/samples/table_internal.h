/** A table on its way to a data set: first what its columns are, then the values of its rows. */
#ifndef TRIREME_PREPARE_TABLE_INTERNAL_H
#define TRIREME_PREPARE_TABLE_INTERNAL_H

#include "corpus_internal.h"
#include "trireme/prepare/table.h"

/** The first field of some sort; path NULL: there was none. */
typedef struct trm_seen_field {
  const char *path;
  int64_t line;
  bool first; /* of the first record of a file */
  char text[TRM_COLUMN_NAME_BYTES];
} trm_seen_field;

typedef struct trm_table_column {
  trm_column_use use;
  bool given;                           /* its kind is an option's */
  int64_t n_numbers, n_flawed, n_texts; /* fields of each sort, as far as they were looked at */
  trm_seen_field flawed, text, large;   /* a number for people; no number; too large for a float */
  trm_number_flaw flaw;                 /* of the first flawed one */
  int64_t n_missing;                    /* of the rows that are kept */
  bool unnamed;                         /* its header is empty, or what pandas writes for that */
  bool jumps;                           /* its numbers do not count the rows of each file by one */
  double last;                          /* number, of the file `last_path` */
  const char *last_path;
  int64_t at;       /* its place among columns of numbers, or of categories */
  trm_names levels; /* categories */
} trm_table_column;

typedef struct trm_table_data {
  const trm_prepare_table_options *options;
  trm_table_report *report;
  trm_prepare_samples_options deal; /* what parts are dealt by */
  trm_prepare_samples_counts counts;
  trm_corpus corpus; /* targets, groups, folds and origins of the rows that are kept */
  trm_records_form form;
  bool header;
  trm_scan scan; /* for numbers */

  trm_names names; /* [n_columns] of the first table */
  int64_t n_columns;
  trm_table_column *columns;
  int *
      field_of; /* [n_columns] field of each column in the file being read, -1: a skipped one is not there */
  int *targets; /* [n_targets] columns */
  int n_targets;
  int group, fold, split, id; /* columns, -1: none */
  trm_names groups;           /* values of the column */
  trm_names target_values;    /* the first few different ones, to tell numbers from classes */
  bool target_whole;          /* all are whole numbers */

  int64_t n_rows; /* read by the first pass, and not dropped */
  int64_t n_numbers, n_categories;
  float *numbers; /* [n, n_numbers] */
  int64_t numbers_n, numbers_capacity;
  int32_t *categories; /* [n, n_categories] */
  int64_t categories_n, categories_capacity;
  trm_token_rows class_sets; /* [n] TRM_TARGET_CLASSES */
} trm_table_data;

/* ---- columns: table_columns.c ----------------------------------------------------------------- */

/** Whether the first lines of tables name the columns. */
bool trm_table_has_header(const trm_prepare_table_options *options, trm_header header);
/** Of the first record of a file: what the columns are called and for, in the first file; where they are,
 *  in each. */
trm_status trm_table_find_columns(trm_table_data *table, const trm_records *records);
/** The name of a column on one line. */
const char *trm_table_name(const trm_table_data *table, int column,
                           char shown[TRM_COLUMN_NAME_BYTES]);
/** A field without the blanks around it; NULL: missing. */
const char *trm_table_field(const trm_table_data *table, const trm_records *records, int column,
                            int64_t *bytes);
/** Whether the row has no target. An empty set of classes is one. */
bool trm_table_lacks_target(const trm_table_data *table, const trm_records *records, int *column);

/* ---- first pass: table_kinds.c ---------------------------------------------------------------- */

/** That the first record of a file, which names no columns, does not number them as pandas does. */
trm_status trm_table_check_first(const trm_table_data *table, const trm_records *records);
/** Looks at the fields of a row. `first`: it is the first record of its file. */
trm_status trm_table_look(trm_table_data *table, const trm_records *records, bool first);
/** What columns and the target are. @return TRM_ERR_DATA for fields that an option forbids, decimal
 *  numbers for people, numbers too large */
trm_status trm_table_decide(trm_table_data *table);

/* ---- second pass: table_rows.c ---------------------------------------------------------------- */

/** Takes the values of a row. */
trm_status trm_table_take(trm_table_data *table, const trm_records *records, trm_subset part);
/** Sorts levels and classes, leaves columns of one value out, fills the report. */
trm_status trm_table_finish(trm_table_data *table);

/* ---- the data set: table_write.c -------------------------------------------------------------- */

/** Deals parts and writes. */
trm_status trm_table_write(trm_table_data *table);

#endif
