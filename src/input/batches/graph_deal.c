/**
 * Which samples of a graph data set are in which block of a step: arithmetic on (seed, step), an
 * order by part for seeds, packing for sets of graphs.
 */
#include <inttypes.h>
#include <string.h>

#include "graph_loader_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/input/permute.h"

/* Users of one purpose are told apart by the salt; the input is the only one of this. */
enum { SALT = 0 };

/* ---- order ----------------------------------------------------------------------------------- */

static bool before(trm_ranked a, trm_ranked b) {
  return a.key != b.key ? a.key < b.key : a.tie < b.tie;
}

/* The heap has its last in order at 0; only items[at] may be out of place. */
static void sift_down(trm_ranked *items, int64_t n, int64_t at) {
  const trm_ranked item = items[at];
  for (int64_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && before(items[child], items[child + 1])) ++child;
    if (!before(item, items[child])) break;
    items[at] = items[child];
  }
  items[at] = item;
}

/* Heapsort (Williams 1964): without memory, and O(n log n) whatever the input. */
void trm_ranked_sort(trm_ranked *items, int64_t n) {
  for (int64_t at = n / 2; at-- > 0;) sift_down(items, n, at);
  for (int64_t end = n; end-- > 1;) {
    const trm_ranked last = items[0];
    items[0] = items[end];
    items[end] = last;
    sift_down(items, end, 0);
  }
}

/* ---- options --------------------------------------------------------------------------------- */

/* Clusters up to the last one that has a training node. */
static int64_t n_clusters(const trm_graph_loader_options *o) {
  int64_t n = 0;
  for (int64_t i = 0; o->partition && i < o->train.n; ++i) {
    const int64_t part = o->partition->part_of[o->train.ids[i]];
    if (part >= n) n = part + 1;
  }
  return n;
}

int64_t trm_graph_epoch_samples(const trm_graph *graph, const trm_graph_loader_options *options) {
  switch (options->kind) {
  case TRM_BATCH_NEIGHBOR:
  case TRM_BATCH_SET:
    return options->train.n;
  case TRM_BATCH_CLUSTER:
    return n_clusters(options);
  case TRM_BATCH_PAIRS:
    return graph->train.n_edges;
  }
  return 0;
}

static trm_status check_numbers(const trm_graph_loader_options *o) {
  int64_t samples, shares;
  if (o->batch < 1 || o->batch > INT32_MAX / 4 || o->n_blocks < 1 || o->n_blocks > INT32_MAX ||
      o->n_local < 0 || o->first_block < 0 || o->first_block > o->n_blocks - o->n_local ||
      o->first_step < 0 || o->end_step < o->first_step || o->depth < 1 || o->n_threads < 1 ||
      !trm_size_mul(o->end_step, o->batch, &samples) ||
      !trm_size_mul(o->n_blocks, o->batch, &shares)) {
    return trm_fail(TRM_ERR_ARG,
                    "graph loader: batch %" PRId64 " in %" PRId64 " blocks, of them [%" PRId64
                    ", %" PRId64 "), steps [%" PRId64 ", %" PRId64
                    "), depth %d, %d threads do not fit together",
                    o->batch, o->n_blocks, o->first_block, o->first_block + o->n_local,
                    o->first_step, o->end_step, o->depth, o->n_threads);
  }
  return TRM_OK;
}

static trm_status check_partition(const trm_graph *graph, const trm_graph_loader_options *o) {
  const trm_partition *p = o->partition;
  const bool needed = o->kind == TRM_BATCH_CLUSTER || o->kind == TRM_BATCH_PAIRS;
  if (needed && !p) return trm_fail(TRM_ERR_ARG, "graph loader: a partition is needed");
  if (p && p->n_nodes != graph->n_nodes) {
    return trm_fail(TRM_ERR_ARG,
                    "graph loader: the partition has %" PRId64 " nodes, the graph %" PRId64,
                    p->n_nodes, graph->n_nodes);
  }
  if (o->kind == TRM_BATCH_PAIRS && p->n_parts != o->n_blocks) {
    return trm_fail(TRM_ERR_ARG,
                    "graph loader: the partition has %d parts, expected one for each of %" PRId64
                    " blocks",
                    p->n_parts, o->n_blocks);
  }
  return TRM_OK;
}

