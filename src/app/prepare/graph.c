/** `trireme prepare graph`: one graph whose nodes are to be classified, from tables. */
#include "trireme/prepare/graphs.h"
#include "ways.h"

/* Files that no option named, by their usual names. */
static trm_status take_files(app_folder *f, trm_prepare_graph_options *o) {
  TRM_TRY(app_folder_need(f, "edges.tsv", "--edges", &o->edges));
  if (!o->features && !o->features_dense) {
    TRM_TRY(app_folder_take(f, "features.tsv", &o->features));
    TRM_TRY(app_folder_take(f, "features_dense.tsv", &o->features_dense));
  }
  TRM_TRY(app_folder_take(f, "labels.tsv", &o->labels));
  TRM_TRY(app_folder_take(f, "classes.tsv", &o->classes));
  if (!f->path || o->n_splits > 0 || o->train || o->valid || o->test) return TRM_OK;
  TRM_TRY(app_folder_take(f, "train.txt", &o->train));
  TRM_TRY(app_folder_take(f, "val.txt", &o->valid));
  TRM_TRY(app_folder_take(f, "valid.txt", &o->valid));
  TRM_TRY(app_folder_take(f, "test.txt", &o->test));
  if (o->train) return TRM_OK;
  if (o->valid || o->test) {
    return trm_fail(TRM_ERR_IO, "%s: has a %s part, but no train.txt; name the file by --train",
                    f->path, o->valid ? "validation" : "test");
  }
  return app_folder_take_all(f, "split_", ".tsv", &o->splits, &o->n_splits);
}

static trm_status run(app_prepare_call *call) {
  const char *paths[APP_MAX_SPLITS];
  app_list splits = {paths, 0, APP_MAX_SPLITS}, words;
  trm_prepare_graph_options o = {.progress = app_prepare_progress, .context = call->log};
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--edges", 0, &o.edges, "FILE", "u v [weight] a line"),
      APP_TEXT("--features", 0, &o.features, "FILE", "node feature value a line, sorted"),
      APP_TEXT("--features-dense", 0, &o.features_dense, "FILE", "a line of values a node"),
      APP_TEXT("--labels", 0, &o.labels, "FILE", "node class a line"),
      APP_TEXT("--classes-file", 0, &o.classes, "FILE", "class name a line"),
      APP_LIST("--split", 0, &splits, "FILE",
               "node train|val|test a line; may be given several times"),
      APP_TEXT("--train", 0, &o.train, "FILE", "a node a line"),
      APP_TEXT("--valid", 0, &o.valid, "FILE", "a node a line"),
      APP_TEXT("--test", 0, &o.test, "FILE", "a node a line"),
      APP_TEXT("--keep", 0, &o.keep_file, "FILE", "only these nodes, one a line"),
      APP_INT("--nodes", 0, &o.n_nodes, 1, INT32_MAX, "N",
              "how many (default: the highest and one)"),
      APP_FLAG("--directed", &o.directed, "edges count one way"),
      APP_FLAG("--row-normalize", &o.row_normalize, "features of a node are divided by their sum"),
  };
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  app_folder folder;
  TRM_TRY(app_folder_open(&folder, call, &words));
  trm_graph_counts counts = {0};
  o.output = call->output;
  o.splits = splits.items;
  o.n_splits = splits.n;
  trm_status status = take_files(&folder, &o);
  if (status == TRM_OK) status = trm_prepare_graph(&o, &counts);
  if (status == TRM_OK) app_folder_tell_rest(&folder, call->log);
  app_folder_close(&folder);
  TRM_TRY(status);
  return app_tell_nodes(call, &counts);
}

const app_prepare_way app_prepare_way_graph = {
    .name = "graph",
    .words = "FOLDER",
    .summary = "a graph from tables: files of usual names in a folder, or named by options",
    .run = run,
};
