/*
 * Subgraphs: every hop against the whole graph, draws against a plain version of the algorithm and
 * against their odds, what a draw may depend on, induced graphs and feature rows against plain loops.
 */
#include "../../src/input/batches/edge_drop_internal.h"
#include "../../src/input/batches/sampler_internal.h"
#include "sampling_graph.h"

enum { SEED = 5 };

static trm_neighbor_sampler *sampler_of(const trm_graph *g, trm_neighbor_options o) {
  trm_neighbor_sampler *s = NULL;
  o.seed = SEED;
  if (!CHECK_OK(trm_neighbor_sampler_create(g, &o, &s))) exit(1);
  return s;
}

static float value_of(const trm_csr *csr, int64_t e) {
  return csr->values ? csr->values[csr->map ? csr->map[e] : e] : 1;
}

/* Place of the edge source -> target in the graph, -1: none. */
static int64_t find_edge(const trm_graph *g, int64_t target, int64_t source) {
  for (int64_t e = g->in.offsets[target]; e < g->in.offsets[target + 1]; ++e) {
    if (g->in.columns[e] == source) return e;
  }
  return -1;
}

/* `out` is `in` read by columns: every entry has its counterpart, in rising order of the targets'
 * place among `in` rows (by_row) or of their ids. */
static void check_transpose(const trm_csr *in, const trm_csr *out) {
  CHECK_EQ(out->n_rows, in->n_columns);
  CHECK_EQ(out->n_columns, in->n_rows);
  CHECK_EQ(out->n_edges, in->n_edges);
  CHECK_EQ(out->offsets[out->n_rows] - out->offsets[0], in->n_edges);
  for (int64_t s = 0; s < in->n_columns; ++s) {
    int64_t at = out->offsets[s];
    for (int64_t t = 0; t < in->n_rows; ++t) {
      for (int64_t e = in->offsets[t]; e < in->offsets[t + 1]; ++e) {
        if (in->columns[e] != s) continue;
        if (!CHECK(at < out->offsets[s + 1])) return;
        CHECK_EQ(out->columns[at], t);
        CHECK_EQ((int64_t)value_of(out, at), (int64_t)value_of(in, e));
        ++at;
      }
    }
    CHECK_EQ(at, out->offsets[s + 1]);
  }
}

/* Edges are the graph's with their values, sources rise in a row, degrees and counts are right. */
static void check_hop(const trm_graph *g, const trm_hop *hop, bool repeats) {
  CHECK(hop->self == NULL && hop->self_of == NULL && hop->blocks == NULL);
  CHECK(hop->in_exchange == NULL && hop->out_exchange == NULL);
  CHECK(hop->in.n_rows <= hop->in.n_columns);
  for (int64_t i = 0; i < hop->in.n_columns; ++i) {
    CHECK_EQ((int64_t)hop->source_degrees[i], (int64_t)g->degrees[hop->source_ids[i]]);
  }
  for (int64_t t = 0; t < hop->in.n_rows; ++t) {
    const int32_t target = hop->target_ids[t];
    double sum = 0;
    CHECK_EQ(target, hop->source_ids[t]);
    CHECK_EQ((int64_t)hop->target_degrees[t], (int64_t)g->degrees[target]);
    for (int64_t e = hop->in.offsets[t]; e < hop->in.offsets[t + 1]; ++e) {
      const int32_t source = hop->source_ids[hop->in.columns[e]];
      const int64_t whole = find_edge(g, target, source);
      if (!CHECK(whole >= 0)) return;
      CHECK_EQ((int64_t)value_of(&hop->in, e), (int64_t)value_of(&g->in, whole));
      sum += (double)value_of(&hop->in, e);
      if (e == hop->in.offsets[t]) continue;
      const int32_t before = hop->source_ids[hop->in.columns[e - 1]];
      CHECK(repeats ? before <= source : before < source);
    }
    CHECK_NEAR(hop->target_counts[t], sum, 1e-3);
  }
  CHECK_EQ(hop->in.n_edges, hop->in.offsets[hop->in.n_rows]);
  check_transpose(&hop->in, &hop->out);
}

static int64_t degree_of(const trm_graph *g, int64_t node) {
  return g->in.offsets[node + 1] - g->in.offsets[node];
}

static int64_t wanted(int64_t degree, int64_t fanout, bool replace) {
  if (fanout < 0) return degree;
  if (replace) return degree > 0 ? fanout : 0;
  return degree < fanout ? degree : fanout;
}

/* Sources past the seeds come once and are needed; hops chain up. */
static void check_subgraph(const trm_graph *g, const trm_neighbor_options *o, const int32_t *seeds,
                           int64_t n, const trm_subgraph *sub) {
  int64_t rows = n;
  CHECK_EQ(sub->n_hops, o->n_hops);
  for (int64_t i = 0; i < n; ++i) CHECK_EQ(sub->inputs[i], seeds[i]);
  for (int h = o->n_hops - 1; h >= 0; --h) {
    const trm_hop *hop = &sub->hops[h];
    const int64_t fanout = o->fanout[o->n_hops - 1 - h];
    CHECK_EQ(hop->in.n_rows, rows);
    rows = hop->in.n_columns;
    for (int64_t t = 0; t < hop->in.n_rows; ++t) {
      const int64_t k = wanted(degree_of(g, hop->target_ids[t]), fanout, o->replace);
      const int64_t got = hop->in.offsets[t + 1] - hop->in.offsets[t];
      CHECK(o->drop_edge > 0 ? got <= k : got == k);
    }
    check_hop(g, hop, o->replace && fanout >= 0);
    for (int64_t e = 0; e < hop->in.n_edges; ++e) { /* of a seed that comes twice, the first row */
      for (int64_t i = 0; i < hop->in.columns[e]; ++i) {
        CHECK(sub->inputs[i] != sub->inputs[hop->in.columns[e]]);
      }
    }
    for (int64_t i = hop->in.n_rows; i < rows; ++i) {
      CHECK(hop->out.offsets[i + 1] > hop->out.offsets[i]);
    }
  }
  CHECK_EQ(sub->n_inputs, rows);
  for (int64_t i = n; i < rows; ++i) {
    for (int64_t j = 0; j < i; ++j) CHECK(sub->inputs[j] != sub->inputs[i]);
  }
}

static const trm_neighbor_options cases[] = {
    {.n_hops = 0},
    {.n_hops = 1, .fanout = {3}},
    {.n_hops = 1, .fanout = {0}},
    {.n_hops = 1, .fanout = {-1}},
    {.n_hops = 2, .fanout = {4, 2}},
    {.n_hops = 2, .fanout = {40, 3}},
    {.n_hops = 2, .fanout = {3, 5}, .replace = true},
    {.n_hops = 2, .fanout = {-1, 2}, .replace = true},
    {.n_hops = 3, .fanout = {2, -1, 5}, .drop_edge = 0.3},
    {.n_hops = 1, .fanout = {9}, .replace = true, .drop_edge = 0.5},
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

static void check_cases(const trm_graph *g) {
  static const int32_t seeds[8] = {5, 0, 1, 7, 58, 20, 5, 20}; /* the last two once more */
  static const int64_t sizes[] = {0, 1, 3, 6, 8};
  for (int c = 0; c < N_CASES; ++c) {
    trm_neighbor_sampler *s = sampler_of(g, cases[c]);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; ++k) {
      trm_subgraph sub, bounds;
      if (!CHECK_OK(trm_neighbor_sample(s, (int64_t)k, seeds, sizes[k], &sub))) continue;
      check_subgraph(g, &cases[c], seeds, sizes[k], &sub);
      trm_neighbor_bounds_of(g, &cases[c], sizes[k], sizes[k] == 8 ? 2 : 0, &bounds);
      CHECK(sub.n_inputs <= bounds.n_inputs);
      for (int h = 0; h < sub.n_hops; ++h) {
        const trm_csr *in = &sub.hops[h].in, *most = &bounds.hops[h].in;
        CHECK(in->n_rows <= most->n_rows && in->n_columns <= most->n_columns);
        CHECK(in->n_edges <= most->n_edges && most->offsets == NULL);
        CHECK_EQ(bounds.hops[h].out.n_rows, most->n_columns);
        CHECK_EQ(bounds.hops[h].out.n_columns, most->n_rows);
      }
    }
    trm_neighbor_sampler_destroy(&s);
    CHECK(s == NULL);
  }
}

