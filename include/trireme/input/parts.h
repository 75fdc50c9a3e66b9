/**
 * Cutting what a split trains on: folds, shares, bootstrap samples. Pure functions of the lists, of labels and
 * groups, and of a seed. Class by class where there are classes; samples of a group stay together. Not
 * collective.
 */
#ifndef TRIREME_INPUT_PARTS_H
#define TRIREME_INPUT_PARTS_H

#include <stdint.h>

#include "trireme/core/status.h"
#include "trireme/input/lists.h"

/** What is known of samples beside their numbers. */
typedef struct trm_part_facts {
  const int32_t *labels; /* class of each sample; NULL: none */
  const int32_t *groups; /* group of each sample; NULL: each stands for itself */
} trm_part_facts;

/**
 * Deals `pool` to folds of about equal size, and tells fold number `fold` apart from the others.
 * @param[out] rest, held  [pool.n] each, rising
 * @return TRM_ERR_MEMORY
 */
trm_status trm_parts_fold(trm_ids pool, const trm_part_facts *facts, int64_t n_folds, int64_t fold,
                          uint64_t seed, int32_t *rest, int64_t *n_rest, int32_t *held,
                          int64_t *n_held);
/** A share (0 to 1] of `pool`, one at least; those of a smaller share are among those of a larger one.
 *  @param[out] kept  [pool.n] rising @return TRM_ERR_MEMORY */
trm_status trm_parts_share(trm_ids pool, const trm_part_facts *facts, double share, uint64_t seed,
                           int32_t *kept, int64_t *n_kept);
/** As many draws with replacement as there are samples (of groups: as groups), number `number` of such samples.
 *  @param[out] drawn  [*n_drawn] rising, with repetitions; owned by the caller @return TRM_ERR_MEMORY */
trm_status trm_parts_bootstrap(trm_ids pool, const trm_part_facts *facts, int64_t number,
                               uint64_t seed, int32_t **drawn, int64_t *n_drawn);

#endif
