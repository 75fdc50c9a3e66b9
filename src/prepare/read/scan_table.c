/**
 * Opening a table of ids: preamble, separator, header, columns.
 *
 *     first bytes      gzip, byte order mark, no text at all      bytes.c, signature.c
 *     first line       Matrix Market, KONECT                      form.c
 *     first lines      what parts fields                          form.c
 *     first record     a header, whose names are the columns
 *     option           other columns
 *     first records    whether ids are words, whether the first line is a size
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan_internal.h"
#include "trireme/core/utf8.h"

enum { MOST_FIELDS = 64, WORD_BYTES = 48, SAMPLED_LINES = 100, LIST_BYTES = 300 };

/* The fields of a line, as headers and samples need them: copies, cut. */
typedef struct cells {
  int n;
  char text[MOST_FIELDS][WORD_BYTES];
} cells;

static void split(trm_scan *s, cells *c) {
  const int n_pick = s->n_pick;
  c->n = 0;
  s->n_pick = 0;
  do {
    if (!trm_scan_take(s) && s->separator == TRM_BLANKS) break;
    const int64_t n = s->n_field < WORD_BYTES ? s->n_field : WORD_BYTES - 1;
    memcpy(c->text[c->n], s->field, (size_t)n);
    c->text[c->n++][n] = 0;
  } while (c->n < MOST_FIELDS && (s->separator == TRM_BLANKS ? trm_scan_more(s) : !s->line_done));
  s->n_pick = n_pick;
}

static bool is_number(const char *text) {
  trm_scan numbers = {0};
  double x;
  const bool is = trm_scan_number(&numbers, text, (int64_t)strlen(text), &x);
  (void)trm_scan_close(&numbers, TRM_OK);
  return is;
}

/* Not what a slip makes of a number, as 1x and 0x10 are. */
static bool is_word(const char *text) {
  return text[0] != 0 && !strchr("0123456789+-.", text[0]) && !is_number(text);
}

/* ---- looking ahead ---------------------------------------------------------------------------- */

typedef trm_scan_place place;

static place place_of(const trm_scan *s) {
  return (place){s->in.begin, s->line_number};
}

static void go_back(trm_scan *s, place to) {
  s->in.begin = to.begin;
  s->line_number = to.line_number;
}

trm_scan_place trm_scan_place_of_line(const trm_scan *scan) {
  return (place){scan->line - scan->in.buffer, scan->line_number - 1};
}

void trm_scan_go_back(trm_scan *scan, trm_scan_place to) {
  go_back(scan, to);
}

/* The next line if all of it is in the buffer, which must not move. */
static bool line_ahead(trm_scan *s) {
  bool more = false;
  for (;;) {
    const int64_t there = s->in.end - s->in.begin;
    if (there == 0) return false;
    if (!s->in.at_end && !memchr(s->in.buffer + s->in.begin, '\n', (size_t)there)) return false;
    if (trm_scan_line(s, true, &more) != TRM_OK || !more) return false;
    if (s->n_line > 0 && s->line[0] != '#' && s->line[0] != '%') return true;
    if (s->n_line > 0) return true;
  }
}

/* ---- columns ---------------------------------------------------------------------------------- */

/* Small letters and figures alone: "From Node-Id" is "fromnodeid". */
static void plain_name(const char *text, char out[WORD_BYTES]) {
  int n = 0;
  for (; *text && n < WORD_BYTES - 1; ++text) {
    if (isalnum((unsigned char)*text)) out[n++] = (char)tolower((unsigned char)*text);
  }
  out[n] = 0;
}

static bool is_among(const char *word, const char *list) {
  const size_t n = strlen(word);
  for (const char *p = list; n > 0 && *p;) {
    const size_t length = strcspn(p, " ");
    if (length == n && memcmp(p, word, n) == 0) return true;
    p += length + (p[length] == ' ');
  }
  return false;
}

static int column_of_role(const cells *names, const trm_column_role *role) {
  for (int i = 0; i < names->n; ++i) {
    char name[WORD_BYTES];
    plain_name(names->text[i], name);
    if (is_among(name, role->names)) return i;
  }
  return -1;
}

