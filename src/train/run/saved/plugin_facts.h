/** Which of the user's own libraries a run was trained with, in checkpoints. */
#ifndef TRIREME_TRAIN_PLUGIN_FACTS_H
#define TRIREME_TRAIN_PLUGIN_FACTS_H

#include "trireme/ckpt/facts.h"
#include "trireme/core/config.h"
#include "trireme/core/log.h"

/** Adds name, version and digest of what is loaded. @return TRM_ERR_MEMORY */
trm_status trm_plugins_keep(const trm_config *config, trm_facts *facts);
/**
 * Whether what is loaded is what the checkpoint at `path` was made with; `allow_changes`: another one is
 * warned of. A run that has taken up or given up a library differs in its keys, which are compared
 * elsewhere. @return TRM_ERR_CONFIG
 */
trm_status trm_plugins_compare(const trm_config *config, const trm_facts *facts, const char *path,
                               bool allow_changes, trm_log *log);

#endif
