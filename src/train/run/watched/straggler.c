/* A rank that is slower than the others for long (another job on its host, a processor that is throttled),
 * or that is not heard. */
#include <inttypes.h>

#include "run.h"
#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"

/* What is worth a line: so much of the time, for so many windows one after another, in steps that are
 * long enough for it not to be what rank 0 does besides. */
static const double WARN_SHARE = 0.2, WARN_STEP_S = 0.02;
enum { WARN_WINDOWS = 2 };
static const double WARN_AGAIN_S = 600;

static void warn_of_unheard(trm_run *r) {
  const int rank = trm_watch_unheard(r->comm);
  if (rank < 0 || r->warned_unheard) return;
  r->warned_unheard = true;
  trm_log_warn(r->log,
               "rank %d (%s) is not heard by rank 0 (%s) beside MPI: a firewall may keep UDP from "
               "it; should a rank be lost, it may not be named",
               rank, trm_comm_host(r->comm, rank), trm_comm_host(r->comm, 0));
}

trm_straggler trm_run_straggler(trm_run *r) {
  warn_of_unheard(r);
  const trm_straggler s = trm_watch_straggler(r->comm);
  const double now_s = trm_clock_s();
  const bool counts = s.rank >= 0 && s.n_windows >= WARN_WINDOWS && s.share >= WARN_SHARE &&
                      s.step_s >= WARN_STEP_S;
  const bool again = s.rank == r->warned_rank && now_s - r->warned_s < WARN_AGAIN_S;
  if (!counts || again) return s;
  r->warned_rank = s.rank;
  r->warned_s = now_s;
  trm_log_warn(
      r->log,
      "step %" PRId64 ": rank %d (%s) is slower than the others: for %.3g s it has worked "
      "%.0f %% of the time, and the others wait for it %.0f %% (slow_share in metrics.csv); "
      "another job on its host, or a processor that is throttled?",
      r->state.step, s.rank, trm_comm_host(r->comm, s.rank), s.window_s * s.n_windows,
      100 * s.works, 100 * s.share);
  return s;
}