/* Whether a header's names tell all columns that are needed. */
static bool pick_by_names(trm_scan *s, const trm_table_plan *plan, const cells *names) {
  int pick[TRM_MOST_ROLES];
  bool in_order = true;
  for (int r = 0; r < plan->n_roles; ++r) {
    pick[r] = column_of_role(names, &plan->roles[r]);
    if (pick[r] < 0 && !plan->roles[r].optional) return false;
    for (int other = 0; other < r; ++other) {
      if (pick[r] >= 0 && pick[other] == pick[r]) return false;
    }
    in_order = in_order && (pick[r] == r || (pick[r] < 0 && r == names->n));
  }
  if (in_order && names->n <= plan->n_roles) return true; /* as they stand */
  s->n_pick = plan->n_roles;
  memcpy(s->pick, pick, sizeof pick);
  return true;
}

static void list_names(const cells *names, char list[LIST_BYTES]) {
  size_t used = 0;
  list[0] = 0;
  for (int i = 0; i < names->n && used + 3 * WORD_BYTES < LIST_BYTES; ++i) {
    char shown[2 * WORD_BYTES];
    trm_text_escape(names->text[i], (int64_t)strlen(names->text[i]), shown, sizeof shown);
    used += (size_t)snprintf(list + used, LIST_BYTES - used, "%s%s", i ? ", " : "", shown);
  }
}

/* One place of "2,,name". */
static trm_status find_column(const trm_scan *s, const trm_table_plan *plan, const cells *names,
                              const char *text, int *column) {
  char list[LIST_BYTES];
  for (int i = 0; s->header && i < names->n; ++i) {
    *column = i;
    if (strcmp(names->text[i], text) == 0) return TRM_OK;
  }
  const bool number = text[0] && strspn(text, "0123456789") == strlen(text);
  const long long n = number ? strtoll(text, NULL, 10) : 0;
  if (n >= 1 && n <= names->n) {
    *column = (int)n - 1;
    return TRM_OK;
  }
  list_names(names, list);
  return trm_fail(TRM_ERR_USAGE, "%s: has no column '%s' (%s); its %d, parted by %s: %s", s->path,
                  text, plan->columns_option, names->n, trm_separator_name(s->separator), list);
}

static bool names_columns(const char *columns) {
  return columns && strspn(columns, "0123456789,") != strlen(columns);
}

static trm_status pick_by_option(trm_scan *s, const trm_table_plan *plan, const cells *names) {
  const char *p = plan->columns;
  int n = 0;
  for (;; ++n) {
    const size_t bytes = strcspn(p, ",");
    char text[WORD_BYTES];
    if (n == plan->n_roles || bytes >= sizeof text) {
      return trm_fail(TRM_ERR_USAGE, "%s is '%s', expected at most %d columns like 1,2,3 or names",
                      plan->columns_option, plan->columns, plan->n_roles);
    }
    memcpy(text, p, bytes);
    text[bytes] = 0;
    s->pick[n] = -1;
    if (bytes > 0) TRM_TRY(find_column(s, plan, names, text, &s->pick[n]));
    if (bytes == 0 && !plan->roles[n].optional) break;
    p += bytes;
    if (!*p++) {
      ++n;
      break;
    }
  }
  for (s->n_pick = n; s->n_pick < plan->n_roles; ++s->n_pick) s->pick[s->n_pick] = -1;
  for (int r = 0; r < plan->n_roles; ++r) {
    if (s->pick[r] >= 0 || plan->roles[r].optional) continue;
    return trm_fail(TRM_ERR_USAGE, "%s is '%s', which has no place for the %s",
                    plan->columns_option, plan->columns, plan->roles[r].what);
  }
  return TRM_OK;
}

/* ---- header ----------------------------------------------------------------------------------- */

/* A first column without a name, or with one of pandas or R for it, that counts the lines. */
static bool has_index(trm_scan *s, const cells *names) {
  static const char usual[] = "unnamed0 index rownames rowname rowid x";
  char name[WORD_BYTES];
  cells c;
  plain_name(names->text[0], name);
  if (names->n < 2 || (names->text[0][0] != 0 && !is_among(name, usual))) return false;
  const place at = place_of(s);
  long long first = -1, n = 0;
  bool counts = true;
  for (; n < 10 && line_ahead(s); ++n) {
    split(s, &c);
    const long long value = c.n > 0 && is_number(c.text[0]) ? strtoll(c.text[0], NULL, 10) : -1;
    if (n == 0) first = value;
    counts = counts && (first == 0 || first == 1) && value == first + n && c.n == names->n;
  }
  go_back(s, at);
  return n > 1 && counts;
}

