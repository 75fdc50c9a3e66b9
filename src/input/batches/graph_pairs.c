/**
 * Training pairs of users and items, each with a negative: an item drawn uniformly from those the user
 * has not in training.
 * Source of learning from such triplets: Rendle et al. 2009, "BPR", UAI, arXiv:1205.2618, section 4.
 */
#include <inttypes.h>
#include <string.h>

#include "graph_loader_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"

enum { BITS = 64 };

static trm_status check_users(const trm_graph *g) {
  for (int64_t u = 0; u < g->n_users; ++u) {
    if (g->train.offsets[u + 1] - g->train.offsets[u] < g->n_items) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: user %" PRId64 " has all %" PRId64 " items in training, so none is left "
                    "to compare with; leave that user out",
                    g->path ? g->path : "interactions", u, g->n_items);
  }
  return TRM_OK;
}

static void forget_numbers(trm_pair_maker *maker) {
  for (int64_t i = 0; i < maker->graph->n_nodes; ++i) maker->numbers[i] = -1;
}

trm_status trm_pair_maker_init(trm_pair_maker *maker, const trm_graph *graph,
                               const trm_graph_loader_options *options) {
  *maker = (trm_pair_maker){.graph = graph, .options = options};
  TRM_TRY(check_users(graph));
  const int64_t n = graph->n_nodes;
  TRM_ASSERT(options->field && options->field->n_hops >= 1 && !graph->in.values);
  TRM_TRY(TRM_ALLOC(&maker->place, n, "order of users and items"));
  TRM_TRY(TRM_ALLOC(&maker->numbers, n, "numbers of users and items"));
  TRM_TRY(TRM_ALLOC(&maker->marks, n / BITS + 1, "marks of users and items"));
  TRM_TRY(TRM_ALLOC(&maker->columns, options->field->hops[0].out.n_columns,
                    "numbers of users and items"));
  for (int64_t i = 0; i < n; ++i) maker->place[options->partition->order[i]] = (int32_t)i;
  forget_numbers(maker);
  return TRM_OK;
}

void trm_pair_maker_release(trm_pair_maker *maker) {
  TRM_FREE(maker->place);
  TRM_FREE(maker->numbers);
  TRM_FREE(maker->marks);
  TRM_FREE(maker->columns);
}

/* Own nodes: places [*begin, *end) of the partition's order. */
static void own_places(const trm_graph_loader_options *o, int64_t *begin, int64_t *end) {
  *begin = o->partition->offsets[o->first_block];
  *end = o->partition->offsets[o->first_block + o->n_local];
}

trm_status trm_pair_store_init(const trm_pair_maker *maker, const trm_graph_bounds *bounds,
                               trm_pair_store *store) {
  const trm_graph_loader_options *o = maker->options;
  const char *what = "pairs of a batch";
  const int64_t n = trm_min_i64(3 * o->batch, maker->graph->n_nodes);
  int64_t begin, end;
  own_places(o, &begin, &end);
  TRM_TRY(TRM_ALLOC(&store->users, o->batch, what));
  TRM_TRY(TRM_ALLOC(&store->positives, o->batch, what));
  TRM_TRY(TRM_ALLOC(&store->negatives, o->batch, what));
  TRM_TRY(TRM_ALLOC(&store->rows, trm_min_i64(3 * o->batch, end - begin), what));
  TRM_TRY(TRM_ALLOC(&store->ids, n, what));
  TRM_TRY(TRM_ALLOC(&store->uses_offsets, n + 1, what));
  TRM_TRY(TRM_ALLOC(&store->uses_columns, 3 * o->batch, what));
  TRM_TRY(TRM_ALLOC(&store->blocks, o->n_local + 1, what));
  return trm_pair_hop_init(o, &bounds->last, &store->last);
}

void trm_pair_store_release(trm_pair_store *store) {
  TRM_FREE(store->users);
  TRM_FREE(store->positives);
  TRM_FREE(store->negatives);
  TRM_FREE(store->rows);
  TRM_FREE(store->ids);
  TRM_FREE(store->uses_offsets);
  TRM_FREE(store->uses_columns);
  TRM_FREE(store->blocks);
  trm_pair_hop_release(&store->last);
}

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
static void draw(trm_pair_maker *m, int64_t step, const int64_t *ids, trm_pair_store *s) {
  const trm_csr *train = &m->graph->train;
  const int64_t n_users = m->graph->n_users, n_items = m->graph->n_items;
  const trm_random_key key =
      trm_random_key_make(m->options->seed, TRM_RANDOM_NEGATIVE, (uint64_t)step, 0);
  for (int64_t t = 0; t < m->options->batch; ++t) {
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
static void collect(trm_pair_maker *m, trm_pair_store *s) {
  int64_t begin, end, n = 0, first = 0, n_own = 0;
  own_places(m->options, &begin, &end);
  for (int64_t w = 0; w <= m->graph->n_nodes / BITS; ++w) {
    for (uint64_t bits = m->marks[w]; bits; bits &= bits - 1) {
      const int64_t place = w * BITS + __builtin_ctzll(bits);
      s->ids[n] = m->options->partition->order[place];
      m->numbers[place] = (int32_t)n++;
      first += place < begin;
      if (place >= begin && place < end) s->rows[n_own++] = (int32_t)(place - begin);
    }
    m->marks[w] = 0;
  }
  s->collection = (trm_collection){.n = n, .first = first, .n_own = n_own, .rows = s->rows};
}

/* Which triplets use a node, in rising order: a counting sort of all uses. */
static void list_uses(const trm_pair_maker *m, trm_pair_store *s) {
  const int64_t B = m->options->batch, n = s->collection.n;
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

void trm_pairs_make(trm_pair_maker *maker, int64_t step, const int64_t *ids, const int64_t *offsets,
                    trm_pair_store *store) {
  const trm_graph_loader_options *o = maker->options;
  draw(maker, step, ids, store);
  collect(maker, store);
  list_uses(maker, store);
  trm_pair_hop_make(maker, step, &store->collection, store->ids, &store->last);
  forget_numbers(maker);
  const int64_t first = offsets[o->first_block];
  for (int64_t b = 0; b <= o->n_local; ++b) store->blocks[b] = offsets[o->first_block + b] - first;
  store->triplets = (trm_triplets){.n = o->batch,
                                   .users = store->users,
                                   .positives = store->positives,
                                   .negatives = store->negatives,
                                   .first = first,
                                   .blocks = store->blocks,
                                   .uses = &store->uses};
}
