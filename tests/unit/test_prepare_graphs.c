/* Graphs from text: what comes out, and the one line of each slip with file, line, column, value. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <sys/stat.h>

#include "../../src/prepare/read/scan_internal.h"
#include "graph_fixture.h"
#include "trireme/prepare/graphs.h"

static const char *folder;

/* A text file by its name in the folder; the path lives on. */
static const char *put(const char *name, const char *text) {
  const char *path = fixture_path(folder, name);
  fixture_file(path, text, strlen(text));
  return path;
}

static trm_node_data *prepare(trm_prepare_graph_options o, trm_graph_counts *counts) {
  trm_node_data *d = NULL;
  o.output = fixture_path(folder, "out.h5");
  if (!CHECK_OK(trm_prepare_graph(&o, counts))) exit(1);
  if (!CHECK_OK(trm_node_data_open(o.output, NULL, true, &d))) exit(1);
  return d;
}

static trm_graph_set *prepare_set(trm_prepare_graph_options o, trm_graph_counts *counts) {
  trm_graph_set *set = NULL;
  o.output = fixture_path(folder, "out.h5");
  if (!CHECK_OK(trm_prepare_graph_set(&o, counts))) exit(1);
  if (!CHECK_OK(trm_graph_set_open(o.output, NULL, true, &set))) exit(1);
  return set;
}

static void same_ids(const char *what, const int32_t *got, int64_t n, const int32_t *want,
                     int64_t n_want) {
  if (!CHECK_EQ(n, n_want)) fprintf(stderr, "  (%s)\n", what);
  for (int64_t i = 0; i < n && i < n_want; ++i) CHECK_EQ(got[i], want[i]);
}
#define SAME(got, n, ...)                                                                          \
  same_ids(#got, got, n, (int32_t[]){__VA_ARGS__},                                                 \
           (int64_t)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)))

/* ---- the scanner ------------------------------------------------------------------------------ */

/* Numbers against strtof, the long and the odd ones too. */
static void check_reals(void) {
  static const char *const good[] = {"0",
                                     "-0",
                                     "1",
                                     "+1.5",
                                     "-2.25e3",
                                     "0.1",
                                     "1e-10",
                                     "3.4028234e38",
                                     "1.17549435e-38",
                                     "1e-45",
                                     "123456789.123456789",
                                     "0.00000000000000000000000000012345",
                                     "9007199254740993",
                                     "1e22",
                                     "1E+23",
                                     "100000000000000000000000",
                                     ".5",
                                     "5.",
                                     "0.30000001192092896",
                                     "1e-400",
                                     "11.000000",
                                     "0.00499937125"};
  static const char *const bad[] = {"nan", "inf",   "-inf",  "1e39", "0x10", "1,5", "1e", "e5",
                                    "--1", "1.2.3", "1e400", "abc",  "-",    ".",   "1-2"};
  char text[256];
  for (size_t i = 0; i < sizeof good / sizeof good[0]; ++i) {
    snprintf(text, sizeof text, "%s\n", good[i]);
    const char *path = put("real.txt", text);
    trm_scan s;
    bool more;
    float x = -1;
    CHECK_OK(trm_scan_open(&s, path, "a number", NULL));
    CHECK_OK(trm_scan_line(&s, false, &more));
    CHECK_OK(trm_scan_real(&s, "value", &x));
    const float want = strtof(good[i], NULL);
    /* Through a double: at most an ulp away. */
    CHECK(x == want || x == nextafterf(want, INFINITY) || x == nextafterf(want, -INFINITY));
    CHECK(signbit(x) == signbit(want));
    CHECK_OK(trm_scan_end(&s));
    (void)trm_scan_close(&s, TRM_OK);
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
    snprintf(text, sizeof text, "# comment\n\n7 %s\n", bad[i]);
    const char *path = put("real.txt", text);
    trm_scan s;
    bool more;
    int64_t id;
    float x;
    CHECK_OK(trm_scan_open(&s, path, "an id and a number", NULL));
    CHECK_OK(trm_scan_line(&s, false, &more));
    CHECK_OK(trm_scan_id(&s, "id", 8, "", &id));
    CHECK_EQ(trm_scan_real(&s, "value", &x), TRM_ERR_DATA);
    CHECK_HAS(trm_message(), "real.txt:3: column 2: value");
    CHECK_HAS(trm_message(), bad[i]);
    (void)trm_scan_close(&s, TRM_ERR_DATA);
  }
}

