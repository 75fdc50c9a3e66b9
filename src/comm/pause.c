/* Waiting for other ranks by looking again and again. */
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "comm_internal.h"

/* A rank bound to a single processor is taken to have it for itself; a larger mask is shared by
 * all. */
bool trm_oversubscribed(const trm_comm *comm) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 1) {
    processors = CPU_COUNT(&allowed);
  }
  return comm->job->node_size > processors;
}

/* How long to poll before the processor is offered to others, and before it is left for a while.
 * Where every rank has a processor, a message is microseconds away, and who yields to a stranger's
 * process gets the processor back milliseconds later. Where ranks share processors, whoever has to
 * send the message needs this one. Measured with benchmarks/bench_allreduce on 2 processors, with
 * 2 ranks on a busy machine and with 4 ranks. */
static const double SPIN_S = 500e-6, YIELD_S = 5e-3;
static const struct timespec SHORT_SLEEP = {.tv_sec = 0, .tv_nsec = 20000};

void trm_idle_pause(bool yield_at_once, double waited_s) {
  if (waited_s > YIELD_S) {
    (void)nanosleep(&SHORT_SLEEP, NULL); /* a signal may end it early: we poll again anyway */
  } else if (yield_at_once || waited_s > SPIN_S) {
    (void)sched_yield(); /* cannot fail on Linux */
  }
}
