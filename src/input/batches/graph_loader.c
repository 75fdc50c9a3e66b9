/**
 * The loader of graph batches: a ring of slots that threads fill (ahead.c), each with what this
 * rank's blocks of a step need.
 *
 * Invariants
 *  1. A maker is its thread's alone once that runs; a slot is one thread's or the caller's, as
 *     ahead.c says.
 *  2. What a slot holds depends on (graph, options, step) alone, never on slots filled before: buffers
 *     only grow.
 */
#include "trireme/input/graph_loader.h"

#include <string.h>

#include "ahead_internal.h"
#include "batching_internal.h"
#include "trireme/core/memory.h"

/* Slots are given all the memory their bounds ask for, up to this much in all. */
#define RESERVED_BYTES (INT64_C(256) << 20)

typedef struct slot {
  trm_graph_step step;
  int64_t *samples;        /* [B] block after block; of own blocks alone */
  trm_graph_block *blocks; /* [n_local] */
  trm_block_store *stores; /* [n_local] */
  void *batch;             /* of ways that make one of the batch as a whole */
} slot;

/* What a thread needs to make a batch. */
typedef struct maker {
  trm_deal *deal;
  trm_block_maker blocks;
  void *batch;
} maker;

struct trm_graph_loader {
  trm_batching_plan plan;
  int64_t n_slots;
  slot *slots;
  maker *makers; /* [n_threads] */
  trm_ahead *ahead;
};

static trm_status fill(void *context, trm_ahead *ahead, int thread, int64_t step, int64_t number) {
  trm_graph_loader *l = context;
  const trm_graph_loader_options *o = &l->plan.options;
  slot *to = &l->slots[number];
  maker *m = &l->makers[thread];
  if (m->blocks.sampler) {
    m->blocks.sampler->stopped = trm_ahead_stopped;
    m->blocks.sampler->context = ahead;
  }
  /* What is made of the batch as a whole needs all samples, blocks their own. */
  const bool whole = l->plan.way->batch_make != NULL;
  trm_deal_step(m->deal, step, whole ? 0 : o->first_block, whole ? o->n_blocks : o->n_local);
  const int64_t *offsets = m->deal->offsets + o->first_block;
  for (int64_t b = 0; b < o->n_local; ++b) {
    if (trm_ahead_stopped(ahead)) return TRM_OK;
    const int64_t n = offsets[b + 1] - offsets[b];
    int64_t *samples = to->samples + (offsets[b] - offsets[0]);
    memcpy(samples, m->deal->ids + offsets[b], (size_t)n * sizeof *samples);
    TRM_TRY(trm_block_make(&m->blocks, step, samples, n, &to->stores[b], &to->blocks[b]));
  }
  to->step = (trm_graph_step){.step = step, .n_local = o->n_local, .blocks = to->blocks};
  if (whole) l->plan.way->batch_make(m->batch, step, m->deal, to->batch, &to->step.batch);
  return TRM_OK;
}

trm_status trm_graph_loader_next(trm_graph_loader *loader, trm_graph_step *batch) {
  int64_t step, number;
  TRM_TRY(trm_ahead_next(loader->ahead, &step, &number));
  *batch = loader->slots[number].step;
  TRM_ASSERT(batch->step == step);
  return TRM_OK;
}

static trm_status allocate_slot(trm_graph_loader *l, const trm_graph_bounds *bounds, slot *s) {
  const trm_graph_loader_options *o = &l->plan.options;
  const char *what = "batches of the graph loader";
  TRM_TRY(TRM_ALLOC(&s->samples, o->batch, what));
  TRM_TRY(TRM_ALLOC(&s->blocks, o->n_local, what));
  TRM_TRY(TRM_ALLOC(&s->stores, o->n_local, what));
  if (l->plan.way->batch_make) {
    TRM_TRY(l->plan.way->batch_store_create(l->makers[0].batch, bounds, &s->batch));
  }
  for (int64_t b = 0; b < o->n_local; ++b) {
    TRM_TRY(trm_block_store_init(&l->makers[0].blocks, &s->stores[b]));
  }
  return TRM_OK;
}

