/* The watch: what the working thread is at, and a thread that tells the other ranks and judges.
 *
 * Invariants
 * 1. The watcher calls no MPI function, takes no lock that a working thread may hold while it
 *    waits in MPI, and ends the process with _exit: nothing a hung process holds can stop it.
 * 2. It looks four times a second, whatever the number of ranks, and a look takes microseconds.
 * 3. Entering a phase takes no lock. What the working thread is at is published under a sequence
 *    number that is odd while it changes; the watcher believes what it read only when the number was
 *    even and the same before and after. All fields are atomics, so there is no data race.
 * 4. When this process itself was stopped (a suspended job, Ctrl-Z) all clocks restart: a look that
 *    comes much too late was such a stop.
 * 5. There is one watcher a process, since its working thread is in one phase at a time: whichever
 *    communicator names the phase (a group's run, say), the same clock restarts.
 *
 *      resting --trm_watch_phase--> working --trm_watch_wait_begin--> waiting
 *         ^------trm_watch_pause-------\'  ^----trm_watch_wait_end-------\'
 *
 *      a judge finds somebody to blame      --> line on stderr, the others are told, _exit(71)
 *      another rank has ended the job       --> _exit(71) a little later
 *      there is no channel, and a phase is over the limit --> line on stderr, _exit(71)
 */
#include "trireme/comm/watch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trireme/core/clock.h"
#include "trireme/core/limits.h"
#include "trireme/core/memory.h"
#include "watch_internal.h"

/* How long a line takes from here to the user, through a daemon and mpirun. */
static const double LINE_S = 0.5;
/* What the launcher and, after it, the daemons of other hosts are given to end by themselves once
 * their ranks have: Open MPI 4.1 takes one to two seconds when all hosts answer. */
static const double LAUNCHER_GRACE_S = 6.0, DAEMON_GRACE_S = 6.5;
/* From one rank's turn to speak to the next one's: those before it may be gone. */
static const double TURN_S = 1.0;
enum { MOST_TURNS = 4 };
/* Ranks that have not been heard for so long after the start are not. */
static const double HEARD_AFTER_S = 10.0;
/* Datagrams that a judge sends and takes in each second. */
enum { MOST_BEATS = 256 };

/* What the working thread is at. */
typedef struct phase {
  const char *name; /* NULL: none yet */
  int64_t step;
  bool rests;
  int n_waits;    /* nested */
  double moved_s; /* when it last moved */
  double busy_s;  /* not waiting, up to moved_s or, while it waits, to when it began to */
} phase;

struct trm_watch {
  pthread_t thread;
  pthread_mutex_t mutex; /* of `stop` and `straggler`; never held for long */
  pthread_cond_t changed;
  bool stop;
  double deadline_s;
  double created_s;
  int rank, size; /* size of the communicator it was started for */
  int number;     /* in the job */
  char host[TRM_HOST_BYTES];
  trm_pulse *pulse; /* NULL: no channel */
  trm_launch launch;
  trm_pace *pace;           /* of the first judge; else NULL */
  trm_straggler straggler;  /* under `mutex` */
  _Atomic int unheard;      /* lowest rank that ought to be heard and never was, -1: none */
  _Atomic int64_t n_blocks; /* of a step; 0: ranks are not compared */
  /* Written by the working thread, invariant 3. */
  _Atomic uint64_t sequence;
  _Atomic(const char *) name;
  _Atomic int64_t step;
  _Atomic bool rests;
  _Atomic int n_waits;
  _Atomic double moved_s, busy_s;
  _Atomic double met_s; /* when last all ranks were known to be there */
  /* For tests. */
  char fault_phase[TRM_PHASE_BYTES]; /* empty: none */
  int fault_signal;
  int64_t fault_step;
};

/* ---- what the working thread is at ------------------------------------------------------------ */

static phase read_phase(trm_watch *watch) {
  for (;;) {
    phase p;
    const uint64_t before = atomic_load_explicit(&watch->sequence, memory_order_acquire);
    p.name = atomic_load_explicit(&watch->name, memory_order_acquire);
    p.step = atomic_load_explicit(&watch->step, memory_order_acquire);
    p.rests = atomic_load_explicit(&watch->rests, memory_order_acquire);
    p.n_waits = atomic_load_explicit(&watch->n_waits, memory_order_acquire);
    p.moved_s = atomic_load_explicit(&watch->moved_s, memory_order_acquire);
    p.busy_s = atomic_load_explicit(&watch->busy_s, memory_order_acquire);
    const uint64_t after = atomic_load_explicit(&watch->sequence, memory_order_relaxed);
    if (before == after && before % 2 == 0) return p;
  }
}

