/**
 * Batches of training pairs of users and items, each with a negative: an item drawn uniformly from those
 * the user has not in training.
 * Source of learning from such triplets: Rendle et al. 2009, "BPR", UAI, arXiv:1205.2618, section 4.
 */
#include <inttypes.h>
#include <string.h>

#include "batching_internal.h"
#include "pair_hop_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"

enum { BITS = 64 };

static void facts_of(const void *options, trm_batching_facts *facts) {
  const trm_pair_batching *o = options;
  *facts = (trm_batching_facts){.graph = &o->data->graph,
                                .n_epoch = o->data->train.n_edges,
                                .partition = o->partition,
                                .neighbors = {.drop_edge = o->drop_edge},
                                .featureless = true};
}

static trm_status check(const trm_batching_plan *plan) {
  const trm_partition *p = plan->facts.partition;
  if (!p) return trm_fail(TRM_ERR_ARG, "graph loader: a partition is needed");
  if (p->n_parts == plan->options.n_blocks) return TRM_OK;
  return trm_fail(TRM_ERR_ARG,
                  "graph loader: the partition has %d parts, expected one for each of %" PRId64
                  " blocks",
                  p->n_parts, plan->options.n_blocks);
}

/* Own nodes: places [*begin, *end) of the partition's order. */
static void own_places(const trm_batching_plan *plan, int64_t *begin, int64_t *end) {
  const trm_graph_loader_options *o = &plan->options;
  *begin = plan->facts.partition->offsets[o->first_block];
  *end = plan->facts.partition->offsets[o->first_block + o->n_local];
}

static trm_status bounds_of(const trm_batching_plan *plan, trm_graph_bounds *bounds) {
  const trm_pair_batching *way = plan->options.way.options;
  const int64_t B = plan->options.batch, n = trm_min_i64(3 * B, way->data->graph.n_nodes);
  int64_t begin, end;
  own_places(plan, &begin, &end);
  bounds->collection =
      (trm_collection){.n = n, .n_own = trm_min_i64(n, end - begin), .exchange = way->rows};
  bounds->uses = (trm_csr){.n_rows = n, .n_columns = 3 * B, .n_edges = 3 * B};
  bounds->triplets = (trm_triplets){.n = B, .uses = &bounds->uses};
  bounds->batch = (trm_graph_batch){
      .collection = &bounds->collection, .triplets = &bounds->triplets, .last = &bounds->last};
  return trm_pair_hop_bounds(way, B, &bounds->collection, &bounds->last);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Of a thread. */
typedef struct pair_maker {
  const trm_batching_plan *plan; /* kept */
  const trm_pair_batching *way;  /* kept */
  int32_t *place;                /* [n_nodes] of a node in the partition's order */
  uint64_t *marks;  /* bit set of places that are in the batch; all 0 between batches */
  int32_t *numbers; /* [n_nodes] of places in the collection; all -1 between batches */
  int32_t
      *columns; /* [columns of the whole hop's `out`] scratch: their numbers in the collection */
} pair_maker;

/* Of a slot. */
typedef struct pair_store {
  int32_t *users, *positives, *negatives; /* [B] */
  int32_t *rows;                          /* [min(3 B, own nodes)] */
  int32_t *ids;                           /* [min(3 B, n_nodes)] of the collection's nodes */
  int64_t *uses_offsets;                  /* [min(3 B, n_nodes) + 1] */
  int32_t *uses_columns;                  /* [3 B] */
  int64_t *blocks;                        /* [n_local + 1] */
  trm_csr uses;
  trm_collection collection;
  trm_triplets triplets;
  trm_pair_hop last;
} pair_store;

static trm_status check_users(const trm_interactions *d) {
  for (int64_t u = 0; u < d->n_users; ++u) {
    if (d->train.offsets[u + 1] - d->train.offsets[u] < d->n_items) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: user %" PRId64 " has all %" PRId64 " items in training, so none is left "
                    "to compare with; leave that user out",
                    d->graph.path ? d->graph.path : "interactions", u, d->n_items);
  }
  return TRM_OK;
}

static void forget_numbers(pair_maker *m) {
  for (int64_t i = 0; i < m->way->data->graph.n_nodes; ++i) m->numbers[i] = -1;
}

static void maker_destroy(void **maker) {
  pair_maker *m = *maker;
  *maker = NULL;
  if (!m) return;
  TRM_FREE(m->place);
  TRM_FREE(m->numbers);
  TRM_FREE(m->marks);
  TRM_FREE(m->columns);
  TRM_FREE(m);
}

