/** Times of purchases: numbers of days or seconds, or dates. */
#include <math.h>

#include "shop_internal.h"

enum { DAY_SECONDS = 86400 };

static bool take_digits(const char **at, const char *end, int n, int64_t *value) {
  *value = 0;
  for (int i = 0; i < n; ++i, ++*at) {
    if (*at == end || **at < '0' || **at > '9') return false;
    *value = 10 * *value + (**at - '0');
  }
  return true;
}

static bool take_char(const char **at, const char *end, char c) {
  if (*at == end || **at != c) return false;
  ++*at;
  return true;
}

static int64_t month_days(int64_t year, int64_t month) {
  static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[month - 1];
}

/* Days since 1970-01-01 of the Gregorian calendar: whole years, and days of March-based ones.
 * Source: Richards 2013, "Calendars", in Explanatory Supplement to the Astronomical Almanac, 15.11. */
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
  const int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
  return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* "10:15", "10:15:30", "10:15:30.25", "10:15Z". */
static bool is_clock(const char *at, const char *end) {
  int64_t hour, minute, second = 0;
  if (!take_digits(&at, end, 2, &hour) || !take_char(&at, end, ':')) return false;
  if (!take_digits(&at, end, 2, &minute)) return false;
  if (take_char(&at, end, ':') && !take_digits(&at, end, 2, &second)) return false;
  if (take_char(&at, end, '.')) {
    while (at < end && *at >= '0' && *at <= '9') ++at;
  }
  (void)take_char(&at, end, 'Z');
  return at == end && hour < 24 && minute < 60 && second < 61;
}

static bool read_date(const char *text, int64_t bytes, int64_t *day) {
  const char *at = text, *end = text + bytes;
  int64_t year, month, of_month;
  if (!take_digits(&at, end, 4, &year) || !take_char(&at, end, '-')) return false;
  if (!take_digits(&at, end, 2, &month) || !take_char(&at, end, '-')) return false;
  if (!take_digits(&at, end, 2, &of_month)) return false;
  if (month < 1 || month > 12 || of_month < 1 || of_month > month_days(year, month)) return false;
  *day = days_of(year, month, of_month);
  if (at == end) return true;
  return (take_char(&at, end, ' ') || take_char(&at, end, 'T')) && is_clock(at, end);
}

int64_t trm_shop_day(trm_shop_clock *clock, const char *text, int64_t bytes, const char **why) {
  double number = 0;
  int64_t day = 0;
  *why = NULL;
  const bool is_number = bytes > 0 && trm_scan_number(&clock->scan, text, bytes, &number);
  if (!is_number && !read_date(text, bytes, &day)) {
    *why = "is neither a number nor a date; write 2011-12-09, 2011-12-09 10:15, or days as numbers";
    return 0;
  }
  if (clock->begun && clock->dates == is_number) {
    *why = is_number ? "is a number, but the first time is a date; write all alike"
                     : "is a date, but the first time is a number; write all alike";
    return 0;
  }
  clock->begun = true;
  clock->dates = !is_number;
  if (!is_number) return day;
  if (clock->seconds) number /= DAY_SECONDS;
  if (!(fabs(number) < 1e9)) {
    *why = "is too large for a number of days; of seconds say so (--time-unit second)";
    return 0;
  }
  return (int64_t)floor(number);
}
