/* Cosine with warm restarts: half a cosine over schedule.period steps, then from the top again, each
 * period schedule.period_factor times as long as the one before; it has no end. As
 * torch.optim.lr_scheduler.CosineAnnealingWarmRestarts (T_0, T_mult, eta_min).
 * Source: Loshchilov, Hutter 2017, arXiv:1608.03983, equation 5. */
#include <math.h>

#include "optim_internal.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("schedule.period", "1000", 1, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "Length of the first period, after the warm-up."),
    TRM_KEY_INT("schedule.period_factor", "1", 1, 1000, "", TRM_ON_RESULT,
                "Each period is so many times as long as the one before."),
    TRM_KEY_REAL("schedule.min_lr", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Learning rate at the end of a period."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static const double pi = 3.14159265358979323846;

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  const double low = trm_config_real(config, "schedule.min_lr");
  const int64_t factor = trm_config_int(config, "schedule.period_factor");
  int64_t period = trm_config_int(config, "schedule.period"), at = step - warmup;
  if (factor == 1) at %= period;
  while (at >= period) { /* lengths grow by the factor: few rounds */
    at -= period;
    period *= factor;
  }
  return low + 0.5 * (base - low) * (1 + cos(pi * (double)at / (double)period));
}

const trm_schedule trm_schedule_cosine_restarts = {TRM_SCHEDULE_PART("cosine_restarts", &rows),
                                                   .lr = lr, .check = trm_schedule_check_min_lr};
