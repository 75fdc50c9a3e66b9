/* Ending the launcher.
 *
 * When ranks leave, mpirun ends the others, and then waits for its daemons: for ever, when the host of
 * one is frozen, and for minutes, when it is cut off. So ranks on its host end it, and those on other
 * hosts their daemon. The process that does it is not killed with the ranks, as it is in a session of
 * its own; it holds no file of theirs open, since the launcher waits for the ends of their pipes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trireme/core/memory.h"
#include "watch_internal.h"

static bool begins_with(const char *name, const char *const *words) {
  for (; *words; ++words) {
    if (strncmp(name, *words, strlen(*words)) == 0) return true;
  }
  return false;
}

/* Also "mpirun.openmpi", "mpiexec.hydra" and the like. */
static bool is_launcher(const trm_process *process) {
  static const char *const names[] = {"mpirun", "mpiexec", "orterun", "prterun", "prun", NULL};
  return begins_with(process->name, names);
}

static bool is_daemon(const trm_process *process) {
  static const char *const names[] = {"orted", "prted", "prte", "hydra_pmi_proxy", NULL};
  return begins_with(process->name, names);
}

trm_status trm_launch_add(trm_launch *launch, const trm_process *process) {
  for (int i = 0; i < launch->n; ++i) {
    if (launch->members[i].pid == process->pid) return TRM_OK;
  }
  if (launch->n == launch->capacity) {
    const int capacity = 2 * launch->capacity + 16;
    trm_process *larger = NULL;
    TRM_TRY(TRM_ALLOC(&larger, capacity, "processes of the job"));
    if (launch->n > 0) memcpy(larger, launch->members, (size_t)launch->n * sizeof *larger);
    TRM_FREE(launch->members);
    launch->members = larger;
    launch->capacity = capacity;
  }
  launch->members[launch->n++] = *process;
  return TRM_OK;
}

/* What `parent` started, but not this process. */
static trm_status add_children(trm_launch *launch, int32_t parent) {
  trm_status status = TRM_OK;
  DIR *folder = opendir("/proc");
  if (!folder) return TRM_OK; /* then only the launcher is known, which matters most */
  for (struct dirent *entry; status == TRM_OK && (entry = readdir(folder));) {
    const long pid = strtol(entry->d_name, NULL, 10);
    if (pid <= 0 || pid == getpid()) continue;
    const trm_process process = trm_process_look((int32_t)pid);
    if (process.state != 'X' && process.parent == parent) status = trm_launch_add(launch, &process);
  }
  (void)closedir(folder);
  return status;
}

trm_status trm_launch_find(trm_launch *launch) {
  trm_process launchers[2] = {0}; /* the nearest launcher, the nearest daemon */
  int n_found = 0;
  *launch = (trm_launch){.exit_file = getenv("TRIREME_EXIT_FILE")};
  for (trm_process p = trm_process_look(getppid()); p.pid > 1 && p.state != 'X' && n_found < 2;
       p = trm_process_look(p.parent)) {
    if (is_launcher(&p)) {
      launchers[1] = launchers[0];
      launchers[0] = p;
      launch->has_launcher = true;
      ++n_found;
      break;
    }
    if (is_daemon(&p) && n_found == 0) launchers[n_found++] = p;
  }
  for (int i = 0; i < n_found; ++i) TRM_TRY(trm_launch_add(launch, &launchers[i]));
  for (int i = 0; i < n_found; ++i) TRM_TRY(add_children(launch, launchers[i].pid));
  return TRM_OK;
}

void trm_launch_release(trm_launch *launch) {
  TRM_FREE(launch->members);
  *launch = (trm_launch){0};
}

/* ---- in the process left behind: calls that are safe after fork ------------------------------- */

/* Nothing of the job's is held open; 0, 1 and 2 lead nowhere. */
static void let_go_of_files(void) {
  const long most = sysconf(_SC_OPEN_MAX);
  if (close_range(0, ~0U, 0) != 0) {
    for (int i = 0; i < (most > 0 && most < 65536 ? most : 65536); ++i) (void)close(i);
  }
  for (int i = 0; i < 3; ++i) (void)open("/dev/null", O_RDWR);
}

static void note_exit_code(const char *path) {
  static const char text[] = "71\n";
  _Static_assert(TRM_EXIT_RANK_LOST == 71, "its digits");
  const int file = path && *path ? open(path, O_WRONLY | O_TRUNC | O_CLOEXEC) : -1;
  if (file < 0) return;
  if (write(file, text, sizeof text - 1) < 0) (void)close(file); /* nobody can be told */
}

static void kill_members(const trm_launch *launch) {
  for (int i = 0; i < launch->n; ++i) {
    if (trm_process_lives(&launch->members[i])) (void)kill(launch->members[i].pid, SIGKILL);
  }
}

_Noreturn static void wait_and_kill(const trm_launch *launch, double grace_s) {
  const struct timespec nap = {.tv_nsec = 100000000};
  (void)setsid();
  (void)signal(SIGTERM, SIG_IGN);
  (void)signal(SIGHUP, SIG_IGN);
  for (int i = 0; i < (int)(grace_s * 10); ++i) {
    if (!trm_process_lives(&launch->members[0])) break;
    (void)nanosleep(&nap, NULL);
  }
  if (launch->has_launcher && trm_process_lives(&launch->members[0])) {
    note_exit_code(launch->exit_file);
  }
  kill_members(launch);
  _exit(0);
}

void trm_launch_end(const trm_launch *launch, double grace_s) {
  if (launch->n == 0) return;
  /* Not fork: handlers that libraries have registered for it may wait for a lock. */
  const pid_t child = _Fork();
  if (child != 0) return; /* if there can be none, the launcher is left to itself */
  let_go_of_files();
  wait_and_kill(launch, grace_s);
}
