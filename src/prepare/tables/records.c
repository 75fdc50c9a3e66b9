#include "records_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trireme/core/config.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { BUFFER_BYTES = 1 << 20, SHOWN_BYTES = 80, LIST_BYTES = 400, MOST_NEAR = 10000 };
#define MAX_RECORD_BYTES (INT64_C(1) << 30)

trm_status trm_records_fail(const trm_records *records, const char *format, ...) {
  char text[TRM_MESSAGE_BYTES / 2];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return trm_fail(TRM_ERR_DATA, "%s:%lld: %s", records->path, (long long)records->line, text);
}

/* ---- bytes ------------------------------------------------------------------------------------ */

static trm_status refill(trm_records *r) {
  const int64_t kept = r->end - r->at;
  memmove(r->buffer, r->buffer + r->at, (size_t)kept);
  r->at = 0;
  r->end = kept;
  for (;;) {
    const ssize_t got = read(r->fd, r->buffer + kept, (size_t)(BUFFER_BYTES - kept));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return trm_fail(TRM_ERR_IO, "%s: cannot be read: %s", r->path, strerror(errno));
    r->at_end = got == 0;
    r->end += got;
    trm_scan_progress *p = r->progress;
    if (!p || got == 0) return TRM_OK;
    p->done += got;
    if (p->show) {
      p->show(p->context, p->done < p->total ? (double)p->done / (double)p->total : 1, r->path);
    }
    return TRM_OK;
  }
}

/* Makes n bytes readable, fewer at the end of the file. */
static trm_status want(trm_records *r, int64_t n) {
  while (r->end - r->at < n && !r->at_end) TRM_TRY(refill(r));
  return TRM_OK;
}

/* The byte `ahead` of the next one, -1 past the end; `want` came before. */
static int peek(const trm_records *r, int64_t ahead) {
  return r->at + ahead < r->end ? (unsigned char)r->buffer[r->at + ahead] : -1;
}

/* ---- fields ----------------------------------------------------------------------------------- */

static trm_status put(trm_records *r, char c) {
  if (r->n_text >= MAX_RECORD_BYTES) {
    return trm_records_fail(r,
                            "a record of more than 1 GiB; is it a text file, with all its quotes?");
  }
  TRM_TRY(TRM_GROW(&r->text, r->n_text, &r->text_capacity, "record of a text"));
  r->text[r->n_text++] = c;
  return TRM_OK;
}

static trm_status end_field(trm_records *r) {
  TRM_TRY(TRM_GROW(&r->ends, r->n_fields, &r->ends_capacity, "fields of a record"));
  r->ends[r->n_fields++] = r->n_text;
  return TRM_OK;
}

/* Bytes of the end of a line at the next byte; 0: none. The end of the file is one of none. */
static int line_end(const trm_records *r) {
  if (peek(r, 0) == '\n') return 1;
  return peek(r, 0) == '\r' && peek(r, 1) == '\n' ? 2 : 0;
}

static bool is_end(const trm_records *r) {
  return peek(r, 0) < 0 || line_end(r) > 0;
}

/* What stands between quotes; the opening one is read. Two quotes are one that belongs to the text. */
static trm_status read_quoted(trm_records *r) {
  const int64_t opened = r->next_line;
  for (;;) {
    TRM_TRY(want(r, 2));
    const int c = peek(r, 0);
    if (c < 0) {
      return trm_fail(
          TRM_ERR_DATA,
          "%s:%lld: a quote is opened and never closed; close it, or double it (\"\") where "
          "it belongs to the text",
          r->path, (long long)opened);
    }
    ++r->at;
    if (c == '"') {
      if (peek(r, 0) != '"') return TRM_OK;
      ++r->at;
    }
    r->next_line += c == '\n';
    TRM_TRY(put(r, (char)c));
  }
}

/* A quote that was forgotten closes where a later one opens: the line where it began is the one to mend. */
static trm_status text_behind_quote(const trm_records *r, int64_t opened) {
  char where[64] = "";
  if (opened != r->next_line) {
    (void)snprintf(where, sizeof where, ", which closes in line %lld", (long long)r->next_line);
  }
  return trm_fail(
      TRM_ERR_DATA,
      "%s:%lld: text behind a closing quote%s; double quotes (\"\") that belong to the text%s",
      r->path, (long long)opened, where,
      opened == r->next_line ? "" : ", and close the one of this line");
}

