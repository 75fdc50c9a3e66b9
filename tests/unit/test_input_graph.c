/* Graph data sets that are right: edges to rows, writing, opening, splits, features, sharing. */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>

#include "../../src/prepare/tables/edges.h"
#include "graph_fixture.h"
#include "trireme/core/random.h"
#include "trireme/input/data_file.h"
#include "trireme/input/kind.h"

static const char *folder;
static const trm_graph_counts no_counts;

static trm_graph *open_fixture(const graph_fixture *f, bool features) {
  const char *path = fixture_path(folder, "graph.h5");
  trm_graph *g = NULL;
  graph_fixture_write(path, f);
  if (!CHECK_OK(trm_graph_open(path, NULL, features, &g))) exit(1);
  return g;
}

/* ---- edges to rows ---------------------------------------------------------------------------- */

enum { MOST = 40 };

/* The plain way: a matrix of the first weight given to each pair. */
static void check_edges(int64_t n_nodes, int64_t n, bool undirected, bool weighted, uint64_t seed) {
  static float matrix[MOST][MOST], weights[4 * MOST * MOST];
  static int32_t u[4 * MOST * MOST], v[4 * MOST * MOST];
  const trm_random_key key = trm_random_key_make(seed, TRM_RANDOM_TEST, 0, 0);
  int64_t loops = 0, duplicates = 0;
  memset(matrix, 0, sizeof matrix);
  for (int64_t i = 0; i < n; ++i) {
    u[i] = (int32_t)trm_random_below(key, (uint64_t)i, 0, (uint64_t)n_nodes);
    v[i] = (int32_t)trm_random_below(key, (uint64_t)i, 1, (uint64_t)n_nodes);
    weights[i] = weighted ? (float)(i + 1) : 1;
    if (u[i] == v[i]) {
      ++loops;
      continue;
    }
    if (matrix[v[i]][u[i]] != 0) {
      ++duplicates;
      continue;
    }
    matrix[v[i]][u[i]] = weights[i];
    if (undirected) matrix[u[i]][v[i]] = weights[i];
  }
  const trm_edge_list list = {n, n, u, v, weighted ? weights : NULL};
  trm_graph_counts counts = {.unlabelled = 7};
  int64_t *offsets = NULL, e = 0, isolated = 0;
  int32_t *columns = NULL;
  float *values = NULL;
  if (!CHECK_OK(
          trm_graph_from_edges(&list, n_nodes, undirected, &offsets, &columns, &values, &counts))) {
    return;
  }
  CHECK_EQ(counts.self_loops, loops);
  CHECK_EQ(counts.duplicates, duplicates);
  CHECK_EQ(counts.unlabelled, 7);
  CHECK((values != NULL) == weighted);
  for (int64_t r = 0; r < n_nodes; ++r) {
    bool alone = true;
    CHECK_EQ(offsets[r], e);
    for (int64_t c = 0; c < n_nodes; ++c) {
      alone &= matrix[r][c] == 0 && matrix[c][r] == 0;
      if (matrix[r][c] == 0) continue;
      CHECK_EQ(columns[e], c);
      if (values) CHECK_NEAR_AT(values[e], matrix[r][c], 0, e);
      ++e;
    }
    isolated += alone;
  }
  CHECK_EQ(offsets[n_nodes], e);
  CHECK_EQ(counts.isolated, isolated);
  TRM_FREE(offsets);
  TRM_FREE(columns);
  TRM_FREE(values);
}

/* ---- round trips ------------------------------------------------------------------------------ */

static void check_same_rows(const trm_csr *got, const trm_csr *want) {
  CHECK_EQ(got->n_rows, want->n_rows);
  CHECK_EQ(got->n_columns, want->n_columns);
  if (!CHECK_EQ(got->n_edges, want->n_edges)) return;
  for (int64_t r = 0; r <= want->n_rows; ++r) CHECK_EQ(got->offsets[r], want->offsets[r]);
  for (int64_t e = 0; e < want->n_edges; ++e) CHECK_EQ(got->columns[e], want->columns[e]);
  CHECK((got->values != NULL) == (want->values != NULL));
  for (int64_t e = 0; want->values && e < want->n_edges; ++e) {
    CHECK_NEAR_AT(got->values[e], want->values[e], 0, e);
  }
}

