/** Lists of names, of classes, columns or levels: in a checkpoint, and found among each other. */
#ifndef TRIREME_TRAIN_NAMES_FACTS_H
#define TRIREME_TRAIN_NAMES_FACTS_H

#include <stdbool.h>

#include "trireme/ckpt/facts.h"
#include "trireme/input/lists.h"

/** Names of the two facts of a list. */
typedef struct trm_names_fact {
  const char *offsets, *bytes;
} trm_names_fact;

/** Nothing is added where there are no names. @return TRM_ERR_MEMORY */
trm_status trm_names_fact_put(trm_facts *facts, trm_names_fact fact, const trm_texts *names);
/**
 * The names in a checkpoint, borrowed from its facts; n = 0: there are none.
 * @return false: they do not lie one behind the other
 */
bool trm_names_fact_get(const trm_facts *facts, trm_names_fact fact, trm_texts *names);
/** Whether a list is the same in both, or in neither. */
bool trm_names_fact_same(const trm_facts *a, const trm_facts *b, trm_names_fact fact);

/** Whether name i of a is name k of b. */
bool trm_name_same(const trm_texts *a, int64_t i, const trm_texts *b, int64_t k);
/** Whether both lists have the same names in the same order. */
bool trm_names_same(const trm_texts *a, const trm_texts *b);

/** Names [first, first + n) of a list. */
typedef struct trm_names_part {
  const trm_texts *names;
  int64_t first, n;
} trm_names_part;
/**
 * Finds names among others; of others that are equal, the first.
 * @param[out] places  [sought.n] number among `known` from 0; -1: it is none of them
 * @return TRM_ERR_MEMORY
 *
 * Cost: (known.n + sought.n) log known.n comparisons.
 */
trm_status trm_names_places(trm_names_part known, trm_names_part sought, int32_t *places);

#endif
