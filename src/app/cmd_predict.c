#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "trireme/core/plural.h"
#include "trireme/train/train.h"

int app_predict(int argc, char **argv) {
  const char *assignments[64];
  app_list words, sets = {.items = assignments, .capacity = 64};
  trm_predict_options predict = {.top_k = 20};
  trm_members members = {0};
  bool helped;
  int64_t threads = 0, n_rows = 0;
  const app_option options[] = {
      APP_TEXT("--output", 'o', &predict.output, "FILE.tsv", "file to write; -: to the terminal"),
      APP_FORCE(&predict.force),
      APP_FLAG("--best", &predict.best, "the best checkpoint, not the newest"),
      APP_FLAG("--raw", &predict.raw, "the weights as trained, also where the run averaged them"),
      APP_TEXT("--data", 0, &predict.data, "DATA.h5",
               "another data set of the same vocabulary or features; its labels do not count"),
      APP_LIST("--set", 's', &sets, "eval.KEY=VALUE",
               "how it is asked, e.g. eval.views=2: see trireme help config"),
      APP_INT("--top", 0, &predict.top_k, 1, 1000, "K",
              "interactions, shop: items a user (default 20)"),
      APP_FLAG("--vote", &members.vote, "several runs: by votes, not by the mean of probabilities"),
      APP_THREADS(&threads),
  };
  trm_comm *comm = NULL;
  trm_status status = app_parse("predict", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) {
    status = app_members("predict", &words, &members);
  }
  if (status == TRM_OK && !predict.output) {
    status = trm_fail(TRM_ERR_USAGE, "predict: give -o FILE.tsv; see trireme help predict");
  }
  status = app_start(&argc, &argv, threads, status, &comm);
  if (!comm) return app_end(NULL, status);
  if (status == TRM_OK) {
    predict.run = words.items[0];
    predict.sets = sets.items;
    predict.n_sets = sets.n;
    status = members.n == 1 ? trm_predict_run(comm, &predict, &n_rows)
                            : trm_predict_ensemble(comm, &predict, &members, &n_rows);
  }
  if (status == TRM_OK && trm_comm_rank(comm) == 0 && strcmp(predict.output, "-") != 0) {
    printf("%s: %" PRId64 " row%s\n", predict.output, n_rows, trm_plural(n_rows));
  }
  return app_end(&comm, status);
}