static void check_nodes(void) {
  graph_fixture f;
  graph_fixture_make(&f);
  trm_graph *g = open_fixture(&f, true);
  const trm_node_data *d = trm_node_data_of(g);
  CHECK(d && !trm_graph_set_of(g) && !trm_interactions_of(g));
  CHECK_EQ(g->n_nodes, 5);
  CHECK(g->symmetric);
  CHECK_STR(g->source, "fixture");
  check_same_rows(&g->in, &f.d.graph.in);
  CHECK(g->out.columns == g->in.columns && g->out.offsets == g->in.offsets);
  static const float degrees[5] = {2, 2, 3, 1, 0};
  for (int i = 0; i < 5; ++i) CHECK_NEAR_AT(g->degrees[i], degrees[i], 0, i);
  CHECK_EQ(g->n_features, 2);
  CHECK(!g->sparse);
  for (int i = 0; i < 10; ++i) CHECK_NEAR_AT(g->dense[i], f.dense[i], 0, i);
  CHECK_EQ(d->classes.n, 3);
  for (int i = 0; i < 5; ++i) CHECK_EQ(d->classes.labels[i], f.labels[i]);
  CHECK_EQ(d->classes.names.n, 3);
  CHECK(memcmp(d->classes.names.bytes, "abbccc", 6) == 0);
  CHECK_EQ(g->names.n, 5);
  CHECK(memcmp(g->names.bytes, "vwxyz", 5) == 0);
  CHECK_EQ(d->n_splits, 2);
  for (int i = 0; i < 6; ++i) {
    trm_ids ids;
    CHECK_OK(trm_node_data_split(d, i / 3, (trm_subset)(i % 3), &ids));
    CHECK_EQ(ids.n, f.splits[i].n);
    for (int64_t k = 0; k < ids.n; ++k) CHECK_EQ(ids.ids[k], f.splits[i].ids[k]);
  }
  trm_ids ids;
  CHECK_EQ(trm_node_data_split(d, 2, TRM_SUBSET_TEST, &ids), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "has no split 2; there are 2, from 0 to 1");
  trm_graph_close(&g);
  CHECK(g == NULL);
  trm_graph_close(&g);
}

static void check_directed(bool weighted) {
  graph_fixture f;
  graph_fixture_make(&f);
  static const int64_t offsets[6] = {0, 0, 1, 3, 4, 4};
  static const int32_t sources[4] = {0, 0, 1, 2};
  f.d.graph.symmetric = false;
  f.d.graph.in = (trm_csr){5, 5, 4, offsets, sources, weighted ? f.weights : NULL, NULL};
  graph_fixture_sparse(&f, weighted);
  f.d.n_splits = 0, f.d.classes.labels = NULL, f.d.classes.names.n = f.d.graph.names.n = 0;
  trm_graph *g = open_fixture(&f, true);
  check_same_rows(&g->in, &f.d.graph.in);
  CHECK(g->sparse);
  check_same_rows(&g->features, &f.d.graph.features);
  static const int64_t out_offsets[6] = {0, 2, 3, 4, 4, 4}, map[4] = {0, 1, 2, 3};
  static const int32_t out_columns[4] = {1, 2, 2, 3};
  for (int i = 0; i < 6; ++i) CHECK_EQ(g->out.offsets[i], out_offsets[i]);
  for (int i = 0; i < 4; ++i) CHECK_EQ(g->out.columns[i], out_columns[i]);
  CHECK((g->out.map != NULL) == weighted);
  for (int i = 0; weighted && i < 4; ++i) CHECK_EQ(g->out.map[i], map[i]);
  CHECK(g->out.values == g->in.values);
  const float degrees[5] = {0, 1, weighted ? 3 : 2, weighted ? 3 : 1, 0};
  for (int i = 0; i < 5; ++i) CHECK_NEAR_AT(g->degrees[i], degrees[i], 0, i);
  const trm_node_data *d = trm_node_data_of(g);
  CHECK(d->classes.labels == NULL && d->classes.n == 0 && d->splits == NULL);
  trm_ids ids;
  CHECK_EQ(trm_node_data_split(d, 0, TRM_SUBSET_TRAIN, &ids), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "has no splits");
  trm_graph_close(&g);
}

static void check_ids_are(const trm_graph_set *g, int split, trm_subset subset, bool hold_out,
                          int64_t n, const int32_t *want) {
  trm_ids ids;
  CHECK_OK(trm_graph_set_split(g, split, subset, hold_out, &ids));
  if (!CHECK_EQ(ids.n, n)) return;
  for (int64_t i = 0; i < n; ++i) CHECK_EQ(ids.ids[i], want[i]);
}

