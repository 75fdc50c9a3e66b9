/** What evaluations have made of the schedule, in checkpoints. */
#ifndef TRIREME_TRAIN_SCHEDULE_FACTS_H
#define TRIREME_TRAIN_SCHEDULE_FACTS_H

#include "trireme/ckpt/facts.h"
#include "trireme/core/config.h"
#include "trireme/optim/optim.h"

/** Adds the state of a schedule that follows evaluations; nothing for others. @return TRM_ERR_MEMORY */
trm_status trm_schedule_keep(const trm_config *config, const trm_schedule_state *state,
                             trm_facts *facts);
/** Takes it from a checkpoint, where there is one; otherwise leaves it as it is. */
void trm_schedule_restore(const trm_facts *facts, trm_schedule_state *state);

#endif
