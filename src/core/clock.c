#include "trireme/core/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trireme/core/status.h"

static double seconds_of(const struct timespec *t) {
  return (double)t->tv_sec + 1e-9 * (double)t->tv_nsec;
}

double trm_clock_s(void) {
  struct timespec now;
  const int failed = clock_gettime(CLOCK_MONOTONIC, &now);
  TRM_ASSERT(!failed);
  return seconds_of(&now);
}

void trm_sleep_s(double seconds) {
  const double longest_s = 1e9; /* some thirty years: time_t holds it everywhere */
  if (!(seconds > 0)) return;
  if (seconds > longest_s) seconds = longest_s;
  const double whole = floor(seconds);
  const struct timespec t = {.tv_sec = (time_t)whole, .tv_nsec = (long)((seconds - whole) * 1e9)};
  (void)nanosleep(&t, NULL); /* its only failure for such a value is the signal that may end it */
}

/* Field 22 of /proc/self/stat: start of the process in clock ticks since boot; -1 if unknown. */
static double start_ticks(void) {
  char text[4096];
  FILE *file = fopen("/proc/self/stat", "r");
  if (!file) return -1;
  const size_t n = fread(text, 1, sizeof text - 1, file);
  (void)fclose(file); /* opened for reading: nothing can be lost */
  text[n] = '\0';
  /* The second field is the program's name in parentheses and may hold spaces of its own. */
  const char *p = strrchr(text, ')');
  for (int field = 2; p && field < 22; ++field) p = strchr(p + 1, ' ');
  unsigned long long ticks = 0;
  if (!p || sscanf(p, " %llu", &ticks) != 1) return -1;
  return (double)ticks;
}

double trm_process_age_s(void) {
  struct timespec now;
  const double ticks = start_ticks();
  const double ticks_per_s = (double)sysconf(_SC_CLK_TCK);
  if (ticks < 0 || ticks_per_s <= 0 || clock_gettime(CLOCK_BOOTTIME, &now) != 0) return 0;
  const double age_s = seconds_of(&now) - ticks / ticks_per_s;
  return age_s > 0 ? age_s : 0;
}
