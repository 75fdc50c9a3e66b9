/* What signs of life cost the working thread while the watch runs; and what the watch itself takes.
 *
 *     mpirun -q -n 2 build/release/benchmarks/bench_watch
 */
#include <stdio.h>
#include <time.h>

#include "trireme/comm/comm.h"
#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"

enum { CALLS = 2000000, ROUNDS = 5 };

static double process_s(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Processor time, so that another process on the core does not count; the best of some rounds. */
static double call_ns(trm_comm *comm, int what) {
  double best = 1e9;
  for (int round = 0; round < ROUNDS; ++round) {
    const double start_s = process_s();
    for (int i = 0; i < CALLS; ++i) {
      if (what == 0) trm_watch_touch(comm);
      if (what == 1) trm_watch_phase(comm, "forward and backward", i);
      if (what == 2) trm_watch_wait_begin(comm);
      if (what == 2) trm_watch_wait_end(comm, true);
    }
    const double ns = 1e9 * (process_s() - start_s) / CALLS;
    if (ns < best) best = ns;
  }
  return best;
}

int main(int argc, char **argv) {
  trm_comm *comm = NULL;
  if (trm_comm_init(&argc, &argv, &comm) != TRM_OK) return 1;
  if (trm_watch_start(comm, 60) != TRM_OK) return 1;
  trm_watch_phase(comm, "forward and backward", 0);
  const double touch = call_ns(comm, 0), phase = call_ns(comm, 1), wait = call_ns(comm, 2);
  /* Nothing but the watch works meanwhile. */
  const double seconds = 5, before_s = process_s();
  for (const double end_s = trm_clock_s() + seconds; trm_clock_s() < end_s;) trm_sleep_s(1);
  const double share = (process_s() - before_s) / seconds;
  if (trm_comm_rank(comm) == 0) {
    printf("sign of life: %.1f ns; phase: %.1f ns; wait: %.1f ns\n", touch, phase, wait);
    printf("watch of rank 0: %.4f %% of a processor\n", 100 * share);
  }
  (void)trm_comm_barrier(comm);
  trm_watch_stop(comm);
  trm_comm_finalize(&comm);
  return 0;
}