static trm_graph_set *open_set(const graph_fixture *f) {
  const char *path = fixture_path(folder, "graph.h5");
  trm_graph_set *set = NULL;
  graph_fixture_write(path, f);
  if (!CHECK_OK(trm_graph_set_open(path, NULL, true, &set))) exit(1);
  return set;
}

static void check_set(void) {
  graph_fixture f;
  graph_fixture_make(&f);
  graph_fixture_set(&f);
  trm_graph_set *g = open_set(&f);
  CHECK(trm_graph_set_of(&g->graph) == g && !trm_node_data_of(&g->graph));
  CHECK_EQ(g->n_graphs, 3);
  CHECK_EQ(g->n_folds, 3);
  CHECK_EQ(g->classes.n, 3);
  for (int i = 0; i < 4; ++i) CHECK_EQ(g->graphs[i], f.set.graphs[i]);
  for (int i = 0; i < 3; ++i) CHECK_EQ(g->classes.labels[i], f.set.classes.labels[i]);
  /* fold 0: graph 1, fold 1: graph 2, fold 2: graph 0 */
  check_ids_are(g, 0, TRM_SUBSET_TEST, true, 1, (int32_t[]){1});
  check_ids_are(g, 0, TRM_SUBSET_VALID, true, 1, (int32_t[]){2});
  check_ids_are(g, 0, TRM_SUBSET_TRAIN, true, 1, (int32_t[]){0});
  check_ids_are(g, 2, TRM_SUBSET_TEST, true, 1, (int32_t[]){0});
  check_ids_are(g, 2, TRM_SUBSET_VALID, true, 1, (int32_t[]){1});
  check_ids_are(g, 2, TRM_SUBSET_TRAIN, true, 1, (int32_t[]){2});
  check_ids_are(g, 1, TRM_SUBSET_VALID, false, 1, (int32_t[]){2});
  check_ids_are(g, 1, TRM_SUBSET_TRAIN, false, 2, (int32_t[]){0, 1});
  check_ids_are(g, 1, TRM_SUBSET_TRAIN, false, 2, (int32_t[]){0, 1});
  trm_graph_set_close(&g);
  static const int32_t two[3] = {0, 1, 1};
  f.set.folds = two;
  g = open_set(&f);
  trm_ids ids;
  CHECK_EQ(trm_graph_set_split(g, 0, TRM_SUBSET_TRAIN, true, &ids), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "set data.hold_out to false");
  check_ids_are(g, 0, TRM_SUBSET_TRAIN, false, 2, (int32_t[]){1, 2});
  trm_graph_set_close(&g);
}

static void check_interactions(void) {
  graph_fixture f;
  graph_fixture_interactions(&f);
  trm_graph *g = open_fixture(&f, true);
  const trm_interactions *d = trm_interactions_of(g);
  CHECK_EQ(g->n_nodes, 7);
  CHECK_EQ(d->n_users, 3);
  CHECK_EQ(d->n_items, 4);
  check_same_rows(&d->train, &f.pairs.train);
  check_same_rows(&d->test, &f.pairs.test);
  static const int64_t offsets[8] = {0, 2, 3, 5, 7, 8, 9, 10};
  static const int32_t columns[10] = {3, 5, 4, 3, 6, 0, 2, 1, 0, 2};
  CHECK_EQ(g->in.n_edges, 10);
  CHECK(g->symmetric);
  for (int i = 0; i < 8; ++i) CHECK_EQ(g->in.offsets[i], offsets[i]);
  for (int i = 0; i < 10; ++i) CHECK_EQ(g->in.columns[i], columns[i]);
  for (int i = 0; i < 7; ++i) CHECK_NEAR_AT(g->degrees[i], offsets[i + 1] - offsets[i], 0, i);
  CHECK(g->out.columns == g->in.columns);
  trm_graph_close(&g);
}

/* Rows out of the file and out of memory are the same; the digest too. */
static void check_features(void) {
  graph_fixture f;
  graph_fixture_make(&f);
  trm_graph *in_memory = open_fixture(&f, true), *in_file = open_fixture(&f, false);
  static const int32_t nodes[10] = {4, 0, 1, 2, 2, 3, 1, 0, 2, 4};
  float a[20], b[20];
  CHECK(in_file->dense == NULL && in_file->n_features == 2);
  CHECK(in_file->digest == in_memory->digest);
  CHECK_OK(trm_graph_features_read(in_memory, nodes, 10, a));
  CHECK_OK(trm_graph_features_read(in_file, nodes, 10, b));
  for (int i = 0; i < 20; ++i) {
    CHECK_NEAR_AT(a[i], f.dense[nodes[i / 2] * 2 + i % 2], 0, i);
    CHECK_NEAR_AT(b[i], a[i], 0, i);
  }
  CHECK_OK(trm_graph_features_read(in_file, nodes, 0, b));
  trm_graph_close(&in_memory);
  trm_graph_close(&in_file);
}

