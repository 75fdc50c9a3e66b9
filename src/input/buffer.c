#include "buffer_internal.h"

#include <string.h>

#include "trireme/core/memory.h"

trm_status trm_buffer_grow(void **block, int64_t *capacity, int64_t n, int64_t kept, size_t size,
                           const char *what) {
  if (*block && n <= *capacity) return TRM_OK;
  const int64_t more = *capacity + *capacity / 4; /* few times, also when sizes creep up */
  const int64_t wanted = n > more ? n : more;
  void *grown = NULL;
  TRM_TRY(trm_alloc_bytes(&grown, wanted, size, what));
  if (kept > 0) memcpy(grown, *block, (size_t)kept * size);
  TRM_FREE(*block);
  *block = grown;
  *capacity = wanted;
  return TRM_OK;
}
