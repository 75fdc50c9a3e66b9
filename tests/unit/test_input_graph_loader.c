/*
 * The loader of graph batches: blocks are the same for any split among ranks, each sample comes once an
 * epoch, every kind of block against what it is made of; seeking, failures, prompt destruction.
 */
#include <math.h>

#include "sampling_graph.h"
#include "trireme/core/clock.h"
#include "trireme/core/hash.h"
#include "trireme/input/graph_loader.h"

enum { SEED = 12, V = 5, N_KINDS = 8 };

/* ---- settings -------------------------------------------------------------------------------- */

typedef enum way { NEIGHBOR, CLUSTER, SET, PAIRS } way;

typedef struct setting {
  const char *name;
  random_graph r;
  trm_partition *partition;
  trm_field *field; /* pairs: of one rank */
  way way;
  trm_neighbor_batching neighbor; /* options of the ways; of which one is used */
  trm_cluster_batching cluster;
  trm_set_batching set;
  trm_pair_batching pair;
  trm_node_data nodes; /* what these point to: bind */
  trm_graph_set graphs;
  trm_interactions interactions;
  trm_graph_loader_options o;
} setting;

/* The options with their way, which lies in the setting where it is now. */
static trm_graph_loader_options bind(setting *s, trm_graph_loader_options o) {
  switch (s->way) {
  case NEIGHBOR:
  case CLUSTER:
    s->nodes = random_graph_nodes(&s->r);
    s->neighbor.data = s->cluster.data = &s->nodes;
    o.way = s->way == NEIGHBOR ? trm_batching_by_neighbors(&s->neighbor)
                               : trm_batching_by_clusters(&s->cluster);
    break;
  case SET:
    s->graphs = random_graph_as_set(&s->r);
    s->set.set = &s->graphs;
    o.way = trm_batching_by_graphs(&s->set);
    break;
  case PAIRS:
    s->interactions = random_graph_pairs(&s->r);
    s->pair.data = &s->interactions;
    o.way = trm_batching_by_pairs(&s->pair);
    break;
  }
  return o;
}

static trm_status samples_of(setting *s, trm_graph_loader_options o, int64_t step, int64_t *ids,
                             int64_t *offsets) {
  o = bind(s, o);
  return trm_graph_samples(&o, step, ids, offsets);
}

/* Parts of different sizes, one of them empty, nodes dealt to and fro. */
static trm_partition *scattered(int64_t n, int n_parts) {
  trm_partition *p = NULL;
  RANDOM_GRAPH_TAKE(p, 1);
  p->n_nodes = n;
  p->n_parts = n_parts;
  RANDOM_GRAPH_TAKE(p->order, n);
  RANDOM_GRAPH_TAKE(p->part_of, n);
  RANDOM_GRAPH_TAKE(p->offsets, n_parts + 1);
  int64_t at = 0;
  for (int k = 0; k < n_parts; ++k) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t part = i * i % n_parts == 2 ? 0 : i * i % n_parts;
      if (part != k) continue;
      p->order[at++] = (int32_t)i;
      p->part_of[i] = k;
    }
    p->offsets[k + 1] = at;
  }
  CHECK_EQ(at, n);
  return p;
}

/* What rank p of P has for pairs. */
static trm_field *field_of(const setting *s, int p, int P) {
  trm_field *field = NULL;
  if (!CHECK_OK(trm_field_create(&s->r.g, s->partition, p, P, 2, NULL, &field))) exit(1);
  return field;
}

static setting setting_make(int which) {
  setting s = {.o = {.seed = SEED, .batch = 12, .n_blocks = V, .n_local = V, .depth = 2}};
  s.o.n_threads = 1 + which % 3;
  switch (which) {
  case 0:
  case 1:
  case 2:
    s.name = which == 0 ? "neighbor" : which == 1 ? "neighbor by part" : "neighbor fetched";
    random_graph_make(&s.r, 90, 4, true, which == 1);
    random_graph_features(&s.r, 6, which == 1, true);
    s.way = NEIGHBOR;
    if (which == 1) s.partition = scattered(90, 7);
    s.neighbor = (trm_neighbor_batching){.train = random_graph_train(&s.r), /* 30 */
                                         .partition = s.partition,
                                         .neighbors = {.n_hops = 2, .fanout = {3, 2}},
                                         .fetched = which == 2};
    break;
  case 3:
  case 4:
    s.name = which == 3 ? "cluster" : "cluster fetched";
    random_graph_make(&s.r, 90, 4, false, false);
    random_graph_features(&s.r, 6, false, false);
    s.way = CLUSTER;
    s.partition = scattered(90, 17);
    s.cluster = (trm_cluster_batching){.train = random_graph_train(&s.r),
                                       .clusters = s.partition,
                                       .n_hops = 2,
                                       .drop_edge = which == 3 ? 0.2 : 0,
                                       .fetched = which == 4};
    break;
  case 5:
    s.name = "set";
    random_graph_set(&s.r, 31);
    random_graph_features(&s.r, 3, true, false);
    s.way = SET;
    s.set = (trm_set_batching){.train = {s.r.train, 31}, .n_hops = 3};
    break;
  default:
    s.name = which == 6 ? "pairs" : "pairs, edges left out";
    random_graph_interactions(&s.r, 23, 40);
    s.way = PAIRS;
    s.partition = scattered(63, V);
    s.field = field_of(&s, 0, 1);
    s.pair = (trm_pair_batching){
        .partition = s.partition, .field = s.field, .drop_edge = which == 6 ? 0 : 0.3};
    break;
  }
  return s;
}

static void setting_free(setting *s) {
  random_graph_free(&s->r);
  trm_partition_destroy(&s->partition);
  trm_field_destroy(&s->field);
}

static trm_graph_loader *loader_of(setting *s, const trm_graph_loader_options *o) {
  const trm_graph_loader_options bound = bind(s, *o);
  trm_graph_loader *l = NULL;
  if (!CHECK_OK(trm_graph_loader_create(&bound, &l))) exit(1);
  return l;
}

