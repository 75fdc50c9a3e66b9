/* Published graphs, when the data are there: prepared from their text, the counts of their pages. */
#include "graph_fixture.h"
#include "trireme/prepare/graphs.h"

static char data[4200];
static const char *folder;

static const char *in(const char *set, const char *name) {
  static char path[64][4400];
  static int next;
  char *out = path[next++ % 64];
  snprintf(out, sizeof path[0], "%s/%s/%s", data, set, name);
  return out;
}

static trm_node_data *prepared(trm_prepare_graph_options o, trm_graph_counts *counts) {
  trm_node_data *d = NULL;
  o.output = fixture_path(folder, "data.h5");
  if (!CHECK_OK(trm_prepare_graph(&o, counts))) exit(1);
  if (!CHECK_OK(trm_node_data_open(o.output, NULL, true, &d))) exit(1);
  return d;
}

static trm_graph_set *prepared_set(trm_prepare_graph_options o, trm_graph_counts *counts) {
  trm_graph_set *set = NULL;
  o.output = fixture_path(folder, "data.h5");
  if (!CHECK_OK(trm_prepare_graph_set(&o, counts))) exit(1);
  if (!CHECK_OK(trm_graph_set_open(o.output, NULL, true, &set))) exit(1);
  return set;
}

static trm_prepare_graph_options tables(const char *set) {
  return (trm_prepare_graph_options){.edges = in(set, "edges.tsv"),
                                     .labels = in(set, "labels.tsv")};
}

static void check_sizes(const trm_graph *g, int64_t nodes, int64_t edges, int64_t features,
                        int64_t values) {
  CHECK_EQ(g->n_nodes, nodes);
  CHECK_EQ(g->in.n_edges, 2 * edges);
  CHECK(g->symmetric);
  CHECK_EQ(g->n_features, features);
  CHECK_EQ(g->features.n_edges, values);
}

static void check_subsets(const trm_node_data *g, int split, int64_t train, int64_t valid,
                          int64_t test) {
  CHECK_EQ(g->splits[split * TRM_N_SUBSETS + TRM_SUBSET_TRAIN].n, train);
  CHECK_EQ(g->splits[split * TRM_N_SUBSETS + TRM_SUBSET_VALID].n, valid);
  CHECK_EQ(g->splits[split * TRM_N_SUBSETS + TRM_SUBSET_TEST].n, test);
}

static void ten_splits(const char *set, const char *splits[10]) {
  for (int s = 0; s < 10; ++s) {
    char name[32];
    snprintf(name, sizeof name, "split_%02d.tsv", s);
    splits[s] = in(set, name);
  }
}

static void check_cora(void) {
  trm_graph_counts c;
  trm_prepare_graph_options o = tables("cora");
  o.features = in("cora", "features.tsv");
  o.train = in("cora", "train.txt"), o.valid = in("cora", "val.txt"),
  o.test = in("cora", "test.txt");
  trm_node_data *g = prepared(o, &c);
  check_sizes(&g->graph, 2708, 5278, 1433, 49216);
  CHECK_EQ(g->classes.n, 7);
  CHECK(g->graph.features.values == NULL);
  check_subsets(g, 0, 140, 500, 1000);
  CHECK_EQ(c.self_loops + c.duplicates + c.isolated + c.unlabelled + c.empty_features, 0);
  int64_t of_class[7] = {0};
  for (int i = 0; i < 140; ++i) ++of_class[g->classes.labels[g->splits[0].ids[i]]];
  for (int k = 0; k < 7; ++k) CHECK_EQ(of_class[k], 20);
  trm_node_data_close(&g);
  o.row_normalize = true;
  g = prepared(o, &c);
  for (int64_t r = 0; r < g->graph.n_nodes; ++r) {
    double sum = 0;
    for (int64_t e = g->graph.features.offsets[r]; e < g->graph.features.offsets[r + 1]; ++e) {
      sum += (double)g->graph.features.values[e];
    }
    CHECK_NEAR_AT(sum, 1, 1e-5, r);
  }
  trm_node_data_close(&g);
}

static void check_photo(void) {
  trm_graph_counts c;
  trm_prepare_graph_options o = tables("amazon-photo");
  const char *splits[10];
  ten_splits("amazon-photo", splits);
  o.features = in("amazon-photo", "features.tsv");
  o.classes = in("amazon-photo", "classes.tsv");
  o.splits = splits, o.n_splits = 10;
  trm_node_data *g = prepared(o, &c);
  check_sizes(&g->graph, 7650, 119081, 745, 1979909);
  CHECK_EQ(g->classes.n, 8);
  CHECK(memcmp(g->classes.names.bytes, "Film Photography", 16) == 0);
  for (int s = 0; s < 10; ++s) check_subsets(g, s, 160, 240, 7087);
  trm_node_data_close(&g);
  o.keep_file = in("amazon-photo", "lcc.txt");
  g = prepared(o, &c);
  CHECK_EQ(g->graph.n_nodes, 7487);
  CHECK_EQ(g->graph.in.n_edges, 2 * 119043);
  CHECK_EQ(c.isolated, 0);
  for (int s = 0; s < 10; ++s) check_subsets(g, s, 160, 240, 7087);
  trm_node_data_close(&g);
}

