/** What stands between words. */
#ifndef TRIREME_INPUT_WHITE_H
#define TRIREME_INPUT_WHITE_H

#include <stdbool.h>

/** White space of ASCII, whatever the locale. */
static inline bool trm_is_white(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif
