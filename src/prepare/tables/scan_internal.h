/**
 * Reading tables of numbers from text: lines of fields that tabs or spaces separate. Comment lines
 * begin with '#'; lines may end with CR LF. What is wrong is named by file, line, column and value.
 */
#ifndef TRIREME_PREPARE_SCAN_INTERNAL_H
#define TRIREME_PREPARE_SCAN_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trireme/core/status.h"

/** How far the reading of all files has come. Zero it; `show` may be NULL. */
typedef struct trm_scan_progress {
  void (*show)(void *context, double share, const char *what);
  void *context;
  int64_t done, total; /* bytes */
} trm_scan_progress;

typedef struct trm_scan {
  const char *path;
  const char *form; /* what a line is: "u<TAB>v", for messages; borrowed */
  int fd;
  char *buffer;
  int64_t capacity, begin, end; /* bytes [begin, end) of the buffer are not used yet */
  bool at_end;
  const char *line; /* the current one, without its end */
  int64_t n_line, at, line_number;
  int column;
  const char *field; /* the last one taken */
  int64_t n_field;
  void *c_locale; /* for numbers the fast way cannot do; NULL until the first */
  trm_scan_progress *progress;
} trm_scan;

/** Checks that a file is there, is none of the wrong kinds and not empty; adds its size. */
trm_status trm_scan_check(const char *path, trm_scan_progress *progress);

/** path, form and progress (may be NULL) are kept. Any outcome: trm_scan_close. */
trm_status trm_scan_open(trm_scan *scan, const char *path, const char *form,
                         trm_scan_progress *progress);
/** Releases everything; returns `status`. */
trm_status trm_scan_close(trm_scan *scan, trm_status status);

/** The next line that is no comment; empty ones are passed over unless `empty` asks for them. */
trm_status trm_scan_line(trm_scan *scan, bool empty, bool *more);
/** Whether the line has another field; takes nothing. */
bool trm_scan_more(const trm_scan *scan);

/** A whole number in [0, limit); `what` it is ("source node"), `why` the limit is so. */
trm_status trm_scan_id(trm_scan *scan, const char *what, int64_t limit, const char *why,
                       int64_t *id);
/** A finite number that a float can hold. */
trm_status trm_scan_real(trm_scan *scan, const char *what, float *value);
/** Whether a text by itself is a number, with blanks around it or none; infinite when a double does not
 *  hold it. Of `scan`, zero but for fd = -1, only what numbers need is used: no file is open. Fails
 *  without a message; trm_scan_close in the end. */
bool trm_scan_number(trm_scan *scan, const char *text, int64_t bytes, double *value);
/** A word: scan->field, scan->n_field. */
trm_status trm_scan_word(trm_scan *scan, const char *what);
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
