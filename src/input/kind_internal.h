/** The kinds of data sets, for the files that define one. */
#ifndef TRIREME_INPUT_KIND_INTERNAL_H
#define TRIREME_INPUT_KIND_INTERNAL_H

#include "trireme/input/kind.h"

#define TRM_DATA_KIND(name) extern const trm_data_kind trm_data_kind_##name;
#include "kind_list.h"
#undef TRM_DATA_KIND

/** Fails with TRM_ERR_DATA: the file is of kind `found`, `expected` says what was needed, as it stands in
 *  the message. */
trm_status trm_data_kind_refuse(const char *path, const char *found, const char *expected);

#endif
