/** A vocabulary in a checkpoint, so that text can be written without the data set. */
#ifndef TRIREME_TRAIN_VOCAB_FACTS_H
#define TRIREME_TRAIN_VOCAB_FACTS_H

#include <stdbool.h>

#include "trireme/ckpt/facts.h"
#include "trireme/input/vocab.h"

/** Adds the facts of a vocabulary; their names begin with `prefix`: "" where there is one alone, else
 *  "input/" or "output/". */
trm_status trm_vocab_facts_put(trm_facts *facts, const char *prefix, const trm_vocab *vocab);
/** The vocabulary among the facts of a checkpoint, checked; its arrays are borrowed from them.
 *  @return TRM_ERR_DATA, naming `path`, when there is none or it is not one */
trm_status trm_vocab_facts_get(const trm_facts *facts, const char *path, const char *prefix,
                               trm_vocab *vocab);

/** Whether each vocabulary of ours is theirs: the first the first and so on, where theirs may be one for two
 *  of ours. */
bool trm_vocab_facts_same(const trm_facts *ours, const trm_facts *theirs);
/** Whether an array of type `dtype` is the same in both, or in neither. */
bool trm_fact_arrays_same(const trm_facts *a, const char *name_a, const trm_facts *b,
                          const char *name_b, trm_dtype dtype);

#endif
