/* The order of samples: pools of steps, sorted by length, cut into batches, dealt to blocks. */
#include <string.h>

#include "batch_internal.h"
#include "ranked_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/input/permute.h"

/* Users of one purpose are told apart by the salt. */
enum { SALT_SAMPLES = 0, SALT_BATCHES = 1 };

/* Steps and samples of one pool of an epoch. */
typedef struct pool {
  int64_t first_step, n_steps;
  int64_t first, n; /* places in the permutation */
} pool;

/* How an epoch is cut; arithmetic alone. */
typedef struct cut {
  int64_t n, n_steps, n_pools;
} cut;

struct trm_sample_order {
  trm_sample_order_options options;
  cut cut;
  int64_t most;              /* samples of a step */
  int64_t held_epoch, held;  /* pool that `sorted` is of; -1: none */
  trm_ranked *sorted;        /* [most of a pool] key: cost, tie: place in the permutation */
  int64_t *begins;           /* [most steps of a pool + 1] of its batches in `sorted` */
  trm_ranked *batch, *loads; /* [most], [V] */
  int64_t *block_of, *heads; /* [most], [V + 1] */
  int64_t *ids, *offsets;    /* [most], [V + 1] */
};

static int64_t cost_of(const trm_sample_view *view, int32_t sample) {
  return trm_sample_input_rows(view, sample) + trm_sample_output_rows(view, sample);
}

static int64_t steps_of(const trm_sample_order_options *o) {
  int64_t cost = 0;
  if (o->batch > 0) return trm_ceil_div(o->train.n, o->batch);
  for (int64_t i = 0; i < o->train.n; ++i) cost += cost_of(&o->view, o->train.ids[i]);
  const int64_t wanted = trm_ceil_div(cost, o->batch_tokens);
  return trm_max_i64(1, trm_min_i64(wanted, o->train.n));
}

static cut cut_of(const trm_sample_order_options *o) {
  const int64_t n_steps = steps_of(o);
  return (cut){.n = o->train.n, .n_steps = n_steps, .n_pools = trm_ceil_div(n_steps, o->pool)};
}

static pool pool_at(const cut *c, int64_t number) {
  pool p;
  trm_share(c->n_steps, c->n_pools, number, &p.first_step, &p.n_steps);
  p.first = trm_share_begin(c->n, p.first_step, c->n_steps);
  p.n = trm_share_begin(c->n, p.first_step + p.n_steps, c->n_steps) - p.first;
  return p;
}

static int64_t pool_of_step(const cut *c, int64_t step) {
  int64_t number = step * c->n_pools / c->n_steps; /* near; shares are rounded down */
  while (number + 1 < c->n_pools && trm_share_begin(c->n_steps, number + 1, c->n_pools) <= step) {
    ++number;
  }
  return number;
}

/* The largest pool, and so the most samples of a step by count. */
static pool largest_pool(const cut *c) {
  pool most = {0};
  for (int64_t q = 0; q < c->n_pools; ++q) {
    const pool p = pool_at(c, q);
    most.n_steps = trm_max_i64(most.n_steps, p.n_steps);
    most.n = trm_max_i64(most.n, p.n);
  }
  return most;
}

static trm_status allocate(trm_sample_order *o) {
  static const char what[] = "order of samples";
  const int64_t V = o->options.n_blocks;
  const pool most = largest_pool(&o->cut);
  o->most = o->options.batch > 0 ? trm_ceil_div(o->cut.n, o->cut.n_steps) : most.n;
  TRM_TRY(TRM_ALLOC(&o->sorted, most.n, what));
  TRM_TRY(TRM_ALLOC(&o->begins, most.n_steps + 1, what));
  TRM_TRY(TRM_ALLOC(&o->batch, o->most, what));
  TRM_TRY(TRM_ALLOC(&o->block_of, o->most, what));
  TRM_TRY(TRM_ALLOC(&o->ids, o->most, what));
  TRM_TRY(TRM_ALLOC(&o->loads, V, what));
  TRM_TRY(TRM_ALLOC(&o->heads, V + 1, what));
  return TRM_ALLOC(&o->offsets, V + 1, what);
}

