/** One sentence's choice among continuations: plain arithmetic, without a model. */
#ifndef TRIREME_TRAIN_BEAM_H
#define TRIREME_TRAIN_BEAM_H

#include <stdbool.h>
#include <stdint.h>

/** A hypothesis with one token more. */
typedef struct trm_continuation {
  double log_prob; /* of all its tokens */
  int64_t parent;  /* hypothesis that it goes on from */
  int32_t token;
} trm_continuation;

/**
 * Length reward: log-probabilities of n tokens are divided by ((5 + n) / 6)^alpha.
 * Source: Wu et al. 2016, arXiv:1609.08144, equation 14 (there called a penalty).
 */
double trm_length_reward(int64_t n, double alpha);

/** Puts the likeliest first; of equals, the lower parent, then the lower token. */
void trm_continuations_sort(trm_continuation *c, int64_t n);

/**
 * Whether a sentence is done: no live hypothesis, whatever it becomes, can score more than the worst
 * of the finished ones that are wanted. Also of one hypothesis, as if it were the best: whether it may
 * leave.
 * @param finished  score of the n_best-th finished one; -infinity where there are fewer
 * @param live      log-probability of the best live one
 * @param n         tokens that it has now
 * @param longest   tokens that it may have
 */
bool trm_beam_is_done(double finished, double live, int64_t n, int64_t longest, double alpha);

#endif