/* ---- contents of a block as one number ------------------------------------------------------- */

static void mix(uint64_t *hash, const void *data, int64_t n, size_t size) {
  *hash = trm_hash_chain(*hash, (uint64_t)n);
  if (n > 0 && data) *hash = trm_hash_chain(*hash, trm_hash64(data, (size_t)n * size, 0));
}

static void mix_csr(uint64_t *hash, const trm_csr *a) {
  mix(hash, a->offsets, a->n_rows + 1, sizeof *a->offsets);
  mix(hash, a->columns, a->n_edges, sizeof *a->columns);
  if (a->values) mix(hash, a->values, a->n_edges, sizeof *a->values);
  if (a->map) mix(hash, a->map, a->n_edges, sizeof *a->map);
}

static uint64_t hash_of(const trm_graph_block *b) {
  uint64_t hash = 1;
  mix(&hash, b->samples, b->n_samples, sizeof *b->samples);
  mix(&hash, b->subgraph.inputs, b->subgraph.n_inputs, sizeof *b->subgraph.inputs);
  for (int h = 0; h < b->subgraph.n_hops; ++h) {
    const trm_hop *hop = &b->subgraph.hops[h];
    mix_csr(&hash, &hop->in);
    mix_csr(&hash, &hop->out);
    mix(&hash, hop->source_ids, hop->in.n_columns, sizeof *hop->source_ids);
    mix(&hash, hop->source_degrees, hop->in.n_columns, sizeof *hop->source_degrees);
    mix(&hash, hop->target_counts, hop->in.n_rows, sizeof *hop->target_counts);
  }
  if (b->batch.features.sparse) {
    mix_csr(&hash, b->batch.features.sparse);
    mix_csr(&hash, b->batch.features.transposed);
  }
  mix(&hash, b->batch.features.rows, b->batch.features.n_rows, sizeof *b->batch.features.rows);
  mix(&hash, b->inputs, b->n_inputs, sizeof *b->inputs);
  mix(&hash, b->batch.targets, b->batch.targets ? b->n_targets : 0, sizeof *b->batch.targets);
  mix(&hash, b->batch.graphs, b->batch.n_graphs, sizeof *b->batch.graphs);
  return hash;
}

static uint64_t hash_of_triplets(const trm_triplets *t) {
  uint64_t hash = 1;
  mix(&hash, t->users, t->n, sizeof *t->users);
  mix(&hash, t->positives, t->n, sizeof *t->positives);
  mix(&hash, t->negatives, t->n, sizeof *t->negatives);
  mix_csr(&hash, t->uses);
  return hash;
}

/* ---- what blocks hold ------------------------------------------------------------------------ */

static void check_features(const setting *s, const trm_graph_block *b) {
  const trm_graph *g = &s->r.g;
  const trm_features *f = &b->batch.features;
  CHECK_EQ(f->n_rows, b->subgraph.n_inputs);
  CHECK_EQ(f->n_features, g->n_features);
  CHECK(f->ids == b->subgraph.inputs && f->blocks == NULL);
  if (s->way == NEIGHBOR ? s->neighbor.fetched : s->cluster.fetched) {
    CHECK(f->dense == NULL && f->sparse == NULL);
    CHECK(b->n_inputs == f->n_rows || f->rows);
    for (int64_t i = 0; i < f->n_rows; ++i) {
      CHECK_EQ(b->inputs[f->rows ? f->rows[i] : i], f->ids[i]);
    }
    for (int64_t i = 0; i < b->n_inputs; ++i) {
      for (int64_t j = 0; j < i; ++j) CHECK(b->inputs[i] != b->inputs[j]);
    }
  } else if (g->sparse) {
    CHECK(f->dense == NULL);
    CHECK_EQ(f->sparse->n_rows, f->n_rows);
    CHECK_EQ(f->transposed->n_columns, f->n_rows);
    for (int64_t i = 0; i < f->n_rows; ++i) {
      CHECK_EQ(f->sparse->offsets[i + 1] - f->sparse->offsets[i],
               g->features.offsets[f->ids[i] + 1] - g->features.offsets[f->ids[i]]);
    }
  } else {
    CHECK(f->dense == g->dense && f->rows == f->ids);
  }
}

static void check_neighbor(const setting *s, const trm_graph_block *b) {
  CHECK_EQ(b->n_targets, b->n_samples);
  for (int64_t i = 0; i < b->n_samples; ++i) {
    const int32_t node = s->neighbor.train.ids[b->samples[i] % s->neighbor.train.n];
    CHECK_EQ(b->subgraph.inputs[i], node);
    CHECK_EQ(b->batch.targets[i], s->r.labels[node]);
  }
  CHECK_EQ(b->subgraph.n_hops, 2);
  CHECK_EQ(b->subgraph.hops[1].in.n_rows, b->n_samples);
  CHECK_EQ(b->subgraph.hops[0].in.n_columns, b->subgraph.n_inputs);
}

/* Clusters one after another; no edges between those of different epochs. */
static void check_cluster(const setting *s, const trm_graph_block *b) {
  const trm_partition *p = s->partition;
  int64_t epoch_of[400], rows = 0;
  for (int64_t i = 0; i < b->n_samples; ++i) {
    const int64_t k = b->samples[i] % p->n_parts;
    for (int64_t at = p->offsets[k]; at < p->offsets[k + 1]; ++at, ++rows) {
      const int32_t node = p->order[at];
      CHECK_EQ(b->subgraph.inputs[rows], node);
      CHECK_EQ(b->batch.targets[rows], node % 3 == 0 ? s->r.labels[node] : -1);
      epoch_of[rows] = b->samples[i] / p->n_parts;
    }
  }
  CHECK_EQ(b->n_targets, rows);
  CHECK_EQ(b->subgraph.n_inputs, rows);
  const trm_hop *hop = &b->subgraph.hops[1];
  int64_t n_edges = 0;
  for (int64_t t = 0; t < rows; ++t) {
    for (int64_t e = hop->in.offsets[t]; e < hop->in.offsets[t + 1]; ++e) {
      CHECK_EQ(epoch_of[hop->in.columns[e]], epoch_of[t]);
    }
    const int32_t node = b->subgraph.inputs[t];
    for (int64_t e = s->r.offsets[node]; e < s->r.offsets[node + 1]; ++e) {
      for (int64_t j = 0; j < rows; ++j) {
        n_edges += b->subgraph.inputs[j] == s->r.columns[e] && epoch_of[j] == epoch_of[t];
      }
    }
  }
  CHECK(s->cluster.drop_edge > 0 ? hop->in.n_edges <= n_edges : hop->in.n_edges == n_edges);
}

