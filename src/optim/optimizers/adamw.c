/*
 * AdamW.
 *
 *   w = w - lr weight_decay w;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
 *   w = w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 *
 * Source: Loshchilov, Hutter 2019, arXiv:1711.05101, algorithm 2.
 */
#include <math.h>

#include "optim_internal.h"
#include "trireme/math/kernels.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL("optimizer.beta1", "0.9", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Decay of the gradient's mean."),
    TRM_KEY_REAL("optimizer.beta2", "0.99", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Decay of the squared gradient's mean."),
    TRM_KEY_EPS("1e-8"),
};
const trm_config_rows trm_adam_keys = TRM_CONFIG_ROWS(keys);

enum { BETA1, BETA2, EPS }; /* TRM_ADAM_SETTINGS of them */
enum { M, V };

void trm_adam_settings(double settings[TRM_OPTIMIZER_SETTINGS], double beta1, double beta2,
                       double eps) {
  settings[BETA1] = beta1;
  settings[BETA2] = beta2;
  settings[EPS] = eps;
}

void trm_adam_plan(const trm_config *config, double settings[TRM_OPTIMIZER_SETTINGS]) {
  trm_adam_settings(settings, trm_config_real(config, "optimizer.beta1"),
                    trm_config_real(config, "optimizer.beta2"),
                    trm_config_real(config, "optimizer.eps"));
}

trm_adamw_scalars trm_adam_scalars(const double settings[TRM_OPTIMIZER_SETTINGS], double scale,
                                   double lr, int64_t step_number) {
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

static void step(const double settings[TRM_OPTIMIZER_SETTINGS], trm_real *w,
                 trm_real *const *states, const trm_real *g, double decay, double scale, double lr,
                 int64_t step_number, int64_t n) {
  const trm_adamw_scalars s = trm_adam_scalars(settings, scale, lr, step_number);
  trm_adamw_update(w, states[M], states[V], g, (trm_real)decay, s, n);
}

const trm_optimizer_kind trm_optimizer_adamw = {
    TRM_OPTIMIZER_PART("adamw", &trm_decoupled_decay_keys, &trm_adam_keys),
    .n_states = 2,
    .state_names = {"m", "v"},
    .has_momentum = true,
    .momentum = BETA1,
    .plan = trm_adam_plan,
    .step = step};
