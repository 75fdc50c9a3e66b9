/** `trireme prepare debian --graph`: the package index as a graph. */
#include "trireme/prepare/graphs.h"
#include "ways.h"

static trm_status run(app_prepare_call *call) {
  bool graph = false;
  int64_t seed = 1, n_splits = 10;
  trm_prepare_debian_graph_options o = {
      .max_words = 2000, .progress = app_prepare_progress, .context = call->log};
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_FLAG("--graph", &graph, "packages as a graph"),
      APP_TEXT("--index", 0, &o.index, "FILE", "a package index instead of apt-cache dumpavail"),
      APP_INT("--splits-count", 0, &n_splits, 1, APP_MAX_SPLITS, "N", "random splits (default 10)"),
      APP_INT("--words", 0, &o.max_words, 1, 1e6, "N",
              "most frequent words that are features (default 2000)"),
      APP_INT("--seed", 0, &seed, 0, 9e15, "N", "of the splits (default 1)"),
  };
  app_list words;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  TRM_TRY(app_prepare_words(call, &words, 0, "no files"));
  trm_graph_counts counts = {0};
  o.output = call->output;
  o.seed = (uint64_t)seed;
  o.n_splits = (int)n_splits;
  TRM_TRY(trm_prepare_debian_graph(&o, &counts));
  return app_tell_nodes(call, &counts);
}

const app_prepare_way app_prepare_way_debian_graph = {
    .name = "debian",
    .variant = "--graph",
    .words = "",
    .summary = "its packages as a graph: dependencies, words, sections",
    .run = run,
};
