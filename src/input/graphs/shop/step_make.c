/** The arrays of one step over a shop: customers, products to choose among, what each knows and buys. */

#include "steps_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"

/* Own nodes: places [*begin, *end) of the partition's order. */
static void own_places(const trm_shop_steps_options *o, int64_t *begin, int64_t *end) {
  *begin = o->partition->offsets[o->first_block];
  *end = o->partition->offsets[o->first_block + o->n_local];
}

/* Products of a step at most: those that are drawn, and what its customers buy. */
static int64_t most_products(const trm_shop_steps *w) {
  const int64_t n = w->options.shop->n_products;
  return w->options.negatives == 0 ? n : trm_min_i64(n, w->options.negatives + w->most_bought);
}

trm_status trm_step_store_init(trm_shop_steps *w) {
  const char *what = "arrays of a step";
  const trm_shop_steps_options *o = &w->options;
  const int64_t B = o->batch, J = most_products(w);
  trm_step_store *s = &w->store;
  int64_t begin, end;
  own_places(o, &begin, &end);
  TRM_TRY(TRM_ALLOC(&s->customers, B, what));
  TRM_TRY(TRM_ALLOC(&s->products, J, what));
  TRM_TRY(TRM_ALLOC(&s->log_shares, J, what));
  TRM_TRY(TRM_ALLOC(&s->bought_offsets, B + 1, what));
  TRM_TRY(TRM_ALLOC(&s->known_offsets, B + 1, what));
  TRM_TRY(TRM_ALLOC(&s->bought, w->most_bought, what));
  TRM_TRY(TRM_ALLOC(&s->rivals, w->most_bought, what));
  TRM_TRY(TRM_ALLOC(&s->known, w->most_known, what));
  TRM_TRY(TRM_ALLOC(&s->habits, w->most_known * TRM_SHOP_HABITS, what));
  TRM_TRY(TRM_ALLOC(&s->blocks, o->n_local + 1, what));
  TRM_TRY(TRM_ALLOC(&s->rows, end - begin, what));
  TRM_TRY(TRM_ALLOC(&s->id_rows, end - begin, what));
  return TRM_ALLOC(&s->id_places, end - begin, what);
}

void trm_step_store_release(trm_step_store *s) {
  TRM_FREE(s->customers);
  TRM_FREE(s->products);
  TRM_FREE(s->log_shares);
  TRM_FREE(s->bought_offsets);
  TRM_FREE(s->known_offsets);
  TRM_FREE(s->bought);
  TRM_FREE(s->rivals);
  TRM_FREE(s->known);
  TRM_FREE(s->habits);
  TRM_FREE(s->blocks);
  TRM_FREE(s->rows);
  TRM_FREE(s->id_rows);
  TRM_FREE(s->id_places);
}

void trm_shop_bounds(trm_shop_steps *w, trm_graph_batch *batch) {
  const trm_shop_steps_options *o = &w->options;
  trm_step_store *s = &w->store;
  const int64_t B = trm_min_i64(o->batch, o->shop->n_customers), J = most_products(w), n = B + J;
  int64_t begin, end;
  own_places(o, &begin, &end);
  s->collection =
      (trm_collection){.n = n, .n_own = trm_min_i64(n, end - begin), .exchange = o->rows};
  s->choices = (trm_choices){.n_customers = B,
                             .n_products = J,
                             .bought = {.n_rows = B, .n_columns = J, .n_edges = w->most_bought},
                             .known = {.n_rows = B, .n_columns = J, .n_edges = w->most_known},
                             .n_habits = TRM_SHOP_HABITS};
  batch->collection = &s->collection;
  batch->choices = &s->choices;
  batch->n_ids = trm_min_i64(end - begin, o->shop->n_products);
  batch->id_rows = batch->id_places = NULL;
}

/* ---- products --------------------------------------------------------------------------------- */

