/* Cosine: half a period from the end of the warm-up to schedule.decay_steps, then the lowest rate.
 * Source: Loshchilov, Hutter 2017, arXiv:1608.03983, equation 5, one period. */
#include <math.h>

#include "optim_internal.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("schedule.decay_steps", "0", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "Step at which the cosine reaches schedule.min_lr; 0: train.steps."),
    TRM_KEY_REAL("schedule.min_lr", "1e-4", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Learning rate the cosine ends at."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static const double pi = 3.14159265358979323846;

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  const int64_t decay = trm_config_int(config, "schedule.decay_steps");
  const double low = trm_config_real(config, "schedule.min_lr");
  TRM_ASSERT(decay > 0); /* trm_schedule_resolve comes first */
  if (step >= decay) return low;
  const double share = (double)(step - warmup) / (double)(decay - warmup);
  return low + 0.5 * (base - low) * (1 + cos(pi * share));
}

const trm_schedule trm_schedule_cosine = {TRM_SCHEDULE_PART("cosine", &rows), .lr = lr,
                                          .check = trm_schedule_check_min_lr,
                                          .length = "schedule.decay_steps"};