/* A field up to the separator or the end of the line, neither of which is read. */
static trm_status read_field(trm_records *r) {
  const char separator = r->form.separator;
  const int64_t opened = r->next_line;
  TRM_TRY(want(r, 2));
  if (peek(r, 0) == '"' && separator != '\t' && !r->form.lines) {
    ++r->at;
    TRM_TRY(read_quoted(r));
    TRM_TRY(want(r, 2));
    if (!is_end(r) && peek(r, 0) != (unsigned char)separator) {
      return text_behind_quote(r, opened);
    }
    return end_field(r);
  }
  while (!is_end(r) && (r->form.lines || peek(r, 0) != (unsigned char)separator)) {
    TRM_TRY(put(r, r->buffer[r->at++]));
    TRM_TRY(want(r, 2));
  }
  return end_field(r);
}

/* The fields of one line, or of several where quotes hold them together. */
static trm_status read_fields(trm_records *r) {
  r->n_fields = r->n_text = 0;
  r->line = ++r->next_line;
  for (;;) {
    TRM_TRY(read_field(r));
    if (is_end(r)) break;
    ++r->at; /* the separator */
  }
  r->at += line_end(r);
  return TRM_OK;
}

static trm_status check_utf8(const trm_records *r) {
  for (int64_t at = 0; at < r->n_text;) {
    uint32_t cp;
    const int length = trm_utf8_decode(r->text + at, r->n_text - at, &cp);
    if (length <= 0) {
      return trm_records_fail(
          r,
          "invalid UTF-8 at byte %lld of the fields (0x%02X); convert the file to "
          "UTF-8 (iconv)%s",
          (long long)at + 1, (unsigned char)r->text[at],
          r->form.no_units ? "" : ", or take unit byte, which takes any bytes");
    }
    at += length;
  }
  return TRM_OK;
}

static const char *separator_name(char separator) {
  return separator == '\t' ? "tabs" : separator == ';' ? "semicolons" : "commas";
}

/* The first line tells how many fields the others have. */
static trm_status check_fields(trm_records *r) {
  if (!r->form.any_bytes) TRM_TRY(check_utf8(r));
  if (r->n_columns == 0) r->n_columns = r->n_fields;
  if (r->n_fields == r->n_columns) return TRM_OK;
  return trm_records_fail(r, "%lld field%s, the first line has %lld (parted by %s)",
                          (long long)r->n_fields, r->n_fields == 1 ? "" : "s",
                          (long long)r->n_columns, separator_name(r->form.separator));
}

trm_status trm_records_next(trm_records *records, bool *more) {
  trm_records *r = records;
  for (;;) {
    TRM_TRY(want(r, 2));
    *more = peek(r, 0) >= 0;
    if (!*more) return TRM_OK;
    const int empty = line_end(r);
    if (r->form.lines || empty == 0) break;
    r->at += empty;
    ++r->next_line;
  }
  TRM_TRY(read_fields(r));
  return check_fields(r);
}

const char *trm_records_field(const trm_records *records, int64_t i, int64_t *bytes) {
  TRM_ASSERT(i >= 0 && i < records->n_fields);
  const int64_t begin = i > 0 ? records->ends[i - 1] : 0;
  *bytes = records->ends[i] - begin;
  return records->text + begin;
}

/* ---- opening ---------------------------------------------------------------------------------- */

/* Of tab, comma and semicolon, outside quotes: tabs before all, else the more frequent one. */
static char guess_separator(const trm_records *r) {
  int64_t tabs = 0, commas = 0, semicolons = 0;
  bool quoted = false;
  for (int64_t i = r->at; i < r->end && (quoted || r->buffer[i] != '\n'); ++i) {
    const char c = r->buffer[i];
    tabs += c == '\t';
    if (c == '"') quoted = !quoted;
    commas += c == ',' && !quoted;
    semicolons += c == ';' && !quoted;
  }
  return tabs > 0 ? '\t' : semicolons > commas ? ';' : ',';
}

trm_status trm_records_open(trm_records *records, const char *path, const trm_records_form *form,
                            trm_scan_progress *progress) {
  trm_records *r = records;
  *r = (trm_records){.path = path, .form = *form, .progress = progress, .fd = -1};
  r->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (r->fd < 0)
    return trm_fail(trm_status_of_errno(errno), "%s: cannot be opened: %s", path, strerror(errno));
  TRM_TRY(TRM_ALLOC(&r->buffer, BUFFER_BYTES, "piece of a text"));
  TRM_TRY(TRM_GROW(&r->text, 0, &r->text_capacity, "record of a text"));
  TRM_TRY(want(r, BUFFER_BYTES));
  if (r->end >= 3 && memcmp(r->buffer, "\xEF\xBB\xBF", 3) == 0) r->at = 3;
  if (r->form.separator == 0) r->form.separator = guess_separator(r);
  return TRM_OK;
}

