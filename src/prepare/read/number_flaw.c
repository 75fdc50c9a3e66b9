/** Numbers that are written for people: what keeps a field from being read, and how it should be written. */
#include <string.h>

#include "scan_internal.h"

enum { MOST_BYTES = 64 };

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Digits at text[0]. */
static int64_t digits(const char *text, int64_t n) {
  int64_t at = 0;
  while (at < n && is_digit(text[at])) ++at;
  return at;
}

static bool begins(const char *text, int64_t n, const char *with) {
  const int64_t length = (int64_t)strlen(with);
  return n >= length && memcmp(text, with, (size_t)length) == 0;
}

/* Groups of three digits behind `mark`, and a fraction behind `point`; *n_groups of them. */
static bool is_grouped(const char *text, int64_t n, char mark, char point, int *n_groups) {
  int64_t at = digits(text, n);
  *n_groups = 0;
  if (at < 1 || at > 3 || text[0] == '0') return false;
  while (at < n && text[at] == mark) {
    if (digits(text + at + 1, n - at - 1) < 3) return false;
    at += 4;
    ++*n_groups;
  }
  if (at < n && text[at] == point) at += 1 + digits(text + at + 1, n - at - 1);
  return *n_groups > 0 && at == n;
}

static bool is_plain(const char *text, int64_t n) {
  double x;
  trm_scan scan = {0};
  const bool is = trm_scan_number(&scan, text, n, &x);
  return trm_scan_close(&scan, TRM_OK) == TRM_OK && is;
}

static bool has_decimal_comma(const char *text, int64_t n) {
  const int64_t whole = digits(text, n);
  return whole < n && text[whole] == ',' && whole + 1 < n &&
         whole + 1 + digits(text + whole + 1, n - whole - 1) == n;
}

/* What commas, points and apostrophes between digits are; `text` has no sign. */
static trm_number_flaw flaw_of_marks(const char *text, int64_t n) {
  int groups;
  if (is_grouped(text, n, ',', '.', &groups) && (groups > 1 || memchr(text, '.', (size_t)n))) {
    return (trm_number_flaw){"commas that part thousands", "write plain digits, as in 1234.5"};
  }
  if (is_grouped(text, n, ',', 0, &groups)) {
    return (trm_number_flaw){"a decimal comma, or one that parts thousands",
                             "write 1.234 for the one, 1234 for the other"};
  }
  if (has_decimal_comma(text, n)) {
    return (trm_number_flaw){"a decimal comma", "write points, as in 1.5"};
  }
  if (is_grouped(text, n, '.', ',', &groups) && (groups > 1 || memchr(text, ',', (size_t)n))) {
    return (trm_number_flaw){"points that part thousands", "write plain digits, as in 1234.5"};
  }
  if (is_grouped(text, n, '\'', '.', &groups) || is_grouped(text, n, ' ', '.', &groups)) {
    return (trm_number_flaw){"thousands parted", "write plain digits, as in 1234.5"};
  }
  return (trm_number_flaw){0};
}

/* Signs before and behind a number. */
static const struct {
  const char *sign;
  bool behind;
  trm_number_flaw flaw;
} rows[] = {
    {"%", true, {"a percent sign", "write plain numbers (tr -d '%')"}},
    {"$", false, {"a currency sign", "write plain numbers"}},
    {"\xE2\x82\xAC", false, {"a currency sign", "write plain numbers"}},
    {"\xE2\x82\xAC", true, {"a currency sign", "write plain numbers"}},
    {"\xC2\xA3", false, {"a currency sign", "write plain numbers"}},
    {"\xC2\xA5", false, {"a currency sign", "write plain numbers"}},
    {"\xE2\x88\x92", false, {"a minus sign that is no hyphen (U+2212)", "write a hyphen"}},
    {"=\"", false, {"a formula of a spreadsheet around it", "leave it out (tr -d '=\"')"}},
    {"'", false, {"a quote of its own", "leave it out (tr -d \\')"}},
};

/* The sign whose flaw it is, and where the number inside begins and ends; NULL: none. */
static const trm_number_flaw *flaw_of_sign(const char **text, int64_t *n) {
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    const int64_t length = (int64_t)strlen(rows[i].sign);
    if (*n <= length) continue;
    const char *at = rows[i].behind ? *text + *n - length : *text;
    if (!begins(at, length, rows[i].sign)) continue;
    *text += rows[i].behind ? 0 : length;
    *n -= length;
    if (*n > 1 && !rows[i].behind && strchr("'\"", (*text)[*n - 1])) --*n; /* the closing quote */
    while (*n > 0 && (*text)[0] == ' ') ++*text, --*n;
    while (*n > 0 && (*text)[*n - 1] == ' ') --*n;
    return &rows[i].flaw;
  }
  return NULL;
}

trm_number_flaw trm_flaw_of_number(const char *text, int64_t bytes) {
  const char *inner = text;
  int64_t n = bytes;
  if (n < 2 || n > MOST_BYTES) return (trm_number_flaw){0};
  const bool sign = inner[0] == '-' || inner[0] == '+';
  inner += sign, n -= sign;
  const trm_number_flaw *around = flaw_of_sign(&inner, &n);
  const trm_number_flaw marks = n > 0 ? flaw_of_marks(inner, n) : (trm_number_flaw){0};
  if (around && (marks.has || is_plain(inner, n))) return *around;
  return marks;
}