/* Lines that end in the middle of a piece, without an end, and one longer than a piece. */
static void check_lines(void) {
  const int64_t n = 3000000;
  char *text = malloc((size_t)n + 64);
  if (!text) exit(1);
  int64_t at = 0, n_lines = 0, sum = 0;
  for (int64_t i = 0; at < n / 2; ++i, ++n_lines) {
    at += sprintf(text + at,
                  i % 3 == 0   ? "%d\t%d\r\n"
                  : i % 3 == 1 ? "  %d %d  \n"
                               : "%d\t%d\n",
                  (int)(i % 1000), (int)(i % 77));
    sum += i % 1000 + i % 77;
  }
  const int64_t long_from = at;
  while (at < n) at += sprintf(text + at, "1 ");
  const int64_t n_long = (at - long_from) / 2;
  const char *path = fixture_path(folder, "lines.txt");
  fixture_file(path, text, (size_t)at);
  free(text);
  trm_scan s;
  bool more;
  int64_t got = 0, id, n_got = 0;
  trm_scan_progress progress = {0};
  CHECK_OK(trm_scan_check(path, &progress));
  CHECK_EQ(progress.total, at);
  CHECK_OK(trm_scan_open(&s, path, "ids", &progress));
  for (;;) {
    CHECK_OK(trm_scan_line(&s, false, &more));
    if (!more) break;
    if (n_got++ == n_lines) sum += n_long;
    while (trm_scan_more(&s)) {
      if (!CHECK_OK(trm_scan_id(&s, "id", 1000, "", &id))) exit(1);
      got += id;
    }
  }
  CHECK_EQ(n_got, n_lines + 1);
  CHECK_EQ(got, sum);
  CHECK_EQ(progress.done, at);
  CHECK_EQ(s.line_number, n_lines + 1);
  (void)trm_scan_close(&s, TRM_OK);
}

/* A line's end that is the first byte of the second piece. */
static void check_seam(void) {
  const int64_t piece = 1 << 20;
  char *text = malloc((size_t)piece + 8);
  if (!text) exit(1);
  memset(text, ' ', (size_t)piece);
  text[0] = '1';
  memcpy(text + piece, "\n2\n", 4);
  const char *path = fixture_path(folder, "seam.txt");
  fixture_file(path, text, (size_t)piece + 3);
  free(text);
  trm_scan s;
  bool more = false;
  int64_t id = 0;
  CHECK_OK(trm_scan_open(&s, path, "an id", NULL));
  for (int64_t line = 1; line <= 2; ++line) {
    CHECK_OK(trm_scan_line(&s, false, &more));
    CHECK(more);
    CHECK_OK(trm_scan_id(&s, "id", 9, "", &id));
    CHECK_EQ(id, line);
    CHECK_OK(trm_scan_end(&s));
  }
  CHECK_OK(trm_scan_line(&s, false, &more));
  CHECK(!more);
  (void)trm_scan_close(&s, TRM_OK);
}

static trm_status prepare_lists(const char *train, const char *test, const char *output,
                                trm_graph_counts *counts) {
  const trm_prepare_interactions_options o = {
      .train = train, .test = test, .output = output, .format = "lists"};
  return trm_prepare_interactions(&o, counts);
}

/* ---- one graph -------------------------------------------------------------------------------- */

static trm_prepare_graph_options small(void) {
  return (trm_prepare_graph_options){
      .edges = put("edges.tsv", "# a comment\r\n0\t1\r\n0\t2\r\n\r\n1\t0\n2 2\n3\t1\n5\t3"),
      .features =
          put("features.tsv", "0\t1\t1\n0\t2\t1\n1\t0\t1\n3\t2\t1\n5\t0\t1\n5\t1\t1\n5\t2\t1\n"),
      .labels = put("labels.tsv", "0\t0\n1\t1\n3\t1\n5\t0\n2\t2\n"),
      .classes = put("classes.tsv", "1\tbe ta\n0\talpha\n2\tgamma\n3\tnone of it\n"),
  };
}

