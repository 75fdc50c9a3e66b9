/** Windows of a shop, and which customers are in which step. */
#include <inttypes.h>
#include <math.h>

#include "steps_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/input/permute.h"

/* Users of one purpose are told apart by the salt. */
enum { SALT_STEPS = 0, SALT_WINDOW = 1 };

/* ---- windows ---------------------------------------------------------------------------------- */

/* What a customer has to do with a window. */
typedef struct activity {
  int64_t known, bought; /* pairs: bought before the day, and in the month */
} activity;

static activity activity_of(const trm_shop *s, int64_t customer, int64_t day, int64_t month) {
  activity a = {0, 0};
  for (int64_t p = s->pairs.offsets[customer]; p < s->pairs.offsets[customer + 1]; ++p) {
    a.known += s->days[s->day_offsets[p]] < day;
    a.bought += trm_shop_bought(s, p, day, day + month);
  }
  return a;
}

static bool takes(const trm_shop_steps_options *o, activity a) {
  return a.known > 0 && (o->all_customers || a.bought > 0);
}

/* Days of the windows, rising. */
static trm_status place_windows(trm_shop_steps *w) {
  const trm_shop_steps_options *o = &w->options;
  const int64_t last = o->end - o->month;
  if (last < o->first) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%" PRId64 " days to train on leave no month of %" PRId64 " after day %" PRId64
                    "; choose less",
                    o->end, o->month, o->first);
  }
  w->n_windows = (last - o->first) / o->stride + 1;
  TRM_TRY(TRM_ALLOC(&w->days, w->n_windows, "windows"));
  TRM_TRY(TRM_ALLOC(&w->lists, w->n_windows + 1, "windows"));
  TRM_TRY(TRM_ALLOC(&w->chunks, w->n_windows + 1, "windows"));
  for (int64_t i = 0; i < w->n_windows; ++i) {
    w->days[i] = last - (w->n_windows - 1 - i) * o->stride;
  }
  return TRM_OK;
}

/* Counts samples and what the largest step may have; fills the lists when they are there. */
static void visit_samples(trm_shop_steps *w) {
  const trm_shop_steps_options *o = &w->options;
  int64_t n = 0, most_known = 0, most_bought = 0;
  for (int64_t i = 0; i < w->n_windows; ++i) {
    w->lists[i] = n;
    for (int64_t u = 0; u < o->shop->n_customers; ++u) {
      const activity a = activity_of(o->shop, u, w->days[i], o->month);
      if (!takes(o, a)) continue;
      if (w->customers) w->customers[n] = (int32_t)u;
      most_known = trm_max_i64(most_known, a.known);
      most_bought = trm_max_i64(most_bought, a.bought);
      ++n;
    }
  }
  w->lists[w->n_windows] = n;
  w->most_known = most_known * o->batch; /* of the largest customers together */
  w->most_bought = most_bought * o->batch;
}

static trm_status list_samples(trm_shop_steps *w) {
  visit_samples(w);
  const int64_t n = w->lists[w->n_windows], B = w->options.batch;
  if (n == 0) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%s: nobody who had bought something before day %" PRId64
                    " or later buys in the "
                    "%" PRId64 " days after; take other days",
                    w->options.shop->graph.path, w->days[0], w->options.month);
  }
  TRM_TRY(TRM_ALLOC(&w->customers, n, "samples of windows"));
  visit_samples(w);
  for (int64_t i = 0; i < w->n_windows; ++i) {
    w->chunks[i + 1] = w->chunks[i] + trm_ceil_div(w->lists[i + 1] - w->lists[i], B);
  }
  return TRM_OK;
}

/* A customer has no more pairs than there are products, so steps have no more than this. */
static void bound_step(trm_shop_steps *w) {
  const int64_t n = w->options.shop->pairs.n_edges;
  w->most_known = trm_min_i64(w->most_known, n);
  w->most_bought = trm_min_i64(w->most_bought, n);
}

/* ---- products to draw ------------------------------------------------------------------------- */

static trm_status share_out(trm_shop_steps *w) {
  const trm_shop_steps_options *o = &w->options;
  const int64_t n = o->shop->n_products;
  const double draws = (double)o->negatives;
  TRM_TRY(TRM_ALLOC(&w->shares, n, "shares of products"));
  TRM_TRY(TRM_ALLOC(&w->sums, n + 1, "shares of products"));
  TRM_TRY(TRM_ALLOC(&w->log_in, n, "shares of products"));
  for (int64_t i = 0; i < n; ++i) {
    const int64_t node = o->shop->n_customers + i;
    w->shares[i] = 1 + (double)trm_shop_count(o->calendar, node, 0, o->end);
    w->sums[i + 1] = w->sums[i] + w->shares[i];
  }
  for (int64_t i = 0; i < n; ++i) {
    const double q = w->shares[i] / w->sums[n];
    w->log_in[i] = q < 1 ? (float)log(-expm1(draws * log1p(-q))) : 0;
  }
  return TRM_OK;
}

