/*
 * Quasi-hyperbolic momentum: a step of plain SGD and one of SGD with momentum, averaged.
 *
 *   m = beta m + (1 - beta) g
 *   w = w - lr ((1 - nu) g + nu m + decay w)
 *
 * nu = 0 is plain SGD, nu = 1 SGD with momentum (dampening = beta). The decay is decoupled from m.
 * Source: Ma, Yarats 2019, "Quasi-hyperbolic momentum and Adam for deep learning", arXiv:1810.06801,
 * equations 3 and 4; its defaults.
 */
#include <trireme/optim/plugin.h>

enum { NU, BETA, N_SETTINGS };
static const trm_plugin_setting settings[N_SETTINGS] = {
    [NU] = {.name = "nu", .fallback = 0.7, .min = 0, .max = 1},
    [BETA] = {.name = "beta", .fallback = 0.999, .min = 0, .max = 0.9999999},
};

static void step(const trm_plugin_slice *s) {
  const float nu = (float)s->settings[NU], beta = (float)s->settings[BETA];
  const float lr = (float)s->lr, decay = (float)s->decay;
  float *m = s->states[0];
  for (int64_t i = 0; i < s->n; ++i) {
    const float g = s->g[i], w = s->w[i];
    m[i] = beta * m[i] + (1 - beta) * g;
    s->w[i] = w - lr * ((1 - nu) * g + nu * m[i] + decay * w);
  }
}

TRM_PLUGIN_OPTIMIZER = {TRM_PLUGIN_OPTIMIZER_HEAD, .name = "qhm",
                        .version = "1.0",          .n_states = 1,
                        .state_names = {"m"},      .n_settings = N_SETTINGS,
                        .settings = settings,      .step = step};
