/*
 * Warm-up, stable, decay: the rate stays at optimizer.lr, and falls to schedule.min_lr in the last
 * schedule.decay_share of schedule.decay_steps. With x the share of the fall that is behind:
 *
 *   linear  lr - (lr - min_lr) x      cosine  half a cosine      sqrt  lr - (lr - min_lr) sqrt(x)
 *
 * Source: Hu et al. 2024, arXiv:2404.06395, section 4; shapes: Hägele et al. 2024, arXiv:2405.18392.
 */
#include <math.h>

#include "optim_internal.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("schedule.decay_steps", "0", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "Step at which schedule.min_lr is reached; 0: train.steps."),
    TRM_KEY_REAL("schedule.decay_share", "0.2", 0, 1, "", TRM_ON_RESULT,
                 "Share of schedule.decay_steps, at its end, in which the rate falls."),
    TRM_KEY_CHOICE("schedule.decay_shape", "linear", "linear|cosine|sqrt", TRM_ON_RESULT,
                   "How it falls."),
    TRM_KEY_REAL("schedule.min_lr", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Learning rate at the end."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static const double pi = 3.14159265358979323846;

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  (void)warmup;
  const double low = trm_config_real(config, "schedule.min_lr");
  const double end = (double)trm_config_int(config, "schedule.decay_steps");
  const double fall = trm_config_real(config, "schedule.decay_share") * end;
  TRM_ASSERT(end > 0); /* trm_schedule_resolve comes first */
  if ((double)step >= end) return low;
  const double behind = ((double)step - (end - fall)) / fall;
  if (!(behind > 0)) return base; /* also where nothing is left to fall in */
  if (trm_config_is(config, "schedule.decay_shape", "cosine")) {
    return low + 0.5 * (base - low) * (1 + cos(pi * behind));
  }
  const bool root = trm_config_is(config, "schedule.decay_shape", "sqrt");
  return base - (base - low) * (root ? sqrt(behind) : behind);
}

const trm_schedule trm_schedule_wsd = {TRM_SCHEDULE_PART("wsd", &rows), .lr = lr,
                                       .check = trm_schedule_check_min_lr,
                                       .length = "schedule.decay_steps"};
