/* Exponential: after the warm-up the learning rate is multiplied by schedule.gamma in every step, as
 * torch.optim.lr_scheduler.ExponentialLR does when it is stepped with the optimizer. */
#include <math.h>

#include "optim_internal.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL("schedule.gamma", "0.999", 1e-9, 1, "", TRM_ON_RESULT,
                 "Factor of the learning rate in each step after the warm-up."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  return base * pow(trm_config_real(config, "schedule.gamma"), (double)(step - warmup));
}

const trm_schedule trm_schedule_exponential = {TRM_SCHEDULE_PART("exponential", &rows), .lr = lr};
