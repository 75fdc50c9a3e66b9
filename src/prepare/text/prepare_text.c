/**
 * `trireme prepare text`: files, one after another, into one token array.
 *
 * Files are streamed in pieces. Unit byte takes one pass. Unit char takes two: which characters are
 * there and how many, then their tokens; a file that changes in between is found out by its
 * length or by a character that was not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "charset.h"
#include "token_output.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { PIECE_BYTES = 1 << 20, SOURCE_BYTES = 1024 };

typedef struct job {
  const char *const *files;
  int n_files;
  const trm_prepare_options *options;
  int64_t n_bytes;      /* of all files */
  char *piece;          /* [PIECE_BYTES] */
  uint16_t *tokens;     /* [PIECE_BYTES] */
  trm_charset set;      /* unit char */
  int64_t n_characters; /* unit char, counted by the first pass */
  trm_token_output output;
} job;

/* Takes whole characters from the head of a piece and returns the bytes taken in *taken; bytes
 * that are left are put before the next piece. */
typedef trm_status (*consumer)(job *j, const char *file, const char *text, int64_t bytes,
                               int64_t *taken);

static trm_status take_bytes(job *j, const char *file, const char *text, int64_t bytes,
                             int64_t *taken) {
  (void)file;
  for (int64_t i = 0; i < bytes; ++i) j->tokens[i] = (unsigned char)text[i];
  *taken = bytes;
  return trm_token_output_put(&j->output, j->tokens, bytes);
}

static trm_status take_set(job *j, const char *file, const char *text, int64_t bytes,
                           int64_t *taken) {
  (void)file;
  *taken = trm_charset_scan(&j->set, text, bytes, &j->n_characters);
  return TRM_OK;
}

static trm_status take_characters(job *j, const char *file, const char *text, int64_t bytes,
                                  int64_t *taken) {
  int64_t at = 0, n = 0;
  while (at < bytes) {
    uint32_t cp;
    const int length = trm_utf8_decode(text + at, bytes - at, &cp);
    if (length <= 0) break;
    if (j->set.token[cp] == 0) {
      return trm_fail(TRM_ERR_DATA, "%s: changed while it was read; run prepare again", file);
    }
    j->tokens[n++] = (uint16_t)(j->set.token[cp] - 1);
    at += length;
  }
  *taken = at;
  return trm_token_output_put(&j->output, j->tokens, n);
}

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

static trm_status consume_file(job *j, const char *file, int fd, consumer take, double share_from,
                               double share_to, int64_t *done, const char *what) {
  int64_t kept = 0, offset = 0; /* bytes before the piece's end, place of piece[0] in the file */
  for (;;) {
    int64_t got, taken;
    TRM_TRY(read_full(fd, file, j->piece + kept, PIECE_BYTES - kept, &got));
    const int64_t bytes = kept + got;
    if (bytes == 0) return TRM_OK;
    TRM_TRY(take(j, file, j->piece, bytes, &taken));
    kept = bytes - taken;
    if (kept > 0) {
      uint32_t cp;
      const int length = trm_utf8_decode(j->piece + taken, kept, &cp);
      const bool at_end = length == TRM_UTF8_INCOMPLETE && bytes < PIECE_BYTES;
      if (length == TRM_UTF8_INVALID || at_end) {
        return invalid_utf8(file, offset + taken, j->piece + taken, at_end);
      }
      memmove(j->piece, j->piece + taken, (size_t)kept);
    }
    offset += taken;
    *done += got;
    const double share = j->n_bytes > 0 ? (double)*done / (double)j->n_bytes : 1;
    trm_prepare_progress(j->options, share_from + (share_to - share_from) * share, what);
  }
}

static trm_status consume_all(job *j, consumer take, double share_from, double share_to,
                              const char *what) {
  int64_t done = 0;
  for (int i = 0; i < j->n_files; ++i) {
    const char *file = j->files[i];
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return trm_fail(TRM_ERR_IO, "%s: cannot be opened: %s", file, strerror(errno));
    const trm_status status = consume_file(j, file, fd, take, share_from, share_to, &done, what);
    if (close(fd) != 0 && status == TRM_OK) {
      return trm_fail(TRM_ERR_IO, "%s: cannot be closed: %s", file, strerror(errno));
    }
    TRM_TRY(status);
  }
  return TRM_OK;
}