static void publish(trm_watch *watch, const phase *p) {
  const uint64_t sequence = atomic_load_explicit(&watch->sequence, memory_order_relaxed);
  atomic_store_explicit(&watch->sequence, sequence + 1, memory_order_relaxed);
  /* Release: who sees one of these also sees the odd number. */
  atomic_store_explicit(&watch->name, p->name, memory_order_release);
  atomic_store_explicit(&watch->step, p->step, memory_order_release);
  atomic_store_explicit(&watch->rests, p->rests, memory_order_release);
  atomic_store_explicit(&watch->n_waits, p->n_waits, memory_order_release);
  atomic_store_explicit(&watch->moved_s, p->moved_s, memory_order_release);
  atomic_store_explicit(&watch->busy_s, p->busy_s, memory_order_release);
  atomic_store_explicit(&watch->sequence, sequence + 2, memory_order_release);
}

/* It moves now; for the working thread, which alone writes. */
static phase moved(trm_watch *watch) {
  phase p = read_phase(watch);
  const double now_s = trm_clock_s();
  if (p.n_waits == 0 && !p.rests) p.busy_s += now_s - p.moved_s;
  p.moved_s = now_s;
  return p;
}

static trm_vital vital_of(const phase *p, double resumed_s, double now_s) {
  const double from_s = p->moved_s > resumed_s ? p->moved_s : resumed_s;
  trm_vital vital = {.step = p->step,
                     .still_s = now_s > from_s ? now_s - from_s : 0,
                     .busy_s = p->busy_s,
                     .clock_s = now_s,
                     .doing = TRM_WORKS};
  if (p->n_waits > 0) vital.doing = TRM_WAITS;
  if (p->rests || !p->name) vital.doing = TRM_RESTS;
  if (vital.doing == TRM_WORKS && now_s > p->moved_s) vital.busy_s += now_s - p->moved_s;
  (void)snprintf(vital.phase, sizeof vital.phase, "%s", p->name ? p->name : "");
  return vital;
}

/* ---- the end ---------------------------------------------------------------------------------- */

/* Ends this rank, and leaves a process behind that ends what started it if that does not end. */
_Noreturn static void leave(const trm_watch *watch) {
  trm_launch_end(&watch->launch, watch->launch.has_launcher ? LAUNCHER_GRACE_S : DAEMON_GRACE_S);
  _exit(TRM_EXIT_RANK_LOST);
}

/* Speaks for all ranks. */
_Noreturn static void end_job(const trm_watch *watch, const char *line) {
  /* One write, so that lines of several ranks cannot mix; nothing can be done if it fails. */
  if (write(STDERR_FILENO, line, strlen(line)) < 0) leave(watch);
  for (int times = 0; watch->pulse && times < 3; ++times) { /* one may be lost */
    trm_pulse_end(watch->pulse);
    trm_sleep_s(0.1);
  }
  trm_sleep_s(LINE_S);
  leave(watch);
}

/* Without a channel a rank knows only that it waits. */
_Noreturn static void end_without_channel(const trm_watch *watch, const trm_vital *vital) {
  char line[512];
  (void)snprintf(line, sizeof line,
                 "error: rank %d (%s): step %lld: no sign of life for %.3g s in '%s' "
                 "(comm.deadline_s); the last checkpoint is intact, --resume goes on from it; "
                 "another rank may be dead, stopped or cut off\n",
                 watch->number, watch->host, (long long)vital->step, watch->deadline_s,
                 vital->phase);
  end_job(watch, line);
}

/* ---- the thread ------------------------------------------------------------------------------- */

static struct timespec timespec_of(double seconds) {
  const time_t whole = (time_t)seconds;
  return (struct timespec){.tv_sec = whole, .tv_nsec = (long)((seconds - (double)whole) * 1e9)};
}