static trm_status check_kind(const trm_graph *graph, trm_graph_batching kind) {
  const bool set = kind == TRM_BATCH_SET, pairs = kind == TRM_BATCH_PAIRS;
  if (set == (graph->kind == TRM_GRAPH_SET) && pairs == (graph->kind == TRM_GRAPH_INTERACTIONS)) {
    return TRM_OK;
  }
  return trm_fail(TRM_ERR_ARG, "graph loader: this way of batching is not for data of kind '%s'",
                  trm_graph_kind_name(graph->kind));
}

static trm_status check_features(const trm_graph *graph, const trm_graph_loader_options *o) {
  if (graph->n_features == 0 || o->kind == TRM_BATCH_PAIRS) return TRM_OK;
  if (o->fetched && graph->sparse) {
    return trm_fail(TRM_ERR_ARG, "graph loader: sparse features cannot be fetched");
  }
  if (o->fetched || graph->sparse || graph->dense) return TRM_OK;
  return trm_fail(TRM_ERR_ARG, "graph loader: the features are not in memory, so must be fetched");
}

/** @return TRM_ERR_ARG, or TRM_ERR_DATA when there are no samples */
trm_status trm_graph_loader_check(const trm_graph *graph, const trm_graph_loader_options *options) {
  TRM_TRY(check_numbers(options));
  TRM_TRY(check_kind(graph, options->kind));
  TRM_TRY(check_partition(graph, options));
  TRM_TRY(check_features(graph, options));
  if (trm_graph_epoch_samples(graph, options) >= 1) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: there are no samples to train on",
                  graph->path ? graph->path : "graph");
}

/* ---- dealing --------------------------------------------------------------------------------- */

static trm_status allocate(trm_deal *d) {
  const trm_graph_loader_options *o = &d->options;
  const char *what = "samples of a batch";
  TRM_TRY(TRM_ALLOC(&d->ids, o->batch, what));
  TRM_TRY(TRM_ALLOC(&d->offsets, o->n_blocks + 1, what));
  if (o->kind == TRM_BATCH_NEIGHBOR && o->partition) {
    TRM_TRY(TRM_ALLOC(&d->stream, o->batch, what));
    TRM_TRY(TRM_ALLOC(&d->heads, (int64_t)o->partition->n_parts + 1, what));
  }
  if (o->kind != TRM_BATCH_SET) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&d->stream, o->batch, what));
  TRM_TRY(TRM_ALLOC(&d->heads, o->n_blocks + 1, what));
  TRM_TRY(TRM_ALLOC(&d->graphs, o->batch, what));
  TRM_TRY(TRM_ALLOC(&d->loads, o->n_blocks, what));
  return TRM_ALLOC(&d->block_of, o->batch, what);
}

trm_status trm_deal_create(const trm_graph *graph, const trm_graph_loader_options *options,
                           trm_deal **out) {
  *out = NULL;
  trm_deal *d = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&d, 1, "samples of a batch"));
  d->graph = graph;
  d->options = *options;
  d->n_epoch = trm_graph_epoch_samples(graph, options);
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
  TRM_FREE(d->ids);
  TRM_FREE(d->offsets);
  TRM_FREE(d->stream);
  TRM_FREE(d->heads);
  TRM_FREE(d->graphs);
  TRM_FREE(d->loads);
  TRM_FREE(d->block_of);
  TRM_FREE(d);
}

/* Ids of samples [first, first + n) of the stream. */
static void read_stream(const trm_deal *d, int64_t first, int64_t n, int64_t *ids) {
  int64_t epoch = -1;
  uint64_t order = 0;
  for (int64_t i = 0; i < n; ++i) {
    if ((first + i) / d->n_epoch != epoch) {
      uint32_t words[4];
      epoch = (first + i) / d->n_epoch;
      trm_random_words(
          trm_random_key_make(d->options.seed, TRM_RANDOM_SHUFFLE, (uint64_t)epoch, SALT), 0, 0,
          words);
      order = (uint64_t)words[1] << 32 | words[0];
    }
    ids[i] = epoch * d->n_epoch + trm_permute(order, d->n_epoch, (first + i) % d->n_epoch);
  }
}

