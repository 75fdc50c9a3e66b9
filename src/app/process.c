#include "app.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trireme/core/build.h"
#include "trireme/core/limits.h"
#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"

/* ---- start ---------------------------------------------------------------------------------- */

/* Ranks of this host that may run on the same processors as this one, itself among them. */
static int count_sharers(const trm_comm *comm, const cpu_set_t *masks) {
  const int rank = trm_comm_rank(comm);
  int n = 0;
  for (int r = 0; r < trm_comm_size(comm); ++r) {
    const bool same_host = strcmp(trm_comm_host(comm, r), trm_comm_host(comm, rank)) == 0;
    if (same_host && CPU_EQUAL(&masks[r], &masks[rank])) ++n;
  }
  return n;
}

/* Threads of a rank when nobody said: its share of the processors it may run on, which are its own
 * when the launcher binds ranks, and those of all ranks of the host when it does not. Collective,
 * also where the answer is not needed: ranks may differ in who said what. */
static trm_status share_of_processors(trm_comm *comm, int *n_threads) {
  cpu_set_t mine, *masks = NULL;
  CPU_ZERO(&mine);
  int n_allowed = (int)sysconf(_SC_NPROCESSORS_ONLN);
  if (sched_getaffinity(0, sizeof mine, &mine) == 0) {
    n_allowed = CPU_COUNT(&mine);
  } else { /* more processors than a mask holds: all ranks of the host are taken to share them */
    CPU_ZERO(&mine);
  }
  trm_status status = TRM_ALLOC(&masks, trm_comm_size(comm), "processors of the ranks");
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK) status = trm_comm_allgather(comm, &mine, masks, sizeof mine);
  if (status == TRM_OK) {
    const int n = n_allowed / count_sharers(comm, masks);
    *n_threads = n > 0 ? n : 1;
  }
  TRM_FREE(masks);
  return status;
}

/* Sets the number of threads, or as many of them as limits allow, which is told. Not collective. */
static trm_status take_threads(const trm_comm *comm, int n) {
  char why[TRM_LIMIT_BYTES];
  if (n > APP_MOST_THREADS) {
    return trm_fail(TRM_ERR_USAGE, "OMP_NUM_THREADS asks for %d threads a rank; %d is the most", n,
                    APP_MOST_THREADS);
  }
  const int got = trm_threads_available(n, why);
  trm_threads_set(got);
  if (got == n) return TRM_OK;
  (void)fprintf(stderr, "note: rank %d on %s computes with %d thread%s, not %d: %s\n",
                trm_comm_rank(comm), trm_comm_host(comm, trm_comm_rank(comm)), got,
                got == 1 ? "" : "s", n, why);
  return TRM_OK;
}

static trm_status start(int64_t threads, trm_comm *comm) {
  int n_threads = 1;
  trm_math_init();
  TRM_TRY(share_of_processors(comm, &n_threads));
  const char *given = getenv("OMP_NUM_THREADS");
  if (given && *given) n_threads = trm_threads_get();
  TRM_TRY(take_threads(comm, threads > 0 ? (int)threads : n_threads));
  TRM_TRY(trm_gemm_select("auto"));
  trm_threads_flush_subnormals();
  const int tasks = trm_comm_suspected_tasks(comm);
  if (tasks <= 1) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "the launcher started %d tasks, but MPI sees one rank here: %d copies of the job "
                  "would run; start it with mpirun, or with srun --mpi=pmix",
                  tasks, tasks);
}

/* First of all: other builds may call other collectives. */
static trm_status check_same_program(trm_comm *comm) {
  char build[TRM_BUILD_ID_BYTES], facts[128];
  trm_build_id(build);
  (void)snprintf(facts, sizeof facts, "the program\ttrireme " TRM_VERSION ", build %s", build);
  return trm_comm_check_same(comm, facts, "start the same file on all hosts");
}

