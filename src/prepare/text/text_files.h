/** Text files, one after another, in pieces. */
#ifndef TRIREME_PREPARE_TEXT_FILES_H
#define TRIREME_PREPARE_TEXT_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

enum {
  TRM_TEXT_PIECE_BYTES = 1 << 20,
  TRM_TEXT_SOURCE_BYTES = 1024,
};

/** Where a piece stands. */
typedef struct trm_text_place {
  const char *file;
  int64_t in_file; /* bytes of the file before the piece */
  int64_t in_all;  /* bytes of all files before it */
  bool at_end;     /* the file ends behind the piece */
} trm_text_place;

/**
 * Takes from the head of a piece, and says how many bytes; what is left is put before the next piece, so
 * at the end of a file it takes all. Whole characters where UTF-8 was asked for.
 */
typedef trm_status (*trm_text_take)(void *context, const trm_text_place *place, const char *text,
                                    int64_t bytes, int64_t *taken);

typedef struct trm_text_files {
  const char *const *files;
  int n;
  bool any_bytes;  /* false: invalid UTF-8 is refused */
  int64_t n_bytes; /* of all, once they have been checked */
  int64_t
      n_marks; /* byte order marks that the last reading left out; of any bytes those at the heads of
                      files, which stay */
  const char
      *not_text; /* a file that is none by its first bytes, which are taken all the same; NULL */
  const char *records; /* a file that is JSON, a record a line; NULL */
} trm_text_files;

/** Looks at all files before the first is read: a slip in the last name shows at once. Fills n_bytes.
 *  @return TRM_ERR_IO; TRM_ERR_DATA when all are empty */
trm_status trm_text_files_check(trm_text_files *files);
/** "a.txt, b.txt ... (12 files)", as much as fits. */
void trm_text_files_name(const trm_text_files *files, char source[TRM_TEXT_SOURCE_BYTES]);
/** Reads all files in order, without byte order marks unless any bytes are taken.
 *  @return TRM_ERR_IO, TRM_ERR_DATA for invalid UTF-8 and what is no text, what `take` returns */
trm_status trm_text_files_read(trm_text_files *files, trm_text_take take, void *context);

#endif