/* The product at which the sums of shares pass x. */
static int64_t product_at(const double *sums, int64_t n, double x) {
  int64_t low = 0, high = n; /* sums[low] <= x < sums[high] */
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (sums[middle] <= x) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

/* Marks the products of a step by a number that is not -1. */
static void draw_products(trm_shop_steps *w, int64_t step) {
  const trm_shop *shop = w->options.shop;
  const int64_t n = shop->n_products;
  const trm_random_key key =
      trm_random_key_make(w->options.seed, TRM_RANDOM_NEGATIVE, (uint64_t)step, 0);
  for (int64_t d = 0; d < w->options.negatives; ++d) {
    const double x = trm_random_uniform(key, (uint64_t)d, 0) * w->sums[n];
    w->number[shop->n_customers + product_at(w->sums, n, x)] = 0;
  }
}

/* What is bought is among the products, drawn or not. */
static void mark_bought(trm_shop_steps *w, int64_t n, int64_t day) {
  const trm_shop *s = w->options.shop;
  for (int64_t b = 0; b < n; ++b) {
    const int64_t u = w->store.customers[b];
    for (int64_t p = s->pairs.offsets[u]; p < s->pairs.offsets[u + 1]; ++p) {
      if (!trm_shop_bought(s, p, day, day + w->options.month)) continue;
      w->number[s->n_customers + s->pairs.columns[p]] = 0;
    }
  }
}

static int64_t number_products(trm_shop_steps *w) {
  const trm_shop *s = w->options.shop;
  int64_t n = 0;
  for (int64_t i = 0; i < s->n_products; ++i) {
    int32_t *number = &w->number[s->n_customers + i];
    if (*number < 0 && w->options.negatives > 0) continue;
    w->store.log_shares[n] = w->options.negatives > 0 ? w->log_in[i] : 0;
    w->store.products[n] = (int32_t)(s->n_customers + i);
    *number = (int32_t)n++;
  }
  return n;
}

/* ---- lists ------------------------------------------------------------------------------------ */

static bool in_row(const trm_csr *lists, int64_t row, int32_t column) {
  int64_t low = lists->offsets[row], high = lists->offsets[row + 1];
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (lists->columns[middle] < column) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < lists->offsets[row + 1] && lists->columns[low] == column;
}

/* A product of the same sort, known or not, that the customer does not buy. Gives up after some tries,
 * where nearly all is known or bought; of what is known there are few, which are drawn from directly. */
static int32_t rival_of(const trm_shop_steps *w, trm_random_key key, int64_t b, int64_t target) {
  enum { TRIES = 16 };
  const trm_choices *c = &w->store.choices;
  const int32_t product = c->bought.columns[target];
  const bool known = in_row(&c->known, b, product);
  const int64_t first = c->known.offsets[b], n_known = c->known.offsets[b + 1] - first;
  for (uint64_t try = 0; try < TRIES; ++try) {
    const uint64_t n = (uint64_t)(known ? n_known : c->n_products);
    const int64_t r = (int64_t)trm_random_below(key, (uint64_t)target, try, n);
    const int32_t rival = known ? c->known.columns[first + r] : (int32_t)r;
    if (in_row(&c->bought, b, rival) || (!known && in_row(&c->known, b, rival))) continue;
    return rival;
  }
  return -1;
}

static void draw_rivals(trm_shop_steps *w, int64_t step) {
  const trm_choices *c = &w->store.choices;
  const trm_random_key key =
      trm_random_key_make(w->options.seed, TRM_RANDOM_NEGATIVE, (uint64_t)step, 1);
  for (int64_t b = 0; b < c->n_customers; ++b) {
    for (int64_t t = c->bought.offsets[b]; t < c->bought.offsets[b + 1]; ++t) {
      w->store.rivals[t] = rival_of(w, key, b, t);
    }
  }
  w->store.choices.rivals = w->store.rivals;
}

/* ---- collection ------------------------------------------------------------------------------- */

/* Numbers customers and products in the partition's order; afterwards they are places in the collection,
 * and no node has a number any more. */
static void collect(trm_shop_steps *w, int64_t n_customers, int64_t n_products) {
  trm_step_store *s = &w->store;
  const trm_shop_steps_options *o = &w->options;
  int64_t begin, end, n = 0, first = 0, n_own = 0;
  own_places(o, &begin, &end);
  for (int64_t b = 0; b < n_customers; ++b) w->number[s->customers[b]] = 0;
  for (int64_t i = 0; i < o->partition->n_nodes; ++i) {
    int32_t *number = &w->number[o->partition->order[i]];
    if (*number < 0) continue;
    *number = (int32_t)n++;
    first += i < begin;
    if (i >= begin && i < end) s->rows[n_own++] = (int32_t)(i - begin);
  }
  int32_t *const lists[2] = {s->customers, s->products};
  const int64_t lengths[2] = {n_customers, n_products};
  for (int k = 0; k < 2; ++k) {
    for (int64_t i = 0; i < lengths[k]; ++i) {
      const int32_t node = lists[k][i];
      lists[k][i] = w->number[node];
      w->number[node] = -1;
    }
  }
  s->collection = (trm_collection){
      .n = n, .first = first, .n_own = n_own, .rows = s->rows, .exchange = o->rows};
}

/* Own products that were sold before the day and are not left out. */
static int64_t keep_ids(trm_shop_steps *w, int64_t step, int64_t day) {
  const trm_shop_steps_options *o = &w->options;
  const trm_random_key key = trm_random_key_make(o->seed, TRM_RANDOM_IDS, (uint64_t)step, 0);
  int64_t begin, end, n = 0;
  own_places(o, &begin, &end);
  for (int64_t i = begin; i < end; ++i) {
    const int64_t node = o->partition->order[i], product = node - o->shop->n_customers;
    if (product < 0 || trm_shop_count(o->calendar, node, 0, day) == 0) continue;
    if (o->id_drop > 0 && trm_random_uniform(key, (uint64_t)product, 0) < o->id_drop) continue;
    w->store.id_rows[n] = (int32_t)product;
    w->store.id_places[n++] = (int32_t)(i - begin);
  }
  return n;
}

void trm_shop_step_make(trm_shop_steps *w, int64_t step, trm_graph_batch *batch) {
  const trm_shop_steps_options *o = &w->options;
  trm_step_store *s = &w->store;
  const int64_t day = trm_shop_step_day(w, step);
  trm_shop_samples(w, step, w->ids, w->offsets);
  const int64_t B = w->offsets[o->n_blocks], own = w->offsets[o->first_block];
  for (int64_t b = 0; b < B; ++b) {
    s->customers[b] = w->customers[w->ids[b] % trm_shop_epoch_samples(w)];
  }
  if (o->negatives > 0) {
    draw_products(w, step);
    mark_bought(w, B, day);
  }
  const int64_t J = number_products(w);
  for (int64_t b = 0; b <= o->n_local; ++b) s->blocks[b] = w->offsets[o->first_block + b] - own;
  s->choices = (trm_choices){.n_customers = B,
                             .n_products = J,
                             .customers = s->customers,
                             .products = s->products,
                             .log_shares = s->log_shares,
                             .n_habits = TRM_SHOP_HABITS,
                             .habits = s->habits,
                             .first = own,
                             .blocks = s->blocks};
  const trm_shop_room room = {.known_offsets = s->known_offsets,
                              .bought_offsets = s->bought_offsets,
                              .known = s->known,
                              .bought = s->bought,
                              .habits = s->habits,
                              .most_known = w->most_known,
                              .most_bought = w->most_bought};
  trm_shop_lists(o->shop, s->customers, B, day, day + o->month, w->number + o->shop->n_customers,
                 &room, &s->choices);
  if (o->rivals) draw_rivals(w, step);
  collect(w, B, J);
  batch->collection = &s->collection;
  batch->choices = &s->choices;
  batch->n_ids = keep_ids(w, step, day);
  batch->id_rows = s->id_rows;
  batch->id_places = s->id_places;
}
