#include "scan_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { PIECE_BYTES = 1 << 20, SHOWN_BYTES = 80, NUMBER_BYTES = 400 };
#define MAX_LINE_BYTES (INT64_C(1) << 32)

/* ---- growing ---------------------------------------------------------------------------------- */

trm_status trm_grow(void **data, int64_t n, int64_t *capacity, size_t size, const char *what) {
  if (n < *capacity) return TRM_OK;
  int64_t wanted = *capacity > 0 ? 2 * *capacity : 1024;
  if (wanted <= n) wanted = n + 1;
  void *grown = NULL;
  TRM_TRY(trm_alloc_bytes(&grown, wanted, size, what));
  if (*capacity > 0) memcpy(grown, *data, (size_t)*capacity * size);
  trm_free_bytes(*data);
  *data = grown;
  *capacity = wanted;
  return TRM_OK;
}

/* ---- files ------------------------------------------------------------------------------------ */

trm_status trm_scan_check(const char *path, trm_scan_progress *progress) {
  struct stat of;
  if (stat(path, &of) != 0) {
    return trm_fail(trm_status_of_errno(errno), "%s: %s", path, strerror(errno));
  }
  if (S_ISDIR(of.st_mode)) {
    return trm_fail(TRM_ERR_IO, "%s: is a folder, a text file is needed", path);
  }
  if (access(path, R_OK) != 0) {
    return trm_fail(TRM_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
  }
  if (S_ISREG(of.st_mode) && of.st_size == 0) {
    return trm_fail(TRM_ERR_DATA, "%s: is empty; leave it out, or make it again", path);
  }
  progress->total += of.st_size;
  return TRM_OK;
}

trm_status trm_scan_open(trm_scan *scan, const char *path, const char *form,
                         trm_scan_progress *progress) {
  *scan = (trm_scan){.path = path, .form = form, .fd = -1, .progress = progress};
  scan->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (scan->fd < 0)
    return trm_fail(trm_status_of_errno(errno), "%s: cannot be opened: %s", path, strerror(errno));
  scan->capacity = PIECE_BYTES;
  return TRM_ALLOC(&scan->buffer, scan->capacity, "piece of a text");
}

trm_status trm_scan_close(trm_scan *scan, trm_status status) {
  if (scan->fd >= 0) (void)close(scan->fd); /* it was only read */
  scan->fd = -1;
  TRM_FREE(scan->buffer);
  if (scan->c_locale) freelocale((locale_t)scan->c_locale);
  scan->c_locale = NULL;
  return status;
}

/* More bytes behind `end`; room is made first, by moving and, when a line fills all, growing. */
static trm_status refill(trm_scan *s) {
  if (s->begin > 0) {
    memmove(s->buffer, s->buffer + s->begin, (size_t)(s->end - s->begin));
    s->end -= s->begin;
    s->begin = 0;
  }
  if (s->end == s->capacity) {
    if (s->capacity >= MAX_LINE_BYTES) {
      return trm_fail(TRM_ERR_DATA, "%s:%lld: a line of more than 4 GiB; is it a text file?",
                      s->path, (long long)s->line_number + 1);
    }
    TRM_TRY(trm_grow((void **)&s->buffer, s->capacity, &s->capacity, 1, "line of a text"));
  }
  for (;;) {
    const ssize_t got = read(s->fd, s->buffer + s->end, (size_t)(s->capacity - s->end));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return trm_fail(TRM_ERR_IO, "%s: cannot be read: %s", s->path, strerror(errno));
    s->at_end = got == 0;
    s->end += got;
    if (s->line_number == 0 && s->end >= 3 && memcmp(s->buffer, "\xEF\xBB\xBF", 3) == 0) {
      s->begin = 3; /* a byte order mark */
    }
    trm_scan_progress *p = s->progress;
    if (!p || got == 0) return TRM_OK;
    p->done += got;
    if (p->show)
      p->show(p->context, p->done < p->total ? (double)p->done / (double)p->total : 1, s->path);
    return TRM_OK;
  }
}

/* ---- lines and fields ------------------------------------------------------------------------- */

static bool is_blank(char c) {
  return c == '\t' || c == ' ' || c == '\r';
}

/* The next line of any sort; false at the end of the file. */
static trm_status next_line(trm_scan *s, bool *more) {
  int64_t searched = 0;
  for (;;) {
    const char *from = s->buffer + s->begin;
    const int64_t there = s->end - s->begin;
    const char *end =
        there > searched ? memchr(from + searched, '\n', (size_t)(there - searched)) : NULL;
    if (end || s->at_end) {
      *more = end || there > 0;
      s->line = from;
      s->n_line = end ? end - from : there;
      s->begin += s->n_line + (end ? 1 : 0);
      s->line_number += *more;
      s->at = s->column = 0;
      while (s->n_line > 0 && is_blank(s->line[s->n_line - 1])) --s->n_line;
      return TRM_OK;
    }
    searched = there;
    TRM_TRY(refill(s));
  }
}

trm_status trm_scan_line(trm_scan *scan, bool empty, bool *more) {
  for (;;) {
    TRM_TRY(next_line(scan, more));
    if (!*more) return TRM_OK;
    int64_t at = 0;
    while (at < scan->n_line && is_blank(scan->line[at])) ++at;
    if (at == scan->n_line ? empty : scan->line[at] != '#') return TRM_OK;
  }
}

bool trm_scan_more(const trm_scan *scan) {
  return scan->at < scan->n_line; /* blanks at the end are cut off */
}

/* Steps over blanks to the field's begin, then over the field. */
static bool take_field(trm_scan *s) {
  ++s->column;
  while (s->at < s->n_line && is_blank(s->line[s->at])) ++s->at;
  s->field = s->line + s->at;
  while (s->at < s->n_line && !is_blank(s->line[s->at])) ++s->at;
  s->n_field = s->line + s->at - s->field;
  return s->n_field > 0;
}

trm_status trm_scan_fail(const trm_scan *scan, const char *format, ...) {
  char text[TRM_MESSAGE_BYTES / 2];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (scan->column == 0) {
    return trm_fail(TRM_ERR_DATA, "%s:%lld: %s", scan->path, (long long)scan->line_number, text);
  }
  return trm_fail(TRM_ERR_DATA, "%s:%lld: column %d: %s", scan->path, (long long)scan->line_number,
                  scan->column, text);
}

static trm_status fail_missing(const trm_scan *s, const char *what) {
  return trm_scan_fail(s, "the %s is missing; a line is %s", what, s->form);
}

static const char *shown(const trm_scan *s, char text[SHOWN_BYTES]) {
  trm_text_escape(s->field, s->n_field, text, SHOWN_BYTES);
  return text;
}

/* ---- numbers ---------------------------------------------------------------------------------- */

static trm_status bad_id(const trm_scan *s, const char *what) {
  char text[SHOWN_BYTES];
  const bool negative =
      s->n_field > 1 && s->field[0] == '-' && s->field[1] >= '0' && s->field[1] <= '9';
  if (negative) {
    return trm_scan_fail(s, "%s %s is negative; ids count from 0", what, shown(s, text));
  }
  return trm_scan_fail(s, "'%s' is no %s, which is a whole number from 0; a line is %s",
                       shown(s, text), what, s->form);
}

trm_status trm_scan_id(trm_scan *scan, const char *what, int64_t limit, const char *why,
                       int64_t *id) {
  if (!take_field(scan)) return fail_missing(scan, what);
  int64_t value = 0;
  bool over = false;
  for (int64_t i = 0; i < scan->n_field; ++i) {
    const unsigned digit = (unsigned)scan->field[i] - '0';
    if (digit > 9) return bad_id(scan, what);
    over |= value > (INT64_MAX - 9) / 10;
    if (!over) value = 10 * value + digit;
  }
  *id = value;
  if (!over && value < limit) return TRM_OK;
  char text[SHOWN_BYTES];
  return trm_scan_fail(scan, "%s %s is out of range: %s", what, shown(scan, text), why);
}

/* A decimal number as digits * 10^exponent, the digits below 2^53: false when it is not of that
 * sort, or no number at all. */
static bool read_decimal(const char *p, const char *end, int64_t *digits, int *exponent) {
  const int64_t most = (INT64_C(1) << 53) / 10 - 1;
  bool any = false, point = false;
  *digits = 0, *exponent = 0;
  for (; p < end && ((*p >= '0' && *p <= '9') || (*p == '.' && !point)); ++p) {
    if (*p == '.') {
      point = true;
      continue;
    }
    if (*digits > most) return false;
    *digits = 10 * *digits + (*p - '0');
    *exponent -= point;
    any = true;
  }
  if (!any) return false;
  if (p == end) return true;
  if ((*p != 'e' && *p != 'E') || ++p == end) return false;
  const bool minus = *p == '-';
  if (*p == '-' || *p == '+') ++p;
  int power = 0;
  if (p == end || end - p > 4) return false;
  for (; p < end; ++p) {
    if (*p < '0' || *p > '9') return false;
    power = 10 * power + (*p - '0');
  }
  *exponent += minus ? -power : power;
  return true;
}

/* strtod in the locale "C", for long digits and large exponents. */
static bool read_slowly(trm_scan *s, double *value) {
  char text[NUMBER_BYTES], *end = NULL;
  if (s->n_field >= (int64_t)sizeof text) return false;
  /* No hexadecimal numbers, no words. */
  for (int64_t i = 0; i < s->n_field; ++i) {
    if (!strchr("0123456789+-.eE", s->field[i]) || s->field[i] == 0) return false;
  }
  memcpy(text, s->field, (size_t)s->n_field);
  text[s->n_field] = 0;
  if (!s->c_locale) s->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (!s->c_locale) return false;
  *value = strtod_l(text, &end, (locale_t)s->c_locale);
  return *end == 0;
}

/* The field taken last as a number. */
static bool read_number(trm_scan *scan, double *value) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const char *p = scan->field, *end = p + scan->n_field;
  const bool minus = *p == '-';
  if (*p == '-' || *p == '+') ++p;
  int64_t digits;
  int exponent;
  if (!read_decimal(p, end, &digits, &exponent) || exponent < -22 || exponent > 22) {
    return read_slowly(scan, value);
  }
  /* Both exact, so the one rounding is that of the operation. Source: Clinger 1990, "How to read
   * floating point numbers accurately". */
  *value = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
  if (minus) *value = -*value;
  return true;
}