static void check_small(void) {
  trm_graph_counts c;
  trm_prepare_graph_options o = small();
  const char *const splits[] = {put("s0.tsv", "5\ttrain\n0\ttrain\n1\tval\n3\ttest\n"),
                                put("s1.tsv", "0\ttest\n3\ttrain\n")};
  o.splits = splits, o.n_splits = 2;
  trm_node_data *g = prepare(o, &c);
  CHECK_EQ(g->graph.n_nodes, 6);
  CHECK(g->graph.symmetric);
  CHECK_EQ(c.self_loops, 1);
  CHECK_EQ(c.duplicates, 1);
  CHECK_EQ(c.isolated, 1);
  CHECK_EQ(c.unlabelled, 1);
  CHECK_EQ(c.empty_features, 2);
  SAME(g->graph.in.columns, g->graph.in.n_edges, 1, 2, 0, 3, 0, 1, 5, 3);
  CHECK_EQ(g->graph.n_features, 3);
  CHECK(g->graph.sparse && g->graph.features.values == NULL);
  SAME(g->graph.features.columns, g->graph.features.n_edges, 1, 2, 0, 2, 0, 1, 2);
  CHECK_EQ(g->graph.features.offsets[4], 4);
  CHECK_EQ(g->classes.n, 4);
  SAME(g->classes.labels, 6, 0, 1, 2, 1, -1, 0);
  CHECK(memcmp(g->classes.names.bytes, "alphabe tagammanone of it", 25) == 0);
  CHECK_EQ(g->n_splits, 2);
  SAME(g->splits[0].ids, g->splits[0].n, 0, 5);
  SAME(g->splits[1].ids, g->splits[1].n, 1);
  SAME(g->splits[2].ids, g->splits[2].n, 3);
  SAME(g->splits[3].ids, g->splits[3].n, 3);
  CHECK_EQ(g->splits[4].n, 0);
  CHECK_HAS(g->graph.source, "edges.tsv, ");
  const uint64_t digest = g->graph.digest;
  trm_node_data_close(&g);
  /* The same files give the same data set. */
  g = prepare(o, &c);
  CHECK(g->graph.digest == digest);
  trm_node_data_close(&g);
  /* Directed, with weights, normalised. */
  o.directed = o.row_normalize = true;
  o.edges = put("weighted.tsv", "0 1 2.5\n0 1 9\n3 1 .5\n1 5 0\n");
  o.n_nodes = 8;
  g = prepare(o, &c);
  CHECK_EQ(g->graph.n_nodes, 8);
  CHECK(!g->graph.symmetric);
  CHECK_EQ(c.duplicates, 1);
  CHECK_EQ(c.isolated, 4);
  SAME(g->graph.in.columns, g->graph.in.n_edges, 0, 3, 1);
  CHECK_NEAR(g->graph.in.values[0], 2.5, 0);
  CHECK_NEAR(g->graph.in.values[1], 0.5, 0);
  CHECK_NEAR(g->graph.degrees[1], 3, 0);
  CHECK_NEAR(g->graph.features.values[0], 0.5, 0);
  CHECK_NEAR(g->graph.features.values[6], 1.0 / 3, 1e-7);
  trm_node_data_close(&g);
}

static void check_kept(void) {
  trm_graph_counts c;
  trm_prepare_graph_options o = small();
  const char *const splits[] = {put("s0.tsv", "5\ttrain\n0\ttrain\n1\tval\n3\ttest\n")};
  o.splits = splits, o.n_splits = 1;
  o.keep_file = put("keep.txt", "5\n1\n3\n4\n");
  trm_node_data *g = prepare(o, &c);
  CHECK_EQ(g->graph.n_nodes, 4); /* 1, 3, 4, 5 */
  SAME(g->graph.in.columns, g->graph.in.n_edges, 1, 0, 3, 1);
  SAME(g->classes.labels, 4, 1, 1, -1, 0);
  CHECK_EQ(c.self_loops, 0);
  CHECK_EQ(c.isolated, 1);
  CHECK_EQ(c.empty_features, 1);
  SAME(g->graph.features.columns, g->graph.features.n_edges, 0, 2, 0, 1, 2);
  SAME(g->splits[0].ids, g->splits[0].n, 3);
  SAME(g->splits[1].ids, g->splits[1].n, 0);
  SAME(g->splits[2].ids, g->splits[2].n, 1);
  CHECK_EQ(g->classes.n, 4);
  trm_node_data_close(&g);
  o = small();
  o.features = NULL;
  o.features_dense = put("dense.tsv", "1 1\n0 0\n2 -1\n3 1\n0 0\n4 0\n");
  o.keep_file = put("keep.txt", "5\n0\n3\n4\n");
  o.row_normalize = true;
  g = prepare(o, &c);
  CHECK_EQ(g->graph.n_features, 2);
  CHECK_EQ(c.empty_features, 1);
  static const float want[8] = {0.5f, 0.5f, 0.75f, 0.25f, 0, 0, 1, 0};
  for (int i = 0; i < 8; ++i) CHECK_NEAR_AT(g->graph.dense[i], want[i], 0, i);
  trm_node_data_close(&g);
}

