/** All keys of the program: the run's own, and those that its parts bring. */
#ifndef TRIREME_TRAIN_KEYS_H
#define TRIREME_TRAIN_KEYS_H

#include "trireme/core/config.h"

/** Every part there is, in the order of the help. Not collective. */
void trm_program_parts(trm_config_parts *parts);
/** A configuration of them in which nothing is given. */
trm_status trm_program_config(trm_config **out);

#endif
