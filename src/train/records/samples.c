#include "samples.h"

#include <inttypes.h>

#include "trireme/core/hash.h"
#include "trireme/core/memory.h"

uint64_t trm_samples_hash(const int64_t *samples, int64_t n) {
  uint64_t hash = 0;
  for (int64_t i = 0; i < n; ++i) hash = trm_hash64(&samples[i], sizeof *samples, hash);
  return hash;
}

static trm_status write_row(trm_step_table *table, const trm_task *task, int64_t step,
                            const int64_t *ids, const int64_t *offsets, uint64_t *expected) {
  *expected = 0;
  TRM_TRY(trm_step_table_put(table, "%" PRId64 ",", step + 1));
  for (int64_t b = 0; b < task->n_blocks; ++b) {
    const int64_t n = offsets[b + 1] - offsets[b];
    *expected = trm_hash_chain(*expected, trm_samples_hash(ids + offsets[b], n));
  }
  for (int64_t i = 0; i < offsets[task->n_blocks]; ++i) {
    TRM_TRY(trm_step_table_put(table, "%s%" PRId64, i ? " " : "", ids[i]));
  }
  return trm_step_table_put(table, "\n");
}

trm_status trm_sample_ledger_write(trm_step_table *table, trm_task *task, int64_t step,
                                   uint64_t *expected) {
  int64_t *ids = NULL, *offsets = NULL;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&ids, task->batch, "sample ids"));
  TRM_TRY_OUT(TRM_ALLOC(&offsets, task->n_blocks + 1, "sample ids"));
  TRM_TRY_OUT(task->kind->samples(task, step, ids, offsets));
  TRM_TRY_OUT(write_row(table, task, step, ids, offsets, expected));
out:
  TRM_FREE(ids);
  TRM_FREE(offsets);
  return status;
}