trm_status trm_sample_order_create(const trm_sample_order_options *options,
                                   trm_sample_order **out) {
  trm_sample_order *o = NULL;
  TRM_ASSERT(options->train.n >= 1 && options->pool >= 1 && options->n_blocks >= 1);
  TRM_ASSERT(options->batch > 0 || options->batch_tokens > 0);
  TRM_TRY(TRM_ALLOC(&o, 1, "order of samples"));
  o->options = *options;
  o->held = -1;
  o->cut = cut_of(options);
  const trm_status status = allocate(o);
  if (status != TRM_OK) trm_sample_order_destroy(&o);
  *out = o;
  return status;
}

void trm_sample_order_destroy(trm_sample_order **order) {
  trm_sample_order *o = *order;
  if (!o) return;
  TRM_FREE(o->sorted);
  TRM_FREE(o->begins);
  TRM_FREE(o->batch);
  TRM_FREE(o->block_of);
  TRM_FREE(o->ids);
  TRM_FREE(o->loads);
  TRM_FREE(o->heads);
  TRM_FREE(o->offsets);
  TRM_FREE(*order);
}

int64_t trm_sample_order_epoch_steps(const trm_sample_order *order) {
  return order->cut.n_steps;
}

int64_t trm_sample_order_most(const trm_sample_order *order) {
  return order->most;
}

/* ---- pools ----------------------------------------------------------------------------------- */

static uint64_t key_of(uint64_t seed, int64_t epoch, uint64_t salt, uint64_t more) {
  uint32_t words[4];
  trm_random_words(trm_random_key_make(seed, TRM_RANDOM_SHUFFLE, (uint64_t)epoch, salt), more, 0,
                   words);
  return (uint64_t)words[1] << 32 | words[0];
}

/* Begins of batches of as many samples, or of as many tokens but at least one sample. */
static void cut_batches(trm_sample_order *o, const pool *p) {
  int64_t total = 0, before = 0, at = 0;
  if (o->options.batch > 0) {
    for (int64_t k = 0; k <= p->n_steps; ++k) o->begins[k] = trm_share_begin(p->n, k, p->n_steps);
    return;
  }
  for (int64_t i = 0; i < p->n; ++i) total += o->sorted[i].key;
  o->begins[0] = 0;
  for (int64_t k = 1; k < p->n_steps; ++k) {
    const int64_t least = o->begins[k - 1] + 1, most = p->n - (p->n_steps - k);
    while (at < most && (at < least || before < trm_share_begin(total, k, p->n_steps))) {
      before += o->sorted[at++].key;
    }
    o->begins[k] = at;
  }
  o->begins[p->n_steps] = p->n;
}

static void hold_pool(trm_sample_order *o, int64_t epoch, int64_t number, const pool *p) {
  if (o->held == number && o->held_epoch == epoch) return;
  const trm_sample_order_options *options = &o->options;
  const uint64_t order = key_of(options->seed, epoch, SALT_SAMPLES, 0);
  for (int64_t i = 0; i < p->n; ++i) {
    const int64_t place = trm_permute(order, o->cut.n, p->first + i);
    o->sorted[i] = (trm_ranked){.key = cost_of(&options->view, options->train.ids[place]),
                                .tie = p->first + i};
  }
  trm_ranked_sort(o->sorted, p->n);
  cut_batches(o, p);
  for (int64_t i = 0; i < p->n; ++i) {
    o->sorted[i].tie = trm_permute(order, o->cut.n, o->sorted[i].tie);
  }
  o->held = number;
  o->held_epoch = epoch;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Samples [begin, end) of the pool to blocks of equal cost; in a block dearest first. */
static void deal(trm_sample_order *o, int64_t epoch, int64_t begin, int64_t end) {
  const int64_t V = o->options.n_blocks, n = end - begin;
  for (int64_t i = 0; i < n; ++i) {
    o->batch[i] = (trm_ranked){.key = -o->sorted[begin + i].key, .tie = i};
  }
  trm_ranked_sort(o->batch, n);
  trm_ranked_deal(o->batch, n, V, o->loads, o->block_of);
  memset(o->offsets, 0, (size_t)(V + 1) * sizeof *o->offsets);
  for (int64_t i = 0; i < n; ++i) ++o->offsets[o->block_of[i] + 1];
  for (int64_t b = 0; b < V; ++b) o->offsets[b + 1] += o->offsets[b];
  memcpy(o->heads, o->offsets, (size_t)(V + 1) * sizeof *o->heads);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t at = o->batch[i].tie;
    o->ids[o->heads[o->block_of[at]]++] = epoch * o->cut.n + o->sorted[begin + at].tie;
  }
}

