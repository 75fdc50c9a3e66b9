/* prepare debian --graph: labels, features, edges, splits, and that no section is in the features. */
#include <math.h>

#include "../../src/prepare/words_internal.h"
#include "input_fixture.h"
#include "trireme/input/node_data.h"
#include "trireme/prepare/graphs.h"

enum { N = 60, LAST = N - 1, MAX_INDEX = 1 << 16 };

static const char *folder;

static const char *const sections[] = {"text", "contrib/games", "libs", "non-free/libs", "games"};
static const char *const others[] = {"libs", "sound", "text", "games", "net"};

/* In how many packages the words and tags are, which the names tell:
 * dropped: tool (all), iNN (1), pairNN (2), thirteen (13 of 60 are over 20 %), use::y (2), section::*
 * kept:    twelve (12), group0-5 (10), shared0-9 (6, two of them 5), c++ (4), all other tags
 * The last package has a name alone. */
static const char *write_index(const char *name, const char *const *section) {
  static char text[MAX_INDEX];
  int n = 0;
  for (int i = 0; i < N; ++i) {
    n += snprintf(text + n, MAX_INDEX - (size_t)n, "Package: tool-i%02d\n", i);
    if (i == LAST) break;
    n += snprintf(text + n, MAX_INDEX - (size_t)n,
                  "Section: %s\nDescription: GROUP%d, the shared%d/group%d%s%s%s 2024\n pair%02d\n",
                  section[i % 5], i % 6, i % 10, i % 6, i < 12 ? " twelve" : "",
                  i < 13 ? " (thirteen)" : "", i < 4 ? "; C++" : "", i / 2);
    n += snprintf(text + n, MAX_INDEX - (size_t)n, "Tag: section::%s%s,\n role::%s%s\n",
                  section[i % 5],
                  i < 3   ? ", use::x"
                  : i < 5 ? ", use::y"
                          : "",
                  i % 2 ? "b, nonsense" : "a", i == 1 ? "" : ", implemented-in::c");
    if (i < 40) n += snprintf(text + n, MAX_INDEX - (size_t)n, "Depends: tool-i%02d\n", i + 1);
    if (i % 4 == 0 && i < 40) {
      n += snprintf(text + n, MAX_INDEX - (size_t)n, "Recommends: tool-i%02d\n", i + 1);
    }
    if (i == 7) n += snprintf(text + n, MAX_INDEX - (size_t)n, "Suggests: tool-i05, tool-i06\n");
    n += snprintf(text + n, MAX_INDEX - (size_t)n, "\n");
  }
  const char *path = fixture_path(folder, name);
  fixture_file(path, text, (size_t)n);
  return path;
}

static trm_status prepare(const char *index, const char *output, int64_t max_words, uint64_t seed,
                          trm_graph_counts *counts) {
  const trm_prepare_debian_graph_options o = {
      .output = output, .index = index, .seed = seed, .n_splits = 3, .max_words = max_words};
  return trm_prepare_debian_graph(&o, counts);
}

/* The expected row of package i, by names of features. */
static int expected_row(int i, const char **names, double *idf) {
  static char group[16], shared[16];
  int n = 0;
  if (i == LAST) return 0;
  snprintf(group, sizeof group, "group%d", i % 6);
  snprintf(shared, sizeof shared, "shared%d", i % 10);
  const struct {
    bool has;
    const char *name;
    int documents;
  } rows[] = {{i < 12, "twelve", 12},
              {true, group, i % 6 == 5 ? 9 : 10},
              {true, shared, i % 10 == 9 ? 5 : 6},
              {i < 4, "c++", 4},
              {i % 2 == 0, "role::a", 30},
              {i % 2 == 1, "role::b", 29},
              {i < 3, "use::x", 3},
              {i != 1, "implemented-in::c", 58}};
  for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r) {
    if (!rows[r].has) continue;
    names[n] = rows[r].name;
    idf[n++] = log((double)N / rows[r].documents);
  }
  return n;
}

