/* The text files that graphs are made of: edges, features, labels, splits, nodes, lists of items, the
 * package index.
 *
 * Two bytes choose the way and which files are there; files follow, cut by lines "%%". */
#include "fuzz.h"
#include "trireme/prepare/graphs.h"
#include "trireme/prepare/text.h"

enum { N_FILES = 8 };
static const char *files[N_FILES];

static const char *file(uint32_t flags, int bit, int i) {
  return flags >> bit & 1 ? files[i] : NULL;
}

static void graph(uint32_t flags) {
  trm_graph_counts counts;
  const trm_prepare_graph_options o = {
      .output = fuzz_path("out.h5"),
      .edges = files[0],
      .features = file(flags, 0, 1),
      .features_dense = file(flags, 1, 2),
      .labels = file(flags, 2, 3),
      .classes = file(flags, 3, 4),
      .splits = files + 5,
      .n_splits = flags >> 4 & 1,
      .train = file(flags, 5, 5),
      .valid = file(flags, 5, 6),
      .test = file(flags, 5, 7),
      .keep_file = file(flags, 6, 7),
      .directed = flags >> 7 & 1,
      .row_normalize = flags >> 8 & 1,
      .n_nodes = flags >> 9 & 1 ? 12 : 0,
  };
  (void)trm_prepare_graph(&o, &counts);
}

static void set(uint32_t flags) {
  trm_graph_counts counts;
  const trm_prepare_graph_options o = {
      .output = fuzz_path("out.h5"),
      .edges = files[0],
      .nodes = files[1],
      .labels = files[2],
      .classes = file(flags, 0, 3),
      .attributes = file(flags, 1, 4),
      .folds = file(flags, 2, 5),
      .degree_features = flags >> 3 & 1,
      .directed = flags >> 4 & 1,
  };
  (void)trm_prepare_graph_set(&o, &counts);
}

static void interactions(uint32_t flags) {
  static const char *const formats[] = {NULL, "lists", "pairs"};
  trm_graph_counts counts;
  const trm_prepare_interactions_options o = {.output = fuzz_path("out.h5"),
                                              .train = files[0],
                                              .test = file(flags, 0, 1),
                                              .format = formats[(flags >> 1) % 3],
                                              .split = flags >> 3 & 1 ? "time" : NULL,
                                              .test_share = 0.25,
                                              .seed = 1,
                                              .has_threshold = flags >> 4 & 1,
                                              .threshold = 3};
  (void)trm_prepare_interactions(&o, &counts);
}

static void packages(uint32_t flags) {
  trm_graph_counts counts;
  trm_prepare_summary summary;
  const trm_prepare_debian_graph_options g = {
      .output = fuzz_path("out.h5"), .index = files[0], .seed = 1, .n_splits = 2, .max_words = 8};
  const trm_prepare_options o = {.output = fuzz_path("out.h5"),
                                 .vocab = {.unit = flags >> 1 & 1 ? "byte" : "char"},
                                 .valid_share = 0.25};
  if (flags & 1) {
    (void)trm_prepare_debian(files[0], &o, &summary);
  } else {
    (void)trm_prepare_debian_graph(&g, &counts);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const ways[])(uint32_t) = {graph, set, interactions, packages};
  static const char *const names[N_FILES] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  fuzz_input in = {data, size}, parts[N_FILES];
  const uint32_t way = fuzz_take(&in, 1), flags = fuzz_take(&in, 2);
  const int64_t blocks = fuzz_blocks();
  (void)fuzz_take_texts(&in, parts, N_FILES);
  for (int i = 0; i < N_FILES; ++i) files[i] = fuzz_file(names[i], parts[i]);
  ways[way % 4](flags);
  fuzz_expect_blocks(blocks);
  return 0;
}
