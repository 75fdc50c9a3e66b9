#include "line_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "trireme/core/memory.h"

enum { ROOM = 1 << 16 };

trm_status trm_line_reader_open(trm_line_reader *reader, const char *path) {
  *reader = (trm_line_reader){.name = path ? path : "standard input", .fd = STDIN_FILENO};
  if (path) reader->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (reader->fd < 0) {
    return trm_fail(trm_status_of_errno(errno), "%s: cannot be opened: %s", path, strerror(errno));
  }
  reader->room = ROOM;
  return TRM_ALLOC(&reader->bytes, reader->room, "lines");
}

void trm_line_reader_close(trm_line_reader *reader) {
  if (reader->fd > STDIN_FILENO) (void)close(reader->fd); /* it was only read */
  TRM_FREE(reader->bytes);
}

/* Room for more behind what is there: moves it to the front, and doubles the block where a line fills
 * all of it. */
static trm_status make_room(trm_line_reader *r) {
  if (r->begin > 0) {
    memmove(r->bytes, r->bytes + r->begin, (size_t)(r->end - r->begin));
    r->end -= r->begin;
    r->begin = 0;
  }
  if (r->end < r->room) return TRM_OK;
  char *larger = NULL;
  TRM_TRY(TRM_ALLOC(&larger, 2 * r->room, "lines"));
  memcpy(larger, r->bytes, (size_t)r->end);
  TRM_FREE(r->bytes);
  r->bytes = larger;
  r->room *= 2;
  return TRM_OK;
}

static trm_status read_more(trm_line_reader *r) {
  TRM_TRY(make_room(r));
  for (;;) {
    const ssize_t got = read(r->fd, r->bytes + r->end, (size_t)(r->room - r->end));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return trm_fail(TRM_ERR_IO, "%s: cannot be read: %s", r->name, strerror(errno));
    r->ended = got == 0;
    r->end += got;
    return TRM_OK;
  }
}

static bool has_line(const trm_line_reader *r) {
  return memchr(r->bytes + r->begin, '\n', (size_t)(r->end - r->begin)) ||
         (r->ended && r->end > r->begin);
}

trm_status trm_line_reader_next(trm_line_reader *r, int64_t most, const char **text,
                                int64_t *offsets, int64_t *n) {
  *n = 0;
  while (!r->ended && !has_line(r)) TRM_TRY(read_more(r));
  *text = r->bytes + r->begin;
  offsets[0] = 0;
  while (*n < most && has_line(r)) {
    const char *from = r->bytes + r->begin;
    const char *end = memchr(from, '\n', (size_t)(r->end - r->begin));
    const int64_t length = end ? end + 1 - from : r->end - r->begin;
    r->begin += length;
    offsets[*n + 1] = offsets[*n] + length;
    ++*n;
  }
  return TRM_OK;
}
