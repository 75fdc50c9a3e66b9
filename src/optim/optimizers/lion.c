/*
 * Lion: the sign of an interpolated momentum.
 *
 *   u = sign(beta1 m + (1 - beta1) g), sign(0) = 0;  w = w - lr (u + weight_decay w)
 *   m = beta2 m + (1 - beta2) g
 *
 * Every weight moves by lr in every step: rates are 3 to 10 times smaller than AdamW's, and decays as
 * many times larger. One last bit of a gradient can turn a step round, so runs can be compared only
 * where gradients have the same bits.
 * Source: Chen et al. 2023, arXiv:2302.06675, algorithm 2.
 */
#include "optim_internal.h"
#include "trireme/math/threads.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL("optimizer.beta1", "0.9", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Share of the gradient's mean in the sign that is taken."),
    TRM_KEY_REAL("optimizer.beta2", "0.99", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Decay of the gradient's mean."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

enum { BETA1, BETA2 };

static void plan(const trm_config *config, double settings[TRM_OPTIMIZER_SETTINGS]) {
  settings[BETA1] = trm_config_real(config, "optimizer.beta1");
  settings[BETA2] = trm_config_real(config, "optimizer.beta2");
}

/* One span of weights. */
typedef struct span {
  trm_real *w, *m;
  const trm_real *g;
  trm_real beta1, rest1, beta2, rest2, shrink, scale, lr;
} span;

static void update(void *context, int64_t begin, int64_t end) {
  const span s = *(const span *)context;
  for (int64_t i = begin; i < end; ++i) {
    const trm_real gi = s.g[i] * s.scale;
    const trm_real c = s.beta1 * s.m[i] + s.rest1 * gi;
    const trm_real wi = s.w[i] - s.shrink * s.w[i];
    s.m[i] = s.beta2 * s.m[i] + s.rest2 * gi;
    s.w[i] = wi - s.lr * (trm_real)((c > 0) - (c < 0));
  }
}

static void step(const double settings[TRM_OPTIMIZER_SETTINGS], trm_real *w,
                 trm_real *const *states, const trm_real *g, double decay, double scale, double lr,
                 int64_t step_number, int64_t n) {
  (void)step_number;
  span s = {.w = w,
            .m = states[0],
            .g = g,
            .beta1 = (trm_real)settings[BETA1],
            .rest1 = (trm_real)(1 - settings[BETA1]),
            .beta2 = (trm_real)settings[BETA2],
            .rest2 = (trm_real)(1 - settings[BETA2]),
            .shrink = (trm_real)(lr * decay),
            .scale = (trm_real)scale,
            .lr = (trm_real)lr};
  trm_for_chunks(n, update, &s);
}

const trm_optimizer_kind trm_optimizer_lion = {
    TRM_OPTIMIZER_PART("lion", &trm_decoupled_decay_keys, &rows),
    .n_states = 1,
    .state_names = {"m"},
    .has_momentum = true,
    .momentum = BETA1,
    .plan = plan,
    .step = step};
