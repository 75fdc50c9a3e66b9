/* prepare synth --graph: what was asked for is what the file holds, and classes can be learned. */
#include <math.h>

#include "input_fixture.h"
#include "trireme/input/node_data.h"
#include "trireme/prepare/graphs.h"

static const char *folder;

/* More nodes than a piece of features has. */
static trm_prepare_synthetic_graph_options usual(const char *model) {
  return (trm_prepare_synthetic_graph_options){.output = fixture_path(folder, "synth.h5"),
                                               .model = model,
                                               .n_nodes = 6001,
                                               .n_edges = 60000,
                                               .n_classes = 7,
                                               .n_features = 16,
                                               .homophily = 0.8,
                                               .noise = 1,
                                               .seed = 1};
}

static trm_node_data *make(const trm_prepare_synthetic_graph_options *o, trm_graph_counts *counts) {
  trm_node_data *g = NULL;
  if (!CHECK_OK(trm_prepare_synthetic_graph(o, counts))) exit(1);
  if (!CHECK_OK(trm_node_data_open(o->output, NULL, true, &g))) exit(1);
  CHECK_EQ(g->graph.n_nodes, o->n_nodes);
  CHECK_EQ(g->classes.n, o->n_classes);
  CHECK_EQ(g->graph.n_features, o->n_features);
  CHECK(g->graph.symmetric);
  CHECK_EQ(g->graph.in.n_edges + 2 * (counts->self_loops + counts->duplicates), 2 * o->n_edges);
  return g;
}

/* Equally many nodes in every class, and no class at one end of the ids. */
static void check_labels(const trm_node_data *g) {
  int64_t *n = calloc((size_t)g->classes.n * 2, sizeof *n);
  if (!n) exit(1);
  for (int64_t i = 0; i < g->graph.n_nodes; ++i) {
    ++n[2 * g->classes.labels[i]];
    n[2 * g->classes.labels[i] + 1] += i < g->graph.n_nodes / 2;
  }
  for (int c = 0; c < g->classes.n; ++c) {
    CHECK(n[2 * c] == g->graph.n_nodes / g->classes.n ||
          n[2 * c] == g->graph.n_nodes / g->classes.n + 1);
    if (g->graph.n_nodes > 1000) {
      CHECK_NEAR((double)n[2 * c + 1] / (double)n[2 * c], 0.5, 0.1);
    }
  }
  free(n);
}

static double share_inside(const trm_node_data *g) {
  int64_t inside = 0;
  for (int64_t i = 0; i < g->graph.n_nodes; ++i) {
    for (int64_t e = g->graph.in.offsets[i]; e < g->graph.in.offsets[i + 1]; ++e) {
      inside += g->classes.labels[g->graph.in.columns[e]] == g->classes.labels[i];
    }
  }
  return (double)inside / (double)g->graph.in.n_edges;
}

/* Mean of each class over its nodes, [C, F]; a node's own class by nearest mean, of its own features
 * or of its neighbours' mean. */
static double *class_means(const trm_node_data *g) {
  const int64_t F = g->graph.n_features;
  double *means = calloc((size_t)(g->classes.n * F), sizeof *means);
  int64_t *n = calloc((size_t)g->classes.n, sizeof *n);
  if (!means || !n) exit(1);
  for (int64_t i = 0; i < g->graph.n_nodes; ++i) {
    ++n[g->classes.labels[i]];
    for (int64_t f = 0; f < F; ++f)
      means[g->classes.labels[i] * F + f] += (double)g->graph.dense[i * F + f];
  }
  for (int64_t k = 0; k < g->classes.n * F; ++k) means[k] /= (double)n[k / F];
  free(n);
  return means;
}

static int nearest(const double *means, int C, int64_t F, const double *x) {
  int best = 0;
  double least = INFINITY;
  for (int c = 0; c < C; ++c) {
    double d = 0;
    for (int64_t f = 0; f < F; ++f) d += (x[f] - means[c * F + f]) * (x[f] - means[c * F + f]);
    if (d < least) least = d, best = c;
  }
  return best;
}

static void check_learnable(const trm_node_data *g, double least_by_neighbors) {
  const int64_t F = g->graph.n_features;
  double *means = class_means(g), x[64];
  int64_t own = 0, neighbors = 0;
  for (int64_t i = 0; i < g->graph.n_nodes; ++i) {
    for (int64_t f = 0; f < F; ++f) x[f] = (double)g->graph.dense[i * F + f];
    own += nearest(means, g->classes.n, F, x) == g->classes.labels[i];
    for (int64_t f = 0; f < F; ++f) {
      x[f] = 0;
      for (int64_t e = g->graph.in.offsets[i]; e < g->graph.in.offsets[i + 1]; ++e) {
        x[f] += (double)g->graph.dense[g->graph.in.columns[e] * F + f];
      }
      x[f] /= fmax((double)(g->graph.in.offsets[i + 1] - g->graph.in.offsets[i]), 1);
    }
    neighbors += nearest(means, g->classes.n, F, x) == g->classes.labels[i];
  }
  const double n = (double)g->graph.n_nodes;
  CHECK((double)own / n > 1.5 / g->classes.n && (double)own / n < 0.6);
  CHECK((double)neighbors / n > least_by_neighbors);
  free(means);
}

