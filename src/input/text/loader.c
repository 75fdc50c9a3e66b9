/**
 * The loader: batches of windows, which a thread fills ahead (ahead.c has the ring, its invariants and
 * the thread's life).
 */
#include "trireme/input/loader.h"

#include <string.h>

#include "ahead_internal.h"
#include "text_internal.h"
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
  trm_ahead *ahead;
};

/* The samples of this caller in batch `step`; T + 1 tokens make inputs and targets of one. */
static trm_status fill(void *context, trm_ahead *ahead, int thread, int64_t step, int64_t number) {
  (void)thread;
  trm_loader *loader = context;
  const trm_loader_options *o = &loader->options;
  const slot *to = &loader->slots[number];
  const int64_t T = o->context;
  const int64_t per_epoch = trm_dataset_epoch_samples(loader->dataset, T);
  const int64_t begin = loader->dataset->subset[TRM_SUBSET_TRAIN].begin;
  for (int64_t j = 0; j < o->n; ++j) {
    if (trm_ahead_stopped(ahead)) return TRM_OK;
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

trm_status trm_loader_next(trm_loader *loader, trm_text_batch *batch) {
  int64_t step, number;
  TRM_TRY(trm_ahead_next(loader->ahead, &step, &number));
  const slot *from = &loader->slots[number];
  *batch = (trm_text_batch){.step = step,
                            .tokens = {.N = loader->options.n,
                                       .T = loader->options.context,
                                       .inputs = from->inputs,
                                       .targets = from->targets},
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

trm_status trm_loader_create(trm_dataset *dataset, const trm_loader_options *options,
                             trm_loader **out) {
  *out = NULL;
  TRM_TRY(check_options(dataset, options));
  trm_loader *loader = NULL;
  TRM_TRY(TRM_ALLOC(&loader, 1, "loader"));
  loader->dataset = dataset;
  loader->options = *options;
  loader->n_slots = (int64_t)options->depth + 1;
  const trm_ahead_options ahead = {.first_step = options->first_step,
                                   .end_step = options->end_step,
                                   .depth = options->depth,
                                   .n_threads = 1,
                                   .fill = fill,
                                   .context = loader,
                                   .what = "loader"};
  trm_status status = TRM_OK;
  TRM_TRY_OUT(allocate(loader));
  TRM_TRY_OUT(trm_ahead_create(&ahead, &loader->ahead));
  *out = loader;
  return TRM_OK;
out:
  trm_loader_destroy(&loader);
  return status;
}

/* At once whatever the thread does: it looks whether to stop before each window and in its wait. */
void trm_loader_destroy(trm_loader **loader) {
  trm_loader *l = *loader;
  if (!l) return;
  trm_ahead_destroy(&l->ahead);
  for (int64_t i = 0; l->slots && i < l->n_slots; ++i) {
    TRM_FREE(l->slots[i].inputs);
    TRM_FREE(l->slots[i].targets);
    TRM_FREE(l->slots[i].samples);
  }
  TRM_FREE(l->slots);
  TRM_FREE(l->run);
  TRM_FREE(*loader);
}
