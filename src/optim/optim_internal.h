/** The table of optimizers. */
#ifndef TRIREME_OPTIM_OPTIM_INTERNAL_H
#define TRIREME_OPTIM_OPTIM_INTERNAL_H

#include "trireme/math/kernels.h"
#include "trireme/optim/optim.h"

enum { TRM_OPTIMIZER_MAX_STATES = 2 };

/** An optimizer. `plan` reads its keys; `step` updates one span of weights. */
typedef struct trm_optimizer_kind {
  const char *name;
  int n_states;
  const char *state_names[TRM_OPTIMIZER_MAX_STATES];
  /** Fills `settings`, whose meaning only this optimizer knows. */
  void (*plan)(const trm_config *config, double settings[8]);
  /** Updates n weights w from gradient g (to be multiplied by `scale`), update number `step`. */
  void (*step)(const double settings[8], trm_real *w, trm_real *const *states, const trm_real *g,
               double decay, double scale, double lr, int64_t step, int64_t n);
} trm_optimizer_kind;

extern const trm_optimizer_kind trm_optimizer_adam;
extern const trm_optimizer_kind trm_optimizer_adamw;
extern const trm_optimizer_kind trm_optimizer_sgd;

/** What Adam and AdamW have in common: their keys, and the scalars of update `step_number`. */
void trm_adam_plan(const trm_config *config, double settings[8]);
trm_adamw_scalars trm_adam_scalars(const double settings[8], double scale, double lr,
                                   int64_t step_number);

#endif
