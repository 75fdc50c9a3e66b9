#include "text_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

static trm_status invalid_utf8(const char *file, int64_t offset, const char *text, bool at_end) {
  return trm_fail(
      TRM_ERR_DATA,
      "%s: invalid UTF-8 at byte %lld (0x%02X%s); convert the file to UTF-8 (iconv), or "
      "take unit byte, which takes any bytes",
      file, (long long)offset, (unsigned char)*text,
      at_end ? ", the file ends inside a character" : "");
}

/* A whole buffer or, at the end of the file, less. */
static trm_status read_full(int fd, const char *file, char *to, int64_t room, int64_t *n) {
  *n = 0;
  while (*n < room) {
    const ssize_t got = read(fd, to + *n, (size_t)(room - *n));
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return trm_fail(TRM_ERR_IO, "%s: cannot be read: %s", file, strerror(errno));
    *n += got;
  }
  return TRM_OK;
}

/* Bytes of whole characters at the head of a piece. */
static trm_status check_utf8(const trm_text_place *place, const char *text, int64_t bytes,
                             int64_t *whole) {
  for (*whole = 0; *whole < bytes;) {
    uint32_t cp;
    const int length = trm_utf8_decode(text + *whole, bytes - *whole, &cp);
    if (length == TRM_UTF8_INCOMPLETE && !place->at_end) break;
    if (length <= 0) {
      return invalid_utf8(place->file, place->in_file + *whole, text + *whole,
                          length == TRM_UTF8_INCOMPLETE);
    }
    *whole += length;
  }
  return TRM_OK;
}

/* U+FEFF out of the head of a piece, wherever joined files have put it. Returns the bytes left. */
static int64_t remove_marks(char *text, int64_t bytes, int64_t *n_marks) {
  int64_t to = 0;
  if (!memchr(text, 0xEF, (size_t)bytes)) return bytes;
  for (int64_t i = 0; i < bytes;) {
    if (bytes - i >= 3 && memcmp(text + i, "\xEF\xBB\xBF", 3) == 0) {
      i += 3;
      ++*n_marks;
    } else {
      text[to++] = text[i++];
    }
  }
  return to;
}

/* What a file is by its first bytes; of any bytes it is only told. */
static trm_status look_at_head(trm_text_files *files, const char *file, const char *head,
                               int64_t bytes) {
  if (!files->any_bytes) {
    if (bytes > 2 && memcmp(head, "\x1F\x8B", 2) == 0) {
      return trm_fail(TRM_ERR_DATA, "%s: is packed by gzip; unpack it first (gunzip)", file);
    }
    if (trm_document_is_records(head, bytes)) files->records = file;
    return trm_signature_check(file, head, bytes, false);
  }
  files->n_marks += bytes >= 3 && memcmp(head, "\xEF\xBB\xBF", 3) == 0;
  if (trm_signature_check(file, head, bytes, false) != TRM_OK) files->not_text = file;
  return TRM_OK;
}

static trm_status read_file(trm_text_files *files, int fd, char *piece, trm_text_take take,
                            void *context, trm_text_place *place) {
  int64_t kept = 0; /* bytes that were left by the piece before */
  for (;;) {
    int64_t got, taken;
    TRM_TRY(read_full(fd, place->file, piece + kept, TRM_TEXT_PIECE_BYTES - kept, &got));
    int64_t bytes = kept + got;
    int64_t whole = bytes;
    if (bytes == 0) return TRM_OK;
    place->at_end = bytes < TRM_TEXT_PIECE_BYTES;
    if (place->in_file == 0 && kept == 0) TRM_TRY(look_at_head(files, place->file, piece, bytes));
    if (!files->any_bytes) {
      TRM_TRY(check_utf8(place, piece, bytes, &whole));
      const int64_t left = remove_marks(piece, whole, &files->n_marks);
      memmove(piece + left, piece + whole, (size_t)(bytes - whole));
      place->in_file += whole - left;
      bytes -= whole - left;
      whole = left;
      if (bytes == 0) continue;
    }
    TRM_TRY(take(context, place, piece, whole, &taken));
    TRM_ASSERT(taken > 0 && (taken == bytes || !place->at_end));
    kept = bytes - taken;
    memmove(piece, piece + taken, (size_t)kept);
    place->in_file += taken;
    place->in_all += taken;
  }
}

static trm_status read_all(trm_text_files *files, char *piece, trm_text_take take, void *context) {
  trm_text_place place = {0};
  for (int i = 0; i < files->n; ++i) {
    const char *file = files->files[i];
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      return trm_fail(trm_status_of_errno(errno), "%s: cannot be opened: %s", file,
                      strerror(errno));
    place.file = file;
    place.in_file = 0;
    const trm_status status = read_file(files, fd, piece, take, context, &place);
    if (close(fd) != 0 && status == TRM_OK) {
      return trm_fail(TRM_ERR_IO, "%s: cannot be closed: %s", file, strerror(errno));
    }
    TRM_TRY(status);
  }
  return TRM_OK;
}

trm_status trm_text_files_read(trm_text_files *files, trm_text_take take, void *context) {
  files->n_marks = 0;
  files->not_text = files->records = NULL;
  char *piece = NULL;
  TRM_TRY(TRM_ALLOC(&piece, TRM_TEXT_PIECE_BYTES, "piece of a text"));
  const trm_status status = read_all(files, piece, take, context);
  TRM_FREE(piece);
  return status;
}

static trm_status check_file(const char *file, int64_t *bytes) {
  struct stat of;
  if (stat(file, &of) != 0) {
    return trm_fail(trm_status_of_errno(errno), "%s: %s", file, strerror(errno));
  }
  if (S_ISDIR(of.st_mode)) {
    return trm_fail(TRM_ERR_IO, "%s: is a folder; name the files in it (%s/*.txt)", file, file);
  }
  if (!S_ISREG(of.st_mode)) {
    return trm_fail(TRM_ERR_IO, "%s: not a regular file; it is read twice, so save it first", file);
  }
  if (access(file, R_OK) != 0) {
    return trm_fail(TRM_ERR_IO, "%s: cannot be read: %s", file, strerror(errno));
  }
  *bytes += of.st_size;
  return TRM_OK;
}

trm_status trm_text_files_check(trm_text_files *files) {
  if (files->n < 1) return trm_fail(TRM_ERR_USAGE, "no text files were given");
  files->n_bytes = 0;
  for (int i = 0; i < files->n; ++i) TRM_TRY(check_file(files->files[i], &files->n_bytes));
  if (files->n_bytes > 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: the text is empty (%d file%s, 0 bytes)", files->files[0],
                  files->n, files->n == 1 ? "" : "s");
}

void trm_text_files_name(const trm_text_files *files, char source[TRM_TEXT_SOURCE_BYTES]) {
  int used = 0;
  source[0] = 0;
  for (int i = 0; i < files->n; ++i) {
    const int room = TRM_TEXT_SOURCE_BYTES - 64 - used;
    const int n = snprintf(source + used, (size_t)room, "%s%s", i ? ", " : "", files->files[i]);
    if (n < 0 || n >= room) {
      snprintf(source + used, 64, " ... (%d files)", files->n);
      return;
    }
    used += n;
  }
}
