/** Where a package index comes from: a file, or `apt-cache dumpavail` started without a shell. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "debian_internal.h"
#include "token_output.h"
#include "trireme/core/memory.h"

extern char **environ;

enum { PIECE_BYTES = 1 << 20 };
static const char WHAT[] = "reading the package index";

/* Reads to the end; `total` bytes are expected, 0 when unknown. */
static trm_status feed_all(trm_debian_index *index, int fd, const char *label, int64_t total,
                           const trm_prepare_options *options) {
  char *piece = NULL;
  TRM_TRY(TRM_ALLOC(&piece, PIECE_BYTES, "piece of a package index"));
  trm_status status = TRM_OK;
  for (;;) {
    const ssize_t got = read(fd, piece, PIECE_BYTES);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) break;
    if (got < 0) {
      status = trm_fail(TRM_ERR_IO, "%s: cannot be read: %s", label, strerror(errno));
      goto out;
    }
    TRM_TRY_OUT(trm_debian_feed(index, piece, got, label));
    const double share = total > 0 ? 0.5 * (double)index->n_bytes / (double)total : 0;
    trm_prepare_progress(options, share < 0.5 ? share : 0.5, WHAT);
  }
  status = trm_debian_end(index);
out:
  TRM_FREE(piece);
  return status;
}

static trm_status read_file(trm_debian_index *index, const char *file,
                            const trm_prepare_options *options) {
  struct stat of;
  const int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return trm_fail(trm_status_of_errno(errno), "%s: cannot be opened: %s", file, strerror(errno));
  trm_status status;
  if (fstat(fd, &of) != 0) {
    status = trm_fail(TRM_ERR_IO, "%s: %s", file, strerror(errno));
  } else if (S_ISDIR(of.st_mode)) {
    status = trm_fail(TRM_ERR_IO, "%s: is a folder, expected a package index", file);
  } else {
    status = feed_all(index, fd, file, (int64_t)of.st_size, options);
  }
  if (close(fd) != 0 && status == TRM_OK) {
    status = trm_fail(TRM_ERR_IO, "%s: cannot be closed: %s", file, strerror(errno));
  }
  TRM_TRY(status);
  if (index->packages.n > 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: no package in its %lld bytes; expected stanzas 'Package: ...' as `apt-cache "
                  "dumpavail` prints them, not compressed",
                  file, (long long)index->n_bytes);
}

typedef struct child {
  pid_t pid;
  int out;    /* reads its standard output */
  int errors; /* a file in memory that gets its standard error */
} child;

static trm_status spawn(child *c) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
    return trm_fail(TRM_ERR_IO, "apt-cache: no pipe: %s", strerror(errno));
  }
  c->out = pipe_ends[0];
  c->errors = memfd_create("apt-cache errors", MFD_CLOEXEC);
  char name[] = "apt-cache", command[] = "dumpavail";
  char *arguments[] = {name, command, NULL};
  posix_spawn_file_actions_t actions;
  int error = posix_spawn_file_actions_init(&actions);
  if (error == 0) {
    error = posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    if (error == 0 && c->errors >= 0) {
      error = posix_spawn_file_actions_adddup2(&actions, c->errors, STDERR_FILENO);
    }
    if (error == 0) error = posix_spawnp(&c->pid, name, &actions, NULL, arguments, environ);
    const int destroyed = posix_spawn_file_actions_destroy(&actions);
    if (error == 0) error = destroyed;
  }
  /* Our copy of the writing end, or the pipe would never end. */
  if (close(pipe_ends[1]) != 0 && error == 0) error = errno;
  if (error == 0) return TRM_OK;
  if (error == ENOENT) {
    return trm_fail(TRM_ERR_IO, "apt-cache: not found, this is no Debian machine; give a package "
                                "index as a file (as `apt-cache dumpavail` prints it elsewhere)");
  }
  return trm_fail(TRM_ERR_IO, "apt-cache: cannot be started: %s", strerror(error));
}

/* First line of what it wrote to standard error, for the message. */
static void first_error(const child *c, char *line, size_t size) {
  line[0] = 0;
  if (c->errors < 0) return;
  const ssize_t n = pread(c->errors, line, size - 1, 0);
  line[n > 0 ? n : 0] = 0;
  line[strcspn(line, "\r\n")] = 0;
}

static trm_status reap(const child *c) {
  int state = 0;
  while (waitpid(c->pid, &state, 0) < 0) {
    if (errno != EINTR) return trm_fail(TRM_ERR_IO, "apt-cache: %s", strerror(errno));
  }
  if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return TRM_OK;
  char line[256];
  first_error(c, line, sizeof line);
  return trm_fail(TRM_ERR_IO,
                  "apt-cache dumpavail: ended with %s %d%s%s; run `apt-get update`, or "
                  "give a package index as a file",
                  WIFEXITED(state) ? "exit code" : "signal",
                  WIFEXITED(state) ? WEXITSTATUS(state) : WTERMSIG(state), line[0] ? ": " : "",
                  line);
}

static trm_status read_command(trm_debian_index *index, const trm_prepare_options *options) {
  child c = {.pid = -1, .out = -1, .errors = -1};
  trm_status status = spawn(&c);
  const bool started = c.pid > 0;
  if (status == TRM_OK) status = feed_all(index, c.out, "apt-cache dumpavail", 0, options);
  /* Closing our end makes a child that we gave up on end by SIGPIPE, so that waiting is short. */
  if (c.out >= 0 && close(c.out) != 0 && status == TRM_OK) {
    status = trm_fail(TRM_ERR_IO, "apt-cache: %s", strerror(errno));
  }
  if (started) {
    char message[TRM_MESSAGE_BYTES];
    snprintf(message, sizeof message, "%s", trm_message());
    const trm_status ended = reap(&c);
    if (status == TRM_OK) {
      status = ended;
    } else {
      trm_message_set(message);
    }
  }
  if (c.errors >= 0) (void)close(c.errors); /* memory only: nothing can be lost */
  TRM_TRY(status);
  if (index->packages.n > 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "apt-cache dumpavail: no packages, the machine's package lists are "
                                "empty; run `apt-get update`, or give a package index as a file");
}

trm_status trm_debian_read(trm_debian_index *index, const char *file,
                           const trm_prepare_options *options) {
  trm_prepare_progress(options, 0, WHAT);
  return file ? read_file(index, file, options) : read_command(index, options);
}
