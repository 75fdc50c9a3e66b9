/**
 * Neighbour sampling, a hop at a time from the seeds back.
 *
 * A hop is made in passes over its targets or edges, each with one kind of access to memory that does
 * not depend on the one before, so that the misses of a large graph overlap:
 *
 *     rows      where each target's edges are, how many will be drawn -> offsets
 *     draw      positions in the row, rising                          -> places of edges
 *     gather    the sources (and weights), without edges that DropEdge leaves out
 *     number    sources met for the first time get the next row
 *
 * Rows of the graph are sorted, so rising positions are rising sources.
 *
 * Random numbers: one Philox call for (seed, step, hop; target) seeds a splitmix64 stream whose words
 * give two draws each, by multiply-shift on 32 bits: a position of a row of D edges is off its odds by
 * at most D / 2^32 of them.
 * Sources: Floyd in Bentley, Floyd 1987, "A sample of brilliance", CACM 30(9) (without replacement);
 * Steele, Lea, Flood 2014, OOPSLA'14 (splitmix64).
 */
#include <inttypes.h>
#include <string.h>

#include "edge_drop_internal.h"
#include "sampler_internal.h"

/* Past so many draws a bit set is cheaper than keeping them sorted. The choice does not show. */
enum { MANY = 32, BITS = 64, AHEAD = 16 };

typedef struct stream {
  uint64_t state, word;
  bool half; /* the upper half of `word` is still to be used */
} stream;

static inline uint32_t next_bits(stream *s) {
  s->half = !s->half;
  if (!s->half) return (uint32_t)(s->word >> 32);
  s->state += UINT64_C(0x9E3779B97F4A7C15);
  uint64_t x = s->state;
  x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
  s->word = x ^ (x >> 31);
  return (uint32_t)s->word;
}

/* Uniform in [0, n), n < 2^32. */
static inline int64_t next_below(stream *s, int64_t n) {
  return (int64_t)(((uint64_t)next_bits(s) * (uint64_t)n) >> 32);
}

/* k of D positions: for j = D - k .. D - 1, a number up to j, or j itself if that is taken. Here `j` is
 * above all that are taken, so the list stays sorted by appending it. */
static void draw_few(stream *s, int64_t D, int64_t k, int64_t *out) {
  for (int64_t n = 0; n < k; ++n) {
    const int64_t j = D - k + n;
    const int64_t t = next_below(s, j + 1);
    int64_t at = n;
    while (at > 0 && out[at - 1] > t) --at;
    if (at > 0 && out[at - 1] == t) {
      out[n] = j;
      continue;
    }
    for (int64_t i = n; i > at; --i) out[i] = out[i - 1];
    out[at] = t;
  }
}

/* The same positions from the same numbers. */
static void draw_many(stream *s, int64_t D, int64_t k, uint64_t *chosen, int64_t *out) {
  for (int64_t j = D - k; j < D; ++j) {
    const int64_t t = next_below(s, j + 1);
    const bool taken = chosen[t / BITS] >> (t % BITS) & 1;
    const int64_t add = taken ? j : t;
    chosen[add / BITS] |= UINT64_C(1) << (add % BITS);
  }
  for (int64_t w = 0; w <= (D - 1) / BITS; ++w) {
    for (uint64_t bits = chosen[w]; bits; bits &= bits - 1) {
      *out++ = w * BITS + __builtin_ctzll(bits);
    }
    chosen[w] = 0;
  }
}

/* Shell 1959, with gaps of Ciura 2001 (FCT, LNCS 2138). */
static void sort(int64_t *x, int64_t n) {
  static const int64_t gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};
  for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; ++g) {
    const int64_t gap = gaps[g];
    for (int64_t i = gap; i < n; ++i) {
      const int64_t value = x[i];
      int64_t at = i;
      for (; at >= gap && x[at - gap] > value; at -= gap) x[at] = x[at - gap];
      x[at] = value;
    }
  }
}

static void draw_repeated(stream *s, int64_t D, int64_t k, int64_t *out) {
  for (int64_t j = 0; j < k; ++j) out[j] = next_below(s, D);
  sort(out, k);
}