static uint64_t digest_of(const graph_fixture *f) {
  trm_graph *g = open_fixture(f, true);
  const uint64_t digest = g->digest;
  trm_graph_close(&g);
  return digest;
}

/* All content changes it, each array in its place; names for people and stored types do not. */
static void check_digest(void) {
  graph_fixture f;
  graph_fixture_make(&f);
  const uint64_t want = digest_of(&f);
  f.d.graph.source = "elsewhere";
  CHECK(digest_of(&f) == want);
  f.dense[3] = 3.5f;
  CHECK(digest_of(&f) != want);
  graph_fixture_make(&f), f.labels[0] = 2;
  CHECK(digest_of(&f) != want);
  graph_fixture_make(&f), f.d.graph.symmetric = false;
  CHECK(digest_of(&f) != want);
  graph_fixture_make(&f), f.d.graph.in.values = f.weights;
  CHECK(digest_of(&f) != want);
  graph_fixture_make(&f), f.d.classes.names.bytes = "abbccd";
  CHECK(digest_of(&f) != want);
  graph_fixture_make(&f), f.d.classes.n = 4, f.d.classes.names.n = 0;
  const uint64_t four = digest_of(&f);
  f.d.classes.n = 5;
  CHECK(digest_of(&f) != four);
  graph_fixture_make(&f), f.d.n_splits = 1;
  CHECK(digest_of(&f) != want);
  /* The same texts as names of classes or of nodes. */
  graph_fixture_make(&f), f.d.classes.n = 5, f.d.classes.names.n = 0;
  const uint64_t of_nodes = digest_of(&f);
  f.d.classes.names = f.d.graph.names, f.d.graph.names.n = 0;
  CHECK(digest_of(&f) != of_nodes);
  graph_fixture_make(&f), f.splits[5].n = 1;
  f.splits[4] = (trm_ids){(int32_t[]){3}, 1};
  CHECK(digest_of(&f) != want);
}

/* ---- sharing ---------------------------------------------------------------------------------- */

/* Two "processes" one after the other: the first fills and keeps its memory, the second is given the
 * same, and writing to it ends the test. */
typedef struct shared {
  void *pieces[8];
  int64_t bytes[8];
  int n, next, n_settles, fail_at;
} shared;

static trm_status shared_take(void *context, int64_t bytes, const char *what, void **memory,
                              bool *fill) {
  shared *s = context;
  (void)what;
  *fill = s->next == s->n;
  if (*fill) {
    s->pieces[s->n] =
        mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s->pieces[s->n] == MAP_FAILED) exit(1);
    s->bytes[s->n++] = bytes;
  } else {
    CHECK_EQ(mprotect(s->pieces[s->next], (size_t)bytes, PROT_READ), 0);
  }
  CHECK_EQ(bytes, s->bytes[s->next]);
  *memory = s->pieces[s->next++];
  return TRM_OK;
}

static trm_status shared_settle(void *context, trm_status status) {
  shared *s = context;
  if (s->n_settles++ != s->fail_at) return status;
  return trm_fail(TRM_ERR_IO, "another process failed");
}