/* Sleeps up to `seconds`; false when the thread has been told to stop. */
static bool nap(trm_watch *watch, double seconds) {
  const struct timespec until = timespec_of(trm_clock_s() + seconds);
  (void)pthread_mutex_lock(&watch->mutex); /* fails for no mutex that was initialised */
  int code = 0;
  while (!watch->stop && code == 0) {
    code = pthread_cond_timedwait(&watch->changed, &watch->mutex, &until);
  }
  const bool go_on = !watch->stop;
  (void)pthread_mutex_unlock(&watch->mutex);
  return go_on;
}

static double within(double value, double least, double most) {
  return value < least ? least : value > most ? most : value;
}

static double look_every_s(const trm_watch *watch) {
  return within(watch->deadline_s / 16, 0.02, 0.25);
}

/* A beat of a large job is longer, but eight of them fit into the limit: a quarter of it without one is
 * silence. */
static double beat_every_s(const trm_watch *watch) {
  const double share = watch->size > MOST_BEATS ? (double)watch->size / MOST_BEATS : 1;
  return within(within(watch->deadline_s / 12, 0.05, 1) * share, 0, watch->deadline_s / 8);
}

/* A rank's turn to speak comes after those of the judges and ranks before it. */
static double patience_of(int turn) {
  return TURN_S * (turn < MOST_TURNS ? turn : MOST_TURNS);
}

/* A judge's look at the others. */
static void judge(trm_watch *watch, double resumed_s, double now_s) {
  const double limit_s = watch->deadline_s + patience_of(trm_pulse_turn(watch->pulse));
  const double met_s = atomic_load_explicit(&watch->met_s, memory_order_acquire);
  const double alive_s = met_s > resumed_s ? met_s : resumed_s;
  const trm_patient *rows = trm_pulse_rows(watch->pulse);
  trm_diagnosis diagnosis = {.ranks = trm_pulse_scratch(watch->pulse)};
  char line[1024];
  if (trm_pulse_is_forestalled(watch->pulse, now_s - watch->deadline_s)) return;
  trm_judge(rows, watch->size, now_s, alive_s, limit_s, &diagnosis);
  if (diagnosis.finding == TRM_WELL) return;
  trm_judge_words(rows, watch->size, watch->rank, &diagnosis, now_s, watch->deadline_s, line,
                  sizeof line);
  end_job(watch, line);
}

static void look_for_unheard(trm_watch *watch, double now_s) {
  const trm_patient *rows = trm_pulse_rows(watch->pulse);
  int unheard = -1;
  for (int r = watch->size - 1; r >= 0; --r) {
    if (rows[r].tells && !rows[r].heard) unheard = r;
  }
  if (now_s - watch->created_s < HEARD_AFTER_S) unheard = -1;
  atomic_store_explicit(&watch->unheard, unheard, memory_order_relaxed);
}

static void compare_paces(trm_watch *watch, double now_s) {
  const int64_t n_blocks = atomic_load_explicit(&watch->n_blocks, memory_order_acquire);
  if (!watch->pace || n_blocks == 0) return;
  if (!trm_pace_look(watch->pace, trm_pulse_rows(watch->pulse), n_blocks, now_s)) return;
  (void)pthread_mutex_lock(&watch->mutex);
  watch->straggler = *trm_pace_found(watch->pace);
  (void)pthread_mutex_unlock(&watch->mutex);
}

static void *watch_main(void *argument) {
  trm_watch *watch = argument;
  const double nap_s = look_every_s(watch), beat_s = beat_every_s(watch);
  const double stopped_s = within(watch->deadline_s / 10, 1, 10); /* invariant 4 */
  double last_s = watch->created_s, resumed_s = watch->created_s, told_s = 0;
  do {
    const double now_s = trm_clock_s();
    if (now_s - last_s > nap_s + stopped_s) resumed_s = now_s;
    last_s = now_s;
    const phase p = read_phase(watch);
    const trm_vital vital = vital_of(&p, resumed_s, now_s);
    if (!watch->pulse) {
      const double limit_s = watch->deadline_s + patience_of(watch->rank);
      if (vital.doing != TRM_RESTS && vital.still_s >= limit_s) end_without_channel(watch, &vital);
      continue;
    }
    if (trm_pulse_listen(watch->pulse, now_s)) {
      trm_sleep_s(2 * LINE_S); /* it speaks, and is heard before mpirun is ended */
      leave(watch);
    }
    if (now_s - told_s >= beat_s) {
      trm_pulse_tell(watch->pulse, &vital, now_s);
      told_s = now_s;
      judge(watch, resumed_s, now_s);
      compare_paces(watch, now_s);
      look_for_unheard(watch, now_s);
    }
  } while (nap(watch, nap_s));
  return NULL;
}

