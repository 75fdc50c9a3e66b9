/** `trireme prepare graph`: one graph whose nodes are to be classified, from tables. */
#include <stdio.h>
#include <string.h>

#include "trireme/prepare/graphs.h"
#include "ways.h"

static const char *const formats[] = {"tables", "konect", "ogb", "planetoid"};

/* ---- folders as they are published ------------------------------------------------------------ */

/* KONECT: out.NAME, and meta.NAME and README.NAME beside it. */
static trm_status take_konect(app_folder *f, trm_prepare_graph_options *o) {
  return app_folder_take_first(f, "out.", "", &o->edges);
}

/* Planetoid's text form: NAME.content and NAME.cites. */
static trm_status take_planetoid(app_folder *f, trm_prepare_graph_options *o) {
  const char *pickle = NULL;
  if (o->edges) return TRM_OK;
  TRM_TRY(app_folder_take_first(f, "", ".content", &o->content));
  TRM_TRY(app_folder_take_first(f, "", ".cites", &o->edges));
  TRM_TRY(app_folder_take_first(f, "ind.", ".graph", &pickle));
  if (o->content && o->edges) return TRM_OK;
  if (!pickle) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: Planetoid's files ind.* are Python pickles, which are programs and are not "
                  "run here; take NAME.content and NAME.cites, which are text, or write them as "
                  "edges.tsv, features.tsv, labels.tsv and train.txt (data/README.md says how)",
                  pickle);
}

/* OGB: raw/edge.csv.gz and others, a line a node, and split/NAME/train.csv.gz. */
static trm_status take_ogb(app_folder *f, trm_prepare_graph_options *o) {
  const char *count = NULL;
  TRM_TRY(app_folder_take(f, "raw/edge.csv.gz", &o->edges));
  if (!o->edges) return TRM_OK;
  TRM_TRY(app_folder_take(f, "raw/num-node-list.csv.gz", &count));
  if (count && o->n_nodes == 0) TRM_TRY(trm_read_one_count(count, &o->n_nodes));
  if (!o->features) TRM_TRY(app_folder_take(f, "raw/node-feat.csv.gz", &o->features_dense));
  TRM_TRY(app_folder_take(f, "raw/node-label.csv.gz", &o->labels));
  o->label_lines = true;
  if (o->n_splits > 0 || o->train) return TRM_OK;
  return app_folder_take_split(f, "split", &o->train, &o->valid, &o->test);
}

/* ---- usual names ------------------------------------------------------------------------------ */

/* A file of this name, as it is or packed, with tabs or commas. */
static trm_status take_table(app_folder *f, const char *name, const char **file) {
  static const char *const ends[] = {".tsv",    ".csv",    ".txt", ".tsv.gz",
                                     ".csv.gz", ".txt.gz", ".mtx"};
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; ++i) {
    char full[64];
    (void)snprintf(full, sizeof full, "%s%s", name, ends[i]);
    TRM_TRY(app_folder_take(f, full, file));
  }
  return TRM_OK;
}

static trm_status take_lists(app_folder *f, trm_prepare_graph_options *o) {
  if (!f->path || o->n_splits > 0 || o->train || o->valid || o->test) return TRM_OK;
  if (trm_node_deal_is_asked(&o->deal)) return TRM_OK;
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

static trm_status need_edges(app_folder *f, trm_prepare_graph_options *o) {
  char why[TRM_MESSAGE_BYTES];
  const trm_status status = app_folder_need(f, "edges.tsv", "--edges", &o->edges);
  if (status == TRM_OK) return TRM_OK;
  (void)snprintf(why, sizeof why, "%.400s", trm_message());
  return trm_fail(status, "%s; --no-edges takes nodes without any", why);
}

/* Files that no option named, by their usual names. */
static trm_status take_files(app_folder *f, trm_prepare_graph_options *o, const char *format) {
  if (!o->no_edges) TRM_TRY(take_table(f, "edges", &o->edges));
  if (o->no_edges) format = "tables";
  if (!o->edges && (!format || strcmp(format, "konect") == 0)) TRM_TRY(take_konect(f, o));
  if (!o->edges && (!format || strcmp(format, "planetoid") == 0)) TRM_TRY(take_planetoid(f, o));
  if (!o->edges && (!format || strcmp(format, "ogb") == 0)) TRM_TRY(take_ogb(f, o));
  if (!o->edges && !o->no_edges) TRM_TRY(need_edges(f, o));
  if (!o->features && !o->features_dense) {
    TRM_TRY(take_table(f, "features", &o->features));
    TRM_TRY(take_table(f, "features_dense", &o->features_dense));
  }
  TRM_TRY(take_table(f, "labels", &o->labels));
  TRM_TRY(take_table(f, "classes", &o->classes));
  return take_lists(f, o);
}

/* ---- the way ---------------------------------------------------------------------------------- */

static trm_status check_format(const app_prepare_call *call, const char *format) {
  for (size_t i = 0; format && i < sizeof formats / sizeof formats[0]; ++i) {
    if (strcmp(format, formats[i]) == 0) return TRM_OK;
  }
  if (!format) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s: --format is '%s', expected tables, konect, ogb or planetoid",
                  call->name, format);
}

