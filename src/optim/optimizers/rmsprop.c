/*
 * RMSprop: steps divided by a running root mean square of the gradient.
 *
 *   g = gradient + weight_decay w;  v = alpha v + (1 - alpha) g^2;  d = g / (sqrt(v) + eps)
 *   w = w - lr d, or with momentum  b = momentum b + d;  w = w - lr b
 *
 * centered: mean = alpha mean + (1 - alpha) g, and v - mean^2, the variance (0 where rounding makes it
 * less), stands under the root. eps_inside: the denominator is sqrt(v + eps), as Keras has it.
 * Otherwise as torch.optim.RMSprop has it: the rate is not part of the momentum.
 * Source: Tieleman, Hinton 2012, Coursera "Neural networks for machine learning", lecture 6.5;
 * centred: Graves 2013, arXiv:1308.0850, equations 38 to 45.
 */
#include "optim_internal.h"
#include "trireme/math/threads.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL("optimizer.alpha", "0.99", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Decay of the squared gradient's mean."),
    TRM_KEY_EPS("1e-8"),
    TRM_KEY_REAL("optimizer.momentum", "0", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Share of the last update kept."),
    TRM_KEY_BOOL("optimizer.centered", "false", TRM_ON_RESULT,
                 "Divide by the deviation of the gradient, not by its root mean square."),
    TRM_KEY_BOOL("optimizer.eps_inside", "false", TRM_ON_RESULT,
                 "Add optimizer.eps under the root, as Keras does, and not to it, as PyTorch."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

enum { ALPHA, EPS, MOMENTUM, CENTERED, EPS_INSIDE };
enum { V, BUFFER, MEAN };

static void plan(const trm_config *config, double settings[TRM_OPTIMIZER_SETTINGS]) {
  settings[ALPHA] = trm_config_real(config, "optimizer.alpha");
  settings[EPS] = trm_config_real(config, "optimizer.eps");
  settings[MOMENTUM] = trm_config_real(config, "optimizer.momentum");
  settings[CENTERED] = trm_config_bool(config, "optimizer.centered") ? 1 : 0;
  settings[EPS_INSIDE] = trm_config_bool(config, "optimizer.eps_inside") ? 1 : 0;
}

static int count_states(const double settings[TRM_OPTIMIZER_SETTINGS]) {
  return settings[CENTERED] != 0 ? 3 : 2;
}

/* One span of weights. */
typedef struct span {
  trm_real *w, *v, *buffer, *mean; /* mean: NULL when not centred */
  const trm_real *g;
  trm_real alpha, rest, momentum, decay, scale, lr;
  trm_real eps_in, eps_out; /* under the root, and added to it: one is 0 */
} span;

static trm_real variance(const span *s, int64_t i, trm_real gi, trm_real vi) {
  if (!s->mean) return vi;
  const trm_real mean = s->alpha * s->mean[i] + s->rest * gi;
  const trm_real rest = vi - mean * mean;
  s->mean[i] = mean;
  return rest > 0 ? rest : 0;
}

static void update(void *context, int64_t begin, int64_t end) {
  const span s = *(const span *)context;
  for (int64_t i = begin; i < end; ++i) {
    const trm_real gi = s.g[i] * s.scale + s.decay * s.w[i];
    const trm_real vi = s.alpha * s.v[i] + s.rest * (gi * gi);
    const trm_real root = trm_root(variance(&s, i, gi, vi) + s.eps_in) + s.eps_out;
    const trm_real bi = s.momentum * s.buffer[i] + gi / root;
    s.v[i] = vi;
    s.buffer[i] = bi;
    s.w[i] -= s.lr * bi;
  }
}

static void step(const double settings[TRM_OPTIMIZER_SETTINGS], trm_real *w,
                 trm_real *const *states, const trm_real *g, double decay, double scale, double lr,
                 int64_t step_number, int64_t n) {
  (void)step_number;
  const trm_real eps = (trm_real)settings[EPS];
  const bool inside = settings[EPS_INSIDE] != 0;
  span s = {.w = w,
            .v = states[V],
            .buffer = states[BUFFER],
            .mean = states[MEAN],
            .g = g,
            .alpha = (trm_real)settings[ALPHA],
            .rest = (trm_real)(1 - settings[ALPHA]), /* in double: 1 - 0.999f has lost digits */
            .momentum = (trm_real)settings[MOMENTUM],
            .decay = (trm_real)decay,
            .scale = (trm_real)scale,
            .lr = (trm_real)lr,
            .eps_in = inside ? eps : 0,
            .eps_out = inside ? 0 : eps};
  trm_for_chunks(n, update, &s);
}

const trm_optimizer_kind trm_optimizer_rmsprop = {
    TRM_OPTIMIZER_PART("rmsprop", &trm_l2_decay_keys, &rows),
    .n_states = 3,
    .state_names = {"v", "momentum", "mean"},
    .count_states = count_states,
    .has_momentum = true,
    .momentum = MOMENTUM,
    .plan = plan,
    .step = step};
