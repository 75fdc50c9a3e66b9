#include "form_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MOST_LINES = 200 };

static const struct {
  const char *name, *many;
  char separator;
} rows[] = {{"tab", "tabs", '\t'},
            {"comma", "commas", ','},
            {"semicolon", "semicolons", ';'},
            {"pipe", "pipes (|)", '|'},
            {"colons", "two colons (::)", TRM_COLONS},
            {"blanks", "tabs or spaces", TRM_BLANKS}};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

trm_status trm_separator_find(const char *name, char *separator) {
  *separator = 0;
  if (!name) return TRM_OK;
  for (int i = 0; i < N_ROWS; ++i) {
    if (strcmp(name, rows[i].name) == 0) *separator = rows[i].separator;
  }
  if (*separator) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "--separator is '%s', expected tab, comma, semicolon, pipe, colons or blanks",
                  name);
}

const char *trm_separator_name(char separator) {
  for (int i = 0; i < N_ROWS; ++i) {
    if (rows[i].separator == separator) return rows[i].many;
  }
  return "nothing";
}

/* ---- fields ----------------------------------------------------------------------------------- */

static bool parts(const char *text, int64_t bytes, char separator) {
  if (separator == TRM_BLANKS) return text[0] == ' ' || text[0] == '\t' || text[0] == '\r';
  if (separator == TRM_COLONS) return bytes > 1 && text[0] == ':' && text[1] == ':';
  return text[0] == separator;
}

/* Bytes from an opening quote to behind the closing one; 0: it is not closed, or more text follows. */
static int64_t quoted_length(const char *text, int64_t bytes, char separator) {
  int64_t at = 1;
  for (; at < bytes; ++at) {
    if (text[at] != '"') continue;
    if (at + 1 == bytes || text[at + 1] != '"') break;
    ++at;
  }
  if (at >= bytes) return 0;
  ++at;
  while (at < bytes && (text[at] == ' ' || text[at] == '\r') && separator != TRM_BLANKS) ++at;
  return at == bytes || parts(text + at, bytes - at, separator) || text[at] == '\n' ? at : 0;
}

int64_t trm_field_length(const char *text, int64_t bytes, char separator, bool quotes) {
  if (quotes && bytes > 0 && text[0] == '"') {
    const int64_t quoted = quoted_length(text, bytes, separator);
    if (quoted > 0) return quoted;
  }
  int64_t at = 0;
  while (at < bytes && !parts(text + at, bytes - at, separator)) ++at;
  return at;
}

/* ---- what parts them -------------------------------------------------------------------------- */

/* What a separator would make of the first lines. */
typedef struct survey {
  int64_t n, n_several; /* lines; with two fields or more */
  int64_t fields;       /* of each; -1: they differ */
  int64_t after_first;  /* of each but the first; -1: they differ */
  bool empty, inner;    /* a field is empty, or has blanks inside */
  bool numbers;         /* a field is several numbers with blanks between */
  bool broken;          /* a quote is opened that does not close before a separator */
} survey;

static void look_at_field(survey *s, const char *text, int64_t n) {
  while (n > 0 && (text[0] == ' ' || text[0] == '\t')) ++text, --n;
  while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t' || text[n - 1] == '\r')) --n;
  s->empty = s->empty || n == 0;
  bool numbers = true, blank = false;
  for (int64_t i = 0; i < n; ++i) {
    blank = blank || text[i] == ' ' || text[i] == '\t';
    numbers = numbers && strchr("0123456789.+- \t", text[i]);
  }
  s->inner = s->inner || blank;
  s->numbers = s->numbers || (blank && numbers);
}

/* The end of the record that begins at text[0]: of its line, or of a later one that quotes join to it. */
static int64_t record_length(const char *text, int64_t bytes, char separator, bool quotes) {
  bool quoted = false, begins = true;
  for (int64_t i = 0; i < bytes; ++i) {
    const char c = text[i];
    if (c == '"' && quotes && (quoted || begins)) quoted = !quoted;
    if (c == '\n' && !quoted) return i;
    begins = !quoted && parts(text + i, bytes - i, separator);
  }
  return -1;
}

static int64_t count_fields(survey *s, const char *text, int64_t n, char separator, bool quotes) {
  int64_t fields = 0, at = 0;
  for (;;) {
    while (separator == TRM_BLANKS && at < n && parts(text + at, n - at, separator)) ++at;
    if (separator == TRM_BLANKS && at == n) return fields;
    const int64_t length = trm_field_length(text + at, n - at, separator, quotes);
    look_at_field(s, text + at, length);
    s->broken = s->broken || (quotes && length > 0 && text[at] == '"' &&
                              quoted_length(text + at, n - at, separator) == 0);
    ++fields;
    at += length;
    if (at >= n) return fields;
    at += separator == TRM_COLONS ? 2 : 1;
  }
}

