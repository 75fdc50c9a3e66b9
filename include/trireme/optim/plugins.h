/**
 * Loading the user's own optimizer and schedule (optim/plugin.h is for who writes one).
 *
 * A library runs as the user, so it is loaded on one occasion alone: trm_plugins_load, which whoever
 * read the configuration from the user calls. A configuration that was read from a checkpoint names
 * libraries, too, and never has any. Not collective; ranks compare trm_plugins_digest.
 */
#ifndef TRIREME_OPTIM_PLUGINS_H
#define TRIREME_OPTIM_PLUGINS_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/config.h"
#include "trireme/core/status.h"

/** Keys of the libraries: "optimizer.plugin" and "schedule.plugin". */
enum { TRM_PLUGIN_KEYS = 2 };
extern const char *const trm_plugin_keys[TRM_PLUGIN_KEYS];

/** Loads the libraries that the configuration names, where it uses one, reads their settings, and lets
 *  the configuration own them. @return TRM_ERR_IO: there is no such file; TRM_ERR_CONFIG: it is no
 *  library, has no table, or one that does not fit this program, or settings that do not fit it */
trm_status trm_plugins_load(trm_config *config);

/** What tells a library from another. Texts are borrowed from it. */
typedef struct trm_plugin_identity {
  const char *name, *version;
  uint64_t digest; /* of the file */
} trm_plugin_identity;
/** That of the library loaded for a key; false: none is. */
bool trm_plugin_identify(const trm_config *config, const char *key, trm_plugin_identity *identity);
/** Hash of what is loaded, 0: nothing. */
uint64_t trm_plugins_digest(const trm_config *config);

#endif