trm_sample_step trm_sample_order_step(trm_sample_order *order, int64_t step) {
  trm_sample_order *o = order;
  const int64_t epoch = step / o->cut.n_steps, in_epoch = step % o->cut.n_steps;
  const int64_t number = pool_of_step(&o->cut, in_epoch);
  const pool p = pool_at(&o->cut, number);
  hold_pool(o, epoch, number, &p);
  const uint64_t order_of = key_of(o->options.seed, epoch, SALT_BATCHES, (uint64_t)number);
  const int64_t k = trm_permute(order_of, p.n_steps, in_epoch - p.first_step);
  deal(o, epoch, o->begins[k], o->begins[k + 1]);
  return (trm_sample_step){.ids = o->ids, .offsets = o->offsets};
}

/* ---- bounds ---------------------------------------------------------------------------------- */

/* What samples cost, dearest first, and the shares of inputs and outputs in a cost. */
typedef struct costs {
  trm_ranked *sorted; /* [n] key: -cost */
  int64_t least, longest_input, longest_output;
  double input_share, output_share;
} costs;

static void measure(const trm_sample_order_options *o, costs *c) {
  c->least = INT64_MAX;
  for (int64_t i = 0; i < o->train.n; ++i) {
    const int64_t in = trm_sample_input_rows(&o->view, o->train.ids[i]);
    const int64_t out = trm_sample_output_rows(&o->view, o->train.ids[i]), cost = in + out;
    c->sorted[i] = (trm_ranked){.key = -cost, .tie = i};
    c->least = trm_min_i64(c->least, cost);
    c->longest_input = trm_max_i64(c->longest_input, in);
    c->longest_output = trm_max_i64(c->longest_output, out);
    if (cost == 0) continue;
    if ((double)in / (double)cost > c->input_share) c->input_share = (double)in / (double)cost;
    if ((double)out / (double)cost > c->output_share) c->output_share = (double)out / (double)cost;
  }
  trm_ranked_sort(c->sorted, o->train.n);
}

/* Sum of the n dearest. */
static int64_t dearest(const costs *c, int64_t n) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; ++i) sum -= c->sorted[i].key;
  return sum;
}

/* A batch has the dearest samples of all, or of a pool's cost its share and one sample more; the least
 * loaded block has at most the mean, and gets at most the dearest sample besides. */
trm_status trm_sample_order_bounds(const trm_sample_order_options *options,
                                   trm_sample_batch *bounds) {
  const trm_sample_order_options *o = options;
  const cut c = cut_of(o);
  const pool largest = largest_pool(&c);
  costs k = {0};
  TRM_TRY(TRM_ALLOC(&k.sorted, o->train.n, "lengths of samples"));
  measure(o, &k);
  const int64_t dear = -k.sorted[0].key;
  int64_t n = o->batch > 0 ? trm_ceil_div(c.n, c.n_steps) : largest.n;
  const bool alone = o->batch > 0 && n <= o->n_blocks; /* a block has one sample at most */
  int64_t cost = dearest(&k, n);
  if (o->batch == 0) cost = trm_min_i64(cost, cost / trm_max_i64(1, c.n_steps / c.n_pools) + dear);
  if (k.least == dear && dear > 0) { /* as of images and rows: blocks have as many */
    cost = trm_ceil_div(cost / dear, o->n_blocks) * dear;
  } else {
    cost = alone ? dear : trm_min_i64(cost, cost / o->n_blocks + dear);
  }
  if (k.least > 0) n = trm_min_i64(n, cost / k.least);
  if (alone) n = 1;
  TRM_FREE(k.sorted);
  const trm_sequences in = {.n = n,
                            .n_rows =
                                trm_min_i64(cost, (int64_t)((double)cost * k.input_share) + 1),
                            .longest = k.longest_input};
  const trm_sequences out = {.n = n,
                             .n_rows =
                                 trm_min_i64(cost, (int64_t)((double)cost * k.output_share) + 1),
                             .longest = k.longest_output};
  *bounds = (trm_sample_batch){.n = n, .inputs = in, .values = trm_batch_value_sizes(&o->view)};
  if (o->view.frame.outputs) bounds->outputs = out;
  return TRM_OK;
}
