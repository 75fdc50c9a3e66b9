/*
 * 1cycle: one rise to optimizer.lr and one fall far below where it began, by half cosines; momentum,
 * where it is cycled, the other way round. It is its own warm-up.
 *
 *   rise   lr / div_factor -> lr                          to step rise_share * length - 1
 *   fall   lr -> lr / (div_factor * final_div_factor)     to step length - 1
 *
 * Momentum is cycled with sgd unless told otherwise; with Adam and its kin, whose beta1 it would be,
 * only when schedule.cycle_momentum is on. As torch.optim.lr_scheduler.OneCycleLR, counted in steps.
 * Source: Smith, Topin 2018, arXiv:1708.07120; Smith 2018, arXiv:1803.09820.
 */
#include <math.h>

#include "optim_internal.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("schedule.decay_steps", "0", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "Step at which the cycle ends; 0: train.steps."),
    TRM_KEY_REAL("schedule.rise_share", "0.3", 0, 1, "", TRM_ON_RESULT,
                 "Share of the cycle in which the rate rises."),
    TRM_KEY_REAL("schedule.div_factor", "25", 1, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "The cycle begins at optimizer.lr divided by this."),
    TRM_KEY_REAL("schedule.final_div_factor", "1e4", 1, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "The cycle ends at its first rate divided by this."),
    TRM_KEY_CHOICE("schedule.cycle_momentum", "auto", "auto|on|off", TRM_ON_RESULT,
                   "Whether momentum falls while the rate rises; auto: with sgd."),
    TRM_KEY_REAL("schedule.max_momentum", "0.95", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Momentum at both ends of the cycle, in place of the optimizer's."),
    TRM_KEY_REAL("schedule.base_momentum", "0.85", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Momentum where the rate is highest."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static const double pi = 3.14159265358979323846;

static double half_cosine(double from, double to, double share) {
  return to + (from - to) / 2 * (cos(pi * share) + 1);
}

/* At `step`: begins at `low`, is `high` after the rise, and ends at `last`. */
static double cycle(const trm_config *config, double low, double high, double last, int64_t step) {
  const int64_t length = trm_config_int(config, "schedule.decay_steps");
  TRM_ASSERT(length > 0); /* trm_schedule_resolve comes first */
  const double rise = trm_config_real(config, "schedule.rise_share") * (double)length - 1;
  const double end = (double)(length - 1), at = step < length ? (double)step : end;
  if (at <= rise) return half_cosine(low, high, rise > 0 ? at / rise : 1);
  return half_cosine(high, last, end > rise ? (at - rise) / (end - rise) : 1);
}

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  (void)warmup;
  const double low = base / trm_config_real(config, "schedule.div_factor");
  return cycle(config, low, base, low / trm_config_real(config, "schedule.final_div_factor"), step);
}

static double momentum(const trm_config *config, int64_t step) {
  const double most = trm_config_real(config, "schedule.max_momentum");
  return cycle(config, most, trm_config_real(config, "schedule.base_momentum"), most, step);
}

const trm_schedule trm_schedule_one_cycle = {
    .part = {.selector = "schedule.name", .name = "1cycle", .rows = {&rows}},
    .lr = lr,
    .momentum = momentum,
    .length = "schedule.decay_steps"};
