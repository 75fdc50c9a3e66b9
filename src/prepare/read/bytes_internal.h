/**
 * The bytes of text files, under whatever wrapping: gzip is unpacked, a byte order mark and lines that end
 * with CR alone are mended; what is no text is refused by its name.
 */
#ifndef TRIREME_PREPARE_BYTES_INTERNAL_H
#define TRIREME_PREPARE_BYTES_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trireme/core/status.h"

/** How far the reading of all files has come. Zero it; `show` may be NULL. */
typedef struct trm_scan_progress {
  void (*show)(void *context, double share, const char *what);
  void *context;
  int64_t done, total; /* bytes, as they are in the files */
} trm_scan_progress;

typedef struct trm_bytes {
  const char *path;
  void *gz;                     /* gzFile; NULL: closed */
  char *buffer;                 /* bytes [begin, end) are not used yet */
  int64_t capacity, begin, end; /* of `buffer` */
  int64_t told;                 /* bytes of the file that `progress` knows */
  bool at_end;
  bool packed;    /* it is gzip */
  bool marked;    /* it began with a byte order mark */
  bool cr_alone;  /* lines end with CR and nothing else: they are handed out with LF */
  bool any_bytes; /* need not be text */
  trm_scan_progress *progress;
} trm_bytes;

/**
 * Opens a file and reads its first piece. path and progress (may be NULL) are kept. Any outcome:
 * trm_bytes_close.
 *
 * @param[in] any_bytes  NUL bytes may be there
 * @return TRM_ERR_IO; TRM_ERR_DATA for what is no text: archives, other compression, UTF-16, binary files
 */
trm_status trm_bytes_open(trm_bytes *bytes, const char *path, bool any_bytes,
                          trm_scan_progress *progress);
/** More bytes behind `end`; room is made first, by moving and, when nothing is used, growing. */
trm_status trm_bytes_more(trm_bytes *bytes);
/** Releases everything; returns `status`. */
trm_status trm_bytes_close(trm_bytes *bytes, trm_status status);

/**
 * What the first bytes of a file say it is, where that is no text: TRM_ERR_DATA with its name and what to
 * do. signature.c
 * @param[in] any_bytes  NUL bytes may be there
 */
trm_status trm_signature_check(const char *path, const char *head, int64_t bytes, bool any_bytes);
/**
 * The same for text that is no table of fields: documents, graphs and lists in forms of their own. For
 * tables, before anything of them is taken; comment lines at the begin are passed over. documents.c
 */
trm_status trm_document_check(const trm_bytes *bytes);
/** Whether text begins with records of JSON, a line each. */
bool trm_document_is_records(const char *text, int64_t bytes);

#endif
