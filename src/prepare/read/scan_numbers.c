/** Ids and numbers of tables. */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scan_internal.h"
#include "trireme/core/utf8.h"

enum { NUMBER_BYTES = 400 };

static const double MOST_WHOLE = 9007199254740992.0; /* 2^53: a double has all of them up to it */

/* ---- ids -------------------------------------------------------------------------------------- */

static trm_status bad_id(const trm_scan *s, const char *what) {
  char text[TRM_SHOWN_BYTES];
  const bool negative =
      s->n_field > 1 && s->field[0] == '-' && s->field[1] >= '0' && s->field[1] <= '9';
  if (negative) {
    return trm_scan_fail(s, "%s %s is negative; ids count from 0", what, trm_scan_shown(s, text));
  }
  TRM_TRY(trm_scan_check_seen(s, what));
  return trm_scan_fail(s, "'%s' is no %s, which is a whole number from 0; a line is %s",
                       trm_scan_shown(s, text), what, s->form);
}

static bool read_number(trm_scan *scan, double *value);

/* A whole number as programs write it that know none: 12.0, 1.2e1. */
static bool is_whole(trm_scan *s, int64_t *n) {
  double x;
  if (s->n_field == 0 || s->field[0] < '0' || s->field[0] > '9' || !read_number(s, &x))
    return false;
  if (x < 0 || x > MOST_WHOLE || x != floor(x)) return false;
  *n = (int64_t)x;
  return true;
}

trm_status trm_scan_count(trm_scan *scan, const char *what, int64_t limit, const char *why,
                          int64_t *n) {
  TRM_TRY(trm_scan_word(scan, what));
  int64_t value = 0;
  bool over = false;
  for (int64_t i = 0; i < scan->n_field; ++i) {
    const unsigned digit = (unsigned)scan->field[i] - '0';
    if (digit > 9) {
      if (!is_whole(scan, &value)) return bad_id(scan, what);
      over = false;
      break;
    }
    over |= value > (INT64_MAX - 9) / 10;
    if (!over) value = 10 * value + digit;
  }
  *n = value;
  if (!over && value < limit) return TRM_OK;
  char text[TRM_SHOWN_BYTES];
  return trm_scan_fail(scan, "%s %s is out of range: %s", what, trm_scan_shown(scan, text), why);
}

trm_status trm_scan_id(trm_scan *scan, const char *what, int64_t limit, const char *why,
                       int64_t *id) {
  const int64_t base = scan->base;
  TRM_TRY(trm_scan_count(scan, what, limit + base, why, id));
  *id -= base;
  if (*id >= 0) return TRM_OK;
  return trm_scan_fail(scan, "%s 0, but ids count from 1 here%s", what,
                       scan->head.preamble == TRM_PREAMBLE_NONE ? " (--base 1)" : "");
}

/* ---- numbers ---------------------------------------------------------------------------------- */

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
  if (p == end) return false;
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

static bool is_blank(char c) {
  return c == '\t' || c == ' ' || c == '\r';
}

bool trm_scan_number(trm_scan *scan, const char *text, int64_t bytes, double *value) {
  while (bytes > 0 && is_blank(text[0])) ++text, --bytes;
  while (bytes > 0 && is_blank(text[bytes - 1])) --bytes;
  scan->field = text;
  scan->n_field = bytes;
  return bytes > 0 && read_number(scan, value);
}

static trm_status fail_number(const trm_scan *s, const char *what) {
  char text[TRM_SHOWN_BYTES];
  const trm_number_flaw flaw = trm_flaw_of_number(s->field, s->n_field);
  if (flaw.has) {
    return trm_scan_fail(s, "%s '%s' has %s; %s", what, trm_scan_shown(s, text), flaw.has,
                         flaw.remedy);
  }
  TRM_TRY(trm_scan_check_seen(s, what));
  return trm_scan_fail(s, "%s '%s' is no finite number; correct it, or %s%s", what,
                       trm_scan_shown(s, text),
                       s->columns_option ? "tell the columns that are meant by " : "leave it out",
                       s->columns_option ? s->columns_option : "");
}

trm_status trm_scan_real(trm_scan *scan, const char *what, float *value) {
  double x;
  char text[TRM_SHOWN_BYTES];
  TRM_TRY(trm_scan_word(scan, what));
  if (!read_number(scan, &x)) return fail_number(scan, what);
  *value = (float)x;
  if (isfinite(*value)) return TRM_OK;
  return trm_scan_fail(scan, "%s %s is too large for a float", what, trm_scan_shown(scan, text));
}
