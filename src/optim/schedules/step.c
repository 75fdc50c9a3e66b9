/* Step: the learning rate is halved every schedule.step_every updates after the warm-up. */
#include <math.h>

#include "optim_internal.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("schedule.step_every", "0", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "The learning rate is halved every so many steps."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  const int64_t every = trm_config_int(config, "schedule.step_every");
  const int64_t halvings = every > 0 ? (step - warmup) / every : 0;
  return ldexp(base, -(int)(halvings < 2048 ? halvings : 2048)); /* 2^-2048 is 0 */
}

static trm_status check(const trm_config *config) {
  if (trm_config_int(config, "schedule.step_every") > 0) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "schedule.step_every is 0, but schedule.name is step: set after how many steps "
                  "the rate is halved");
}

const trm_schedule trm_schedule_step = {TRM_SCHEDULE_PART("step", &rows), .lr = lr, .check = check};