/* Whether a later record has a name of the first among its ids: then the first is one of ids, too. */
static bool comes_again(trm_scan *s, const trm_table_plan *plan, const cells *first) {
  const place at = place_of(s);
  cells c;
  bool again = false;
  for (int n = 0; n < SAMPLED_LINES && !again && line_ahead(s); ++n) {
    split(s, &c);
    for (int i = 0; i < c.n && i < plan->n_ids; ++i) {
      for (int k = 0; k < first->n && k < plan->n_ids; ++k) {
        again = again || (c.text[i][0] && strcmp(c.text[i], first->text[k]) == 0);
      }
    }
  }
  go_back(s, at);
  return again;
}

/* Names by their look: the first record has words where the second has numbers, or names of columns. */
static bool looks_like_header(trm_scan *s, const trm_table_plan *plan, const cells *first) {
  bool words = true;
  for (int i = 0; i < first->n && i < plan->n_roles; ++i) {
    const bool empty = first->text[i][0] == 0 && (i == 0 || i + 1 == first->n);
    words = words && (empty || is_word(first->text[i]));
  }
  if (!words || first->n == 0) return false;
  if (pick_by_names(s, plan, first)) {
    s->n_pick = 0;
    return !comes_again(s, plan, first);
  }
  const place at = place_of(s);
  cells second;
  bool numbers = line_ahead(s);
  if (numbers) split(s, &second);
  for (int i = 0; numbers && i < second.n && i < plan->n_roles; ++i) {
    numbers = is_number(second.text[i]);
  }
  go_back(s, at);
  return numbers;
}

static trm_status read_header(trm_scan *s, const trm_table_plan *plan, cells *names, bool *index) {
  const trm_reading *r = plan->reading;
  const char *asked = r && plan->asks_header ? r->header : NULL;
  const place at = place_of(s);
  bool more = false;
  *index = false;
  names->n = 0;
  if (s->head.preamble == TRM_PREAMBLE_MATRIX_MARKET) return TRM_OK;
  TRM_TRY(trm_scan_line(s, false, &more)); /* may move the buffer: lines before it are behind */
  if (!more) {
    go_back(s, at);
    s->in.begin = s->in.end;
    return TRM_OK;
  }
  const place behind = place_of(s);
  const int64_t begin = s->line - s->in.buffer;
  split(s, names);
  s->n_fields = names->n;
  s->header = asked ? strcmp(asked, "yes") == 0
                    : names_columns(plan->columns) || looks_like_header(s, plan, names);
  if (s->header) {
    *index = !plan->columns && !pick_by_names(s, plan, names) && has_index(s, names);
    go_back(s, behind);
    return TRM_OK;
  }
  go_back(s, (place){begin, behind.line_number - 1});
  return TRM_OK;
}

/* Whether lines have one field more than the header, as R writes names of rows. */
static bool has_row_names(trm_scan *s, const cells *names) {
  const place at = place_of(s);
  cells c;
  int n = 0;
  bool longer = s->header && names->n > 1 && names->n < MOST_FIELDS;
  for (int i = 0; i < names->n; ++i) longer = longer && is_word(names->text[i]);
  for (; longer && n < 10 && line_ahead(s); ++n) {
    split(s, &c);
    longer = c.n == names->n + 1 && c.text[c.n - 1][0] != 0;
  }
  go_back(s, at);
  return longer && n > 0;
}

/* Columns by the header's names, or as they stand, all one place behind. */
static void pick_behind_row_names(trm_scan *s, const trm_table_plan *plan, const cells *names) {
  for (int r = 0; r < plan->n_roles; ++r) {
    const int column = s->n_pick > 0 ? s->pick[r] : r;
    s->pick[r] = column >= 0 && column < names->n ? column + 1 : -1;
  }
  s->n_pick = plan->n_roles;
}

/* Columns in their order, but the first, which counts lines. */
static void pick_behind_index(trm_scan *s, const trm_table_plan *plan, const cells *names) {
  s->n_pick = plan->n_roles;
  for (int r = 0; r < plan->n_roles; ++r) s->pick[r] = r + 1 < names->n ? r + 1 : -1;
}

/* ---- preambles -------------------------------------------------------------------------------- */

static trm_status read_size(trm_scan *s) {
  static const char *const what[3] = {"number of rows", "number of columns", "number of entries"};
  const char *form = s->form;
  bool more = false;
  s->form = "rows columns entries (the size line of Matrix Market)";
  TRM_TRY(trm_scan_line(s, false, &more));
  if (!more) return trm_fail(TRM_ERR_DATA, "%s: has no size line, and no entries", s->path);
  for (int i = 0; i < 3; ++i)
    TRM_TRY(trm_scan_count(s, what[i], INT64_MAX, "too high", &s->size[i]));
  TRM_TRY(trm_scan_end(s));
  s->form = form;
  return TRM_OK;
}

