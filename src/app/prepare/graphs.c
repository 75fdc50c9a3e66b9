/** `trireme prepare graphs`: a set of small graphs, from tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/input/graph_set.h"
#include "trireme/prepare/graphs.h"
#include "ways.h"

enum { USUAL_FOLDS = 10 };

/* ---- folders as they are published ------------------------------------------------------------ */

/* TU: DS_A.txt, DS_graph_indicator.txt, DS_graph_labels.txt and others, whose ids count from 1. */
static trm_status take_tu(app_folder *f, trm_prepare_graph_options *o) {
  TRM_TRY(app_folder_take_first(f, "", "_A.txt", &o->edges));
  if (!o->edges) return TRM_OK;
  TRM_TRY(app_folder_take_first(f, "", "_graph_indicator.txt", &o->indicator));
  TRM_TRY(app_folder_take_first(f, "", "_graph_labels.txt", &o->labels));
  TRM_TRY(app_folder_take_first(f, "", "_node_labels.txt", &o->node_labels));
  TRM_TRY(app_folder_take_first(f, "", "_node_attributes.txt", &o->attributes));
  o->label_lines = true;
  if (!o->reading.base) o->reading.base = "1";
  if (!o->index) o->index = "no";
  if (o->indicator && o->labels) return TRM_OK;
  return trm_fail(TRM_ERR_IO, "%s: has %s, but no *_%s.txt beside it", f->path, o->edges,
                  o->indicator ? "graph_labels" : "graph_indicator");
}

/* OGB: raw/edge.csv.gz with nodes counted in each graph, a line a node or graph, split/NAME/. */
static trm_status take_ogb(app_folder *f, trm_prepare_graph_options *o) {
  TRM_TRY(app_folder_take(f, "raw/edge.csv.gz", &o->edges));
  if (!o->edges) return TRM_OK;
  TRM_TRY(app_folder_need(f, "raw/num-node-list.csv.gz", "", &o->node_counts));
  TRM_TRY(app_folder_need(f, "raw/num-edge-list.csv.gz", "", &o->edge_counts));
  TRM_TRY(app_folder_need(f, "raw/graph-label.csv.gz", "--graph-labels", &o->labels));
  TRM_TRY(app_folder_take(f, "raw/node-feat.csv.gz", &o->attributes));
  o->label_lines = true;
  if (!o->index) o->index = "no";
  if (o->folds || o->n_folds > 0) return TRM_OK;
  return app_folder_take_split(f, "split", &o->train, &o->valid, &o->test);
}

/* Files that no option named, by their usual names. */
static trm_status take_files(app_folder *f, trm_prepare_graph_options *o) {
  if (!o->nodes && !o->edges) {
    TRM_TRY(take_tu(f, o));
    if (!o->edges) TRM_TRY(take_ogb(f, o));
    if (o->edges) return TRM_OK;
  }
  TRM_TRY(app_folder_need(f, "nodes.tsv", "--nodes-file", &o->nodes));
  TRM_TRY(app_folder_need(f, "edges.tsv", "--edges", &o->edges));
  TRM_TRY(app_folder_need(f, "graph_labels.tsv", "--graph-labels", &o->labels));
  TRM_TRY(app_folder_take(f, "classes.tsv", &o->classes));
  if (o->n_folds == 0) TRM_TRY(app_folder_take(f, "folds.tsv", &o->folds));
  return app_folder_take(f, "node_attributes.tsv", &o->attributes);
}

/* "--folds 10" deals them; anything else is a file. */
static void read_folds(const char *given, trm_prepare_graph_options *o) {
  if (!given) return;
  if (given[0] != 0 && strlen(given) < 9 && strspn(given, "0123456789") == strlen(given)) {
    o->n_folds = strtoll(given, NULL, 10);
  } else {
    o->folds = given;
  }
}

/* Sets as they are published have no folds. */
static void deal_usual_folds(trm_prepare_graph_options *o) {
  if (o->folds || o->n_folds > 0 || o->train || !o->indicator) return;
  o->n_folds = USUAL_FOLDS;
  trm_note(o->reading.notes, "%s: no folds: %d are dealt, class by class (--folds, --seed)",
           o->labels, (int)USUAL_FOLDS);
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

static trm_status prepare(app_prepare_call *call, app_folder *folder,
                          trm_prepare_graph_options *o) {
  trm_notes notes = {0};
  trm_graph_counts counts = {0};
  o->reading.notes = &notes;
  trm_status status = take_files(folder, o);
  if (status == TRM_OK) deal_usual_folds(o);
  if (status == TRM_OK) status = trm_prepare_graph_set(o, &counts);
  if (status == TRM_OK) app_tell_notes(call->log, &notes);
  if (status == TRM_OK) app_folder_tell_rest(folder, call->log);
  trm_notes_free(&notes);
  return status == TRM_OK ? tell(call, &counts) : status;
}

static trm_status run(app_prepare_call *call) {
  trm_prepare_graph_options o = {.progress = app_prepare_progress, .context = call->log};
  const char *folds = NULL;
  int64_t seed = 1;
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--nodes-file", 0, &o.nodes, "FILE", "node graph [label] a line"),
      APP_TEXT("--edges", 0, &o.edges, "FILE", "u v [weight] a line"),
      APP_TEXT("--graph-labels", 0, &o.labels, "FILE", "graph class a line"),
      APP_TEXT("--classes-file", 0, &o.classes, "FILE", "class name a line"),
      APP_TEXT("--folds", 0, &folds, "FILE|N", "graph fold a line, or deal N folds class by class"),
      APP_INT("--seed", 0, &seed, 0, 9e15, "N", "of folds that are dealt (default 1)"),
      APP_TEXT("--attributes", 0, &o.attributes, "FILE", "a line of values a node"),
      APP_FLAG("--directed", &o.directed, "edges count one way"),
      APP_FLAG("--row-normalize", &o.row_normalize, "features of a node are divided by their sum"),
      APP_FLAG("--degree-features", &o.degree_features, "degrees are features too"),
      APP_TEXT("--columns", 0, &o.reading.columns, "SOURCE,TARGET[,WEIGHT]",
               "of the edges, by name or number from 1 (default: found out)"),
      APP_TEXT("--label-columns", 0, &o.label_columns, "GRAPH,CLASS",
               "of the labels (default: found out)"),
      APP_TEXT("--feature-header", 0, &o.feature_header, "yes|no",
               "the first line of dense features names them (default: found out)"),
      APP_TEXT("--row-index", 0, &o.index, "yes|no",
               "the first column of attributes counts lines, and is none (default: found out)"),
      APP_TEXT("--no-label", 0, &o.reading.no_label, "VALUE",
               "says in tables of labels that there is none, as -1, nan and nothing do"),
      APP_READING(&o.reading),
  };
  app_list words;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  app_folder folder;
  TRM_TRY(app_folder_open(&folder, call, &words));
  o.output = call->output;
  o.deal.seed = (uint64_t)seed;
  read_folds(folds, &o);
  const trm_status status = prepare(call, &folder, &o);
  app_folder_close(&folder);
  return status;
}

const app_prepare_way app_prepare_way_graphs = {
    .name = "graphs",
    .words = "FOLDER",
    .summary = "a set of small graphs from tables, or a folder of TU or OGB",
    .run = run,
};
