/* System calls with a fault hook in front: see io_internal.h. */
#include "io_internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Atomic int64_t fault_countdown = -1;
static _Atomic int fault_error;
static _Atomic bool fault_struck;
static _Atomic bool reserve_off;

void trm_io_fault_set(int64_t after, int error) {
  atomic_store(&fault_error, error);
  atomic_store(&fault_struck, false);
  atomic_store(&fault_countdown, after < 0 ? -1 : after);
}

bool trm_io_fault_struck(void) {
  return atomic_load(&fault_struck);
}

int trm_io_fault(void) {
  /* The plain load keeps the counter at rest, and off the bus, in every run but a test. */
  if (atomic_load_explicit(&fault_countdown, memory_order_relaxed) < 0) return 0;
  if (atomic_fetch_sub(&fault_countdown, 1) != 0) return 0;
  atomic_store(&fault_struck, true);
  return atomic_load(&fault_error);
}

/* Sets errno and says whether the call at hand shall fail. */
static bool faulty(void) {
  const int error = trm_io_fault();
  if (error) errno = error;
  return error != 0;
}

int trm_io_open(const char *path, int flags, mode_t mode) {
  return faulty() ? -1 : open(path, flags | O_CLOEXEC, mode);
}

int trm_io_close(int fd) {
  /* A close that reports an error has closed all the same (close(2), Linux). */
  const int result = close(fd);
  return faulty() ? -1 : result;
}

int trm_io_fsync(int fd) {
  return faulty() ? -1 : fsync(fd);
}

ssize_t trm_io_write(int fd, const void *data, size_t bytes) {
  return faulty() ? -1 : write(fd, data, bytes);
}

ssize_t trm_io_read(int fd, void *data, size_t bytes) {
  return faulty() ? -1 : read(fd, data, bytes);
}

int trm_io_rename(const char *from, const char *to) {
  return faulty() ? -1 : rename(from, to);
}

int trm_io_unlink(const char *path) {
  return faulty() ? -1 : unlink(path);
}

int trm_io_link(const char *from, const char *to) {
  return faulty() ? -1 : link(from, to);
}

int trm_io_mkdir(const char *path, mode_t mode) {
  return faulty() ? -1 : mkdir(path, mode);
}

int trm_io_reserve(int fd, int64_t bytes) {
  if (atomic_load_explicit(&reserve_off, memory_order_relaxed)) return 0;
  int result;
  do {
    result = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
  } while (result < 0 && errno == EINTR);
  const bool unsupported = errno == EOPNOTSUPP || errno == ENOSYS;
  return result < 0 && unsupported ? 0 : result;
}

void trm_io_reserve_switch(bool on) {
  atomic_store(&reserve_off, !on);
}

bool trm_io_write_all(int fd, const void *data, size_t bytes) {
  const unsigned char *p = data;
  while (bytes > 0) {
    const ssize_t n = trm_io_write(fd, p, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) {
      errno = EIO;
      return false;
    }
    p += n;
    bytes -= (size_t)n;
  }
  return true;
}

const char *trm_io_error_text(int error, char text[TRM_IO_ERROR_BYTES]) {
  char buffer[TRM_IO_ERROR_BYTES];
  const char *found = strerror_r(error, buffer, sizeof buffer); /* the GNU form */
  snprintf(text, TRM_IO_ERROR_BYTES, "%s", found);
  text[0] = (char)tolower((unsigned char)text[0]);
  return text;
}

trm_status trm_io_fail(const char *path, const char *what) {
  char text[TRM_IO_ERROR_BYTES];
  const trm_status status = trm_status_of_errno(errno);
  return trm_fail(status, "%s: %s: %s", path, what, trm_io_error_text(errno, text));
}

int trm_io_fsync_parent(const char *path) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  if (!slash) {
    folder[0] = '.';
    folder[1] = 0;
  } else {
    const size_t n = slash == path ? 1 : (size_t)(slash - path);
    if (n >= sizeof folder) {
      errno = ENAMETOOLONG;
      return -1;
    }
    memcpy(folder, path, n);
    folder[n] = 0;
  }
  const int fd = trm_io_open(folder, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return -1;
  int result = trm_io_fsync(fd);
  /* Some network file systems have no fsync of folders; there the rename itself is durable. */
  if (result < 0 && (errno == EINVAL || errno == ENOTSUP)) result = 0;
  const int error = errno;
  if (trm_io_close(fd) < 0 && result == 0) return -1;
  errno = error;
  return result;
}

bool trm_io_temporary_name(const char *path, char *out, size_t size) {
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  const int folder_chars = (int)(name - path);
  const int n = snprintf(out, size, "%.*s.%s.tmp-%ld", folder_chars, path, name, (long)getpid());
  return n > 0 && (size_t)n < size;
}
