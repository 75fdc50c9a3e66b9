/* Files: publication by rename, links, whole reads. Folders are in folders.c. */
#include "trireme/io/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io_internal.h"
#include "trireme/core/memory.h"

enum { COPY_BYTES = 1 << 20 };

/* Removes a temporary file after a failure, whose message and errno stay the ones that count: the
 * leftover, if it cannot be removed, harms nobody and is swept at the next start. */
static void discard(const char *temporary) {
  const int error = errno;
  if (unlink(temporary) < 0) errno = 0;
  errno = error;
}

static bool fsync_file(const char *path) {
  const int fd = trm_io_open(path, O_RDONLY, 0);
  if (fd < 0) return false;
  const bool good = trm_io_fsync(fd) == 0;
  const int error = errno;
  if (trm_io_close(fd) < 0 && good) return false;
  errno = error;
  return good;
}

trm_status trm_file_sync(const char *path) {
  if (fsync_file(path) || errno == ENOENT) return TRM_OK;
  return trm_io_fail(path, "cannot be brought to disk (fsync)");
}

trm_status trm_file_check_target(const char *path) {
  struct stat facts;
  if (stat(path, &facts) < 0) {
    if (lstat(path, &facts) < 0) return TRM_OK; /* what is wrong shows when it is written */
    return trm_fail(TRM_ERR_IO, "%s: is a link that leads to no file; remove it or name the file",
                    path);
  }
  if (S_ISREG(facts.st_mode)) return TRM_OK;
  return trm_fail(TRM_ERR_IO, "%s: is %s, which is not written over; name a file", path,
                  S_ISDIR(facts.st_mode) ? "a folder" : "a device, pipe or socket");
}

trm_status trm_file_publish(const char *temporary, const char *path) {
  char target[PATH_MAX]; /* of a link: what it leads to */
  const trm_status status = trm_file_check_target(path);
  if (status != TRM_OK) {
    discard(temporary);
    return status;
  }
  if (!fsync_file(temporary)) {
    discard(temporary);
    return trm_io_fail(path, "cannot be brought to disk (fsync)");
  }
  if (trm_io_rename(temporary, realpath(path, target) ? target : path) < 0) {
    discard(temporary);
    return trm_io_fail(path, "cannot be put in place (rename)");
  }
  if (trm_io_fsync_parent(path) < 0)
    return trm_io_fail(path, "its folder cannot be brought to disk");
  return TRM_OK;
}

/* Copies from where `from` stands to its end; `buffer` has COPY_BYTES. False with errno. */
static bool copy_bytes(int from, int to, unsigned char *buffer) {
  for (;;) {
    const ssize_t n = trm_io_read(from, buffer, COPY_BYTES);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) return true;
    if (!trm_io_write_all(to, buffer, (size_t)n)) return false;
  }
}

static trm_status copy_file(const char *source, const char *path, const char *label) {
  unsigned char *buffer = NULL;
  int from = -1, to = -1;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&buffer, COPY_BYTES, "a copy buffer"));
  from = trm_io_open(source, O_RDONLY, 0);
  if (from < 0) {
    status = trm_io_fail(source, "cannot be opened");
    goto out;
  }
  to = trm_io_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (to < 0) {
    status = trm_io_fail(label, "cannot be created");
    goto out;
  }
  if (!copy_bytes(from, to, buffer)) status = trm_io_fail(label, "cannot be written");
out:
  if (to >= 0 && trm_io_close(to) < 0 && status == TRM_OK) {
    status = trm_io_fail(label, "cannot be written");
  }
  if (from >= 0) close(from);
  TRM_FREE(buffer);
  if (status != TRM_OK && to >= 0) discard(path);
  return status;
}

trm_status trm_file_link(const char *source, const char *path) {
  char temporary[PATH_MAX];
  if (!trm_io_temporary_name(path, temporary, sizeof temporary)) {
    return trm_fail(TRM_ERR_IO, "%s: the path is too long", path);
  }
  discard(temporary); /* a leftover of an earlier process with our id */
  if (trm_io_link(source, temporary) < 0) {
    const bool unsupported = errno == EPERM || errno == ENOTSUP || errno == EOPNOTSUPP ||
                             errno == EXDEV || errno == EMLINK || errno == ENOSYS;
    if (!unsupported) return trm_io_fail(path, "cannot be linked");
    TRM_TRY(copy_file(source, temporary, path));
  }
  TRM_TRY(trm_file_publish(temporary, path));
  discard(temporary); /* rename leaves both names when they already are one file (POSIX) */
  return TRM_OK;
}

