/* Graph files that are wrong: each has its one line, and nothing is sized by what it claims. */
#include <math.h>
#include <sys/stat.h>

#include "graph_fixture.h"

static const char *folder;

/* An array of a file; n < 0 leaves it out. F32 arrays with `columns` have two dimensions. */
typedef struct item {
  const char *name;
  trm_dtype dtype;
  int64_t n, columns;
  const void *data;
} item;

enum { MOST = 24 };
typedef struct sheet {
  const char *kind;
  int64_t symmetric, n_features, n_classes, n_items; /* attributes, -1: none */
  item items[MOST];
  int n;
} sheet;

static void put(sheet *s, const char *name, trm_dtype dtype, int64_t n, const void *data) {
  for (int i = 0; i < s->n; ++i) {
    if (strcmp(s->items[i].name, name) == 0) {
      s->items[i] = (item){name, dtype, n, 0, data};
      return;
    }
  }
  s->items[s->n++] = (item){name, dtype, n, 0, data};
}

#define I64(...)                                                                                   \
  TRM_DTYPE_I64, sizeof((int64_t[]){__VA_ARGS__}) / 8, (int64_t[]) {                               \
    __VA_ARGS__                                                                                    \
  }
#define I32(...)                                                                                   \
  TRM_DTYPE_I32, sizeof((int32_t[]){__VA_ARGS__}) / 4, (int32_t[]) {                               \
    __VA_ARGS__                                                                                    \
  }
#define F32(...)                                                                                   \
  TRM_DTYPE_F32, sizeof((float[]){__VA_ARGS__}) / 4, (float[]) {                                   \
    __VA_ARGS__                                                                                    \
  }
#define U8(text) TRM_DTYPE_U8, sizeof(text) - 1, text
#define GONE TRM_DTYPE_I32, -1, NULL
#define NOTHING TRM_DTYPE_I32, 0, NULL

static const int64_t node_offsets[] = {0, 2, 4, 7, 8, 8}, feature_offsets[] = {0, 2, 3, 3, 5, 6};
static const int32_t node_sources[] = {1, 2, 0, 2, 0, 1, 3, 2}, columns[] = {0, 2, 1, 0, 1, 2};
static const int32_t node_labels[] = {0, 1, 0, 1, -1}, part0[] = {0, 3}, part1[] = {1},
                     part2[] = {2};