static void check_lists(void) {
  trm_graph_counts c;
  trm_prepare_graph_options o = small();
  o.train = put("train.txt", "# ids\n5\n0\n");
  o.valid = put("val.txt", "1\r\n");
  o.test = put("test.txt", "3\n2\n");
  trm_node_data *g = prepare(o, &c);
  CHECK_EQ(g->n_splits, 1);
  SAME(g->splits[0].ids, g->splits[0].n, 0, 5);
  SAME(g->splits[1].ids, g->splits[1].n, 1);
  SAME(g->splits[2].ids, g->splits[2].n, 2, 3);
  trm_node_data_close(&g);
}

/* ---- sets ------------------------------------------------------------------------------------- */

static trm_prepare_graph_options small_set(void) {
  return (trm_prepare_graph_options){
      .nodes = put("nodes.tsv", "0\t0\t1\n1\t0\t0\n2\t0\t2\n3\t1\t1\n4\t2\t1\n5\t2\t0\n"),
      .edges = put("set_edges.tsv", "0\t1\n1\t2\n5\t4\n"),
      .labels = put("graph_labels.tsv", "0\t1\n2\t1\n1\t0\n"),
      .folds = put("folds.tsv", "0\t0\n1\t1\n2\t2\n"),
  };
}

static void check_set(void) {
  trm_graph_counts c;
  trm_prepare_graph_options o = small_set();
  trm_graph_set *g = prepare_set(o, &c);
  CHECK_EQ(g->n_graphs, 3);
  CHECK_EQ(g->graph.n_nodes, 6);
  CHECK_EQ(g->graph.n_features, 3);
  CHECK_EQ(g->n_folds, 3);
  CHECK_EQ(c.isolated, 1);
  SAME(g->classes.labels, 3, 1, 0, 1);
  static const int label[6] = {1, 0, 2, 1, 1, 0}, degree[6] = {1, 2, 1, 0, 1, 1};
  for (int i = 0; i < 18; ++i) CHECK_NEAR_AT(g->graph.dense[i], label[i / 3] == i % 3, 0, i);
  CHECK_EQ(g->graphs[1], 3);
  CHECK_EQ(g->graphs[2], 4);
  CHECK_EQ(g->graphs[3], 6);
  trm_graph_set_close(&g);
  o.attributes = put("attributes.tsv", "6 7 0.1\n5 7 0.1\n4 7 0.1\n3 7 0.1\n2 7 0.1\n1 7 0.1\n");
  o.degree_features = true;
  g = prepare_set(o, &c);
  CHECK_EQ(g->graph.n_features, 9);
  for (int i = 0; i < 6; ++i) {
    const float *row = g->graph.dense + (ptrdiff_t)9 * i;
    CHECK_NEAR_AT(row[3], (2.5 - i) / sqrt(35.0 / 12), 1e-6, i);
    CHECK_NEAR_AT(row[4], 0, 0, i);
    CHECK_NEAR_AT(row[5], 0, 0, i);
    for (int d = 0; d < 3; ++d) CHECK_NEAR_AT(row[6 + d], degree[i] == d, 0, i);
  }
  trm_graph_set_close(&g);
}

static void check_interactions(void) {
  trm_graph_counts c;
  const char *train = put("train.txt", "1 4 2 2\n0 0\t1  3 \n2 1\r\n"),
             *test = put("test.txt", "2 5 0\n0 2\n");
  const char *out = fixture_path(folder, "inter.h5");
  CHECK_OK(prepare_lists(train, test, out, &c));
  trm_interactions *g = NULL;
  if (!CHECK_OK(trm_interactions_open(out, NULL, &g))) exit(1);
  CHECK_EQ(g->n_users, 3);
  CHECK_EQ(g->n_items, 6);
  CHECK_EQ(c.duplicates, 1);
  CHECK_EQ(c.isolated, 1);
  CHECK_EQ(c.unlabelled, 1);
  SAME(g->train.columns, g->train.n_edges, 0, 1, 3, 2, 4, 1);
  SAME(g->test.columns, g->test.n_edges, 2, 0, 5);
  CHECK_EQ(g->test.offsets[1], 1);
  CHECK_EQ(g->test.offsets[2], 1);
  trm_interactions_close(&g);
}

