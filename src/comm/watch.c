/* The deadline thread.
 *
 * Invariants
 * 1. The watcher calls no MPI function, takes no lock that a working thread may hold while it
 *    waits in MPI, and ends the process with _exit: nothing a hung process holds can stop it.
 * 2. Entering a phase takes no lock. (name, step, start) are published under a sequence number
 *    that is odd while they change; the watcher believes what it read only when the number was
 *    even and the same before and after. All fields are atomics, so there is no data race.
 * 3. When this process itself was stopped (a suspended job, Ctrl-Z) the clock restarts: the watcher
 *    naps at most MAX_NAP_S, and a nap that took much longer was such a stop.
 *
 * 4. There is one watcher a process, since its working thread is in one phase at a time: whichever
 *    communicator names the phase (a group's run, say), the same clock restarts.
 *
 *      idle --trm_watch_phase--> running --deadline--> line on stderr, _exit(71)
 *       ^-----trm_watch_pause-------'
 */
#include "trireme/comm/watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "comm_internal.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"

static const double MAX_NAP_S = 1.0;
/* So much more than a nap from one look to the next: the process was stopped, not preempted. */
static const double STOPPED_S = 1.0;

struct trm_watch {
  pthread_t thread;
  pthread_mutex_t mutex; /* of `stop` */
  pthread_cond_t changed;
  bool stop;
  double deadline_s;
  double patience_s; /* past the deadline, so that one rank speaks first */
  double created_s;
  int rank;
  char host[TRM_HOST_BYTES];
  /* Written by the working thread, invariant 2. */
  _Atomic uint64_t sequence;
  _Atomic(const char *) name; /* NULL: idle */
  _Atomic int64_t step;
  _Atomic double start_s;
};

typedef struct phase {
  const char *name;
  int64_t step;
  double start_s;
} phase;

static void publish(trm_watch *watch, const char *name, int64_t step) {
  const uint64_t sequence = atomic_load_explicit(&watch->sequence, memory_order_relaxed);
  atomic_store_explicit(&watch->sequence, sequence + 1, memory_order_relaxed);
  /* Release: who sees one of these also sees the odd number. */
  atomic_store_explicit(&watch->name, name, memory_order_release);
  atomic_store_explicit(&watch->step, step, memory_order_release);
  atomic_store_explicit(&watch->start_s, name ? trm_clock_s() : 0.0, memory_order_release);
  atomic_store_explicit(&watch->sequence, sequence + 2, memory_order_release);
}

static phase read_phase(trm_watch *watch) {
  for (;;) {
    phase p;
    const uint64_t before = atomic_load_explicit(&watch->sequence, memory_order_acquire);
    p.name = atomic_load_explicit(&watch->name, memory_order_acquire);
    p.step = atomic_load_explicit(&watch->step, memory_order_acquire);
    p.start_s = atomic_load_explicit(&watch->start_s, memory_order_acquire);
    const uint64_t after = atomic_load_explicit(&watch->sequence, memory_order_relaxed);
    if (before == after && before % 2 == 0) return p;
  }
}

_Noreturn static void deadline_passed(const trm_watch *watch, const phase *p) {
  char line[512];
  const int length =
      snprintf(line, sizeof line,
               "error: rank %d (%s): step %lld: waited %.3g s in '%s'; the last checkpoint is "
               "intact; another rank may be dead, stopped or cut off\n",
               watch->rank, watch->host, (long long)p->step, watch->deadline_s, p->name);
  const size_t n = length < (int)sizeof line ? (size_t)length : sizeof line - 1;
  /* One write, so that lines of several ranks cannot mix; nothing can be done if it fails. */
  if (write(STDERR_FILENO, line, n) < 0) _exit(TRM_EXIT_RANK_LOST);
  _exit(TRM_EXIT_RANK_LOST);
}

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

static void *watch_main(void *argument) {
  trm_watch *watch = argument;
  double last_s = watch->created_s, resumed_s = 0; /* invariant 3: last look, end of a stop */
  double nap_s = 0;
  do {
    const phase p = read_phase(watch);
    const double now_s = trm_clock_s();
    if (now_s - last_s > MAX_NAP_S + STOPPED_S) resumed_s = now_s;
    last_s = now_s;
    nap_s = watch->deadline_s;
    if (p.name) {
      const double from_s = p.start_s > resumed_s ? p.start_s : resumed_s;
      nap_s += from_s + watch->patience_s - now_s;
      if (nap_s <= 0) deadline_passed(watch, &p);
    }
  } while (nap(watch, nap_s < MAX_NAP_S ? nap_s : MAX_NAP_S));
  return NULL;
}

/* Rank 0 speaks at the deadline. The others follow one after another, in case that those before them
 * hang: the launcher ends the job when the first of them has left. Open MPI 4.1 was seen to take one
 * to two seconds for that, in which the next rank must not speak too. */
static double patience_of(int rank) {
  const double step_s = 3.0;
  return step_s * (rank > 20 ? 20 : rank);
}

trm_status trm_watch_start(trm_comm *comm, double deadline_s) {
  trm_job *job = comm->job;
  TRM_ASSERT(!comm->watching);
  trm_watch *watch = NULL;
  const bool nobody_to_wait_for = comm->size == 1;
  if (!(deadline_s > 0) || nobody_to_wait_for || job->watch) {
    comm->watching = true;
    ++job->n_watching;
    return TRM_OK;
  }
  TRM_TRY(TRM_ALLOC(&watch, 1, "deadline thread"));
  watch->deadline_s = deadline_s;
  watch->patience_s = patience_of(job->rank);
  watch->created_s = trm_clock_s();
  watch->rank = job->rank;
  memcpy(watch->host, comm->places->hosts[comm->rank], sizeof watch->host);

  pthread_condattr_t attributes;
  int code = pthread_mutex_init(&watch->mutex, NULL);
  if (code != 0) goto no_mutex;
  code = pthread_condattr_init(&attributes);
  if (code != 0) goto no_attributes;
  code = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  if (code == 0) code = pthread_cond_init(&watch->changed, &attributes);
  (void)pthread_condattr_destroy(&attributes);
  if (code != 0) goto no_attributes;
  code = pthread_create(&watch->thread, NULL, watch_main, watch);
  if (code != 0) goto no_thread;
  job->watch = watch;
  comm->watching = true;
  ++job->n_watching;
  return TRM_OK;

no_thread:
  (void)pthread_cond_destroy(&watch->changed);
no_attributes:
  (void)pthread_mutex_destroy(&watch->mutex);
no_mutex:
  TRM_FREE(watch);
  return trm_fail(TRM_ERR_MEMORY,
                  "cannot start the deadline thread: %s; raise the limit of "
                  "processes or threads (ulimit -u)",
                  strerror(code));
}

void trm_watch_stop(trm_comm *comm) {
  trm_job *job = comm->job;
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
  TRM_FREE(job->watch);
}

void trm_watch_phase(trm_comm *comm, const char *name, int64_t step) {
  if (comm->job->watch) publish(comm->job->watch, comm->size > 1 ? name : NULL, step);
}

void trm_watch_touch(trm_comm *comm) {
  trm_watch *watch = comm->job->watch;
  const phase p = watch ? read_phase(watch) : (phase){0};
  if (p.name) publish(watch, p.name, p.step);
}

void trm_watch_pause(trm_comm *comm) {
  if (comm->job->watch) publish(comm->job->watch, NULL, 0);
}
