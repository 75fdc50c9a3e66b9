#include "ticks.h"

#include <math.h>
#include <stdio.h>

/* The smallest of 1, 2, 5 times a power of ten that is not below `least`. */
static double round_step(double least) {
  const double power = pow(10, floor(log10(least)));
  const double share = least / power;
  const double slack = 1 + 1e-9;
  return power * (share <= slack ? 1 : share <= 2 * slack ? 2 : share <= 5 * slack ? 5 : 10);
}

static int linear(double low, double high, int most, double *ticks) {
  const double step = round_step((high - low) / most);
  int n = 0;
  for (double k = ceil(low / step - 1e-9); n < TRM_MAX_TICKS; ++k) {
    const double value = k * step;
    if (value > high + 1e-9 * step) break;
    ticks[n++] = value == 0 ? 0 : value; /* no minus zero */
  }
  return n;
}

/* Decades, every so many that they fit; with few of them also twice and five times each. */
static int logarithmic(double low, double high, int most, double *ticks) {
  static const double between[] = {1, 2, 5};
  const int first = (int)floor(log10(low) + 1e-9), last = (int)floor(log10(high) + 1e-9);
  const int every = (last - first) / most + 1;
  const int n_between = 3 * (last - first + 1) <= most ? 3 : 1;
  int n = 0;
  for (int decade = first; decade <= last && n < TRM_MAX_TICKS; decade += every) {
    for (int b = 0; b < n_between && n < TRM_MAX_TICKS; ++b) {
      const double value = between[b] * pow(10, decade);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks[n++] = value;
    }
  }
  return n;
}

int trm_ticks(double low, double high, bool log, int most, double *ticks) {
  int n = 0;
  if (most > TRM_MAX_TICKS) most = TRM_MAX_TICKS;
  if (high > low && isfinite(high - low)) {
    n = log ? logarithmic(low, high, most, ticks) : linear(low, high, most, ticks);
    if (log && n < 2) n = linear(low, high, most, ticks);
  }
  if (n == 0) ticks[n++] = low;
  return n;
}

void trm_tick_text(double value, char text[TRM_TICK_BYTES]) {
  static const char *const units[] = {"", "k", "M", "G"};
  double size = fabs(value);
  int unit = 0;
  while (size >= 1000 && unit < 3 && size >= 10000 * (unit == 0)) {
    size /= 1000;
    ++unit;
  }
  if (size >= 1e6 || (size > 0 && size < 1e-4)) {
    (void)snprintf(text, TRM_TICK_BYTES, "%.3g", value);
  } else {
    (void)snprintf(text, TRM_TICK_BYTES, "%s%.4g%s", value < 0 ? "-" : "", size, units[unit]);
  }
}
