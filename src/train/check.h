/** What training makes of its configuration before it starts anything, shared with --check. */
#ifndef TRIREME_TRAIN_CHECK_H
#define TRIREME_TRAIN_CHECK_H

#include "trireme/core/config.h"
#include "trireme/input/dataset.h"

/**
 * Writes what is left to us and depends on the configuration alone (batch.blocks) into it, so that
 * the run's file, the checkpoint and the comparison at resume hold what was really used.
 * Not collective. @return TRM_ERR_CONFIG when values do not go together
 */
trm_status trm_train_resolve(trm_config *config);

/** Opens data.path and checks that it is long enough for model.context. Not collective. On failure
 *  too, *dataset is for trm_dataset_close. */
trm_status trm_train_open_data(const trm_config *config, trm_dataset **dataset);

#endif