/* Node ids of the sources of target t. */
static int64_t row_ids(const trm_hop *hop, int64_t t, int32_t *out) {
  int64_t n = 0;
  for (int64_t e = hop->in.offsets[t]; e < hop->in.offsets[t + 1]; ++e) {
    out[n++] = hop->source_ids[hop->in.columns[e]];
  }
  return n;
}

/* ---- draws ----------------------------------------------------------------------------------- */

/* A star: node 0 has edges from 1 .. D. */
static void star_make(random_graph *r, int64_t D) {
  memset(r, 0, sizeof *r);
  RANDOM_GRAPH_TAKE(r->offsets, D + 2);
  RANDOM_GRAPH_TAKE(r->columns, D);
  RANDOM_GRAPH_TAKE(r->degrees, D + 1);
  for (int64_t i = 0; i <= D; ++i) r->offsets[i + 1] = D;
  for (int64_t e = 0; e < D; ++e) r->columns[e] = (int32_t)e + 1;
  r->degrees[0] = (float)D;
  r->g = (trm_graph){.n_nodes = D + 1,
                     .in = {D + 1, D + 1, D, r->offsets, r->columns, NULL, NULL},
                     .degrees = r->degrees};
}

/* Draw number i, below n, of the stream of a target: by the definition in neighbor.c. */
static int64_t plain_draw(int64_t step, int hop, int64_t target, int64_t i, int64_t n) {
  uint32_t w[4];
  trm_random_words(trm_random_key_make(SEED, TRM_RANDOM_NEIGHBOR, (uint64_t)step, (uint64_t)hop),
                   (uint64_t)target, 0, w);
  const uint64_t state = (uint64_t)w[1] << 32 | w[0];
  const uint64_t word = trm_mix64(state + (uint64_t)(i / 2) * UINT64_C(0x9E3779B97F4A7C15));
  const uint64_t half = i % 2 ? word >> 32 : word & UINT32_MAX;
  return (int64_t)(half * (uint64_t)n >> 32);
}

/* Floyd's algorithm with a flag for each position: few draws and many give what it gives. */
static void check_plain_draws(void) {
  static const int64_t sizes[][2] = {{2, 1},   {33, 31},  {33, 32},    {40, 33},   {64, 63},
                                     {65, 64}, {129, 64}, {1000, 500}, {5000, 33}, {5000, 7}};
  static bool taken[5001];
  for (size_t c = 0; c < sizeof sizes / sizeof sizes[0]; ++c) {
    const int64_t D = sizes[c][0], k = sizes[c][1];
    random_graph r;
    star_make(&r, D);
    trm_neighbor_sampler *s = sampler_of(&r.g, (trm_neighbor_options){.n_hops = 1, .fanout = {k}});
    for (int64_t step = 0; step < 3; ++step) {
      const int32_t seed = 0;
      trm_subgraph sub;
      memset(taken, 0, sizeof taken);
      for (int64_t i = 0; i < k; ++i) {
        const int64_t j = D - k + i, t = plain_draw(step, 0, 0, i, j + 1);
        taken[taken[t] ? j : t] = true;
      }
      CHECK_OK(trm_neighbor_sample(s, step, &seed, 1, &sub));
      int64_t n = 0;
      for (int64_t p = 0; p < D; ++p) {
        if (taken[p]) CHECK_EQ(sub.inputs[sub.hops[0].in.columns[n++]], p + 1);
      }
      CHECK_EQ(n, sub.hops[0].in.n_edges);
    }
    trm_neighbor_sampler_destroy(&s);
    random_graph_free(&r);
  }
}

/* The sets of 3 of 7 are equally likely: 35 outcomes, 34 degrees of freedom; 66 is passed by one seed
 * in a thousand. Five with replacement: every position alike, and pairs of consecutive draws too. */
static void check_odds(void) {
  random_graph r;
  star_make(&r, 7);
  static int64_t sets[128], outcomes[35], places[7];
  const int32_t seed = 0;
  trm_subgraph sub;
  trm_neighbor_sampler *s = sampler_of(&r.g, (trm_neighbor_options){.n_hops = 1, .fanout = {3}});
  for (int64_t step = 0; step < 35000; ++step) {
    int set = 0;
    CHECK_OK(trm_neighbor_sample(s, step, &seed, 1, &sub));
    for (int i = 0; i < 3; ++i) set |= 1 << (sub.inputs[sub.hops[0].in.columns[i]] - 1);
    ++sets[set];
  }
  int64_t n = 0;
  for (int set = 0; set < 128; ++set) {
    if (__builtin_popcount((unsigned)set) == 3) outcomes[n++] = sets[set];
  }
  CHECK_EQ(n, 35);
  const double of_sets = chi_square(outcomes, 35);
  CHECK(of_sets > 12 && of_sets < 66);
  trm_neighbor_sampler_destroy(&s);
  s = sampler_of(&r.g, (trm_neighbor_options){.n_hops = 1, .fanout = {5}, .replace = true});
  for (int64_t step = 0; step < 10000; ++step) {
    CHECK_OK(trm_neighbor_sample(s, step, &seed, 1, &sub));
    for (int i = 0; i < 5; ++i) ++places[sub.inputs[sub.hops[0].in.columns[i]] - 1];
  }
  const double of_places = chi_square(places, 7); /* 6 degrees of freedom */
  CHECK(of_places > 0.3 && of_places < 22.5);
  trm_neighbor_sampler_destroy(&s);
  random_graph_free(&r);
}

/* Many draws of a long row: every position alike (variance is that of a choice without return). */
static void check_odds_of_many(void) {
  enum { D = 200, K = 60, STEPS = 4000 };
  static int64_t places[D];
  const int32_t seed = 0;
  random_graph r;
  star_make(&r, D);
  trm_neighbor_sampler *s = sampler_of(&r.g, (trm_neighbor_options){.n_hops = 1, .fanout = {K}});
  for (int64_t step = 0; step < STEPS; ++step) {
    trm_subgraph sub;
    CHECK_OK(trm_neighbor_sample(s, step, &seed, 1, &sub));
    for (int i = 0; i < K; ++i) ++places[sub.inputs[sub.hops[0].in.columns[i]] - 1];
  }
  /* 199 degrees of freedom: 133 and 281 are passed by one seed in ten thousand. */
  const double x = chi_square(places, D) / (1 - (double)K / D);
  CHECK(x > 133 && x < 281);
  trm_neighbor_sampler_destroy(&s);
  random_graph_free(&r);
}

/* ---- what a draw depends on ------------------------------------------------------------------ */

