/** Words for things that are counted in messages. */
#ifndef TRIREME_CORE_PLURAL_H
#define TRIREME_CORE_PLURAL_H

#include <stdint.h>

/** What stands behind the word for a thing of which there are n: "%lld step%s". */
static inline const char *trm_plural(int64_t n) {
  return n == 1 ? "" : "s";
}

#endif
