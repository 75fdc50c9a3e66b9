#include "scan_internal.h"

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

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
  if (stat(path, &of) != 0)
    return trm_fail(trm_status_of_errno(errno), "%s: %s", path, strerror(errno));
  if (S_ISDIR(of.st_mode)) {
    return trm_fail(TRM_ERR_IO, "%s: is a folder, a text file is needed", path);
  }
  if (access(path, R_OK) != 0) {
    return trm_fail(trm_status_of_errno(errno), "%s: cannot be read: %s", path, strerror(errno));
  }
  if (S_ISREG(of.st_mode) && of.st_size == 0) {
    return trm_fail(TRM_ERR_DATA, "%s: is empty; leave it out, or make it again", path);
  }
  progress->total += of.st_size;
  return TRM_OK;
}

trm_status trm_scan_open(trm_scan *scan, const char *path, const char *form,
                         trm_scan_progress *progress) {
  const trm_table_plan plan = {.form = form, .quiet = true};
  return trm_scan_open_table(scan, path, &plan, progress);
}

trm_status trm_scan_close(trm_scan *scan, trm_status status) {
  if (scan->c_locale) freelocale((locale_t)scan->c_locale);
  scan->c_locale = NULL;
  return trm_bytes_close(&scan->in, status);
}

/* ---- lines ------------------------------------------------------------------------------------ */

static bool is_blank(char c) {
  return c == '\t' || c == ' ' || c == '\r';
}

static bool blanks_part(const trm_scan *s) {
  return s->separator == TRM_BLANKS || s->separator == 0;
}

/* Blanks at the end of a line say nothing, save for a tab that parts fields. */
static void begin_line(trm_scan *s, const char *line, int64_t n) {
  s->line = line;
  s->n_line = s->n_whole = n;
  s->at = s->column = s->n_picked = 0;
  s->line_done = false;
  while (s->n_line > 0 && is_blank(line[s->n_line - 1]) &&
         (line[s->n_line - 1] != '\t' || blanks_part(s))) {
    --s->n_line;
  }
}

/* The next line of any sort; false at the end of the file. */
static trm_status next_line(trm_scan *s, bool *more) {
  trm_bytes *b = &s->in;
  int64_t searched = 0;
  for (;;) {
    const char *from = b->buffer + b->begin;
    const int64_t there = b->end - b->begin;
    const char *end =
        there > searched ? memchr(from + searched, '\n', (size_t)(there - searched)) : NULL;
    if (end || b->at_end) {
      const int64_t n = end ? end - from : there;
      *more = end || there > 0;
      b->begin += n + (end ? 1 : 0);
      s->line_number += *more;
      begin_line(s, from, n);
      return TRM_OK;
    }
    searched = there;
    TRM_TRY(trm_bytes_more(b));
  }
}

trm_status trm_scan_line(trm_scan *scan, bool empty, bool *more) {
  for (;;) {
    TRM_TRY(next_line(scan, more));
    if (!*more) return TRM_OK;
    int64_t at = 0;
    while (at < scan->n_line && is_blank(scan->line[at])) ++at;
    if (at == scan->n_line ? empty : scan->line[at] != '#' && scan->line[at] != '%') return TRM_OK;
  }
}

/* ---- fields ----------------------------------------------------------------------------------- */

/* Takes quotes off, and makes two of them one. */
static void unquote(trm_scan *s) {
  if (s->n_field < 2 || s->field[0] != '"' || s->field[s->n_field - 1] != '"') return;
  ++s->field;
  s->n_field -= 2;
  if (!memchr(s->field, '"', (size_t)s->n_field) || s->n_field > TRM_QUOTED_BYTES) return;
  int64_t n = 0;
  for (int64_t i = 0; i < s->n_field; ++i) {
    s->quoted[n++] = s->field[i];
    i += s->field[i] == '"' && i + 1 < s->n_field && s->field[i + 1] == '"';
  }
  s->field = s->quoted;
  s->n_field = n;
}

/* Steps over blanks to the field's begin, then over the field. */
static bool take_blank(trm_scan *s) {
  while (s->at < s->n_line && is_blank(s->line[s->at])) ++s->at;
  s->field = s->line + s->at;
  if (s->at < s->n_line && s->line[s->at] == '"') {
    s->n_field = trm_field_length(s->field, s->n_line - s->at, TRM_BLANKS, true);
    s->at += s->n_field;
    unquote(s);
    return s->n_field > 0;
  }
  while (s->at < s->n_line && !is_blank(s->line[s->at])) ++s->at;
  s->n_field = s->line + s->at - s->field;
  return s->n_field > 0;
}