/* ---- slips ------------------------------------------------------------------------------------ */

static void expect_status(trm_prepare_graph_options o, bool set, trm_status want,
                          const char *part) {
  trm_graph_counts c;
  const int64_t live = trm_alloc_counts_get().live_blocks;
  o.output = fixture_path(folder, "never.h5");
  CHECK_EQ(set ? trm_prepare_graph_set(&o, &c) : trm_prepare_graph(&o, &c), want);
  CHECK_HAS(trm_message(), part);
  CHECK(strchr(trm_message(), '\n') == NULL);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  if (!CHECK(access(o.output, F_OK) != 0 && errno == ENOENT)) {
    fprintf(stderr, "  (expected: %s)\n", part);
    unlink(o.output);
  }
}

/* `field` of the small graph is `text` instead. */
#define SLIP(field, text, part)                                                                    \
  do {                                                                                             \
    trm_prepare_graph_options o_ = small();                                                        \
    o_.field = put("bad.tsv", text);                                                               \
    expect_status(o_, false, TRM_ERR_DATA, "bad.tsv" part);                                        \
  } while (0)
#define SET_SLIP(field, text, part)                                                                \
  do {                                                                                             \
    trm_prepare_graph_options o_ = small_set();                                                    \
    o_.field = put("bad.tsv", text);                                                               \
    expect_status(o_, true, TRM_ERR_DATA, "bad.tsv" part);                                         \
  } while (0)

static void check_edge_slips(void) {
  SLIP(edges, "0\t1\n0\tx7\n",
       ":2: column 2: 'x7' is no target node, which is a whole number from 0;"
       " a line is u<TAB>v[<TAB>weight]");
  SLIP(edges, "0\t1\n-3\t7\n", ":2: column 1: source node -3 is negative; ids count from 0");
  SLIP(edges, "0\t1\n4\n", ":2: column 2: the target node is missing; a line is u<TAB>v");
  SLIP(edges, "0\t1\t1\n0\t2\n",
       ":2: column 2: the edge 0 2 has no weight, the lines before have one");
  SLIP(edges, "0\t1\n0\t2\t1\n",
       ":2: column 2: the edge 0 2 has a weight, the lines before have none");
  SLIP(edges, "0\t1\t-2\n", ":1: column 3: weight -2 is negative");
  SLIP(edges, "0\t1\tnan\n", ":1: column 3: weight 'nan' is no finite number");
  SLIP(edges, "0\t1\t1\t2\n", ":1: column 4: '2' is one field too many");
  SLIP(edges, "0\t1x\n", ":1: column 2: '1x' is no target node");
  SLIP(edges, "0 1 0,5\n", ":1: column 3: weight '0,5' has a decimal comma; write points");
  SLIP(edges, "# nothing\n", ": has no edges");
  SLIP(edges, "", ": is empty");
  SLIP(edges, "0\t\x01\x02\n", ":1: column 2: '\\u0001\\u0002' is no target node");
  trm_prepare_graph_options o = small();
  o.n_nodes = 5;
  expect_status(o, false, TRM_ERR_DATA,
                "edges.tsv:8: column 1: source node 5 is out of range: there are 5 nodes, 0 to 4 "
                "(--nodes)");
  o.edges = fixture_path(folder, "none.tsv");
  expect_status(o, false, TRM_ERR_MISSING, "none.tsv: No such file");
  o.edges = folder;
  expect_status(o, false, TRM_ERR_IO, "is a folder");
  o.edges = NULL;
  expect_status(o, false, TRM_ERR_USAGE, "give the edges");
}

