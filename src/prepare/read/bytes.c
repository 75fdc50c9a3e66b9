#include "bytes_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "trireme/core/memory.h"

enum { PIECE_BYTES = 1 << 20, GZ_BYTES = 1 << 17, LOOKED_AT_BYTES = 1 << 16 };
#define MAX_LINE_BYTES (INT64_C(1) << 32)

/* ---- reading ---------------------------------------------------------------------------------- */

static void tell(trm_bytes *b) {
  trm_scan_progress *p = b->progress;
  if (!p) return;
  const int64_t at = gzoffset(b->gz);
  if (at <= b->told) return;
  p->done += at - b->told;
  b->told = at;
  if (!p->show) return;
  p->show(p->context, p->done < p->total ? (double)p->done / (double)p->total : 1, b->path);
}

static trm_status fail_read(trm_bytes *b) {
  int code;
  const int error = errno;
  const char *text = gzerror(b->gz, &code);
  if (code == Z_ERRNO) {
    return trm_fail(TRM_ERR_IO, "%s: cannot be read: %s", b->path, strerror(error));
  }
  if (code == Z_BUF_ERROR) {
    return trm_fail(TRM_ERR_DATA, "%s: the gzip file ends too early; copy or download it again",
                    b->path);
  }
  return trm_fail(TRM_ERR_DATA, "%s: the gzip file is damaged (%s); copy or download it again",
                  b->path, text);
}

static void end_lines_with_lf(char *text, int64_t bytes) {
  for (int64_t i = 0; i < bytes; ++i) {
    if (text[i] == '\r') text[i] = '\n';
  }
}

static trm_status make_room(trm_bytes *b) {
  if (b->begin > 0) {
    memmove(b->buffer, b->buffer + b->begin, (size_t)(b->end - b->begin));
    b->end -= b->begin;
    b->begin = 0;
  }
  if (b->end < b->capacity) return TRM_OK;
  if (b->capacity >= MAX_LINE_BYTES) {
    return trm_fail(TRM_ERR_DATA, "%s: a line of more than 4 GiB; is it a text file?", b->path);
  }
  char *grown = NULL;
  TRM_TRY(TRM_ALLOC(&grown, 2 * b->capacity, "line of a text"));
  memcpy(grown, b->buffer, (size_t)b->end);
  TRM_FREE(b->buffer);
  b->buffer = grown;
  b->capacity *= 2;
  return TRM_OK;
}

trm_status trm_bytes_more(trm_bytes *bytes) {
  trm_bytes *b = bytes;
  TRM_TRY(make_room(b));
  const int64_t room = b->capacity - b->end;
  const unsigned wanted = room < PIECE_BYTES ? (unsigned)room : PIECE_BYTES;
  const int got = gzread(b->gz, b->buffer + b->end, wanted);
  if (got < 0) return fail_read(b);
  b->at_end = got == 0;
  if (got == 0) {
    int code;
    (void)gzerror(b->gz, &code);
    if (code != Z_OK && code != Z_STREAM_END) return fail_read(b);
  }
  if (b->cr_alone) end_lines_with_lf(b->buffer + b->end, got);
  b->end += got;
  tell(b);
  return TRM_OK;
}

/* ---- opening ---------------------------------------------------------------------------------- */

/* Whether there are CRs and no LF: lines as Macintosh programs wrote them, and some still do. */
static bool has_cr_alone(const char *text, int64_t bytes) {
  return memchr(text, '\r', (size_t)bytes) && !memchr(text, '\n', (size_t)bytes) &&
         memchr(text, '\r', (size_t)bytes) != text + bytes - 1;
}

static trm_status look_at_head(trm_bytes *b, bool any_bytes) {
  const int64_t n = b->end < LOOKED_AT_BYTES ? b->end : LOOKED_AT_BYTES;
  TRM_TRY(trm_signature_check(b->path, b->buffer, n, any_bytes));
  if (n >= 3 && memcmp(b->buffer, "\xEF\xBB\xBF", 3) == 0) {
    b->marked = true;
    b->begin = 3;
  }
  b->cr_alone = !any_bytes && has_cr_alone(b->buffer + b->begin, n - b->begin);
  if (b->cr_alone) end_lines_with_lf(b->buffer, b->end);
  return TRM_OK;
}

trm_status trm_bytes_open(trm_bytes *bytes, const char *path, bool any_bytes,
                          trm_scan_progress *progress) {
  trm_bytes *b = bytes;
  *b = (trm_bytes){
      .path = path, .progress = progress, .any_bytes = any_bytes, .capacity = PIECE_BYTES};
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return trm_fail(trm_status_of_errno(errno), "%s: cannot be opened: %s", path, strerror(errno));
  b->gz = gzdopen(fd, "rb");
  if (!b->gz) {
    (void)close(fd); /* it was only read */
    return trm_fail(TRM_ERR_MEMORY, "%s: no memory to read it", path);
  }
  (void)gzbuffer(b->gz, GZ_BYTES);
  TRM_TRY(TRM_ALLOC(&b->buffer, b->capacity, "piece of a text"));
  TRM_TRY(trm_bytes_more(b));
  b->packed = !gzdirect(b->gz);
  return look_at_head(b, any_bytes);
}

trm_status trm_bytes_close(trm_bytes *bytes, trm_status status) {
  if (bytes->gz) (void)gzclose(bytes->gz); /* it was only read */
  bytes->gz = NULL;
  TRM_FREE(bytes->buffer);
  return status;
}
