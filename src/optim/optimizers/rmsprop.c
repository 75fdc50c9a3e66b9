/*
 * RMSprop: steps divided by a running root mean square of the gradient, with momentum on request.
 *
 *   g = gradient + weight_decay w;  v = alpha v + (1 - alpha) g^2;  d = g / (sqrt(v) + eps)
 *   w = w - lr d, or with momentum  b = momentum b + d;  w = w - lr b
 *
 * As torch.optim.RMSprop has it (not centred). The update is elementwise.
 * Source: Tieleman, Hinton 2012, Coursera "Neural networks for machine learning", lecture 6.5.
 */
#include <math.h>

#include "optim_internal.h"
#include "trireme/math/threads.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL("optimizer.alpha", "0.99", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Decay of the squared gradient's mean."),
    TRM_KEY_REAL("optimizer.eps", "1e-8", 1e-30, 1, "", TRM_ON_RESULT,
                 "Keeps the step finite where gradients vanish."),
    TRM_KEY_REAL("optimizer.momentum", "0", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Share of the last update kept."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

enum { ALPHA, EPS, MOMENTUM };
enum { V, BUFFER };

static void plan(const trm_config *config, double settings[8]) {
  settings[ALPHA] = trm_config_real(config, "optimizer.alpha");
  settings[EPS] = trm_config_real(config, "optimizer.eps");
  settings[MOMENTUM] = trm_config_real(config, "optimizer.momentum");
}

/* One span of weights. */
typedef struct span {
  trm_real *w, *v, *buffer;
  const trm_real *g;
  trm_real alpha, rest, eps, momentum, decay, scale, lr;
} span;

static void update(void *context, int64_t begin, int64_t end) {
  const span s = *(const span *)context;
  for (int64_t i = begin; i < end; ++i) {
    const trm_real gi = s.g[i] * s.scale + s.decay * s.w[i];
    const trm_real vi = s.alpha * s.v[i] + s.rest * (gi * gi);
    const trm_real bi = s.momentum * s.buffer[i] + gi / (sqrtf(vi) + s.eps);
    s.v[i] = vi;
    s.buffer[i] = bi;
    s.w[i] -= s.lr * bi;
  }
}

static void step(const double settings[8], trm_real *w, trm_real *const *states, const trm_real *g,
                 double decay, double scale, double lr, int64_t step_number, int64_t n) {
  (void)step_number;
  span s = {.w = w,
            .v = states[V],
            .buffer = states[BUFFER],
            .g = g,
            .alpha = (trm_real)settings[ALPHA],
            .rest = (trm_real)(1 - settings[ALPHA]), /* in double: 1 - 0.999f has lost digits */
            .eps = (trm_real)settings[EPS],
            .momentum = (trm_real)settings[MOMENTUM],
            .decay = (trm_real)decay,
            .scale = (trm_real)scale,
            .lr = (trm_real)lr};
  trm_for_chunks(n, update, &s);
}

const trm_optimizer_kind trm_optimizer_rmsprop = {TRM_OPTIMIZER_PART("rmsprop", &rows),
                                                  .n_states = 2, .state_names = {"v", "momentum"},
                                                  .plan = plan, .step = step};
