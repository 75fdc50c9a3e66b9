#include "trireme/io/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trireme/io/files.h"

enum { NOTE_BYTES = 256 };

/* "process 123 on host since 2026-11-24 08:00:00 UTC" into text. */
static void describe_self(char text[NOTE_BYTES]) {
  char host[64] = "an unknown host", when[32] = "";
  const time_t now = time(NULL);
  struct tm utc;
  if (gethostname(host, sizeof host) != 0) (void)snprintf(host, sizeof host, "an unknown host");
  host[sizeof host - 1] = 0;
  if (gmtime_r(&now, &utc)) (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &utc);
  (void)snprintf(text, NOTE_BYTES, "process %ld on %s since %s", (long)getpid(), host, when);
}

static trm_status held(const char *folder, int fd) {
  char who[NOTE_BYTES];
  const ssize_t n = pread(fd, who, sizeof who - 1, 0);
  who[n > 0 ? n : 0] = 0;
  return trm_fail(TRM_ERR_IO, "%s is in use by %s; wait for it to end, or choose another run.dir",
                  folder, n > 0 ? who : "another run");
}

trm_status trm_lock_take(const char *folder, int *lock) {
  char path[4096], who[NOTE_BYTES];
  *lock = -1;
  TRM_TRY(trm_path_join(path, sizeof path, folder, ".lock"));
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return trm_fail(TRM_ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
    const bool taken = errno == EAGAIN || errno == EACCES;
    const trm_status status = taken ? held(folder, fd) : TRM_OK; /* no locks here: go without */
    (void)close(fd);
    return status;
  }
  describe_self(who);
  if (ftruncate(fd, 0) != 0 || pwrite(fd, who, strlen(who), 0) < 0) {
    const trm_status status =
        trm_fail(TRM_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    (void)close(fd);
    return status;
  }
  *lock = fd;
  return TRM_OK;
}

bool trm_lock_held(const char *folder) {
  char path[4096];
  if (trm_path_join(path, sizeof path, folder, ".lock") != TRM_OK) return false;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  const bool told = fcntl(fd, F_OFD_GETLK, &whole) == 0;
  (void)close(fd);
  return told && whole.l_type != F_UNLCK;
}

void trm_lock_release(int *lock) {
  if (*lock >= 0) (void)close(*lock);
  *lock = -1;
}
