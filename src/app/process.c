#include "app.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "trireme/math/threads.h"

/* Threads of a rank when nobody said: the processors it is bound to, or, when it may roam the whole
 * host, its share of them. */
static int default_threads(const trm_comm *comm) {
  const char *given = getenv("OMP_NUM_THREADS");
  if (given && *given) return trm_threads_get();
  const int n_host = (int)sysconf(_SC_NPROCESSORS_ONLN);
  cpu_set_t mask;
  int n_allowed = n_host;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) n_allowed = CPU_COUNT(&mask);
  const int n = n_allowed < n_host ? n_allowed : n_host / trm_comm_node_size(comm);
  return n > 0 ? n : 1;
}

trm_status app_start(int *argc, char ***argv, int64_t threads, trm_comm **comm) {
  TRM_TRY(trm_comm_init(argc, argv, comm));
  trm_math_init();
  trm_threads_set(threads > 0 ? (int)threads : default_threads(*comm));
  trm_threads_flush_subnormals();
  const int tasks = trm_comm_suspected_tasks(*comm);
  if (tasks > 1) {
    return trm_fail(TRM_ERR_CONFIG,
                    "the launcher started %d tasks, but MPI sees one rank here: %d "
                    "copies of the job would run; start it with mpirun, or with srun --mpi=pmix",
                    tasks, tasks);
  }
  return TRM_OK;
}

int app_end(trm_comm **comm, trm_status status) {
  const bool speaks = !comm || !*comm || trm_comm_rank(*comm) == 0;
  if (speaks && status != TRM_OK) {
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s%s\n", status == TRM_STOPPED ? "" : "error: ", trm_message());
  }
  if (comm) trm_comm_finalize(comm);
  if (fflush(stdout) != 0 && status == TRM_OK) status = TRM_ERR_IO;
  return trm_status_exit_code(status);
}

trm_status app_single_process(const char *command) {
  static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
    const char *text = getenv(sizes[i]);
    if (text && strtol(text, NULL, 10) > 1) {
      return trm_fail(TRM_ERR_USAGE,
                      "%s: runs in one process, but was started as %s; leave mpirun "
                      "away",
                      command, text);
    }
  }
  return TRM_OK;
}
