/** The sample ids of a global batch: what every rank used, as a hash, and as a ledger on request. */
#ifndef TRIREME_TRAIN_SAMPLES_H
#define TRIREME_TRAIN_SAMPLES_H

#include "table.h"
#include "task.h"

/** Hash of the n sample ids a block really used. */
uint64_t trm_samples_hash(const int64_t *samples, int64_t n);

/**
 * Writes the row "step,id id ..." of the global batch of `step` (updates done before it): a pure
 * function of seed and step. Every rank's use of exactly these is what the step's samples hash
 * stands for; *expected is what it must be: blocks' hashes chained as in the gradients' tail.
 */
trm_status trm_sample_ledger_write(trm_step_table *table, trm_task *task, int64_t step,
                                   uint64_t *expected);

#endif