trm_status trm_records_close(trm_records *records, trm_status status) {
  if (records->fd >= 0) (void)close(records->fd); /* it was only read */
  records->fd = -1;
  TRM_FREE(records->buffer);
  TRM_FREE(records->text);
  TRM_FREE(records->ends);
  return status;
}

/* ---- columns ---------------------------------------------------------------------------------- */

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool trm_column_is_number(const char *name) {
  return name[0] != 0 && strspn(name, "0123456789") == strlen(name);
}

/* 0 where it is none, INT64_MAX where it is too large for any table. */
static int64_t column_number(const char *name) {
  errno = 0;
  const int64_t number = trm_column_is_number(name) ? strtoll(name, NULL, 10) : 0;
  return errno == ERANGE ? INT64_MAX : number;
}

static const char *list_columns(const trm_records *r, char list[LIST_BYTES]) {
  size_t used = 0;
  list[0] = 0;
  for (int64_t i = 0; i < r->n_fields && used + SHOWN_BYTES + 8 < LIST_BYTES; ++i) {
    char shown[SHOWN_BYTES];
    int64_t bytes;
    const char *text = trm_records_field(r, i, &bytes);
    trm_text_escape(text, bytes, shown, sizeof shown);
    used += (size_t)snprintf(list + used, LIST_BYTES - used, "%s'%s'", i ? ", " : "", shown);
  }
  return list;
}

const char *trm_records_trimmed(const trm_records *records, int64_t i, int64_t *bytes) {
  const char *text = trm_records_field(records, i, bytes);
  while (*bytes > 0 && is_blank(text[0])) ++text, --*bytes;
  while (*bytes > 0 && is_blank(text[*bytes - 1])) --*bytes;
  return text;
}

/* "; did you mean 'price'?", or nothing. */
static trm_status name_nearest(const trm_records *r, const char *name,
                               char text[SHOWN_BYTES + 32]) {
  char(*names)[SHOWN_BYTES] = NULL;
  const char **list = NULL;
  const int n = (int)(r->n_fields < MOST_NEAR ? r->n_fields : MOST_NEAR);
  trm_status status = TRM_OK;
  text[0] = 0;
  TRM_TRY_OUT(TRM_ALLOC(&names, n, "names of columns"));
  TRM_TRY_OUT(TRM_ALLOC(&list, n, "names of columns"));
  for (int i = 0; i < n; ++i) {
    int64_t bytes;
    const char *field = trm_records_trimmed(r, i, &bytes);
    trm_text_escape(field, bytes, names[i], SHOWN_BYTES);
    list[i] = names[i];
  }
  const char *near = trm_nearest(name, list, n);
  if (near) (void)snprintf(text, SHOWN_BYTES + 32, "; did you mean '%s'?", near);
out:
  TRM_FREE(names);
  TRM_FREE(list);
  return status;
}

trm_status trm_records_column(const trm_records *records, bool header, const char *name,
                              const char *option, int *column) {
  char list[LIST_BYTES], near[SHOWN_BYTES + 32] = "";
  int found = 0;
  for (int64_t i = 0; header && i < records->n_fields; ++i) {
    int64_t bytes;
    const char *text = trm_records_trimmed(records, i, &bytes);
    if (bytes != (int64_t)strlen(name) || memcmp(text, name, (size_t)bytes) != 0) continue;
    *column = (int)i;
    ++found;
  }
  if (found == 1) return TRM_OK;
  if (found > 1) {
    return trm_fail(TRM_ERR_USAGE, "%s: %d columns are called '%s'; give %s as a number from 1",
                    records->path, found, name, option);
  }
  const int64_t number = column_number(name);
  if (number >= 1 && number <= records->n_columns) {
    *column = (int)number - 1;
    return TRM_OK;
  }
  if (header) TRM_TRY(name_nearest(records, name, near));
  if (!near[0] && !trm_column_is_number(name)) {
    (void)snprintf(near, sizeof near, "; columns can also be given as numbers from 1");
  }
  return trm_fail(TRM_ERR_USAGE,
                  "%s: has no column '%s' (%s); the %lld of its first line, parted by %s: %s%s",
                  records->path, name, option, (long long)records->n_columns,
                  separator_name(records->form.separator), list_columns(records, list), near);
}