/* Edges a target has in the hop before DropEdge. */
static inline int64_t drawn(const trm_neighbor_options *o, int64_t fanout, int64_t degree) {
  if (fanout < 0) return degree;
  if (o->replace) return degree > 0 ? fanout : 0;
  return degree < fanout ? degree : fanout;
}

/* Offsets of the hop; the largest row that is drawn from. */
static int64_t find_rows(const trm_neighbor_sampler *s, int64_t fanout, const int32_t *ids,
                         int64_t n, int64_t *offsets) {
  const int64_t *in = s->graph->in.offsets;
  int64_t total = 0, largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (i + AHEAD < n) __builtin_prefetch(&in[ids[i + AHEAD]]);
    const int64_t degree = in[ids[i] + 1] - in[ids[i]];
    offsets[i] = total;
    total += drawn(&s->options, fanout, degree);
    if (degree > largest) largest = degree;
  }
  offsets[n] = total;
  return largest;
}

static void draw_edges(trm_neighbor_sampler *s, trm_random_key key, int64_t fanout,
                       const int32_t *ids, int64_t n, const int64_t *offsets) {
  const int64_t *in = s->graph->in.offsets;
  const bool replace = s->options.replace && fanout >= 0;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t begin = in[ids[i]], D = in[ids[i] + 1] - begin;
    const int64_t k = offsets[i + 1] - offsets[i];
    int64_t *out = s->edges + offsets[i];
    if (k == D && !replace) {
      for (int64_t j = 0; j < k; ++j) out[j] = begin + j;
      continue;
    }
    if (k == 0) continue;
    uint32_t words[4];
    trm_random_words(key, (uint64_t)ids[i], 0, words);
    stream r = {.state = (uint64_t)words[1] << 32 | words[0]};
    if (replace) {
      draw_repeated(&r, D, k, out);
    } else if (k <= MANY) {
      draw_few(&r, D, k, out);
    } else {
      draw_many(&r, D, k, s->chosen, out);
    }
    for (int64_t j = 0; j < k; ++j) out[j] += begin;
  }
}

/* Node ids of the sources, for now in the place of their rows. */
static void gather_all(const trm_neighbor_sampler *s, int64_t n, trm_hop_store *store) {
  const trm_csr *in = &s->graph->in;
  for (int64_t e = 0; e < n; ++e) store->in_columns[e] = in->columns[s->edges[e]];
  for (int64_t e = 0; in->values && e < n; ++e) {
    store->values[e] = in->values[in->map ? in->map[s->edges[e]] : s->edges[e]];
  }
}

static void leave_out(const trm_neighbor_sampler *s, int64_t step, const int32_t *ids, int64_t n,
                      trm_hop_store *store) {
  const trm_edge_drop drop = trm_edge_drop_at(s->options.seed, step, s->options.drop_edge);
  int64_t to = 0;
  for (int64_t i = 0, e = 0; i < n; ++i) {
    const int64_t end = store->in_offsets[i + 1];
    store->in_offsets[i] = to;
    for (; e < end; ++e) {
      const int32_t source = store->in_columns[e];
      if (trm_edge_dropped(&drop, ids[i], source)) continue;
      if (s->graph->in.values) store->values[to] = store->values[e];
      store->in_columns[to++] = source;
    }
  }
  store->in_offsets[n] = to;
}

/* Rows of the sources, after the targets' in order of their first edge. */
static int64_t number_sources(trm_neighbor_sampler *s, int64_t n_edges, int64_t n_rows,
                              int32_t *columns, int32_t *ids) {
  const uint32_t base = s->base;
  for (int64_t e = 0; e < n_edges; ++e) {
    if (e + AHEAD < n_edges) __builtin_prefetch(&s->place[columns[e + AHEAD]], 1);
    const int32_t source = columns[e];
    uint32_t row = s->place[source] - base;
    if (row >= (uint32_t)n_rows) {
      row = (uint32_t)n_rows;
      s->place[source] = base + row;
      ids[n_rows++] = source;
    }
    columns[e] = (int32_t)row;
  }
  return n_rows;
}

