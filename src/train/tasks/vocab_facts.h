/** A vocabulary in a checkpoint, so that text can be written without the data set. */
#ifndef TRIREME_TRAIN_VOCAB_FACTS_H
#define TRIREME_TRAIN_VOCAB_FACTS_H

#include "trireme/ckpt/facts.h"
#include "trireme/input/vocab.h"

/** Adds the facts of a vocabulary; their names begin with `prefix`: "" where there is one alone, else
 *  "input/" or "output/". */
trm_status trm_vocab_facts_put(trm_facts *facts, const char *prefix, const trm_vocab *vocab);
/** The vocabulary among the facts of a checkpoint, checked; its arrays are borrowed from them.
 *  @return TRM_ERR_DATA, naming `path`, when there is none or it is not one */
trm_status trm_vocab_facts_get(const trm_facts *facts, const char *path, const char *prefix,
                               trm_vocab *vocab);

#endif
