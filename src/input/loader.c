/**
 * The loader: one thread that fills batches ahead, a ring of slots, one lock.
 *
 * Invariants (held whenever `lock` is free):
 *  1. next_out <= next_in <= next_out + depth: steps [next_out, next_in) are filled and wait.
 *  2. Step s lives in slot s % (depth + 1). The slot of step next_out - 1 is the caller's until
 *     its next call, so the thread, which writes slot next_in only while next_in < next_out +
 *     depth, never touches it: the two differ by less than depth + 1 steps.
 *  3. Once `failed` is set the thread has ended and next_in does not move; batches before it are
 *     still handed out, so a failure shows at the same step however far the thread was ahead.
 *
 *   thread:  wait for room --fill slot--> ++next_in, wake the caller --> ... to end, stop, failure
 *   caller:  trm_loader_next waits for next_out < next_in, takes the slot, ++next_out, wakes the
 *            thread
 */
#include "trireme/input/loader.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "input_internal.h"
#include "trireme/core/memory.h"

typedef struct slot {
  int32_t *inputs, *targets; /* [n T] */
  int64_t *samples;          /* [n] */
} slot;

struct trm_loader {
  trm_dataset *dataset; /* kept */
  trm_loader_options options;
  int64_t n_slots;
  slot *slots;
  int32_t *run; /* [T + 1] of the thread */
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
static void take(trm_loader *loader) {
  must(pthread_mutex_lock(&loader->lock));
}
static void give(trm_loader *loader) {
  must(pthread_mutex_unlock(&loader->lock));
}

static bool stop_wanted(trm_loader *loader) {
  take(loader);
  const bool stop = loader->stop;
  give(loader);
  return stop;
}

/* The samples of this caller in batch `step`; T + 1 tokens make inputs and targets of one. */
static trm_status fill(trm_loader *loader, int64_t step, const slot *to) {
  const trm_loader_options *o = &loader->options;
  const int64_t T = o->context;
  const int64_t per_epoch = trm_dataset_epoch_samples(loader->dataset, T);
  const int64_t begin = loader->dataset->split[TRM_SPLIT_TRAIN].begin;
  for (int64_t j = 0; j < o->n; ++j) {
    if (stop_wanted(loader)) return TRM_OK;
    int64_t epoch, window, token;
    trm_dataset_locate(loader->dataset, o->seed, T, step * o->batch + o->first + j, &epoch, &window,
                       &token);
    TRM_TRY(trm_dataset_tokens_read(loader->dataset, begin + token, T + 1, loader->run));
    memcpy(to->inputs + j * T, loader->run, (size_t)T * sizeof *to->inputs);
    memcpy(to->targets + j * T, loader->run + 1, (size_t)T * sizeof *to->targets);
    to->samples[j] = epoch * per_epoch + window;
  }
  return TRM_OK;
}

static void *read_ahead(void *argument) {
  trm_loader *loader = argument;
  for (int64_t step = loader->options.first_step; step < loader->options.end_step; ++step) {
    take(loader);
    while (!loader->stop && step >= loader->next_out + loader->options.depth) {
      must(pthread_cond_wait(&loader->room, &loader->lock));
    }
    const bool stop = loader->stop;
    give(loader);
    if (stop) break;
    const trm_status status = fill(loader, step, &loader->slots[step % loader->n_slots]);
    take(loader);
    if (status == TRM_OK) {
      loader->next_in = step + 1;
    } else {
      /* Messages are per thread: the caller's thread gets this one in trm_loader_next. */
      loader->failed = status;
      const size_t length = strnlen(trm_message(), sizeof loader->message - 1);
      memcpy(loader->message, trm_message(), length);
      loader->message[length] = 0;
    }
    must(pthread_cond_signal(&loader->filled));
    give(loader);
    if (status != TRM_OK) break;
  }
  return NULL;
}

trm_status trm_loader_next(trm_loader *loader, trm_text_batch *batch) {
  take(loader);
  const int64_t step = loader->next_out;
  if (step >= loader->options.end_step) {
    give(loader);
    return trm_fail(TRM_ERR_ARG, "loader: step %lld asked for, the last one is %lld",
                    (long long)step, (long long)(loader->options.end_step - 1));
  }
  while (step >= loader->next_in && loader->failed == TRM_OK) {
    must(pthread_cond_wait(&loader->filled, &loader->lock));
  }
  const bool there = step < loader->next_in;
  if (there) {
    ++loader->next_out;
    must(pthread_cond_signal(&loader->room));
  }
  give(loader);
  if (!there) {
    trm_message_set(loader->message); /* written before `failed`, and never again */
    return loader->failed;
  }
  const slot *from = &loader->slots[step % loader->n_slots];
  *batch = (trm_text_batch){.step = step,
                            .n = loader->options.n,
                            .inputs = from->inputs,
                            .targets = from->targets,
                            .samples = from->samples};
  return TRM_OK;
}

static trm_status check_options(trm_dataset *dataset, const trm_loader_options *o) {
  int64_t samples, tokens;
  if (o->batch < 1 || o->first < 0 || o->n < 0 || o->first > o->batch - o->n || o->first_step < 0 ||
      o->end_step < o->first_step || o->depth < 1 ||
      !trm_size_mul(o->end_step, o->batch, &samples) || !trm_size_mul(o->n, o->context, &tokens)) {
    return trm_fail(TRM_ERR_ARG,
                    "loader: batch %lld, share [%lld, %lld), steps [%lld, %lld), depth %d do not "
                    "fit together",
                    (long long)o->batch, (long long)o->first, (long long)(o->first + o->n),
                    (long long)o->first_step, (long long)o->end_step, o->depth);
  }
  return trm_dataset_check_context(dataset, o->context);
}

static trm_status allocate(trm_loader *loader) {
  const trm_loader_options *o = &loader->options;
  TRM_TRY(TRM_ALLOC(&loader->slots, loader->n_slots, "batches of the loader"));
  for (int64_t i = 0; i < loader->n_slots; ++i) {
    slot *to = &loader->slots[i];
    TRM_TRY(TRM_ALLOC(&to->inputs, o->n * o->context, "batch of the loader"));
    TRM_TRY(TRM_ALLOC(&to->targets, o->n * o->context, "batch of the loader"));
    TRM_TRY(TRM_ALLOC(&to->samples, o->n, "batch of the loader"));
  }
  return TRM_ALLOC(&loader->run, o->context + 1, "window of the loader");
}

/* The thread takes no signals: they belong to the main thread, whose waits they must interrupt. */
static trm_status start(trm_loader *loader) {
  loader->has_lock = pthread_mutex_init(&loader->lock, NULL) == 0;
  loader->has_filled = pthread_cond_init(&loader->filled, NULL) == 0;
  loader->has_room = pthread_cond_init(&loader->room, NULL) == 0;
  if (!loader->has_lock || !loader->has_filled || !loader->has_room) {
    return trm_fail(TRM_ERR_MEMORY, "loader: no lock could be made");
  }
  sigset_t all, before;
  int error = sigfillset(&all) == 0 ? 0 : errno;
  if (error == 0) error = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (error == 0) {
    error = pthread_create(&loader->thread, NULL, read_ahead, loader);
    loader->has_thread = error == 0;
    const int restored = pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) error = restored;
  }
  if (error == 0) return TRM_OK;
  return trm_fail(TRM_ERR_MEMORY, "loader: its thread cannot be started: %s", strerror(error));
}

