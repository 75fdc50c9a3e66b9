/**
 * Who makes the reducer move: the compute thread, between operators, or a thread of its own.
 * In either case only one thread polls, and trm_progress_wait returns when all is done.
 */
#ifndef TRIREME_PARALLEL_PROGRESS_INTERNAL_H
#define TRIREME_PARALLEL_PROGRESS_INTERNAL_H

#include <stdbool.h>

#include "trireme/comm/reducer.h"

typedef struct trm_progress trm_progress;

/** Keeps `reducer`. Not collective. */
trm_status trm_progress_create(trm_reducer *reducer, bool own_thread, trm_progress **out);
void trm_progress_destroy(trm_progress **progress);
/** Something was started. */
void trm_progress_wake(trm_progress *progress);
/** Called between operators; does nothing when there is a thread. */
void trm_progress_poll(trm_progress *progress);
/** Until everything started is done. */
trm_status trm_progress_wait(trm_progress *progress);

#endif
