#include "samples_vocab.h"

#include <stdio.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/input/data_file.h"

static trm_status read_vector(trm_container *file, const char *path, const char *group,
                              const char *member, trm_dtype dtype, void **data, int64_t *n) {
  char name[96];
  trm_array_info info;
  (void)snprintf(name, sizeof name, "%s/%s", group, member);
  if (!trm_container_has(file, name)) {
    return trm_fail(TRM_ERR_DATA, "%s: no array '%s', which a vocabulary must have", path, name);
  }
  TRM_TRY(trm_array_info_get(file, name, &info));
  if (info.n_dims != 1 || info.dtype == TRM_DTYPE_F32 || info.dtype == TRM_DTYPE_F64) {
    return trm_fail(TRM_ERR_DATA, "%s: array '%s' is %s with %d dimensions, expected integers in 1",
                    path, name, trm_dtype_name(info.dtype), info.n_dims);
  }
  *n = info.n_elements;
  TRM_TRY(trm_alloc_bytes(data, *n, trm_dtype_bytes(dtype), "vocabulary"));
  return trm_array_read(file, name, dtype, *data, *n);
}

trm_status trm_sample_vocab_read(trm_container *file, const char *path, const char *group,
                                 trm_vocab *vocab) {
  char *unit = NULL;
  int64_t n_offsets = 0, n_bytes = 0;
  if (!trm_container_has(file, group) || !trm_attr_has(file, group, "unit")) {
    return trm_fail(TRM_ERR_DATA, "%s: no vocabulary '%s' with an attribute 'unit'", path, group);
  }
  TRM_TRY(trm_attr_read_text(file, group, "unit", &unit));
  (void)snprintf(vocab->unit, sizeof vocab->unit, "%s", unit);
  TRM_FREE(unit);
  TRM_TRY(read_vector(file, path, group, "offsets", TRM_DTYPE_I64, (void **)&vocab->offsets,
                      &n_offsets));
  vocab->n = n_offsets - 1;
  TRM_TRY(read_vector(file, path, group, "bytes", TRM_DTYPE_U8, (void **)&vocab->bytes, &n_bytes));
  return trm_vocab_check(vocab, n_bytes, path);
}

trm_status trm_sample_vocab_write(trm_container *file, const char *group, const trm_vocab *vocab) {
  TRM_TRY(trm_output_names(file, group, vocab->n, vocab->offsets, vocab->bytes));
  return trm_attr_write_text(file, group, "unit", vocab->unit);
}
