/* Run by test_comm_end.py under mpirun: ways in which a job may end, or go on.
 *
 *     comm_end_child hang R     rank R sleeps, the others wait for it in a barrier
 *     comm_end_child stop R     rank R stops itself (SIGSTOP), the others wait
 *     comm_end_child tangle R   all ranks wait for each other
 *     comm_end_child slow R     rank R works for longer than the deadline, moving, and rests as long
 *     comm_end_child mpi R      an MPI call fails on rank R, the others wait
 *     comm_end_child bug R      an assertion fails on rank R, the others wait
 *     comm_end_child group R    the same in R's half of the ranks, while the other half goes on
 *     comm_end_child thread R   rank R has no memory for the stack of the watch's thread
 *     comm_end_child busy       phases and pauses that together last longer than the deadline
 *     comm_end_child suspended  all ranks are stopped for longer than the deadline, then go on
 */
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "trireme/comm/comm.h"
#include "trireme/comm/split.h"
#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"

/* Of those that end the job, and of those that must not. */
static const double DEADLINE_S = 1.0, LONG_DEADLINE_S = 2.0;

static void run_busy(trm_comm *comm) {
  for (int step = 0; step < 8; ++step) {
    trm_watch_phase(comm, "short phase", step);
    trm_sleep_s(0.2);
  }
  trm_watch_pause(comm);
  trm_sleep_s(1.3 * LONG_DEADLINE_S);
  for (int step = 0; step < 1000000; ++step) trm_watch_phase(comm, "hot path", step);
  /* Stopped, another deadline set, stopped by finalize. */
  trm_watch_stop(comm);
  trm_sleep_s(1.5);
  CHECK_OK(trm_watch_start(comm, 30.0));
  trm_watch_phase(comm, "last phase", 8);
}

/* A child wakes this process up again: a stopped process cannot do it by itself. */
static void run_suspended(trm_comm *comm) {
  const pid_t self = getpid();
  trm_watch_phase(comm, "suspended phase", 3);
  const pid_t child = fork();
  if (child == 0) {
    if (kill(self, SIGSTOP) != 0) _exit(1);
    trm_sleep_s(4.0);
    _exit(kill(self, SIGCONT) == 0 ? 0 : 1);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  trm_sleep_s(0.3);
  trm_watch_phase(comm, "after", 4);
}

/* One rank goes its own way, the others wait for it. */
static void run_bad(trm_comm *comm, const char *mode, int bad) {
  trm_watch_phase(comm, "gradient all-reduce", 57);
  if (strcmp(mode, "tangle") == 0 && trm_comm_rank(comm) == bad) {
    CHECK_OK(trm_comm_receive(comm, &bad, sizeof bad, (bad + 1) % trm_comm_size(comm)));
  } else if (trm_comm_rank(comm) == bad) {
    if (strcmp(mode, "mpi") == 0) CHECK_OK(trm_comm_allgather(comm, &bad, MPI_IN_PLACE, 4));
    TRM_ASSERT(strcmp(mode, "bug") != 0);
    if (strcmp(mode, "stop") == 0) {
      trm_sleep_s(0.4 * DEADLINE_S); /* it has said what it is at */
      CHECK_EQ(raise(SIGSTOP), 0);
    }
    trm_sleep_s(60);
  }
  CHECK_OK(trm_comm_barrier(comm));
}

/* Others wait for it, and it is left alone. */
static void run_slow(trm_comm *comm, int slow) {
  trm_watch_phase(comm, "forward and backward", 57);
  for (int i = 0; i < 13 && trm_comm_rank(comm) == slow; ++i) {
    trm_sleep_s(0.1 * LONG_DEADLINE_S);
    trm_watch_touch(comm);
  }
  CHECK_OK(trm_comm_barrier(comm));
  if (trm_comm_rank(comm) == slow) {
    trm_watch_pause(comm);
    trm_sleep_s(1.3 * LONG_DEADLINE_S);
  }
  CHECK_OK(trm_comm_barrier(comm));
}

/* Halves of the ranks as groups; the deadline thread is the process's. */
static void run_group(trm_comm *comm, int bad) {
  trm_comm *group = NULL;
  const int half = trm_comm_size(comm) / 2;
  CHECK_OK(trm_comm_split(comm, trm_comm_rank(comm) / half, &group));
  trm_watch_stop(group); /* has started none: the deadline stays */
  if (trm_comm_rank(comm) / half == bad / half) run_bad(group, "group", bad % half);
  for (int step = 0; step < 300; ++step) {
    trm_watch_phase(group, "good half", step);
    trm_sleep_s(0.1);
    CHECK_OK(trm_comm_barrier(group));
  }
}

/* Memory of this process may grow by so much from now on. */
static void limit_memory(size_t more_bytes) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!CHECK(file && fscanf(file, "%lu", &pages) == 1) || !file) return;
  CHECK_EQ(fclose(file), 0);
  const rlim_t bytes = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + more_bytes;
  CHECK_EQ(setrlimit(RLIMIT_AS, &(struct rlimit){bytes, bytes}), 0);
}

/* All hear of the limit of the one that could not. They have heard of something from it before: MPICH maps
 * what it speaks through when it first does, which would be past the limit. */
static void run_thread(trm_comm *comm, int bad) {
  const bool first = trm_comm_rank(comm) == bad;
  CHECK_EQ(trm_comm_agree(comm, first ? trm_fail(TRM_ERR_DATA, "something") : TRM_OK),
           TRM_ERR_DATA);
  if (first) limit_memory(2 << 20);
  CHECK_EQ(trm_comm_agree(comm, trm_watch_start(comm, 30)), TRM_ERR_MEMORY);
  CHECK_HAS(trm_message(), "the watch over other ranks");
  CHECK_HAS(trm_message(), "ulimit -v is");
  trm_watch_stop(comm);
}

int main(int argc, char **argv) {
  trm_comm *comm = NULL;
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm)) || argc < 2) return 1;
  CHECK_OK(trm_watch_start(comm, 0)); /* none: the phases below must do no harm */
  trm_watch_phase(comm, "no deadline", 0);
  trm_watch_stop(comm);
  if (strcmp(argv[1], "thread") == 0) {
    run_thread(comm, (int)strtol(argv[2], NULL, 10));
    trm_comm_finalize(&comm);
    return check_verdict();
  }
  const bool ends_itself = strcmp(argv[1], "mpi") == 0 || strcmp(argv[1], "bug") == 0;
  const bool goes_on = strcmp(argv[1], "slow") == 0 || strcmp(argv[1], "busy") == 0;
  CHECK_OK(trm_watch_start(comm, ends_itself ? 30.0 : goes_on ? LONG_DEADLINE_S : DEADLINE_S));
  if (strcmp(argv[1], "group") == 0) run_group(comm, (int)strtol(argv[2], NULL, 10));
  if (strcmp(argv[1], "slow") == 0) {
    run_slow(comm, (int)strtol(argv[2], NULL, 10));
  } else if (argc > 2) {
    run_bad(comm, argv[1], (int)strtol(argv[2], NULL, 10));
  }
  if (strcmp(argv[1], "busy") == 0) run_busy(comm);
  if (strcmp(argv[1], "suspended") == 0) run_suspended(comm);
  trm_comm_finalize(&comm);
  return check_verdict();
}
