/** How much of the differences between trials goes with each parameter. Pure. */
#ifndef TRIREME_TRAIN_IMPORTANCE_H
#define TRIREME_TRAIN_IMPORTANCE_H

#include "tuning.h"

/**
 * Share of the variance of the trials' ranks that groups of parameter i explain (epsilon squared, corrected for
 * the number of groups; 0 to 1): choices, or up to four groups of numbers with as many trials each, and those
 * without a value. All trials are compared at the shortest length; those that went wrong are the worst.
 * @param[out] shares  [space->n] NaN where there are too few trials
 * @param[out] n       trials compared
 * @return TRM_ERR_MEMORY
 * Source: Kelley 1935, "An unbiased correlation ratio measure"; first order only, as main effects of fANOVA
 * (Hutter, Hoos, Leyton-Brown 2014).
 */
trm_status trm_tuning_importance(const trm_tuning *search, double *shares, int64_t *n);

#endif
