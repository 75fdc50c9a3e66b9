/* A plug-in whose tables are those of whoever loads it: fuzz_plugin fills them in. */
#include <string.h>

#define trm_plugin_optimizer_entry constant_optimizer_entry
#define trm_plugin_schedule_entry constant_schedule_entry
#include "trireme/optim/plugin.h"
#undef trm_plugin_optimizer_entry
#undef trm_plugin_schedule_entry

extern TRM_PLUGIN_VISIBLE trm_plugin_optimizer trm_plugin_optimizer_entry;
extern TRM_PLUGIN_VISIBLE trm_plugin_schedule trm_plugin_schedule_entry;
trm_plugin_optimizer trm_plugin_optimizer_entry;
trm_plugin_schedule trm_plugin_schedule_entry;
