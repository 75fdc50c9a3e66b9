/** The sample ids of a global batch: what every rank used, as a hash, and as a ledger on request. */
#ifndef TRIREME_TRAIN_SAMPLES_H
#define TRIREME_TRAIN_SAMPLES_H

#include "table.h"
#include "trireme/input/dataset.h"

/** Hash of the n sample ids a block really used. */
uint64_t trm_samples_hash(const int64_t *samples, int64_t n);

/**
 * Writes the row "step,id id ..." of the global batch of `step` (updates done before it): a pure
 * function of seed and step. Every rank's use of exactly these is what the step's samples hash
 * stands for, see trm_samples_expected.
 */
trm_status trm_samples_write(trm_table *table, const trm_dataset *dataset, uint64_t seed, int64_t T,
                             int64_t batch, int64_t step);
/** The samples hash that step must have: blocks' hashes chained as in the gradients' tail. */
uint64_t trm_samples_expected(const trm_dataset *dataset, uint64_t seed, int64_t T, int64_t batch,
                              int64_t n_blocks, int64_t step);

#endif