static trm_status maker_create(const trm_batching_plan *plan, void **maker) {
  const trm_pair_batching *way = plan->options.way.options;
  const int64_t n = way->data->graph.n_nodes;
  pair_maker *m = NULL;
  TRM_TRY(check_users(way->data));
  TRM_ASSERT(way->field && way->field->n_hops >= 1 && !way->data->graph.in.values);
  TRM_TRY(TRM_ALLOC(&m, 1, "order of users and items"));
  *maker = m; /* released by its owner after a failure too */
  m->plan = plan;
  m->way = way;
  TRM_TRY(TRM_ALLOC(&m->place, n, "order of users and items"));
  TRM_TRY(TRM_ALLOC(&m->numbers, n, "numbers of users and items"));
  TRM_TRY(TRM_ALLOC(&m->marks, n / BITS + 1, "marks of users and items"));
  TRM_TRY(TRM_ALLOC(&m->columns, way->field->hops[0].out.n_columns, "numbers of users and items"));
  for (int64_t i = 0; i < n; ++i) m->place[way->partition->order[i]] = (int32_t)i;
  forget_numbers(m);
  return TRM_OK;
}

static void store_destroy(void **store) {
  pair_store *s = *store;
  *store = NULL;
  if (!s) return;
  TRM_FREE(s->users);
  TRM_FREE(s->positives);
  TRM_FREE(s->negatives);
  TRM_FREE(s->rows);
  TRM_FREE(s->ids);
  TRM_FREE(s->uses_offsets);
  TRM_FREE(s->uses_columns);
  TRM_FREE(s->blocks);
  trm_pair_hop_release(&s->last);
  TRM_FREE(s);
}

static trm_status store_create(const void *maker, const trm_graph_bounds *bounds, void **store) {
  const pair_maker *m = maker;
  const trm_graph_loader_options *o = &m->plan->options;
  const char *what = "pairs of a batch";
  const int64_t B = o->batch, n = trm_min_i64(3 * B, m->way->data->graph.n_nodes);
  int64_t begin, end;
  pair_store *s = NULL;
  own_places(m->plan, &begin, &end);
  TRM_TRY(TRM_ALLOC(&s, 1, what));
  *store = s; /* released by its owner after a failure too */
  TRM_TRY(TRM_ALLOC(&s->users, B, what));
  TRM_TRY(TRM_ALLOC(&s->positives, B, what));
  TRM_TRY(TRM_ALLOC(&s->negatives, B, what));
  TRM_TRY(TRM_ALLOC(&s->rows, trm_min_i64(3 * B, end - begin), what));
  TRM_TRY(TRM_ALLOC(&s->ids, n, what));
  TRM_TRY(TRM_ALLOC(&s->uses_offsets, n + 1, what));
  TRM_TRY(TRM_ALLOC(&s->uses_columns, 3 * B, what));
  TRM_TRY(TRM_ALLOC(&s->blocks, o->n_local + 1, what));
  return trm_pair_hop_init(m->way, &bounds->last, &s->last);
}

/* ---- batches --------------------------------------------------------------------------------- */

