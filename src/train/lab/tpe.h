/**
 * Tree-structured Parzen estimator, one parameter at a time: values that good trials have and bad ones have
 * not. Pure functions: a proposal depends on (seed, trial number, trials) alone.
 *
 * As Optuna 5.0's TPESampler(multivariate=False): good are the best min(ceil(0.1 n), 25) of n finished
 * trials; of the candidates drawn from the good ones' density the one is taken whose ratio to the density of
 * all others is greatest; trials under way count among the others.
 * Source: Bergstra, Bardenet, Bengio, Kegl 2011, "Algorithms for hyper-parameter optimization", section 4;
 * kernels and weights as in Watanabe 2023, arXiv:2304.11127.
 */
#ifndef TRIREME_TRAIN_TPE_H
#define TRIREME_TRAIN_TPE_H

#include "space.h"

/** What is known of a trial. */
typedef enum trm_trial_state {
  TRM_TRIAL_UNDER_WAY, /* nothing is known, so it counts as bad */
  TRM_TRIAL_COMPLETE,
  TRM_TRIAL_PRUNED, /* or paused */
  TRM_TRIAL_BAD     /* diverged or refused: the worst there is */
} trm_trial_state;

typedef struct trm_trial {
  double values[TRM_SPACE_MOST]; /* NaN: it has none */
  trm_trial_state state;
  double cost;    /* the less the better, where complete or pruned */
  double reached; /* share of its length, where pruned */
} trm_trial;

/** Values of trial `number` drawn evenly. */
void trm_tuning_draw(const trm_space *space, uint64_t seed, int64_t number, double *values);
/** Values proposed by TPE after trials[n], which are those before it, in order.
 *  @return TRM_ERR_MEMORY */
trm_status trm_tpe_propose(const trm_space *space, const trm_search_options *options,
                           const trm_trial *trials, int64_t n, int64_t number, double *values);

#endif