static int64_t largest_row(const trm_graph *graph) {
  const int64_t *in = graph->in.offsets;
  int64_t largest = 0;
  for (int64_t i = 0; i < graph->n_nodes; ++i) {
    if (in[i + 1] - in[i] > largest) largest = in[i + 1] - in[i];
  }
  return largest;
}

static trm_status make_scratch(trm_neighbor_sampler *s, int64_t n_edges, int64_t largest) {
  TRM_TRY(TRM_BUFFER_GROW(&s->edges, &s->edges_room, n_edges, 0, "edges of a subgraph"));
  return TRM_BUFFER_GROW(&s->chosen, &s->chosen_room, largest / BITS + 1, 0, "edges of a node");
}

trm_status trm_neighbor_sampler_reserve(trm_neighbor_sampler *sampler, int64_t n_edges) {
  return make_scratch(sampler, n_edges, largest_row(sampler->graph));
}

/* Hop number `h` from the seeds back: from *n targets to *n sources. */
static trm_status sample_hop(trm_neighbor_sampler *s, trm_subgraph_store *store, int64_t step,
                             int h, int64_t *n) {
  trm_hop_store *to = &store->hops[h];
  const int64_t fanout = s->options.fanout[h], n_targets = *n;
  const trm_random_key key =
      trm_random_key_make(s->options.seed, TRM_RANDOM_NEIGHBOR, (uint64_t)step, (uint64_t)h);
  TRM_TRY(trm_hop_store_rows(to, n_targets));
  const int64_t largest = find_rows(s, fanout, store->ids, n_targets, to->in_offsets);
  const int64_t n_drawn = to->in_offsets[n_targets];
  TRM_TRY(trm_hop_store_edges(to, n_drawn, s->graph->in.values != NULL));
  TRM_TRY(make_scratch(s, n_drawn, largest));
  draw_edges(s, key, fanout, store->ids, n_targets, to->in_offsets);
  gather_all(s, n_drawn, to);
  if (s->options.drop_edge > 0) leave_out(s, step, store->ids, n_targets, to);
  const int64_t n_edges = to->in_offsets[n_targets];
  const int64_t others = n_edges < s->graph->n_nodes ? n_edges : s->graph->n_nodes;
  TRM_TRY(TRM_BUFFER_GROW(&store->ids, &store->ids_room, n_targets + others, n_targets,
                          "nodes of a subgraph"));
  *n = number_sources(s, n_edges, n_targets, to->in_columns, store->ids);
  return TRM_OK;
}

static trm_status place_seeds(trm_neighbor_sampler *s, trm_subgraph_store *store,
                              const int32_t *seeds, int64_t n) {
  const int64_t rows = s->graph->n_nodes + n; /* at most */
  if (rows > INT32_MAX) {
    return trm_fail(TRM_ERR_ARG,
                    "sampler: %" PRId64 " seeds in a graph of %" PRId64 " nodes are more rows than "
                    "32 bits count; use smaller batches",
                    n, s->graph->n_nodes);
  }
  TRM_TRY(TRM_BUFFER_GROW(&store->ids, &store->ids_room, n, 0, "nodes of a subgraph"));
  trm_neighbor_sampler_begin(s, rows);
  for (int64_t i = 0; i < n; ++i) {
    store->ids[i] = seeds[i];
    /* A node that comes twice has two rows; its edges are to the first. */
    if (s->place[seeds[i]] - s->base >= (uint32_t)i) s->place[seeds[i]] = s->base + (uint32_t)i;
  }
  return TRM_OK;
}

static trm_status sample_hops(trm_neighbor_sampler *s, trm_subgraph_store *store, int64_t step,
                              int64_t n[TRM_MAX_HOPS + 1]) {
  for (int h = 0; h < s->options.n_hops; ++h) {
    n[h + 1] = n[h];
    if (s->stopped && s->stopped(s->context)) continue;
    TRM_TRY(sample_hop(s, store, step, h, &n[h + 1]));
  }
  return TRM_OK;
}