bool trm_scan_number(trm_scan *scan, const char *text, int64_t bytes, double *value) {
  scan->line = text;
  scan->n_line = bytes;
  scan->at = scan->column = 0;
  while (scan->n_line > 0 && is_blank(text[scan->n_line - 1])) --scan->n_line;
  return take_field(scan) && !trm_scan_more(scan) && read_number(scan, value);
}

trm_status trm_scan_real(trm_scan *scan, const char *what, float *value) {
  double x;
  char text[SHOWN_BYTES];
  if (!take_field(scan)) return fail_missing(scan, what);
  if (!read_number(scan, &x)) {
    return trm_scan_fail(scan, "%s '%s' is no finite number; correct it, or leave it out", what,
                         shown(scan, text));
  }
  *value = (float)x;
  if (isfinite(*value)) return TRM_OK;
  return trm_scan_fail(scan, "%s %s is too large for a float", what, shown(scan, text));
}

trm_status trm_scan_word(trm_scan *scan, const char *what) {
  return take_field(scan) ? TRM_OK : fail_missing(scan, what);
}

void trm_scan_rest(trm_scan *scan) {
  ++scan->column;
  while (scan->at < scan->n_line && is_blank(scan->line[scan->at])) ++scan->at;
  scan->field = scan->line + scan->at;
  scan->n_field = scan->n_line - scan->at;
  scan->at = scan->n_line;
}

trm_status trm_scan_end(trm_scan *scan) {
  if (!trm_scan_more(scan)) return TRM_OK;
  char text[SHOWN_BYTES];
  (void)take_field(scan);
  return trm_scan_fail(scan, "'%s' is one field too many; a line is %s", shown(scan, text),
                       scan->form);
}
