/* The loader of samples: blocks that a thread makes ahead. */
#include "ahead_internal.h"
#include "batch_internal.h"
#include "buffer_internal.h"
#include "trireme/core/memory.h"

typedef struct slot {
  trm_sample_block *blocks; /* [n_local] */
  trm_batch_store *stores;  /* [n_local] */
  int64_t *samples;         /* [most of a step] of own blocks */
} slot;

struct trm_sample_loader {
  trm_sample_loader_options options;
  int64_t n_slots;
  slot *slots;
  trm_sample_order *order; /* of the thread */
  trm_ahead *ahead;
};

static trm_status fill_block(const trm_sample_loader *l, const int64_t *ids, int64_t n,
                             trm_batch_store *store, trm_sample_batch *batch) {
  const trm_ids train = l->options.order.train;
  TRM_TRY(TRM_BUFFER_GROW(&store->samples, &store->samples_room, n, 0, "batch of samples"));
  for (int64_t i = 0; i < n; ++i) store->samples[i] = train.ids[ids[i] % train.n];
  const trm_batch_samples samples = {
      .ids = store->samples, .n = n, .epoch = n > 0 ? ids[0] / train.n : 0};
  return trm_batch_fill(store, &l->options.order.view, samples, batch);
}

static trm_status fill(void *context, trm_ahead *ahead, int thread, int64_t step, int64_t number) {
  (void)thread;
  trm_sample_loader *l = context;
  const trm_sample_loader_options *o = &l->options;
  const slot *to = &l->slots[number];
  const trm_sample_step s = trm_sample_order_step(l->order, step);
  const int64_t base = s.offsets[o->first_block];
  for (int64_t b = 0; b < o->n_local; ++b) {
    if (trm_ahead_stopped(ahead)) return TRM_OK;
    const int64_t begin = s.offsets[o->first_block + b];
    const int64_t n = s.offsets[o->first_block + b + 1] - begin;
    trm_sample_block *block = &to->blocks[b];
    for (int64_t i = 0; i < n; ++i) to->samples[begin - base + i] = s.ids[begin + i];
    block->samples = to->samples + (begin - base);
    block->sample0 = begin;
    TRM_TRY(fill_block(l, block->samples, n, &to->stores[b], &block->batch));
  }
  return TRM_OK;
}

trm_status trm_sample_loader_next(trm_sample_loader *loader, int64_t *step,
                                  const trm_sample_block **blocks) {
  int64_t number;
  TRM_TRY(trm_ahead_next(loader->ahead, step, &number));
  *blocks = loader->slots[number].blocks;
  return TRM_OK;
}

static trm_status allocate(trm_sample_loader *l) {
  static const char what[] = "batches of the loader";
  TRM_TRY(trm_sample_order_create(&l->options.order, &l->order));
  TRM_TRY(TRM_ALLOC(&l->slots, l->n_slots, what));
  for (int64_t i = 0; i < l->n_slots; ++i) {
    TRM_TRY(TRM_ALLOC(&l->slots[i].blocks, l->options.n_local, what));
    TRM_TRY(TRM_ALLOC(&l->slots[i].stores, l->options.n_local, what));
    TRM_TRY(TRM_ALLOC(&l->slots[i].samples, trm_sample_order_most(l->order), what));
  }
  return TRM_OK;
}

trm_status trm_sample_loader_create(const trm_sample_loader_options *options,
                                    trm_sample_loader **out) {
  trm_sample_loader *l = NULL;
  trm_status status = TRM_OK;
  *out = NULL;
  TRM_TRY(TRM_ALLOC(&l, 1, "loader"));
  l->options = *options;
  l->n_slots = (int64_t)options->depth + 1;
  const trm_ahead_options ahead = {.first_step = options->first_step,
                                   .end_step = options->end_step,
                                   .depth = options->depth,
                                   .n_threads = 1,
                                   .fill = fill,
                                   .context = l,
                                   .what = "loader"};
  TRM_TRY_OUT(allocate(l));
  TRM_TRY_OUT(trm_ahead_create(&ahead, &l->ahead));
  *out = l;
  return TRM_OK;
out:
  trm_sample_loader_destroy(&l);
  return status;
}

void trm_sample_loader_destroy(trm_sample_loader **loader) {
  trm_sample_loader *l = *loader;
  if (!l) return;
  trm_ahead_destroy(&l->ahead);
  for (int64_t i = 0; l->slots && i < l->n_slots; ++i) {
    slot *s = &l->slots[i];
    for (int64_t b = 0; s->stores && b < l->options.n_local; ++b) {
      trm_batch_store_release(&s->stores[b]);
    }
    TRM_FREE(s->blocks);
    TRM_FREE(s->stores);
    TRM_FREE(s->samples);
  }
  TRM_FREE(l->slots);
  trm_sample_order_destroy(&l->order);
  TRM_FREE(*loader);
}
