/** What losses may do besides the plain form. */
#ifndef TRIREME_MATH_XENT_H
#define TRIREME_MATH_XENT_H

#include <stdbool.h>

#include "trireme/math/real.h"

/**
 * A row with target t and weight w = weights[t] share adds w (lse - sum over classes k of q_k logit_k)
 * to the loss and w to its count, where q is 1 - smoothing for the target and smoothing / V for all
 * classes. The share is shares[row], or 1 - shares[row] (`rest`): a row that is mixed of two has two
 * targets, each with a share. Sources: Szegedy et al. 2016, arXiv:1512.00567, section 7; Zhang et al.
 * 2017, arXiv:1710.09412.
 */
typedef struct trm_xent {
  double smoothing;     /* in [0, 1) */
  const float *weights; /* [V] by class of the target, none negative; NULL: all 1; borrowed */
  const float *shares;  /* [N] in [0, 1]; NULL: all 1; borrowed. Not by tiles of columns */
  bool rest;
} trm_xent;

/** What an error of a number costs. */
typedef enum trm_error_kind {
  TRM_ERROR_SQUARED,  /* e^2 */
  TRM_ERROR_ABSOLUTE, /* |e| */
  TRM_ERROR_HUBER,    /* e^2 / 2 up to |e| = delta, then delta (|e| - delta / 2) */
} trm_error_kind;

/** Source of the last: Huber 1964, Annals of Mathematical Statistics 35, p. 73. */
typedef struct trm_number_error {
  trm_error_kind kind;
  double delta; /* > 0: of TRM_ERROR_HUBER */
} trm_number_error;

#endif
