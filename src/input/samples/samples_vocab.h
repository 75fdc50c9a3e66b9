/** Vocabularies in a file of samples. */
#ifndef TRIREME_INPUT_SAMPLES_VOCAB_H
#define TRIREME_INPUT_SAMPLES_VOCAB_H

#include "trireme/input/vocab.h"
#include "trireme/io/container.h"

/** Reads and checks the vocabulary below `group`. @return TRM_ERR_DATA */
trm_status trm_sample_vocab_read(trm_container *file, const char *path, const char *group,
                                 trm_vocab *vocab);
trm_status trm_sample_vocab_write(trm_container *file, const char *group, const trm_vocab *vocab);

#endif