static void check_set(const setting *s, const trm_graph_block *b) {
  int64_t rows = 0;
  CHECK_EQ(b->batch.n_graphs, b->n_samples);
  CHECK_EQ(b->n_targets, b->n_samples);
  for (int64_t i = 0; i < b->n_samples; ++i) {
    const int64_t k = b->samples[i] % 31;
    if (i > 0) CHECK(b->samples[i - 1] < b->samples[i]);
    CHECK_EQ(b->batch.graphs[i], rows);
    CHECK_EQ(b->batch.targets[i], s->r.labels[k]);
    for (int64_t v = s->r.graphs[k]; v < s->r.graphs[k + 1]; ++v) {
      CHECK_EQ(b->subgraph.inputs[rows++], v);
    }
  }
  CHECK_EQ(b->batch.graphs[b->batch.n_graphs], rows);
  CHECK_EQ(b->subgraph.n_inputs, rows);
}

static bool has_item(const trm_csr *train, int64_t user, int64_t item) {
  for (int64_t e = train->offsets[user]; e < train->offsets[user + 1]; ++e) {
    if (train->columns[e] == item) return true;
  }
  return false;
}

/* An item the user has not, by the definition: the numbers are keyed by step and sample. */
static int64_t plain_negative(const trm_interactions *g, int64_t user, int64_t step,
                              int64_t sample) {
  const int64_t n = g->n_items - (g->train.offsets[user + 1] - g->train.offsets[user]);
  int64_t r =
      (int64_t)trm_random_below(trm_random_key_make(SEED, TRM_RANDOM_NEGATIVE, (uint64_t)step, 0),
                                (uint64_t)sample, 0, (uint64_t)n);
  for (int64_t i = 0; i < g->n_items; ++i) {
    if (!has_item(&g->train, user, i) && r-- == 0) return i;
  }
  return -1;
}

/* The node that is number `at` of the collection, by going through the partition's order. */
static int32_t collected(const trm_partition *p, const bool *used, int64_t at) {
  for (int64_t i = 0; i < p->n_nodes; ++i) {
    if (used[p->order[i]] && at-- == 0) return p->order[i];
  }
  return -1;
}

static void check_pairs(const setting *s, const trm_graph_loader_options *o,
                        const trm_graph_step *b, const int64_t *ids) {
  const trm_interactions all = random_graph_pairs(&s->r), *g = &all;
  const trm_collection *c = b->batch.collection;
  const trm_triplets *t = b->batch.triplets;
  const trm_partition *p = s->partition;
  int32_t of_number[63];
  bool used[63] = {false};
  CHECK_EQ(t->n, o->batch);
  for (int64_t k = 0; k < t->n; ++k) {
    CHECK(t->users[k] < c->n && t->positives[k] < c->n && t->negatives[k] < c->n);
  }
  /* Users and positives follow from the ids; negatives are known from their numbers alone. */
  int64_t n_known = 0;
  for (int64_t k = 0; k < t->n; ++k) {
    int64_t user = 0;
    while (g->train.offsets[user + 1] <= ids[k] % g->train.n_edges) ++user;
    used[user] = true;
    used[g->n_users + g->train.columns[ids[k] % g->train.n_edges]] = true;
  }
  for (int i = 0; i < 63; ++i) n_known += used[i];
  CHECK(n_known <= c->n);
  /* Own rows name nodes outright; with all blocks own, all of them. */
  if (o->n_local < o->n_blocks) return;
  CHECK_EQ(c->first, 0);
  CHECK_EQ(c->n_own, c->n);
  for (int64_t i = 0; i < c->n; ++i) {
    if (i > 0) CHECK(c->rows[i - 1] < c->rows[i]);
    of_number[i] = p->order[c->rows[i]];
    used[of_number[i]] = true;
  }
  for (int64_t i = 0; i < c->n; ++i) CHECK_EQ(collected(p, used, i), of_number[i]);
  for (int64_t k = 0; k < t->n; ++k) {
    const int32_t user = of_number[t->users[k]];
    const int64_t positive = of_number[t->positives[k]] - g->n_users;
    const int64_t negative = of_number[t->negatives[k]] - g->n_users;
    const int64_t e = ids[k] % g->train.n_edges;
    CHECK(g->train.offsets[user] <= e && e < g->train.offsets[user + 1]);
    CHECK_EQ(g->train.columns[e], positive);
    CHECK(negative >= 0 && negative < g->n_items && !has_item(&g->train, user, negative));
    CHECK_EQ(negative, plain_negative(g, user, b->step, ids[k]));
  }
  int64_t n_uses = 0;
  for (int64_t i = 0; i < c->n; ++i) {
    CHECK(t->uses->offsets[i] < t->uses->offsets[i + 1]);
    for (int64_t u = t->uses->offsets[i]; u < t->uses->offsets[i + 1]; ++u, ++n_uses) {
      const int32_t column = t->uses->columns[u];
      const int32_t *lists[3] = {t->users, t->positives, t->negatives};
      CHECK_EQ(lists[column % 3][column / 3], i);
      if (u > t->uses->offsets[i]) CHECK(t->uses->columns[u - 1] < column);
    }
  }
  CHECK_EQ(n_uses, 3 * t->n);
}