static void check_row(const trm_node_data *g, int i, const char *bytes, const int64_t *offsets) {
  const char *names[8];
  double idf[8], squares = 0;
  const int n = expected_row(i, names, idf);
  const int64_t first = g->graph.features.offsets[i];
  if (!CHECK_EQ(g->graph.features.offsets[i + 1] - first, n)) return;
  for (int k = 0; k < n; ++k) squares += idf[k] * idf[k];
  for (int k = 0; k < n; ++k) {
    bool found = false;
    for (int64_t e = first; e < first + n; ++e) {
      const int32_t c = g->graph.features.columns[e];
      const int64_t length = offsets[c + 1] - offsets[c];
      if (e > first) CHECK(g->graph.features.columns[e - 1] < c);
      if (length != (int64_t)strlen(names[k]) ||
          memcmp(bytes + offsets[c], names[k], (size_t)length) != 0) {
        continue;
      }
      found = true;
      CHECK_NEAR_AT(g->graph.features.values[e], idf[k] / sqrt(squares), 1e-6, i);
    }
    if (!CHECK(found)) fprintf(stderr, "  %s of package %d\n", names[k], i);
  }
}

/* Names of the features: by frequency, then bytes; words before tags. */
static void check_features(const trm_node_data *g, const char *path) {
  static const char want[] =
      "twelvegroup0group1group2group3group4group5shared0shared1shared2shared3"
      "shared4shared5shared6shared7shared8shared9c++"
      "implemented-in::crole::arole::buse::x";
  char bytes[512] = "";
  int64_t offsets[64] = {0};
  trm_container *c = NULL;
  trm_array_info info;
  if (!CHECK_EQ(g->graph.n_features, 22)) return;
  CHECK_OK(trm_container_open(path, &c));
  CHECK_OK(trm_array_read(c, "/debian/features/offsets", TRM_DTYPE_I64, offsets, 23));
  CHECK_EQ(offsets[22], (int64_t)strlen(want));
  CHECK_OK(trm_array_read(c, "/debian/features/bytes", TRM_DTYPE_U8, bytes, offsets[22]));
  CHECK_STR(bytes, want);
  CHECK_OK(trm_array_info_get(c, "/debian/recommends/sources", &info));
  CHECK_EQ(info.dims[0], 10);
  CHECK_OK(trm_container_close(&c));
  for (int i = 0; i < N; ++i) check_row(g, i, bytes, offsets);
}

static void check_labels(const trm_node_data *g) {
  static const char *const classes[] = {"games", "libs", "text"};
  static const int32_t of[] = {2, 0, 1, 1, 0};
  if (!CHECK_EQ(g->classes.n, 3)) return;
  for (int k = 0; k < 3; ++k) {
    const int64_t *o = g->classes.names.offsets;
    CHECK_EQ(o[k + 1] - o[k], (int64_t)strlen(classes[k]));
    CHECK_EQ(memcmp(g->classes.names.bytes + o[k], classes[k], strlen(classes[k])), 0);
  }
  for (int i = 0; i < N; ++i) CHECK_EQ(g->classes.labels[i], i == LAST ? -1 : of[i % 5]);
  CHECK_EQ(g->graph.names.n, N);
  CHECK_EQ(memcmp(g->graph.names.bytes + g->graph.names.offsets[17], "tool-i17", 8), 0);
}

/* A chain 0 - 40, and 5 - 7. */
static void check_edges(const trm_node_data *g) {
  CHECK(g->graph.symmetric);
  CHECK_EQ(g->graph.in.n_edges, 2 * 41);
  for (int i = 0; i < N; ++i) {
    int n = 0;
    int32_t want[3];
    if (i > 0 && i <= 40) want[n++] = i - 1;
    if (i < 40) want[n++] = i + 1;
    if (i == 5) want[n++] = 7;
    if (i == 7) want[2] = want[1], want[1] = want[0], want[0] = 5, n++;
    if (!CHECK_EQ(g->graph.in.offsets[i + 1] - g->graph.in.offsets[i], n)) continue;
    for (int k = 0; k < n; ++k) CHECK_EQ(g->graph.in.columns[g->graph.in.offsets[i] + k], want[k]);
  }
}

