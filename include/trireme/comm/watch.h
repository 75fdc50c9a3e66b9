/**
 * The deadline thread: makes no MPI calls, sees that a named phase has lasted too long, writes one
 * line with rank, host, step and phase, and ends the process with exit code 71; rank 0 first, the
 * next ones three seconds after each other, so that one line is printed.
 */
#ifndef TRIREME_COMM_WATCH_H
#define TRIREME_COMM_WATCH_H

#include <stdint.h>

#include "trireme/comm/comm.h"

/**
 * Starts the thread; deadline_s <= 0 starts none, nor does a communicator of one rank. Not collective.
 * A process has one, and one phase, whichever of its communicators names it: where it runs already
 * (groups of trm_comm_split) it keeps its deadline.
 * @param deadline_s  seconds that a phase may last from its last sign of life
 * @return TRM_ERR_MEMORY when no thread can be had, on this rank alone
 */
trm_status trm_watch_start(trm_comm *comm, double deadline_s);
/** Ends the thread, and waits for its end, when all that started it have stopped. Not collective. */
void trm_watch_stop(trm_comm *comm);
/** Enters phase `name` (kept: a string literal) of `step`; restarts the clock. Cheap, per step.
 *  For a communicator of one rank it is a pause. */
void trm_watch_phase(trm_comm *comm, const char *name, int64_t step);
/** Goes on with the phase and restarts its clock: for long phases, at each sign of life. */
void trm_watch_touch(trm_comm *comm);
/** No deadline until the next phase (long local work such as a data check). */
void trm_watch_pause(trm_comm *comm);

#endif