/* The share of a caller in the collection and the triplets. */
static void check_share(const setting *s, const trm_graph_loader_options *o,
                        const trm_graph_step *b, int64_t *first_own) {
  const int64_t begin = s->partition->offsets[o->first_block];
  const int64_t end = s->partition->offsets[o->first_block + o->n_local];
  CHECK_EQ(b->batch.collection->first, *first_own);
  *first_own += b->batch.collection->n_own;
  for (int64_t i = 0; i < b->batch.collection->n_own; ++i) {
    CHECK(b->batch.collection->rows[i] >= 0 && b->batch.collection->rows[i] < end - begin);
  }
  CHECK_EQ(b->batch.triplets->first, o->first_block * o->batch / V);
  for (int64_t k = 0; k <= o->n_local; ++k) {
    CHECK_EQ(b->batch.triplets->first + b->batch.triplets->blocks[k],
             (o->first_block + k) * o->batch / V);
  }
}

/* The last hop to nodes of the batch: rows of the whole hop, thinned where edges are left out. */
static void check_last(const trm_graph_loader_options *o, const trm_graph_step *b,
                       const trm_hop *most, trm_field **thinned) {
  const trm_pair_batching *of = o->way.options;
  const double p = of->drop_edge;
  const trm_hop *last = b->batch.last, *whole = &of->field->hops[1];
  const trm_collection *c = b->batch.collection;
  if (p > 0) {
    if (!CHECK_OK(trm_field_drop_edges(of->field, p, o->seed, b->step, thinned))) return;
    whole = &(*thinned)->hops[1];
  }
  CHECK_EQ((last->target_counts != NULL), (p > 0));
  CHECK_EQ(last->in.n_rows, c->n_own);
  CHECK_EQ(last->in.n_columns, whole->in.n_columns);
  CHECK_EQ(last->out.n_rows, whole->out.n_rows);
  CHECK_EQ(last->out.n_columns, c->n);
  CHECK(last->in.n_edges <= most->in.n_edges && last->out.n_edges <= most->out.n_edges);
  int64_t at = 0;
  for (int64_t i = 0; i < c->n_own; ++i) {
    const int64_t row = c->rows[i];
    CHECK_EQ(last->target_ids[c->first + i], whole->target_ids[row]);
    CHECK_EQ(last->target_degrees[c->first + i], whole->target_degrees[row]);
    if (p > 0) CHECK_EQ(last->target_counts[c->first + i], whole->target_counts[row]);
    CHECK_EQ(last->in.offsets[i], at);
    for (int64_t e = whole->in.offsets[row]; e < whole->in.offsets[row + 1]; ++e) {
      CHECK_EQ(last->in.columns[at++], whole->in.columns[e]);
    }
  }
  CHECK_EQ(last->in.offsets[c->n_own], at);
  CHECK_EQ(last->in.n_edges, at);
  at = 0;
  for (int64_t j = 0; j < whole->out.n_rows; ++j) {
    CHECK_EQ(last->out.offsets[j], at);
    for (int64_t e = whole->out.offsets[j]; e < whole->out.offsets[j + 1]; ++e) {
      const int32_t target = whole->target_ids[whole->out.columns[e]];
      int32_t number = 0;
      while (number < c->n && last->target_ids[number] != target) ++number;
      if (number < c->n) CHECK_EQ(last->out.columns[at++], number);
    }
  }
  CHECK_EQ(last->out.offsets[whole->out.n_rows], at);
  CHECK_EQ(last->out.n_edges, at);
}

static void check_block(const setting *s, const trm_graph_block *b) {
  if (s->way != PAIRS) CHECK(b->batch.hops == b->subgraph.hops);
  switch (s->way) {
  case NEIGHBOR:
    check_neighbor(s, b);
    break;
  case CLUSTER:
    check_cluster(s, b);
    break;
  case SET:
    check_set(s, b);
    break;
  case PAIRS:
    return;
  }
  check_features(s, b);
}

static void check_within(const trm_graph_block *b, const trm_graph_bounds *bounds) {
  const trm_graph_block *most = &bounds->block;
  CHECK(b->n_samples <= most->n_samples && b->n_targets <= most->n_targets);
  CHECK(b->batch.n_graphs <= most->batch.n_graphs && b->n_inputs <= most->n_inputs);
  CHECK(b->subgraph.n_inputs <= most->subgraph.n_inputs);
  CHECK_EQ(b->subgraph.n_hops, most->subgraph.n_hops);
  CHECK(b->batch.features.n_rows <= most->batch.features.n_rows);
  if (b->batch.features.sparse) CHECK(b->batch.features.sparse->n_edges <= bounds->sparse.n_edges);
  for (int h = 0; h < b->subgraph.n_hops; ++h) {
    const trm_csr *in = &b->subgraph.hops[h].in, *of = &most->subgraph.hops[h].in;
    CHECK(in->n_rows <= of->n_rows && in->n_columns <= of->n_columns);
    CHECK(in->n_edges <= of->n_edges);
  }
}

/* ---- splits among ranks ---------------------------------------------------------------------- */

enum { STEPS = 30, MAX_BATCH = 80 };

