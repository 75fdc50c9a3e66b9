#include "samples.h"

#include <inttypes.h>

#include "trireme/core/hash.h"
#include "trireme/train/learner.h"

static int64_t sample_id(const trm_dataset *dataset, uint64_t seed, int64_t T, int64_t index) {
  int64_t epoch, window, token;
  trm_dataset_locate(dataset, seed, T, index, &epoch, &window, &token);
  return epoch * trm_dataset_epoch_samples(dataset, T) + window;
}

uint64_t trm_samples_hash(const int64_t *samples, int64_t n) {
  uint64_t hash = 0; /* id by id, as trm_samples_expected has them */
  for (int64_t i = 0; i < n; ++i) hash = trm_hash64(&samples[i], sizeof *samples, hash);
  return hash;
}

uint64_t trm_samples_expected(const trm_dataset *dataset, uint64_t seed, int64_t T, int64_t batch,
                              int64_t n_blocks, int64_t step) {
  uint64_t hash = 0;
  for (int64_t b = 0; b < n_blocks; ++b) {
    int64_t first, n;
    trm_block_samples(batch, n_blocks, b, &first, &n);
    uint64_t block = 0;
    for (int64_t i = first; i < first + n; ++i) {
      const int64_t id = sample_id(dataset, seed, T, step * batch + i);
      block = trm_hash64(&id, sizeof id, block);
    }
    hash = trm_hash_chain(hash, block);
  }
  return hash;
}

trm_status trm_samples_write(trm_table *table, const trm_dataset *dataset, uint64_t seed, int64_t T,
                             int64_t batch, int64_t step) {
  TRM_TRY(trm_table_put(table, "%" PRId64 ",", step + 1));
  for (int64_t i = 0; i < batch; ++i) {
    TRM_TRY(trm_table_put(table, "%s%" PRId64, i ? " " : "",
                          sample_id(dataset, seed, T, step * batch + i)));
  }
  return trm_table_put(table, "\n");
}