/* Lengths of the centres, deviation around them, and tails that are bell-like. */
static void check_features(const trm_node_data *g, double noise) {
  const int64_t F = g->graph.n_features, n = g->graph.n_nodes * F;
  double *means = class_means(g), squares = 0, fourth = 0, length = 0;
  for (int64_t k = 0; k < n; ++k) {
    const double d = (double)g->graph.dense[k] - means[g->classes.labels[k / F] * F + k % F];
    squares += d * d;
    fourth += d * d * d * d;
  }
  for (int64_t k = 0; k < g->classes.n * F; ++k) length += means[k] * means[k];
  CHECK_NEAR(sqrt(squares / (double)n), noise, 0.01 * noise + 1e-6);
  CHECK_NEAR(sqrt(length / g->classes.n), 1, 0.2);
  if (noise > 0) CHECK_NEAR(fourth / (double)n / pow(squares / (double)n, 2), 3, 0.25);
  free(means);
}

static void check_splits(const trm_node_data *g) {
  const int64_t n = g->graph.n_nodes;
  const int64_t ends[2][4] = {{0, n * 60 / 100, n * 80 / 100, n},
                              {0, n * 10 / 100, n * 15 / 100, n * 20 / 100}};
  CHECK_EQ(g->n_splits, 2);
  for (int s = 0; s < 2; ++s) {
    for (int p = 0; p < TRM_N_SUBSETS; ++p) {
      trm_ids ids;
      CHECK_OK(trm_node_data_split(g, s, (trm_subset)p, &ids));
      CHECK_EQ(ids.n, ends[s][p + 1] - ends[s][p]);
    }
  }
}

static void check_blocks(void) {
  trm_prepare_synthetic_graph_options o = usual("blocks");
  static const double homophilies[] = {0, 0.3, 0.8, 1};
  trm_graph_counts counts;
  for (int h = 0; h < 4; ++h) {
    o.homophily = homophilies[h];
    trm_node_data *g = make(&o, &counts);
    /* 60,000 draws: the deviation is at most 0.002. Repeated edges are more often inside. */
    CHECK_NEAR(share_inside(g), o.homophily, homophilies[h] == 0 || homophilies[h] == 1 ? 0 : 0.01);
    CHECK(counts.duplicates < o.n_edges / 50);
    check_labels(g);
    check_features(g, 1);
    check_splits(g);
    if (o.homophily == 0.8) check_learnable(g, 0.9);
    trm_node_data_close(&g);
  }
  o.noise = 0;
  trm_node_data *g = make(&o, &counts);
  check_features(g, 0);
  trm_node_data_close(&g);
}

static int64_t most_edges(const trm_node_data *g) {
  int64_t most = 0;
  for (int64_t i = 0; i < g->graph.n_nodes; ++i) {
    const int64_t degree = g->graph.in.offsets[i + 1] - g->graph.in.offsets[i];
    if (degree > most) most = degree;
  }
  return most;
}

/* With one class there is no other one to go to. */
static void check_one_class(void) {
  trm_prepare_synthetic_graph_options o = usual("blocks");
  trm_graph_counts counts;
  o.n_classes = 1;
  o.homophily = 0;
  trm_node_data *g = make(&o, &counts);
  CHECK(most_edges(g) < 60); /* 20 in the mean, deviation 4.5 */
  trm_node_data_close(&g);
}

/* Ends of an R-MAT edge are equal when every level falls in a quadrant of the diagonal, 0.62^13 of
 * all; about as many where places past the last are drawn again. */
static void check_quadrants(void) {
  trm_prepare_synthetic_graph_options o = usual("powerlaw");
  trm_graph_counts counts;
  o.homophily = 0;
  for (int64_t n = 8192; n > 5000; n = n == 8192 ? 6001 : 0) {
    o.n_nodes = n;
    trm_node_data *g = make(&o, &counts);
    CHECK_NEAR(counts.self_loops, 60000 * pow(0.62, 13), n == 8192 ? 45 : 60);
    trm_node_data_close(&g);
  }
}

