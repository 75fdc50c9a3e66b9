/**
 * A training run: what set-up makes and the loop uses.
 *
 * Every rank goes through the same calls in the same order. What only one rank can see (a full
 * disk, a signal) is carried to the next place where the ranks agree: trm_comm_agree in set-up, the
 * status element of the last gradient bucket inside a step.
 */
#ifndef TRIREME_TRAIN_RUN_H
#define TRIREME_TRAIN_RUN_H

#include "findings.h"
#include "metrics.h"
#include "norms.h"
#include "resume.h"
#include "rundir.h"
#include "table.h"
#include "task.h"
#include "trireme/ckpt/ckpt.h"
#include "trireme/comm/watch.h"
#include "trireme/parallel/gradsync.h"
#include "trireme/parallel/sharded.h"
#include "trireme/train/learner.h"
#include "trireme/train/train.h"

typedef struct trm_run {
  trm_comm *comm;                   /* borrowed */
  const trm_train_options *options; /* borrowed */
  trm_log *log;                     /* borrowed; silent on other ranks than 0 */
  bool root;

  trm_rundir dir;
  trm_task *task;
  trm_learner learner;
  trm_regions regions;
  trm_gradsync *sync;
  trm_sharded *sharded;  /* NULL when every rank has all of the optimizer's state */
  trm_ckpt_store *store; /* rank 0 only */
  trm_metrics *metrics;  /* rank 0 only */
  trm_findings *findings,
      *best_findings;        /* of the last evaluation and of the best one of this start, for
                                          reports; NULL: none are made. Owned */
  double findings_written_s; /* when the best one was last written */
  bool findings_pending;     /* it has not been since it changed */
  trm_norms norms;
  trm_step_table ledger;               /* samples.csv, rank 0 only and on request */
  uint64_t weights_hash, samples_hash; /* of the last step, where they were taken */
  trm_run_state state;
  bool resumed;
  int64_t begin_step;   /* that this start went on from; 0: from initial weights */
  uint64_t *hashes;     /* [ranks], scratch of the drift check; owned */
  int lock;             /* on the run directory, -1: none */
  bool budget_counts;   /* the time budget may stop the run */
  char best_tests[160]; /* "  test_accuracy 0.8150": of the evaluation that is the best; "": not of
                           this start */
  bool replay_stop;     /* a replay has found a difference */
  bool given_up;        /* who watches has seen enough */
  int64_t saved_step;   /* newest step handed to the store, -1: none */
  bool evaluated_since; /* an evaluation of that step came after it was saved */
  int64_t n_failed_saves, written_step; /* in a row; the newest that was written when they began */
  trm_status pending;                   /* what this rank failed with since the ranks last agreed */

  uint64_t seed;
  int64_t n_steps;
  int64_t end_step; /* where it is left this time: n_steps, or before */
  int64_t eval_every, ckpt_every, check_every;
  trm_patience patience;
  bool eval_at_end;
  double time_budget_s, start_s;
  int warned_rank; /* of a straggler */
  double warned_s;
  bool warned_unheard;
} trm_run;

static inline int64_t trm_run_int(const trm_run *r, const char *key) {
  return trm_config_int(r->options->config, key);
}

static inline bool trm_due(int64_t step, int64_t every) {
  return every > 0 && step % every == 0;
}

/** Whether it is a real run, with a directory. */
static inline bool trm_run_writes(const trm_run *r) {
  return !r->options->replay && !r->options->search;
}

/** Everything up to the first step. Collective; the status is the same on all ranks. */
trm_status trm_run_set_up(trm_run *r);
/** Resolves train.steps as the data, and options->extend, would have it; how long the schedule lasts is
 *  another matter (resume.h). Not collective, but METIS takes its time. */
trm_status trm_run_resolve(const trm_train_options *options, trm_task *task);
/** Waits for the last checkpoint and lets everything go; reports the first failure. Collective. */
trm_status trm_run_tear_down(trm_run *r);

/** How a write of the store has ended: a failure of its disk becomes a warning while
 *  checkpoint.failures allows it and an older checkpoint is there. Rank 0. */
trm_status trm_run_forgive(trm_run *r, trm_status status);
/** Checkpoints (save.c). What fails is kept in r->pending. Collective. */
void trm_run_save(trm_run *r, bool best);
/** Saves if this step has not been saved, and waits until it is on disk. Collective. */
trm_status trm_run_save_last(trm_run *r);
/** Saves now and then; what fails is carried to the next step. A checkpoint that is due while the disk
 *  is far behind is left out. Collective; the status is the same on all ranks. */
trm_status trm_run_save_if_due(trm_run *r);

/** The slowest rank of late; warns of one that has been for long. On rank 0. Not collective. */
trm_straggler trm_run_straggler(trm_run *r);
/** Whether this rank has been asked to stop: a trm_task_stop. */
bool trm_run_stop_wanted(void *run);
/** Estimates the running statistics of the average (statistics.c). `*stop` may become true: then they stay
 *  what they were. Collective; the status is the same on all ranks. */
trm_status trm_run_estimate_statistics(trm_run *r, bool *stop);

/** Steps, evaluations and checkpoints to the end, or to a stop. Collective. */
trm_status trm_run_loop(trm_run *r, bool *stopped);

/** The loss or a gradient is not finite; the same on all ranks. */
trm_status trm_run_diverged(const trm_run *r, double loss, const trm_step_info *info);

#endif
