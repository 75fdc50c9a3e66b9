/** What softmax cross-entropy may do besides the plain form. */
#ifndef TRIREME_MATH_XENT_H
#define TRIREME_MATH_XENT_H

#include "trireme/math/real.h"

/**
 * A row with target t adds weights[t] (lse - sum over classes k of q_k logit_k) to the loss and
 * weights[t] to its count, where q is 1 - smoothing for the target and smoothing / V for all classes.
 * Source: Szegedy et al. 2016, arXiv:1512.00567, section 7.
 */
typedef struct trm_xent {
  double smoothing;     /* in [0, 1) */
  const float *weights; /* [V] by class of the target, none negative; NULL: all 1; borrowed */
} trm_xent;

#endif