static void check_powerlaw(void) {
  trm_prepare_synthetic_graph_options o = usual("powerlaw");
  trm_graph_counts counts;
  trm_node_data *g = make(&o, &counts);
  check_labels(g);
  check_features(g, 1);
  check_splits(g);
  const double inside = share_inside(g);
  CHECK(inside > 0.78 && inside < 0.88);
  /* Most nodes have few edges and a few have very many; ids do not tell which. */
  int64_t few = 0, first_half = 0;
  for (int64_t i = 0; i < g->graph.n_nodes; ++i) {
    const int64_t degree = g->graph.in.offsets[i + 1] - g->graph.in.offsets[i];
    few += degree < 10;
    first_half += i < g->graph.n_nodes / 2 ? degree : 0;
  }
  CHECK(most_edges(g) > 40 * g->graph.in.n_edges / g->graph.n_nodes);
  CHECK(few > g->graph.n_nodes / 2);
  CHECK_NEAR((double)first_half / (double)g->graph.in.n_edges, 0.5, 0.1);
  check_learnable(g, 0.7);
  trm_node_data_close(&g);
  o.homophily = 0; /* what is inside a class is chance */
  g = make(&o, &counts);
  CHECK_NEAR(share_inside(g), 1.0 / 7, 0.05);
  trm_node_data_close(&g);
}

static void check_repeatable(const char *model) {
  trm_prepare_synthetic_graph_options o = usual(model);
  trm_graph_counts counts;
  trm_node_data *a = make(&o, &counts), *b = make(&o, &counts);
  CHECK_EQ(a->graph.digest, b->graph.digest);
  o.seed = 2;
  trm_node_data *c = make(&o, &counts);
  CHECK(a->graph.digest != c->graph.digest);
  CHECK(memcmp(a->graph.in.columns, c->graph.in.columns, 1000 * sizeof(int32_t)) != 0);
  CHECK(memcmp(a->graph.dense, c->graph.dense, 1000 * sizeof(float)) != 0);
  CHECK(memcmp(a->classes.labels, c->classes.labels, 1000 * sizeof(int32_t)) != 0);
  trm_node_data_close(&a);
  trm_node_data_close(&b);
  trm_node_data_close(&c);
}

static void check_odd_sizes(const char *model) {
  static const struct {
    int64_t n_nodes, n_edges;
    int n_classes;
    int64_t n_features;
  } sizes[] = {{20, 0, 1, 1}, {20, 50, 20, 3}, {33, 7, 2, 0}, {64, 3000, 5, 1}, {65, 100, 64, 2}};
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; ++s) {
    trm_prepare_synthetic_graph_options o = usual(model);
    o.n_nodes = sizes[s].n_nodes;
    o.n_edges = sizes[s].n_edges;
    o.n_classes = sizes[s].n_classes;
    o.n_features = sizes[s].n_features;
    trm_graph_counts counts;
    trm_node_data *g = make(&o, &counts);
    check_labels(g);
    check_splits(g);
    trm_node_data_close(&g);
  }
}

static void check_refused(trm_prepare_synthetic_graph_options o, const char *part) {
  trm_graph_counts counts;
  o.output = fixture_path(folder, "none.h5");
  CHECK_EQ(trm_prepare_synthetic_graph(&o, &counts), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(), part);
  CHECK(access(o.output, F_OK) != 0);
}

static void check_failures(void) {
  trm_prepare_synthetic_graph_options o = usual("block");
  check_refused(o, "no model 'block' (did you mean 'blocks'?); there are");
#define REFUSE(field, value, part)                                                                 \
  o = usual("powerlaw");                                                                           \
  o.field = value;                                                                                 \
  check_refused(o, part)
  REFUSE(n_nodes, 19, "nodes is 19, allowed from 20 to 2147483647");
  REFUSE(n_nodes, INT64_C(1) << 31, "nodes is 2147483648");
  REFUSE(n_edges, -1, "edges is -1");
  REFUSE(n_classes, 0, "classes is 0");
  REFUSE(n_classes, 6002, "classes is 6002, allowed from 1 to 6001");
  REFUSE(n_features, -1, "features is -1");
  REFUSE(homophily, 1.5, "homophily is 1.5, allowed from 0 to 1");
  REFUSE(homophily, (double)NAN, "homophily is nan");
  REFUSE(noise, -0.1, "noise is -0.1");
#undef REFUSE
  o = usual("powerlaw");
  o.n_nodes = 50;
  o.n_edges = 100;
  o.output = fixture_path(folder, "alloc.h5");
  trm_graph_counts counts;
  const int64_t live = trm_alloc_counts_get().live_blocks;
  int n = 0;
  for (;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status = trm_prepare_synthetic_graph(&o, &counts);
    trm_alloc_fail_after(-1);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    if (status == TRM_OK || n > 200) break;
    CHECK_EQ(status, TRM_ERR_MEMORY);
    CHECK(access(o.output, F_OK) != 0);
  }
  CHECK(n > 10 && n <= 200);
}

int main(void) {
  folder = check_temp_folder();
  check_blocks();
  check_one_class();
  check_powerlaw();
  check_quadrants();
  check_repeatable("blocks");
  check_repeatable("powerlaw");
  check_odd_sizes("blocks");
  check_odd_sizes("powerlaw");
  check_failures();
  return fixture_end(folder);
}
