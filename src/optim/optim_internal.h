/** The table of optimizers. */
#ifndef TRIREME_OPTIM_OPTIM_INTERNAL_H
#define TRIREME_OPTIM_OPTIM_INTERNAL_H

#include <math.h>

#include "trireme/math/kernels.h"
#include "trireme/optim/optim.h"

enum { TRM_OPTIMIZER_MAX_STATES = 8, TRM_OPTIMIZER_SETTINGS = 12 };

/**
 * Of an optimizer that needs whole parameters, such as matrices. Its update is two steps: a direction,
 * element by element from gradient and states, on any slice; then the move, from the whole direction
 * of one parameter, made by one rank, whichever, to the same bits.
 */
typedef struct trm_whole_update {
  /** Whether it needs this parameter whole (never asked of buffers). */
  bool (*wants)(const trm_param *row);
  /** Writes n elements of the direction u and updates the states; g is multiplied by `scale`.
   *  @param[in] step  number of the update, from 0 */
  void (*direct)(const double settings[TRM_OPTIMIZER_SETTINGS], trm_real *u, const trm_real *w,
                 trm_real *const *states, const trm_real *g, double decay, double scale,
                 int64_t step, int64_t n);
  /** Elements of scratch that `move` needs for a parameter, NULL: none. */
  int64_t (*n_scratch)(const trm_param *row);
  /** Updates w[row->n] from the direction u[row->n], which may be overwritten. */
  void (*move)(const double settings[TRM_OPTIMIZER_SETTINGS], const trm_param *row, trm_real *w,
               trm_real *u, double decay, double lr, trm_real *scratch);
} trm_whole_update;

/** An optimizer. `plan` reads its keys; `step` updates one span of weights. */
typedef struct trm_optimizer_kind {
  trm_config_part part; /* its name, a value of optimizer.name, and the keys it reads */
  int n_states;         /* that there may be */
  const char *state_names[TRM_OPTIMIZER_MAX_STATES];
  /** How many of them there are with these settings; NULL: all. */
  int (*count_states)(const double settings[TRM_OPTIMIZER_SETTINGS]);
  /** Whether its keys fit together; NULL: any do. @return TRM_ERR_CONFIG */
  trm_status (*check)(const trm_config *config);
  /** Fills `settings`, whose meaning only this optimizer knows. */
  void (*plan)(const trm_config *config, double settings[TRM_OPTIMIZER_SETTINGS]);
  /**
   * Updates n weights w from gradient g (to be multiplied by `scale`), update number `step` from 0.
   * Element by element: the same bits wherever an array is cut into spans.
   * @param[in,out] states  n_states arrays, each [n]
   */
  void (*step)(const double settings[TRM_OPTIMIZER_SETTINGS], trm_real *w, trm_real *const *states,
               const trm_real *g, double decay, double scale, double lr, int64_t step, int64_t n);
  /** Rate of the weights that `step` updates, by the schedule's; NULL: the same. */
  double (*rate)(const double settings[TRM_OPTIMIZER_SETTINGS], double lr);
  /** A schedule may cycle the setting number `momentum`, and does unless told, if momentum_cycles. */
  bool has_momentum, momentum_cycles;
  int momentum;
  const trm_whole_update *whole; /* NULL: `step` is all there is to do */
} trm_optimizer_kind;

#define TRM_OPTIMIZER(name) extern const trm_optimizer_kind trm_optimizer_##name;
#include "optimizer_list.h"
#undef TRM_OPTIMIZER

/** optimizer.weight_decay, of optimizers that take it out of the weights (0.1), or add it to the gradient
 *  (0): L2 of the size that suits the first does harm there. */
extern const trm_config_rows trm_decoupled_decay_keys, trm_l2_decay_keys;

/** First line of a trm_optimizer_kind: the part of the optimizer called `optimizer`. */
#define TRM_OPTIMIZER_PART(optimizer, ...)                                                         \
  .part = {.selector = "optimizer.name", .name = optimizer, .rows = {__VA_ARGS__}}

