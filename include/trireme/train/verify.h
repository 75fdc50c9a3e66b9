/**
 * Replaying runs: `trireme verify` compares a run with itself on the layout it is started with,
 * `trireme bisect` finds where two runs part.
 */
#ifndef TRIREME_TRAIN_VERIFY_H
#define TRIREME_TRAIN_VERIFY_H

#include <stdint.h>
#include <stdio.h>

#include "trireme/comm/comm.h"
#include "trireme/core/log.h"

/** Paths of the user's own libraries, where a run was trained with any; NULL: none is given. */
typedef struct trm_verify_plugins {
  const char *optimizer, *schedule;
} trm_verify_plugins;

typedef struct trm_verify_options {
  const char *run;  /* run directory */
  const char *data; /* data set; NULL: the one of the run */
  int64_t from;     /* begin at the newest checkpoint up to this step; -1: the oldest there is */
  int64_t n_steps;  /* to replay; 0: as many as the run has hashes for */
  trm_verify_plugins plugins;
} trm_verify_options;

typedef struct trm_verify_result {
  int64_t first, last;    /* steps compared */
  int64_t differs;        /* first step whose weights differ, -1: none */
  int64_t samples_differ; /* first step whose samples differ, -1: none */
  char change[192]; /* "optimizer.lr was 0.1, is 0.01": of a run that went on with other values of
                             keys than the checkpoint had that was replayed from; "": none */
  char remedy[160]; /* what to do then */
} trm_verify_result;

/** Replays steps of a run and compares the weights after each with hashes.csv. Collective. */
trm_status trm_verify_run(trm_comm *comm, const trm_verify_options *options, trm_log *log,
                          trm_verify_result *result);

/**
 * First step, and then first parameter, where two runs part; written to `out` on rank 0.
 * The step comes from their hashes.csv; for the parameter both are replayed to that step. Collective.
 * @param[in]  plugins  of both runs
 * @param[out] parted   whether they do
 */
trm_status trm_bisect_runs(trm_comm *comm, const char *run_a, const char *run_b,
                           const trm_verify_plugins *plugins, FILE *out, trm_log *log,
                           bool *parted);

#endif
