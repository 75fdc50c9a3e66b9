/* Learning-rate schedules: pure functions of the configuration and the step. */
#include <math.h>
#include <string.h>

#include "trireme/optim/optim.h"

static const double pi = 3.14159265358979323846;

/* The constant schedule warms up too, and then stays; "step" is halved every schedule.step_every
 * updates after the warm-up, 0: never. Source of the cosine: Loshchilov, Hutter
 * 2017, arXiv:1608.03983, equation 5, one period. */
double trm_schedule_lr(const trm_config *config, int64_t step) {
  const double base = trm_config_real(config, "optimizer.lr");
  const int64_t warmup = trm_config_int(config, "schedule.warmup_steps");
  if (step < warmup) return base * (double)(step + 1) / (double)warmup;
  const char *name = trm_config_string(config, "schedule.name");
  if (strcmp(name, "constant") == 0) return base;
  if (strcmp(name, "step") == 0) {
    const int64_t every = trm_config_int(config, "schedule.step_every");
    const int64_t halvings = every > 0 ? (step - warmup) / every : 0;
    return ldexp(base, -(int)(halvings < 2048 ? halvings : 2048)); /* 2^-2048 is 0 */
  }

  int64_t decay = trm_config_int(config, "schedule.decay_steps");
  if (decay == 0) decay = trm_config_int(config, "train.steps");
  const double low = trm_config_real(config, "schedule.min_lr");
  if (step >= decay) return low;
  const double share = (double)(step - warmup) / (double)(decay - warmup);
  return low + 0.5 * (base - low) * (1 + cos(pi * share));
}