/* ---- life ------------------------------------------------------------------------------------- */

static trm_status create(trm_shop_steps *w) {
  const int64_t n_nodes = w->options.shop->graph.n_nodes;
  TRM_ASSERT(w->options.partition->n_parts == w->options.n_blocks);
  TRM_TRY(place_windows(w));
  TRM_TRY(list_samples(w));
  bound_step(w);
  if (w->options.negatives > 0) TRM_TRY(share_out(w));
  TRM_TRY(TRM_ALLOC(&w->place, n_nodes, "order of customers and products"));
  TRM_TRY(TRM_ALLOC(&w->number, n_nodes, "numbers of customers and products"));
  TRM_TRY(TRM_ALLOC(&w->ids, w->options.batch, "samples of a step"));
  TRM_TRY(TRM_ALLOC(&w->offsets, w->options.n_blocks + 1, "samples of a step"));
  for (int64_t i = 0; i < n_nodes; ++i) w->place[w->options.partition->order[i]] = (int32_t)i;
  for (int64_t i = 0; i < n_nodes; ++i) w->number[i] = -1;
  return trm_step_store_init(w);
}

trm_status trm_shop_steps_create(const trm_shop_steps_options *options, trm_shop_steps **out) {
  trm_shop_steps *w = NULL;
  *out = NULL;
  TRM_TRY(TRM_ALLOC(&w, 1, "steps over a shop"));
  w->options = *options;
  if (w->options.negatives >= options->shop->n_products) w->options.negatives = 0;
  const trm_status status = create(w);
  if (status == TRM_OK) {
    *out = w;
  } else {
    trm_shop_steps_destroy(&w);
  }
  return status;
}

void trm_shop_steps_destroy(trm_shop_steps **steps) {
  trm_shop_steps *w = *steps;
  if (!w) return;
  trm_step_store_release(&w->store);
  TRM_FREE(w->days);
  TRM_FREE(w->lists);
  TRM_FREE(w->customers);
  TRM_FREE(w->chunks);
  TRM_FREE(w->shares);
  TRM_FREE(w->sums);
  TRM_FREE(w->log_in);
  TRM_FREE(w->place);
  TRM_FREE(w->number);
  TRM_FREE(w->ids);
  TRM_FREE(w->offsets);
  TRM_FREE(*steps);
}

/* ---- order ------------------------------------------------------------------------------------ */

int64_t trm_shop_epoch_samples(const trm_shop_steps *w) {
  return w->lists[w->n_windows];
}
int64_t trm_shop_epoch_steps(const trm_shop_steps *w) {
  return w->chunks[w->n_windows];
}
int64_t trm_shop_windows(const trm_shop_steps *w) {
  return w->n_windows;
}

static uint64_t key_of(uint64_t seed, int64_t epoch, uint64_t salt, uint64_t counter) {
  uint32_t words[4];
  trm_random_words(trm_random_key_make(seed, TRM_RANDOM_SHUFFLE, (uint64_t)epoch, salt), counter, 0,
                   words);
  return (uint64_t)words[1] << 32 | words[0];
}

trm_step_place trm_shop_step_place(const trm_shop_steps *w, int64_t step) {
  const int64_t n = trm_shop_epoch_steps(w);
  trm_step_place p = {.epoch = step / n};
  const int64_t chunk = trm_permute(key_of(w->options.seed, p.epoch, SALT_STEPS, 0), n, step % n);
  while (w->chunks[p.window + 1] <= chunk) ++p.window;
  const int64_t in = w->chunks[p.window + 1] - w->chunks[p.window];
  trm_share(w->lists[p.window + 1] - w->lists[p.window], in, chunk - w->chunks[p.window], &p.first,
            &p.n);
  return p;
}

int64_t trm_shop_step_day(const trm_shop_steps *w, int64_t step) {
  return w->days[trm_shop_step_place(w, step).window];
}

void trm_shop_samples(const trm_shop_steps *w, int64_t step, int64_t *ids, int64_t *offsets) {
  const trm_step_place p = trm_shop_step_place(w, step);
  const int64_t begin = w->lists[p.window], n = w->lists[p.window + 1] - begin;
  const uint64_t key = key_of(w->options.seed, p.epoch, SALT_WINDOW, (uint64_t)p.window);
  for (int64_t i = 0; i < p.n; ++i) {
    const int64_t at = begin + trm_permute(key, n, p.first + i);
    ids[i] = p.epoch * trm_shop_epoch_samples(w) + at;
  }
  for (int64_t b = 0; b <= w->options.n_blocks; ++b) {
    offsets[b] = trm_share_begin(p.n, b, w->options.n_blocks);
  }
}