/* All inputs are looked at before the first is read: a slip in the last name shows at once. */
static trm_status check_files(job *j) {
  if (j->n_files < 1) return trm_fail(TRM_ERR_USAGE, "no text files were given");
  for (int i = 0; i < j->n_files; ++i) {
    const char *file = j->files[i];
    struct stat of;
    if (stat(file, &of) != 0) return trm_fail(TRM_ERR_IO, "%s: %s", file, strerror(errno));
    if (S_ISDIR(of.st_mode)) {
      return trm_fail(TRM_ERR_IO, "%s: is a folder; name the files in it (%s/*.txt)", file, file);
    }
    if (!S_ISREG(of.st_mode)) {
      return trm_fail(TRM_ERR_IO, "%s: not a regular file; it is read twice, so save it first",
                      file);
    }
    if (access(file, R_OK) != 0) {
      return trm_fail(TRM_ERR_IO, "%s: cannot be read: %s", file, strerror(errno));
    }
    j->n_bytes += of.st_size;
  }
  if (j->n_bytes > 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: the text is empty (%d file%s, 0 bytes)", j->files[0],
                  j->n_files, j->n_files == 1 ? "" : "s");
}

/* "a.txt, b.txt ... (12 files)", as much as fits. */
static void name_source(const job *j, char source[SOURCE_BYTES]) {
  int used = 0;
  source[0] = 0;
  for (int i = 0; i < j->n_files; ++i) {
    const int room = SOURCE_BYTES - 64 - used;
    const int n = snprintf(source + used, (size_t)room, "%s%s", i ? ", " : "", j->files[i]);
    if (n < 0 || n >= room) {
      snprintf(source + used, 64, " ... (%d files)", j->n_files);
      return;
    }
    used += n;
  }
}

static trm_status prepare(job *j, trm_prepare_summary *summary) {
  const bool by_byte = strcmp(j->options->unit, "byte") == 0;
  char source[SOURCE_BYTES];
  name_source(j, source);
  TRM_TRY(TRM_ALLOC(&j->piece, PIECE_BYTES, "piece of a text"));
  TRM_TRY(TRM_ALLOC(&j->tokens, PIECE_BYTES, "tokens of a piece"));
  int64_t n_tokens = j->n_bytes, n_train;
  if (!by_byte) {
    TRM_TRY(trm_charset_create(&j->set));
    TRM_TRY(consume_all(j, take_set, 0, 0.5, "collecting characters"));
    TRM_TRY(trm_charset_close(&j->set, source));
    n_tokens = j->n_characters;
  }
  TRM_TRY(trm_token_output_split(n_tokens, j->options->valid_share, source, &n_train));
  trm_vocab vocab;
  TRM_TRY(trm_vocab_make(by_byte ? NULL : &j->set, &vocab));
  const int64_t n_vocab = vocab.n;
  const trm_status begun =
      trm_token_output_begin(&j->output, j->options->output, &vocab, n_tokens, source);
  trm_vocab_free(&vocab);
  TRM_TRY(begun);
  TRM_TRY(consume_all(j, by_byte ? take_bytes : take_characters, by_byte ? 0 : 0.5, 1,
                      "writing tokens"));
  TRM_TRY(trm_token_output_finish(&j->output, n_train));
  TRM_TRY(trm_token_output_publish(&j->output));
  *summary = (trm_prepare_summary){.n_files = j->n_files,
                                   .n_bytes = j->n_bytes,
                                   .n_tokens = n_tokens,
                                   .n_train = n_train,
                                   .n_valid = n_tokens - n_train,
                                   .vocab = n_vocab};
  return TRM_OK;
}

trm_status trm_prepare_text(const char *const *files, int n_files,
                            const trm_prepare_options *options, trm_prepare_summary *summary) {
  job j = {.files = files, .n_files = n_files, .options = options};
  TRM_TRY(trm_token_output_check(options, files, n_files));
  TRM_TRY(check_files(&j));
  const trm_status status = prepare(&j, summary);
  trm_token_output_abandon(&j.output);
  trm_charset_free(&j.set);
  TRM_FREE(j.tokens);
  TRM_FREE(j.piece);
  return status;
}
