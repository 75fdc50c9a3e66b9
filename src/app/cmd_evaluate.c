#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "app.h"
#include "trireme/train/train.h"

static void print_result(const trm_evaluation *r) {
  if (r->n_scores == 0) {
    printf("step %" PRId64 ": validation loss %.6f nats a token, perplexity %.4f, %.4f bits, over "
           "%" PRId64 " tokens\n",
           r->step, r->loss, exp(r->loss), r->loss / log(2.0), r->count);
    return;
  }
  if (r->count == 0) {
    printf("step %" PRId64 ": the %s subset is empty\n", r->step, r->subset);
  } else {
    printf("step %" PRId64 ": %s loss %.6f %s per %s, over %" PRId64 "\n", r->step, r->subset,
           r->loss, r->loss_unit ? r->loss_unit : "nats", r->unit, r->count);
  }
  for (int i = 0; i < r->n_scores; ++i) {
    if (!isnan(r->scores[i].value)) printf("  %-18s %.6f\n", r->scores[i].name, r->scores[i].value);
  }
}

int app_evaluate(int argc, char **argv) {
  const char *assignments[64];
  app_list words, sets = {.items = assignments, .capacity = 64};
  trm_evaluate_options evaluate = {0};
  bool helped;
  int64_t threads = 0;
  const app_option options[] = {
      APP_FLAG("--best", &evaluate.best, "the best checkpoint, not the newest"),
      APP_TEXT("--data", 0, &evaluate.data, "DATA.h5",
               "another data set of the same vocabulary, or the same features and classes"),
      APP_LIST("--set", 's', &sets, "eval.KEY=VALUE",
               "how it is evaluated, e.g. eval.beam=5: see trireme help config"),
      APP_THREADS(&threads),
  };
  trm_comm *comm = NULL;
  trm_evaluation result;
  trm_status status = app_parse("evaluate", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) {
    status = app_expect("evaluate", &words, 1, "one run directory or checkpoint");
  }
  status = app_start(&argc, &argv, threads, status, &comm);
  if (!comm) return app_end(NULL, status);
  if (status == TRM_OK) {
    evaluate.run = words.items[0];
    evaluate.sets = sets.items;
    evaluate.n_sets = sets.n;
    status = trm_evaluate_run(comm, &evaluate, &result);
  }
  if (status == TRM_OK && trm_comm_rank(comm) == 0) {
    print_result(&result);
  }
  return app_end(&comm, status);
}
