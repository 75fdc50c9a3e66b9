/**
 * Optimizers and learning-rate schedules over the flat arrays of the parameter table.
 * Not collective: every rank takes the same step from the same gradient, or, when the state is
 * shared out, the same step of its own stripes (parallel/sharded.h has the collective part).
 */
#ifndef TRIREME_OPTIM_OPTIM_H
#define TRIREME_OPTIM_OPTIM_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/config.h"
#include "trireme/core/status.h"
#include "trireme/math/real.h"
#include "trireme/math/stripes.h"
#include "trireme/nn/params.h"

typedef struct trm_optimizer trm_optimizer;

/** Reads optimizer.* and schedule.*; keeps `params`. */
trm_status trm_optimizer_create(const trm_config *config, trm_params *params, trm_optimizer **out);
/** The same with the state of the stripes of `rank` of `size` only, those of
 *  trm_stripes_make(params->n_elements, size). One of one has everything. */
trm_status trm_optimizer_create_share(const trm_config *config, trm_params *params, int rank,
                                      int size, trm_optimizer **out);
void trm_optimizer_destroy(trm_optimizer **optimizer);

/** State arrays ("m", "v"; "momentum"), for checkpoints: each [params->n_elements], or, shared out,
 *  the rank's stripes one after the other (trm_stripes_before). */
int trm_optimizer_n_states(const trm_optimizer *optimizer);
const char *trm_optimizer_state_name(const trm_optimizer *optimizer, int state);
trm_real *trm_optimizer_state(trm_optimizer *optimizer, int state);
trm_stripes trm_optimizer_stripes(const trm_optimizer *optimizer);
/** The table it updates. */
const trm_params *trm_optimizer_params(const trm_optimizer *optimizer);
/** Whether the update is the user's own, from a shared library (optim/plugins.h). */
bool trm_optimizer_is_plugged(const trm_optimizer *optimizer);
/** From now on updates are made at this rate, and with the optimizer's own momentum, in place of the
 *  schedule's. */
void trm_optimizer_fix_rate(trm_optimizer *optimizer, double rate);
/** Bytes of states and of whatever else an update needs. */
int64_t trm_optimizer_bytes(const trm_optimizer *optimizer);
/** Whether a row of the table stays as it is: a rule freezes it (docs/RULES.md). */
bool trm_optimizer_is_frozen(const trm_optimizer *optimizer, int row);
/** Whether the keys of the optimizer fit together. @return TRM_ERR_CONFIG */
trm_status trm_optimizer_check(const trm_config *config);

/* ---- rules by parameter (params.*) ----------------------------------------------------------- */

/** A rule of params.rules, and what it matched. */
typedef struct trm_rule_match {
  const char *text; /* "wte lr=10x"; the optimizer's */
  int n_params;     /* running statistics among them where it freezes */
  int64_t n_weights;
} trm_rule_match;
/** Rules in their order; each has matched something. */
int trm_optimizer_n_rules(const trm_optimizer *optimizer);
trm_rule_match trm_optimizer_rule(const trm_optimizer *optimizer, int i);
/** Whether `name` is of the form of `pattern`, in which * stands for any characters and ? for one. */
bool trm_param_matches(const char *pattern, const char *name);
/** Up to three names of parameters that begin as `pattern` does, into text[size]. */
void trm_param_names_near(const trm_params *params, const char *pattern, char *text, size_t size);
/** Whether some weights shrink to zero (l1), and the share of zeros among them. */
bool trm_optimizer_makes_zeros(const trm_optimizer *optimizer);
double trm_optimizer_zero_share(const trm_optimizer *optimizer);
/** Scales down what is longer than its rule's max_norm: the end of an update, once all weights are
 *  there. trm_optimizer_step does it itself. */
void trm_optimizer_limit_norms(trm_optimizer *optimizer);

/* ---- the update ------------------------------------------------------------------------------ */

/** What a step did, for metrics. */
typedef struct trm_step_info {
  double lr;
  double grad_norm;    /* of the mean gradient, before clipping */
  bool finite;         /* of gradient and rate; false: the weights were not touched */
  int64_t bad_element; /* first element of the gradient that is not finite, -1 if none */
} trm_step_info;

/**
 * One update. `grads` is the sum over the global batch; it is divided by `count` (tokens, nodes,
 * graphs: > 0) and clipped by the global norm. Buffers (nn/params.h) move a tenth of the way to what
 * is given as their gradient, and are not in the norm; nor is what is frozen.
 * @param step number of this update, from 0; bias correction and schedule depend on it alone
 */
void trm_optimizer_step(trm_optimizer *optimizer, const trm_real *grads, double count, int64_t step,
                        trm_step_info *info);

