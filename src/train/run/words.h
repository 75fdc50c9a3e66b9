/** Words of other programs. A new key or value whose name differs from the usual ones has a row here. */
#ifndef TRIREME_TRAIN_WORDS_H
#define TRIREME_TRAIN_WORDS_H

#include "trireme/core/config.h"

const trm_config_word *trm_foreign_words(int *n);

#endif
