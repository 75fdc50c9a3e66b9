/**
 * Reading ahead: one thread, a ring of slots, one lock.
 *
 * Invariants (held whenever `lock` is free):
 *  1. next_out <= next_in <= next_out + depth: steps [next_out, next_in) are filled and wait.
 *  2. Step s lives in slot s % (depth + 1). The slot of step next_out - 1 is the caller's until
 *     its next call, so the thread, which writes slot next_in only while next_in < next_out +
 *     depth, never touches it: the two differ by less than depth + 1 steps.
 *  3. Once `failed` is set the thread has ended and next_in does not move; steps before it are
 *     still handed out, so a failure shows at the same step however far the thread was ahead.
 *  4. Once `stop` is set no step is added.
 *
 *   thread:  wait for room --fill slot--> ++next_in, wake the caller --> ... to end, stop, failure
 *   caller:  trm_ahead_next waits for next_out < next_in, takes the slot, ++next_out, wakes the thread
 */
#include "ahead_internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "trireme/core/memory.h"

struct trm_ahead {
  trm_ahead_options options;
  pthread_t thread;
  bool has_lock, has_filled, has_room, has_thread;

  pthread_mutex_t lock;
  pthread_cond_t filled, room;
  /* under `lock` */
  int64_t next_in, next_out;
  bool stop;
  trm_status failed;
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

/* Waits until `step` has a slot; false: stop. */
static bool wait_for_room(trm_ahead *a, int64_t step) {
  take(a);
  while (!a->stop && step >= a->next_out + a->options.depth) {
    must(pthread_cond_wait(&a->room, &a->lock));
  }
  const bool stop = a->stop;
  give(a);
  return !stop;
}

/* Under `lock`. Messages are per thread: the caller's thread gets this one in trm_ahead_next. */
static void keep_failure(trm_ahead *a, trm_status status) {
  a->failed = status;
  const size_t length = strnlen(trm_message(), sizeof a->message - 1);
  memcpy(a->message, trm_message(), length);
  a->message[length] = 0;
}

static void *run(void *argument) {
  trm_ahead *a = argument;
  const trm_ahead_options *o = &a->options;
  for (int64_t step = o->first_step; step < o->end_step; ++step) {
    if (!wait_for_room(a, step)) break;
    const trm_status status = o->fill(o->context, a, step, step % ((int64_t)o->depth + 1));
    take(a);
    const bool stop = a->stop;
    if (!stop && status == TRM_OK) a->next_in = step + 1;
    if (!stop && status != TRM_OK) keep_failure(a, status);
    must(pthread_cond_signal(&a->filled));
    give(a);
    if (stop || status != TRM_OK) break;
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
  while (next >= a->next_in && a->failed == TRM_OK) must(pthread_cond_wait(&a->filled, &a->lock));
  const bool there = next < a->next_in;
  if (there) {
    ++a->next_out;
    must(pthread_cond_signal(&a->room));
  }
  give(a);
  if (!there) {
    trm_message_set(a->message); /* written before `failed`, and never again */
    return a->failed;
  }
  *step = next;
  *slot = next % ((int64_t)o->depth + 1);
  return TRM_OK;
}

/* The thread takes no signals: they belong to the main thread, whose waits they must interrupt. */
static trm_status start(trm_ahead *a) {
  const char *what = a->options.what;
  a->has_lock = pthread_mutex_init(&a->lock, NULL) == 0;
  a->has_filled = pthread_cond_init(&a->filled, NULL) == 0;
  a->has_room = pthread_cond_init(&a->room, NULL) == 0;
  if (!a->has_lock || !a->has_filled || !a->has_room) {
    return trm_fail(TRM_ERR_MEMORY, "%s: no lock could be made", what);
  }
  sigset_t all, before;
  int error = sigfillset(&all) == 0 ? 0 : errno;
  if (error == 0) error = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (error == 0) {
    error = pthread_create(&a->thread, NULL, run, a);
    a->has_thread = error == 0;
    const int restored = pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) error = restored;
  }
  if (error == 0) return TRM_OK;
  return trm_fail(TRM_ERR_MEMORY, "%s: its thread cannot be started: %s", what, strerror(error));
}

trm_status trm_ahead_create(const trm_ahead_options *options, trm_ahead **out) {
  *out = NULL;
  TRM_ASSERT(options->depth >= 1 && options->first_step <= options->end_step);
  trm_ahead *a = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&a, 1, "thread that reads ahead"));
  a->options = *options;
  a->next_in = a->next_out = options->first_step;
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
  if (a->has_thread) {
    take(a);
    a->stop = true;
    must(pthread_cond_signal(&a->room));
    give(a);
    must(pthread_join(a->thread, NULL));
  }
  if (a->has_room) must(pthread_cond_destroy(&a->room));
  if (a->has_filled) must(pthread_cond_destroy(&a->filled));
  if (a->has_lock) must(pthread_mutex_destroy(&a->lock));
  TRM_FREE(a);
}