/* Hashes of all blocks from P ranks, and everything about them on the way. */
static void walk(setting *s, int P, int64_t batch, uint64_t hashes[STEPS][V + 1]) {
  trm_graph_loader *loaders[8] = {NULL};
  trm_graph_loader_options o[8];
  trm_field *fields[8] = {NULL}, *thinned[8] = {NULL};
  trm_graph_bounds bounds, own;
  trm_pair_batching pairs[8];
  const int64_t n_epoch = trm_graph_epoch_samples(bind(s, s->o).way);
  int64_t ids[MAX_BATCH], offsets[V + 1];
  unsigned char *seen = calloc((size_t)(STEPS * batch + n_epoch), 1);
  if (!seen) exit(1);
  for (int p = 0; p < P; ++p) {
    o[p] = s->o;
    o[p].batch = batch;
    o[p].first_block = (int64_t)V * p / P;
    o[p].n_local = (int64_t)V * (p + 1) / P - o[p].first_block;
    o[p].end_step = STEPS;
    o[p].n_threads = 1 + p;
    o[p].depth = 1 + p / 2;
    o[p] = bind(s, o[p]);
    if (s->field) { /* its own of the whole graph */
      pairs[p] = s->pair;
      pairs[p].field = fields[p] = field_of(s, p, P);
      o[p].way = trm_batching_by_pairs(&pairs[p]);
    }
    if (!CHECK_OK(trm_graph_loader_create(&o[p], &loaders[p]))) exit(1);
  }
  CHECK_OK(trm_graph_loader_bounds(&o[0], &bounds));
  for (int64_t step = 0; step < STEPS; ++step) {
    int64_t first_own = 0;
    CHECK_OK(trm_graph_samples(&o[0], step, ids, offsets));
    CHECK_EQ(offsets[0], 0);
    CHECK_EQ(offsets[V], batch);
    for (int p = 0; p < P; ++p) {
      trm_graph_step b;
      if (!CHECK_OK(trm_graph_loader_next(loaders[p], &b))) break;
      CHECK_EQ(b.step, step);
      CHECK_EQ(b.n_local, o[p].n_local);
      for (int64_t k = 0; k < b.n_local; ++k) {
        const int64_t number = o[p].first_block + k;
        CHECK_EQ(b.blocks[k].n_samples, offsets[number + 1] - offsets[number]);
        for (int64_t i = 0; i < b.blocks[k].n_samples; ++i) {
          const int64_t id = b.blocks[k].samples[i];
          CHECK_EQ(id, ids[offsets[number] + i]);
          if (CHECK(id >= 0 && id < STEPS * batch + n_epoch)) CHECK_EQ(seen[id]++, 0);
          CHECK(id / n_epoch >= step * batch / n_epoch &&
                id / n_epoch <= ((step + 1) * batch - 1) / n_epoch);
        }
        hashes[step][number] = hash_of(&b.blocks[k]);
        check_block(s, &b.blocks[k]);
        check_within(&b.blocks[k], &bounds);
      }
      CHECK((b.batch.triplets != NULL) == (s->way == PAIRS));
      if (!b.batch.triplets) continue;
      const uint64_t all = hash_of_triplets(b.batch.triplets);
      if (p > 0) CHECK_EQ(all, hashes[step][V]);
      hashes[step][V] = all;
      check_pairs(s, &o[p], &b, ids);
      check_share(s, &o[p], &b, &first_own);
      CHECK(b.batch.collection->n <= bounds.collection.n);
      CHECK_OK(trm_graph_loader_bounds(&o[p], &own));
      check_last(&o[p], &b, &own.last, &thinned[p]);
      if (p == P - 1) CHECK_EQ(first_own, b.batch.collection->n);
    }
  }
  const int64_t whole = STEPS * batch / n_epoch * n_epoch; /* of epochs that are over */
  for (int64_t i = 0; i < whole; ++i) CHECK_EQ(seen[i], 1);
  for (int p = 0; p < P; ++p) {
    trm_graph_loader_destroy(&loaders[p]);
    trm_field_destroy(&thinned[p]);
    trm_field_destroy(&fields[p]);
  }
  free(seen);
}

static void check_ranks(void) {
  static const int64_t batches[] = {1, 3, 12, 15, 31, 77};
  static uint64_t one[STEPS][V + 1], more[STEPS][V + 1];
  for (int which = 0; which < N_KINDS; ++which) {
    setting s = setting_make(which);
    for (size_t c = 0; c < sizeof batches / sizeof batches[0]; ++c) {
      memset(one, 0, sizeof one);
      walk(&s, 1, batches[c], one);
      for (int P = 2; P <= 4; ++P) {
        memset(more, 0, sizeof more);
        walk(&s, P, batches[c], more);
        if (!CHECK_EQ(memcmp(one, more, sizeof one), 0)) printf("%s, %d ranks\n", s.name, P);
      }
    }
    setting_free(&s);
  }
}

/* From any first step: the same blocks as walking there; and a step that no walk would reach. */
static void check_seek(void) {
  for (int which = 0; which < N_KINDS; ++which) {
    static uint64_t hashes[STEPS][V + 1];
    setting s = setting_make(which);
    trm_graph_step b;
    walk(&s, 1, 12, hashes);
    trm_graph_loader_options o = s.o;
    o.end_step = STEPS;
    for (o.first_step = 1; o.first_step < STEPS; o.first_step += 9) {
      trm_graph_loader *l = loader_of(&s, &o);
      for (int64_t step = o.first_step; step < STEPS; ++step) {
        CHECK_OK(trm_graph_loader_next(l, &b));
        CHECK_EQ(hash_of(&b.blocks[1]), hashes[step][1]);
      }
      CHECK_EQ(trm_graph_loader_next(l, &b), TRM_ERR_ARG);
      CHECK_HAS(trm_message(), "the last one is 29");
      trm_graph_loader_destroy(&l);
    }
    o.first_step = INT64_C(1) << 50;
    o.end_step = o.first_step + 1;
    trm_graph_loader *l = loader_of(&s, &o);
    CHECK_OK(trm_graph_loader_next(l, &b));
    CHECK_EQ(b.step, o.first_step);
    for (int64_t k = 0; k < V; ++k) check_block(&s, &b.blocks[k]);
    trm_graph_loader_destroy(&l);
    setting_free(&s);
  }
}

/* The order differs from epoch to epoch and from seed to seed. */
static void check_order(void) {
  setting s = setting_make(0);
  int64_t a[30], b[30], c[30], offsets[V + 1];
  trm_graph_loader_options o = s.o;
  o.batch = 30; /* an epoch */
  CHECK_OK(samples_of(&s, o, 0, a, offsets));
  CHECK_OK(samples_of(&s, o, 1, b, offsets));
  o.seed = SEED + 1;
  CHECK_OK(samples_of(&s, o, 0, c, offsets));
  int same[3] = {0};
  for (int i = 0; i < 30; ++i) {
    same[0] += a[i] == i;
    same[1] += a[i] == b[i] - 30;
    same[2] += a[i] == c[i];
  }
  for (int k = 0; k < 3; ++k) CHECK(same[k] < 8);
  setting_free(&s);
}

