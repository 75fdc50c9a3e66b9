/**
 * Reading ahead: some threads, a ring of slots, one lock.
 *
 * Invariants (held whenever `lock` is free):
 *  1. next_out <= next_in <= next_out + depth: steps below next_in have been begun, each by one
 *     thread; filled[slot] is the last step that was finished there.
 *  2. Step s lives in slot s % (depth + 1). The slot of step next_out - 1 is the caller's until
 *     its next call, so the threads, which begin step next_in only while next_in < next_out +
 *     depth, never touch it: the two differ by less than depth + 1 steps.
 *  3. Once `failed` is set no step is begun. Steps that had been are finished, and those before
 *     failed_step, the first that failed, are still handed out.
 *  4. Once `stop` is set no step is begun.
 *
 *   threads:  wait for room, begin the next step --fill slot--> filled, wake the caller --> ...
 *   caller:   trm_ahead_next waits for its step, takes the slot, ++next_out, wakes a thread
 */
#include "ahead_internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "trireme/core/limits.h"
#include "trireme/core/memory.h"

typedef struct worker {
  trm_ahead *ahead;
  int number;
  pthread_t thread;
} worker;

struct trm_ahead {
  trm_ahead_options options;
  worker *workers; /* [n_threads], the first n_started run; owned */
  int n_started;
  bool has_lock, has_filled, has_room;

  pthread_mutex_t lock;
  pthread_cond_t finished, room;
  /* under `lock` */
  int64_t next_in, next_out;
  int64_t *filled; /* [depth + 1] owned */
  bool stop;
  trm_status failed;
  int64_t failed_step;
  char message[TRM_MESSAGE_BYTES];
};

/* A lock that was made, taken by one thread at a time, cannot fail: else it is a bug of ours. */
static void must(int error) {
  TRM_ASSERT(error == 0);
}
static void take(trm_ahead *a) {
  must(pthread_mutex_lock(&a->lock));
}
static void give(trm_ahead *a) {
  must(pthread_mutex_unlock(&a->lock));
}

bool trm_ahead_stopped(void *ahead) {
  trm_ahead *a = ahead;
  take(a);
  const bool stop = a->stop;
  give(a);
  return stop;
}

static int64_t slot_of(const trm_ahead *a, int64_t step) {
  return step % ((int64_t)a->options.depth + 1);
}

/* Waits until there is room for a step, and begins it; false: there is nothing more to do. */
static bool begin_step(trm_ahead *a, int64_t *step) {
  const trm_ahead_options *o = &a->options;
  take(a);
  while (!a->stop && a->failed == TRM_OK && a->next_in < o->end_step &&
         a->next_in >= a->next_out + o->depth) {
    must(pthread_cond_wait(&a->room, &a->lock));
  }
  const bool go_on = !a->stop && a->failed == TRM_OK && a->next_in < o->end_step;
  if (go_on) *step = a->next_in++;
  give(a);
  return go_on;
}

/* Under `lock`. Messages are per thread: the caller's thread gets this one in trm_ahead_next. */
static void keep_failure(trm_ahead *a, int64_t step, trm_status status) {
  if (a->failed != TRM_OK && a->failed_step < step) return;
  a->failed = status;
  a->failed_step = step;
  const size_t length = strnlen(trm_message(), sizeof a->message - 1);
  memcpy(a->message, trm_message(), length);
  a->message[length] = 0;
  must(pthread_cond_broadcast(&a->room)); /* the others end */
}

static void *run(void *argument) {
  const worker *w = argument;
  trm_ahead *a = w->ahead;
  int64_t step;
  while (begin_step(a, &step)) {
    const int64_t slot = slot_of(a, step);
    const trm_status status = a->options.fill(a->options.context, a, w->number, step, slot);
    take(a);
    if (!a->stop && status == TRM_OK) a->filled[slot] = step;
    if (!a->stop && status != TRM_OK) keep_failure(a, step, status);
    must(pthread_cond_signal(&a->finished));
    give(a);
  }
  return NULL;
}

