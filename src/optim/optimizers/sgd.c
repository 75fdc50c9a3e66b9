/*
 * SGD with momentum, optionally Nesterov's.
 *
 *   g = gradient + weight_decay w;  u = momentum u + (1 - dampening) g, in the first step u = g
 *   w = w - lr u, or with nesterov  w = w - lr (g + momentum u)
 *
 * As torch.optim.SGD has it: the rate is not part of the momentum, so with a steady gradient the
 * weights move lr g / (1 - momentum) a step.
 * Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning"
 * (ICML).
 */
#include "optim_internal.h"
#include "trireme/math/kernels.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL("optimizer.momentum", "0.9", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Share of the last update kept."),
    TRM_KEY_REAL("optimizer.dampening", "0", 0, 1, "", TRM_ON_RESULT,
                 "Share of the gradient that does not go into the momentum, after the first step."),
    TRM_KEY_BOOL("optimizer.nesterov", "false", TRM_ON_RESULT,
                 "Gradient looked up one step ahead."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

enum { MOMENTUM, DAMPENING, NESTEROV };

static void plan(const trm_config *config, double settings[TRM_OPTIMIZER_SETTINGS]) {
  settings[MOMENTUM] = trm_config_real(config, "optimizer.momentum");
  settings[DAMPENING] = trm_config_real(config, "optimizer.dampening");
  settings[NESTEROV] = trm_config_bool(config, "optimizer.nesterov") ? 1 : 0;
}

static trm_status check(const trm_config *config) {
  const double dampening = trm_config_real(config, "optimizer.dampening");
  if (dampening == 0 || !trm_config_bool(config, "optimizer.nesterov")) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "optimizer.dampening is %g, but Nesterov's momentum has none; set it to 0, or "
                  "optimizer.nesterov to false",
                  dampening);
}

static void step(const double settings[TRM_OPTIMIZER_SETTINGS], trm_real *w,
                 trm_real *const *states, const trm_real *g, double decay, double scale, double lr,
                 int64_t step_number, int64_t n) {
  const double rest = step_number == 0 ? 1 : 1 - settings[DAMPENING];
  trm_sgd_update(w, states[0], g, (trm_real)decay, (trm_real)scale, (trm_real)lr,
                 (trm_real)settings[MOMENTUM], (trm_real)rest, settings[NESTEROV] != 0, n);
}

const trm_optimizer_kind trm_optimizer_sgd = {TRM_OPTIMIZER_PART("sgd", &trm_l2_decay_keys, &rows),
                                              .n_states = 1,
                                              .state_names = {"momentum"},
                                              .check = check,
                                              .has_momentum = true,
                                              .momentum = MOMENTUM,
                                              .momentum_cycles = true,
                                              .plan = plan,
                                              .step = step};
