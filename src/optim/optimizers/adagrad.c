/*
 * AdaGrad: steps divided by the root of the sum of all squared gradients.
 *
 *   g = gradient + weight_decay w;  s = s + g^2, from 0
 *   w = w - lr / (1 + lr_decay t) g / (sqrt(s) + eps), t = 0, 1, ...
 *
 * As torch.optim.Adagrad has it. Source: Duchi, Hazan, Singer 2011, JMLR 12, figure 1 (diagonal).
 */
#include "optim_internal.h"
#include "trireme/math/threads.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL(
        "optimizer.lr_decay", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
        "The rate is divided by 1 + this times the number of steps, besides the schedule."),
    TRM_KEY_EPS("1e-10"),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

enum { LR_DECAY, EPS };

static void plan(const trm_config *config, double settings[TRM_OPTIMIZER_SETTINGS]) {
  settings[LR_DECAY] = trm_config_real(config, "optimizer.lr_decay");
  settings[EPS] = trm_config_real(config, "optimizer.eps");
}

/* One span of weights. */
typedef struct span {
  trm_real *w, *sum;
  const trm_real *g;
  trm_real eps, decay, scale, lr;
} span;

static void update(void *context, int64_t begin, int64_t end) {
  const span s = *(const span *)context;
  for (int64_t i = begin; i < end; ++i) {
    const trm_real gi = s.g[i] * s.scale + s.decay * s.w[i];
    const trm_real sum = s.sum[i] + gi * gi;
    s.sum[i] = sum;
    s.w[i] -= s.lr * (gi / (trm_root(sum) + s.eps));
  }
}

static void step(const double settings[TRM_OPTIMIZER_SETTINGS], trm_real *w,
                 trm_real *const *states, const trm_real *g, double decay, double scale, double lr,
                 int64_t step_number, int64_t n) {
  span s = {.w = w,
            .sum = states[0],
            .g = g,
            .eps = (trm_real)settings[EPS],
            .decay = (trm_real)decay,
            .scale = (trm_real)scale,
            .lr = (trm_real)(lr / (1 + settings[LR_DECAY] * (double)step_number))};
  trm_for_chunks(n, update, &s);
}

const trm_optimizer_kind trm_optimizer_adagrad = {
    TRM_OPTIMIZER_PART("adagrad", &trm_l2_decay_keys, &rows), .n_states = 1, .state_names = {"sum"},
    .plan = plan, .step = step};
