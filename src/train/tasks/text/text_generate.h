/** Text from the checkpoint of a language model. */
#ifndef TRIREME_TRAIN_TEXT_GENERATE_H
#define TRIREME_TRAIN_TEXT_GENERATE_H

#include <stdio.h>

#include "restore.h"
#include "trireme/train/train.h"

/** Builds the model, and writes prompt and generated text to `out`, token by token. The window slides:
 *  each token is drawn from a pass over the last model.context tokens. On one rank.
 *  What the vocabulary has not becomes the token for the unknown, which is said once, or is TRM_ERR_DATA
 *  where there is none. @return TRM_ERR_IO too */
trm_status trm_text_generate(trm_restored *restored, const char *path,
                             const trm_generate_options *options, FILE *out);

#endif
