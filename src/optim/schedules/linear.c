/* Linear: from optimizer.lr in a straight line to schedule.min_lr at schedule.decay_steps, as
 * torch.optim.lr_scheduler.LinearLR with start_factor 1. */
#include "optim_internal.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("schedule.decay_steps", "0", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "Step at which the line reaches schedule.min_lr; 0: train.steps."),
    TRM_KEY_REAL("schedule.min_lr", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Learning rate the line ends at."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  const double low = trm_config_real(config, "schedule.min_lr");
  return low + (base - low) * trm_schedule_left(config, warmup, step);
}

const trm_schedule trm_schedule_linear = {TRM_SCHEDULE_PART("linear", &rows), .lr = lr,
                                          .check = trm_schedule_check_min_lr,
                                          .length = "schedule.decay_steps"};