/* Stable counting sort by the part of the seed. */
static void order_by_part(trm_deal *d) {
  const trm_graph_loader_options *o = &d->options;
  const trm_partition *p = o->partition;
  memset(d->heads, 0, ((size_t)p->n_parts + 1) * sizeof *d->heads);
  for (int64_t i = 0; i < o->batch; ++i) {
    ++d->heads[p->part_of[o->train.ids[d->stream[i] % d->n_epoch]] + 1];
  }
  for (int k = 0; k < p->n_parts; ++k) d->heads[k + 1] += d->heads[k];
  for (int64_t i = 0; i < o->batch; ++i) {
    d->ids[d->heads[p->part_of[o->train.ids[d->stream[i] % d->n_epoch]]]++] = d->stream[i];
  }
}

int64_t trm_set_cost(const trm_graph *graph, int64_t g) {
  const int64_t begin = graph->graphs[g], end = graph->graphs[g + 1];
  return 1 + (end - begin) + (graph->in.offsets[end] - graph->in.offsets[begin]);
}

/**
 * Blocks of about equal cost: the graphs, dearest first, each go to the block that has the least.
 * Source: Graham 1969, "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17(2).
 */
static void pack(trm_deal *d) {
  const int64_t B = d->options.batch, V = d->options.n_blocks;
  for (int64_t i = 0; i < B; ++i) {
    const int32_t graph = d->options.train.ids[d->stream[i] % d->n_epoch];
    d->graphs[i] = (trm_ranked){.key = -trm_set_cost(d->graph, graph), .tie = i};
  }
  trm_ranked_sort(d->graphs, B);
  /* A heap with the least loaded block in front, of equal ones the first. */
  for (int64_t b = 0; b < V; ++b) d->loads[b] = (trm_ranked){.key = 0, .tie = -b};
  for (int64_t i = 0; i < B; ++i) {
    d->block_of[d->graphs[i].tie] = -d->loads[0].tie;
    d->loads[0].key += d->graphs[i].key;
    sift_down(d->loads, V, 0);
  }
}

/* Blocks one after another, in each the samples in rising order. */
static void deal_packed(trm_deal *d) {
  const int64_t B = d->options.batch, V = d->options.n_blocks;
  memset(d->offsets, 0, (size_t)(V + 1) * sizeof *d->offsets);
  for (int64_t i = 0; i < B; ++i) ++d->offsets[d->block_of[i] + 1];
  for (int64_t b = 0; b < V; ++b) d->offsets[b + 1] += d->offsets[b];
  memcpy(d->heads, d->offsets, (size_t)(V + 1) * sizeof *d->heads);
  for (int64_t i = 0; i < B; ++i) d->graphs[i] = (trm_ranked){.key = d->stream[i], .tie = i};
  trm_ranked_sort(d->graphs, B);
  for (int64_t i = 0; i < B; ++i) {
    d->ids[d->heads[d->block_of[d->graphs[i].tie]]++] = d->graphs[i].key;
  }
}

void trm_deal_step(trm_deal *deal, int64_t step, int64_t first, int64_t n) {
  const trm_graph_loader_options *o = &deal->options;
  const int64_t B = o->batch, V = o->n_blocks;
  for (int64_t b = 0; b <= V; ++b) deal->offsets[b] = b * B / V;
  if (o->kind == TRM_BATCH_SET) {
    read_stream(deal, step * B, B, deal->stream);
    pack(deal);
    deal_packed(deal);
  } else if (o->kind == TRM_BATCH_NEIGHBOR && o->partition) {
    read_stream(deal, step * B, B, deal->stream);
    order_by_part(deal);
  } else {
    const int64_t begin = deal->offsets[first], end = deal->offsets[first + n];
    read_stream(deal, step * B + begin, end - begin, deal->ids + begin);
  }
}

trm_status trm_graph_samples(const trm_graph *graph, const trm_graph_loader_options *options,
                             int64_t step, int64_t *ids, int64_t *offsets) {
  trm_graph_loader_options o = *options;
  trm_deal *deal = NULL;
  o.first_block = 0;
  o.n_local = o.n_blocks;
  o.first_step = step;
  o.end_step = step + 1;
  o.depth = 1;
  TRM_TRY(trm_graph_loader_check(graph, &o));
  TRM_TRY(trm_deal_create(graph, &o, &deal));
  trm_deal_step(deal, step, 0, o.n_blocks);
  memcpy(ids, deal->ids, (size_t)o.batch * sizeof *ids);
  memcpy(offsets, deal->offsets, (size_t)(o.n_blocks + 1) * sizeof *offsets);
  trm_deal_destroy(&deal);
  return TRM_OK;
}
