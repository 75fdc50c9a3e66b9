/* What a user's -o names: see the header. */
#include "trireme/io/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io_internal.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"

enum { MARK_BYTES = 4096 };

/* ---- the place ------------------------------------------------------------------------------ */

/* "folder/" before the last slash, "." without one, into folder[PATH_MAX]. */
static trm_status folder_of(const char *path, char *folder) {
  const char *slash = strrchr(path, '/');
  const size_t n = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
  if (n >= PATH_MAX) {
    return trm_fail(TRM_ERR_USAGE, "the name of the output has %zu bytes: too long", strlen(path));
  }
  memcpy(folder, slash ? path : ".", slash ? n : 1);
  folder[slash ? n : 1] = 0;
  return TRM_OK;
}

static trm_status check_folder(const char *path) {
  char folder[PATH_MAX];
  struct stat of;
  TRM_TRY(folder_of(path, folder));
  if (stat(folder, &of) != 0) {
    return trm_fail(trm_status_of_errno(errno),
                    "%s: cannot be written, folder '%s': %s; make the folder first", path, folder,
                    strerror(errno));
  }
  if (!S_ISDIR(of.st_mode)) {
    return trm_fail(TRM_ERR_IO, "%s: cannot be written, '%s' is not a folder", path, folder);
  }
  return TRM_OK;
}

trm_status trm_output_check_place(const char *path, const char *const *inputs, int n_inputs) {
  if (!path || !path[0]) return trm_fail(TRM_ERR_USAGE, "no output file was given");
  TRM_TRY(check_folder(path));
  struct stat to, from;
  if (stat(path, &to) != 0) return trm_file_check_target(path);
  if (S_ISDIR(to.st_mode)) {
    return trm_fail(TRM_ERR_USAGE, "%s: is a folder, the output must be a file", path);
  }
  TRM_TRY(trm_file_check_target(path));
  for (int i = 0; i < n_inputs; ++i) {
    if (stat(inputs[i], &from) == 0 && from.st_dev == to.st_dev && from.st_ino == to.st_ino) {
      return trm_fail(TRM_ERR_USAGE, "%s: is both input and output; give the output another name",
                      inputs[i]);
    }
  }
  return TRM_OK;
}

trm_status trm_output_check(const trm_output_rule *rule, const char *path) {
  struct stat of;
  TRM_TRY(trm_output_check_place(path, rule->inputs, rule->n_inputs));
  trm_file_sweep(path);
  const bool replaced = stat(path, &of) == 0 && of.st_size > 0;
  if (!replaced || rule->force || (rule->made && rule->made(path))) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "%s: %s is there already, and %s; give -o another name, or --force to replace it",
                  rule->command, path,
                  rule->made ? "is no file of this command's" : "would be written over");
}

bool trm_file_begins_with(const char *path, const char *mark) {
  char begin[MARK_BYTES], message[TRM_MESSAGE_BYTES];
  int64_t bytes = 0;
  (void)snprintf(message, sizeof message, "%s", trm_message());
  if (trm_file_read_start(path, begin, sizeof begin, &bytes) != TRM_OK) {
    trm_message_set(message); /* whoever writes the file will tell */
    return false;
  }
  return memmem(begin, (size_t)bytes, mark, strlen(mark)) != NULL;
}

/* ---- leftovers ------------------------------------------------------------------------------ */

trm_status trm_file_temporary(const char *path, char *out, size_t size) {
  if (trm_io_temporary_name(path, out, size)) return TRM_OK;
  return trm_fail(TRM_ERR_IO, "%s: the path is too long", path);
}

/* Whether the digits after the mark name a process of this host that lives, or there are none. */
static bool in_use(const char *digits) {
  char *end;
  errno = 0;
  const long process = strtol(digits, &end, 10);
  if (end == digits || *end || errno != 0 || process <= 0 || process > INT_MAX) return true;
  return kill((pid_t)process, 0) == 0 || errno != ESRCH;
}

/* Removes a file that nobody holds a lock on: HDF5 and seals lock what they write, on other hosts too. */
static void remove_unlocked(const char *path) {
  const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  struct stat of;
  const bool free_to_go =
      fstat(fd, &of) == 0 && S_ISREG(of.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0;
  if (free_to_go) (void)unlink(path); /* else it stays: its name says what it is */
  (void)close(fd);
}

void trm_file_sweep(const char *path) {
  char folder[PATH_MAX], prefix[NAME_MAX + 16], left[PATH_MAX], message[TRM_MESSAGE_BYTES];
  const char *slash = strrchr(path, '/');
  char **names = NULL;
  int n = 0;
  const int length = snprintf(prefix, sizeof prefix, ".%s.tmp-", slash ? slash + 1 : path);
  (void)snprintf(message, sizeof message, "%s", trm_message());
  if (length < 0 || (size_t)length >= sizeof prefix || folder_of(path, folder) != TRM_OK ||
      trm_folder_list(folder, prefix, "", &names, &n) != TRM_OK) {
    trm_message_set(message); /* nothing is lost where nothing can be swept */
    return;
  }
  for (int i = 0; i < n; ++i) {
    if (in_use(names[i] + length)) continue;
    if (trm_path_join(left, sizeof left, folder, names[i]) == TRM_OK) remove_unlocked(left);
  }
  TRM_FREE(names);
}

/* ---- signals -------------------------------------------------------------------------------- */

/* A handler reaches nothing but variables of the file: an exception to "no global variables". */
static char doomed[PATH_MAX];
static volatile sig_atomic_t is_doomed;

static void remove_and_end(int signal_number) {
  if (is_doomed) (void)unlink(doomed);
  (void)signal(signal_number, SIG_DFL);
  (void)raise(signal_number);
}

void trm_file_remove_at_signal(const char *temporary) {
  static const int signals[] = {SIGHUP, SIGINT, SIGTERM};
  is_doomed = 0;
  if (!temporary || strlen(temporary) >= sizeof doomed) return;
  memcpy(doomed, temporary, strlen(temporary) + 1);
  is_doomed = 1;
  for (size_t i = 0; i < sizeof signals / sizeof *signals; ++i) {
    struct sigaction now, action = {.sa_handler = remove_and_end};
    if (sigaction(signals[i], NULL, &now) != 0 || now.sa_handler != SIG_DFL) continue;
    (void)sigaction(signals[i], &action, NULL); /* else the file is swept by the next writer */
  }
}
