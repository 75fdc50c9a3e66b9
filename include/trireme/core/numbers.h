/** Numbers from text, whatever the locale. */
#ifndef TRIREME_CORE_NUMBERS_H
#define TRIREME_CORE_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/** Plain decimal digits with an optional sign. False: not a whole number, or past the type's range. */
bool trm_int_parse(const char *text, int64_t *value);
/** "0.1", "1e-3"; finite. False: not a number, or past the type's range. */
bool trm_real_parse(const char *text, double *value);

#endif
