/** What the files of a search share: tune.c its course, tune_round.c its trials. */
#ifndef TRIREME_TRAIN_TUNE_INTERNAL_H
#define TRIREME_TRAIN_TUNE_INTERNAL_H

#include "journal.h"
#include "nested.h"
#include "trial.h"
#include "trireme/train/tune.h"

/** One search: of a split, or the only one. */
typedef struct trm_search {
  const trm_tune_options *options;
  trm_nested *nested; /* of whose splits it is one; NULL: of none. Borrowed */
  trm_comm *comm;
  trm_crew crew;
  trm_log *log;
  trm_space space;
  trm_tuning search;
  trm_journal journal; /* rank 0 */
  trm_trials trials;
  char folder[TRM_PATH_BYTES], select[32];
  char *given; /* what the configuration gives, as YAML; owned */
  uint64_t identity;
  bool reports;         /* a page of all trials is written */
  bool untouched;       /* trials do not score the test part */
  double start_s, work; /* of this session, in runs of full length */
} trm_search;

/**
 * Jobs that can be decided by what is known are taken from the journal, or trained by the groups of ranks;
 * their results are noted, and checkpoints that are not needed removed. Collective.
 * @param[out] over  there was nothing left to decide
 * @return as the trials; TRM_STOPPED after a signal: the same on all ranks
 */
trm_status trm_search_round(trm_search *search, bool *over);

#endif
