/** `trireme prepare`: the options as given, and what is shared by the kinds. */
#ifndef TRIREME_APP_PREPARE_H
#define TRIREME_APP_PREPARE_H

#include "app.h"
#include "trireme/core/log.h"

/** What can be prepared: bits, so that an option can say for which it is. */
typedef enum app_prepare_kind {
  APP_PREPARE_TEXT = 1,
  APP_PREPARE_DEBIAN = 2,
  APP_PREPARE_SYNTH = 4,
  APP_PREPARE_GRAPH = 8,
  APP_PREPARE_SET = 16,
  APP_PREPARE_INTERACTIONS = 32,
  APP_PREPARE_DEBIAN_GRAPH = 64,
  APP_PREPARE_SYNTH_GRAPH = 128,
} app_prepare_kind;

enum { APP_MAX_SPLITS = 4096 };

/** What was not given is NULL, NAN, -1 or false and becomes the default. */
typedef struct app_prepare_request {
  const char *output, *unit, *index;
  double valid_share;
  int64_t n_tokens, vocab, seed;
  /* graphs */
  const char *graph; /* --graph: "" alone; of synth the model */
  const char *edges, *features, *features_dense, *labels, *classes, *train, *valid, *test;
  const char *nodes, *attributes, *folds, *graph_labels, *keep;
  app_list splits;
  bool directed, row_normalize, degree_features;
  int64_t n_nodes, n_edges, n_classes, n_features, n_splits, n_words;
  double noise, homophily;
} app_prepare_request;

/** One of the graph kinds; `folder` may be NULL. Prints its summary to the log. */
trm_status app_prepare_graphs(app_prepare_kind kind, const char *folder,
                              const app_prepare_request *request, trm_log *log);

void app_prepare_progress(void *log, double share, const char *what);

#endif