/* ---- start and end ---------------------------------------------------------------------------- */

/* The thread and what it needs; 0 or an error number. */
static int start_thread(trm_watch *watch) {
  pthread_condattr_t attributes;
  int code = pthread_mutex_init(&watch->mutex, NULL);
  if (code != 0) return code;
  code = pthread_condattr_init(&attributes);
  if (code != 0) goto no_attributes;
  code = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  if (code == 0) code = pthread_cond_init(&watch->changed, &attributes);
  (void)pthread_condattr_destroy(&attributes);
  if (code != 0) goto no_attributes;
  code = pthread_create(&watch->thread, NULL, watch_main, watch);
  if (code == 0) {
    (void)pthread_setname_np(watch->thread, "trireme-watch"); /* as top and benchmarks show it */
    return 0;
  }
  (void)pthread_cond_destroy(&watch->changed);
no_attributes:
  (void)pthread_mutex_destroy(&watch->mutex);
  return code;
}

static void release(trm_watch **watch) {
  if (!*watch) return;
  trm_launch_release(&(*watch)->launch);
  trm_pace_destroy(&(*watch)->pace);
  TRM_FREE(*watch);
}

/* What this rank can do alone. */
static trm_status prepare(trm_comm *comm, double deadline_s, trm_watch **out) {
  TRM_TRY(TRM_ALLOC(out, 1, "deadline thread"));
  trm_watch *watch = *out;
  watch->deadline_s = deadline_s;
  watch->created_s = trm_clock_s();
  watch->rank = comm->rank;
  watch->size = comm->size;
  watch->number = comm->job->rank;
  memcpy(watch->host, comm->places->hosts[comm->rank], sizeof watch->host);
  const phase p = {.moved_s = watch->created_s};
  publish(watch, &p);
  watch->straggler.rank = -1;
  watch->unheard = -1;
  if (comm->rank == 0) {
    TRM_TRY(trm_pace_create(comm->size, within(deadline_s / 2, 1, 30), &watch->pace));
  }
  return trm_launch_find(&watch->launch);
}

static trm_status run(trm_watch *watch) {
  const int code = start_thread(watch);
  if (code == 0) return TRM_OK;
  return trm_thread_fail(code, "the watch over other ranks (comm.deadline_s: 0 needs none)");
}

trm_status trm_watch_start(trm_comm *comm, double deadline_s) {
  trm_comm_job *job = comm->job;
  trm_watch *watch = NULL;
  TRM_ASSERT(!comm->watching);
  TRM_TRY(trm_comm_broadcast(comm, &deadline_s, sizeof deadline_s, 0));
  const bool nobody_to_wait_for = comm->size == 1;
  if (!(deadline_s > 0) || nobody_to_wait_for || job->watch) {
    comm->watching = true;
    ++job->n_watching;
    return TRM_OK;
  }
  trm_status status = prepare(comm, deadline_s, &watch);
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(trm_pulse_open(comm, &watch->launch, &watch->pulse));
  TRM_TRY_OUT(run(watch));
  job->watch = watch;
  watch = NULL;
  comm->watching = true;
  ++job->n_watching;
out:
  if (watch) trm_pulse_close(&watch->pulse);
  release(&watch);
  return status;
}

void trm_watch_stop(trm_comm *comm) {
  trm_comm_job *job = comm->job;
  trm_watch *watch = job->watch;
  if (!comm->watching) return;
  comm->watching = false;
  if (--job->n_watching > 0 || !watch) return;
  (void)pthread_mutex_lock(&watch->mutex);
  watch->stop = true;
  (void)pthread_cond_signal(&watch->changed);
  (void)pthread_mutex_unlock(&watch->mutex);
  const int code = pthread_join(watch->thread, NULL);
  TRM_ASSERT(code == 0);
  (void)pthread_cond_destroy(&watch->changed);
  (void)pthread_mutex_destroy(&watch->mutex);
  trm_pulse_close(&watch->pulse);
  release(&job->watch);
}