static void check_shared(bool features, bool directed) {
  graph_fixture f;
  graph_fixture_make(&f);
  f.d.graph.symmetric = !directed;
  const char *path = fixture_path(folder, "shared.h5");
  graph_fixture_write(path, &f);
  shared s = {.fail_at = -1};
  const trm_graph_memory memory = {&s, shared_take, shared_settle};
  trm_graph *first = NULL, *second = NULL;
  CHECK_OK(trm_graph_open(path, &memory, features, &first));
  CHECK_EQ(s.n, 2);
  const int n_settles = s.n_settles;
  s.next = s.n_settles = 0;
  CHECK_OK(trm_graph_open(path, &memory, features, &second));
  CHECK_EQ(s.n, 2);
  CHECK_EQ(s.n_settles, n_settles);
  if (first && second) {
    CHECK(first->digest == second->digest);
    CHECK(first->in.columns == second->in.columns && first->degrees == second->degrees);
    CHECK_EQ(trm_node_data_of(second)->classes.n, 3);
    check_same_rows(&second->in, &f.d.graph.in);
    check_same_rows(&second->out, &f.d.graph.in); /* the same edges both ways */
  }
  trm_graph_close(&first);
  trm_graph_close(&second);
  /* A failure elsewhere ends it here too, wherever it comes. */
  for (int k = 0; k < n_settles; ++k) {
    s.next = s.n_settles = 0, s.fail_at = k;
    CHECK_EQ(trm_graph_open(path, &memory, features, &first), TRM_ERR_IO);
    CHECK(first == NULL);
    CHECK_EQ(s.n_settles, k + 1);
    CHECK_STR(trm_message(), "another process failed");
  }
  /* A file that cannot be opened is told to the others before anything is taken. */
  s.next = s.n_settles = 0, s.fail_at = -1;
  CHECK_EQ(trm_graph_open(fixture_path(folder, "none.h5"), &memory, features, &first),
           TRM_ERR_MISSING);
  CHECK_EQ(s.n_settles, 1);
  CHECK_EQ(s.next, 0);
  for (int i = 0; i < s.n; ++i) munmap(s.pieces[i], (size_t)s.bytes[i]);
}

static void check_allocations(void) {
  graph_fixture f;
  graph_fixture_make(&f);
  const char *path = fixture_path(folder, "alloc.h5");
  graph_fixture_write(path, &f);
  const int64_t live = trm_alloc_counts_get().live_blocks;
  trm_graph *g = NULL;
  int n = 0;
  for (;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status = trm_graph_open(path, NULL, n % 2, &g);
    trm_alloc_fail_after(-1);
    if (status == TRM_OK) break;
    CHECK_EQ(status, TRM_ERR_MEMORY);
    CHECK(g == NULL);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    if (n > 300) break;
  }
  CHECK(n > 8 && n <= 300);
  trm_graph_close(&g);
  const trm_edge_list list = {8, 8, f.sources, f.sources, f.weights};
  trm_graph_counts counts = {0};
  int64_t *offsets = NULL;
  int32_t *columns = NULL;
  float *values = NULL;
  for (n = 0;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status =
        trm_graph_from_edges(&list, 5, true, &offsets, &columns, &values, &counts);
    trm_alloc_fail_after(-1);
    if (status == TRM_OK) break;
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    if (n > 20) break;
  }
  CHECK(n > 5 && n <= 20);
  TRM_FREE(offsets);
  TRM_FREE(columns);
  TRM_FREE(values);
}

/* ---- kinds, description, atomic writing ------------------------------------------------------- */

static void describe(const graph_fixture *f, char *text, size_t size) {
  trm_graph *g = open_fixture(f, true);
  FILE *file = fmemopen(text, size, "w");
  if (!file) exit(1);
  CHECK_OK(trm_graph_describe(g, file));
  fclose(file);
  FILE *full = fopen("/dev/full", "w");
  if (full) {
    CHECK_EQ(trm_graph_describe(g, full), TRM_ERR_IO);
    fclose(full);
  }
  trm_graph_close(&g);
}

static void check_describe(void) {
  graph_fixture f;
  static char text[8192];
  graph_fixture_make(&f);
  describe(&f, text, sizeof text);
  CHECK_HAS(text, "kind         graph, format 1\nsource       fixture\n");
  CHECK_HAS(text, "nodes                     5\n");
  CHECK_HAS(text, "edges                     8  symmetric: 4 both ways\n");
  CHECK_HAS(text, "left out                  1  self-loops, 2 repeated edges");
  CHECK_HAS(text,
            "degree                 1.60  edges a node in the mean; least 0, median 2, 90 % 2, "
            "99 % 2, most 3\n");
  CHECK_HAS(text, "isolated                  1  nodes without edges\n");
  CHECK_HAS(text, "features                  2  dense\n");
  CHECK_HAS(text, "classes                   3  1 without a label\n");
  CHECK_HAS(text, "  1                       2   40.0 %  bb\n");
  CHECK_HAS(text, "splits                    2\n");
  CHECK_HAS(text, "  0                       2  train, 1 valid, 1 test, 1 in none\n");
  graph_fixture_sparse(&f, false);
  describe(&f, text, sizeof text);
  CHECK_HAS(text, "features                  3  sparse: 6 values, all 1, 1 node without one\n");
  graph_fixture_make(&f);
  graph_fixture_set(&f);
  describe(&f, text, sizeof text);
  CHECK_HAS(text, "graphs                    3\n");
  CHECK_HAS(text, "folds                     3\n");
  graph_fixture_interactions(&f);
  describe(&f, text, sizeof text);
  CHECK_HAS(text, "items                     4  0 of them in no training list\n");
  CHECK_HAS(text, "train                     5  interactions, 41.667 % of all pairs");
}

