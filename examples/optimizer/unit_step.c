/*
 * Normalized momentum: the step of each parameter has the length lr sqrt(n), whatever its gradient.
 *
 *   m = beta m + (1 - beta) g;  w = (1 - lr decay) w - lr sqrt(n) m / |m|
 *
 * An update that needs parameters whole: step writes the direction, element by element; move makes
 * the step. Source: Cutkosky, Mehta 2020, "Momentum improves normalized SGD", arXiv:2002.03305,
 * algorithm 1, by parameter.
 */
#include <math.h>
#include <trireme/optim/plugin.h>

static const trm_plugin_setting settings[] = {
    {.name = "beta", .fallback = 0.9, .min = 0, .max = 0.9999999}};

static void step(const trm_plugin_slice *s) {
  const float beta = (float)s->settings[0];
  float *m = s->states[0];
  for (int64_t i = 0; i < s->n; ++i) {
    m[i] = beta * m[i] + (1 - beta) * s->g[i];
    s->u[i] = m[i];
  }
}

static void move(const trm_plugin_move *k) {
  const int64_t n = k->parameter->n;
  double squares = 0;
  for (int64_t i = 0; i < n; ++i) squares += (double)k->u[i] * (double)k->u[i];
  const float shrink = (float)(1 - k->lr * k->decay);
  const float length = squares > 0 ? (float)(k->lr * sqrt((double)n / squares)) : 0;
  for (int64_t i = 0; i < n; ++i) k->w[i] = shrink * k->w[i] - length * k->u[i];
}

TRM_PLUGIN_OPTIMIZER = {TRM_PLUGIN_OPTIMIZER_HEAD,
                        .name = "unit_step",
                        .version = "1.0",
                        .n_states = 1,
                        .state_names = {"m"},
                        .n_settings = 1,
                        .settings = settings,
                        .step = step,
                        .move = move};