static bool is_comment(const char *text, int64_t n) {
  int64_t at = 0;
  while (at < n && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r')) ++at;
  return at == n || text[at] == '#' || text[at] == '%';
}

static survey look(const trm_bytes *b, char separator, bool texts) {
  const bool quotes = !texts || separator != '\t';
  survey s = {0};
  for (int64_t at = b->begin; at < b->end && s.n < MOST_LINES;) {
    const char *text = b->buffer + at;
    int64_t n = record_length(text, b->end - at, separator, quotes && texts);
    if (n < 0 && !b->at_end && s.n > 0) break; /* it goes on behind the buffer */
    if (n < 0) n = b->end - at;
    at += n + 1;
    while (n > 0 && text[n - 1] == '\r') --n;
    if (n == 0 || (!texts && is_comment(text, n))) continue;
    const int64_t fields = count_fields(&s, text, n, separator, quotes);
    if (s.n == 0) s.fields = fields;
    if (s.n == 1) s.after_first = fields;
    if (s.n > 0 && s.fields != fields) s.fields = -1;
    if (s.n > 1 && s.after_first != fields) s.after_first = -1;
    s.n_several += fields > 1;
    ++s.n;
  }
  return s;
}

/* All lines have equally many, or all but the first, which may be a size or a title. */
static int64_t even_fields(const survey *s) {
  if (s->broken) return 0;
  if (s->fields > 1) return s->fields;
  return s->n > 2 && s->after_first > 1 ? s->after_first : 0;
}

/* What parts the first line as all others goes before what it lacks: texts have ';' in '&amp;'. */
static bool is_better(const survey *s, const survey *best) {
  const int64_t even = even_fields(s), most = best ? even_fields(best) : 0;
  if (even == 0 || most == 0) return even > 0;
  const bool whole = s->fields > 1, best_whole = best->fields > 1;
  return whole == best_whole ? even > most : whole;
}

char trm_separator_guess(const trm_bytes *bytes, trm_field_sort sort) {
  const bool texts = sort != TRM_FIELDS_IDS;
  static const char order[] = {'\t', TRM_COLONS, ';', ',', '|', TRM_BLANKS};
  survey s[6];
  for (int i = 0; i < 6; ++i) s[i] = look(bytes, order[i], texts);
  const survey *blanks = &s[5];
  int best = 5;
  for (int i = 0; i < 5; ++i) {
    if (is_better(&s[i], best < 5 ? &s[best] : NULL)) best = i;
    if (best < 2) break; /* tabs, and two colons, do not stand there by chance */
  }
  if (best == 5) { /* lines of unlike lengths, or of one field */
    const int n = texts ? 5 : 6;
    for (int i = 0; i < n; ++i) {
      if (best == 5 ? s[i].n_several > 0 : s[i].n_several > s[best].n_several) best = i;
      if (s[0].n_several > 0) break;
    }
  }
  if (texts && best < 5) return order[best];
  if (texts) return sort == TRM_FIELDS_VALUES && even_fields(blanks) > 0 ? TRM_BLANKS : ',';
  /* Blanks part numbers as tabs do, and also where lines have both. */
  if (best < 5 && s[best].numbers && blanks->n_several >= s[best].n_several) return TRM_BLANKS;
  return best == 0 && !s[0].empty && !s[0].inner ? TRM_BLANKS : order[best];
}

char trm_separator_told(trm_bytes *bytes) {
  const char *text = bytes->buffer + bytes->begin;
  const int64_t there = bytes->end - bytes->begin;
  const char *end = there > 0 ? memchr(text, '\n', (size_t)there) : NULL;
  const int64_t n = end ? end - text + 1 : there;
  if (n < 5 || n > 7 || strncasecmp(text, "sep=", 4) != 0 || !strchr("\t,;|", text[4])) return 0;
  bytes->begin += n;
  return text[4];
}

/* ---- preambles -------------------------------------------------------------------------------- */

static bool begins(const char *text, int64_t n, const char *with) {
  const int64_t length = (int64_t)strlen(with);
  return n >= length && strncasecmp(text, with, (size_t)length) == 0;
}

static bool has_word(const char *words, const char *word) {
  const char *at = strcasestr(words, word);
  const size_t n = strlen(word);
  return at && (at == words || at[-1] == ' ') && (at[n] == 0 || at[n] == ' ');
}

static void copy_words(trm_table_head *h, const char *text, int64_t n) {
  while (n > 0 && (text[0] == ' ' || text[0] == '\t')) ++text, --n;
  while (n > 0 && (text[n - 1] == '\r' || text[n - 1] == ' ')) --n;
  (void)snprintf(h->words, sizeof h->words, "%.*s", (int)(n < 60 ? n : 60), text);
  for (char *c = h->words; *c; ++c) {
    if (*c == '\t') *c = ' ';
  }
}

static trm_status read_matrix_market(const trm_bytes *b, trm_table_head *h) {
  h->preamble = TRM_PREAMBLE_MATRIX_MARKET;
  h->symmetric = has_word(h->words, "symmetric") || has_word(h->words, "hermitian");
  h->skew = has_word(h->words, "skew-symmetric");
  h->symmetric = h->symmetric || h->skew;
  h->weighted = !has_word(h->words, "pattern");
  if (has_word(h->words, "array")) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: is a Matrix Market file of form array, which lists every entry of a dense "
                    "matrix; write it in form coordinate (scipy.io.mmwrite of a sparse matrix)",
                    b->path);
  }
  if (!has_word(h->words, "coordinate") || has_word(h->words, "complex")) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: is a Matrix Market file of '%s'; read are coordinate with real, integer "
                    "or pattern",
                    b->path, h->words);
  }
  return TRM_OK;
}

trm_status trm_table_head_read(const trm_bytes *bytes, trm_table_head *head) {
  const char *text = bytes->buffer + bytes->begin;
  const int64_t there = bytes->end - bytes->begin;
  const char *end = there > 0 ? memchr(text, '\n', (size_t)there) : NULL;
  const int64_t n = end ? end - text : there;
  *head = (trm_table_head){0};
  if (begins(text, n, "%%MatrixMarket")) {
    copy_words(head, text + 14, n - 14);
    return read_matrix_market(bytes, head);
  }
  if (n < 5 || text[0] != '%') return TRM_OK;
  copy_words(head, text + 1, n - 1);
  head->bipartite = begins(head->words, (int64_t)strlen(head->words), "bip");
  head->asymmetric = begins(head->words, (int64_t)strlen(head->words), "asym");
  if (head->bipartite || head->asymmetric || has_word(head->words, "sym")) {
    head->preamble = TRM_PREAMBLE_KONECT;
  }
  return TRM_OK;
}
