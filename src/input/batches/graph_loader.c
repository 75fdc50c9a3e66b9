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
#include "graph_loader_internal.h"
#include "trireme/core/memory.h"

/* Slots are given all the memory their bounds ask for, up to this much in all. */
#define RESERVED_BYTES (INT64_C(256) << 20)

typedef struct slot {
  trm_graph_step step;
  int64_t *samples;        /* [B] block after block; of own blocks alone */
  trm_graph_block *blocks; /* [n_local] */
  trm_block_store *stores; /* [n_local] */
  trm_pair_store pairs;
} slot;

/* What a thread needs to make a batch. */
typedef struct maker {
  trm_deal *deal;
  trm_block_maker blocks;
  trm_pair_maker pairs;
} maker;

struct trm_graph_loader {
  const trm_graph *graph; /* kept */
  trm_graph_loader_options options;
  int64_t n_slots;
  slot *slots;
  maker *makers; /* [n_threads] */
  trm_ahead *ahead;
};

static bool is_pairs(const trm_graph_loader *l) {
  return l->options.kind == TRM_BATCH_PAIRS;
}

static trm_status fill(void *context, trm_ahead *ahead, int thread, int64_t step, int64_t number) {
  trm_graph_loader *l = context;
  const trm_graph_loader_options *o = &l->options;
  slot *to = &l->slots[number];
  maker *m = &l->makers[thread];
  if (m->blocks.sampler) {
    m->blocks.sampler->stopped = trm_ahead_stopped;
    m->blocks.sampler->context = ahead;
  }
  /* Pairs are made from the whole batch, blocks from their own samples. */
  trm_deal_step(m->deal, step, is_pairs(l) ? 0 : o->first_block,
                is_pairs(l) ? o->n_blocks : o->n_local);
  const int64_t *offsets = m->deal->offsets + o->first_block;
  for (int64_t b = 0; b < o->n_local; ++b) {
    if (trm_ahead_stopped(ahead)) return TRM_OK;
    const int64_t n = offsets[b + 1] - offsets[b];
    int64_t *samples = to->samples + (offsets[b] - offsets[0]);
    memcpy(samples, m->deal->ids + offsets[b], (size_t)n * sizeof *samples);
    TRM_TRY(trm_block_make(&m->blocks, step, samples, n, &to->stores[b], &to->blocks[b]));
  }
  to->step = (trm_graph_step){.step = step, .n_local = o->n_local, .blocks = to->blocks};
  if (!is_pairs(l)) return TRM_OK;
  trm_pairs_make(&m->pairs, step, m->deal->ids, m->deal->offsets, &to->pairs);
  to->step.collection = &to->pairs.collection;
  to->step.triplets = &to->pairs.triplets;
  to->step.last = &to->pairs.last.hop;
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
  const trm_graph_loader_options *o = &l->options;
  const char *what = "batches of the graph loader";
  TRM_TRY(TRM_ALLOC(&s->samples, o->batch, what));
  TRM_TRY(TRM_ALLOC(&s->blocks, o->n_local, what));
  TRM_TRY(TRM_ALLOC(&s->stores, o->n_local, what));
  if (is_pairs(l)) return trm_pair_store_init(&l->makers[0].pairs, bounds, &s->pairs);
  for (int64_t b = 0; b < o->n_local; ++b) {
    TRM_TRY(trm_block_store_init(&l->makers[0].blocks, &s->stores[b]));
  }
  return TRM_OK;
}

/* Whether bounds are near what blocks have: not where all neighbours are taken. */
static bool has_close_bounds(const trm_graph_loader_options *o) {
  for (int h = 0; o->kind == TRM_BATCH_NEIGHBOR && h < o->sampler.n_hops; ++h) {
    if (o->sampler.fanout[h] < 0) return false;
  }
  return true;
}

static trm_status reserve(trm_graph_loader *l) {
  const trm_graph_loader_options *o = &l->options;
  trm_graph_bounds bounds;
  if (is_pairs(l) || o->n_local == 0 || !has_close_bounds(o)) return TRM_OK;
  TRM_TRY(trm_graph_loader_bounds(l->graph, o, &bounds));
  const int64_t bytes = trm_block_store_bytes(l->graph, &bounds);
  if (bytes > RESERVED_BYTES / l->n_slots / o->n_local) return TRM_OK;
  for (int64_t i = 0; i < l->n_slots; ++i) {
    for (int64_t b = 0; b < o->n_local; ++b) {
      TRM_TRY(trm_block_store_reserve(&l->makers[0].blocks, &bounds, &l->slots[i].stores[b]));
    }
  }
  for (int i = 0; i < o->n_threads; ++i) {
    TRM_TRY(trm_block_maker_reserve(&l->makers[i].blocks, &bounds));
  }
  return TRM_OK;
}

static trm_status make_maker(const trm_graph_loader *l, maker *m) {
  const trm_graph_loader_options *o = &l->options;
  TRM_TRY(trm_deal_create(l->graph, o, &m->deal));
  m->blocks.options = o;
  if (is_pairs(l)) return trm_pair_maker_init(&m->pairs, l->graph, o);
  return trm_block_maker_init(&m->blocks, l->graph, o);
}

static trm_status prepare(trm_graph_loader *l) {
  trm_graph_bounds most = {0}; /* of pairs */
  TRM_TRY(TRM_ALLOC(&l->makers, l->options.n_threads, "batches of the graph loader"));
  for (int i = 0; i < l->options.n_threads; ++i) TRM_TRY(make_maker(l, &l->makers[i]));
  TRM_TRY(TRM_ALLOC(&l->slots, l->n_slots, "batches of the graph loader"));
  if (is_pairs(l)) TRM_TRY(trm_graph_loader_bounds(l->graph, &l->options, &most));
  for (int64_t i = 0; i < l->n_slots; ++i) TRM_TRY(allocate_slot(l, &most, &l->slots[i]));
  return reserve(l);
}

trm_status trm_graph_loader_create(const trm_graph *graph, const trm_graph_loader_options *options,
                                   trm_graph_loader **out) {
  *out = NULL;
  TRM_TRY(trm_graph_loader_check(graph, options));
  trm_graph_loader *l = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&l, 1, "graph loader"));
  l->graph = graph;
  l->options = *options;
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
    for (int64_t b = 0; s->stores && b < l->options.n_local; ++b) {
      trm_block_store_release(&s->stores[b]);
    }
    trm_pair_store_release(&s->pairs);
    TRM_FREE(s->samples);
    TRM_FREE(s->blocks);
    TRM_FREE(s->stores);
  }
  TRM_FREE(l->slots);
  for (int i = 0; l->makers && i < l->options.n_threads; ++i) {
    trm_deal_destroy(&l->makers[i].deal);
    trm_block_maker_release(&l->makers[i].blocks);
    trm_pair_maker_release(&l->makers[i].pairs);
  }
  TRM_FREE(l->makers);
  TRM_FREE(l);
}
