/** `trireme prepare table`: a data set of kind samples (data/FORMAT.md) from tables with columns. */
#ifndef TRIREME_PREPARE_TABLE_H
#define TRIREME_PREPARE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"
#include "trireme/input/subset.h"
#include "trireme/prepare/reading.h"

/** What a column is for. */
typedef enum trm_column_use {
  TRM_COLUMN_NUMBER,
  TRM_COLUMN_CATEGORY,
  TRM_COLUMN_SKIPPED,  /* as asked */
  TRM_COLUMN_CONSTANT, /* one value in all rows: left out */
  TRM_COLUMN_EMPTY,    /* missing in all rows: left out */
  TRM_COLUMN_TARGET,
  TRM_COLUMN_GROUP,
  TRM_COLUMN_FOLD,
  TRM_COLUMN_SPLIT,
  TRM_COLUMN_ID, /* names of the rows, and nothing else */
} trm_column_use;

typedef struct trm_prepare_table_options {
  const char *output;
  const char *const *tables[TRM_N_SUBSETS]; /* those to train on may be divided */
  int n_tables[TRM_N_SUBSETS];
  /* Columns are given by name or number from 1. */
  const char *target; /* a column, or several parted by commas: a class each, 0 or 1 */
  bool unlabelled;    /* there is none: rows to predict, without splits; no column is left out */
  const char *target_kind; /* "number", "class"; NULL: as its fields tell */
  const char
      *labels_separator;    /* parts the classes of a row's target, any number of them; NULL: one */
  const char *const *kinds; /* "COLUMN=number", "=category", "=skip" */
  int n_kinds;
  const char *const *missing; /* texts of fields that are missing, besides the usual ones */
  int n_missing;
  const char *group; /* column: rows of one value stay in one part; no input. NULL: none */
  const char *fold;  /* column: fold k is the test part of split k; no input. NULL: none */
  const char *split; /* column: parts (train, valid, test); no input. NULL: files tell */
  const char *id; /* column: names of rows; no input but where another option says so. NULL: none */
  bool drop_missing_target; /* leave rows without a target out; else they are refused */
  const char *no_label;     /* the same of rows whose target is this text; NULL: no text says it */
  int64_t most_levels;      /* of a column of categories */
  const char *separator;    /* as trm_reading has it; NULL: what parts the first lines alike */
  const char *header;       /* "yes", "no"; NULL: yes when a column is given by its name */
  /* Shares of the rows to train on that become the other parts, at random; < 0: not given, which is 0.1
   * for validation where there is no file for it, else 0. */
  double valid_share, test_share;
  int64_t n_folds;  /* > 0: that many splits, dealt at random */
  uint64_t seed;    /* of shares and folds */
  trm_notes *notes; /* what was found out about tables; NULL: nowhere */
  /** Progress, may be NULL: share done in [0, 1] and what is being done. */
  void (*progress)(void *context, double share, const char *what);
  void *context;
} trm_prepare_table_options;

enum { TRM_COLUMN_NAME_BYTES = 80 };

/** What became of a column. Numbers of rows are those of all parts. */
typedef struct trm_column_report {
  char name[TRM_COLUMN_NAME_BYTES]; /* for people: on one line, cut */
  trm_column_use use;
  int64_t missing;    /* rows without a value */
  int64_t levels;     /* categories, and targets that are classes */
  int64_t new_levels; /* categories that no row to train on has; 0 when there are several splits */
  double mean, deviation; /* numbers: of the values that are there, in the unit of the table */
  bool distinct; /* each row has another value: other categories, or numbers that count up by 1 */
  bool few;      /* numbers: 3 to 10 different ones, all whole, each 10 times on average */
  bool parts;    /* categories: all levels are called as parts of a split */
  bool rounded;  /* numbers: whole ones that a float does not hold exactly */
  char text[TRM_COLUMN_NAME_BYTES]; /* categories for this field alone, numbers before it; or "" */
  const char *text_path;            /* its file, of the options */
  int64_t text_line;
} trm_column_report;

/** What was found, left out, or is odd. */
typedef struct trm_table_report {
  int64_t n_columns;
  trm_column_report *columns; /* in the order of the first table */
  int64_t dropped;            /* rows without a target that were left out */
  int64_t leaked;             /* rows to validate or test whose group is also trained on */
  int64_t without_class;      /* rows whose set of classes is empty */
  bool target_either;         /* the target is few whole numbers: a class unless told otherwise */
} trm_table_report;
/** Of any outcome. */
void trm_table_report_free(trm_table_report *report);

/**
 * Rows of a table with a target each: a number, a class, or a set of classes.
 *
 * A column is numbers when every field that is not missing is one, else categories. Missing is what is
 * empty, NA, N/A, nan, null or ?, or as told; it stays missing in the file. The levels of a category are
 * those of all rows; they and classes are in the order of numbers where all are, else of bytes. Columns of
 * one value are left out. Other tables have the columns of the first one, found by their names. Shares and
 * folds are dealt class by class, groups whole.
 *
 * Not collective; the same files and options give the same file. Reads the tables twice; memory is that of
 * the data set.
 *
 * @param[out] report  trm_table_report_free, also after a failure
 * @return TRM_ERR_DATA with file and line: bad table or UTF-8, columns that differ or have one name, no
 *         rows, a target that is missing, too many levels, a number that is none or too large, a class
 *         that no row to train on has; TRM_ERR_USAGE for options that do not go together and columns that
 *         are not there; TRM_ERR_IO, TRM_ERR_MEMORY. The output appears complete or not at all
 */
trm_status trm_prepare_table(const trm_prepare_table_options *options, trm_table_report *report);

#endif
