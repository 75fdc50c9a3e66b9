/** A text file that appears whole or not at all. */
#ifndef TRIREME_TRAIN_TEXT_FILE_H
#define TRIREME_TRAIN_TEXT_FILE_H

#include <stdio.h>

#include "trireme/core/status.h"
#include "trireme/input/lists.h"

/** A name of a file that stands for standard output. */
#define TRM_TEXT_TO_TERMINAL "-"

typedef struct trm_text_file {
  FILE *stream; /* to be written to */
  char *text;   /* what has been written */
  size_t bytes;
} trm_text_file;

trm_status trm_text_file_begin(trm_text_file *file);
/** Ends the text and writes it to `path` atomically, or to standard output for TRM_TEXT_TO_TERMINAL;
 *  frees it in any case. */
trm_status trm_text_file_publish(trm_text_file *file, const char *path);
/** Gives an unpublished text up; one that was never begun is accepted. */
void trm_text_file_discard(trm_text_file *file);

/** A tab and text i of a list, as a field of one line whatever is in it. */
void trm_put_text_field(FILE *file, const trm_texts *texts, int64_t i);
/** The same of n bytes, without the tab. */
void trm_put_one_line(FILE *file, const char *text, int64_t n);

#endif
