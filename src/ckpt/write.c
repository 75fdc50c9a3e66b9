/* Writing one checkpoint file. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ckpt_internal.h"
#include "trireme/io/files.h"
#include "trireme/io/seal.h"

/* The list of arrays as it grows: how many, and the sum of their entries' digests. */
typedef struct array_list {
  int64_t n;
  uint64_t digest;
} array_list;

static trm_status write_array(trm_container *file, const char *name, const trm_array_info *array,
                              const void *data, array_list *list) {
  const int64_t bytes = array->n_elements * (int64_t)trm_dtype_bytes(array->dtype);
  const uint64_t digest = trm_ckpt_data_digest(data, bytes);
  TRM_TRY(trm_array_write(file, name, array->dtype, array->n_dims, array->dims, data));
  TRM_TRY(trm_ckpt_digest_write(file, name, "xxh3", digest));
  ++list->n;
  list->digest += trm_ckpt_entry_digest(name, array, digest);
  return TRM_OK;
}

static trm_status write_region(trm_container *file, const trm_region *region, array_list *list) {
  char name[1024];
  trm_array_info array = {.dtype = TRM_DTYPE_F32, .n_dims = region->n_dims};
  const int n = snprintf(name, sizeof name, "/%s", region->name);
  if (n < 0 || (size_t)n >= sizeof name) {
    return trm_fail(TRM_ERR_ARG, "%s: the name of a region is too long", region->name);
  }
  array.n_elements = trm_region_elements(region);
  for (int i = 0; i < region->n_dims; ++i) array.dims[i] = region->dims[i];
  TRM_TRY(write_array(file, name, &array, region->data, list));
  return trm_ckpt_axes_write(file, name, region->axes);
}

static trm_status write_text(trm_container *file, const char *name, const char *text) {
  return trm_attr_write_text(file, "/run", name, text ? text : "");
}

static trm_status write_fact(trm_container *file, const trm_fact *fact, array_list *list) {
  if (fact->type == TRM_FACT_TEXT) return write_text(file, fact->name, trm_fact_data(fact));
  if (fact->type == TRM_FACT_INT) {
    int64_t value;
    memcpy(&value, trm_fact_data(fact), sizeof value);
    return trm_attr_write_int(file, "/run", fact->name, value);
  }
  char name[TRM_FACT_NAME_BYTES + 1];
  const trm_array_info array = {(trm_dtype)fact->dtype, 1, {fact->n}, fact->n};
  snprintf(name, sizeof name, "/%s", fact->name);
  return write_array(file, name, &array, trm_fact_data(fact), list);
}

static trm_status write_info(trm_container *file, const trm_ckpt_info *info,
                             const array_list *list) {
  char seed[32];
  snprintf(seed, sizeof seed, "%llu", (unsigned long long)info->seed);
  TRM_TRY(trm_attr_write_int(file, "/run", "step", info->step));
  TRM_TRY(write_text(file, "seed", seed)); /* as text: it may be past the largest int64 */
  TRM_TRY(trm_ckpt_digest_write(file, "/run", "data_digest", info->data_digest));
  TRM_TRY(trm_ckpt_digest_write(file, "/run", "weights_hash", info->weights_hash));
  TRM_TRY(trm_ckpt_digest_write(file, "/run", "samples_hash", info->samples_hash));
  TRM_TRY(trm_attr_write_real(file, "/run", "best_value", info->best_value));
  TRM_TRY(trm_attr_write_int(file, "/run", "best_step", info->best_step));
  TRM_TRY(trm_attr_write_int(file, "/run", "eval_step", info->eval_step));
  TRM_TRY(write_text(file, "config_text", info->config_text));
  TRM_TRY(write_text(file, "program_version", info->program_version));
  TRM_TRY(write_text(file, "fingerprint", info->fingerprint));
  TRM_TRY(trm_attr_write_int(file, "/run", "n_arrays", list->n));
  TRM_TRY(trm_ckpt_digest_write(file, "/run", "arrays_digest", list->digest));
  const uint64_t digest = trm_ckpt_facts_digest(info, list->n, list->digest, true);
  return trm_ckpt_digest_write(file, "/run", "digest", digest);
}

static trm_status write_all(trm_container *file, const trm_ckpt_info *info,
                            const trm_region *regions, int n_regions) {
  enum { REGION_BYTES = 1 << 10 }; /* more than the structures around one take */
  array_list list = {0};
  int64_t bytes = 0;
  for (int i = 0; i < n_regions; ++i) {
    bytes += trm_region_elements(&regions[i]) * (int64_t)sizeof(float) + REGION_BYTES;
  }
  TRM_TRY(trm_container_reserve(file, bytes));
  TRM_TRY(trm_attr_write_int(file, "/", "trireme_format", TRM_CKPT_FORMAT));
  TRM_TRY(trm_attr_write_text(file, "/", "kind", "checkpoint"));
  for (int i = 0; i < n_regions; ++i) TRM_TRY(write_region(file, &regions[i], &list));
  for (const trm_fact *f = NULL; (f = trm_facts_next(&info->facts, f));) {
    TRM_TRY(write_fact(file, f, &list));
  }
  return write_info(file, info, &list);
}

trm_status trm_ckpt_write(const char *path, const trm_ckpt_info *info, const trm_region *regions,
                          int n_regions) {
  char message[TRM_MESSAGE_BYTES];
  trm_container *file = NULL;
  TRM_TRY(trm_container_create(path, &file));
  trm_status status = write_all(file, info, regions, n_regions);
  snprintf(message, sizeof message, "%s", trm_message());
  const trm_status closed = trm_container_close(&file);
  if (status != TRM_OK) {
    trm_message_set(message); /* the first failure, not what closing made of it */
  } else {
    status = closed;
  }
  if (status == TRM_OK) status = trm_file_seal(path);
  /* What cannot be removed is swept at the next start; the failure above is the one to report. */
  if (status != TRM_OK && unlink(path) < 0) return status;
  return status;
}
