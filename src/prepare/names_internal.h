/** Growing buffers, and names with ids. */
#ifndef TRIREME_PREPARE_NAMES_INTERNAL_H
#define TRIREME_PREPARE_NAMES_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

/** Bytes that grow by doubling. Zero it first. */
typedef struct trm_buffer {
  char *data;
  int64_t n, capacity;
} trm_buffer;

/** Grows as needed. @return TRM_ERR_MEMORY, and the buffer is as it was */
trm_status trm_buffer_append(trm_buffer *buffer, const void *data, int64_t bytes);
void trm_buffer_free(trm_buffer *buffer);

/** Distinct names, numbered in the order of their first appearance. Zero it first. */
typedef struct trm_names {
  int64_t n;
  trm_buffer offsets; /* int64_t [n + 1], once the first name is there */
  trm_buffer bytes;
  int32_t *table; /* open addressing: id + 1, or 0 */
  int64_t table_size;
} trm_names;

/** Id of the name, which is added when new. */
trm_status trm_names_add(trm_names *names, const char *name, int64_t bytes, int32_t *id,
                         bool *added);
/** Id of the name, or -1. */
int32_t trm_names_find(const trm_names *names, const char *name, int64_t bytes);
/** [n + 1] also when there is no name yet. Valid until the next addition. */
const int64_t *trm_names_offsets(const trm_names *names);
/**
 * Numbers the names anew: as numbers where all are, else by bytes.
 * @param[out] place  [n] the new id of each old one; TRM_FREE
 */
trm_status trm_names_sort(trm_names *names, int32_t **place);
void trm_names_free(trm_names *names);

#endif
