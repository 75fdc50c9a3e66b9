/** `trireme prepare interactions`: users and their items, from lists. */
#include "trireme/input/interactions.h"
#include "trireme/prepare/graphs.h"
#include "ways.h"

static trm_status tell(const app_prepare_call *call, const trm_graph_counts *counts) {
  static const app_count_words words = {
      {"repeated item", "repeated items"},
      {"item in no training list", "items in no training list"},
      {"user with nothing to find", "users with nothing to find"}};
  trm_graph *graph = NULL;
  TRM_TRY(trm_graph_open(call->output, NULL, false, &graph));
  const trm_interactions *pairs = trm_interactions_of(graph);
  app_line l = {0};
  app_say(&l, pairs->n_users, "user", "users");
  app_say(&l, pairs->n_items, "item", "items");
  app_say(&l, pairs->train.n_edges, "interaction for training", "interactions for training");
  app_say(&l, pairs->test.n_edges, "to be found", "to be found");
  trm_log_line(call->log, "%s: %s", graph->path, l.text);
  app_tell_counts(call->log, graph->path, counts, &words);
  trm_graph_close(&graph);
  return TRM_OK;
}

static trm_status run(app_prepare_call *call) {
  const char *train = NULL, *test = NULL;
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--train", 0, &train, "FILE", "user item item ... a line"),
      APP_TEXT("--test", 0, &test, "FILE", "the items to be found, as --train"),
  };
  app_list words;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  app_folder folder;
  TRM_TRY(app_folder_open(&folder, call, &words));
  trm_graph_counts counts = {0};
  trm_status status = app_folder_need(&folder, "train.txt", "--train", &train);
  if (status == TRM_OK) status = app_folder_need(&folder, "test.txt", "--test", &test);
  if (status == TRM_OK) status = trm_prepare_interactions(train, test, call->output, &counts);
  if (status == TRM_OK) app_folder_tell_rest(&folder, call->log);
  app_folder_close(&folder);
  TRM_TRY(status);
  return tell(call, &counts);
}

const app_prepare_way app_prepare_way_interactions = {
    .name = "interactions",
    .words = "FOLDER",
    .summary = "users and their items from two lists, as for graph",
    .run = run,
};