static void check_minesweeper(void) {
  trm_graph_counts c;
  trm_prepare_graph_options o = tables("minesweeper");
  const char *splits[10];
  ten_splits("minesweeper", splits);
  o.features_dense = in("minesweeper", "features_dense.tsv");
  o.splits = splits, o.n_splits = 10;
  trm_node_data *g = prepared(o, &c);
  check_sizes(&g->graph, 10000, 39402, 7, 0);
  CHECK_EQ(g->classes.n, 2);
  for (int s = 0; s < 10; ++s) check_subsets(g, s, 5000, 2500, 2500);
  int64_t mines = 0;
  for (int64_t i = 0; i < g->graph.n_nodes; ++i) mines += g->classes.labels[i];
  CHECK_EQ(mines, 2000);
  CHECK_NEAR(g->graph.dense[2], 1, 0);
  trm_node_data_close(&g);
}

static void check_sets(void) {
  trm_graph_counts c;
  trm_prepare_graph_options o = {.nodes = in("mutag", "nodes.tsv"),
                                 .edges = in("mutag", "edges.tsv"),
                                 .labels = in("mutag", "graph_labels.tsv"),
                                 .folds = in("mutag", "folds.tsv")};
  trm_graph_set *g = prepared_set(o, &c);
  check_sizes(&g->graph, 3371, 3721, 7, 0);
  CHECK_EQ(g->classes.n, 2);
  CHECK_EQ(g->n_graphs, 188);
  CHECK_EQ(g->n_folds, 10);
  int64_t ones = 0;
  for (int64_t i = 0; i < 188; ++i) ones += g->classes.labels[i];
  CHECK_EQ(ones, 125);
  trm_graph_set_close(&g);
  o = (trm_prepare_graph_options){.nodes = in("enzymes", "nodes.tsv"),
                                  .edges = in("enzymes", "edges.tsv"),
                                  .labels = in("enzymes", "graph_labels.tsv"),
                                  .folds = in("enzymes", "folds.tsv"),
                                  .attributes = in("enzymes", "node_attributes.tsv")};
  g = prepared_set(o, &c);
  check_sizes(&g->graph, 19580, 37282, 21, 0);
  CHECK_EQ(g->classes.n, 6);
  CHECK_EQ(g->n_graphs, 600);
  for (int k = 3; k < 21; ++k) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < g->graph.n_nodes; ++i) {
      const double x = (double)g->graph.dense[i * 21 + k];
      sum += x, squares += x * x;
    }
    CHECK_NEAR_AT(sum / 19580, 0, 1e-5, k);
    CHECK_NEAR_AT(squares / 19580, 1, 1e-4, k);
  }
  trm_graph_set_close(&g);
}

static void check_gowalla(void) {
  trm_graph_counts c;
  trm_interactions *g = NULL;
  const char *out = fixture_path(folder, "gowalla.h5");
  const trm_prepare_interactions_options o = {
      .train = in("gowalla", "train.txt"), .test = in("gowalla", "test.txt"), .output = out};
  CHECK_OK(trm_prepare_interactions(&o, &c));
  if (!CHECK_OK(trm_interactions_open(out, NULL, &g))) exit(1);
  CHECK_EQ(g->n_users, 29858);
  CHECK_EQ(g->n_items, 40981);
  CHECK_EQ(g->train.n_edges, 810128);
  CHECK_EQ(g->test.n_edges, 217242);
  CHECK_EQ(g->graph.in.n_edges, 2 * 810128);
  CHECK_EQ(c.duplicates + c.unlabelled, 0);
  trm_interactions_close(&g);
}

int main(void) {
  const char *named = getenv("TRIREME_DATA");
  if (named && named[0]) {
    snprintf(data, sizeof data, "%s", named);
  } else {
    snprintf(data, sizeof data, "%s/../shared/data", TRM_SOURCE_DIR);
  }
  static const char *const sets[] = {"cora",  "amazon-photo", "minesweeper",
                                     "mutag", "enzymes",      "gowalla"};
  for (int i = 0; i < 6; ++i) {
    if (access(in(sets[i], ""), R_OK) == 0) continue;
    char reason[128];
    snprintf(reason, sizeof reason, "no folder %s in the folder TRIREME_DATA", sets[i]);
    return check_skip(reason);
  }
  folder = check_temp_folder();
  check_cora();
  check_photo();
  check_minesweeper();
  check_sets();
  check_gowalla();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