/* Of KONECT's columns, source, target, weight and time, those that a plan needs. */
static void pick_of_konect(trm_scan *s, const trm_table_plan *plan, int64_t n_fields) {
  const bool unweighted = strstr(s->head.words, "unweighted") != NULL;
  s->n_pick = plan->n_roles;
  for (int r = 0; r < plan->n_roles; ++r) {
    s->pick[r] = r < n_fields && (r != 2 || !unweighted) ? r : -1;
  }
}

static trm_status read_preamble(trm_scan *s, const trm_table_plan *plan) {
  for (int i = 0; i < 3; ++i) s->size[i] = -1;
  if (!plan->roles) return TRM_OK;
  TRM_TRY(trm_table_head_read(&s->in, &s->head));
  if (s->head.preamble == TRM_PREAMBLE_NONE) return TRM_OK;
  s->base = 1;
  s->base_given = true;
  if (s->head.preamble == TRM_PREAMBLE_KONECT) return TRM_OK;
  s->separator = TRM_BLANKS;
  return read_size(s);
}

/* ---- what the first lines are like ------------------------------------------------------------ */

/* A first line unlike all others is a size, or a title; which of the two is not for us to say. */
static trm_status check_first(const trm_scan *s, const trm_table_plan *plan, const cells *first,
                              int64_t others, int64_t line) {
  char list[LIST_BYTES];
  if (others <= 0 || first->n == others || !plan->asks_header || plan->reading->header)
    return TRM_OK;
  list_names(first, list);
  return trm_fail(TRM_ERR_DATA,
                  "%s:%lld: %d field%s (%s), the lines after it have %lld; if it is a size or a "
                  "title, --header yes passes over it, --header no takes it as a line like others",
                  s->path, (long long)line, first->n, first->n == 1 ? "" : "s", list,
                  (long long)others);
}

/* Whether an id is none that is a number. */
static bool has_word(const trm_scan *s, const trm_table_plan *plan, const cells *c) {
  for (int r = 0; r < plan->n_ids; ++r) {
    const int column = s->n_pick > 0 ? s->pick[r] : r;
    if (column >= 0 && column < c->n && is_word(c->text[column])) return true;
  }
  return false;
}

/* Whether an id begins with a zero that a number would lose. */
static bool has_zero(const trm_scan *s, const trm_table_plan *plan, const cells *c) {
  for (int r = 0; r < plan->n_ids; ++r) {
    const int column = s->n_pick > 0 ? s->pick[r] : r;
    const char *text = column >= 0 && column < c->n ? c->text[column] : "";
    if (text[0] == '0' && isdigit((unsigned char)text[1])) return true;
  }
  return false;
}

static trm_status look_ahead(trm_scan *s, const trm_table_plan *plan, const cells *names) {
  const place at = place_of(s);
  char list[LIST_BYTES];
  cells first, c;
  int64_t n = 0, n_words = 0, others = 0, line = 0;
  s->zeros = false;
  s->fewest = INT64_MAX, s->most = 0;
  for (; n < SAMPLED_LINES && line_ahead(s); ++n) {
    split(s, &c);
    if (n == 0) first = c, line = s->line_number;
    if (n == 1) others = c.n;
    if (n > 0 && c.n != others) others = -1;
    n_words += has_word(s, plan, &c);
    s->zeros = s->zeros || has_zero(s, plan, &c);
    s->fewest = c.n < s->fewest ? c.n : s->fewest;
    s->most = c.n > s->most ? c.n : s->most;
  }
  go_back(s, at);
  s->words = 2 * n_words > n;
  if (n > 0) s->n_fields = first.n;
  if (n < 4 || plan->n_roles < 2 || s->n_pick > 0) return TRM_OK;
  TRM_TRY(check_first(s, plan, &first, others, line));
  if (others <= plan->n_roles || !plan->columns_option) return TRM_OK;
  list_names(names, list);
  return trm_fail(TRM_ERR_DATA, "%s:%lld: %lld fields (%s), a line is %s; tell the columns by %s",
                  s->path, (long long)line, (long long)others, list, s->form, plan->columns_option);
}

/* ---- what is told ----------------------------------------------------------------------------- */

static void add(char *line, size_t size, const char *format, const char *text) {
  const size_t n = strlen(line);
  (void)snprintf(line + n, size - n, format, text);
}

