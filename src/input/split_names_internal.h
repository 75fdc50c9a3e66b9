/** Names of splits and their parts in a file. */
#ifndef TRIREME_INPUT_SPLIT_NAMES_INTERNAL_H
#define TRIREME_INPUT_SPLIT_NAMES_INTERNAL_H

#include "trireme/io/container.h"

/** That /splits, which is there, has numbered splits alone, and the n_splits of them parts alone that there
 *  are. @return TRM_ERR_DATA naming another member, and what is perhaps meant */
trm_status trm_split_names_check(trm_container *file, int n_splits);

#endif
