/* Constant: the learning rate stays where the warm-up has brought it. */
#include "optim_internal.h"

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  (void)config, (void)warmup, (void)step;
  return base;
}

const trm_schedule trm_schedule_constant = {TRM_SCHEDULE_PART("constant", NULL), .lr = lr};
