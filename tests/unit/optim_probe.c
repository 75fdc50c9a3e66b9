/* A plug-in that shows what it is given: states begin with the place of their element, the direction
 * of matrices is moved by its norm. */
#include <math.h>

#include "trireme/optim/plugin.h"

static const trm_plugin_setting settings[] = {{.name = "rho", .fallback = 0.5, .max = 1}};

static void init(const trm_plugin_slice *s) {
  for (int64_t i = 0; i < s->n; ++i) {
    s->states[0][i] = (trm_plugin_real)(s->first + i + 1);
    s->states[1][i] = (trm_plugin_real)s->parameter->name[0];
  }
}

static void step(const trm_plugin_slice *s) {
  const trm_plugin_real rho = (trm_plugin_real)s->settings[0], lr = (trm_plugin_real)s->lr;
  for (int64_t i = 0; i < s->n; ++i) {
    s->states[0][i] = rho * s->states[0][i] + s->g[i];
    if (s->u) {
      s->u[i] = s->states[0][i];
    } else {
      s->w[i] -=
          lr * (s->states[0][i] + (trm_plugin_real)s->decay * s->w[i] + (trm_plugin_real)s->step);
    }
  }
}

static int wants(const trm_plugin_parameter *parameter) {
  return parameter->n_dims == 2;
}

static int64_t n_scratch(const trm_plugin_parameter *parameter) {
  return parameter->n;
}

static void move(const trm_plugin_move *k) {
  double sum = 0;
  for (int64_t i = 0; i < k->parameter->n; ++i) sum += (double)k->u[i] * (double)k->u[i];
  for (int64_t i = 0; i < k->parameter->n; ++i) {
    k->scratch[i] = k->u[i] / (trm_plugin_real)sqrt(sum);
    k->w[i] -= (trm_plugin_real)k->lr * k->scratch[i] * (trm_plugin_real)(k->step + 1);
  }
}

TRM_PLUGIN_OPTIMIZER = {TRM_PLUGIN_OPTIMIZER_HEAD,
                        .name = "probe",
                        .version = "1",
                        .n_states = 2,
                        .state_names = {"r", "s"},
                        .n_settings = 1,
                        .settings = settings,
                        .init = init,
                        .step = step,
                        .move = move,
                        .wants = wants,
                        .n_scratch = n_scratch};
