/** How tables of text are read for `trireme prepare`, and what was found out about them. */
#ifndef TRIREME_PREPARE_READING_H
#define TRIREME_PREPARE_READING_H

#include <stdint.h>

#include "trireme/core/status.h"

/** Lines for people, gathered on the way and shown when all has gone well. Zero it first. */
typedef struct trm_notes {
  char *text; /* lines that end with '\n', 0-terminated once there is one */
  int64_t n, capacity;
} trm_notes;

/** Adds a line, unless it is there; NULL is accepted. What is over when memory is short is not told. */
void trm_note(trm_notes *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trm_notes_free(trm_notes *notes);

/** What the user says of tables; NULL is found out. Zero it first. */
typedef struct trm_reading {
  const char *separator; /* "tab", "comma", "semicolon", "pipe", "colons" (::), "blanks" */
  const char *header;    /* "yes", "no": whether the first line names the columns */
  const char *columns; /* "2,1,3" or names: which columns, in the order of what is needed; an empty
                            place: none */
  const char *base;    /* "0", "1": what ids count from */
  const char *ids;     /* "numbers", "names" */
  const char *feature_base; /* "0", "1": what features count from; NULL: as ids do */
  const char *no_label;     /* what says that there is no label, besides an empty field and -1 */
  trm_notes *notes;         /* what was found out is told here; NULL: nowhere */
} trm_reading;

/** @return TRM_ERR_USAGE for a word that is none of those above */
trm_status trm_reading_check(const trm_reading *reading);

#endif
