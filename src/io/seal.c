/* Seals of whole files: see the header. */
#include "trireme/io/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io_internal.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"

enum { PIECE_BYTES = 1 << 20, MAGIC_BYTES = 8, CHECKED_BYTES = 24, SEAL_BYTES = 32 };

static const char magic[MAGIC_BYTES + 1] = "TRMSEAL1";

static void put_u64(unsigned char *out, uint64_t v) {
  for (int i = 0; i < 8; ++i) out[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t get_u64(const unsigned char *in) {
  uint64_t v = 0;
  for (int i = 0; i < 8; ++i) v |= (uint64_t)in[i] << (8 * i);
  return v;
}

static void make_seal(unsigned char seal[SEAL_BYTES], int64_t bytes, uint64_t digest) {
  memcpy(seal, magic, MAGIC_BYTES);
  put_u64(seal + 8, (uint64_t)bytes);
  put_u64(seal + 16, digest);
  put_u64(seal + CHECKED_BYTES, trm_hash64(seal, CHECKED_BYTES, 0));
}

/* Reads exactly `bytes` bytes. */
static trm_status read_exactly(int fd, const char *path, unsigned char *out, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t n = trm_io_read(fd, out + done, bytes - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return trm_io_fail(path, "cannot be read");
    if (n == 0) return trm_fail(TRM_ERR_IO, "%s: became shorter while it was read", path);
    done += (size_t)n;
  }
  return TRM_OK;
}

/* Digest of the next `bytes` bytes. */
static trm_status digest_of(int fd, const char *path, int64_t bytes, uint64_t *digest) {
  unsigned char *piece = NULL;
  trm_status status = TRM_OK;
  uint64_t hash = 0;
  TRM_TRY(TRM_ALLOC(&piece, PIECE_BYTES, "a piece of a file"));
  for (int64_t done = 0; done < bytes && status == TRM_OK;) {
    const size_t n = bytes - done < PIECE_BYTES ? (size_t)(bytes - done) : (size_t)PIECE_BYTES;
    status = read_exactly(fd, path, piece, n);
    if (status == TRM_OK) hash = trm_hash64(piece, n, hash);
    done += (int64_t)n;
  }
  TRM_FREE(piece);
  if (status == TRM_OK) *digest = hash;
  return status;
}

static trm_status open_file(const char *path, int flags, int *fd, int64_t *bytes) {
  struct stat facts;
  *fd = trm_io_open(path, flags, 0);
  if (*fd < 0) return trm_io_fail(path, "cannot be opened");
  trm_status status = TRM_OK;
  if (fstat(*fd, &facts) < 0) {
    status = trm_io_fail(path, "cannot be examined");
  } else if (!S_ISREG(facts.st_mode)) {
    status = trm_fail(TRM_ERR_IO, "%s: is %s, a file is needed", path,
                      S_ISDIR(facts.st_mode) ? "a folder" : "not a regular file");
  } else {
    *bytes = (int64_t)facts.st_size;
  }
  if (status != TRM_OK) close(*fd);
  return status;
}

trm_status trm_file_seal(const char *path) {
  unsigned char seal[SEAL_BYTES];
  uint64_t digest = 0;
  int64_t bytes = 0;
  int fd = -1;
  TRM_TRY(open_file(path, O_RDWR | O_APPEND, &fd, &bytes));
  (void)flock(fd, LOCK_EX |
                      LOCK_NB); /* so that nobody sweeps it (io/output.h), where there are locks */
  /* The disk has something to do while the digest is made; whoever needs it there calls fsync. */
  (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  trm_status status = digest_of(fd, path, bytes, &digest);
  if (status == TRM_OK) {
    make_seal(seal, bytes, digest);
    if (!trm_io_write_all(fd, seal, sizeof seal)) status = trm_io_fail(path, "cannot be written");
  }
  if (trm_io_close(fd) < 0 && status == TRM_OK) status = trm_io_fail(path, "cannot be closed");
  return status;
}

/* The trailer at the end of a file, if it has one. */
static trm_status find(int fd, const char *path, int64_t bytes, unsigned char found[SEAL_BYTES],
                       bool *sealed) {
  *sealed = false;
  if (bytes < SEAL_BYTES) return TRM_OK;
  if (pread(fd, found, SEAL_BYTES, (off_t)(bytes - SEAL_BYTES)) != (ssize_t)SEAL_BYTES) {
    return trm_io_fail(path, "cannot be read");
  }
  *sealed = memcmp(found, magic, MAGIC_BYTES) == 0;
  return TRM_OK;
}

/* Compares the file, open at its start, with the trailer at its end. */
static trm_status check(int fd, const char *path, int64_t bytes, bool *sealed) {
  unsigned char found[SEAL_BYTES], expected[SEAL_BYTES];
  uint64_t digest = 0;
  TRM_TRY(find(fd, path, bytes, found, sealed));
  if (!*sealed) return TRM_OK;
  TRM_TRY(digest_of(fd, path, bytes - SEAL_BYTES, &digest));
  make_seal(expected, bytes - SEAL_BYTES, digest);
  if (memcmp(found, expected, sizeof found) == 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: is damaged: its %lld bytes have the digest %016llx, its seal says %016llx "
                  "of %lld bytes",
                  path, (long long)(bytes - SEAL_BYTES), (unsigned long long)digest,
                  (unsigned long long)get_u64(found + 16), (long long)get_u64(found + 8));
}

trm_status trm_file_seal_check(const char *path, bool *sealed) {
  int64_t bytes = 0;
  int fd = -1;
  TRM_TRY(open_file(path, O_RDONLY | O_NONBLOCK, &fd, &bytes));
  const trm_status status = check(fd, path, bytes, sealed);
  close(fd);
  return status;
}

trm_status trm_file_seal_there(const char *path, bool *sealed) {
  unsigned char found[SEAL_BYTES];
  int64_t bytes = 0;
  int fd = -1;
  TRM_TRY(open_file(path, O_RDONLY | O_NONBLOCK, &fd, &bytes));
  const trm_status status = find(fd, path, bytes, found, sealed);
  close(fd);
  return status;
}