/* Up to the separator or the end of the line. */
static bool take_parted(trm_scan *s) {
  const char *text = s->line + s->at;
  s->field = text;
  s->n_field = 0;
  if (s->line_done) return false;
  int64_t from = 0, n = 0;
  const int64_t rest = s->n_line - s->at;
  while (from < rest && text[from] == ' ') ++from;
  n = from + trm_field_length(text + from, rest - from, s->separator, true);
  s->line_done = n >= rest;
  s->at += s->line_done ? rest : n + (s->separator == TRM_COLONS ? 2 : 1);
  while (n > from && is_blank(text[n - 1])) --n;
  s->field = text + from;
  s->n_field = n - from;
  unquote(s);
  return s->n_field > 0;
}

static bool take_next(trm_scan *s) {
  ++s->column;
  return blanks_part(s) ? take_blank(s) : take_parted(s);
}

/* The line's field of a number, from its begin if that is behind. */
static bool take_column(trm_scan *s, int column) {
  if (column < s->column) {
    s->at = s->column = 0;
    s->line_done = false;
  }
  bool there = false;
  while (s->column <= column) there = take_next(s);
  return there;
}

bool trm_scan_take(trm_scan *scan) {
  if (scan->n_pick == 0) return take_next(scan);
  const int column = scan->n_picked < scan->n_pick ? scan->pick[scan->n_picked] : -1;
  ++scan->n_picked;
  scan->n_field = 0;
  return column >= 0 && take_column(scan, column);
}

void trm_scan_again(trm_scan *scan) {
  scan->at = scan->column = scan->n_picked = 0;
  scan->line_done = false;
}

bool trm_scan_more(const trm_scan *scan) {
  if (scan->n_pick == 0) return scan->at < scan->n_line; /* blanks at the end are cut off */
  trm_scan ahead = *scan;
  while (ahead.n_picked < ahead.n_pick) {
    if (trm_scan_take(&ahead)) return true;
  }
  return false;
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

trm_status trm_scan_check_seen(const trm_scan *scan, const char *what) {
  char text[TRM_SHOWN_BYTES];
  for (int64_t at = 0; at < scan->n_field;) {
    uint32_t cp = 0;
    const int length = trm_utf8_decode(scan->field + at, scan->n_field - at, &cp);
    const char *name = length > 1 ? trm_text_invisible(cp) : NULL;
    if (name) {
      return trm_scan_fail(scan, "%s '%s' has %s in it (U+%04X); remove it", what,
                           trm_scan_shown(scan, text), name, (unsigned)cp);
    }
    at += length > 0 ? length : 1;
  }
  return TRM_OK;
}

const char *trm_scan_shown(const trm_scan *scan, char text[TRM_SHOWN_BYTES]) {
  trm_text_escape(scan->field, scan->n_field, text, TRM_SHOWN_BYTES);
  return text;
}

/* ---- words ------------------------------------------------------------------------------------ */

trm_status trm_scan_word(trm_scan *scan, const char *what) {
  if (trm_scan_take(scan)) return TRM_OK;
  return trm_scan_fail(scan, "the %s is missing; a line is %s", what, scan->form);
}

/* Whether a separator at the end of the line stands for an empty field. */
static bool ends_with_tab(const trm_scan *s) {
  return blanks_part(s) && s->n_line < s->n_whole && s->line[s->n_line] == '\t';
}

trm_status trm_scan_maybe(trm_scan *scan, const char *what) {
  const bool ended = blanks_part(scan) ? !ends_with_tab(scan) : scan->line_done;
  const bool empty_place = scan->n_pick > 0 || !ended;
  if (trm_scan_take(scan) || empty_place) return TRM_OK;
  return trm_scan_fail(scan, "the %s is missing; a line is %s", what, scan->form);
}

void trm_scan_rest(trm_scan *scan) {
  ++scan->column;
  while (scan->at < scan->n_line && is_blank(scan->line[scan->at])) ++scan->at;
  scan->field = scan->line + scan->at;
  scan->n_field = scan->n_line - scan->at;
  scan->at = scan->n_line;
  scan->line_done = true;
  unquote(scan);
}

trm_status trm_scan_end(trm_scan *scan) {
  if (scan->n_pick > 0 || !trm_scan_more(scan)) return TRM_OK;
  char text[TRM_SHOWN_BYTES];
  (void)trm_scan_take(scan);
  return trm_scan_fail(scan, "'%s' is one field too many; a line is %s%s%s",
                       trm_scan_shown(scan, text), scan->form,
                       scan->columns_option ? "; which columns are meant is told by " : "",
                       scan->columns_option ? scan->columns_option : "");
}
