/* Reading a file in a child process, where it may crash. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "container_internal.h"
#include "io_internal.h"
#include "trireme/core/memory.h"

enum { PROBE_CPU_S = 120, PROBE_WALL_S = 600, PROBE_PIECE_ELEMENTS = 1 << 16 };
#define PROBE_MEMORY_BYTES (UINT64_C(4) << 30)

/* Address space cannot be limited under sanitizers, whose shadow takes terabytes of it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TRM_LIMIT_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TRM_LIMIT_MEMORY 0
#else
#define TRM_LIMIT_MEMORY 1
#endif
#else
#define TRM_LIMIT_MEMORY 1
#endif

static trm_status read_array(void *context, const char *name, const trm_array_info *info) {
  static unsigned char piece[PROBE_PIECE_ELEMENTS * 8]; /* one thread of one child uses it */
  for (int64_t at = 0; at < info->n_elements; at += PROBE_PIECE_ELEMENTS) {
    const int64_t rest = info->n_elements - at;
    const int64_t n = rest < PROBE_PIECE_ELEMENTS ? rest : PROBE_PIECE_ELEMENTS;
    TRM_TRY(trm_array_read_range(context, name, info->dtype, at, n, piece));
  }
  return TRM_OK;
}

/* Reads an attribute's raw bytes. */
static trm_status read_attribute(trm_container *c, hid_t attr, const char *path) {
  void *value = NULL;
  const hid_t type = H5Aget_type(attr);
  const hid_t space = H5Aget_space(attr);
  const hssize_t n = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
  const size_t bytes = type < 0 ? 0 : H5Tget_size(type);
  trm_status status = TRM_OK;
  if (n < 0 || bytes == 0) {
    status = trm_h5_fail(c, 0, "read an attribute of", path);
    goto out;
  }
  TRM_TRY_OUT(trm_alloc_bytes(&value, (int64_t)n, bytes, "an attribute"));
  if (n > 0 && H5Aread(attr, type, value) < 0) {
    status = trm_h5_fail(c, 0, "read an attribute of", path);
  }
out:
  TRM_FREE(value); /* texts in HDF5's own memory go with the process */
  if (space >= 0 && H5Sclose(space) < 0) c->damaged = true;
  if (type >= 0 && H5Tclose(type) < 0) c->damaged = true;
  return status;
}

static trm_status read_attributes(void *context, trm_container *c, hid_t object, const char *path) {
  (void)context;
  const int n = H5Aget_num_attrs(object);
  if (n < 0) return trm_h5_fail(c, 0, "count the attributes of", path);
  for (int i = 0; i < n; ++i) {
    const hid_t attr = H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)i,
                                      H5P_DEFAULT, H5P_DEFAULT);
    if (attr < 0) return trm_h5_fail(c, 0, "open an attribute of", path);
    const trm_status status = read_attribute(c, attr, path);
    if (H5Aclose(attr) < 0) c->damaged = true;
    if (status != TRM_OK) return status;
  }
  return TRM_OK;
}

static trm_status read_everything(const char *path) {
  trm_container *c = NULL;
  TRM_TRY(trm_container_open(path, &c));
  trm_h5_lock();
  trm_status status = trm_h5_walk(c, read_attributes, NULL);
  trm_h5_unlock();
  if (status == TRM_OK) status = trm_container_visit(c, read_array, c);
  const trm_status closed = trm_container_close(&c);
  return status != TRM_OK ? status : closed;
}

/* A limit that is lower already (EPERM) is as good. */
static bool set_limits(void) {
  const struct rlimit cpu = {PROBE_CPU_S, PROBE_CPU_S + 1}, core = {0, 0};
  const struct rlimit memory = {PROBE_MEMORY_BYTES, PROBE_MEMORY_BYTES};
  if (setrlimit(RLIMIT_CPU, &cpu) < 0 && errno != EPERM) return false;
  if (setrlimit(RLIMIT_CORE, &core) < 0 && errno != EPERM) return false;
  if (!TRM_LIMIT_MEMORY) return true;
  return setrlimit(RLIMIT_AS, &memory) == 0 || errno == EPERM;
}

/* The child: its verdict is the exit code, the negated status; its message goes down the pipe. */
static _Noreturn void child(const char *path, int pipe_fd) {
  trm_status status = TRM_OK;
  alarm(PROBE_WALL_S);
  if (!set_limits()) status = trm_io_fail(path, "cannot be read under limits");
  if (status == TRM_OK) status = read_everything(path);
  const char *message = trm_message();
  if (status != TRM_OK && !trm_io_write_all(pipe_fd, message, strlen(message))) {
    status = TRM_ERR_IO;
  }
  _exit(-(int)status);
}

/* Appends to "" what the child wrote, up to the end of the pipe. */
static bool read_message(int fd, char *message, size_t size) {
  size_t at = 0;
  for (;;) {
    const ssize_t n = read(fd, message + at, size - 1 - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) return true;
    at += (size_t)n;
    message[at] = 0;
  }
}

static trm_status verdict(const char *path, int wait_status, const char *message) {
  if (WIFSIGNALED(wait_status)) {
    const int signal_number = WTERMSIG(wait_status);
    const bool ran_out =
        signal_number == SIGXCPU || signal_number == SIGALRM || signal_number == SIGKILL;
    return trm_fail(TRM_ERR_DATA, "%s: is damaged: reading it %s (signal %d)", path,
                    ran_out ? "took too long" : "crashed the HDF5 library", signal_number);
  }
  const int code = WEXITSTATUS(wait_status);
  if (code == 0) return TRM_OK;
  if (message[0] == 0) {
    return trm_fail(TRM_ERR_DATA, "%s: is damaged: the process that read it ended with code %d",
                    path, code);
  }
  trm_message_set(message);
  return (trm_status)-code;
}

trm_status trm_container_probe(const char *path) {
  char message[TRM_MESSAGE_BYTES] = "";
  int ends[2];
  if (pipe(ends) < 0) return trm_io_fail(path, "cannot be probed (pipe)");
  /* Held across the fork, so that no other thread's half-done HDF5 call is copied. */
  trm_h5_lock();
  const pid_t pid = fork();
  trm_h5_unlock();
  if (pid == 0) {
    close(ends[0]);
    child(path, ends[1]);
  }
  close(ends[1]);
  trm_status status = TRM_OK;
  int wait_status = 0;
  if (pid < 0) {
    status = trm_io_fail(path, "cannot be probed (fork)");
  } else {
    if (!read_message(ends[0], message, sizeof message)) message[0] = 0;
    while (waitpid(pid, &wait_status, 0) < 0) {
      if (errno == EINTR) continue;
      status = trm_io_fail(path, "cannot be probed (wait)");
      break;
    }
    if (status == TRM_OK) status = verdict(path, wait_status, message);
  }
  close(ends[0]);
  return status;
}
