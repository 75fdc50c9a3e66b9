/* Digests: of arrays, of the list of arrays, of the facts (invariant 3). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckpt_internal.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"

uint64_t trm_ckpt_data_digest(const void *data, int64_t bytes) {
  uint64_t digest = 0;
  int64_t done = 0;
  do {
    const int64_t rest = bytes - done;
    const int64_t n = rest < TRM_CKPT_PIECE_BYTES ? rest : TRM_CKPT_PIECE_BYTES;
    digest = trm_hash64((const unsigned char *)data + done, (size_t)n, digest);
    done += n;
  } while (done < bytes);
  return digest;
}

static uint64_t add_number(uint64_t hash, uint64_t v) {
  return trm_hash64(&v, sizeof v, hash);
}

/* Length first, so that no text runs into the next. */
static uint64_t add_bytes(uint64_t hash, const void *data, size_t bytes) {
  return trm_hash64(data, bytes, add_number(hash, bytes));
}

static uint64_t add_text(uint64_t hash, const char *text) {
  return add_bytes(hash, text ? text : "", text ? strlen(text) : 0);
}

uint64_t trm_ckpt_entry_digest(const char *name, const trm_array_info *array, uint64_t digest) {
  uint64_t hash = add_text(digest, name);
  hash = add_number(hash, (uint64_t)array->dtype);
  for (int i = 0; i < array->n_dims; ++i) hash = add_number(hash, (uint64_t)array->dims[i]);
  return hash;
}

/* The fact of a type whose name comes next after `last` ("": the first), NULL past the last one. */
static const trm_fact *next_by_name(const trm_facts *facts, trm_fact_type type, const char *last) {
  const trm_fact *next = NULL;
  for (const trm_fact *f = NULL; (f = trm_facts_next(facts, f));) {
    if (f->type != (int32_t)type || strcmp(f->name, last) <= 0) continue;
    if (!next || strcmp(f->name, next->name) < 0) next = f;
  }
  return next;
}

uint64_t trm_ckpt_facts_digest(const trm_ckpt_info *info, int64_t n_arrays, uint64_t arrays_digest,
                               bool names) {
  uint64_t value_bits, hash = 0;
  const trm_facts *facts = &info->facts;
  memcpy(&value_bits, &info->best_value, sizeof value_bits);
  hash = add_number(hash, (uint64_t)info->step);
  hash = add_number(hash, info->seed);
  hash = add_number(hash, info->data_digest);
  hash = add_number(hash, info->weights_hash);
  hash = add_number(hash, info->samples_hash);
  hash = add_number(hash, value_bits);
  hash = add_number(hash, (uint64_t)info->best_step);
  hash = add_number(hash, (uint64_t)info->eval_step);
  for (const trm_fact *f = NULL; (f = next_by_name(facts, TRM_FACT_INT, f ? f->name : ""));) {
    if (names) hash = add_text(hash, f->name);
    hash = add_number(hash, (uint64_t)trm_facts_int(facts, f->name, 0));
  }
  hash = add_text(hash, info->config_text);
  hash = add_text(hash, info->program_version);
  hash = add_text(hash, info->fingerprint);
  for (const trm_fact *f = NULL; (f = next_by_name(facts, TRM_FACT_TEXT, f ? f->name : ""));) {
    if (names) hash = add_text(hash, f->name);
    hash = add_text(hash, trm_fact_data(f));
  }
  for (const trm_fact *f = NULL;
       names && (f = next_by_name(facts, TRM_FACT_ARRAY, f ? f->name : ""));) {
    const int64_t bytes = f->n * (int64_t)trm_dtype_bytes((trm_dtype)f->dtype);
    hash = add_number(add_text(hash, f->name), (uint64_t)f->dtype);
    hash = add_number(hash, trm_ckpt_data_digest(trm_fact_data(f), bytes));
  }
  hash = add_number(hash, (uint64_t)n_arrays);
  return add_number(hash, arrays_digest);
}

trm_status trm_ckpt_digest_write(trm_container *file, const char *object, const char *name,
                                 uint64_t digest) {
  char text[17];
  snprintf(text, sizeof text, "%016llx", (unsigned long long)digest);
  return trm_attr_write_text(file, object, name, text);
}

trm_status trm_ckpt_digest_read(trm_container *file, const char *object, const char *name,
                                uint64_t *digest) {
  char *text = NULL;
  TRM_TRY(trm_attr_read_text(file, object, name, &text));
  const bool good = strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
  if (good) *digest = strtoull(text, NULL, 16);
  TRM_FREE(text);
  if (good) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: attribute '%s' of '%s' is not a digest of 16 digits",
                  trm_container_path(file), name, object);
}
