/** A CSV file of a run whose first column is the step: appended to, and cut back when resumed. */
#ifndef TRIREME_TRAIN_TABLE_H
#define TRIREME_TRAIN_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trireme/core/status.h"

typedef struct trm_step_table {
  char path[4096];
  FILE *file; /* NULL: closed */
} trm_step_table;

/** Opens folder/name; rows past `last_step` go, since a resumed run repeats them; unless `whole`, so do
 *  those of `last_step` whose second column is empty, which are of an evaluation that is repeated.
 *  @return TRM_ERR_DATA when it has other columns, TRM_ERR_IO */
trm_status trm_step_table_open(trm_step_table *table, const char *folder, const char *name,
                               const char *header, int64_t last_step, bool whole);
/** A number of the last row, in a column of `header`; *value stays where the table has no row, or nothing
 *  there. @return TRM_ERR_IO, TRM_ERR_MEMORY */
trm_status trm_step_table_last(const trm_step_table *table, const char *header, const char *column,
                               double *value);
/** Adds formatted text; a row may come in several pieces. */
trm_status trm_step_table_put(trm_step_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
trm_status trm_step_table_flush(trm_step_table *table);
trm_status trm_step_table_close(trm_step_table *table);

#endif
