/** Reading ahead: threads that fill slots of a ring, for loaders whose caller takes them in order. */
#ifndef TRIREME_INPUT_AHEAD_INTERNAL_H
#define TRIREME_INPUT_AHEAD_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

typedef struct trm_ahead trm_ahead;

typedef struct trm_ahead_options {
  int64_t first_step, end_step; /* steps [first_step, end_step) are begun in order */
  int depth;                    /* slots filled ahead, >= 1; there are depth + 1 */
  int n_threads;                /* >= 1; of use up to `depth` */
  /** Fills a slot, on thread number `thread`. What it returns after trm_ahead_stopped said so is
   *  ignored. */
  trm_status (*fill)(void *context, trm_ahead *ahead, int thread, int64_t step, int64_t slot);
  void *context;    /* kept */
  const char *what; /* "loader", for messages */
} trm_ahead_options;

/** Starts the threads. */
trm_status trm_ahead_create(const trm_ahead_options *options, trm_ahead **out);
/** Waits for the next step; its slot is the caller's until the following call. */
trm_status trm_ahead_next(trm_ahead *ahead, int64_t *step, int64_t *slot);
/** Whether the threads are to end: asked by `fill` between pieces of its work. */
bool trm_ahead_stopped(void *ahead);
/** Stops and joins the threads. */
void trm_ahead_destroy(trm_ahead **ahead);

#endif
