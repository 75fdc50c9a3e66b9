#include "names_internal.h"

#include <string.h>

#include "trireme/core/hash.h"
#include "trireme/core/memory.h"

trm_status trm_buffer_append(trm_buffer *buffer, const void *data, int64_t bytes) {
  if (bytes > buffer->capacity - buffer->n) {
    int64_t capacity = buffer->capacity > 0 ? buffer->capacity : 4096;
    while (bytes > capacity - buffer->n) capacity *= 2;
    char *grown = NULL;
    TRM_TRY(TRM_ALLOC(&grown, capacity, "names"));
    if (buffer->n > 0) memcpy(grown, buffer->data, (size_t)buffer->n);
    TRM_FREE(buffer->data);
    buffer->data = grown;
    buffer->capacity = capacity;
  }
  if (bytes > 0) memcpy(buffer->data + buffer->n, data, (size_t)bytes);
  buffer->n += bytes;
  return TRM_OK;
}

void trm_buffer_free(trm_buffer *buffer) {
  TRM_FREE(buffer->data);
  buffer->n = buffer->capacity = 0;
}

const int64_t *trm_names_offsets(const trm_names *names) {
  static const int64_t none[1] = {0};
  return names->n > 0 ? (const int64_t *)(const void *)names->offsets.data : none;
}

/* The place of the name in the table, or of the hole where it belongs. */
static int64_t find_place(const trm_names *names, const char *name, int64_t bytes) {
  const int64_t *offsets = trm_names_offsets(names);
  const int64_t mask = names->table_size - 1;
  int64_t at = (int64_t)(trm_hash64(name, (size_t)bytes, 0) & (uint64_t)mask);
  for (; names->table[at] != 0; at = (at + 1) & mask) {
    const int32_t id = names->table[at] - 1;
    if (offsets[id + 1] - offsets[id] == bytes &&
        memcmp(names->bytes.data + offsets[id], name, (size_t)bytes) == 0) {
      break;
    }
  }
  return at;
}

int32_t trm_names_find(const trm_names *names, const char *name, int64_t bytes) {
  if (names->n == 0) return -1;
  return names->table[find_place(names, name, bytes)] - 1;
}

/* Kept at most half full. */
static trm_status grow_table(trm_names *names) {
  if (2 * (names->n + 1) <= names->table_size) return TRM_OK;
  const int64_t size = names->table_size > 0 ? 2 * names->table_size : 1024;
  int32_t *table = NULL;
  TRM_TRY(TRM_ALLOC(&table, size, "table of names"));
  TRM_FREE(names->table);
  names->table = table;
  names->table_size = size;
  const int64_t *offsets = trm_names_offsets(names);
  for (int64_t id = 0; id < names->n; ++id) {
    const char *name = names->bytes.data + offsets[id];
    names->table[find_place(names, name, offsets[id + 1] - offsets[id])] = (int32_t)(id + 1);
  }
  return TRM_OK;
}

trm_status trm_names_add(trm_names *names, const char *name, int64_t bytes, int32_t *id,
                         bool *added) {
  *added = false;
  *id = trm_names_find(names, name, bytes);
  if (*id >= 0) return TRM_OK;
  if (names->n >= INT32_MAX - 1) {
    return trm_fail(TRM_ERR_DATA, "package index: more than %d names", INT32_MAX - 1);
  }
  TRM_TRY(grow_table(names));
  const int64_t zero = 0, end = names->bytes.n + bytes;
  if (names->offsets.n == 0) {
    TRM_TRY(trm_buffer_append(&names->offsets, &zero, (int64_t)sizeof zero));
  }
  TRM_TRY(trm_buffer_append(&names->bytes, name, bytes));
  TRM_TRY(trm_buffer_append(&names->offsets, &end, (int64_t)sizeof end));
  *id = (int32_t)names->n++;
  names->table[find_place(names, name, bytes)] = *id + 1;
  *added = true;
  return TRM_OK;
}

void trm_names_free(trm_names *names) {
  trm_buffer_free(&names->offsets);
  trm_buffer_free(&names->bytes);
  TRM_FREE(names->table);
  names->n = names->table_size = 0;
}
