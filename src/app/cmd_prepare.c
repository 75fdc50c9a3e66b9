#include <math.h>
#include <stdio.h>
#include <string.h>

#include "prepare.h"
#include "trireme/core/config.h"
#include "trireme/prepare/text.h"

void app_prepare_progress(void *log, double share, const char *what) {
  trm_log_progress(log, false, "%s: %3.0f %%", what, 100 * share);
}

static void print_summary(trm_log *log, const char *output, const trm_prepare_summary *s) {
  char tokens[32], train[32], valid[32], packages[32];
  trm_format_count(s->n_tokens, tokens);
  trm_format_count(s->n_train, train);
  trm_format_count(s->n_valid, valid);
  trm_format_count(s->n_packages, packages);
  if (s->n_packages > 0) trm_log_line(log, "%s: %s packages", output, packages);
  trm_log_line(log, "%s: %s tokens (%s for training, %s for validation), vocabulary %lld", output,
               tokens, train, valid, (long long)s->vocab);
}

static trm_status find_kind(const char *word, bool graph, app_prepare_kind *kind) {
  static const char *const names[] = {"text", "debian", "synth", "graph", "graphs", "interactions"};
  static const app_prepare_kind kinds[] = {APP_PREPARE_TEXT,  APP_PREPARE_DEBIAN,
                                           APP_PREPARE_SYNTH, APP_PREPARE_GRAPH,
                                           APP_PREPARE_SET,   APP_PREPARE_INTERACTIONS};
  for (int i = 0; i < 6; ++i) {
    if (strcmp(word, names[i]) != 0) continue;
    *kind = kinds[i];
    if (graph && *kind == APP_PREPARE_DEBIAN) *kind = APP_PREPARE_DEBIAN_GRAPH;
    if (graph && *kind == APP_PREPARE_SYNTH) *kind = APP_PREPARE_SYNTH_GRAPH;
    return TRM_OK;
  }
  const char *near = trm_nearest(word, names, 6);
  return trm_fail(TRM_ERR_USAGE,
                  "prepare: no kind '%s'%s%s%s; there are text, debian, synth, graph, graphs and "
                  "interactions",
                  word, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Options that the kind has no use for are mistakes. */
static trm_status check_options(const char *word, app_prepare_kind kind,
                                const app_prepare_request *r) {
  enum {
    TEXT = APP_PREPARE_TEXT,
    DEBIAN = APP_PREPARE_DEBIAN,
    SYNTH = APP_PREPARE_SYNTH,
    GRAPH = APP_PREPARE_GRAPH,
    SET = APP_PREPARE_SET,
    PAIRS = APP_PREPARE_INTERACTIONS,
    DEBIAN_GRAPH = APP_PREPARE_DEBIAN_GRAPH,
    SYNTH_GRAPH = APP_PREPARE_SYNTH_GRAPH,
  };
  const struct {
    const char *option;
    bool given;
    int kinds;
  } rows[] = {
      {"--unit", r->unit != NULL, TEXT | DEBIAN},
      {"--valid-share", !isnan(r->valid_share), TEXT | DEBIAN},
      {"--index", r->index != NULL, DEBIAN | DEBIAN_GRAPH},
      {"--tokens", r->n_tokens >= 0, SYNTH},
      {"--vocab", r->vocab >= 0, SYNTH},
      {"--seed", r->seed >= 0, SYNTH | DEBIAN_GRAPH | SYNTH_GRAPH},
      {"--graph", r->graph != NULL, DEBIAN_GRAPH | SYNTH_GRAPH},
      {"--edges", r->edges != NULL, GRAPH | SET},
      {"--features", r->features != NULL, GRAPH},
      {"--features-dense", r->features_dense != NULL, GRAPH},
      {"--labels", r->labels != NULL, GRAPH},
      {"--classes-file", r->classes != NULL, GRAPH | SET},
      {"--split", r->splits.n > 0, GRAPH},
      {"--train", r->train != NULL, GRAPH | PAIRS},
      {"--valid", r->valid != NULL, GRAPH},
      {"--test", r->test != NULL, GRAPH | PAIRS},
      {"--keep", r->keep != NULL, GRAPH},
      {"--nodes-file", r->nodes != NULL, SET},
      {"--graph-labels", r->graph_labels != NULL, SET},
      {"--folds", r->folds != NULL, SET},
      {"--attributes", r->attributes != NULL, SET},
      {"--directed", r->directed, GRAPH | SET},
      {"--row-normalize", r->row_normalize, GRAPH | SET},
      {"--degree-features", r->degree_features, SET},
      {"--nodes", r->n_nodes >= 0, GRAPH | SYNTH_GRAPH},
      {"--edges-count", r->n_edges >= 0, SYNTH_GRAPH},
      {"--classes", r->n_classes >= 0, SYNTH_GRAPH},
      {"--features-count", r->n_features >= 0, SYNTH_GRAPH},
      {"--noise", !isnan(r->noise), SYNTH_GRAPH},
      {"--homophily", !isnan(r->homophily), SYNTH_GRAPH},
      {"--splits-count", r->n_splits >= 0, DEBIAN_GRAPH},
      {"--words", r->n_words >= 0, DEBIAN_GRAPH},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    if (!rows[i].given || (rows[i].kinds & (int)kind) != 0) continue;
    return trm_fail(TRM_ERR_USAGE, "prepare %s%s: takes no %s; see trireme help prepare", word,
                    r->graph ? " --graph" : "", rows[i].option);
  }
  return TRM_OK;
}

/* Words: text takes files, the kinds from tables a folder, synth --graph its model. */
static trm_status check_words(app_prepare_kind kind, const app_list *words) {
  const char *word = words->items[0];
  if (kind == APP_PREPARE_TEXT) {
    return words->n >= 2 ? TRM_OK : trm_fail(TRM_ERR_USAGE, "prepare text: give the text files");
  }
  const int folders = APP_PREPARE_GRAPH | APP_PREPARE_SET | APP_PREPARE_INTERACTIONS;
  const int most = ((int)kind & (folders | APP_PREPARE_SYNTH_GRAPH)) != 0 ? 2 : 1;
  if (words->n <= most) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "prepare %s: takes %s, but '%s' is given", word,
                  most == 1                         ? "no files"
                  : kind == APP_PREPARE_SYNTH_GRAPH ? "one model"
                                                    : "one folder",
                  words->items[most]);
}

static trm_status prepare_synthetic(const app_prepare_request *r, trm_prepare_summary *s) {
  const int64_t n_tokens = r->n_tokens >= 0 ? r->n_tokens : 1000000;
  const int64_t vocab = r->vocab >= 0 ? r->vocab : 65;
  TRM_TRY(trm_prepare_synthetic(n_tokens, vocab, r->seed >= 0 ? (uint64_t)r->seed : 1, r->output));
  *s = (trm_prepare_summary){.n_tokens = n_tokens,
                             .n_train = n_tokens - n_tokens / 10,
                             .n_valid = n_tokens / 10,
                             .vocab = vocab};
  return TRM_OK;
}

static trm_status prepare_text(app_prepare_kind kind, const app_list *words,
                               const app_prepare_request *r, trm_log *log) {
  const trm_prepare_options options = {.output = r->output,
                                       .unit = r->unit ? r->unit : "char",
                                       .valid_share = isnan(r->valid_share) ? 0.1 : r->valid_share,
                                       .progress = app_prepare_progress,
                                       .context = log};
  trm_prepare_summary summary = {0};
  if (kind == APP_PREPARE_TEXT) {
    TRM_TRY(trm_prepare_text(words->items + 1, words->n - 1, &options, &summary));
  } else if (kind == APP_PREPARE_DEBIAN) {
    TRM_TRY(trm_prepare_debian(r->index, &options, &summary));
  } else {
    TRM_TRY(prepare_synthetic(r, &summary));
  }
  print_summary(log, r->output, &summary);
  return TRM_OK;
}

static trm_status prepare(const app_list *words, app_prepare_request *r, trm_log *log) {
  if (words->n < 1 || !r->output) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare: give what to prepare (text FILES..., debian, synth, graph FOLDER, "
                    "graphs FOLDER or interactions FOLDER) and -o DATA.h5; see trireme help "
                    "prepare");
  }
  app_prepare_kind kind = APP_PREPARE_TEXT;
  TRM_TRY(find_kind(words->items[0], r->graph != NULL, &kind));
  TRM_TRY(check_words(kind, words));
  TRM_TRY(check_options(words->items[0], kind, r));
  if (kind == APP_PREPARE_TEXT || kind == APP_PREPARE_DEBIAN || kind == APP_PREPARE_SYNTH) {
    return prepare_text(kind, words, r, log);
  }
  const char *second = words->n > 1 ? words->items[1] : NULL;
  if (kind == APP_PREPARE_SYNTH_GRAPH && second) {
    if (r->graph[0]) {
      return trm_fail(TRM_ERR_USAGE, "prepare synth: takes one model, but '%s' and '%s' are given",
                      r->graph, second);
    }
    r->graph = second;
    second = NULL;
  }
  return app_prepare_graphs(kind, second, r, log);
}