trm_status trm_loader_create(trm_dataset *dataset, const trm_loader_options *options,
                             trm_loader **out) {
  *out = NULL;
  TRM_TRY(check_options(dataset, options));
  trm_loader *loader = NULL;
  TRM_TRY(TRM_ALLOC(&loader, 1, "loader"));
  loader->dataset = dataset;
  loader->options = *options;
  loader->n_slots = (int64_t)options->depth + 1;
  loader->next_in = loader->next_out = options->first_step;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(allocate(loader));
  TRM_TRY_OUT(start(loader));
  *out = loader;
  return TRM_OK;
out:
  trm_loader_destroy(&loader);
  return status;
}

/* At once whatever the thread does: it looks at `stop` before each window and in its wait. */
void trm_loader_destroy(trm_loader **loader) {
  trm_loader *l = *loader;
  if (!l) return;
  if (l->has_thread) {
    take(l);
    l->stop = true;
    must(pthread_cond_signal(&l->room));
    give(l);
    must(pthread_join(l->thread, NULL));
  }
  if (l->has_room) must(pthread_cond_destroy(&l->room));
  if (l->has_filled) must(pthread_cond_destroy(&l->filled));
  if (l->has_lock) must(pthread_mutex_destroy(&l->lock));
  for (int64_t i = 0; l->slots && i < l->n_slots; ++i) {
    TRM_FREE(l->slots[i].inputs);
    TRM_FREE(l->slots[i].targets);
    TRM_FREE(l->slots[i].samples);
  }
  TRM_FREE(l->slots);
  TRM_FREE(l->run);
  TRM_FREE(*loader);
}