/* Whether MPI can start: where it may not take memory or threads, it ends the program in its own ways, or
 * crashes. */
static trm_status room_for_mpi(void) {
  enum { THREADS = 10 }; /* of its own and of the launcher it starts where there is none */
  static const int64_t bytes = 192 << 20; /* of address space, mostly for its libraries */
  char limit[TRM_LIMIT_BYTES];
  trm_limit_of_memory(bytes, limit);
  if (limit[0]) {
    return trm_fail(TRM_ERR_MEMORY, "MPI needs some %d MiB to start: %s; raise that limit",
                    (int)(bytes >> 20), limit);
  }
  if (trm_threads_startable(THREADS, limit) < THREADS) {
    return trm_fail(TRM_ERR_MEMORY, "MPI needs up to %d threads to start: %s; raise that limit",
                    THREADS, limit);
  }
  return TRM_OK;
}

trm_status app_start(int *argc, char ***argv, int64_t threads, trm_status before, trm_comm **comm) {
  char message[TRM_MESSAGE_BYTES];
  (void)snprintf(message, sizeof message, "%s", trm_message());
  *comm = NULL;
  TRM_TRY(room_for_mpi());
  trm_status status = trm_comm_init(argc, argv, comm);
  if (status == TRM_OK) status = check_same_program(*comm);
  if (status == TRM_OK) status = start(threads, *comm);
  if (before != TRM_OK) { /* the first failure counts */
    status = before;
    trm_message_set(message);
  }
  return *comm ? trm_comm_agree(*comm, status) : status;
}

/* ---- end ------------------------------------------------------------------------------------ */

/* What was printed has arrived: a full disk shows at the latest now. */
static trm_status check_output(void) {
  errno = 0;
  const bool failed = ferror(stdout) != 0, flushed = fflush(stdout) == 0;
  if (flushed && !failed) return TRM_OK;
  return trm_fail(TRM_ERR_IO, "standard output: cannot be written: %s",
                  errno != 0 ? strerror(errno) : "an earlier write failed");
}

/* Whether standard error is a terminal whose user has not forbidden colours (no-color.org). */
static bool takes_colour(void) {
  const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

/* A line for each of the failures in the message. */
static void print_message(trm_status status) {
  const char *line = trm_message();
  const char *prefix = takes_colour() ? "\033[1;31merror:\033[0m " : "error: ";
  for (;;) {
    const size_t n = strcspn(line, (const char[]){TRM_MESSAGE_BREAK, 0});
    (void)fprintf(stderr, "%s%.*s\n", status == TRM_STOPPED ? "" : prefix, (int)n, line);
    if (!line[n]) return;
    line += n + 1;
  }
}

int app_end(trm_comm **comm, trm_status status) {
  const bool speaks = comm && *comm ? trm_comm_rank(*comm) == 0 : app_speaks();
  if (status == TRM_OK)
    status = check_output();
  else
    (void)fflush(stdout); /* the failure at hand came first */
  if (speaks && status != TRM_OK && *trm_message()) print_message(status);
  /* The launcher kills the others when one leaves with a failure: first the one that speaks. */
  const bool alone = !comm || !*comm;
  if (alone && !speaks && status != TRM_OK) (void)sleep(1);
  if (comm) trm_comm_finalize(comm);
  return trm_status_exit_code(status);
}

/* ---- started as several? -------------------------------------------------------------------- */

bool app_speaks(void) {
  static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK"};
  for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; ++i) {
    const char *text = getenv(ranks[i]);
    if (text && strtol(text, NULL, 10) > 0) return false;
  }
  return true;
}

trm_status app_single_process(const char *command) {
  static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
    const char *text = getenv(sizes[i]);
    if (text && strtol(text, NULL, 10) > 1) {
      return trm_fail(TRM_ERR_USAGE,
                      "%s: runs in one process, but was started as %s; leave mpirun away", command,
                      text);
    }
  }
  return TRM_OK;
}
