#include "trireme/core/limits.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "trireme/core/memory.h"

enum { PATH_BYTES = 512, NO_VALUE = -1 };

/* A number that is alone in a file; NO_VALUE: no such file, or "max". */
static int64_t read_number(const char *path) {
  long long value = NO_VALUE;
  FILE *file = fopen(path, "r");
  if (!file) return NO_VALUE;
  if (fscanf(file, "%lld", &value) != 1 || value < 0) value = NO_VALUE;
  (void)fclose(file);
  return value;
}

/* The number behind `name` on a line of a file; NO_VALUE: there is none. */
static int64_t read_field(const char *path, const char *name) {
  char line[256];
  long long value = NO_VALUE;
  const size_t n = strlen(name);
  FILE *file = fopen(path, "r");
  if (!file) return NO_VALUE;
  while (value == NO_VALUE && fgets(line, sizeof line, file)) {
    if (strncmp(line, name, n) == 0) value = strtoll(line + n, NULL, 10);
  }
  (void)fclose(file);
  return value;
}

/* ---- control groups --------------------------------------------------------------------------- */

/* Where a controller ("memory") has its files, and how those are called. */
typedef struct cgroup {
  char folder[PATH_BYTES]; /* "" when there is none */
  size_t root;             /* bytes of it that are the mount's */
  bool unified;            /* cgroup v2 */
} cgroup;

/* Lines are "4:memory:/path" (v1) and "0::/path" (v2). */
static cgroup find_cgroup(const char *controller) {
  char line[PATH_BYTES];
  cgroup found = {.folder = ""};
  FILE *file = fopen("/proc/self/cgroup", "r");
  if (!file) return found;
  while (fgets(line, sizeof line, file)) {
    char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
    if (!path) continue;
    *path++ = 0;
    path[strcspn(path, "\n")] = 0;
    const bool unified = names[1] == 0;
    if (!unified && strcmp(names + 1, controller) != 0) continue;
    if (unified && found.folder[0]) continue; /* the controller is one of v1 */
    const int root = snprintf(found.folder, sizeof found.folder, "/sys/fs/cgroup%s%s",
                              unified ? "" : "/", unified ? "" : controller);
    found.root = (size_t)root;
    found.unified = unified;
    (void)snprintf(found.folder + root, sizeof found.folder - (size_t)root, "%s",
                   strcmp(path, "/") == 0 ? "" : path);
  }
  (void)fclose(file);
  return found;
}

/* What is used of a group's limit, and the limit; the closest one of the group and those above it. */
typedef struct usage {
  int64_t limit, used; /* NO_VALUE: no limit */
  char path[PATH_BYTES + 32];
} usage;

static usage closest(const char *controller, const char *limit_v1, const char *limit_v2,
                     int64_t (*used_by)(const cgroup *group)) {
  usage found = {.limit = NO_VALUE};
  cgroup group = find_cgroup(controller);
  while (group.folder[0]) {
    char path[PATH_BYTES + 32];
    (void)snprintf(path, sizeof path, "%s/%s", group.folder, group.unified ? limit_v2 : limit_v1);
    const int64_t limit = read_number(path), used = used_by(&group);
    /* v1 says "no limit" with a number near 2^63. */
    if (limit != NO_VALUE && limit < INT64_MAX / 2 &&
        (found.limit == NO_VALUE || limit - used < found.limit - found.used)) {
      found.limit = limit;
      found.used = used;
      memcpy(found.path, path, sizeof path);
    }
    char *last = strrchr(group.folder, '/');
    if (strlen(group.folder) <= group.root || !last) break;
    *last = 0;
  }
  return found;
}

/* Memory that cannot be taken back: not the cache of files. */
static int64_t memory_used(const cgroup *group) {
  char path[PATH_BYTES + 32];
  (void)snprintf(path, sizeof path, "%s/memory.stat", group->folder);
  const int64_t used = read_field(path, group->unified ? "anon " : "total_rss ");
  return used == NO_VALUE ? 0 : used;
}

