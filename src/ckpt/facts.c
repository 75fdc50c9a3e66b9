#include "trireme/ckpt/facts.h"

#include <stdio.h>
#include <string.h>

#include "trireme/core/memory.h"

enum { ALIGN_BYTES = 8 };

void trm_facts_free(trm_facts *facts) {
  TRM_FREE(facts->block);
  *facts = (trm_facts){0};
}

static trm_status grow(trm_facts *facts, int64_t bytes) {
  unsigned char *block = NULL;
  if (bytes <= facts->capacity_bytes) return TRM_OK;
  const int64_t capacity = bytes > 2 * facts->capacity_bytes ? bytes : 2 * facts->capacity_bytes;
  TRM_TRY(TRM_ALLOC(&block, capacity, "the facts of a checkpoint"));
  if (facts->used_bytes > 0) memcpy(block, facts->block, (size_t)facts->used_bytes);
  TRM_FREE(facts->block);
  facts->block = block;
  facts->capacity_bytes = capacity;
  return TRM_OK;
}

/* `bytes` of content, copied from `data` unless that is NULL; `room` of them, the rest 0. */
static trm_status put(trm_facts *facts, trm_fact fact, const char *name, const void *data,
                      int64_t bytes, int64_t room) {
  const size_t length = strlen(name);
  TRM_ASSERT(length > 0 && length < TRM_FACT_NAME_BYTES);
  const int64_t content = (room + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
  fact.bytes = (int64_t)sizeof fact + content;
  memcpy(fact.name, name, length + 1);
  TRM_TRY(grow(facts, facts->used_bytes + fact.bytes));
  unsigned char *at = facts->block + facts->used_bytes;
  memcpy(at, &fact, sizeof fact);
  memset(at + sizeof fact, 0, (size_t)content);
  if (data && bytes > 0) memcpy(at + sizeof fact, data, (size_t)bytes);
  facts->used_bytes += fact.bytes;
  return TRM_OK;
}

trm_status trm_facts_put_int(trm_facts *facts, const char *name, int64_t value) {
  return put(facts, (trm_fact){.type = TRM_FACT_INT, .n = 1}, name, &value, sizeof value,
             sizeof value);
}

trm_status trm_facts_put_text(trm_facts *facts, const char *name, const char *text) {
  const int64_t n = (int64_t)strlen(text);
  return put(facts, (trm_fact){.type = TRM_FACT_TEXT, .n = n}, name, text, n, n + 1);
}

trm_status trm_facts_put_array(trm_facts *facts, const char *name, trm_dtype dtype, int64_t n,
                               const void *data) {
  const int64_t bytes = n * (int64_t)trm_dtype_bytes(dtype);
  const trm_fact fact = {.type = TRM_FACT_ARRAY, .dtype = (int32_t)dtype, .n = n};
  return put(facts, fact, name, data, bytes, bytes);
}

trm_status trm_facts_copy(trm_facts *to, const trm_facts *from) {
  to->used_bytes = 0;
  TRM_TRY(grow(to, from->used_bytes));
  if (from->used_bytes > 0) memcpy(to->block, from->block, (size_t)from->used_bytes);
  to->used_bytes = from->used_bytes;
  return TRM_OK;
}

const trm_fact *trm_facts_next(const trm_facts *facts, const trm_fact *last) {
  const int64_t at = last ? (const unsigned char *)last - facts->block + last->bytes : 0;
  if (at >= facts->used_bytes) return NULL;
  return (const trm_fact *)(const void *)(facts->block + at);
}

void *trm_fact_data(const trm_fact *fact) {
  return (void *)(uintptr_t)(fact + 1);
}

const trm_fact *trm_facts_find(const trm_facts *facts, const char *name, trm_fact_type type) {
  for (const trm_fact *f = NULL; (f = trm_facts_next(facts, f));) {
    if (f->type == (int32_t)type && strcmp(f->name, name) == 0) return f;
  }
  return NULL;
}

int64_t trm_facts_int(const trm_facts *facts, const char *name, int64_t absent) {
  const trm_fact *f = trm_facts_find(facts, name, TRM_FACT_INT);
  if (!f) return absent;
  int64_t value;
  memcpy(&value, trm_fact_data(f), sizeof value);
  return value;
}

const char *trm_facts_text(const trm_facts *facts, const char *name) {
  const trm_fact *f = trm_facts_find(facts, name, TRM_FACT_TEXT);
  return f ? trm_fact_data(f) : NULL;
}

void *trm_facts_array(const trm_facts *facts, const char *name, trm_dtype dtype, int64_t *n) {
  const trm_fact *f = trm_facts_find(facts, name, TRM_FACT_ARRAY);
  *n = 0;
  if (!f || f->dtype != (int32_t)dtype) return NULL;
  *n = f->n;
  return trm_fact_data(f);
}
