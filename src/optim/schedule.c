/* Learning-rate schedules: pure functions of the configuration and the step. */
#include <math.h>
#include <string.h>

#include "trireme/optim/optim.h"

static const double pi = 3.14159265358979323846;

/* The constant schedule warms up too, and then stays. Source of the cosine: Loshchilov, Hutter
 * 2017, arXiv:1608.03983, equation 5, one period. */
double trm_schedule_lr(const trm_config *config, int64_t step) {
  const double base = trm_config_real(config, "optimizer.lr");
  const int64_t warmup = trm_config_int(config, "schedule.warmup_steps");
  if (step < warmup) return base * (double)(step + 1) / (double)warmup;
  if (strcmp(trm_config_string(config, "schedule.name"), "constant") == 0) return base;

  int64_t decay = trm_config_int(config, "schedule.decay_steps");
  if (decay == 0) decay = trm_config_int(config, "train.steps");
  const double low = trm_config_real(config, "schedule.min_lr");
  if (step >= decay) return low;
  const double share = (double)(step - warmup) / (double)(decay - warmup);
  return low + 0.5 * (base - low) * (1 + cos(pi * share));
}
