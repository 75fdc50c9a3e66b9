/** Exact evaluation, shared among the ranks. */
#ifndef TRIREME_TRAIN_EVALUATE_H
#define TRIREME_TRAIN_EVALUATE_H

#include "trireme/comm/comm.h"
#include "trireme/input/dataset.h"
#include "trireme/train/learner.h"

typedef struct trm_evaluator trm_evaluator;

/** Collective. Keeps all arguments. Passes run over up to `max_samples` windows of T tokens. */
trm_status trm_evaluator_create(trm_comm *comm, trm_dataset *dataset, trm_learner *learner,
                                int64_t T, int64_t max_samples, trm_evaluator **out);
void trm_evaluator_destroy(trm_evaluator **evaluator);

/**
 * Mean loss over the whole split, or over a share of it, evenly spread. Collective.
 * The split is cut into groups of windows whose losses are added in order: the result does not
 * depend on the rank count.
 * @param stop  asked between groups; when it returns true on any rank, *stopped is set on all and
 *              the loss is NaN. May be NULL.
 */
trm_status trm_evaluator_run(trm_evaluator *evaluator, trm_subset subset, double share,
                             bool (*stop)(void *context), void *context, double *loss,
                             int64_t *tokens, bool *stopped);

#endif
