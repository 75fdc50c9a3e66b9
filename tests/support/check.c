#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int n_failures;
enum { MAX_PRINTED = 20 };

static bool report(bool good, const char *file, int line) {
  if (good) return true;
  ++n_failures;
  if (n_failures == MAX_PRINTED + 1) fprintf(stderr, "more failures are not printed\n");
  if (n_failures > MAX_PRINTED) return false;
  fprintf(stderr, "%s:%d: ", file, line);
  return false;
}

static bool quiet(void) {
  return n_failures > MAX_PRINTED;
}

bool check_true(bool condition, const char *text, const char *file, int line) {
  if (report(condition, file, line)) return true;
  if (!quiet()) fprintf(stderr, "not true: %s\n", text);
  return false;
}

bool check_int(int64_t got, int64_t want, const char *got_text, const char *want_text,
               const char *file, int line) {
  if (report(got == want, file, line)) return true;
  if (!quiet()) {
    fprintf(stderr, "%s is %lld, expected %lld (%s)\n", got_text, (long long)got, (long long)want,
            want_text);
  }
  return false;
}

bool check_near(double got, double want, double tolerance, int64_t index, const char *text,
                const char *file, int line) {
  const bool good = fabs(got - want) <= tolerance || (isnan(got) && isnan(want)) ||
                    (isinf(got) && isinf(want) && got == want);
  if (report(good, file, line)) return true;
  if (!quiet()) {
    fprintf(stderr, "%s is %.9g, expected %.9g within %.3g", text, got, want, tolerance);
    if (index >= 0) fprintf(stderr, " at index %lld", (long long)index);
    fprintf(stderr, "\n");
  }
  return false;
}

bool check_has(const char *text, const char *part, const char *name, const char *file, int line) {
  if (report(text && strstr(text, part), file, line)) return true;
  if (!quiet()) fprintf(stderr, "%s is \"%s\", without \"%s\"\n", name, text ? text : "", part);
  return false;
}

bool check_str(const char *got, const char *want, const char *name, const char *file, int line) {
  if (report(got && strcmp(got, want) == 0, file, line)) return true;
  if (!quiet()) {
    fprintf(stderr, "%s is \"%s\", expected \"%s\"\n", name, got ? got : "(null)", want);
  }
  return false;
}

bool check_status(trm_status status, const char *(*message)(void), const char *call,
                  const char *file, int line) {
  if (report(status == TRM_OK, file, line)) return true;
  if (!quiet()) fprintf(stderr, "%s returned %d: %s\n", call, (int)status, message());
  return false;
}

int check_verdict(void) {
  return n_failures == 0 ? 0 : 1;
}

int check_skip(const char *reason) {
  printf("skipped: %s\n", reason);
  return 77;
}

const char *check_temp_folder(void) {
  static char path[4096];
  const char *base = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/trireme-test-XXXXXX", base && *base ? base : "/tmp");
  if (!mkdtemp(path)) {
    perror(path);
    exit(1);
  }
  return path;
}
