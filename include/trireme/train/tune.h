/** A search over keys of the configuration: trials are trained, and the best is tested once. */
#ifndef TRIREME_TRAIN_TUNE_H
#define TRIREME_TRAIN_TUNE_H

#include <stdio.h>

#include "trireme/comm/comm.h"
#include "trireme/core/config.h"
#include "trireme/core/log.h"

typedef struct trm_tune_options {
  const char
      *space; /* file: configuration, search, parameters with their ranges (docs/EXPERIMENTS.md) */
  trm_config *config; /* that the file names, checked; a search sets keys of it */
  const char *folder; /* for the journal, tables and trials */
  const int64_t
      *splits; /* [n_splits] a search for each, whose test parts together tell what to expect */
  int64_t n_splits; /* 0: one search, on the configuration's split */
  int64_t folds;    /* inner folds of a trial, in place of the space's search.folds; 0: those */
  bool resume;      /* go on where it was stopped or killed */
} trm_tune_options;

/** Path of the configuration that a space file names, into path[size]; checks the rest of the file as far as
 *  it can be without it. Not collective. @return TRM_ERR_CONFIG, TRM_ERR_IO */
trm_status trm_tune_config_path(const char *space, char *path, size_t size);

/** Prints the keys of a space's search. */
trm_status trm_tune_help(FILE *file);

/**
 * Searches: trials are trained by groups of ranks, each with the bits that it has alone, and what is tried
 * does not depend on how many ranks there are. Trials do not score the test part. At the end the best trial
 * of full length is scored on it, once.
 *
 * Writes <folder>/journal.csv as it goes (journal.h), and at the end trials.csv, importance.csv, parallel.csv,
 * best.yaml, test.csv; with splits below split_K, and nested.csv and a page of all of them beside those.
 *
 * Collective; the status is the same on all ranks: TRM_STOPPED when stopped by a signal.
 */
trm_status trm_tune(trm_comm *comm, const trm_tune_options *options, trm_log *log);

#endif
