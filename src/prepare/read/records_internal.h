/**
 * Records of text files: lines of fields that one separator parts, or lines that are one field each.
 *
 * Fields may stand in double quotes (RFC 4180), and have separators, ends of lines and doubled quotes in
 * them. Fields that tabs part, and whole lines, are taken as they stand. Lines end with LF or CR LF; gzip is
 * unpacked, a byte order mark passed over, and so are comment lines ('#', '%') before the first record and
 * "sep=;". What is wrong is named by file and line.
 */
#ifndef TRIREME_PREPARE_RECORDS_INTERNAL_H
#define TRIREME_PREPARE_RECORDS_INTERNAL_H

#include "scan_internal.h"

/** Whether the first record names the columns. */
typedef enum trm_header {
  TRM_HEADER_AS_NAMED, /* when a column is given by a name */
  TRM_HEADER_YES,
  TRM_HEADER_NO,
} trm_header;

typedef struct trm_records_form {
  bool lines;     /* a line is one field, also an empty one */
  char separator; /* as trm_separator_find has it; 0: what parts the first lines */
  bool values;    /* numbers and short texts, which blanks may part too */
  bool any_bytes; /* fields need not be UTF-8 */
  bool no_units;  /* there are no tokens, so none of bytes is advised where fields are no UTF-8 */
} trm_records_form;

typedef struct trm_records {
  const char *path;
  trm_records_form form;
  trm_bytes in;
  int64_t next_line, line; /* lines begun; first line of the record */
  char *text;              /* fields of the record, one after another */
  int64_t n_text, text_capacity;
  int64_t *ends; /* [n_fields] where each field ends in `text` */
  int64_t n_fields, ends_capacity;
  int64_t n_columns;  /* fields of the first record, 0 before */
  int64_t n_records;  /* read so far */
  int64_t n_comments; /* lines before the first that were passed over */
} trm_records;

/** path and progress (may be NULL) are kept. Any outcome: trm_records_close. */
trm_status trm_records_open(trm_records *records, const char *path, const trm_records_form *form,
                            trm_scan_progress *progress);
/** Releases everything; returns `status`. */
trm_status trm_records_close(trm_records *records, trm_status status);

/** The next record, which has as many fields as the first; empty lines of tables are passed over.
 *  @return TRM_ERR_DATA: uneven fields, an open quote, invalid UTF-8 */
trm_status trm_records_next(trm_records *records, bool *more);
/** Field i of the record, borrowed until the next. */
const char *trm_records_field(const trm_records *records, int64_t i, int64_t *bytes);
/** The same without the blanks around it. */
const char *trm_records_trimmed(const trm_records *records, int64_t i, int64_t *bytes);

/** Tells what a table was taken for, once its first record is read. notes NULL: nowhere. */
void trm_records_tell(const trm_records *records, trm_notes *notes, bool header);

/**
 * The column that `name` means: with a header the one of this name, blanks around it apart, else, or when there is none, its number
 * from 1. The current record is the first of the file.
 * @param[in] option  that gave it ("--text"), for messages
 * @return TRM_ERR_USAGE when there is none, or several of the name: the message names the nearest and lists them
 */
trm_status trm_records_column(const trm_records *records, bool header, const char *name,
                              const char *option, int *column);
/** Whether `name` is a number of a column. */
bool trm_column_is_number(const char *name);

/** TRM_ERR_DATA: "FILE:LINE: ...", the line where the record begins. */
trm_status trm_records_fail(const trm_records *records, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
