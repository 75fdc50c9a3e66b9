/* Polynomial: min_lr + (lr - min_lr) (share of the way that is left)^power, as
 * torch.optim.lr_scheduler.PolynomialLR, whose lowest rate is 0. */
#include <math.h>

#include "optim_internal.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("schedule.decay_steps", "0", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "Step at which schedule.min_lr is reached; 0: train.steps."),
    TRM_KEY_REAL("schedule.min_lr", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Learning rate at the end."),
    TRM_KEY_REAL("schedule.power", "2", 1e-3, 1000, "", TRM_ON_RESULT,
                 "Of the share that is left; 1 is a straight line."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  const double low = trm_config_real(config, "schedule.min_lr");
  const double power = trm_config_real(config, "schedule.power");
  return low + (base - low) * pow(trm_schedule_left(config, warmup, step), power);
}

const trm_schedule trm_schedule_polynomial = {TRM_SCHEDULE_PART("polynomial", &rows), .lr = lr,
                                              .check = trm_schedule_check_min_lr,
                                              .length = "schedule.decay_steps"};
