/* Plugin: an optimizer of the user's own, from a shared library (trireme/optim/plugin.h). */
#include "optim_internal.h"
#include "plugged.h"

static const trm_config_key keys[] = {
    TRM_KEY_PATH("optimizer.plugin", NULL, TRM_NAMES_PLACE,
                 "Shared library of the optimizer; a resumed run compares its contents, not its "
                 "path."),
    TRM_KEY_TEXT("optimizer.plugin_settings", "", TRM_ON_RESULT,
                 "Numbers that the library asks for, such as \"nu=0.7, beta=0.99\"."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static trm_status check(const trm_config *config) {
  const trm_plugged *plugged;
  return trm_plugged_optimizer(config, &plugged);
}

const trm_optimizer_kind trm_optimizer_plugin = {
    TRM_OPTIMIZER_PART("plugin", &trm_decoupled_decay_keys, &rows), .check = check};