/* Of (seed, step, hop, target): not of the other seeds, their order or what was sampled before. */
static void check_purity(const trm_graph *g) {
  const trm_neighbor_options o = {.n_hops = 2, .fanout = {3, 3}};
  static const int32_t many[5] = {8, 5, 1, 20, 33}, few[2] = {20, 5};
  trm_neighbor_sampler *s = sampler_of(g, o), *t = sampler_of(g, o);
  trm_subgraph a, b;
  int32_t x[64], y[64];
  CHECK_OK(trm_neighbor_sample(t, 3, many, 5, &b));
  CHECK_OK(trm_neighbor_sample(s, 4, many, 5, &a));
  CHECK_OK(trm_neighbor_sample(t, 4, few, 2, &b));
  for (int h = 0; h < 2; ++h) {
    int64_t n_common = 0;
    for (int64_t i = 0; i < a.hops[h].in.n_rows; ++i) {
      for (int64_t j = 0; j < b.hops[h].in.n_rows; ++j) {
        if (a.hops[h].target_ids[i] != b.hops[h].target_ids[j]) continue;
        const int64_t n = row_ids(&a.hops[h], i, x);
        CHECK_EQ(row_ids(&b.hops[h], j, y), n);
        for (int64_t k = 0; k < n; ++k) CHECK_EQ(x[k], y[k]);
        ++n_common;
      }
    }
    CHECK(n_common >= 2);
  }
  /* Hops, steps and seeds tell apart: node 1 has a row long enough to see. */
  int differ[3] = {0};
  for (int64_t step = 0; step < 8; ++step) {
    trm_neighbor_options other = o;
    other.seed = SEED + 1;
    trm_neighbor_sampler *u = NULL;
    CHECK_OK(trm_neighbor_sampler_create(g, &other, &u));
    CHECK_OK(trm_neighbor_sample(s, step, &many[2], 1, &a));
    const int64_t n = row_ids(&a.hops[1], 0, x);
    CHECK_EQ(row_ids(&a.hops[0], 0, y), n);
    differ[0] += memcmp(x, y, (size_t)n * sizeof *x) != 0;
    CHECK_OK(trm_neighbor_sample(t, step + 1, &many[2], 1, &b));
    (void)row_ids(&b.hops[1], 0, y);
    differ[1] += memcmp(x, y, (size_t)n * sizeof *x) != 0;
    CHECK_OK(trm_neighbor_sample(u, step, &many[2], 1, &b));
    (void)row_ids(&b.hops[1], 0, y);
    differ[2] += memcmp(x, y, (size_t)n * sizeof *x) != 0;
    trm_neighbor_sampler_destroy(&u);
  }
  for (int i = 0; i < 3; ++i) CHECK(differ[i] >= 4);
  trm_neighbor_sampler_destroy(&s);
  trm_neighbor_sampler_destroy(&t);
}

/* DropEdge leaves out the edges that fields leave out, the same in all hops; about p of them. */
static void check_drop(const trm_graph *g) {
  const trm_neighbor_options o = {.n_hops = 2, .fanout = {-1, -1}, .drop_edge = 0.4};
  trm_neighbor_sampler *s = sampler_of(g, o);
  int64_t n_all = 0, n_kept = 0;
  for (int64_t step = 0; step < 40; ++step) {
    static const int32_t seeds[3] = {1, 2, 5};
    trm_subgraph sub;
    CHECK_OK(trm_neighbor_sample(s, step, seeds, 3, &sub));
    const trm_edge_drop drop = trm_edge_drop_at(SEED, step, 0.4);
    for (int h = 0; h < 2; ++h) {
      const trm_hop *hop = &sub.hops[h];
      for (int64_t t = 0; t < hop->in.n_rows; ++t) {
        const int32_t target = hop->target_ids[t];
        int64_t at = hop->in.offsets[t];
        for (int64_t e = g->in.offsets[target]; e < g->in.offsets[target + 1]; ++e) {
          ++n_all;
          if (trm_edge_dropped(&drop, target, g->in.columns[e])) continue;
          ++n_kept;
          if (!CHECK(at < hop->in.offsets[t + 1])) return;
          CHECK_EQ(hop->source_ids[hop->in.columns[at++]], g->in.columns[e]);
        }
        CHECK_EQ(at, hop->in.offsets[t + 1]);
      }
    }
  }
  CHECK_NEAR((double)n_kept / (double)n_all, 0.6, 0.03);
  trm_neighbor_sampler_destroy(&s);
}

/* ---- induced --------------------------------------------------------------------------------- */

/* Rows [begin, end) are those nodes, with exactly the edges among them that are not dropped. */
static void check_induced_rows(const trm_graph *g, const trm_hop *hop, const int32_t *nodes,
                               int64_t begin, int64_t end, double p, int64_t step) {
  const trm_edge_drop drop = trm_edge_drop_at(SEED, step, p);
  for (int64_t t = begin; t < end; ++t) {
    int64_t at = hop->in.offsets[t];
    CHECK_EQ(hop->target_ids[t], nodes[t]);
    for (int64_t e = g->in.offsets[nodes[t]]; e < g->in.offsets[nodes[t] + 1]; ++e) {
      int64_t row = -1;
      for (int64_t i = begin; i < end; ++i) {
        if (nodes[i] == g->in.columns[e]) row = i;
      }
      if (row < 0 || trm_edge_dropped(&drop, nodes[t], g->in.columns[e])) continue;
      if (!CHECK(at < hop->in.offsets[t + 1])) return;
      CHECK_EQ(hop->in.columns[at++], row);
    }
    CHECK_EQ(at, hop->in.offsets[t + 1]);
  }
}

