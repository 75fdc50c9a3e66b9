/** Tables that runs leave for reports: fields between tabs, names in the first line. */
#ifndef TRIREME_TRAIN_TSV_H
#define TRIREME_TRAIN_TSV_H

#include <stdint.h>

#include "trireme/core/status.h"

enum { TRM_TSV_FIELDS = 8 };

/** Gets the fields of a line: [n_fields] texts. */
typedef void (*trm_tsv_visitor)(void *context, char *const *fields, int n_fields);

/** Reads folder/name line by line, the first one too; nothing happens where there is no such file.
 *  @return TRM_ERR_DATA for a line with fewer or more fields than the first, TRM_ERR_IO, TRM_ERR_MEMORY */
trm_status trm_tsv_read(const char *folder, const char *name, trm_tsv_visitor visit, void *context);

#endif