static void check_feature_slips(void) {
  SLIP(features, "0\t1\t1\n0\t1\t1\n", ":2: column 3: row 0 has feature 1 twice");
  SLIP(features, "0\t2\t1\n0\t1\t1\n", ":2: column 3: row 0, feature 1 comes after 0, 2; sort");
  SLIP(features, "1\t2\t1\n0\t1\t1\n", ":2: column 3: row 0, feature 1 comes after 1, 2; sort");
  SLIP(features, "1\t2\tinf\n", ":1: column 3: value 'inf' is no finite number");
  SLIP(features, "1\t2\t1e99\n", ":1: column 3: value 1e99 is too large");
  SLIP(features, "1\t2\n",
       ":1: column 3: the value is missing; a line is row<TAB>feature<TAB>value");
  SLIP(features, "1\t2000000000\t1\n", ": a feature 2000000000, but only 1 values");
  trm_prepare_graph_options o = small();
  o.features_dense = put("dense.tsv", "1\n2\n");
  expect_status(o, false, TRM_ERR_USAGE, "give one of them");
  o.features = NULL;
  expect_status(o, false, TRM_ERR_DATA,
                "edges.tsv:3: column 2: target node 2 is out of range: there "
                "are 2 nodes, 0 to 1 (");
  o.features_dense = put("dense.tsv", "1 2 3\n1 2 3\n1 2\n1 2 3\n1 2 3\n1 2 3\n");
  expect_status(o, false, TRM_ERR_DATA,
                "dense.tsv:3: column 2: a row of 2 values, the first row has 3");
  o.features_dense = put("dense.tsv", "1 2\n1 2\n1 2 3\n");
  expect_status(o, false, TRM_ERR_DATA,
                "dense.tsv:3: column 2: more than the 2 values that the first");
  o.features_dense = put("dense.tsv", "1 2\n1 NaN\n");
  expect_status(o, false, TRM_ERR_DATA, "dense.tsv:2: column 2: value 'NaN' is no finite number");
  o.features_dense = put("dense.tsv", "1 2\n\n1 2\n");
  expect_status(o, false, TRM_ERR_DATA, "dense.tsv:2: a row of 0 values, the first row has 2");
  o.features_dense = put("dense.tsv", "1\n1\n1\n1\n1\n1\n");
  o.n_nodes = 7;
  expect_status(o, false, TRM_ERR_DATA, "dense.tsv: has 6 rows, expected one for each");
}

static void check_label_slips(void) {
  SLIP(labels, "0\t1\n9\t1\n",
       ":2: column 1: node 9 is out of range: there are 6 nodes, 0 to 5 (the "
       "highest in edges and features; --nodes says otherwise)");
  SLIP(labels, "0\t1\n1\t1\n0\t2\n", ":3: column 1: node 0 is listed twice, first with class 1");
  SLIP(labels, "0\t-1\n", ": has no labels");
  SLIP(labels, "0\t-2\n", ":1: column 2: '-2' is no class");
  SLIP(labels, "0\tcat\n", ":1: column 2: 'cat' is no class");
  SLIP(labels, "0\n", ":1: column 2: the class is missing; a line is node<TAB>class");
  SLIP(labels, "0\t2000000000\n", ":1: class 2000000000 of 6 labels");
  SLIP(classes, "0\ta\n1\tb\n", ": class 2 has no name");
  SLIP(classes, "0\ta\n1\tb\n1\tc\n2\td\n", ": class 1 is named twice");
  SLIP(classes, "0\ta\n1\tb\n2\tc\n7\td\n", ": class 7 is named, but not all below it");
  SLIP(classes, "0\ta\n1\n", ":2: column 2: the name of class 1 is missing");
  SLIP(keep_file, "3\n17\n", ":2: column 1: node 17 is out of range");
  SLIP(keep_file, "3\n3\n", ":2: column 1: node 3 is listed twice");
  SLIP(keep_file, "#\n", ": has no nodes to keep");
  trm_prepare_graph_options o = small();
  o.labels = NULL;
  expect_status(o, false, TRM_ERR_USAGE, "but no labels");
}

static void split_slip(const char *text, const char *part) {
  trm_prepare_graph_options o = small();
  const char *const splits[] = {put("fine.tsv", "0\ttrain\n"), put("bad.tsv", text)};
  o.splits = splits, o.n_splits = 2;
  expect_status(o, false, TRM_ERR_DATA, part);
}

