/** `trireme prepare synth --graph`: graphs whose classes can be learned. */
#include "trireme/prepare/graphs.h"
#include "ways.h"

static trm_status run(app_prepare_call *call) {
  const char *model = "";
  int64_t n_classes = 8, seed = 1;
  trm_prepare_synthetic_graph_options o = {.n_nodes = 10000,
                                           .n_features = 32,
                                           .homophily = 0.8,
                                           .noise = 1,
                                           .progress = app_prepare_progress,
                                           .context = call->log};
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_OPTIONAL_TEXT("--graph", &model, "MODEL", "blocks (default) or powerlaw"),
      APP_INT("--nodes", 0, &o.n_nodes, 1, INT32_MAX, "N", "how many (default 10000)"),
      APP_INT("--edges-count", 0, &o.n_edges, 1, 1e12, "N", "edges drawn (default: 10 a node)"),
      APP_INT("--classes", 0, &n_classes, 2, 65536, "N", "classes (default 8)"),
      APP_INT("--features-count", 0, &o.n_features, 1, 1e6, "N", "features (default 32)"),
      APP_REAL("--homophily", &o.homophily, 0, 1, "SHARE", "edges within a class (default 0.8)"),
      APP_REAL("--noise", &o.noise, 0, 1e6, "X",
               "deviation of the features from their class (default 1)"),
      APP_INT("--seed", 0, &seed, 0, 9e15, "N", "of the random numbers (default 1)"),
  };
  app_list words;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  TRM_TRY(app_prepare_words(call, &words, 1, "one model"));
  const char *word = words.n > 0 ? words.items[0] : NULL;
  if (*model && word) {
    return trm_fail(TRM_ERR_USAGE, "%s: takes one model, but '%s' and '%s' are given", call->name,
                    model, word);
  }
  trm_graph_counts counts = {0};
  o.output = call->output;
  o.model = word ? word : *model ? model : "blocks";
  if (o.n_edges == 0) o.n_edges = 10 * o.n_nodes;
  o.n_classes = (int)n_classes;
  o.seed = (uint64_t)seed;
  TRM_TRY(trm_prepare_synthetic_graph(&o, &counts));
  return app_tell_nodes(call, &counts);
}

const app_prepare_way app_prepare_way_synth_graph = {
    .name = "synth",
    .variant = "--graph",
    .words = "[blocks | powerlaw]",
    .summary = "a random graph of any size whose classes a model can learn",
    .run = run,
};
