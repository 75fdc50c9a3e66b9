/* "0-9", "1,3,5": numbers from the command line. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/train/sweep.h"

enum { MAX_NUMBERS = 100000 };
static const long long max_number = 9007199254740992; /* the most run.seed may be */

static trm_status bad_numbers(const char *text, const char *what) {
  return trm_fail(TRM_ERR_USAGE,
                  "%s '%s': give numbers and ranges up to %lld, as 0-9 or 1,3,5 (at most %d)", what,
                  text, max_number, MAX_NUMBERS);
}

static bool take_number(const char **at, long long *value) {
  char *end;
  errno = 0;
  *value = strtoll(*at, &end, 10);
  const bool good = end != *at && errno != ERANGE && *value >= 0 && *value <= max_number;
  *at = end;
  return good;
}

static int rising(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* A number given twice would be two runs in one folder. */
static trm_status check_distinct(const char *text, const char *what, const int64_t *numbers,
                                 int64_t n) {
  int64_t *sorted = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&sorted, n, "runs"));
  memcpy(sorted, numbers, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, rising);
  for (int64_t i = 1; i < n && status == TRM_OK; ++i) {
    if (sorted[i] != sorted[i - 1]) continue;
    status = trm_fail(TRM_ERR_USAGE, "%s '%s': %" PRId64 " is there twice; give each number once",
                      what, text, sorted[i]);
  }
  TRM_FREE(sorted);
  return status;
}

/* As many as `text` names into numbers[MAX_NUMBERS]. */
static trm_status take_numbers(const char *text, const char *what, int64_t *numbers, int64_t *n) {
  for (const char *at = text;; ++at) {
    long long first, last;
    if (!take_number(&at, &first)) break;
    last = first;
    if (*at == '-') {
      ++at;
      if (!take_number(&at, &last)) break;
    }
    if (last < first || last - first >= MAX_NUMBERS - *n) break;
    const int64_t count = last - first + 1;
    for (int64_t i = 0; i < count; ++i) numbers[(*n)++] = first + i;
    if (!*at) return check_distinct(text, what, numbers, *n);
    if (*at != ',') break;
  }
  return bad_numbers(text, what);
}

trm_status trm_sweep_numbers(const char *text, const char *what, int64_t **numbers, int64_t *n) {
  *n = 0;
  TRM_TRY(TRM_ALLOC(numbers, MAX_NUMBERS, "runs"));
  const trm_status status = take_numbers(text, what, *numbers, n);
  if (status == TRM_OK) return TRM_OK;
  TRM_FREE(*numbers);
  *n = 0;
  return status;
}