static void check_split_slips(void) {
  split_slip("0\ttrain\n1\tvalidate\n", "bad.tsv:2: column 2: 'validate' is no part of a split; "
                                        "expected train, val, test or none");
  split_slip("0\ttrain\n0\ttest\n", "bad.tsv:2: column 2: node 0 is in train already; train, valid "
                                    "and test must not overlap");
  split_slip("0\ttrain\n0\ttrain\n", "bad.tsv:2: column 2: node 0 is listed twice in train");
  split_slip("0\ttrain\n4\ttest\n", "bad.tsv:2: column 2: node 4 is in test, but has no label");
  split_slip("0\ttrain\n6\ttest\n", "bad.tsv:2: column 1: node 6 is out of range");
  split_slip("0\ttest\n", "bad.tsv: has no nodes to train on");
  split_slip("0\n", "bad.tsv:1: column 2: the part is missing; a line is node<TAB>train|val|test");
  trm_prepare_graph_options o = small();
  o.train = put("train.txt", "0\n1\n"), o.valid = put("val.txt", "2\n1\n");
  expect_status(o, false, TRM_ERR_DATA, "val.txt:2: column 1: node 1 is in train already");
  o.valid = put("val.txt", "2 3\n");
  expect_status(o, false, TRM_ERR_DATA, "val.txt:1: column 2: '3' is one field too many");
  const char *const splits[] = {put("fine.tsv", "0\ttrain\n")};
  o.splits = splits, o.n_splits = 1;
  expect_status(o, false, TRM_ERR_USAGE, "give one of them");
  o.n_splits = 0, o.train = NULL;
  expect_status(o, false, TRM_ERR_USAGE, "but no list of nodes to train on");
  o = small();
  o.splits = splits, o.n_splits = 1;
  o.keep_file = put("keep.txt", "1\n2\n");
  expect_status(o, false, TRM_ERR_DATA, "fine.tsv: has no nodes to train on among those of ");
}

static void check_set_slips(void) {
  SET_SLIP(nodes, "0\t0\t1\n2\t0\t1\n", ":2: column 1: node 2 where node 1 is next");
  SET_SLIP(nodes, "0\t0\t1\n1\t2\t1\n", ":2: column 2: graph 2 after graph 0");
  SET_SLIP(nodes, "0\t0\t1\n1\t1\t1\n2\t0\t1\n", ":3: column 2: graph 0 after graph 1");
  SET_SLIP(nodes, "0\t0\t1\n1\t0\n",
           ":2: column 2: node 1 has no label, the nodes before have one");
  SET_SLIP(nodes, "0\t0\n1\t0\t4\n",
           ":2: column 2: node 1 has a label, the nodes before have none");
  SET_SLIP(edges, "0\t1\n2\t3\n", ":2: column 2: the edge 2 3 joins the graphs 0 and 1");
  SET_SLIP(edges, "0\t6\n", ":1: column 2: target node 6 is out of range: ");
  SET_SLIP(labels, "0\t0\n3\t1\n", ":2: column 1: graph 3 is out of range: ");
  SET_SLIP(labels, "0\t0\n0\t1\n", ":2: column 1: graph 0 is listed twice");
  SET_SLIP(labels, "0\t0\n1\t1\n", ""); /* named by the folds: */
  SET_SLIP(folds, "0\t0\n1\t1\n", ": graph 2 has no fold");
  SET_SLIP(folds, "0\t0\n1\t2\n2\t2\n", ": no graph in fold 1, the highest is 2");
  SET_SLIP(folds, "0\t0\n1\t0\n2\t0\n", ": one fold; two at least are needed");
  SET_SLIP(folds, "0\t3\n1\t0\n2\t0\n", ":1: column 2: fold 3 is out of range");
  SET_SLIP(attributes, "1\n2\n", ": has 2 rows, expected one for each of the 6 nodes");
  SET_SLIP(attributes, "1\n2 3\n", ":2: column 1: more than the 1 values");
  trm_prepare_graph_options o = small_set();
  o.nodes = put("nodes.tsv", "0\t0\n1\t0\n2\t0\n3\t1\n4\t2\n5\t2\n");
  expect_status(o, true, TRM_ERR_DATA, "take their degrees (--degree-features)");
  o.folds = NULL, o.nodes = NULL;
  expect_status(o, true, TRM_ERR_USAGE, "give the nodes, the edges and the labels");
  o = small_set();
  o.features = o.nodes;
  expect_status(o, true, TRM_ERR_USAGE, "has no use for ");
}