/* Columns of the header that nothing asks for. */
static void add_passed(const trm_scan *s, const cells *names, char *line, size_t size) {
  bool any = false;
  for (int i = 0; s->n_pick > 0 && i < names->n; ++i) {
    bool used = false;
    for (int r = 0; r < s->n_pick; ++r) used = used || s->pick[r] == i;
    if (used) continue;
    char number[16], shown[2 * WORD_BYTES];
    (void)snprintf(number, sizeof number, "%d", i + 1);
    trm_text_escape(names->text[i], (int64_t)strlen(names->text[i]), shown, sizeof shown);
    add(line, size, any ? ", %s" : "; passed over: column %s",
        s->header && shown[0] ? shown : number);
    any = true;
  }
}

/* `index`: what is said of the first column, NULL: nothing. */
static void tell(const trm_scan *s, const trm_table_plan *plan, const cells *names,
                 const char *index) {
  char line[600] = "", list[LIST_BYTES];
  const bool plain = s->head.preamble == TRM_PREAMBLE_NONE && !s->header && s->n_pick == 0 &&
                     s->separator == TRM_BLANKS && !s->in.packed && !s->in.cr_alone;
  if (!plan->reading || !plan->reading->notes || (plan->quiet && plain)) return;
  if (s->head.preamble == TRM_PREAMBLE_MATRIX_MARKET) {
    add(line, sizeof line, "Matrix Market (%s), ids from 1", s->head.words);
  } else if (s->head.preamble == TRM_PREAMBLE_KONECT) {
    add(line, sizeof line, "KONECT (%s), ids from 1", s->head.words);
  } else {
    add(line, sizeof line, "fields parted by %s", trm_separator_name(s->separator));
    list_names(names, list);
    add(line, sizeof line, s->header ? ", header: %s" : ", no header", list);
    if (s->base > 0) add(line, sizeof line, ", ids from %s", "1");
  }
  if (s->in.packed) add(line, sizeof line, ", %s", "gzip");
  if (s->in.marked) add(line, sizeof line, ", %s", "a byte order mark");
  if (s->in.cr_alone) add(line, sizeof line, ", %s", "lines that end with CR");
  if (index) {
    add(line, sizeof line, "; %s", index);
  } else {
    add_passed(s, names, line, sizeof line);
  }
  trm_note(plan->reading->notes, "%s: read as: %s", s->path, line);
}

/* ---- opening ---------------------------------------------------------------------------------- */

static trm_status open_columns(trm_scan *s, const trm_table_plan *plan, cells *names) {
  bool index = false, shifted = false;
  const trm_reading *r = plan->reading;
  s->separator = trm_separator_told(&s->in);
  s->line_number += s->separator != 0;
  TRM_TRY(read_preamble(s, plan));
  if (r && r->separator) TRM_TRY(trm_separator_find(r->separator, &s->separator));
  if (s->separator == 0) s->separator = trm_separator_guess(&s->in, TRM_FIELDS_IDS);
  if (r && r->base && s->head.preamble == TRM_PREAMBLE_NONE) {
    s->base = r->base[0] - '0';
    s->base_given = true;
  }
  if (!plan->roles) return TRM_OK;
  TRM_TRY(read_header(s, plan, names, &index));
  if (plan->columns) {
    TRM_TRY(pick_by_option(s, plan, names));
  } else if (index) {
    pick_behind_index(s, plan, names);
  } else if (s->head.preamble == TRM_PREAMBLE_KONECT) {
    pick_of_konect(s, plan, names->n);
  } else if (has_row_names(s, names)) {
    shifted = true;
    pick_behind_row_names(s, plan, names);
  }
  TRM_TRY(look_ahead(s, plan, names));
  tell(s, plan, names,
       index     ? "column 1 counts the lines and is passed over"
       : shifted ? "column 1, which has no name, has those of the rows and is passed over"
                 : NULL);
  return TRM_OK;
}

trm_status trm_scan_open_table(trm_scan *scan, const char *path, const trm_table_plan *plan,
                               trm_scan_progress *progress) {
  cells names = {0};
  *scan = (trm_scan){.path = path,
                     .form = plan->form,
                     .columns_option = plan->roles ? plan->columns_option : NULL};
  TRM_TRY(trm_bytes_open(&scan->in, path, false, progress));
  TRM_TRY(trm_document_check(&scan->in));
  return open_columns(scan, plan, &names);
}
