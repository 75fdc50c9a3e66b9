/** Lines of a file or pipe, as they come. */
#ifndef TRIREME_TRAIN_LINE_READER_H
#define TRIREME_TRAIN_LINE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

typedef struct trm_line_reader {
  const char *name; /* borrowed */
  int fd;
  bool ended;
  char *bytes; /* [room] owned; [begin, end) was read and not handed out */
  int64_t begin, end, room;
} trm_line_reader;

/** Opens `path`, or takes standard input when it is NULL. @return TRM_ERR_IO */
trm_status trm_line_reader_open(trm_line_reader *reader, const char *path);
void trm_line_reader_close(trm_line_reader *reader);
/**
 * Hands out lines that are there, at most `most`, and waits only for the first. The last one may have no
 * end of line.
 * @param[out] text   valid until the next call; lines are text[offsets[i]] .. text[offsets[i + 1]],
 *                    with their ends
 * @param[out] offsets  [most + 1]
 * @param[out] n      0 at the end
 */
trm_status trm_line_reader_next(trm_line_reader *reader, int64_t most, const char **text,
                                int64_t *offsets, int64_t *n);

#endif