/* 59 labelled packages: 35, 12 and 12, each in one part; the splits differ. */
static void check_splits(const trm_node_data *g) {
  int part[3][N];
  static const int64_t sizes[] = {35, 12, 12};
  CHECK_EQ(g->n_splits, 3);
  memset(part, 0xFF, sizeof part);
  for (int s = 0; s < 3; ++s) {
    for (int p = 0; p < TRM_N_SUBSETS; ++p) {
      trm_ids ids;
      CHECK_OK(trm_node_data_split(g, s, (trm_subset)p, &ids));
      CHECK_EQ(ids.n, sizes[p]);
      for (int64_t i = 0; i < ids.n; ++i) {
        CHECK_EQ(part[s][ids.ids[i]], -1);
        part[s][ids.ids[i]] = p;
        if (i > 0) CHECK(ids.ids[i - 1] < ids.ids[i]);
      }
    }
    CHECK_EQ(part[s][LAST], -1);
    if (s > 0) CHECK(memcmp(part[s], part[s - 1], sizeof part[0]) != 0);
  }
}

static trm_node_data *make(const char *index, int64_t max_words, uint64_t seed) {
  const char *path = fixture_path(folder, "graph.h5");
  trm_graph_counts counts;
  trm_node_data *g = NULL;
  if (!CHECK_OK(prepare(index, path, max_words, seed, &counts))) exit(1);
  CHECK_EQ(counts.self_loops, 0);
  CHECK_EQ(counts.duplicates, 11);
  CHECK_EQ(counts.isolated, 19);
  CHECK_EQ(counts.unlabelled, 1);
  CHECK_EQ(counts.empty_features, 1);
  if (!CHECK_OK(trm_node_data_open(path, NULL, true, &g))) exit(1);
  return g;
}

static void check_graph(void) {
  const char *index = write_index("Packages", sections);
  trm_node_data *g = make(index, 100, 1), *again = make(index, 100, 1),
                *other = make(index, 100, 2);
  trm_node_data *few = make(index, 8, 1), *moved = make(write_index("Moved", others), 100, 1);
  check_features(other, fixture_path(folder, "graph.h5"));
  check_labels(g);
  check_edges(g);
  check_splits(g);
  CHECK_EQ(g->graph.digest, again->graph.digest);
  CHECK(g->graph.digest != other->graph.digest);
  CHECK_EQ(few->graph.n_features, 8 + 4);
  /* Other sections: other labels, the same features to the bit. */
  CHECK(memcmp(g->classes.labels, moved->classes.labels, N * sizeof *g->classes.labels) != 0);
  CHECK_EQ(g->graph.n_features, moved->graph.n_features);
  if (CHECK_EQ(g->graph.features.n_edges, moved->graph.features.n_edges)) {
    const size_t n = (size_t)g->graph.features.n_edges;
    CHECK_EQ(
        memcmp(g->graph.features.offsets, moved->graph.features.offsets, (N + 1) * sizeof(int64_t)),
        0);
    CHECK_EQ(memcmp(g->graph.features.columns, moved->graph.features.columns, n * sizeof(int32_t)),
             0);
    CHECK_EQ(memcmp(g->graph.features.values, moved->graph.features.values, n * sizeof(float)), 0);
  }
  trm_node_data_close(&g);
  trm_node_data_close(&again);
  trm_node_data_close(&other);
  trm_node_data_close(&few);
  trm_node_data_close(&moved);
}

