/** The table of optimizers. */
#ifndef TRIREME_OPTIM_OPTIM_INTERNAL_H
#define TRIREME_OPTIM_OPTIM_INTERNAL_H

#include "trireme/math/kernels.h"
#include "trireme/optim/optim.h"

enum { TRM_OPTIMIZER_MAX_STATES = 2 };

/** An optimizer. `plan` reads its keys; `step` updates one span of weights. */
typedef struct trm_optimizer_kind {
  trm_config_part part; /* its name, a value of optimizer.name, and the keys it reads */
  int n_states;
  const char *state_names[TRM_OPTIMIZER_MAX_STATES];
  /** Fills `settings`, whose meaning only this optimizer knows. */
  void (*plan)(const trm_config *config, double settings[8]);
  /**
   * Updates n weights w from gradient g (to be multiplied by `scale`), update number `step` from 0.
   * Element by element: the same bits wherever an array is cut into spans.
   * @param[in,out] states  n_states arrays, each [n]
   */
  void (*step)(const double settings[8], trm_real *w, trm_real *const *states, const trm_real *g,
               double decay, double scale, double lr, int64_t step, int64_t n);
} trm_optimizer_kind;

#define TRM_OPTIMIZER(name) extern const trm_optimizer_kind trm_optimizer_##name;
#include "optimizer_list.h"
#undef TRM_OPTIMIZER

/** First line of a trm_optimizer_kind: the part of the optimizer called `optimizer`. */
#define TRM_OPTIMIZER_PART(optimizer, ...)                                                         \
  .part = {.selector = "optimizer.name", .name = optimizer, .rows = {__VA_ARGS__}}

/** Keys, settings and scalars that Adam and AdamW have in common. */
extern const trm_config_rows trm_adam_keys;
void trm_adam_plan(const trm_config *config, double settings[8]);
trm_adamw_scalars trm_adam_scalars(const double settings[8], double scale, double lr,
                                   int64_t step_number);

/** A schedule: the learning rate after the warm-up, a pure function of configuration and step. */
typedef struct trm_schedule {
  trm_config_part part; /* its name, a value of schedule.name, and the keys it reads */
  /** Rate of update `step` >= `warmup`, from 0; `base` is optimizer.lr. */
  double (*lr)(const trm_config *config, double base, int64_t warmup, int64_t step);
  /** Whether its keys fit together; NULL: any do. @return TRM_ERR_CONFIG */
  trm_status (*check)(const trm_config *config);
  const char *length; /* key that says at which step it ends, 0: where training does; NULL: none */
} trm_schedule;

#define TRM_SCHEDULE(name) extern const trm_schedule trm_schedule_##name;
#include "schedule_list.h"
#undef TRM_SCHEDULE

/** Adds the parts of all schedules, and the keys that they share. */
void trm_schedule_parts(trm_config_parts *parts);

#define TRM_SCHEDULE_PART(schedule, ...)                                                           \
  .part = {.selector = "schedule.name", .name = schedule, .rows = {__VA_ARGS__}}

#endif
