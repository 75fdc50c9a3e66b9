#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "app.h"
#include "trireme/train/train.h"

int app_evaluate(int argc, char **argv) {
  app_list words;
  trm_evaluate_options evaluate = {0};
  bool helped;
  int64_t threads = 0;
  const app_option options[] = {
      {"--best", 0, APP_FLAG, &evaluate.best, .help = "the best checkpoint, not the newest"},
      {"--data", 0, APP_TEXT, &evaluate.data, .value_name = "DATA.h5",
       .help = "another data set with the same vocabulary"},
      {"--threads", 't', APP_INT, &threads, .min = 1, .max = 4096, .value_name = "N",
       .help = "compute threads a rank"},
  };
  trm_comm *comm = NULL;
  trm_evaluation result;
  const trm_status parsed = app_parse("evaluate", argc, argv, options, 3, &words, &helped);
  if (parsed == TRM_OK && helped) return 0;
  trm_status status = app_start(&argc, &argv, threads, &comm);
  if (!comm) return app_end(NULL, status);
  if (status == TRM_OK) status = parsed;
  if (status == TRM_OK && words.n != 1) {
    status = trm_fail(TRM_ERR_USAGE, "evaluate: give one run directory or checkpoint (%d given)",
                      words.n);
  }
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK) {
    evaluate.run = words.items[0];
    status = trm_evaluate_run(comm, &evaluate, &result);
  }
  if (status == TRM_OK && trm_comm_rank(comm) == 0) {
    printf("step %" PRId64 ": validation loss %.6f nats a token, perplexity %.4f, %.4f bits, over "
           "%" PRId64 " tokens\n",
           result.step, result.loss, exp(result.loss), result.loss / log(2.0), result.tokens);
  }
  return app_end(&comm, status);
}
