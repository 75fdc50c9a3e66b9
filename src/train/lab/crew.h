/** The ranks in groups, each of which trains runs of its own. */
#ifndef TRIREME_TRAIN_CREW_H
#define TRIREME_TRAIN_CREW_H

#include "trireme/comm/comm.h"
#include "trireme/core/log.h"
#include "trireme/train/train.h"

typedef struct trm_crew {
  trm_comm *comm;  /* all ranks; borrowed */
  trm_comm *group; /* this rank's; owned */
  int n_groups, my_group;
  trm_log *log; /* rank 0's; borrowed */
} trm_crew;

/** At most as many groups as runs at once, and as ranks. Collective; the status is the same on all. */
trm_status trm_crew_create(trm_comm *comm, int64_t at_once, trm_log *log, trm_crew *crew);
void trm_crew_free(trm_crew *crew); /* collective */

/** Whether this rank is the first of its group, which speaks for it. Not collective. */
bool trm_crew_leads(const trm_crew *crew);
/** One line, by the first rank of the group. Not collective. */
void trm_crew_say(const trm_crew *crew, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Whether a signal reached some rank of the group. Collective over the group. */
trm_status trm_crew_stop_asked(const trm_crew *crew, bool *stop);

/** A run among several. */
typedef struct trm_crew_run {
  const char *given;  /* what their configuration gives, as YAML */
  const char *folder; /* run.dir */
  const char *title;  /* stands before its progress */
  /** Sets what is the run's own; NULL: nothing. */
  trm_status (*set)(const void *context, trm_config *config);
  const void *context;
} trm_crew_run;
/** What `given` (trm_config_text) says, as messages of runs name it. Not collective. */
trm_status trm_crew_config_of(const char *given, trm_config **config);
/** The configuration of a run, checked, with the user's own libraries. Not collective. */
trm_status trm_crew_config(const trm_crew_run *run, trm_config **config);
/** Trains it as `options` say, but for the configuration. The terminal shows its progress alone.
 *  Collective over the group; the status is the same on all its ranks. */
trm_status trm_crew_train(const trm_crew *crew, const trm_crew_run *run,
                          const trm_train_options *options);

#endif
