/**
 * Area under the ROC curve over very many pairs, exact and without sorting them: every score of a pair that
 * is not bought is counted against the sorted scores of those that are, equal ones half. Not collective;
 * what processes count is added.
 */
#ifndef TRIREME_TRAIN_PAIR_AUC_H
#define TRIREME_TRAIN_PAIR_AUC_H

#include <stdint.h>

#include "trireme/core/status.h"

typedef struct trm_pair_auc trm_pair_auc;

/** Takes scores[n] of pairs that are bought, which are copied. @return TRM_ERR_MEMORY */
trm_status trm_pair_auc_create(const float *scores, int64_t n, trm_pair_auc **out);
/** NULL is accepted; sets NULL. */
void trm_pair_auc_destroy(trm_pair_auc **auc);
/** Twice the pairs (bought, one of scores[n]) in the right order, equal ones once: a whole number below
 *  2 n times the scores taken. A NaN is below all. */
int64_t trm_pair_auc_count(const trm_pair_auc *auc, const float *scores, int64_t n);

#endif