/* The row that entry e is in. */
static int64_t row_of(const trm_csr *csr, int64_t e) {
  int64_t low = 0, high = csr->n_rows; /* offsets[low] <= e < offsets[high] */
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (csr->offsets[middle] <= e) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

/* Number r, counted from 0, of the items that are not in list[n], which rises: list[k] - k of them are
 * below list[k]. */
static int64_t item_outside(const int32_t *list, int64_t n, int64_t r) {
  int64_t low = 0, high = n; /* the first k with list[k] - k > r */
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (list[middle] - middle > r) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return r + low;
}

/* Triplets as places in the partition's order, which are marked. */
static void draw(pair_maker *m, int64_t step, const int64_t *ids, pair_store *s) {
  const trm_csr *train = &m->way->data->train;
  const int64_t n_users = m->way->data->n_users, n_items = m->way->data->n_items;
  const trm_random_key key =
      trm_random_key_make(m->plan->options.seed, TRM_RANDOM_NEGATIVE, (uint64_t)step, 0);
  for (int64_t t = 0; t < m->plan->options.batch; ++t) {
    const int64_t e = train->offsets[0] + ids[t] % train->n_edges;
    const int64_t user = row_of(train, e);
    const int64_t begin = train->offsets[user], n = train->offsets[user + 1] - begin;
    const int64_t r = (int64_t)trm_random_below(key, (uint64_t)ids[t], 0, (uint64_t)(n_items - n));
    s->users[t] = m->place[user];
    s->positives[t] = m->place[n_users + train->columns[e]];
    s->negatives[t] = m->place[n_users + item_outside(train->columns + begin, n, r)];
    const int32_t places[3] = {s->users[t], s->positives[t], s->negatives[t]};
    for (int k = 0; k < 3; ++k) {
      m->marks[places[k] / BITS] |= UINT64_C(1) << (places[k] % BITS);
    }
  }
}

/* Numbers the marked places in rising order, and clears the marks. */
static void collect(pair_maker *m, pair_store *s) {
  int64_t begin, end, n = 0, first = 0, n_own = 0;
  own_places(m->plan, &begin, &end);
  for (int64_t w = 0; w <= m->way->data->graph.n_nodes / BITS; ++w) {
    for (uint64_t bits = m->marks[w]; bits; bits &= bits - 1) {
      const int64_t place = w * BITS + __builtin_ctzll(bits);
      s->ids[n] = m->way->partition->order[place];
      m->numbers[place] = (int32_t)n++;
      first += place < begin;
      if (place >= begin && place < end) s->rows[n_own++] = (int32_t)(place - begin);
    }
    m->marks[w] = 0;
  }
  s->collection = (trm_collection){
      .n = n, .first = first, .n_own = n_own, .rows = s->rows, .exchange = m->way->rows};
}

/* Which triplets use a node, in rising order: a counting sort of all uses. */
static void list_uses(const pair_maker *m, pair_store *s) {
  const int64_t B = m->plan->options.batch, n = s->collection.n;
  int32_t *const lists[3] = {s->users, s->positives, s->negatives};
  memset(s->uses_offsets, 0, (size_t)(n + 1) * sizeof *s->uses_offsets);
  for (int64_t u = 0; u < 3 * B; ++u) {
    int32_t *node = &lists[u % 3][u / 3];
    *node = m->numbers[*node];
    ++s->uses_offsets[*node + 1];
  }
  for (int64_t i = 0; i < n; ++i) s->uses_offsets[i + 1] += s->uses_offsets[i];
  for (int64_t u = 0; u < 3 * B; ++u) {
    s->uses_columns[s->uses_offsets[lists[u % 3][u / 3]]++] = (int32_t)u;
  }
  memmove(s->uses_offsets + 1, s->uses_offsets, (size_t)n * sizeof *s->uses_offsets);
  s->uses_offsets[0] = 0;
  s->uses = (trm_csr){.n_rows = n,
                      .n_columns = 3 * B,
                      .n_edges = 3 * B,
                      .offsets = s->uses_offsets,
                      .columns = s->uses_columns};
}

static void make(void *maker, int64_t step, const trm_deal *deal, void *store,
                 trm_graph_batch *batch) {
  pair_maker *m = maker;
  pair_store *s = store;
  const trm_graph_loader_options *o = &m->plan->options;
  const int64_t *offsets = deal->offsets + o->first_block;
  draw(m, step, deal->ids, s);
  collect(m, s);
  list_uses(m, s);
  const trm_pair_numbers numbers = {
      .place = m->place, .of_place = m->numbers, .columns = m->columns};
  trm_pair_hop_make(m->way, o->seed, step, &s->collection, s->ids, &numbers, &s->last);
  forget_numbers(m);
  for (int64_t b = 0; b <= o->n_local; ++b) s->blocks[b] = offsets[b] - offsets[0];
  s->triplets = (trm_triplets){.n = o->batch,
                               .users = s->users,
                               .positives = s->positives,
                               .negatives = s->negatives,
                               .first = offsets[0],
                               .blocks = s->blocks,
                               .uses = &s->uses};
  *batch = (trm_graph_batch){
      .collection = &s->collection, .triplets = &s->triplets, .last = &s->last.hop};
}

const trm_batching_way trm_batching_way_pairs = {.name = "pairs",
                                                 .facts = facts_of,
                                                 .check = check,
                                                 .bounds = bounds_of,
                                                 .batch_make = make,
                                                 .batch_maker_create = maker_create,
                                                 .batch_maker_destroy = maker_destroy,
                                                 .batch_store_create = store_create,
                                                 .batch_store_destroy = store_destroy};