trm_status trm_ahead_next(trm_ahead *ahead, int64_t *step, int64_t *slot) {
  trm_ahead *a = ahead;
  const trm_ahead_options *o = &a->options;
  take(a);
  const int64_t next = a->next_out;
  if (next >= o->end_step) {
    give(a);
    return trm_fail(TRM_ERR_ARG, "%s: step %lld asked for, the last one is %lld", o->what,
                    (long long)next, (long long)(o->end_step - 1));
  }
  while (a->filled[slot_of(a, next)] != next && !(a->failed != TRM_OK && a->failed_step <= next)) {
    must(pthread_cond_wait(&a->finished, &a->lock));
  }
  const bool there = a->filled[slot_of(a, next)] == next;
  if (there) {
    ++a->next_out;
    must(pthread_cond_signal(&a->room));
  } else {
    trm_message_set(a->message);
  }
  const trm_status status = there ? TRM_OK : a->failed;
  give(a);
  *step = next;
  *slot = slot_of(a, next);
  return status;
}

/* The threads take no signals: they belong to the main thread, whose waits they must interrupt. */
static trm_status start(trm_ahead *a) {
  const char *what = a->options.what;
  a->has_lock = pthread_mutex_init(&a->lock, NULL) == 0;
  a->has_filled = pthread_cond_init(&a->finished, NULL) == 0;
  a->has_room = pthread_cond_init(&a->room, NULL) == 0;
  if (!a->has_lock || !a->has_filled || !a->has_room) {
    return trm_fail(TRM_ERR_MEMORY, "%s: no lock could be made", what);
  }
  sigset_t all, before;
  int error = sigfillset(&all) == 0 ? 0 : errno;
  if (error == 0) error = pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool masked = error == 0;
  for (int i = 0; error == 0 && i < a->options.n_threads; ++i) {
    a->workers[i] = (worker){.ahead = a, .number = i};
    error = pthread_create(&a->workers[i].thread, NULL, run, &a->workers[i]);
    a->n_started += error == 0;
  }
  const int restored = masked ? pthread_sigmask(SIG_SETMASK, &before, NULL) : 0;
  if (error == 0) error = restored;
  if (error == 0) return TRM_OK;
  return trm_thread_fail(error, what);
}

trm_status trm_ahead_create(const trm_ahead_options *options, trm_ahead **out) {
  *out = NULL;
  TRM_ASSERT(options->depth >= 1 && options->n_threads >= 1 &&
             options->first_step <= options->end_step);
  trm_ahead *a = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&a, 1, "threads that read ahead"));
  a->options = *options;
  a->next_in = a->next_out = options->first_step;
  TRM_TRY_OUT(TRM_ALLOC(&a->workers, options->n_threads, "threads that read ahead"));
  TRM_TRY_OUT(TRM_ALLOC(&a->filled, (int64_t)options->depth + 1, "threads that read ahead"));
  for (int i = 0; i <= options->depth; ++i) a->filled[i] = -1;
  TRM_TRY_OUT(start(a));
  *out = a;
  return TRM_OK;
out:
  trm_ahead_destroy(&a);
  return status;
}

void trm_ahead_destroy(trm_ahead **ahead) {
  trm_ahead *a = *ahead;
  *ahead = NULL;
  if (!a) return;
  if (a->n_started > 0) {
    take(a);
    a->stop = true;
    must(pthread_cond_broadcast(&a->room));
    give(a);
    for (int i = 0; i < a->n_started; ++i) must(pthread_join(a->workers[i].thread, NULL));
  }
  if (a->has_room) must(pthread_cond_destroy(&a->room));
  if (a->has_filled) must(pthread_cond_destroy(&a->finished));
  if (a->has_lock) must(pthread_mutex_destroy(&a->lock));
  TRM_FREE(a->workers);
  TRM_FREE(a->filled);
  TRM_FREE(a);
}
