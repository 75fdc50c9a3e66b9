/**
 * Reading tables of ids and numbers from text: lines of fields. What parts them, what stands before them,
 * and which columns are meant is found out, or told by a trm_reading. Comment lines begin with '#' or '%';
 * lines may end with CR LF. What is wrong is named by file, line, column and value.
 */
#ifndef TRIREME_PREPARE_SCAN_INTERNAL_H
#define TRIREME_PREPARE_SCAN_INTERNAL_H

#include "form_internal.h"

enum { TRM_MOST_ROLES = 8, TRM_QUOTED_BYTES = 512 };

/** What a column is for. */
typedef struct trm_column_role {
  const char *what; /* "source" */
  const char
      *names; /* what headers call it, in small letters and figures alone: "source src from" */
  bool optional;
} trm_column_role;

/** How a table is read: of which columns, and what is asked. `roles` NULL: as they stand. */
typedef struct trm_table_plan {
  const char *form;             /* what a line is: "u<TAB>v", for messages; borrowed */
  const trm_column_role *roles; /* [n_roles] in the order in which fields are taken */
  int n_roles, n_ids;           /* the first n_ids are ids */
  const char *columns_option;   /* "--columns": what tells other columns; NULL: nothing does */
  const trm_reading *reading;   /* NULL: all is found out, and nothing told */
  const char *columns;          /* as reading->columns, of this table */
  bool asks_header;             /* reading->header is about this table */
  bool quiet;                   /* a table in plain form is not told of */
} trm_table_plan;

typedef struct trm_scan {
  trm_bytes in;
  const char *path;
  const char *form;                         /* what a line is: "u<TAB>v", for messages; borrowed */
  const char *line;                         /* the current one, without its end */
  int64_t n_line, n_whole, at, line_number; /* n_whole: with the blanks at its end */
  bool line_done;                           /* its last field is taken */
  char separator;
  int column;
  const char *field; /* the last one taken */
  int64_t n_field;
  char quoted[TRM_QUOTED_BYTES]; /* it, where quotes in it were doubled */
  int n_pick, n_picked;          /* columns that are taken; 0: all as they stand */
  int pick[TRM_MOST_ROLES];      /* -1: the table has none */
  trm_table_head head;
  bool header;                /* the first line named the columns */
  int64_t base;               /* what ids count from */
  bool base_given;            /* by an option, or by the preamble */
  bool words;                 /* most of its first lines have ids that are no numbers */
  bool zeros;                 /* an id of its first lines begins with a zero that says nothing */
  int64_t fewest, most;       /* fields of its first lines */
  int64_t n_fields;           /* of its first line */
  int64_t size[3];            /* Matrix Market: rows, columns, entries; -1 */
  const char *columns_option; /* of the plan */
  void *c_locale;             /* for numbers the fast way cannot do; NULL until the first */
} trm_scan;

/** Checks that a file is there, is none of the wrong kinds and not empty; adds its size. */
trm_status trm_scan_check(const char *path, trm_scan_progress *progress);

/** A table of ids without a header: what parts its fields is found out. path, form and progress (may be
 *  NULL) are kept. Any outcome: trm_scan_close. */
trm_status trm_scan_open(trm_scan *scan, const char *path, const char *form,
                         trm_scan_progress *progress);
/** A table with columns, by a plan, whose texts are kept: preamble and header are read.
 *  @return TRM_ERR_USAGE for columns that are not there, TRM_ERR_DATA for what is no such table */
trm_status trm_scan_open_table(trm_scan *scan, const char *path, const trm_table_plan *plan,
                               trm_scan_progress *progress);
/** Releases everything; returns `status`. */
trm_status trm_scan_close(trm_scan *scan, trm_status status);

/** The next line that is no comment; empty ones are passed over unless `empty` asks for them. */
trm_status trm_scan_line(trm_scan *scan, bool empty, bool *more);
/** Whether the line has another field; takes nothing. */
bool trm_scan_more(const trm_scan *scan);

/** Where a scan was, as long as no line is read that is not in memory yet. */
typedef struct trm_scan_place {
  int64_t begin, line_number;
} trm_scan_place;
/** Before the current line. */
trm_scan_place trm_scan_place_of_line(const trm_scan *scan);
void trm_scan_go_back(trm_scan *scan, trm_scan_place to);

/** Takes the next field: scan->field, scan->n_field, without blanks and quotes around it. False when it is
 *  empty, or there is none. */
bool trm_scan_take(trm_scan *scan);
/** The fields of the line are taken once more. */
void trm_scan_again(trm_scan *scan);
/** The field taken last on one line, for messages. */
enum { TRM_SHOWN_BYTES = 80 };
const char *trm_scan_shown(const trm_scan *scan, char text[TRM_SHOWN_BYTES]);

/** That the field taken last has no character in it that cannot be seen; else it is named. */
trm_status trm_scan_check_seen(const trm_scan *scan, const char *what);

/** A whole number in [0, limit), counted from 0 when the table counts from 1; `what` it is ("source
 *  node"), `why` the limit is so. */
trm_status trm_scan_id(trm_scan *scan, const char *what, int64_t limit, const char *why,
                       int64_t *id);
/** A finite number that a float can hold. */
trm_status trm_scan_real(trm_scan *scan, const char *what, float *value);
/** Whether a text by itself is a number, with blanks around it or none; infinite when a double does not
 *  hold it. Of `scan`, which is zero, only what numbers need is used: no file is open. Fails without a
 *  message; trm_scan_close in the end. */
bool trm_scan_number(trm_scan *scan, const char *text, int64_t bytes, double *value);
/** What keeps a text that is a number for people from being one here, and how to write it; NULL: nothing. */
typedef struct trm_number_flaw {
  const char *has;    /* "a decimal comma" */
  const char *remedy; /* "write points, as in 1.5" */
} trm_number_flaw;
/** Of a text that trm_scan_number does not take. number_flaw.c */
trm_number_flaw trm_flaw_of_number(const char *text, int64_t bytes);
/** As trm_scan_id, whatever the table's ids count from. */
trm_status trm_scan_count(trm_scan *scan, const char *what, int64_t limit, const char *why,
                          int64_t *n);
/** A word: scan->field, scan->n_field. */
trm_status trm_scan_word(trm_scan *scan, const char *what);
/** The same, or nothing where a separator stands for it. */
trm_status trm_scan_maybe(trm_scan *scan, const char *what);
/** The rest of the line, without blanks around it; may be empty: scan->field, scan->n_field. */
void trm_scan_rest(trm_scan *scan);
/** The line has no more fields. */
trm_status trm_scan_end(trm_scan *scan);

/** TRM_ERR_DATA: "FILE:LINE: column K: ...", K the field taken last; 0 leaves it out. */
trm_status trm_scan_fail(const trm_scan *scan, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Makes room for element n of an array that grows by doubling: TRM_GROW(&p, n, &capacity, "what"). */
trm_status trm_grow(void **data, int64_t n, int64_t *capacity, size_t size, const char *what);
#define TRM_GROW(data, n, capacity, what)                                                          \
  ((n) < *(capacity) ? TRM_OK : trm_grow((void **)(data), (n), (capacity), sizeof **(data), (what)))

#endif