static void interaction_slip(const char *train, const char *test, const char *part) {
  trm_graph_counts c;
  const char *out = fixture_path(folder, "never.h5");
  const int64_t live = trm_alloc_counts_get().live_blocks;
  CHECK_EQ(prepare_lists(put("train.txt", train), put("test.txt", test), out, &c), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), part);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  CHECK(access(out, F_OK) != 0);
}

static void check_interaction_slips(void) {
  interaction_slip("0 1\n1 -2\n", "0 2\n", "train.txt:2: column 2: item -2 is negative");
  interaction_slip("0 1\n-1 2\n", "0 2\n", "train.txt:2: column 1: user -1 is negative");
  interaction_slip("0 1\n1 \n", "0 2\n", "train.txt:2: column 1: user 1 has no items");
  interaction_slip("0 1\n1 x\n", "0 2\n", "train.txt:2: column 2: 'x' is no item");
  interaction_slip("0 1\n2 2\n", "0 2\n", "train.txt: user 1 has no line, but user 2 has");
  interaction_slip("0 1\n0 2\n", "0 2\n", "train.txt:2: user 0 has a line already, line 1; join");
  interaction_slip("0 1\n1 2\n", "2 2\n", "test.txt:1: column 1: user 2 is out of range: ");
  interaction_slip("0 1\n1 2\n", "1 3 2\n", "test.txt:1: item 2 of user 1 is in ");
  interaction_slip("0 1\n1 2\n", "0 2000000000\n", "test.txt: item 2000000000, but only 3 inter");
  interaction_slip("0 1\n2000000 2\n", "0 2\n", "train.txt: user 2000000, but only 2 lines");
  interaction_slip("0 1\n", "", "test.txt: is empty");
}

/* An output that is an input, and one that is there already: it stays when the input is bad. */
static void check_output(void) {
  trm_graph_counts c;
  trm_prepare_graph_options o = small();
  o.output = o.edges;
  CHECK_EQ(trm_prepare_graph(&o, &c), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(), "both input and output");
  o = small();
  o.output = put("there.h5", "old");
  o.labels = put("bad.tsv", "0\tx\n");
  CHECK_EQ(trm_prepare_graph(&o, &c), TRM_ERR_DATA);
  struct stat of;
  CHECK_EQ(stat(o.output, &of), 0);
  CHECK_EQ(of.st_size, 3);
}

static void count_calls(void *context, double share, const char *what) {
  int *calls = context;
  CHECK(share >= 0 && share <= 1 && what[0]);
  ++*calls;
}

static void check_progress_and_memory(void) {
  trm_graph_counts c;
  int calls = 0;
  trm_prepare_graph_options o = small();
  const char *const splits[] = {put("s0.tsv", "5\ttrain\n0\ttrain\n1\tval\n3\ttest\n")};
  o.splits = splits, o.n_splits = 1;
  o.progress = count_calls, o.context = &calls;
  o.output = fixture_path(folder, "memory.h5");
  CHECK_OK(trm_prepare_graph(&o, &c));
  CHECK_EQ(calls, 6);
  o.keep_file = put("keep.txt", "5\n1\n3\n4\n");
  trm_prepare_graph_options set = small_set();
  set.output = fixture_path(folder, "memory_set.h5");
  set.attributes = put("attributes.tsv", "1\n2\n3\n4\n5\n6\n");
  const char *train = put("train.txt", "0 1\n"), *test = put("test.txt", "0 2\n");
  const int64_t live = trm_alloc_counts_get().live_blocks;
  for (int which = 0; which < 3; ++which) {
    int n = 0;
    for (;; ++n) {
      trm_alloc_fail_after(n);
      const trm_status status = which == 0   ? trm_prepare_graph(&o, &c)
                                : which == 1 ? trm_prepare_graph_set(&set, &c)
                                             : prepare_lists(train, test, o.output, &c);
      trm_alloc_fail_after(-1);
      if (status == TRM_OK) break;
      CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
      if (!CHECK(n < 300)) break;
    }
    CHECK(n > 10);
  }
}

int main(void) {
  folder = check_temp_folder();
  check_reals();
  check_lines();
  check_seam();
  check_small();
  check_kept();
  check_lists();
  check_set();
  check_interactions();
  check_edge_slips();
  check_feature_slips();
  check_label_slips();
  check_split_slips();
  check_set_slips();
  check_interaction_slips();
  check_output();
  check_progress_and_memory();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
