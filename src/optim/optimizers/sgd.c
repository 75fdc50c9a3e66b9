/* SGD with momentum, optionally Nesterov's. Source: Sutskever et al. 2013, "On the importance of
 * initialization and momentum in deep learning" (ICML), in the form PyTorch gives it. */
#include "optim_internal.h"
#include "trireme/math/kernels.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL("optimizer.momentum", "0.9", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Share of the last update kept."),
    TRM_KEY_BOOL("optimizer.nesterov", "false", TRM_ON_RESULT,
                 "Gradient looked up one step ahead."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

enum { MOMENTUM, NESTEROV };

static void plan(const trm_config *config, double settings[8]) {
  settings[MOMENTUM] = trm_config_real(config, "optimizer.momentum");
  settings[NESTEROV] = trm_config_bool(config, "optimizer.nesterov") ? 1 : 0;
}

static void step(const double settings[8], trm_real *w, trm_real *const *states, const trm_real *g,
                 double decay, double scale, double lr, int64_t step_number, int64_t n) {
  (void)step_number;
  trm_sgd_update(w, states[0], g, (trm_real)decay, (trm_real)scale, (trm_real)lr,
                 (trm_real)settings[MOMENTUM], settings[NESTEROV] != 0, n);
}

const trm_optimizer_kind trm_optimizer_sgd = {TRM_OPTIMIZER_PART("sgd", &rows), .n_states = 1,
                                              .state_names = {"momentum"}, .plan = plan,
                                              .step = step};