static void check_words(void) {
  trm_words w = {0};
  static const char text[] = "Ab ab, C++/c# 12 3d x\xC3\xA9y ++ aa a-b";
  static const char *const want[] = {"ab", "c++", "c#", "3d", "x\xC3\xA9y", "aa", "a", "b"};
  char lengthy[100];
  memset(lengthy, 'q', sizeof lengthy);
  CHECK_OK(trm_words_add_text(&w, text, (int64_t)sizeof text - 1));
  CHECK_OK(trm_words_add_text(&w, lengthy, sizeof lengthy)); /* passed over */
  CHECK_OK(trm_words_end_document(&w));
  CHECK_OK(trm_words_end_document(&w)); /* empty */
  CHECK_OK(trm_words_add_text(&w, "ab b", 4));
  CHECK_OK(trm_words_add_text(&w, lengthy, 64)); /* the longest */
  CHECK_OK(trm_words_end_document(&w));
  CHECK_EQ(w.names.n, 9);
  for (int i = 0; i < 8; ++i) {
    CHECK_EQ(trm_names_find(&w.names, want[i], (int64_t)strlen(want[i])), i);
    CHECK_EQ(trm_words_documents(&w, i), i == 0 || i == 7 ? 2 : 1);
  }
  int64_t n;
  const int32_t *ids = trm_words_of(&w, 0, &n);
  CHECK_EQ(n, 8);
  for (int i = 0; i < 8; ++i) CHECK_EQ(ids[i], i);
  (void)trm_words_of(&w, 1, &n);
  CHECK_EQ(n, 0);
  ids = trm_words_of(&w, 2, &n);
  CHECK_EQ(n, 3);
  CHECK_EQ(ids[1], 7);
  int32_t rank[9], chosen[9];
  CHECK_OK(trm_words_choose(&w, 1, 0.5, 3, rank, chosen,
                            &n)); /* of one document in three: in bytes' order */
  CHECK_EQ(n, 3);
  CHECK_EQ(chosen[0], 3);
  CHECK_EQ(chosen[1], 6);
  CHECK_EQ(chosen[2], 5);
  CHECK_EQ(rank[0], -1);
  CHECK_EQ(rank[1], -1);
  CHECK_EQ(rank[5], 2);
  trm_words_free(&w);
  CHECK_OK(trm_words_choose(&w, 1, 1, 3, rank, chosen, &n));
  CHECK_EQ(n, 0);
}

static void check_bad(const char *text, trm_status want, const char *part) {
  const char *in = fixture_path(folder, "bad"), *out = fixture_path(folder, "none.h5");
  trm_graph_counts counts;
  if (text) fixture_file(in, text, strlen(text));
  CHECK_EQ(prepare(text ? in : fixture_path(folder, "missing"), out, 10, 1, &counts), want);
  CHECK_HAS(trm_message(), part);
  CHECK(access(out, F_OK) != 0);
}

static void check_failures(void) {
  trm_graph_counts counts;
  check_bad(NULL, TRM_ERR_MISSING, "missing: cannot be opened");
  check_bad("", TRM_ERR_DATA, "no package");
  check_bad("Package: a\nSection: x\n", TRM_ERR_DATA, "bad: 1 packages have a section; 5 or more");
  check_bad("Package: a\nSection: x\n\nPackage: b\nSection: x\n\nPackage: c\nSection: x\n\n"
            "Package: d\nSection: x\n\nPackage: e\nSection: x\n",
            TRM_ERR_DATA, "the index is too small");
  const char *index = fixture_path(folder, "Packages");
  CHECK_EQ(prepare(index, index, 10, 1, &counts), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(), "both input and output");
  const char *out = fixture_path(folder, "alloc.h5");
  const int64_t live = trm_alloc_counts_get().live_blocks;
  int64_t n = 0;
  for (;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status = prepare(index, out, 100, 1, &counts);
    trm_alloc_fail_after(-1);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    if (status == TRM_OK || n > 500) break;
    CHECK_EQ(status, TRM_ERR_MEMORY);
    CHECK(access(out, F_OK) != 0);
  }
  CHECK(n > 50 && n <= 500);
}

int main(void) {
  folder = check_temp_folder();
  check_words();
  check_graph();
  check_failures();
  return fixture_end(folder);
}
