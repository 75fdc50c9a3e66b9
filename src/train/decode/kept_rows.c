#include "kept_rows.h"

#include "trireme/core/memory.h"

trm_status trm_kept_rows_create(const trm_kept_sizes *sizes, int64_t n_rows, trm_kept_rows *k) {
  static const char what[] = "kept keys and values";
  *k = (trm_kept_rows){.layers = sizes->layers};
  TRM_TRY(TRM_ALLOC(&k->rows, k->layers, what));
  TRM_TRY(TRM_ALLOC(&k->kept, k->layers, what));
  for (int64_t i = 0; i < k->layers; ++i) {
    TRM_TRY(TRM_ALLOC(&k->rows[i], n_rows * 2 * sizes->width, what));
    k->kept[i].rows = k->rows[i];
  }
  return TRM_OK;
}

void trm_kept_rows_free(trm_kept_rows *k) {
  for (int64_t i = 0; k->rows && i < k->layers; ++i) TRM_FREE(k->rows[i]);
  TRM_FREE(k->rows);
  TRM_FREE(k->kept);
}

void trm_kept_rows_point(trm_kept_rows *k, const int32_t *append, const trm_sequences *keys,
                         const int32_t *key_rows) {
  for (int64_t i = 0; i < k->layers; ++i) {
    k->kept[i].append = append;
    k->kept[i].keys = keys;
    k->kept[i].key_rows = key_rows;
  }
}
