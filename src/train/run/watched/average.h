/**
 * The average of the weights along a run: an exponential moving average (ema), or the mean from some step
 * on (swa). Training never reads it; evaluations look at it through a view, and checkpoints hold it
 * beside the weights. Every rank keeps all of it: it is a function of the weights alone, which are the
 * same on all of them. Not collective.
 */
#ifndef TRIREME_TRAIN_AVERAGE_H
#define TRIREME_TRAIN_AVERAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/ckpt/facts.h"
#include "trireme/core/config.h"
#include "trireme/core/log.h"
#include "trireme/nn/params.h"

typedef struct trm_average {
  trm_real *weights;    /* [n_elements], as those of the parameter table; owned */
  int64_t n_updates;    /* weights taken in; 0: there is no average yet */
  int64_t n_statistics; /* updates after which running statistics were estimated, -1: never */
  bool equal;           /* all weights count alike (swa); else the newest count most */
  bool estimates;       /* running statistics are estimated, not averaged */
  bool warmup;          /* ema: short memory at first */
  double decay;
  int64_t from, every; /* steps after `from`, every so many */
  bool shared;         /* `from` was given as a share of the run that began */
  trm_real *kept;      /* the weights, while the table shows the average; else NULL */
} trm_average;

/** Adds the parts of the ways to average. */
void trm_average_parts(trm_config_parts *parts);
/** As average.kind says; NULL when it is none. Frees nothing of what it is given. @return TRM_ERR_MEMORY */
trm_status trm_average_create(const trm_config *config, const trm_params *params,
                              trm_average **out);
void trm_average_destroy(trm_average **average);

/**
 * Takes in the weights after update `step` (from 1), if it is due. The first ones are copied; then
 * average += rate (weights - average), where rate is 1 - decay, at least 9 / (10 + n) with a warm-up and n
 * weights taken in before; or of equal weights 1 / (n + 1). Running statistics are averaged alike in ema;
 * in swa they stay what they were until they are estimated.
 *
 * Thread-parallel over elements; the result does not depend on the threads.
 */
void trm_average_observe(trm_average *average, const trm_params *params, int64_t step);

/** Whether there is an average to look at; NULL: no. */
bool trm_average_any(const trm_average *average);
/** Whether running statistics are to be estimated before the average is looked at. */
bool trm_average_wants_statistics(const trm_average *average);
/** Lets the table show the average instead of the weights, which stay where they are, unwritten. Nothing
 *  may train or be saved until trm_average_hide. */
void trm_average_show(trm_average *average, trm_params *params);
void trm_average_hide(trm_average *average, trm_params *params);

/** Counters, and the hash of the average, for a checkpoint. @return TRM_ERR_MEMORY */
trm_status trm_average_keep(const trm_average *average, const trm_params *params, trm_facts *facts);
/** Hash of all of the average, as trm_params_hash of weights. */
uint64_t trm_average_hash(const trm_average *average, const trm_params *params);
void trm_average_restore(const trm_facts *facts, trm_average *average);
/** Whether a checkpoint has an average, and whether its running statistics are older than it. */
bool trm_average_in(const trm_facts *facts, bool *stale);
/** Says so of the checkpoint `path`, where its average is used all the same. */
void trm_average_warn_stale(trm_log *log, const char *path);

#endif