/* The list of kinds: each is found by its name, and describes and counts what it can open. */
static void check_kinds(const char *graph, const char *text) {
  const trm_data_kind *kind = NULL;
  int n = 0, n_kinds;
  const trm_data_kind *const *kinds = trm_data_kinds(&n_kinds);
  CHECK_EQ(n_kinds, 6);
  for (int i = 0; i < n_kinds; ++i) {
    CHECK(trm_data_kind_find(kinds[i]->name) == kinds[i]);
    CHECK(kinds[i]->describe && !kinds[i]->splits == !kinds[i]->count_splits);
  }
  CHECK(trm_data_kind_find("grapes") == NULL);
  CHECK_OK(trm_data_kind_of(graph, &kind));
  CHECK_STR(kind->name, "graph");
  CHECK_STR(kind->splits, "splits");
  CHECK_OK(kind->count_splits(graph, &n));
  CHECK_EQ(n, 2);
  CHECK_EQ(trm_data_kind_find("graphs")->count_splits(graph, &n), TRM_ERR_DATA);
  CHECK_OK(trm_data_kind_of(text, &kind));
  CHECK_STR(kind->name, "text");
  CHECK(kind->splits == NULL);
}

static void check_kind(void) {
  graph_fixture f;
  char kind[32];
  const char *path = fixture_path(folder, "kind.h5"), *text = fixture_path(folder, "text.h5");
  graph_fixture_make(&f);
  graph_fixture_write(path, &f);
  CHECK_OK(trm_dataset_kind(path, kind));
  CHECK_STR(kind, "graph");
  fixture_plain(text, 100, 90);
  CHECK_OK(trm_dataset_kind(text, kind));
  CHECK_STR(kind, "text");
  trm_graph *g = NULL;
  CHECK_EQ(trm_graph_open(text, NULL, true, &g), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "kind is 'text', expected 'graph', 'graphs', 'interactions' or 'shop'");
  trm_dataset *d = NULL;
  CHECK_EQ(trm_dataset_open(path, &d), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "kind is 'graph', expected 'text'; give another data set");
  trm_graph_set *set = NULL;
  CHECK_EQ(trm_graph_set_open(path, NULL, true, &set), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "kind is 'graph', expected 'graphs'; give another data set");
  CHECK(set == NULL);
  trm_interactions *pairs = NULL;
  CHECK_EQ(trm_interactions_open(path, NULL, &pairs), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "kind is 'graph', expected 'interactions'");
  check_kinds(path, text);
  CHECK_EQ(trm_dataset_kind(fixture_path(folder, "none.h5"), kind), TRM_ERR_MISSING);
}

/* A file that cannot be written leaves what was there, and nothing else. */
static void check_atomic(void) {
  graph_fixture f;
  graph_fixture_make(&f);
  const char *path = fixture_path(folder, "no/such/folder.h5");
  CHECK_EQ(trm_node_data_write(path, &f.d, &no_counts, NULL), TRM_ERR_MISSING);
  CHECK_HAS(trm_message(), "make the folder first");
  CHECK_EQ(trm_node_data_write(folder, &f.d, &no_counts, NULL), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(), "is a folder");
}

int main(void) {
  folder = check_temp_folder();
  for (int k = 0; k < 4; ++k) {
    const bool undirected = k % 2, weighted = k / 2;
    check_edges(1, 0, undirected, weighted, 1);
    check_edges(1, 3, undirected, weighted, 2);
    check_edges(2, 5, undirected, weighted, 3);
    check_edges(7, 12, undirected, weighted, 4);
    check_edges(MOST, 300, undirected, weighted, 5);
    check_edges(MOST, 4 * MOST * MOST, undirected, weighted, 6);
    check_edges(0, 0, undirected, weighted, 7);
  }
  check_nodes();
  check_directed(false);
  check_directed(true);
  check_set();
  check_interactions();
  check_features();
  check_digest();
  check_shared(true, false);
  check_shared(false, true);
  check_allocations();
  check_describe();
  check_kind();
  check_atomic();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