trm_status trm_file_remove(const char *path) {
  if (trm_io_unlink(path) < 0 && errno != ENOENT) return trm_io_fail(path, "cannot be removed");
  return TRM_OK;
}

trm_status trm_file_write_atomic(const char *path, const void *data, size_t bytes) {
  char temporary[PATH_MAX];
  if (!trm_io_temporary_name(path, temporary, sizeof temporary)) {
    return trm_fail(TRM_ERR_IO, "%s: the path is too long", path);
  }
  const int fd = trm_io_open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (fd < 0) return trm_io_fail(path, "cannot be created");
  bool good = trm_io_write_all(fd, data, bytes);
  const int error = errno;
  if (trm_io_close(fd) < 0 && good) {
    good = false;
  } else {
    errno = error;
  }
  if (!good) {
    discard(temporary);
    return trm_io_fail(path, "cannot be written");
  }
  return trm_file_publish(temporary, path);
}

/* Reads `bytes` and then expects the end of the file. */
static trm_status read_exactly(int fd, const char *path, char *data, int64_t bytes) {
  int64_t done = 0;
  for (;;) {
    char beyond;
    const bool at_end = done == bytes;
    const ssize_t n =
        trm_io_read(fd, at_end ? &beyond : data + done, at_end ? 1 : (size_t)(bytes - done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return trm_io_fail(path, "cannot be read");
    if (n == 0 && at_end) return TRM_OK;
    if (n == 0 || at_end) {
      return trm_fail(TRM_ERR_IO, "%s: changed while it was read; try again", path);
    }
    done += n;
  }
}

/* Opens a regular file to read; *fd to be closed. */
static trm_status open_regular(const char *path, int *fd, struct stat *facts) {
  trm_status status;
  /* Not blocking, so that a pipe is named instead of waited for. */
  *fd = trm_io_open(path, O_RDONLY | O_NONBLOCK, 0);
  if (*fd < 0) {
    if (errno == ENOENT) return trm_fail(TRM_ERR_MISSING, "%s: no such file", path);
    return trm_io_fail(path, "cannot be opened");
  }
  if (fstat(*fd, facts) < 0) {
    status = trm_io_fail(path, "cannot be examined");
  } else if (S_ISDIR(facts->st_mode)) {
    status = trm_fail(TRM_ERR_IO, "%s: is a folder, a file is needed", path);
  } else if (!S_ISREG(facts->st_mode)) {
    status = trm_fail(TRM_ERR_IO, "%s: is not a regular file", path);
  } else {
    return TRM_OK;
  }
  close(*fd);
  return status;
}

trm_status trm_file_read_all(const char *path, int64_t max_bytes, char **data, int64_t *bytes) {
  char *block = NULL;
  trm_status status = TRM_OK;
  struct stat facts;
  int fd;
  TRM_TRY(open_regular(path, &fd, &facts));
  if ((int64_t)facts.st_size > max_bytes) {
    status = trm_fail(TRM_ERR_DATA, "%s: has %lld bytes, at most %lld are allowed", path,
                      (long long)facts.st_size, (long long)max_bytes);
    goto out;
  }
  TRM_TRY_OUT(TRM_ALLOC(&block, (int64_t)facts.st_size + 1, path));
  TRM_TRY_OUT(read_exactly(fd, path, block, (int64_t)facts.st_size));
  block[facts.st_size] = 0;
  *data = block;
  *bytes = (int64_t)facts.st_size;
  block = NULL;
out:
  TRM_FREE(block);
  close(fd);
  return status;
}

trm_status trm_file_read_start(const char *path, void *start, int64_t most, int64_t *bytes) {
  struct stat facts;
  int fd;
  ssize_t n = 1;
  TRM_TRY(open_regular(path, &fd, &facts));
  for (*bytes = 0; n > 0 && *bytes<most; *bytes += n> 0 ? n : 0) {
    do {
      n = trm_io_read(fd, (char *)start + *bytes, (size_t)(most - *bytes));
    } while (n < 0 && errno == EINTR);
  }
  const trm_status status = n < 0 ? trm_io_fail(path, "cannot be read") : TRM_OK;
  close(fd);
  return status;
}
