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

/* The lists of a folder, or the one file of pairs that a name of it tells. */
static trm_status take_files(app_folder *f, trm_prepare_interactions_options *o) {
  static const char *const usual[] = {"train.txt",           "train.csv",       "train.tsv",
                                      "ratings.csv",         "ratings.dat",     "u.data",
                                      "ratings.tsv",         "ratings.txt",     "interactions.csv",
                                      "BX-Book-Ratings.csv", "user_artists.dat"};
  static const char *const tests[] = {"test.txt", "test.csv", "test.tsv"};
  for (size_t i = 0; i < sizeof usual / sizeof usual[0] && !o->train; ++i) {
    TRM_TRY(app_folder_take(f, usual[i], &o->train));
    if (i >= 3 || !o->train) continue;
    TRM_TRY(app_folder_take(f, tests[i], &o->test));
  }
  if (!o->train) TRM_TRY(app_folder_take_first(f, "out.", "", &o->train)); /* KONECT */
  return app_folder_need(f, "train.txt", "--train", &o->train);
}

static trm_status run(app_prepare_call *call) {
  trm_prepare_interactions_options o = {
      .test_share = 0.2, .progress = app_prepare_progress, .context = call->log};
  trm_notes notes = {0};
  int64_t seed = 1;
  const char *threshold = NULL;
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--train", 0, &o.train, "FILE",
               "user item item ... a line, or user item rating time"),
      APP_TEXT("--test", 0, &o.test, "FILE",
               "the items to be found, as --train (default: dealt out of --train)"),
      APP_TEXT("--format", 0, &o.format, "lists|pairs",
               "a user with all items a line, or one item (default: found out)"),
      APP_TEXT("--columns", 0, &o.reading.columns, "USER,ITEM[,RATING[,TIME]]",
               "of pairs, by name or number from 1; 1,2,,4 has no rating (default: found out)"),
      APP_TEXT("--threshold", 0, &threshold, "X", "pairs of a lower rating are passed over"),
      APP_TEXT("--split", 0, &o.split, "random|time",
               "what of each user is to be found: any items, or the last (default random)"),
      APP_REAL("--test-share", &o.test_share, 0, 0.99, "SHARE",
               "of each user's items, when there is no --test (default 0.2)"),
      APP_INT("--seed", 0, &seed, 0, 9e15, "N", "of the random split (default 1)"),
      APP_READING(&o.reading),
  };
  app_list words;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  TRM_TRY(app_number(call->name, "--threshold", threshold, &o.has_threshold, &o.threshold));
  app_folder folder;
  TRM_TRY(app_folder_open_or_file(&folder, call, &words, &o.train));
  trm_graph_counts counts = {0};
  o.output = call->output;
  o.seed = (uint64_t)seed;
  o.reading.notes = &notes;
  trm_status status = take_files(&folder, &o);
  if (status == TRM_OK) status = trm_prepare_interactions(&o, &counts);
  if (status == TRM_OK) app_tell_notes(call->log, &notes);
  if (status == TRM_OK) app_folder_tell_rest(&folder, call->log);
  trm_notes_free(&notes);
  app_folder_close(&folder);
  TRM_TRY(status);
  return tell(call, &counts);
}

const app_prepare_way app_prepare_way_interactions = {
    .name = "interactions",
    .words = "FOLDER|FILE",
    .summary = "users and their items: lists, or pairs with ratings and times",
    .run = run,
};