static int64_t tasks_used(const cgroup *group) {
  char path[PATH_BYTES + 32];
  (void)snprintf(path, sizeof path, "%s/pids.current", group->folder);
  const int64_t used = read_number(path);
  return used == NO_VALUE ? 0 : used;
}

static usage cgroup_memory(void) {
  return closest("memory", "memory.limit_in_bytes", "memory.max", memory_used);
}

bool trm_memory_in_cgroup(int64_t bytes, int64_t taken) {
  const usage u = cgroup_memory();
  return u.limit == NO_VALUE || bytes <= u.limit - (u.used > taken ? u.used : taken);
}

/* ---- in words ---------------------------------------------------------------------------------- */

/* The limit of a resource in bytes; NO_VALUE: none. */
static int64_t limit_of(__rlimit_resource_t resource) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return NO_VALUE;
  return limit.rlim_cur > INT64_MAX ? NO_VALUE : (int64_t)limit.rlim_cur;
}

/* Whether `bytes` more exceed a limit of the shell's, whose use /proc counts in KiB; says so. */
static bool exceeds(__rlimit_resource_t resource, const char *option, const char *field,
                    int64_t bytes, char *text) {
  const int64_t limit = limit_of(resource), used_kib = read_field("/proc/self/status", field);
  if (limit == NO_VALUE || used_kib == NO_VALUE) return false;
  if (bytes <= limit - used_kib * 1024) return false;
  (void)snprintf(text, TRM_LIMIT_BYTES, "%s is %" PRId64 " KiB, of which %" PRId64 " are in use",
                 option, limit / 1024, used_kib);
  return true;
}

void trm_limit_of_memory(int64_t bytes, char *text) {
  text[0] = 0;
  if (exceeds(RLIMIT_AS, "ulimit -v", "VmSize:", bytes, text)) return;
  if (exceeds(RLIMIT_DATA, "ulimit -d", "VmData:", bytes, text)) return;
  const usage u = cgroup_memory();
  const int64_t taken = trm_alloc_counts_get().live_bytes;
  if (u.limit != NO_VALUE && !trm_memory_in_cgroup(bytes, taken)) {
    (void)snprintf(text, TRM_LIMIT_BYTES,
                   "the control group allows %" PRId64 " MiB, of which %" PRId64
                   " are taken (%.90s)",
                   u.limit >> 20, (u.used > taken ? u.used : taken) >> 20, u.path);
    return;
  }
  const int64_t machine = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  if (bytes > machine) {
    (void)snprintf(text, TRM_LIMIT_BYTES, "this machine has %" PRId64 " MiB", machine >> 20);
  }
}

void trm_limit_of_threads(int n, int64_t stack_bytes, char *text) {
  const int64_t most = limit_of(RLIMIT_NPROC);
  const usage tasks = closest("pids", "pids.max", "pids.max", tasks_used);
  if (exceeds(RLIMIT_AS, "ulimit -v", "VmSize:", n * stack_bytes, text)) return;
  if (tasks.limit != NO_VALUE && tasks.used + n > tasks.limit) {
    (void)snprintf(text, TRM_LIMIT_BYTES, "the control group allows %" PRId64 " threads (%.120s)",
                   tasks.limit, tasks.path);
  } else if (most != NO_VALUE && geteuid() != 0) {
    (void)snprintf(text, TRM_LIMIT_BYTES,
                   "ulimit -u is %" PRId64 ", for all processes and threads of this user", most);
  } else {
    (void)snprintf(text, TRM_LIMIT_BYTES, "the system has no room for another");
  }
}

trm_status trm_thread_fail(int error, const char *what) {
  char limit[TRM_LIMIT_BYTES];
  size_t stack_bytes = 8 << 20;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) == 0) {
    if (pthread_attr_getstacksize(&attributes, &stack_bytes) != 0) stack_bytes = 8 << 20;
    (void)pthread_attr_destroy(&attributes);
  }
  trm_limit_of_threads(1, (int64_t)stack_bytes, limit);
  return trm_fail(TRM_ERR_MEMORY, "%s: no thread can be started (%s): %s; raise that limit", what,
                  strerror(error), limit);
}
