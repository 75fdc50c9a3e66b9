/** What of a split is trained on, and with what it is validated, as the configuration says. */
#ifndef TRIREME_TRAIN_TRAINING_PART_H
#define TRIREME_TRAIN_TRAINING_PART_H

#include "task.h"
#include "trireme/input/parts.h"

/** Keys: inner folds, a share. */
extern const trm_config_rows trm_part_keys;
/** Key: a bootstrap sample, for tasks that can train on a sample twice. */
extern const trm_config_rows trm_bootstrap_keys;

/** That data.fold is one of data.folds. @return TRM_ERR_CONFIG */
trm_status trm_training_part_check(const trm_config *config);

typedef struct trm_training_part {
  trm_ids train, valid; /* of the split, or of the lists below */
  int32_t *lists[4];    /* owned */
} trm_training_part;

/**
 * First the folds of training and validation part together, then a share of what is left to train on, then a
 * bootstrap sample of that.
 * @return TRM_ERR_CONFIG when there is no such fold, or nothing would be left; TRM_ERR_MEMORY
 */
trm_status trm_training_part_make(const trm_config *config, trm_ids train, trm_ids valid,
                                  const trm_part_facts *facts, trm_training_part *part);
void trm_training_part_free(trm_training_part *part);

#endif
