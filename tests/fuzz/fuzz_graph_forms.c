/* Graphs as others publish them: Planetoid's text, OGB's tables of one graph and of many, TU's, edges with
 * the heads of KONECT and Matrix Market and what a user may say of them, nodes without edges; lists and
 * pairs of users and items.
 *
 * A byte chooses the way, four what is said, files follow, cut by lines "%%". */
#include "fuzz.h"
#include "trireme/prepare/graphs.h"

enum { N_FILES = 8 };
static const char *files[N_FILES];

/* Words from the bits above `flags` are used up by; NULL among them is found out. */
static const char *choose(uint32_t *flags, const char *const *words, uint32_t n) {
  const uint32_t i = *flags % n;
  *flags /= n;
  return words[i];
}

static bool one_of(uint32_t *flags) {
  const bool yes = *flags & 1;
  *flags >>= 1;
  return yes;
}

static trm_reading reading(uint32_t *flags, trm_notes *notes) {
  static const char *const separators[] = {NULL,   "tab",    "comma", "semicolon",
                                           "pipe", "colons", "blanks"};
  static const char *const answers[] = {NULL, "yes", "no"};
  static const char *const columns[] = {NULL, "2,1", "1,2,,3", "source,target"};
  static const char *const bases[] = {NULL, "0", "1"};
  static const char *const ids[] = {NULL, "numbers", "names"};
  return (trm_reading){.separator = choose(flags, separators, 7),
                       .header = choose(flags, answers, 3),
                       .columns = choose(flags, columns, 4),
                       .base = choose(flags, bases, 3),
                       .ids = choose(flags, ids, 3),
                       .no_label = one_of(flags) ? "none" : NULL,
                       .notes = notes};
}

/* Parts of the nodes, at random or so many of each class. */
static trm_node_deal deal(uint32_t *flags) {
  static const trm_node_deal deals[] = {
      {0},
      {.valid_share = 0.25, .test_share = 0.25, .seed = 1},
      {.per_class = 1, .n_valid = 1, .n_test = 1, .seed = 2},
  };
  const uint32_t i = *flags % 3;
  *flags /= 3;
  return deals[i];
}

static void graph(trm_prepare_graph_options *o) {
  trm_graph_counts counts;
  (void)trm_prepare_graph(o, &counts);
}

static void planetoid(uint32_t flags, trm_prepare_graph_options *o) {
  o->content = files[0];
  o->edges = files[1];
  o->deal = deal(&flags);
  o->row_normalize = one_of(&flags);
  o->directed = one_of(&flags);
  o->reading = reading(&flags, o->reading.notes);
  graph(o);
}

static void lists(trm_prepare_graph_options *o, int first) {
  o->train = files[first];
  o->valid = files[first + 1];
  o->test = files[first + 2];
}

static void ogb_graph(uint32_t flags, trm_prepare_graph_options *o) {
  o->edges = files[0];
  o->features_dense = one_of(&flags) ? files[1] : NULL;
  o->labels = files[2];
  o->label_lines = true;
  lists(o, 3);
  if (one_of(&flags)) (void)trm_read_one_count(files[6], &o->n_nodes);
  graph(o);
}

static void set(trm_prepare_graph_options *o) {
  trm_graph_counts counts;
  (void)trm_prepare_graph_set(o, &counts);
}

static void tu(uint32_t flags, trm_prepare_graph_options *o) {
  o->edges = files[0];
  o->indicator = files[1];
  o->labels = files[2];
  o->node_labels = one_of(&flags) ? files[3] : NULL;
  o->attributes = one_of(&flags) ? files[4] : NULL;
  o->label_lines = true;
  o->index = "no";
  o->n_folds = one_of(&flags) ? 2 : 0;
  o->degree_features = one_of(&flags);
  o->row_normalize = one_of(&flags);
  o->reading.base = one_of(&flags) ? NULL : "1";
  set(o);
}

static void ogb_set(uint32_t flags, trm_prepare_graph_options *o) {
  o->edges = files[0];
  o->node_counts = files[1];
  o->edge_counts = files[2];
  o->labels = files[3];
  o->attributes = one_of(&flags) ? files[4] : NULL;
  o->label_lines = true;
  o->index = "no";
  o->directed = one_of(&flags);
  if (one_of(&flags)) {
    lists(o, 5);
  } else {
    o->n_folds = 2;
  }
  set(o);
}

static void edges(uint32_t flags, trm_prepare_graph_options *o) {
  static const char *const answers[] = {NULL, "yes", "no"};
  o->edges = files[0];
  o->reading = reading(&flags, o->reading.notes);
  o->deal = deal(&flags);
  o->labels = one_of(&flags) ? files[1] : NULL;
  o->features = one_of(&flags) ? files[2] : NULL;
  o->features_dense = one_of(&flags) ? files[3] : NULL;
  o->identity_features = one_of(&flags);
  o->reading.feature_base = one_of(&flags) ? "1" : NULL;
  o->label_columns = one_of(&flags) ? "2,1" : NULL;
  o->feature_header = choose(&flags, answers, 3);
  o->index = choose(&flags, answers, 3);
  graph(o);
}

static void nodes(uint32_t flags, trm_prepare_graph_options *o) {
  o->no_edges = true;
  o->features_dense = one_of(&flags) ? files[0] : NULL;
  o->features = one_of(&flags) ? files[1] : NULL;
  o->labels = one_of(&flags) ? files[2] : NULL;
  o->n_nodes = one_of(&flags) ? 5 : 0;
  o->identity_features = one_of(&flags);
  o->deal = deal(&flags);
  o->reading = reading(&flags, o->reading.notes);
  graph(o);
}

static void pairs(uint32_t flags, trm_prepare_graph_options *unused) {
  static const char *const formats[] = {NULL, "lists", "pairs"};
  trm_graph_counts counts;
  trm_prepare_interactions_options o = {
      .output = unused->output, .train = files[0], .test_share = 0.25, .seed = 1, .threshold = 3};
  o.test = one_of(&flags) ? files[1] : NULL;
  o.format = choose(&flags, formats, 3);
  o.split = one_of(&flags) ? "time" : NULL;
  o.has_threshold = one_of(&flags);
  o.reading = reading(&flags, unused->reading.notes);
  (void)trm_prepare_interactions(&o, &counts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const ways[])(uint32_t, trm_prepare_graph_options *) = {
      planetoid, ogb_graph, tu, ogb_set, edges, nodes, pairs};
  static const char *const names[N_FILES] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  fuzz_input in = {data, size}, parts[N_FILES];
  const uint32_t way = fuzz_take(&in, 1), flags = fuzz_take(&in, 4);
  const int64_t blocks = fuzz_blocks();
  trm_notes notes = {0};
  trm_prepare_graph_options o = {.output = fuzz_path("out.h5"), .reading.notes = &notes};
  (void)fuzz_take_texts(&in, parts, N_FILES);
  for (int i = 0; i < N_FILES; ++i) files[i] = fuzz_file(names[i], parts[i]);
  ways[way % 7](flags, &o);
  trm_notes_free(&notes);
  fuzz_expect_blocks(blocks);
  return 0;
}
