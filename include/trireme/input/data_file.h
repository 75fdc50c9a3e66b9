/**
 * The file of a data set (data/FORMAT.md): its kind, and writing one, whatever it holds.
 * Not collective.
 */
#ifndef TRIREME_INPUT_DATA_FILE_H
#define TRIREME_INPUT_DATA_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trireme/io/container.h"
#include "trireme/io/output.h"

enum {
  TRM_FORMAT_VERSION = 1,
  /* Longest name of a kind that is told apart, and its 0. */
  TRM_KIND_BYTES = 32,
  /* Tokens are read, checked, hashed and written in pieces of this many. The digest chains over
   * the pieces, so the number is part of its definition. */
  TRM_PIECE_TOKENS = 1 << 20,
};

/* ---- reading --------------------------------------------------------------------------------- */

/** Kind of the data set in a file ("text", "graph", ...), without checking the rest. */
trm_status trm_dataset_kind(const char *path, char kind[TRM_KIND_BYTES]);
/** Checks the root's format and reads its kind, escaped and cut. */
trm_status trm_dataset_kind_read(trm_container *file, const char *path, char kind[TRM_KIND_BYTES]);
/** Text attribute of the root that may be absent: then "". */
trm_status trm_note_read(trm_container *file, const char *name, char **text);
/** Closes after a reading that ended with `status`: returns that failure with its message, if it is
 *  one, else that of closing. */
trm_status trm_input_close(trm_container **file, trm_status status);

/** Smallest of U8, U16, I32 that holds ids below `vocab`. */
trm_dtype trm_token_dtype(int64_t vocab);

/* ---- describing ------------------------------------------------------------------------------ */

/** One line "label   text" of a description; the label column is as wide as the widest label. */
void trm_describe_row(FILE *file, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The first lines of every kind's description. */
void trm_describe_head(FILE *file, const char *path, const char *kind, const char *source,
                       const char *created_by);

/* ---- writing --------------------------------------------------------------------------------- */

/**
 * A data set on its way to its name. Zero it first; trm_output_abandon is always safe and is a no-op
 * after trm_output_publish.
 */
typedef struct trm_output {
  trm_container *file;
  char *path, *temporary;
} trm_output;

/** Whether a file ends with the seal of a data set that was prepared, whole or damaged: a
 *  trm_output_made. */
bool trm_dataset_is_sealed(const char *path);

/** Creates the temporary file, empty: for trm_output_publish or trm_output_abandon. */
trm_status trm_output_create(trm_output *output, const char *path);
/** The root's four attributes. */
trm_status trm_output_head(trm_container *file, const char *kind, const char *source);
/** A ragged list of names as group/offsets and group/bytes. */
trm_status trm_output_names(trm_container *file, const char *group, int64_t n,
                            const int64_t *offsets, const char *bytes);

/** Closes the file and gives it its name. */
trm_status trm_output_publish(trm_output *output);
/** Closes and removes the temporary file; the name keeps what it had. */
void trm_output_abandon(trm_output *output);

#endif