/* ---- kinds ----------------------------------------------------------------------------------- */

/* Seeds of a batch in order of parts; inside a part as in the stream. */
static void check_parts(void) {
  setting s = setting_make(1);
  for (int64_t step = 0; step < 20; ++step) {
    int64_t ids[12], stream[12], offsets[V + 1];
    trm_graph_loader_options o = s.o;
    CHECK_OK(samples_of(&s, o, step, ids, offsets));
    s.neighbor.partition = NULL;
    CHECK_OK(samples_of(&s, o, step, stream, offsets));
    s.neighbor.partition = s.partition;
    int64_t at = 0;
    for (int k = 0; k < s.partition->n_parts; ++k) {
      for (int i = 0; i < 12; ++i) {
        if (s.partition->part_of[s.neighbor.train.ids[stream[i] % 30]] == k)
          CHECK_EQ(ids[at++], stream[i]);
      }
    }
    CHECK_EQ(at, 12);
  }
  setting_free(&s);
}

static int64_t cost_of(const setting *s, int64_t sample) {
  const int64_t k = sample % s->set.train.n, begin = s->r.graphs[k], end = s->r.graphs[k + 1];
  return 1 + end - begin + s->r.offsets[end] - s->r.offsets[begin];
}

/* Packing: by going through the definition, dearest first to the block with the least. */
static void check_packing(void) {
  setting s = setting_make(5);
  for (int64_t batch = 1; batch <= 40; batch += 3) {
    trm_graph_loader_options o = s.o, flat = s.o;
    o.batch = flat.batch = batch;
    flat.n_blocks = 1;
    for (int64_t step = 0; step < 6; ++step) {
      int64_t ids[40], offsets[V + 1], stream[40], unused[2], load[V] = {0}, wanted[V] = {0};
      bool done[40] = {false};
      CHECK_OK(samples_of(&s, o, step, ids, offsets));
      CHECK_OK(samples_of(&s, flat, step, stream, unused)); /* rising */
      for (int64_t n = 0; n < batch; ++n) {
        int64_t dearest = -1, least = 0;
        for (int64_t i = 0; i < batch; ++i) {
          if (done[i]) continue;
          if (dearest < 0 || cost_of(&s, stream[i]) > cost_of(&s, stream[dearest])) dearest = i;
        }
        for (int64_t b = 1; b < V; ++b) {
          if (load[b] < load[least]) least = b;
        }
        done[dearest] = true;
        load[least] += cost_of(&s, stream[dearest]);
      }
      /* Among graphs of one cost the order is the stream's, not known here: loads must agree. */
      for (int64_t b = 0; b < V; ++b) {
        for (int64_t i = offsets[b]; i < offsets[b + 1]; ++i) wanted[b] += cost_of(&s, ids[i]);
        CHECK_EQ(wanted[b], load[b]);
      }
    }
  }
  setting_free(&s);
}

