/** Buffers that grow and are kept. */
#ifndef TRIREME_INPUT_BUFFER_INTERNAL_H
#define TRIREME_INPUT_BUFFER_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "trireme/core/status.h"

/** Grows *block to n * size bytes or more when it has room for fewer than n; the first `kept` stay.
 *  After a failure the block is as it was. */
trm_status trm_buffer_grow(void **block, int64_t *capacity, int64_t n, int64_t kept, size_t size,
                           const char *what);
#define TRM_BUFFER_GROW(block, capacity, n, kept, what)                                            \
  trm_buffer_grow((void **)(block), (capacity), (n), (kept), sizeof **(block), (what))

#endif