int trm_watch_unheard(const trm_comm *comm) {
  trm_watch *watch = comm->job->watch;
  if (!watch || comm->size != watch->size) return -1;
  if (!watch->pulse) return watch->rank == 0 ? 1 : 0;
  return atomic_load_explicit(&watch->unheard, memory_order_relaxed);
}

/* ---- stragglers ------------------------------------------------------------------------------- */

void trm_watch_blocks(trm_comm *comm, int64_t n_blocks) {
  trm_watch *watch = comm->job->watch;
  if (!watch) return;
  atomic_store_explicit(&watch->n_blocks, comm->size == watch->size ? n_blocks : 0,
                        memory_order_release);
}

trm_straggler trm_watch_straggler(trm_comm *comm) {
  trm_watch *watch = comm->job->watch;
  trm_straggler found = {.rank = -1};
  if (!watch || !watch->pace || comm->size != watch->size) return found;
  (void)pthread_mutex_lock(&watch->mutex);
  found = watch->straggler;
  (void)pthread_mutex_unlock(&watch->mutex);
  return found;
}

/* ---- faults, for tests ------------------------------------------------------------------------ */

trm_status trm_watch_fault(trm_comm *comm, const char *text) {
  trm_watch *watch = comm->job->watch;
  int rank = -1, number = -1, used = 0;
  long long step = 0;
  if (*text == '\0') return TRM_OK;
  if (sscanf(text, "%d %d %lld %n", &rank, &number, &step, &used) != 3 || used == 0 || rank < 0 ||
      number < 0 || number > 64 || strlen(text + used) >= TRM_PHASE_BYTES || !text[used]) {
    return trm_fail(TRM_ERR_CONFIG,
                    "debug.fault is '%s'; it is a rank, a signal, a step and a phase, as "
                    "'1 9 12 evaluation'",
                    text);
  }
  if (!watch || watch->rank != rank) return TRM_OK;
  watch->fault_signal = number;
  watch->fault_step = step;
  memcpy(watch->fault_phase, text + used, strlen(text + used) + 1);
  return TRM_OK;
}

static void make_fault(trm_watch *watch, const char *name, int64_t step) {
  if (step < watch->fault_step || strcmp(name, watch->fault_phase) != 0) return;
  if (watch->fault_signal == 0) {
    trm_sleep_s(0.2);
    return;
  }
  watch->fault_phase[0] = '\0';
  trm_sleep_s(2 * beat_every_s(watch)); /* others have heard where it is */
  (void)raise(watch->fault_signal);
}

/* ---- for the working thread ------------------------------------------------------------------- */

void trm_watch_phase(trm_comm *comm, const char *name, int64_t step) {
  trm_watch *watch = comm->job->watch;
  if (!watch) return;
  phase p = moved(watch);
  p.name = name;
  p.step = step;
  p.rests = comm->size == 1;
  publish(watch, &p);
  if (watch->fault_phase[0]) make_fault(watch, name, step);
}

void trm_watch_touch(trm_comm *comm) {
  trm_watch *watch = comm->job->watch;
  if (!watch) return;
  const phase p = moved(watch);
  publish(watch, &p);
}

void trm_watch_pause(trm_comm *comm) {
  trm_watch *watch = comm->job->watch;
  if (!watch) return;
  phase p = moved(watch);
  p.rests = true;
  publish(watch, &p);
}

void trm_watch_wait_begin(trm_comm *comm) {
  trm_watch *watch = comm->job->watch;
  if (!watch || comm->size == 1) return;
  phase p = moved(watch);
  ++p.n_waits;
  publish(watch, &p);
}

void trm_watch_wait_end(trm_comm *comm, bool all_were_here) {
  trm_watch *watch = comm->job->watch;
  if (!watch || comm->size == 1) return;
  phase p = moved(watch);
  --p.n_waits;
  publish(watch, &p);
  if (all_were_here && comm->size == watch->size) {
    atomic_store_explicit(&watch->met_s, p.moved_s, memory_order_release);
  }
}
