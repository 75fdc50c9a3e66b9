/* AdamW. Source: Loshchilov, Hutter 2019, arXiv:1711.05101, algorithm 2. */
#include <math.h>

#include "optim_internal.h"
#include "trireme/math/kernels.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL("optimizer.beta1", "0.9", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Decay of the gradient's mean."),
    TRM_KEY_REAL("optimizer.beta2", "0.99", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Decay of the squared gradient's mean."),
    TRM_KEY_REAL("optimizer.eps", "1e-8", 1e-30, 1, "", TRM_ON_RESULT,
                 "Keeps the step finite where gradients vanish."),
};
const trm_config_rows trm_adam_keys = TRM_CONFIG_ROWS(keys);

enum { BETA1, BETA2, EPS };
enum { M, V };

void trm_adam_plan(const trm_config *config, double settings[8]) {
  settings[BETA1] = trm_config_real(config, "optimizer.beta1");
  settings[BETA2] = trm_config_real(config, "optimizer.beta2");
  settings[EPS] = trm_config_real(config, "optimizer.eps");
}

trm_adamw_scalars trm_adam_scalars(const double settings[8], double scale, double lr,
                                   int64_t step_number) {
  const double t = (double)(step_number + 1);
  return (trm_adamw_scalars){
      .scale = (trm_real)scale,
      .lr = (trm_real)lr,
      .beta1 = settings[BETA1],
      .beta2 = settings[BETA2],
      .eps = (trm_real)settings[EPS],
      .correction1 = (trm_real)(1 - pow(settings[BETA1], t)),
      .correction2 = (trm_real)(1 - pow(settings[BETA2], t)),
  };
}

static void step(const double settings[8], trm_real *w, trm_real *const *states, const trm_real *g,
                 double decay, double scale, double lr, int64_t step_number, int64_t n) {
  const trm_adamw_scalars s = trm_adam_scalars(settings, scale, lr, step_number);
  trm_adamw_update(w, states[M], states[V], g, (trm_real)decay, s, n);
}

const trm_optimizer_kind trm_optimizer_adamw = {TRM_OPTIMIZER_PART("adamw", &trm_adam_keys),
                                                .n_states = 2, .state_names = {"m", "v"},
                                                .plan = trm_adam_plan, .step = step};