static const float dense[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, values[6] = {1, 2, 3, 4, 5, 6};
static const int64_t class_offsets[] = {0, 1, 3, 6};

static sheet nodes(void) {
  sheet s = {.kind = "graph", .symmetric = 1, .n_features = -1, .n_classes = 3, .n_items = -1};
  put(&s, "/edges/offsets", TRM_DTYPE_I64, 6, node_offsets);
  put(&s, "/edges/sources", TRM_DTYPE_I32, 8, node_sources);
  put(&s, "/nodes/labels", TRM_DTYPE_I32, 5, node_labels);
  put(&s, "/classes/offsets", TRM_DTYPE_I64, 4, class_offsets);
  put(&s, "/classes/bytes", TRM_DTYPE_U8, 6, "abbccc");
  put(&s, "/splits/0/train", TRM_DTYPE_I32, 2, part0);
  put(&s, "/splits/0/valid", TRM_DTYPE_I32, 1, part1);
  put(&s, "/splits/0/test", TRM_DTYPE_I32, 1, part2);
  return s;
}

static sheet sparse(void) {
  sheet s = nodes();
  s.n_features = 3;
  put(&s, "/nodes/features/offsets", TRM_DTYPE_I64, 6, feature_offsets);
  put(&s, "/nodes/features/columns", TRM_DTYPE_I32, 6, columns);
  put(&s, "/nodes/features/values", TRM_DTYPE_F32, 6, values);
  return s;
}

static sheet with_dense(const float *data, int64_t rows, int64_t n_columns) {
  sheet s = nodes();
  put(&s, "/nodes/features", TRM_DTYPE_F32, rows, data);
  s.items[s.n - 1].columns = n_columns;
  return s;
}

static sheet set(void) {
  static const int64_t graphs[] = {0, 4, 5};
  static const int32_t labels[] = {1, 0}, folds[] = {0, 1};
  sheet s = {.kind = "graphs", .symmetric = 1, .n_features = -1, .n_classes = 2, .n_items = -1};
  put(&s, "/edges/offsets", TRM_DTYPE_I64, 6, node_offsets);
  put(&s, "/edges/sources", TRM_DTYPE_I32, 8, node_sources);
  put(&s, "/graphs/offsets", TRM_DTYPE_I64, 3, graphs);
  put(&s, "/graphs/labels", TRM_DTYPE_I32, 2, labels);
  put(&s, "/graphs/folds", TRM_DTYPE_I32, 2, folds);
  return s;
}

static sheet interactions(void) {
  static const int64_t train[] = {0, 2, 3, 5}, test[] = {0, 1, 2, 2};
  static const int32_t train_items[] = {0, 2, 1, 0, 3}, test_items[] = {1, 0};
  sheet s = {
      .kind = "interactions", .symmetric = -1, .n_features = -1, .n_classes = -1, .n_items = 4};
  put(&s, "/train/offsets", TRM_DTYPE_I64, 4, train);
  put(&s, "/train/items", TRM_DTYPE_I32, 5, train_items);
  put(&s, "/test/offsets", TRM_DTYPE_I64, 4, test);
  put(&s, "/test/items", TRM_DTYPE_I32, 2, test_items);
  return s;
}

static void attr(trm_container *c, const char *object, const char *name, int64_t v) {
  if (v != -1) CHECK_OK(trm_attr_write_int(c, object, name, v));
}

static const char *write_sheet(const sheet *s) {
  const char *path = fixture_path(folder, "bad.h5");
  trm_container *c = NULL;
  bool labels = false, graph_labels = false, features = false;
  if (!CHECK_OK(trm_container_create(path, &c))) exit(1);
  CHECK_OK(trm_attr_write_int(c, "/", "trireme_format", 1));
  CHECK_OK(trm_attr_write_text(c, "/", "kind", s->kind));
  for (int i = 0; i < s->n; ++i) {
    const item *a = &s->items[i];
    if (a->n < 0) continue;
    const int64_t dims[2] = {a->n, a->columns};
    CHECK_OK(trm_array_write(c, a->name, a->dtype, a->columns > 0 ? 2 : 1, dims, a->data));
    labels |= strcmp(a->name, "/nodes/labels") == 0;
    graph_labels |= strcmp(a->name, "/graphs/labels") == 0;
    features |= strncmp(a->name, "/nodes/features/", 16) == 0;
  }
  attr(c, "/edges", "symmetric", s->symmetric);
  if (features) attr(c, "/nodes/features", "n_features", s->n_features);
  if (labels) attr(c, "/nodes/labels", "n_classes", s->n_classes);
  if (graph_labels) attr(c, "/graphs/labels", "n_classes", s->n_classes);
  attr(c, "/", "n_items", s->n_items);
  CHECK_OK(trm_container_close(&c));
  return path;
}

static void expect_open(const char *path, trm_status want, const char *part) {
  for (int features = 0; features < 2; ++features) {
    const int64_t live = trm_alloc_counts_get().live_blocks;
    trm_graph *g = NULL;
    CHECK_EQ(trm_graph_open(path, NULL, features, &g), want);
    CHECK(g == NULL);
    CHECK_HAS(trm_message(), path);
    CHECK_HAS(trm_message(), part);
    CHECK(strchr(trm_message(), '\n') == NULL);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  }
}

static void expect(const sheet *s, const char *part) {
  expect_open(write_sheet(s), TRM_ERR_DATA, part);
}

static void expect_good(const sheet *s) {
  trm_graph *g = NULL;
  if (CHECK_OK(trm_graph_open(write_sheet(s), NULL, true, &g))) trm_graph_close(&g);
}

/* One array changed, and the message. */
#define BAD(make, name, array, part)                                                               \
  do {                                                                                             \
    sheet s_ = make();                                                                             \
    put(&s_, name, array);                                                                         \
    expect(&s_, part);                                                                             \
  } while (0)

static void check_edges(void) {
  BAD(nodes, "/edges/offsets", GONE, "no array '/edges/offsets', which a data set of kind graph");
  BAD(nodes, "/edges/sources", GONE, "no array '/edges/sources'");
  BAD(nodes, "/edges/offsets", I64(0), "expected one more than the number of nodes");
  BAD(nodes, "/edges/offsets", F32(0, 0.5, 2, 3, 4, 5),
      "'/edges/offsets' has 0.5 at index 1, which is no whole number");
  BAD(nodes, "/edges/offsets", I64(0, 2, 1, 7, 8, 8),
      "'/edges/offsets' is 1 at index 2; offsets start at 0, never fall (2 before) and end at 8");
  BAD(nodes, "/edges/offsets", I64(1, 2, 4, 7, 8, 8), "'/edges/offsets' is 1 at index 0");
  BAD(nodes, "/edges/offsets", I64(0, 2, 4, 7, 8, 9), "'/edges/offsets' is 9 at index 5");
  BAD(nodes, "/edges/offsets", I64(0, 2, 4, 7, 8, INT64_C(1) << 60),
      "'/edges/offsets' is 1152921504606846976 at index 5");
  BAD(nodes, "/edges/offsets", I64(0, 2, 4, 7, 7, 7),
      "'/edges/offsets' ends at 7, but '/edges/sources' has 8 elements");
  BAD(nodes, "/edges/sources", I32(1, 2, 0, 2, 0, 1, 5, 2),
      "'/edges/sources' is 5 at index 6, out of [0, 5)");
  BAD(nodes, "/edges/sources", I32(1, 2, 0, 2, -1, 1, 3, 2),
      "'/edges/sources' is -1 at index 4, out of [0, 5)");
  BAD(nodes, "/edges/sources", I64(1, 2, 0, 2, 0, 1, INT64_C(1) << 40, 2), "does not fit i32");
  BAD(nodes, "/edges/sources", I32(1, 2, 2, 0, 0, 1, 3, 2),
      "'/edges/sources' is 0 at index 3 after 2; the row of node 1 must be rising, each id once");
  BAD(nodes, "/edges/sources", I32(1, 2, 0, 2, 0, 0, 3, 2), "'/edges/sources' is 0 at index 5");
  BAD(nodes, "/edges/weights", F32(1, 2), "'/edges/weights' has 2 elements, expected 8");
  BAD(nodes, "/edges/weights", F32(1, 2, 1, 3, 2, 3, NAN, 4), "'/edges/weights' is nan at index 6");
  BAD(nodes, "/edges/weights", F32(1, -2, 1, 3, 2, 3, 4, 4), "'/edges/weights' is -2 at index 1");
  BAD(nodes, "/edges/weights", F32(1, 2, 1, 3, 2, 3, 4, 5),
      "the edge from node 3 to 2 has no reverse of the same weight");
}

/* The ways a reverse can be missing: the row that should have it ends, is ahead, or is behind. */
static void check_symmetric(void) {
  sheet s = nodes();
  put(&s, "/edges/offsets", I64(0, 2, 4, 6, 7, 7));
  put(&s, "/edges/sources", I32(1, 2, 0, 2, 0, 1, 2));
  expect(&s, "'symmetric' of '/edges' is 1, but the edge from node 2 to 3 has no reverse");
  s.symmetric = 0;
  expect_good(&s);
  s.symmetric = -1;
  expect_good(&s);
  s.symmetric = 2;
  expect(&s, "attribute 'symmetric' of '/edges' is 2, expected 0 to 1");
  s.symmetric = 1;
  put(&s, "/edges/offsets", I64(0, 2, 4, 7, 7, 7));
  put(&s, "/edges/sources", I32(1, 2, 0, 2, 0, 1, 3));
  expect(&s, "the edge from node 3 to 2 has no reverse");
  put(&s, "/edges/offsets", I64(0, 1, 3, 6, 7, 7));
  put(&s, "/edges/sources", I32(1, 0, 2, 0, 1, 3, 2));
  expect(&s, "the edge from node 0 to 2 has no reverse");
  put(&s, "/edges/offsets", I64(0, 2, 3, 5, 5, 5));
  put(&s, "/edges/sources", I32(1, 2, 2, 0, 1));
  expect(&s, "the edge from node 1 to 0 has no reverse");
}

static void check_features(void) {
  float bad[10];
  memcpy(bad, dense, sizeof bad);
  sheet s = with_dense(dense, 5, 2);
  expect_good(&s);
  bad[7] = NAN;
  s = with_dense(bad, 5, 2);
  expect(&s, "'/nodes/features' is nan at node 3, feature 1; features must be finite");
  bad[7] = -INFINITY;
  s = with_dense(bad, 5, 2);
  expect(&s, "'/nodes/features' is -inf at node 3, feature 1");
  s = with_dense(dense, 2, 5);
  expect(&s, "'/nodes/features' is [2, 5], a column for each of the 5 nodes; write it transposed");
  s = nodes();
  put(&s, "/nodes/features", TRM_DTYPE_F32, 5, dense);
  expect(&s, "'/nodes/features' is f32 with 1 dimension, expected numbers with 2");
  s = sparse();
  expect_good(&s);
  s.n_features = -1;
  expect(&s, "no attribute 'n_features'");
  s.n_features = 0;
  expect(&s, "attribute 'n_features' of '/nodes/features' is 0, expected 1 to 2147483647");
  s.n_features = INT32_MAX;
  expect(&s, "2147483647 features, but only 6 values");
  BAD(sparse, "/nodes/features/columns", GONE, "no array '/nodes/features/columns'");
  BAD(sparse, "/nodes/features/offsets", I64(0, 6), "expected 6 (one more than the nodes)");
  BAD(sparse, "/nodes/features/columns", I32(0, 3, 1, 0, 1, 2), "is 3 at index 1, out of [0, 3)");
  BAD(sparse, "/nodes/features/columns", I32(2, 0, 1, 0, 1, 2), "the row of node 0 must be rising");
  BAD(sparse, "/nodes/features/values", F32(1, 2, 3, 4, 5, INFINITY), "values' is inf at index 5");
  BAD(sparse, "/nodes/features/values", F32(1), "has 1 elements, expected 6");
}

static void check_labels(void) {
  BAD(nodes, "/nodes/labels", I32(0, 1, 0, 1), "'/nodes/labels' has 4 elements, expected 5");
  BAD(nodes, "/nodes/labels", I32(0, 1, 3, 1, 0),
      "'/nodes/labels' is 3 at index 2, out of [-1, 3)");
  BAD(nodes, "/nodes/labels", I32(0, 1, -2, 1, 0), "'/nodes/labels' is -2 at index 2");
  BAD(nodes, "/classes/bytes", U8("abbcc"), "'/classes/offsets' is 6 at index 3");
  BAD(nodes, "/classes/bytes", GONE, "no array '/classes/bytes'");
  BAD(nodes, "/classes/offsets", I64(0, 1, 6),
      "'n_classes' of '/nodes/labels' is 3, '/classes' has 2");
  sheet s = nodes();
  put(&s, "/classes/offsets", GONE);
  put(&s, "/classes/bytes", GONE);
  s.n_classes = INT32_MAX;
  expect(&s, "2147483647 classes for 5 labels");
  s.n_classes = -1;
  put(&s, "/nodes/labels", I32(0, 1, INT32_MAX - 1, 1, 0));
  expect(&s, "has a class 2147483646 among 5 labels");
  put(&s, "/nodes/labels", I32(0, 1, 2, 1, 0));
  expect_good(&s);
  s = nodes();
  put(&s, "/nodes/names/offsets", I64(0, 1, 2));
  put(&s, "/nodes/names/bytes", U8("ab"));
  expect(&s, "'/nodes/names/offsets' has 3 elements, expected 6");
}

static void check_splits(void) {
  BAD(nodes, "/splits/0/train", GONE, "no array '/splits/0/train'");
  BAD(nodes, "/splits/0/train", NOTHING, "'/splits/0/train' is empty");
  BAD(nodes, "/splits/0/train", I32(0, 5), "'/splits/0/train' is 5 at index 1, out of [0, 5)");
  BAD(nodes, "/splits/0/train", I32(3, 0),
      "'/splits/0/train' is 0 at index 1 after 3; ids must be");
  BAD(nodes, "/splits/0/train", I32(0, 0), "ids must be rising, each once");
  BAD(nodes, "/splits/0/test", I32(3), "node 3 is in '/splits/0/train' and in '/splits/0/test'");
  BAD(nodes, "/splits/0/test", I32(1), "node 1 is in '/splits/0/valid' and in '/splits/0/test'");
  BAD(nodes, "/splits/0/test", I32(4), "node 4 is in '/splits/0/test', but has no label");
  BAD(nodes, "/splits/0/test", I32(0, 1, 2, 3, 4, 4), "has 6 elements, there are 5 nodes");
  BAD(nodes, "/splits/1/valid", I32(1), "no array '/splits/1/train'");
  sheet s = nodes();
  put(&s, "/splits/0/train", GONE);
  put(&s, "/splits/0/valid", GONE);
  put(&s, "/splits/0/test", GONE);
  put(&s, "/splits/1/train", I32(1));
  expect(&s, "splits are numbered from 0");
  s = nodes();
  put(&s, "/splits/0/valid", GONE);
  expect_good(&s);
  put(&s, "/splits/2/train", TRM_DTYPE_I32, 2, part0);
  expect(&s, "group '/splits' has 2 members, but no '/splits/1'");
}

static void check_set(void) {
  sheet s = set();
  expect_good(&s);
  BAD(set, "/graphs/offsets", GONE, "no array '/graphs/offsets', which a data set of kind graphs");
  BAD(set, "/graphs/offsets", I64(0, 5, 5), "gives graph 1 the nodes [5, 5); graphs have a node");
  BAD(set, "/graphs/offsets", I64(0, 4, 6), "gives graph 1 the nodes [4, 6)");
  BAD(set, "/graphs/offsets", I64(1, 4, 5), "gives graph 0 the nodes [1, 4)");
  BAD(set, "/graphs/offsets", I64(0, 3, 4), "gives graph 1 the nodes [3, 4)");
  BAD(set, "/graphs/offsets", I64(0, 3, 5), "the edge from node 3 to 2 leaves graph 0");
  BAD(set, "/graphs/labels", I32(1, 2), "'/graphs/labels' is 2 at index 1, out of [-1, 2)");
  BAD(set, "/graphs/labels", I32(1), "'/graphs/labels' has 1 elements, expected 2 (one a graph)");
  BAD(set, "/graphs/folds", I32(0, 2), "'/graphs/folds' is 2 at index 1, out of [0, 2)");
  BAD(set, "/graphs/folds", I32(1, 1), "has no graph in fold 0 of 2");
  BAD(set, "/graphs/folds", I32(0, 0), "has one fold; two at least are needed");
  BAD(set, "/graphs/folds", I32(0, -1), "'/graphs/folds' is -1 at index 1");
  BAD(set, "/graphs/labels", I32(1, -1), "graph 1 is in a fold, but has no label");
}

static void check_interactions(void) {
  sheet s = interactions();
  expect_good(&s);
  BAD(interactions, "/train/items", GONE,
      "no array '/train/items', which a data set of kind inter");
  BAD(interactions, "/train/items", I32(0, 2, 1, 0, 4),
      "'/train/items' is 4 at index 4, out of [0, 4)");
  BAD(interactions, "/train/items", I32(0, 2, 1, 0, -3), "'/train/items' is -3 at index 4");
  BAD(interactions, "/train/items", I32(2, 0, 1, 0, 3), "the row of user 0 must be rising");
  put(&s, "/train/offsets", I64(0, 2, 2, 5));
  put(&s, "/train/items", I32(0, 2, 0, 1, 3));
  expect(&s, "user 1 has no items in '/train'");
  s = interactions();
  BAD(interactions, "/test/offsets", I64(0, 1, 2), "'/test/offsets' has 3 elements, expected 4");
  BAD(interactions, "/test/items", I32(2, 0), "item 2 of user 0 is in '/train' and in '/test'");
  s.n_items = -1;
  expect(&s, "no attribute 'n_items'");
  s.n_items = 2000000000;
  expect(&s, "2000000000 items, but only 7 interactions");
}

/* Arrays that say they have 2^60 elements: the file has no bytes for them. */
static void check_claims(void) {
  const char *path = fixture_path(folder, "claim.h5");
  static const char *const claims[] = {"/edges/sources", "/edges/offsets", "/nodes/labels"};
  for (int k = 0; k < 3; ++k) {
    trm_container *c = NULL;
    const int64_t n = INT64_C(1) << 60, six = 6;
    CHECK_OK(trm_container_create(path, &c));
    CHECK_OK(trm_attr_write_int(c, "/", "trireme_format", 1));
    CHECK_OK(trm_attr_write_text(c, "/", "kind", "graph"));
    /* Made small, then the claim is put into the bytes. */
    for (int i = 0; i < 3; ++i) {
      CHECK_OK(trm_array_write(c, claims[i], i == 1 ? TRM_DTYPE_I64 : TRM_DTYPE_I32, 1,
                               i == k ? (int64_t[]){13} : &six, (int64_t[13]){0}));
    }
    CHECK_OK(trm_container_close(&c));
    FILE *file = fopen(path, "r+b");
    unsigned char bytes[16384];
    if (!file) exit(1);
    const size_t n_bytes = fread(bytes, 1, sizeof bytes, file);
    int changed = 0;
    for (size_t at = 0; at + 8 <= n_bytes; ++at) {
      int64_t value;
      memcpy(&value, bytes + at, sizeof value);
      if (value != 13) continue;
      memcpy(bytes + at, &n, sizeof n);
      ++changed;
    }
    CHECK(changed >= 1);
    rewind(file);
    CHECK_EQ(fwrite(bytes, 1, n_bytes, file), n_bytes);
    fclose(file);
    expect_open(path, TRM_ERR_DATA, claims[k]);
    CHECK(trm_peak_resident_bytes() < INT64_C(1) << 30);
  }
}

static void check_files(void) {
  expect_open(fixture_path(folder, "missing.h5"), TRM_ERR_MISSING, "no such file");
  expect_open(folder, TRM_ERR_IO, "folder");
  const char *path = fixture_path(folder, "empty.h5");
  fixture_file(path, "", 0);
  expect_open(path, TRM_ERR_DATA, "is empty");
  sheet s = nodes();
  s.kind = "grapes";
  expect(&s, "kind is 'grapes', expected 'graph', 'graphs', 'interactions' or 'shop'");
  s = nodes();
  path = write_sheet(&s);
  CHECK_EQ(truncate(path, 3000), 0);
  expect_open(path, TRM_ERR_DATA, "truncated");
}

/* Labels that say "none" in the types of other tools; how many classes there are decides what is one. */
static void check_missing(void) {
  const struct {
    trm_dtype dtype;
    const void *labels;
    int64_t n_classes, want_classes;
    int32_t want_last;
  } cases[] = {{TRM_DTYPE_U8, "\0\1\0\1\377", 3, 3, -1},
               {TRM_DTYPE_U8, "\0\1\0\1\377", -1, 2, -1},
               {TRM_DTYPE_U8, "\0\1\0\376\377", -1, 256, 255},
               {TRM_DTYPE_U8, "\0\1\0\1\377", 256, 256, 255},
               {TRM_DTYPE_U16, (uint16_t[]){0, 1, 0, 1, UINT16_MAX}, -1, 2, -1},
               {TRM_DTYPE_U32, (uint32_t[]){0, 1, 0, 1, UINT32_MAX}, -1, 2, -1},
               {TRM_DTYPE_U64, (uint64_t[]){0, 1, 0, 1, UINT64_MAX}, -1, 2, -1},
               {TRM_DTYPE_F64, (double[]){0, 1, 0, 1, NAN}, -1, 2, -1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    trm_graph *g = NULL;
    sheet s = nodes();
    put(&s, "/classes/offsets", GONE);
    put(&s, "/classes/bytes", GONE);
    put(&s, "/nodes/labels", cases[i].dtype, 5, cases[i].labels);
    s.n_classes = cases[i].n_classes;
    if (!CHECK_OK(trm_graph_open(write_sheet(&s), NULL, true, &g))) continue;
    const trm_classes *classes = &trm_node_data_of(g)->classes;
    CHECK_EQ(classes->n, cases[i].want_classes);
    CHECK_EQ(classes->labels[4], cases[i].want_last);
    trm_graph_close(&g);
  }
  sheet s = nodes();
  put(&s, "/classes/offsets", GONE);
  put(&s, "/classes/bytes", GONE);
  put(&s, "/nodes/labels", U8("\0\0\377\0\377"));
  s.n_classes = -1;
  expect(&s, "'/nodes/labels' is 255 at index 2, the largest value of its type");
  BAD(nodes, "/splits/0/validation", I32(1), "call it 'valid'");
}

int main(void) {
  folder = check_temp_folder();
  sheet s = nodes();
  expect_good(&s);
  check_edges();
  check_symmetric();
  check_features();
  check_labels();
  check_missing();
  check_splits();
  check_set();
  check_interactions();
  check_claims();
  check_files();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
