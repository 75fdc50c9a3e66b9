#include "records_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "trireme/core/config.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum {
  BUFFER_BYTES = 1 << 20,
  SHOWN_BYTES = 80,
  MOST_TITLES = 10,
  LIST_BYTES = 400,
  MOST_NEAR = 10000
};
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

/* Makes n bytes readable, fewer at the end of the file. */
static trm_status want(trm_records *r, int64_t n) {
  while (r->in.end - r->in.begin < n && !r->in.at_end) TRM_TRY(trm_bytes_more(&r->in));
  return TRM_OK;
}

/* The byte `ahead` of the next one, -1 past the end; `want` came before. */
static int peek(const trm_records *r, int64_t ahead) {
  const trm_bytes *b = &r->in;
  return b->begin + ahead < b->end ? (unsigned char)b->buffer[b->begin + ahead] : -1;
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
    ++r->in.begin;
    if (c == '"') {
      if (peek(r, 0) != '"') return TRM_OK;
      ++r->in.begin;
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

/* Bytes of the separator at the next byte; 0: there is none. */
static int separator_length(const trm_records *r) {
  const int c = peek(r, 0);
  if (r->form.lines) return 0;
  if (r->form.separator == TRM_COLONS) return c == ':' && peek(r, 1) == ':' ? 2 : 0;
  if (r->form.separator == TRM_BLANKS) return c == ' ' || c == '\t';
  return c == (unsigned char)r->form.separator;
}

/* A field up to the separator or the end of the line, neither of which is read. */
static trm_status read_field(trm_records *r) {
  const char separator = r->form.separator;
  const int64_t opened = r->next_line;
  TRM_TRY(want(r, 2));
  if (peek(r, 0) == '"' && separator != '\t' && !r->form.lines) {
    ++r->in.begin;
    TRM_TRY(read_quoted(r));
    TRM_TRY(want(r, 2));
    while (peek(r, 0) == ' ' && separator_length(r) == 0) { /* behind the quote */
      ++r->in.begin;
      TRM_TRY(want(r, 2));
    }
    if (!is_end(r) && separator_length(r) == 0) return text_behind_quote(r, opened);
    return end_field(r);
  }
  while (!is_end(r) && separator_length(r) == 0) {
    TRM_TRY(put(r, r->in.buffer[r->in.begin++]));
    TRM_TRY(want(r, 2));
  }
  return end_field(r);
}

/* Any number of blanks, where they part fields. */
static trm_status pass_blanks(trm_records *r) {
  if (r->form.lines || r->form.separator != TRM_BLANKS) return TRM_OK;
  while (separator_length(r) > 0) {
    ++r->in.begin;
    TRM_TRY(want(r, 2));
  }
  return TRM_OK;
}

/* The fields of one line, or of several where quotes hold them together. */
static trm_status read_fields(trm_records *r) {
  r->n_fields = r->n_text = 0;
  r->line = ++r->next_line;
  TRM_TRY(pass_blanks(r));
  for (;;) {
    TRM_TRY(read_field(r));
    TRM_TRY(pass_blanks(r));
    if (is_end(r)) break;
    r->in.begin += r->form.separator == TRM_BLANKS ? 0 : separator_length(r);
  }
  r->in.begin += line_end(r);
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

/* The first line tells how many fields the others have. */
static trm_status check_fields(trm_records *r) {
  if (!r->form.any_bytes) TRM_TRY(check_utf8(r));
  if (r->n_columns == 0) r->n_columns = r->n_fields;
  if (r->n_fields == r->n_columns) return TRM_OK;
  const bool longer = r->n_records == 1 && r->n_fields == r->n_columns + 1;
  const bool ended = longer && r->ends[r->n_fields - 1] == r->ends[r->n_fields - 2];
  return trm_records_fail(
      r, "%lld field%s, the first line has %lld (parted by %s)%s", (long long)r->n_fields,
      r->n_fields == 1 ? "" : "s", (long long)r->n_columns, trm_separator_name(r->form.separator),
      ended    ? "; the lines end with a separator: remove it, or add one to the first"
      : longer ? "; if they begin with names of rows, as R writes them, leave these out: "
                 "write.table(x, row.names = FALSE)"
               : "");
}

trm_status trm_records_next(trm_records *records, bool *more) {
  trm_records *r = records;
  for (;;) {
    TRM_TRY(want(r, 2));
    *more = peek(r, 0) >= 0;
    if (!*more) return TRM_OK;
    const int empty = line_end(r);
    if (r->form.lines || empty == 0) break;
    r->in.begin += empty;
    ++r->next_line;
  }
  TRM_TRY(read_fields(r));
  TRM_TRY(check_fields(r));
  ++r->n_records;
  return TRM_OK;
}

const char *trm_records_field(const trm_records *records, int64_t i, int64_t *bytes) {
  TRM_ASSERT(i >= 0 && i < records->n_fields);
  const int64_t begin = i > 0 ? records->ends[i - 1] : 0;
  *bytes = records->ends[i] - begin;
  return records->text + begin;
}

/* ---- opening ---------------------------------------------------------------------------------- */

/* Bytes of the line at a place, with its end. */
static int64_t line_bytes(const trm_bytes *b, int64_t at) {
  const char *end = at < b->end ? memchr(b->buffer + at, '\n', (size_t)(b->end - at)) : NULL;
  return end ? end - (b->buffer + at) + 1 : b->end - at;
}

static int64_t count_fields(const trm_records *r, int64_t at) {
  const char *text = r->in.buffer + at;
  int64_t n = line_bytes(&r->in, at), fields = 0;
  while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r')) --n;
  const bool blanks = r->form.separator == TRM_BLANKS, tabs = r->form.separator == '\t';
  for (int64_t i = 0;; ++fields) {
    while (blanks && i < n && (text[i] == ' ' || text[i] == '\t')) ++i;
    if (blanks && i == n) return fields;
    i += trm_field_length(text + i, n - i, r->form.separator, !tabs);
    if (i >= n) return fields + 1;
    i += r->form.separator == TRM_COLONS ? 2 : 1;
  }
}

static void read_sep(trm_records *r) {
  const char told = trm_separator_told(&r->in);
  if (r->form.separator == 0) r->form.separator = told;
  r->next_line += told != 0;
}

/* Comments before the table, of which the last may be its header: then it has as many fields. */
static void pass_comments(trm_records *r) {
  trm_bytes *b = &r->in;
  int64_t at = b->begin, last = -1, n = 0;
  while (at < b->end && (b->buffer[at] == '#' || b->buffer[at] == '%')) {
    last = at;
    at += line_bytes(b, at);
    ++n;
  }
  if (n == 0 || at >= b->end) return;
  const int64_t begin = b->begin;
  b->begin = at;
  if (r->form.separator == 0) {
    r->form.separator =
        trm_separator_guess(b, r->form.values ? TRM_FIELDS_VALUES : TRM_FIELDS_TEXTS);
  }
  const int64_t fields = count_fields(r, at);
  if (count_fields(r, last) == fields) at = last, --n;
  if (fields < 2) at = begin, n = 0; /* lines of text, which may begin so */
  b->begin = at;
  r->next_line += n;
  r->n_comments = n;
}

trm_status trm_records_open(trm_records *records, const char *path, const trm_records_form *form,
                            trm_scan_progress *progress) {
  trm_records *r = records;
  *r = (trm_records){.path = path, .form = *form};
  TRM_TRY(trm_bytes_open(&r->in, path, form->any_bytes, progress));
  TRM_TRY(TRM_GROW(&r->text, 0, &r->text_capacity, "record of a text"));
  TRM_TRY(want(r, BUFFER_BYTES));
  if (r->form.lines) return TRM_OK;
  TRM_TRY(trm_document_check(&r->in));
  read_sep(r);
  pass_comments(r);
  if (r->form.separator == 0) {
    r->form.separator =
        trm_separator_guess(&r->in, form->values ? TRM_FIELDS_VALUES : TRM_FIELDS_TEXTS);
  }
  return TRM_OK;
}

void trm_records_tell(const trm_records *records, trm_notes *notes, bool header) {
  const trm_records *r = records;
  char comments[64] = "";
  if (r->n_comments > 0) {
    (void)snprintf(comments, sizeof comments, ", %lld comment line%s before it",
                   (long long)r->n_comments, r->n_comments == 1 ? "" : "s");
  }
  trm_note(notes, "%s: read as: %lld column%s parted by %s, %s%s%s%s%s", r->path,
           (long long)r->n_columns, r->n_columns == 1 ? "" : "s",
           trm_separator_name(r->form.separator), header ? "with a header" : "no header",
           r->in.packed ? ", gzip" : "", r->in.marked ? ", a byte order mark" : "",
           r->in.cr_alone ? ", lines that end with CR" : "", comments);
}

trm_status trm_records_close(trm_records *records, trm_status status) {
  TRM_FREE(records->text);
  TRM_FREE(records->ends);
  return trm_bytes_close(&records->in, status);
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
  if (near && near[0]) (void)snprintf(text, SHOWN_BYTES + 32, "; did you mean '%s'?", near);
out:
  TRM_FREE(names);
  TRM_FREE(list);
  return status;
}

/* The first of the lines behind the current record that has a name in it; 0: none that is at hand. */
static int64_t line_with(const trm_records *r, const char *name) {
  const trm_bytes *b = &r->in;
  int64_t line = r->next_line + 1;
  for (int64_t at = b->begin; at < b->end && line < r->next_line + MOST_TITLES; ++line) {
    const int64_t n = line_bytes(b, at);
    if (memmem(b->buffer + at, (size_t)n, name, strlen(name))) return line;
    at += n;
  }
  return 0;
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
  if (records->n_columns == 1 && !records->form.lines) {
    (void)snprintf(near, sizeof near, "; fields are parted by tabs, commas, semicolons, | or ::");
  }
  const int64_t later = header ? line_with(records, name) : 0;
  if (later > 0) {
    (void)snprintf(near, sizeof near, "; line %lld has it: leave out those above (tail -n +%lld)",
                   (long long)later, (long long)later);
  }
  if (header && !near[0]) TRM_TRY(name_nearest(records, name, near));
  if (!near[0] && !trm_column_is_number(name)) {
    (void)snprintf(near, sizeof near, "; columns can also be given as numbers from 1");
  }
  return trm_fail(TRM_ERR_USAGE,
                  "%s: has no column '%s' (%s); the %lld of its first line, parted by %s: %s%s",
                  records->path, name, option, (long long)records->n_columns,
                  trm_separator_name(records->form.separator), list_columns(records, list), near);
}