/* Negatives of one user are uniform over the items that user has not. */
static void check_negatives(void) {
  setting s = setting_make(6);
  trm_graph_loader_options o = s.o;
  o.end_step = 4000;
  trm_graph_loader *l = loader_of(&s, &o);
  static int64_t seen[40], free_items[40];
  const int64_t user = 4;
  int64_t n_free = 0;
  for (int64_t step = 0; step < o.end_step; ++step) {
    trm_graph_step b;
    if (!CHECK_OK(trm_graph_loader_next(l, &b))) break;
    for (int64_t t = 0; t < b.batch.triplets->n; ++t) {
      const int32_t *order = s.partition->order, *rows = b.batch.collection->rows;
      if (order[rows[b.batch.triplets->users[t]]] != user) continue;
      ++seen[order[rows[b.batch.triplets->negatives[t]]] - s.r.n_users];
    }
  }
  for (int64_t i = 0; i < 40; ++i) {
    if (!has_item(&s.r.pairs, user, i)) free_items[n_free++] = seen[i];
  }
  const double x = chi_square(free_items, n_free), freedom = (double)n_free - 1;
  CHECK(n_free > 10 && n_free < 40);
  CHECK(fabs(x - freedom) < 4 * sqrt(2 * freedom));
  trm_graph_loader_destroy(&l);
  /* A user without anything left is named. */
  for (int64_t e = 0; e < 40; ++e) s.r.items[e] = (int32_t)e;
  for (int u = 0; u <= 23; ++u) s.r.train_offsets[u] = u == 0 ? 0 : 40;
  s.r.pairs.n_edges = 40;
  o = bind(&s, o);
  CHECK_EQ(trm_graph_loader_create(&o, &l), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "random: user 0 has all 40 items");
  setting_free(&s);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* At any moment, and at once, also in the middle of a batch that takes long. */
static void check_destroy(void) {
  const double start = trm_clock_s();
  for (int i = 0; i < 140; ++i) {
    setting s = setting_make(i % N_KINDS);
    trm_graph_loader_options o = s.o;
    trm_graph_step b;
    o.end_step = i % 3 ? INT64_C(1) << 40 : 1;
    trm_graph_loader *l = loader_of(&s, &o);
    for (int n = 0; n < i % 4 && (i % 3 || n < 1); ++n) CHECK_OK(trm_graph_loader_next(l, &b));
    if (i % 35 == 0) trm_sleep_s(0.01);
    trm_graph_loader_destroy(&l);
    CHECK(l == NULL);
    setting_free(&s);
  }
  setting s = setting_make(0);
  trm_graph_loader_options o = s.o;
  o.batch = 400000;
  o.n_blocks = o.n_local = 400;
  s.neighbor.neighbors = (trm_neighbor_options){.n_hops = 2, .fanout = {100, 100}, .replace = true};
  o.end_step = 10; /* each of seconds */
  trm_graph_loader *l = loader_of(&s, &o);
  trm_sleep_s(0.05);
  const double before = trm_clock_s();
  trm_graph_loader_destroy(&l);
  CHECK(trm_clock_s() - before < 1.5);
  setting_free(&s);
  trm_graph_loader_destroy(&l);
  CHECK(trm_clock_s() - start < 60);
}

/* A batch stays as it is until the next call; once buffers are there none are taken. */
static void check_validity(void) {
  for (int which = 0; which < N_KINDS; ++which) {
    setting s = setting_make(which);
    trm_graph_loader_options o = s.o;
    o.end_step = 120;
    const int64_t live = trm_alloc_counts_get().live_blocks;
    trm_graph_loader *l = loader_of(&s, &o);
    const int64_t taken = trm_alloc_counts_get().total_blocks;
    for (int64_t step = 0; step < o.end_step; ++step) {
      trm_graph_step b;
      uint64_t kept[V];
      if (!CHECK_OK(trm_graph_loader_next(l, &b))) break;
      for (int64_t k = 0; k < V; ++k) kept[k] = hash_of(&b.blocks[k]);
      if (step % 40 == 0) trm_sleep_s(0.01);
      for (int64_t k = 0; k < V; ++k) CHECK_EQ(hash_of(&b.blocks[k]), kept[k]);
    }
    CHECK_EQ(trm_alloc_counts_get().total_blocks, taken);
    trm_graph_loader_destroy(&l);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    setting_free(&s);
  }
}

/* Memory that the thread cannot get is a failure of the caller's, at that step and ever after; steps
 * before it come. With all neighbours taken, buffers grow as they are needed. */
static void check_failure(int n_threads) {
  setting s = setting_make(0);
  trm_graph_loader_options o = s.o;
  o.n_threads = n_threads;
  s.neighbor.neighbors.fanout[0] = -1;
  o.end_step = 1000;
  o.depth = n_threads;
  o = bind(&s, o);
  const int64_t live = trm_alloc_counts_get().live_blocks;
  bool failed = false;
  for (int64_t n = 0; n < 400; n += 5) {
    trm_graph_loader *l = NULL;
    trm_graph_step b;
    trm_alloc_fail_after(n);
    trm_status status = trm_graph_loader_create(&o, &l);
    for (int64_t step = 0; l && step < 20 && status == TRM_OK; ++step) {
      status = trm_graph_loader_next(l, &b);
      if (status == TRM_OK) CHECK_EQ(b.step, step);
    }
    trm_alloc_fail_after(-1);
    if (status != TRM_OK) {
      CHECK_EQ(status, TRM_ERR_MEMORY);
      CHECK_HAS(trm_message(), "no memory for");
    }
    if (status != TRM_OK && l) {
      failed = true;
      trm_message_set("something else");
      CHECK_EQ(trm_graph_loader_next(l, &b), TRM_ERR_MEMORY);
      CHECK_HAS(trm_message(), "no memory for");
    }
    trm_graph_loader_destroy(&l);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    if (status == TRM_OK) break;
  }
  CHECK(failed);
  setting_free(&s);
}

static void check_create_failures(void) {
  for (int which = 0; which < N_KINDS; ++which) {
    setting s = setting_make(which);
    s.o = bind(&s, s.o);
    const int64_t live = trm_alloc_counts_get().live_blocks;
    int64_t n = 0;
    for (;; ++n) {
      trm_graph_loader *l = NULL;
      trm_alloc_fail_after(n);
      const trm_status status = trm_graph_loader_create(&s.o, &l); /* no steps */
      trm_alloc_fail_after(-1);
      trm_graph_loader_destroy(&l);
      CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
      if (status == TRM_OK || n > 1000) break;
      CHECK_EQ(status, TRM_ERR_MEMORY);
    }
    CHECK(n > 10 && n <= 1000);
    setting_free(&s);
  }
}

static void check_bounds_of(setting *s, trm_graph_loader_options o) {
  trm_graph_bounds bounds;
  o.end_step = 40;
  o = bind(s, o);
  trm_graph_loader *l = loader_of(s, &o);
  CHECK_OK(trm_graph_loader_bounds(&o, &bounds));
  for (int64_t step = 0; step < o.end_step; ++step) {
    trm_graph_step b;
    CHECK_OK(trm_graph_loader_next(l, &b));
    for (int64_t k = 0; k < o.n_local; ++k) check_within(&b.blocks[k], &bounds);
  }
  trm_graph_loader_destroy(&l);
}

/* Where bounds are all but reached: every node and many of them again, a graph to almost each block. */
static void check_bounds(void) {
  setting s = setting_make(0);
  int32_t all[90];
  for (int i = 0; i < 90; ++i) all[i] = i;
  trm_graph_loader_options o = s.o;
  s.neighbor.train = (trm_ids){all, 90};
  o.batch = 180;
  o.n_blocks = o.n_local = 1;
  s.neighbor.neighbors.fanout[0] = s.neighbor.neighbors.fanout[1] = -1;
  check_bounds_of(&s, o);
  o.batch = 70; /* lies across seams now and then */
  check_bounds_of(&s, o);
  setting_free(&s);
  s = setting_make(5);
  o = s.o;
  o.batch = 31;
  o.n_blocks = o.n_local = 30;
  check_bounds_of(&s, o);
  o.n_blocks = o.n_local = 31;
  check_bounds_of(&s, o);
  setting_free(&s);
}

/* ---- options --------------------------------------------------------------------------------- */

static void expect_refused_as_it_is(const trm_graph_loader_options *o, trm_status status,
                                    const char *part) {
  trm_graph_loader *l = NULL;
  trm_graph_bounds bounds;
  CHECK_EQ(trm_graph_loader_create(o, &l), status);
  CHECK(l == NULL);
  CHECK_HAS(trm_message(), part);
  CHECK_EQ(trm_graph_loader_bounds(o, &bounds), status);
}

static void expect_refused(setting *s, trm_graph_loader_options o, trm_status status,
                           const char *part) {
  o = bind(s, o);
  expect_refused_as_it_is(&o, status, part);
}

static void check_options(void) {
  setting s = setting_make(0), clusters = setting_make(3), pairs = setting_make(6), t;
  trm_graph_loader_options o = s.o;
  o.batch = 0, expect_refused(&s, o, TRM_ERR_ARG, "batch 0 in 5 blocks");
  o = s.o, o.first_block = 1, expect_refused(&s, o, TRM_ERR_ARG, "of them [1, 6)");
  o = s.o, o.end_step = INT64_MAX, expect_refused(&s, o, TRM_ERR_ARG, "steps [0, ");
  o = s.o, o.depth = 0, expect_refused(&s, o, TRM_ERR_ARG, "depth 0");
  o = s.o, o.n_threads = 0, expect_refused(&s, o, TRM_ERR_ARG, "0 threads");
  t = s, t.neighbor.train.n = 0;
  expect_refused(&t, t.o, TRM_ERR_DATA, "random: there are no samples");
  o = bind(&s, s.o), o.way.name = "neighbour";
  expect_refused_as_it_is(
      &o, TRM_ERR_ARG, "no way of batching 'neighbour'; there are neighbor, cluster, set, pairs");
  o = bind(&s, s.o), o.way.options = NULL;
  expect_refused_as_it_is(&o, TRM_ERR_ARG, "'neighbor' without options");
  t = s, t.neighbor.partition = pairs.partition;
  expect_refused(&t, t.o, TRM_ERR_ARG, "the partition has 63 nodes, the graph 90");
  t = clusters, t.cluster.clusters = NULL;
  expect_refused(&t, t.o, TRM_ERR_ARG, "a partition is needed");
  t = clusters, t.cluster.clusters = pairs.partition;
  expect_refused(&t, t.o, TRM_ERR_ARG, "the partition has 63 nodes, the graph 90");
  t = pairs, t.pair.partition = NULL;
  expect_refused(&t, t.o, TRM_ERR_ARG, "a partition is needed");
  o = pairs.o, o.n_blocks = 6;
  expect_refused(&pairs, o, TRM_ERR_ARG, "has 5 parts, expected one for each of 6 blocks");
  s.r.g.dense = NULL;
  expect_refused(&s, s.o, TRM_ERR_ARG, "must be fetched");
  setting_free(&s);
  setting_free(&clusters);
  setting_free(&pairs);
  s = setting_make(1);
  t = s, t.neighbor.fetched = true,
  expect_refused(&t, t.o, TRM_ERR_ARG, "sparse features cannot be fetched");
  setting_free(&s);
}

/* No hop at all, a rank without blocks, more blocks than samples. */
static void check_edges(void) {
  setting s = setting_make(0);
  trm_graph_loader_options o = s.o;
  trm_graph_step b;
  s.neighbor.neighbors.n_hops = 0;
  o.batch = 2;
  o.end_step = 9;
  trm_graph_loader *l = loader_of(&s, &o);
  for (int64_t step = 0; step < 9; ++step) {
    int64_t n = 0;
    CHECK_OK(trm_graph_loader_next(l, &b));
    for (int64_t k = 0; k < V; ++k) {
      CHECK_EQ(b.blocks[k].subgraph.n_inputs, b.blocks[k].n_samples);
      CHECK_EQ(b.blocks[k].n_targets, b.blocks[k].n_samples);
      n += b.blocks[k].n_samples;
    }
    CHECK_EQ(n, 2);
  }
  trm_graph_loader_destroy(&l);
  o.first_block = V;
  o.n_local = 0;
  l = loader_of(&s, &o);
  CHECK_OK(trm_graph_loader_next(l, &b));
  CHECK_EQ(b.n_local, 0);
  trm_graph_loader_destroy(&l);
  setting_free(&s);
}

/* ---- passes without a loader ----------------------------------------------------------------- */

/* Graphs side by side as a block has them, with all edges; one that comes twice has its rows twice. */
static void check_passes(void) {
  static const int32_t chosen[5] = {4, 30, 9, 4, 17};
  for (int sparse = 0; sparse < 2; ++sparse) {
    random_graph r;
    random_graph_set(&r, 31);
    random_graph_features(&r, 3, sparse, false);
    const int64_t live = trm_alloc_counts_get().live_blocks;
    const trm_graph_set set = random_graph_as_set(&r);
    trm_set_passes *passes = NULL;
    if (!CHECK_OK(trm_set_passes_create(&set, 2, &passes))) exit(1);
    for (int64_t n = 0; n <= 5; ++n) {
      trm_graph_batch b;
      int64_t rows = 0, n_edges = 0;
      if (!CHECK_OK(trm_set_passes_make(passes, chosen, n, &b))) break;
      CHECK_EQ(b.n_graphs, n);
      CHECK_EQ(b.n_hops, 2);
      for (int64_t i = 0; i < n; ++i) {
        CHECK_EQ(b.graphs[i], rows);
        CHECK_EQ(b.targets[i], r.labels[chosen[i]]);
        for (int64_t v = r.graphs[chosen[i]]; v < r.graphs[chosen[i] + 1]; ++v) {
          CHECK_EQ(b.features.ids[rows++], v);
          n_edges += r.offsets[v + 1] - r.offsets[v];
        }
      }
      CHECK_EQ(b.features.n_rows, rows);
      CHECK_EQ(b.hops[0].in.n_edges, n_edges);
      CHECK((b.features.sparse != NULL) == sparse && (b.features.dense != NULL) == !sparse);
    }
    trm_set_passes_destroy(&passes);
    CHECK(passes == NULL);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    for (int64_t n = 0;; ++n) {
      trm_alloc_fail_after(n);
      const trm_status status = trm_set_passes_create(&set, 2, &passes);
      trm_alloc_fail_after(-1);
      trm_set_passes_destroy(&passes);
      CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
      if (status == TRM_OK || !CHECK(n < 20)) break;
      CHECK_EQ(status, TRM_ERR_MEMORY);
    }
    random_graph_free(&r);
  }
}

int main(void) {
  check_ranks();
  check_seek();
  check_order();
  check_parts();
  check_packing();
  check_negatives();
  check_destroy();
  check_validity();
  check_failure(1);
  check_failure(3);
  check_create_failures();
  check_bounds();
  check_options();
  check_edges();
  check_passes();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
