/*
 * Triangular cycles: the rate rises from a low one to optimizer.lr and falls again, over and over.
 *
 *   x = |t / half_period - 2 floor(1 + t / (2 half_period)) + 1|
 *   lr = low base + (1 - low) base max(0, 1 - x)
 *
 * with t steps after the warm-up. Source: Smith 2017, "Cyclical learning rates for training neural
 * networks", arXiv:1506.01186, the policy "triangular".
 */
#include <math.h>
#include <stdio.h>
#include <trireme/optim/plugin.h>

enum { HALF_PERIOD, LOW, N_SETTINGS };
static const trm_plugin_setting settings[N_SETTINGS] = {
    [HALF_PERIOD] = {.name = "half_period", .fallback = 200, .min = 1, .max = 1e9},
    [LOW] = {.name = "low", .fallback = 0.1, .min = 0, .max = 1},
};

static int check(const double *values, char *message, size_t size) {
  if (values[HALF_PERIOD] == floor(values[HALF_PERIOD])) return 0;
  (void)snprintf(message, size, "half_period is %g; it is a whole number of steps",
                 values[HALF_PERIOD]);
  return 1;
}

static double lr(const trm_plugin_moment *m) {
  const double t = (double)(m->step - m->warmup) / m->settings[HALF_PERIOD];
  const double x = fabs(t - 2 * floor(1 + t / 2) + 1);
  const double low = m->settings[LOW] * m->base;
  return low + (m->base - low) * (x < 1 ? 1 - x : 0);
}

TRM_PLUGIN_SCHEDULE = {
    TRM_PLUGIN_SCHEDULE_HEAD, .name = "triangle", .version = "1.0", .n_settings = N_SETTINGS,
    .settings = settings,     .check = check,     .lr = lr};
