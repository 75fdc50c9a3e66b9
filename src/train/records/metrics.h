/**
 * Metrics of a run: metrics.csv, hashes.csv (one row a step), TensorBoard events and the progress
 * line. Only rank 0 has them.
 */
#ifndef TRIREME_TRAIN_METRICS_H
#define TRIREME_TRAIN_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "task.h"
#include "trireme/core/log.h"
#include "trireme/core/status.h"
#include "trireme/optim/optim.h"

/** What one training step came to. */
typedef struct trm_step_record {
  int64_t step; /* updates done */
  double loss;  /* nats a unit, over the global batch */
  double lr;
  double grad_norm;
  int64_t units;         /* that counted, of the global batch */
  double step_s;         /* duration */
  double exposed_s;      /* of it, waiting for communication */
  int slow_rank;         /* slowest rank of late, -1: not known */
  double slow_share;     /* of the time, which would be saved if it were as fast as the others */
  uint64_t weights_hash; /* after the update */
  uint64_t samples_hash; /* of the global batch */
} trm_step_record;

typedef struct trm_metrics trm_metrics;

typedef struct trm_metrics_options {
  const char *folder; /* run directory */
  int64_t first_step; /* updates done before this start; rows past it are dropped from the file */
  bool evaluated; /* the weights of first_step have been; else that is repeated, and its row goes */
  int64_t n_steps; /* where the run ends */
  int64_t log_every;
  bool tensorboard;
  const trm_task *task; /* names its unit and its scores */
  const trm_optimizer
      *optimizer; /* asked for the share of zeros, where weights shrink to them; kept */
} trm_metrics_options;

trm_status trm_metrics_open(const trm_metrics_options *options, trm_log *log, trm_metrics **out);
/** Records a step: shows progress, and writes a row every log_every steps. Does not allocate. */
trm_status trm_metrics_step(trm_metrics *metrics, const trm_step_record *record);
/** Records an evaluation of the weights after `step` updates. */
trm_status trm_metrics_eval(trm_metrics *metrics, const trm_evaluation *evaluation, bool best);
/** A row that says what happened after `step` updates, in words without commas. */
trm_status trm_metrics_event(trm_metrics *metrics, int64_t step, const char *event);
/** A curve of its own in TensorBoard, if that is written. */
trm_status trm_metrics_scalar(trm_metrics *metrics, int64_t step, const char *name, double value);
/** Brings every row so far to the file: before a checkpoint of these steps is written. */
trm_status trm_metrics_flush(trm_metrics *metrics);
trm_status trm_metrics_close(trm_metrics **metrics);

#endif
