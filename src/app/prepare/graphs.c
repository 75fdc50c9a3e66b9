/** `trireme prepare graphs`: a set of small graphs, from tables. */
#include "trireme/prepare/graphs.h"
#include "trireme/input/graph_set.h"
#include "ways.h"

static trm_status take_files(app_folder *f, trm_prepare_graph_options *o) {
  TRM_TRY(app_folder_need(f, "nodes.tsv", "--nodes-file", &o->nodes));
  TRM_TRY(app_folder_need(f, "edges.tsv", "--edges", &o->edges));
  TRM_TRY(app_folder_need(f, "graph_labels.tsv", "--graph-labels", &o->labels));
  TRM_TRY(app_folder_take(f, "classes.tsv", &o->classes));
  TRM_TRY(app_folder_take(f, "folds.tsv", &o->folds));
  return app_folder_take(f, "node_attributes.tsv", &o->attributes);
}

static trm_status tell(const app_prepare_call *call, const trm_graph_counts *counts) {
  static const app_count_words words = {{"repeated edge", "repeated edges"},
                                        {"node without edges", "nodes without edges"},
                                        {"graph without a label", "graphs without a label"}};
  trm_graph *graph = NULL;
  TRM_TRY(trm_graph_open(call->output, NULL, false, &graph));
  const trm_graph_set *set = trm_graph_set_of(graph);
  app_line l = {0};
  app_say(&l, set->n_graphs, "graph", "graphs");
  app_say_graph(&l, graph);
  app_say(&l, set->classes.n, "class", "classes");
  app_say(&l, set->n_folds, "fold", "folds");
  trm_log_line(call->log, "%s: %s", graph->path, l.text);
  app_tell_counts(call->log, graph->path, counts, &words);
  trm_graph_close(&graph);
  return TRM_OK;
}

static trm_status run(app_prepare_call *call) {
  trm_prepare_graph_options o = {.progress = app_prepare_progress, .context = call->log};
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--nodes-file", 0, &o.nodes, "FILE", "node graph [label] a line"),
      APP_TEXT("--edges", 0, &o.edges, "FILE", "u v [weight] a line"),
      APP_TEXT("--graph-labels", 0, &o.labels, "FILE", "graph class a line"),
      APP_TEXT("--classes-file", 0, &o.classes, "FILE", "class name a line"),
      APP_TEXT("--folds", 0, &o.folds, "FILE", "graph fold a line"),
      APP_TEXT("--attributes", 0, &o.attributes, "FILE", "a line of values a node"),
      APP_FLAG("--directed", &o.directed, "edges count one way"),
      APP_FLAG("--row-normalize", &o.row_normalize, "features of a node are divided by their sum"),
      APP_FLAG("--degree-features", &o.degree_features, "degrees are features too"),
  };
  app_list words;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  app_folder folder;
  TRM_TRY(app_folder_open(&folder, call, &words));
  trm_graph_counts counts = {0};
  o.output = call->output;
  trm_status status = take_files(&folder, &o);
  if (status == TRM_OK) status = trm_prepare_graph_set(&o, &counts);
  if (status == TRM_OK) app_folder_tell_rest(&folder, call->log);
  app_folder_close(&folder);
  TRM_TRY(status);
  return tell(call, &counts);
}

const app_prepare_way app_prepare_way_graphs = {
    .name = "graphs",
    .words = "FOLDER",
    .summary = "a set of small graphs from tables, as for graph",
    .run = run,
};
