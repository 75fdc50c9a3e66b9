/*
 * LAMB: Adam's step, as long in each parameter as the parameter itself.
 *
 *   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
 *   u = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay w
 *   w = w - lr (|w| / |u|) u, the ratio 1 where a norm is 0; norms are of whole parameters
 *
 * The paper's phi is the identity. Source: You et al. 2020, arXiv:1904.00962, algorithm 2.
 */
#include "optim_internal.h"
#include "trireme/math/threads.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL("optimizer.beta1", "0.9", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Decay of the gradient's mean."),
    TRM_KEY_REAL("optimizer.beta2", "0.999", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Decay of the squared gradient's mean."),
    TRM_KEY_EPS("1e-6"),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

enum { M, V };

/* One span of weights. */
typedef struct span {
  trm_real *u, *m, *v;
  const trm_real *w, *g;
  trm_real decay;
  trm_adamw_scalars s;
} span;

static void update(void *context, int64_t begin, int64_t end) {
  const span a = *(const span *)context;
  const trm_real beta1 = (trm_real)a.s.beta1, beta2 = (trm_real)a.s.beta2;
  const trm_real rest1 = (trm_real)(1 - a.s.beta1), rest2 = (trm_real)(1 - a.s.beta2);
  for (int64_t i = begin; i < end; ++i) {
    const trm_real gi = a.g[i] * a.s.scale;
    const trm_real mi = beta1 * a.m[i] + rest1 * gi;
    const trm_real vi = beta2 * a.v[i] + rest2 * (gi * gi);
    const trm_real root = trm_root(vi / a.s.correction2) + a.s.eps;
    a.m[i] = mi;
    a.v[i] = vi;
    a.u[i] = mi / a.s.correction1 / root + a.decay * a.w[i];
  }
}

static bool wants(const trm_param *row) {
  (void)row;
  return true;
}

static void direct(const double settings[TRM_OPTIMIZER_SETTINGS], trm_real *u, const trm_real *w,
                   trm_real *const *states, const trm_real *g, double decay, double scale,
                   int64_t step, int64_t n) {
  span a = {.u = u,
            .m = states[M],
            .v = states[V],
            .w = w,
            .g = g,
            .decay = (trm_real)decay,
            .s = trm_adam_scalars(settings, scale, 0, step)};
  trm_for_chunks(n, update, &a);
}

static void move(const double settings[TRM_OPTIMIZER_SETTINGS], const trm_param *row, trm_real *w,
                 trm_real *u, double decay, double lr, trm_real *scratch) {
  (void)settings, (void)decay, (void)scratch; /* the decay is in the direction */
  const double w_norm = sqrt(trm_sum_squares(w, row->n)), u_norm = sqrt(trm_sum_squares(u, row->n));
  const double ratio = w_norm > 0 && u_norm > 0 ? w_norm / u_norm : 1;
  trm_scale(w, u, (trm_real)(-lr * ratio), row->n, true);
}

static const trm_whole_update whole = {.wants = wants, .direct = direct, .move = move};

const trm_optimizer_kind trm_optimizer_lamb = {
    TRM_OPTIMIZER_PART("lamb", &trm_decoupled_decay_keys, &rows),
    .n_states = 2,
    .state_names = {"m", "v"},
    .has_momentum = true,
    .momentum = TRM_ADAM_BETA1,
    .plan = trm_adam_plan,
    .whole = &whole};
