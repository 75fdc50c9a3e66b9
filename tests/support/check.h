/**
 * Checks for tests: print both values, the tolerance and the place, count failures, go on.
 * A test ends with `return check_verdict();`, or `return check_skip("reason")`.
 */
#ifndef TRIREME_TESTS_CHECK_H
#define TRIREME_TESTS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

#define CHECK(condition) check_true((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQ(got, want)                                                                        \
  check_int((int64_t)(got), (int64_t)(want), #got, #want, __FILE__, __LINE__)
#define CHECK_NEAR(got, want, tolerance)                                                           \
  check_near((double)(got), (double)(want), (double)(tolerance), -1, #got, __FILE__, __LINE__)
/** The same for element `index` of an array. */
#define CHECK_NEAR_AT(got, want, tolerance, index)                                                 \
  check_near((double)(got), (double)(want), (double)(tolerance), (int64_t)(index), #got, __FILE__, \
             __LINE__)
/** The string contains the part. */
#define CHECK_HAS(text, part) check_has((text), (part), #text, __FILE__, __LINE__)
#define CHECK_STR(got, want) check_str((got), (want), #got, __FILE__, __LINE__)
/** The status is TRM_OK; otherwise its message is printed. */
#define CHECK_OK(call) check_status((call), trm_message, #call, __FILE__, __LINE__)

bool check_true(bool condition, const char *text, const char *file, int line);
bool check_int(int64_t got, int64_t want, const char *got_text, const char *want_text,
               const char *file, int line);
bool check_near(double got, double want, double tolerance, int64_t index, const char *text,
                const char *file, int line);
bool check_has(const char *text, const char *part, const char *name, const char *file, int line);
bool check_str(const char *got, const char *want, const char *name, const char *file, int line);
bool check_status(trm_status status, const char *(*message)(void), const char *call,
                  const char *file, int line);

/** 0 when every check held, 1 otherwise. */
int check_verdict(void);
/** Prints the reason and returns 77, which CTest reports as skipped. */
int check_skip(const char *reason);
/** A fresh folder under the system's temporary one, removed by nobody: print it on failure. */
const char *check_temp_folder(void);

#endif