/** Keys, settings and scalars that Adam and AdamW have in common; the settings come first. */
enum { TRM_ADAM_BETA1, TRM_ADAM_SETTINGS = 3 };
extern const trm_config_rows trm_adam_keys;
void trm_adam_settings(double settings[TRM_OPTIMIZER_SETTINGS], double beta1, double beta2,
                       double eps);
/** A row for optimizer.eps. */
#define TRM_KEY_EPS(fallback)                                                                      \
  TRM_KEY_REAL("optimizer.eps", fallback, 1e-30, 1, "", TRM_ON_RESULT,                             \
               "Keeps the step finite where gradients vanish.")
void trm_adam_plan(const trm_config *config, double settings[TRM_OPTIMIZER_SETTINGS]);
trm_adamw_scalars trm_adam_scalars(const double settings[TRM_OPTIMIZER_SETTINGS], double scale,
                                   double lr, int64_t step_number);

/** Square root of one number: correctly rounded, so the same bits everywhere. */
static inline trm_real trm_root(trm_real x) {
#if TRM_REAL_IS_DOUBLE
  return sqrt(x);
#else
  return sqrtf(x);
#endif
}

/** A schedule: the learning rate after the warm-up, a pure function of configuration and step, and of
 *  what evaluations have made of its state. */
typedef struct trm_schedule {
  trm_config_part part; /* its name, a value of schedule.name, and the keys it reads */
  /** Rate of update `step` >= `warmup`, from 0; `base` is optimizer.lr, or what `base` makes of it. */
  double (*lr)(const trm_config *config, double base, int64_t warmup, int64_t step);
  /** Whether its keys fit together; NULL: any do. @return TRM_ERR_CONFIG */
  trm_status (*check)(const trm_config *config);
  const char *length; /* key that says at which step it ends, 0: where training does; NULL: none */
  /** Momentum of update `step`, where it is cycled; NULL: it is the optimizer's. */
  double (*momentum)(const trm_config *config, int64_t step);
  /** Takes an evaluation in: `value` is the lower the better. NULL: evaluations change nothing. */
  void (*observe)(const trm_config *config, trm_schedule_state *state, double value);
  /** Highest rate after the evaluations so far; NULL: `lr` itself. */
  double (*base)(const trm_config *config, const trm_schedule_state *state, double lr);
} trm_schedule;

#define TRM_SCHEDULE(name) extern const trm_schedule trm_schedule_##name;
#include "schedule_list.h"
#undef TRM_SCHEDULE

/** Adds the parts of all schedules, and the keys that they share. */
void trm_schedule_parts(trm_config_parts *parts);

/** Rows of the warm-up, for schedules that have one before them. */
extern const trm_config_rows trm_warmup_keys;
/** First member of a trm_schedule that begins after a warm-up: its part, with the rows given. */
#define TRM_SCHEDULE_PART(schedule, ...)                                                           \
  .part = {.selector = "schedule.name", .name = schedule, .rows = {&trm_warmup_keys, __VA_ARGS__}}

/** Of the way from the end of the warm-up to schedule.decay_steps, the share that is left: 1 to 0. */
double trm_schedule_left(const trm_config *config, int64_t warmup, int64_t step);
/** Whether schedule.min_lr is at most optimizer.lr. @return TRM_ERR_CONFIG */
trm_status trm_schedule_check_min_lr(const trm_config *config);
/** Momentum at `step` if the schedule cycles it: `by_default` says whether one that leaves it to the
 *  optimizer does. */
bool trm_schedule_momentum(const trm_config *config, bool by_default, int64_t step,
                           double *momentum);
/** Whether the schedule's keys ask for momentum to be cycled whatever the optimizer. */
bool trm_schedule_wants_momentum(const trm_config *config);

#endif
