/** What a checkpoint keeps of inputs that are images or rows of a table: sizes, columns, scales. */
#ifndef TRIREME_TRAIN_VALUE_FACTS_H
#define TRIREME_TRAIN_VALUE_FACTS_H

#include "trireme/ckpt/facts.h"
#include "trireme/input/sample_batches.h"

/** Nothing is added where inputs are tokens. @return TRM_ERR_MEMORY */
trm_status trm_value_facts_put(trm_facts *facts, const trm_sample_view *view);
/**
 * Whether images or rows are such as a model was trained on: the same size, or the same columns in the
 * same order, by name where both have names.
 * @return TRM_ERR_DATA naming `path`, the checkpoint's, and what differs
 */
trm_status trm_value_facts_check(const trm_facts *facts, const char *path, const trm_samples *data);
/**
 * Whether the rows of a table are such as another model was trained on: the same columns and levels in
 * the same order, by name where both have names, of which the same tell that something is missing.
 * @param[out] other  what differs, "columns of numbers"; NULL: nothing, or `ours` has no table
 * @return TRM_ERR_DATA naming `path`, that of `theirs`: it is damaged
 */
trm_status trm_value_facts_compare(const trm_facts *ours, const trm_facts *theirs, const char *path,
                                   const char **other);
/**
 * Takes the checkpoint's scale, and for a table its levels: those of the data set are found among them
 * by name, or by number without names.
 * @param[out] scale       its own; trm_sample_scale_free
 * @param[out] categories  [n, n_categories] of the checkpoint's levels, -1: unknown; NULL: there are no
 *                         columns of categories. TRM_FREE
 * @param[in,out] data     its table gets these levels and categories; names are borrowed from the facts
 */
trm_status trm_value_facts_take(const trm_facts *facts, const char *path, trm_samples *data,
                                trm_sample_scale *scale, int32_t **categories);

#endif
