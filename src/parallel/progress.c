#include "progress_internal.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/limits.h"
#include "trireme/core/memory.h"

struct trm_progress {
  trm_reducer *reducer; /* kept */
  bool own_thread;
  pthread_t thread;
  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t changed;
  bool quit;
  long n_wakes, n_served;          /* the thread has seen the reducer idle after wake n_served */
  trm_status status;               /* first failure of the thread, */
  char message[TRM_MESSAGE_BYTES]; /* and its message */
};

/* Polls until the reducer is idle. With as many ranks as cores, a thread that spins steals the core
 * it should hide behind: it gives way after every poll. */
static trm_status drain(trm_reducer *reducer) {
  for (bool idle = false; !idle;) {
    TRM_TRY(trm_reducer_poll(reducer, &idle));
    if (!idle) (void)sched_yield();
  }
  return TRM_OK;
}

static void *run(void *context) {
  trm_progress *p = context;
  (void)pthread_mutex_lock(&p->lock);
  while (!p->quit) {
    if (p->n_served == p->n_wakes) {
      (void)pthread_cond_wait(&p->changed, &p->lock);
      continue;
    }
    const long wake = p->n_wakes;
    (void)pthread_mutex_unlock(&p->lock);
    const trm_status status = drain(p->reducer);
    (void)pthread_mutex_lock(&p->lock);
    if (status != TRM_OK && p->status == TRM_OK) {
      p->status = status;
      (void)snprintf(p->message, sizeof p->message, "%s", trm_message());
    }
    p->n_served = wake;
    (void)pthread_cond_broadcast(&p->changed);
  }
  (void)pthread_mutex_unlock(&p->lock);
  return NULL;
}

trm_status trm_progress_create(trm_reducer *reducer, bool own_thread, trm_progress **out) {
  trm_progress *p = NULL;
  TRM_TRY(TRM_ALLOC(&p, 1, "communication thread"));
  p->reducer = reducer;
  p->own_thread = own_thread;
  if (own_thread) {
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->changed, NULL);
    const int error = pthread_create(&p->thread, NULL, run, p);
    if (error != 0) {
      TRM_FREE(p);
      return trm_thread_fail(error, "the communication thread (comm.progress: poll needs none)");
    }
  }
  *out = p;
  return TRM_OK;
}

void trm_progress_destroy(trm_progress **progress) {
  trm_progress *p = *progress;
  if (!p) return;
  if (p->own_thread) {
    (void)pthread_mutex_lock(&p->lock);
    p->quit = true;
    (void)pthread_cond_broadcast(&p->changed);
    (void)pthread_mutex_unlock(&p->lock);
    (void)pthread_join(p->thread, NULL);
    (void)pthread_cond_destroy(&p->changed);
    (void)pthread_mutex_destroy(&p->lock);
  }
  TRM_FREE(*progress);
}

void trm_progress_wake(trm_progress *p) {
  if (!p->own_thread) return;
  (void)pthread_mutex_lock(&p->lock);
  ++p->n_wakes;
  (void)pthread_cond_broadcast(&p->changed);
  (void)pthread_mutex_unlock(&p->lock);
}

void trm_progress_poll(trm_progress *p) {
  bool idle;
  /* An error shows again, and is reported, in trm_progress_wait. */
  if (!p->own_thread) (void)trm_reducer_poll(p->reducer, &idle);
}

trm_status trm_progress_wait(trm_progress *p) {
  if (!p->own_thread) return trm_reducer_wait(p->reducer);
  (void)pthread_mutex_lock(&p->lock);
  while (p->n_served != p->n_wakes && p->status == TRM_OK) {
    (void)pthread_cond_wait(&p->changed, &p->lock);
  }
  const trm_status status = p->status;
  if (status != TRM_OK) trm_message_set(p->message);
  (void)pthread_mutex_unlock(&p->lock);
  return status;
}