trm_status trm_neighbor_sample_into(trm_neighbor_sampler *sampler, trm_subgraph_store *store,
                                    int64_t step, const int32_t *seeds, int64_t n_seeds,
                                    trm_subgraph *subgraph) {
  const int n_hops = sampler->options.n_hops;
  int64_t n[TRM_MAX_HOPS + 1] = {n_seeds};
  TRM_TRY(place_seeds(sampler, store, seeds, n_seeds));
  const trm_status status = sample_hops(sampler, store, step, n);
  trm_neighbor_sampler_end(sampler,
                           status == TRM_OK ? n[n_hops] : sampler->graph->n_nodes + n_seeds);
  *subgraph = (trm_subgraph){.n_hops = n_hops};
  if (status != TRM_OK || (sampler->stopped && sampler->stopped(sampler->context))) return status;
  const int64_t n_inputs = n[n_hops];
  TRM_TRY(
      TRM_BUFFER_GROW(&store->degrees, &store->degrees_room, n_inputs, 0, "degrees of a subgraph"));
  for (int64_t i = 0; i < n_inputs; ++i) {
    if (i + AHEAD < n_inputs) __builtin_prefetch(&sampler->graph->degrees[store->ids[i + AHEAD]]);
    store->degrees[i] = sampler->graph->degrees[store->ids[i]];
  }
  for (int h = 0; h < n_hops; ++h) {
    TRM_TRY(trm_hop_finish(sampler->graph, store, &store->hops[h], n[h], n[h + 1], false,
                           &subgraph->hops[n_hops - 1 - h]));
  }
  subgraph->n_inputs = n_inputs;
  subgraph->inputs = store->ids;
  return TRM_OK;
}

trm_status trm_neighbor_sample(trm_neighbor_sampler *sampler, int64_t step, const int32_t *seeds,
                               int64_t n, trm_subgraph *subgraph) {
  return trm_neighbor_sample_into(sampler, &sampler->store, step, seeds, n, subgraph);
}

/* a * b, or `most` where that is less. */
static int64_t product_up_to(int64_t a, int64_t b, int64_t most) {
  return a > 0 && b > most / a ? most : a * b;
}

static trm_csr sizes(int64_t n_rows, int64_t n_columns, int64_t n_edges) {
  return (trm_csr){.n_rows = n_rows, .n_columns = n_columns, .n_edges = n_edges};
}

void trm_neighbor_bounds_of(const trm_graph *graph, const trm_neighbor_options *options, int64_t n,
                            int64_t repeated, trm_subgraph *bounds) {
  const int64_t largest = largest_row(graph);
  *bounds = (trm_subgraph){.n_hops = options->n_hops};
  const int64_t most_nodes = graph->n_nodes + repeated;
  int64_t targets = n < most_nodes ? n : most_nodes;
  for (int h = 0; h < options->n_hops; ++h) {
    const int64_t fanout = options->fanout[h];
    const bool replace = options->replace && fanout >= 0;
    const int64_t row = fanout < 0 || (!replace && largest < fanout) ? largest : fanout;
    /* Rows of different nodes are different edges, unless edges are repeated. */
    const int64_t of_others = product_up_to(repeated, row, INT64_MAX / 4);
    const int64_t most_edges = replace ? INT64_MAX / 4 : graph->in.n_edges + of_others;
    const int64_t edges = largest > 0 ? product_up_to(targets, row, most_edges) : 0;
    const int64_t sources = edges < most_nodes - targets ? targets + edges : most_nodes;
    bounds->hops[options->n_hops - 1 - h] =
        (trm_hop){.in = sizes(targets, sources, edges), .out = sizes(sources, targets, edges)};
    targets = sources;
  }
  bounds->n_inputs = targets;
}

void trm_neighbor_bounds(const trm_graph *graph, const trm_neighbor_options *options, int64_t n,
                         trm_subgraph *bounds) {
  trm_neighbor_bounds_of(graph, options, n, 0, bounds);
}
