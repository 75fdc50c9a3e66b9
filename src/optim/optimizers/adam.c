/* Adam: weight decay is part of the gradient, as in torch.optim.Adam. Source: Kingma, Ba 2015,
 * arXiv:1412.6980, algorithm 1. Settings and scalars are those of AdamW. */
#include "optim_internal.h"
#include "trireme/math/kernels.h"

enum { M, V };

static void step(const double settings[8], trm_real *w, trm_real *const *states, const trm_real *g,
                 double decay, double scale, double lr, int64_t step_number, int64_t n) {
  const trm_adamw_scalars s = trm_adam_scalars(settings, scale, lr, step_number);
  trm_adam_update(w, states[M], states[V], g, (trm_real)decay, s, n);
}

const trm_optimizer_kind trm_optimizer_adam = {TRM_OPTIMIZER_PART("adam", &trm_adam_keys),
                                               .n_states = 2, .state_names = {"m", "v"},
                                               .plan = trm_adam_plan, .step = step};
