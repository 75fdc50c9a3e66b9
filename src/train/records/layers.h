/** layers.tsv of a run: what its model is made of. */
#ifndef TRIREME_TRAIN_LAYERS_H
#define TRIREME_TRAIN_LAYERS_H

#include "trireme/train/learner.h"

/** Writes a line for each operator of the pass that was planned last: name, shape of the output, parameters
 *  and how many weights they are (a parameter that is read again counts once). */
trm_status trm_layers_write(const trm_learner *learner, const char *folder);

#endif