static void check_induced(const trm_graph *g) {
  static const int32_t nodes[9] = {0, 1, 2, 3, 5, 8, 20, 33, 59};
  for (int c = 0; c < 4; ++c) {
    const double p = c >= 2 ? 0.3 : 0;
    trm_neighbor_sampler *s =
        sampler_of(g, (trm_neighbor_options){.n_hops = 1 + c % 2, .drop_edge = p});
    for (int64_t n = 0; n <= 9; n += n < 2 ? 1 : 7) {
      trm_subgraph sub;
      CHECK_OK(trm_induced_subgraph(s, c, nodes, n, &sub));
      CHECK_EQ(sub.n_inputs, n);
      CHECK_EQ(sub.n_hops, 1 + c % 2);
      check_induced_rows(g, &sub.hops[0], nodes, 0, n, p, c);
      check_hop(g, &sub.hops[0], false);
      if (sub.n_hops > 1) CHECK(memcmp(&sub.hops[0], &sub.hops[1], sizeof sub.hops[0]) == 0);
    }
    trm_neighbor_sampler_destroy(&s);
  }
}

/* Graphs side by side, empty ones and one that comes twice among them. */
static void check_union(void) {
  static const int32_t graphs[6] = {3, 0, 5, 11, 3, 22};
  random_graph r;
  random_graph_set(&r, 30);
  const trm_graph_set set = random_graph_as_set(&r);
  for (int c = 0; c < 2; ++c) {
    trm_neighbor_sampler *s =
        sampler_of(&set.graph, (trm_neighbor_options){.n_hops = 2, .drop_edge = c ? 0.5 : 0});
    for (int64_t n = 0; n <= 6; ++n) {
      trm_subgraph sub;
      const int64_t *segments;
      CHECK_OK(trm_union_subgraph(s, &set, 1, graphs, n, &sub, &segments));
      int64_t rows = 0;
      for (int64_t i = 0; i < n; ++i) {
        CHECK_EQ(segments[i], rows);
        for (int64_t v = r.graphs[graphs[i]]; v < r.graphs[graphs[i] + 1]; ++v) {
          CHECK_EQ(sub.inputs[rows++], v);
        }
        check_induced_rows(&r.g, &sub.hops[0], sub.inputs, segments[i], rows, c ? 0.5 : 0, 1);
      }
      CHECK_EQ(segments[n], rows);
      CHECK_EQ(sub.n_inputs, rows);
      check_hop(&r.g, &sub.hops[1], false);
    }
    trm_neighbor_sampler_destroy(&s);
  }
  random_graph_free(&r);
}

/* ---- features -------------------------------------------------------------------------------- */

static void check_features(bool values) {
  static const int32_t nodes[7] = {3, 0, 59, 3, 7, 20, 0};
  random_graph r;
  random_graph_make(&r, 60, 4, true, false);
  random_graph_features(&r, 9, true, values);
  trm_sparse_rows *rows = NULL;
  CHECK_OK(trm_sparse_rows_create(&r.g, &rows));
  for (int64_t n = 7; n >= 0; --n) {
    trm_csr sparse, transposed;
    CHECK_OK(trm_sparse_rows_take(rows, nodes, n, &sparse, &transposed));
    CHECK_EQ(sparse.n_rows, n);
    CHECK_EQ(sparse.n_columns, 9);
    CHECK((sparse.values != NULL) == values);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t begin = r.feature_offsets[nodes[i]];
      const int64_t size = r.feature_offsets[nodes[i] + 1] - begin;
      CHECK_EQ(sparse.offsets[i + 1] - sparse.offsets[i], size);
      for (int64_t k = 0; k < size; ++k) {
        CHECK_EQ(sparse.columns[sparse.offsets[i] + k], r.feature_columns[begin + k]);
        const float want = value_of(&r.g.features, begin + k);
        CHECK_EQ((int64_t)value_of(&sparse, sparse.offsets[i] + k), (int64_t)want);
      }
    }
    check_transpose(&sparse, &transposed);
  }
  trm_sparse_rows_destroy(&rows);
  random_graph_free(&r);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Numbers of rows run out after 2^32 of them, and begin anew. */
