/* Plugin: a schedule of the user's own, from a shared library (trireme/optim/plugin.h). */
#include "optim_internal.h"
#include "plugged.h"

static const trm_config_key keys[] = {
    TRM_KEY_PATH("schedule.plugin", NULL, TRM_NAMES_PLACE,
                 "Shared library of the schedule; a resumed run compares its contents, not its "
                 "path."),
    TRM_KEY_TEXT("schedule.plugin_settings", "", TRM_ON_RESULT,
                 "Numbers that the library asks for, such as \"period=200\"."),
    TRM_KEY_INT("schedule.decay_steps", "0", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "Step at which the schedule ends, as the library is told; 0: train.steps."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static trm_status check(const trm_config *config) {
  if (trm_config_carried(config, "schedule.plugin")) return TRM_OK;
  return trm_fail(
      TRM_ERR_CONFIG,
      "schedule.plugin is %s, which is not loaded: a library is never loaded from a path "
      "in a checkpoint; name it to the command that trains",
      trm_config_string(config, "schedule.plugin"));
}

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  const trm_plugged *plugged = trm_config_carried(config, "schedule.plugin");
  TRM_ASSERT(plugged); /* trm_schedule_check comes first */
  const trm_plugin_moment moment = {.bytes = sizeof moment,
                                    .settings = plugged->settings,
                                    .base = base,
                                    .warmup = warmup,
                                    .length = trm_config_int(config, "schedule.decay_steps"),
                                    .step = step};
  return plugged->schedule->lr(&moment);
}

const trm_schedule trm_schedule_plugin = {TRM_SCHEDULE_PART("plugin", &rows), .lr = lr,
                                          .check = check, .length = "schedule.decay_steps"};