/**
 * Sums of squares of the chunks (TRM_CHUNK, math/stripes.h) of grads[begin..end), without the elements
 * of buffers; `begin` is a multiple of TRM_CHUNK. Added in order over the whole array from 0 they are
 * the sum of squares of trm_optimizer_step, to the bit.
 */
void trm_optimizer_sum_squares_chunks(const trm_optimizer *optimizer, double *sums,
                                      const trm_real *grads, int64_t begin, int64_t end);

/**
 * The update for who knows the sum of squares of the whole gradient: of `grads`, and of the weights,
 * only the rank's own stripes are used. Leaves info->bad_element at -1.
 *
 * Of an optimizer that needs whole parameters (muon, lamb) the update has a second half where the state
 * is shared out: apply writes the directions of the own stripes; once all ranks have all directions,
 * and the weights that are updated element by element, each rank moves the parameters that are dealt
 * to it. Last of all every rank calls trm_optimizer_limit_norms.
 */
void trm_optimizer_apply(trm_optimizer *optimizer, const trm_real *grads, double sum_squares,
                         double count, int64_t step, trm_step_info *info);

/** Directions of whole parameters, [params->n_elements]; NULL: the optimizer needs none whole. */
trm_real *trm_optimizer_directions(trm_optimizer *optimizer);
/** Rank that moves the parameter of a row, -1: it is updated element by element. */
int trm_optimizer_mover(const trm_optimizer *optimizer, int row);
/** Moves the parameters that are dealt to this rank, at the rate of trm_step_info. */
void trm_optimizer_move(trm_optimizer *optimizer, double lr);

/* ---- schedules ------------------------------------------------------------------------------- */

/** What evaluations have made of a schedule that follows them (plateau); zeros: there was none yet. */
typedef struct trm_schedule_state {
  double any;      /* 1: `best` is known */
  double best;     /* the lower the better */
  double n_bad;    /* evaluations since the last one that was better */
  double n_pauses; /* evaluations that do not count after a cut */
  double n_cuts;   /* times the rate was lowered */
} trm_schedule_state;
enum { TRM_SCHEDULE_STATE_VALUES = 5 }; /* doubles, for checkpoints */

/** Learning rate of update `step` (from 0): a pure function of the configuration, whose length must
 *  have been resolved (trm_schedule_resolve), and of the evaluations so far. It rises linearly over
 *  schedule.warmup_steps, and past the schedule's end stays what it was there. */
double trm_schedule_lr_after(const trm_config *config, const trm_schedule_state *state,
                             int64_t step);
/** The same without evaluations. */
double trm_schedule_lr(const trm_config *config, int64_t step);
/** Whether evaluations change the rate. */
bool trm_schedule_follows(const trm_config *config);
/** Takes an evaluation in, if they change the rate. @param[in] value  the lower the better */
void trm_schedule_observe(const trm_config *config, trm_schedule_state *state, double value);
/** That of the optimizer's steps; the caller saves it, restores it and lets it observe. */
trm_schedule_state *trm_optimizer_schedule(trm_optimizer *optimizer);

/** Whether the keys of the schedule fit together. @return TRM_ERR_CONFIG */
trm_status trm_schedule_check(const trm_config *config);
/** Key that says at which step the schedule ends; NULL: it has no end. */
const char *trm_schedule_length_key(const trm_config *config);
/** Step at which the schedule ends, as the configuration has it; 0: left to us, or it has no end. */
int64_t trm_schedule_length(const trm_config *config);
/** Steps of the warm-up, as the configuration has them; 0: none. */
int64_t trm_schedule_warmup(const trm_config *config);

/** What a configuration may leave to us: a length, and a warm-up given as a share of the run. */
typedef struct trm_schedule_steps {
  int64_t length; /* 0: none */
  int64_t warmup; /* -1: it was no share */
} trm_schedule_steps;
/** Those of a run of `n_steps` that begins. */
trm_schedule_steps trm_schedule_steps_for(const trm_config *config, int64_t n_steps);
/** Those that a run began with, from its resolved configuration. */
trm_schedule_steps trm_schedule_steps_of(const trm_config *config);
/** Writes into the configuration what it has left to us. The one place that says how long a schedule
 *  lasts: for a new run by the steps it trains, for one that goes on by what it began with. */
trm_status trm_schedule_take(trm_config *config, const trm_schedule_steps *steps);
/** trm_schedule_take of trm_schedule_steps_for. */
trm_status trm_schedule_resolve(trm_config *config, int64_t n_steps);

/** Adds the parts of all optimizers and schedules, and the keys that they share. */
void trm_optim_parts(trm_config_parts *parts);

#endif