static void check_wrap(const trm_graph *g) {
  static const int32_t seeds[3] = {5, 1, 20};
  const trm_neighbor_options o = {.n_hops = 2, .fanout = {3, 3}};
  trm_neighbor_sampler *s = sampler_of(g, o);
  trm_subgraph sub;
  for (int64_t step = 0; step < 12; ++step) {
    if (step == 3) s->base = UINT32_MAX - 2 * (uint32_t)g->n_nodes;
    CHECK_OK(trm_neighbor_sample(s, step, seeds, 3, &sub));
    check_subgraph(g, &o, seeds, 3, &sub);
  }
  CHECK(s->base < 1000);
  s->base = UINT32_MAX - 2;
  CHECK_OK(trm_induced_subgraph(s, 0, seeds, 3, &sub));
  check_induced_rows(g, &sub.hops[0], seeds, 0, 3, 0, 0);
  CHECK(s->base < 1000);
  trm_neighbor_sampler_destroy(&s);
}

/* Buffers are kept; each allocation may fail, and the next call is good again. */
static void check_allocations(const trm_graph *g) {
  static const int32_t seeds[4] = {5, 1, 20, 33};
  const trm_neighbor_options o = {.n_hops = 2, .fanout = {-1, 40}, .drop_edge = 0.1};
  const int64_t live = trm_alloc_counts_get().live_blocks;
  trm_subgraph sub;
  for (int64_t n = 0;; ++n) {
    trm_neighbor_sampler *s = NULL;
    trm_alloc_fail_after(n);
    trm_neighbor_options options = o;
    options.seed = SEED;
    trm_status status = trm_neighbor_sampler_create(g, &options, &s);
    if (status == TRM_OK) status = trm_neighbor_sample(s, 0, seeds, 4, &sub);
    trm_alloc_fail_after(-1);
    if (status == TRM_OK) {
      CHECK(n > 10);
      const int64_t before = trm_alloc_counts_get().total_blocks;
      CHECK_OK(trm_neighbor_sample(s, 0, seeds, 4, &sub));
      CHECK_EQ(trm_alloc_counts_get().total_blocks, before);
      trm_neighbor_sampler_destroy(&s);
      break;
    }
    CHECK_EQ(status, TRM_ERR_MEMORY);
    if (s) {
      CHECK_OK(trm_neighbor_sample(s, 0, seeds, 4, &sub));
      check_subgraph(g, &o, seeds, 4, &sub);
    }
    trm_neighbor_sampler_destroy(&s);
    if (!CHECK(n < 100)) break;
  }
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
}

static void expect_refused(const trm_graph *g, trm_neighbor_options o, const char *part) {
  trm_neighbor_sampler *s = NULL;
  CHECK_EQ(trm_neighbor_sampler_create(g, &o, &s), TRM_ERR_ARG);
  CHECK(s == NULL);
  CHECK_HAS(trm_message(), part);
}

int main(void) {
  const int64_t live = trm_alloc_counts_get().live_blocks;
  for (int c = 0; c < 4; ++c) {
    random_graph r;
    random_graph_make(&r, 60, 4, c % 2 == 0, c >= 2);
    check_cases(&r.g);
    check_induced(&r.g);
    check_drop(&r.g);
    check_purity(&r.g);
    check_wrap(&r.g);
    check_allocations(&r.g);
    expect_refused(&r.g, (trm_neighbor_options){.n_hops = 17}, "17 hops (at most 16)");
    expect_refused(&r.g, (trm_neighbor_options){.n_hops = 1, .fanout = {-2}}, "fan-out -2");
    expect_refused(&r.g, (trm_neighbor_options){.drop_edge = 1}, "probability 1");
    random_graph_free(&r);
  }
  check_plain_draws();
  check_odds();
  check_odds_of_many();
  check_union();
  check_features(false);
  check_features(true);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  return check_verdict();
}
