/**
 * What several recommenders say together.
 *
 * A score of theirs means something only beside those that it competed with in training: products among
 * those that are new to a customer, or among those that it knows. So scores are made shares by a softmax
 * over such a list, and shares are what is averaged (a linear pool). It is right for pairs too: the model
 * whose pairs have the probabilities sigmoid(s_i - s_j) of BPR is the one whose shares are the softmax.
 * Averaged scores would let the member decide whose scores are spread most, and would compare what a
 * customer's scores have in common, which nothing determines. Probabilities of a purchase each stand for
 * themselves: their mean.
 * Sources: Lakshminarayanan et al. 2017, arXiv:1612.01474 (mean of probabilities); Luce 1959, Individual
 * Choice Behavior (shares behind pairs); Rendle et al. 2009, arXiv:1205.2618 (BPR).
 */
#ifndef TRIREME_TRAIN_VOICES_H
#define TRIREME_TRAIN_VOICES_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

/** A model that ranks, by what it has of users and items. */
typedef struct trm_voice {
  float *rows;   /* [n_users + n_items, width] the same on every rank */
  int64_t width; /* of a row */
} trm_voice;

/** Means over voices of the scores of a group of users. */
typedef struct trm_blend {
  int64_t most, J; /* users of a group, at most; items */
  double *sums;    /* [most, J] of shares, or of probabilities; owned */
  double *rests;   /* [most, J] of 1 - probability; owned; NULL: shares */
  double *levels;  /* [most, 2] of the logarithms that a softmax divides by; owned */
  int32_t *counts; /* [most] voices whose scores of the user are finite; owned */
  uint8_t *
      listed; /* [J] 1: of a user's second list, 0: of its first; filled by trm_blend_list; owned */
} trm_blend;

/** @param each  of probabilities, not of shares */
trm_status trm_blend_make(int64_t most, int64_t J, bool each, trm_blend *blend);
void trm_blend_free(trm_blend *blend);
/** Forgets the group before. */
void trm_blend_begin(trm_blend *blend);
/** Says which items are the second list of the user added or told next. */
void trm_blend_list(trm_blend *blend, const int32_t *items, int64_t n);
/** Adds a voice's scores [J] of user `u`: log-odds, or what a softmax over each list makes shares of. Scores
 *  that are not finite say nothing. */
void trm_blend_add(trm_blend *blend, int64_t u, const float *scores);
/** scores[J]: log-odds of the mean probability; or the logarithm of the mean share plus the mean of what the
 *  softmax had taken away, so that of equal voices the mean is what each says. NaN when none says anything. */
void trm_blend_tell(const trm_blend *blend, int64_t u, float *scores);

#endif