static trm_status reserve(trm_graph_loader *l) {
  const trm_graph_loader_options *o = &l->plan.options;
  trm_graph_bounds bounds;
  const trm_batching_way *way = l->plan.way;
  if (!way->bounds_are_close || o->n_local == 0 || !way->bounds_are_close(&l->plan)) return TRM_OK;
  TRM_TRY(trm_graph_loader_bounds(o, &bounds));
  const int64_t bytes = trm_block_store_bytes(l->plan.facts.graph, &bounds);
  if (bytes > RESERVED_BYTES / l->n_slots / o->n_local) return TRM_OK;
  for (int64_t i = 0; i < l->n_slots; ++i) {
    for (int64_t b = 0; b < o->n_local; ++b) {
      TRM_TRY(trm_block_store_reserve(&l->makers[0].blocks, &bounds, &l->slots[i].stores[b]));
    }
  }
  for (int i = 0; way->reserve_maker && i < o->n_threads; ++i) {
    TRM_TRY(way->reserve_maker(&l->makers[i].blocks, &bounds));
  }
  return TRM_OK;
}

static trm_status make_maker(const trm_graph_loader *l, maker *m) {
  TRM_TRY(trm_deal_create(&l->plan, &m->deal));
  if (l->plan.way->batch_make) TRM_TRY(l->plan.way->batch_maker_create(&l->plan, &m->batch));
  return trm_block_maker_init(&m->blocks, &l->plan);
}

static trm_status prepare(trm_graph_loader *l) {
  const trm_graph_loader_options *o = &l->plan.options;
  trm_graph_bounds most = {0}; /* of a batch as a whole */
  TRM_TRY(TRM_ALLOC(&l->makers, o->n_threads, "batches of the graph loader"));
  for (int i = 0; i < o->n_threads; ++i) TRM_TRY(make_maker(l, &l->makers[i]));
  TRM_TRY(TRM_ALLOC(&l->slots, l->n_slots, "batches of the graph loader"));
  if (l->plan.way->batch_make) TRM_TRY(trm_graph_loader_bounds(o, &most));
  for (int64_t i = 0; i < l->n_slots; ++i) TRM_TRY(allocate_slot(l, &most, &l->slots[i]));
  return reserve(l);
}

trm_status trm_graph_loader_create(const trm_graph_loader_options *options,
                                   trm_graph_loader **out) {
  trm_batching_plan plan;
  *out = NULL;
  TRM_TRY(trm_batching_plan_make(options, &plan));
  trm_graph_loader *l = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&l, 1, "graph loader"));
  l->plan = plan;
  l->n_slots = (int64_t)options->depth + 1;
  TRM_TRY_OUT(prepare(l));
  const trm_ahead_options ahead = {.first_step = options->first_step,
                                   .end_step = options->end_step,
                                   .depth = options->depth,
                                   .n_threads = options->n_threads,
                                   .fill = fill,
                                   .context = l,
                                   .what = "graph loader"};
  TRM_TRY_OUT(trm_ahead_create(&ahead, &l->ahead));
  *out = l;
  return TRM_OK;
out:
  trm_graph_loader_destroy(&l);
  return status;
}

void trm_graph_loader_destroy(trm_graph_loader **loader) {
  trm_graph_loader *l = *loader;
  *loader = NULL;
  if (!l) return;
  trm_ahead_destroy(&l->ahead);
  for (int64_t i = 0; l->slots && i < l->n_slots; ++i) {
    slot *s = &l->slots[i];
    for (int64_t b = 0; s->stores && b < l->plan.options.n_local; ++b) {
      trm_block_store_release(&s->stores[b]);
    }
    if (s->batch) l->plan.way->batch_store_destroy(&s->batch);
    TRM_FREE(s->samples);
    TRM_FREE(s->blocks);
    TRM_FREE(s->stores);
  }
  TRM_FREE(l->slots);
  for (int i = 0; l->makers && i < l->plan.options.n_threads; ++i) {
    trm_deal_destroy(&l->makers[i].deal);
    trm_block_maker_release(&l->makers[i].blocks);
    if (l->makers[i].batch) l->plan.way->batch_maker_destroy(&l->makers[i].batch);
  }
  TRM_FREE(l->makers);
  TRM_FREE(l);
}
