/** Which samples of a graph data set are in which block of a step: arithmetic on (seed, step), and what a
 *  way of batching makes of it. */
#include <string.h>

#include "batching_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/input/permute.h"

/* Users of one purpose are told apart by the salt; the input is the only one of this. */
enum { SALT = 0 };

static trm_status allocate(trm_deal *d) {
  const trm_batching_plan *plan = d->plan;
  const char *what = "samples of a batch";
  TRM_TRY(TRM_ALLOC(&d->ids, plan->options.batch, what));
  TRM_TRY(TRM_ALLOC(&d->offsets, plan->options.n_blocks + 1, what));
  if (plan->way->deal_create) TRM_TRY(plan->way->deal_create(plan, &d->scratch));
  return d->scratch ? TRM_ALLOC(&d->stream, plan->options.batch, what) : TRM_OK;
}

trm_status trm_deal_create(const trm_batching_plan *plan, trm_deal **out) {
  *out = NULL;
  trm_deal *d = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&d, 1, "samples of a batch"));
  d->plan = plan;
  TRM_TRY_OUT(allocate(d));
  *out = d;
  return TRM_OK;
out:
  trm_deal_destroy(&d);
  return status;
}

void trm_deal_destroy(trm_deal **deal) {
  trm_deal *d = *deal;
  *deal = NULL;
  if (!d) return;
  if (d->scratch) d->plan->way->deal_destroy(d->scratch);
  TRM_FREE(d->ids);
  TRM_FREE(d->offsets);
  TRM_FREE(d->stream);
  TRM_FREE(d);
}

/* Ids of samples [first, first + n) of the stream. */
static void read_stream(const trm_batching_plan *plan, int64_t first, int64_t n, int64_t *ids) {
  const int64_t n_epoch = plan->facts.n_epoch;
  int64_t epoch = -1;
  uint64_t order = 0;
  for (int64_t i = 0; i < n; ++i) {
    if ((first + i) / n_epoch != epoch) {
      uint32_t words[4];
      epoch = (first + i) / n_epoch;
      trm_random_words(
          trm_random_key_make(plan->options.seed, TRM_RANDOM_SHUFFLE, (uint64_t)epoch, SALT), 0, 0,
          words);
      order = (uint64_t)words[1] << 32 | words[0];
    }
    ids[i] = epoch * n_epoch + trm_permute(order, n_epoch, (first + i) % n_epoch);
  }
}

void trm_deal_step(trm_deal *deal, int64_t step, int64_t first, int64_t n) {
  const trm_batching_plan *plan = deal->plan;
  const int64_t B = plan->options.batch, V = plan->options.n_blocks;
  for (int64_t b = 0; b <= V; ++b) deal->offsets[b] = trm_share_begin(B, b, V);
  if (deal->scratch) {
    read_stream(plan, step * B, B, deal->stream);
    plan->way->deal(deal);
  } else {
    const int64_t begin = deal->offsets[first], end = deal->offsets[first + n];
    read_stream(plan, step * B + begin, end - begin, deal->ids + begin);
  }
}

trm_status trm_graph_samples(const trm_graph_loader_options *options, int64_t step, int64_t *ids,
                             int64_t *offsets) {
  trm_graph_loader_options o = *options;
  trm_batching_plan plan;
  trm_deal *deal = NULL;
  o.first_block = 0;
  o.n_local = o.n_blocks;
  o.first_step = step;
  o.end_step = step + 1;
  o.depth = 1;
  TRM_TRY(trm_batching_plan_make(&o, &plan));
  TRM_TRY(trm_deal_create(&plan, &deal));
  trm_deal_step(deal, step, 0, o.n_blocks);
  memcpy(ids, deal->ids, (size_t)o.batch * sizeof *ids);
  memcpy(offsets, deal->offsets, (size_t)(o.n_blocks + 1) * sizeof *offsets);
  trm_deal_destroy(&deal);
  return TRM_OK;
}