static trm_status prepare(app_prepare_call *call, app_folder *folder, const char *format,
                          trm_prepare_graph_options *o) {
  trm_notes notes = {0};
  trm_graph_counts counts = {0};
  o->reading.notes = &notes;
  trm_status status = check_format(call, format);
  if (status == TRM_OK) status = take_files(folder, o, format);
  if (status == TRM_OK) status = trm_prepare_graph(o, &counts);
  if (status == TRM_OK) app_tell_notes(call->log, &notes);
  if (status == TRM_OK) app_folder_tell_rest(folder, call->log);
  trm_notes_free(&notes);
  return status == TRM_OK ? app_tell_nodes(call, &counts) : status;
}

static trm_status run(app_prepare_call *call) {
  const char *paths[APP_MAX_SPLITS], *format = NULL;
  app_list splits = {paths, 0, APP_MAX_SPLITS}, words;
  int64_t seed = 1;
  trm_prepare_graph_options o = {.progress = app_prepare_progress,
                                 .context = call->log,
                                 .deal = {.n_valid = 500, .n_test = 1000}};
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--edges", 0, &o.edges, "FILE", "u v [weight] a line"),
      APP_FLAG("--no-edges", &o.no_edges,
               "there are none: nodes with features, or --nodes of them"),
      APP_TEXT("--features", 0, &o.features, "FILE", "node feature value a line, sorted"),
      APP_TEXT("--features-dense", 0, &o.features_dense, "FILE", "a line of values a node"),
      APP_FLAG("--identity-features", &o.identity_features,
               "a feature for each node, where there are no others"),
      APP_TEXT("--labels", 0, &o.labels, "FILE", "node class a line; -1, nan or nothing for none"),
      APP_TEXT("--classes-file", 0, &o.classes, "FILE", "class name a line"),
      APP_LIST("--split", 0, &splits, "FILE",
               "node train|val|test a line; may be given several times"),
      APP_TEXT("--train", 0, &o.train, "FILE", "a node a line"),
      APP_TEXT("--valid", 0, &o.valid, "FILE", "a node a line"),
      APP_TEXT("--test", 0, &o.test, "FILE", "a node a line"),
      APP_REAL("--valid-share", &o.deal.valid_share, 0, 0.99, "SHARE",
               "of the labelled nodes of each class, at random, for validation"),
      APP_REAL("--test-share", &o.deal.test_share, 0, 0.99, "SHARE",
               "of the labelled nodes of each class, at random, to test"),
      APP_INT("--per-class", 0, &o.deal.per_class, 1, INT32_MAX, "N",
              "instead: N nodes of each class to train on, at random"),
      APP_INT("--valid-count", 0, &o.deal.n_valid, 0, INT32_MAX, "N",
              "with --per-class: nodes for validation (default 500)"),
      APP_INT("--test-count", 0, &o.deal.n_test, 0, INT32_MAX, "N",
              "with --per-class: nodes to test (default 1000)"),
      APP_INT("--seed", 0, &seed, 0, 9e15, "N", "of what is dealt at random (default 1)"),
      APP_TEXT("--keep", 0, &o.keep_file, "FILE", "only these nodes, one a line"),
      APP_INT("--nodes", 0, &o.n_nodes, 1, INT32_MAX, "N",
              "how many (default: the highest and one)"),
      APP_FLAG("--directed", &o.directed, "edges count one way"),
      APP_FLAG("--row-normalize", &o.row_normalize, "features of a node are divided by their sum"),
      APP_TEXT("--format", 0, &format, "tables|konect|ogb|planetoid",
               "what the folder is (default: by the names in it)"),
      APP_TEXT("--columns", 0, &o.reading.columns, "SOURCE,TARGET[,WEIGHT]",
               "of the edges, by name or number from 1 (default: found out)"),
      APP_TEXT("--label-columns", 0, &o.label_columns, "NODE,CLASS",
               "of the labels (default: found out)"),
      APP_TEXT("--feature-header", 0, &o.feature_header, "yes|no",
               "the first line of dense features names them (default: found out)"),
      APP_TEXT("--row-index", 0, &o.index, "yes|no",
               "the first column of dense features counts lines, and is none (default: found out)"),
      APP_TEXT("--feature-base", 0, &o.reading.feature_base, "0|1",
               "what features of --features count from (default: as ids)"),
      APP_TEXT("--no-label", 0, &o.reading.no_label, "VALUE",
               "says in tables of labels that there is none, as -1, nan and nothing do"),
      APP_READING(&o.reading),
  };
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  app_folder folder;
  TRM_TRY(app_folder_open_or_file(&folder, call, &words, &o.edges));
  o.output = call->output;
  o.splits = splits.items;
  o.n_splits = splits.n;
  o.deal.seed = (uint64_t)seed;
  const trm_status status = prepare(call, &folder, format, &o);
  app_folder_close(&folder);
  return status;
}

const app_prepare_way app_prepare_way_graph = {
    .name = "graph",
    .words = "FOLDER|EDGES",
    .summary = "a graph from tables: files of usual names in a folder, or named by options",
    .run = run,
};