int app_prepare(int argc, char **argv) {
  app_list words;
  static const char *splits[APP_MAX_SPLITS];
  app_prepare_request r = {.valid_share = (double)NAN,
                           .n_tokens = -1,
                           .vocab = -1,
                           .seed = -1,
                           .splits = {splits, 0, APP_MAX_SPLITS},
                           .n_nodes = -1,
                           .n_edges = -1,
                           .n_classes = -1,
                           .n_features = -1,
                           .n_splits = -1,
                           .n_words = -1,
                           .noise = (double)NAN,
                           .homophily = (double)NAN};
  bool helped;
  const app_option options[] = {
      APP_TEXT("--output", 'o', &r.output, "DATA.h5", "file to write"),
      APP_TEXT("--unit", 0, &r.unit, "char|byte",
               "text, debian: tokens are characters (default) or bytes"),
      APP_REAL("--valid-share", &r.valid_share, 0.0001, 0.9999, "SHARE",
               "text, debian: of the text, from its end, for validation (default 0.1)"),
      APP_TEXT("--index", 0, &r.index, "FILE",
               "debian: a package index instead of apt-cache dumpavail"),
      APP_INT("--tokens", 0, &r.n_tokens, 2, 1e12, "N", "synth: how many (default 1000000)"),
      APP_INT("--vocab", 0, &r.vocab, 2, 65535, "N", "synth: vocabulary (default 65)"),
      APP_INT("--seed", 0, &r.seed, 0, 9e15, "N", "synth, debian --graph: seed (default 1)"),
      APP_TEXT("--edges", 0, &r.edges, "FILE", "graph, graphs: u v [weight] a line"),
      APP_TEXT("--features", 0, &r.features, "FILE", "graph: node feature value a line, sorted"),
      APP_TEXT("--features-dense", 0, &r.features_dense, "FILE", "graph: a line of values a node"),
      APP_TEXT("--labels", 0, &r.labels, "FILE", "graph: node class a line"),
      APP_TEXT("--classes-file", 0, &r.classes, "FILE", "graph, graphs: class name a line"),
      APP_LIST("--split", 0, &r.splits, "FILE",
               "graph: node train|val|test a line; may be given several times"),
      APP_TEXT("--train", 0, &r.train, "FILE",
               "graph: a node a line; interactions: user item item ... a line"),
      APP_TEXT("--valid", 0, &r.valid, "FILE", "graph: a node a line"),
      APP_TEXT("--test", 0, &r.test, "FILE", "graph, interactions: as --train"),
      APP_TEXT("--keep", 0, &r.keep, "FILE", "graph: only these nodes, one a line"),
      APP_INT("--nodes", 0, &r.n_nodes, 1, INT32_MAX, "N",
              "graph: how many (default: the highest and one); synth --graph (default 10000)"),
      APP_TEXT("--nodes-file", 0, &r.nodes, "FILE", "graphs: node graph [label] a line"),
      APP_TEXT("--graph-labels", 0, &r.graph_labels, "FILE", "graphs: graph class a line"),
      APP_TEXT("--folds", 0, &r.folds, "FILE", "graphs: graph fold a line"),
      APP_TEXT("--attributes", 0, &r.attributes, "FILE", "graphs: a line of values a node"),
      APP_FLAG("--directed", &r.directed, "graph, graphs: edges count one way"),
      APP_FLAG("--row-normalize", &r.row_normalize,
               "graph, graphs: features of a node are divided by their sum"),
      APP_FLAG("--degree-features", &r.degree_features, "graphs: degrees are features too"),
      APP_OPTIONAL_TEXT("--graph", &r.graph, "MODEL",
                        "debian: packages as a graph; synth: blocks (default) or powerlaw"),
      APP_INT("--edges-count", 0, &r.n_edges, 1, 1e12, "N",
              "synth --graph: edges drawn (default: 10 a node)"),
      APP_INT("--classes", 0, &r.n_classes, 2, 65536, "N", "synth --graph: classes (default 8)"),
      APP_INT("--features-count", 0, &r.n_features, 1, 1e6, "N",
              "synth --graph: features (default 32)"),
      APP_REAL("--noise", &r.noise, 0, 1e6, "X",
               "synth --graph: deviation of the features from their class (default 1)"),
      APP_REAL("--homophily", &r.homophily, 0, 1, "SHARE",
               "synth --graph: edges within a class (default 0.8)"),
      APP_INT("--splits-count", 0, &r.n_splits, 1, APP_MAX_SPLITS, "N",
              "debian --graph: random splits (default 10)"),
      APP_INT("--words", 0, &r.n_words, 1, 1e6, "N",
              "debian --graph: most frequent words that are features (default 2000)"),
  };
  trm_log log;
  trm_log_init(&log, stderr);
  trm_status status = app_parse("prepare", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_single_process("prepare");
  if (status == TRM_OK) status = prepare(&words, &r, &log);
  trm_log_close(&log);
  return app_end(NULL, status);
}
