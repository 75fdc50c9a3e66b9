/**
 * The watch: a thread of each rank that makes no MPI calls tells other ranks, over a channel of its
 * own, what its rank is at; it sees that a rank gives no sign of life, names it in one line, ends the
 * job with exit code 71, and ends a launcher that waits for a host that is gone.
 *
 * A rank is silent when nothing comes from it (dead, stopped, its host frozen or cut off), stuck when
 * it answers but does not move in a phase, and else it works, rests or waits. Silent ranks, and stuck
 * ones for which others wait, end the job after the deadline; a slow one that moves does not.
 */
#ifndef TRIREME_COMM_WATCH_H
#define TRIREME_COMM_WATCH_H

#include <stdint.h>

#include "trireme/comm/comm.h"

/**
 * Starts the thread. Collective. deadline_s <= 0 starts none, nor does a communicator of one rank;
 * that of rank 0 counts.
 * A process has one, and one phase, whichever of its communicators names it: where it runs already
 * (groups of trm_comm_split) it keeps its deadline.
 * Where the file that the environment variable TRIREME_EXIT_FILE names exists on the launcher's host
 * and the launcher has to be killed, "71" is written into it, since a killed launcher has no exit code.
 * @param deadline_s  seconds that a rank may give no sign of life
 * @return TRM_ERR_MEMORY, on this rank alone when no thread can be had
 */
trm_status trm_watch_start(trm_comm *comm, double deadline_s);
/** Ends the thread, and waits for its end, when all that started it have stopped. Not collective. */
void trm_watch_stop(trm_comm *comm);
/** A rank that ought to be heard here and was not within ten seconds of the start, as behind a firewall:
 *  should it be lost, it is named only when all others wait. -1: none. Not collective. */
int trm_watch_unheard(const trm_comm *comm);

/** The slowest rank of the last window in which ranks were compared. */
typedef struct trm_straggler {
  int rank;      /* -1: no window has ended yet */
  int n_windows; /* for how many in a row it has been the slowest */
  double window_s;
  double works;  /* share of the time that it works */
  double share;  /* of the time, which would be saved if it were as fast as the others' median */
  double step_s; /* time a step takes */
} trm_straggler;

/** The blocks of a step, by whose numbers the ranks' work is compared from now on. Not collective. */
void trm_watch_blocks(trm_comm *comm, int64_t n_blocks);
/** On rank 0, where others are heard; rank -1 elsewhere, and for groups. Cheap. */
trm_straggler trm_watch_straggler(trm_comm *comm);

/**
 * For tests: this rank sends itself a signal when it enters a phase, at a step or the first one after
 * it; signal 0 is a sleep of 0.2 s, at every such phase from that step on. Where no watch runs there is
 * no fault. Not collective.
 * @param text  "RANK SIGNAL STEP PHASE", as "1 9 12 evaluation"; "": none
 * @return TRM_ERR_CONFIG when it is something else
 */
trm_status trm_watch_fault(trm_comm *comm, const char *text);

/* What follows is for the main thread, and cheap: some 0.1 us. */

/** Enters phase `name` (kept: a string literal; 31 characters are told) of `step`: a sign of life.
 *  For a communicator of one rank it is a pause. */
void trm_watch_phase(trm_comm *comm, const char *name, int64_t step);
/** Goes on with the phase: for long phases, at each sign of life. */
void trm_watch_touch(trm_comm *comm);
/** Until the next phase this rank need not move (long local work such as a data check), and others may
 *  wait for it; it still has to answer. */
void trm_watch_pause(trm_comm *comm);
/** Around a wait for other ranks. `all_were_here`: all ranks of `comm` are known to have come. */
void trm_watch_wait_begin(trm_comm *comm);
void trm_watch_wait_end(trm_comm *comm, bool all_were_here);

#endif
