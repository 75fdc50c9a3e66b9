/*
 * Adam: weight decay is part of the gradient, as in torch.optim.Adam.
 *
 *   g = gradient + weight_decay w;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
 *   w = w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 *
 * With optimizer.amsgrad the greatest v so far stands in the place of v (Reddi, Kale, Kumar 2018,
 * arXiv:1904.09237, algorithm 2), before its correction, as PyTorch has it.
 * Source: Kingma, Ba 2015, arXiv:1412.6980, algorithm 1. Settings and scalars are those of AdamW.
 */
#include "optim_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/math/threads.h"

static const trm_config_key keys[] = {
    TRM_KEY_BOOL("optimizer.amsgrad", "false", TRM_ON_RESULT,
                 "Divide by the greatest mean of squared gradients so far."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

enum { AMSGRAD = TRM_ADAM_SETTINGS };
enum { M, V, GREATEST };

static void plan(const trm_config *config, double settings[TRM_OPTIMIZER_SETTINGS]) {
  trm_adam_plan(config, settings);
  settings[AMSGRAD] = trm_config_bool(config, "optimizer.amsgrad") ? 1 : 0;
}

static int count_states(const double settings[TRM_OPTIMIZER_SETTINGS]) {
  return settings[AMSGRAD] != 0 ? 3 : 2;
}

/* One span of weights, with AMSGrad. */
typedef struct span {
  trm_real *w, *m, *v, *greatest;
  const trm_real *g;
  trm_real decay;
  trm_adamw_scalars s;
} span;

static void update(void *context, int64_t begin, int64_t end) {
  const span a = *(const span *)context;
  const trm_real beta1 = (trm_real)a.s.beta1, beta2 = (trm_real)a.s.beta2;
  const trm_real rest1 = (trm_real)(1 - a.s.beta1), rest2 = (trm_real)(1 - a.s.beta2);
  for (int64_t i = begin; i < end; ++i) {
    const trm_real gi = a.g[i] * a.s.scale + a.decay * a.w[i];
    const trm_real mi = beta1 * a.m[i] + rest1 * gi;
    const trm_real vi = beta2 * a.v[i] + rest2 * (gi * gi);
    const trm_real most = vi > a.greatest[i] ? vi : a.greatest[i];
    a.m[i] = mi;
    a.v[i] = vi;
    a.greatest[i] = most;
    a.w[i] -= a.s.lr * (mi / a.s.correction1) / (trm_root(most / a.s.correction2) + a.s.eps);
  }
}

static void step(const double settings[TRM_OPTIMIZER_SETTINGS], trm_real *w,
                 trm_real *const *states, const trm_real *g, double decay, double scale, double lr,
                 int64_t step_number, int64_t n) {
  const trm_adamw_scalars s = trm_adam_scalars(settings, scale, lr, step_number);
  if (settings[AMSGRAD] == 0) {
    trm_adam_update(w, states[M], states[V], g, (trm_real)decay, s, n);
    return;
  }
  span a = {.w = w,
            .m = states[M],
            .v = states[V],
            .greatest = states[GREATEST],
            .g = g,
            .decay = (trm_real)decay,
            .s = s};
  trm_for_chunks(n, update, &a);
}

const trm_optimizer_kind trm_optimizer_adam = {
    TRM_OPTIMIZER_PART("adam", &trm_l2_decay_keys, &trm_adam_keys, &rows),
    .n_states = 3,
    .state_names = {"m", "v", "greatest_v"},
    .count_states = count_states,
    .has_momentum = true,
    .momentum = TRM_ADAM_BETA1,
    .plan = plan,
    .step = step};
