#include "trireme/train/train.h"

#include <inttypes.h>
#include <stdio.h>

#include "run.h"
#include "signals.h"
#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/train/report.h"

static const char *stop_reason(const trm_run *r) {
  const int number = trm_signals_received();
  if (number != 0) return trm_signal_name(number);
  const bool budget = r->time_budget_s > 0 && trm_clock_s() - r->start_s >= r->time_budget_s;
  return budget ? "the time budget" : "a signal to another rank";
}

trm_status trm_train_catch_signals(void) {
  return trm_signals_install();
}

/* After the run has let its folder go. A report that fails is no failure of the run; the message of the run
 * is kept. */
static void write_report(const char *folder, trm_log *log) {
  char message[TRM_MESSAGE_BYTES];
  (void)snprintf(message, sizeof message, "%s", trm_message());
  if (trm_report_of_run(folder) != TRM_OK) trm_log_warn(log, "no report: %s", trm_message());
  trm_message_set(message);
}

trm_status trm_train(trm_comm *comm, const trm_train_options *options, trm_log *log) {
  trm_run *r = NULL;
  trm_status status = TRM_ALLOC(&r, 1, "run");
  status = trm_comm_agree(comm, status);
  if (status != TRM_OK) {
    TRM_FREE(r);
    return status;
  }
  r->comm = comm;
  r->options = options;
  r->log = log;
  r->lock = r->warned_rank = -1;
  bool stopped = false;
  status = trm_run_set_up(r);
  if (status == TRM_OK) status = trm_run_loop(r, &stopped);
  if (status == TRM_OK && stopped && options->search) {
    status = trm_fail(TRM_STOPPED, "stopped at step %" PRId64 " by %s; nothing was written",
                      r->state.step, stop_reason(r));
  } else if (status == TRM_OK && stopped) {
    status = trm_fail(TRM_STOPPED,
                      "stopped at step %" PRId64 " by %s, with a checkpoint; go on with --resume",
                      r->state.step, stop_reason(r));
  }
  trm_watch_blocks(comm, 0);
  trm_watch_pause(comm);
  char message[TRM_MESSAGE_BYTES];
  (void)snprintf(message, sizeof message, "%s", trm_message());
  if (status != TRM_OK) trm_log_note(log, "%s", message);
  const bool reports = r->root && r->findings && r->metrics;
  char folder[TRM_PATH_BYTES];
  (void)snprintf(folder, sizeof folder, "%s", r->dir.root);
  /* It may fail on rank 0 alone; how the run ended all ranks know alike. */
  const trm_status closing = trm_comm_agree(comm, trm_run_tear_down(r));
  if (status == TRM_OK || (status == TRM_STOPPED && closing != TRM_OK)) {
    status = closing;
  } else {
    trm_message_set(message);
  }
  TRM_FREE(r);
  if (reports) write_report(folder, log);
  return status;
}
