#include <inttypes.h>
#include <stdio.h>

#include "app.h"
#include "trireme/train/train.h"

/* One way to say which checkpoints, and where to. */
static trm_status check(const trm_average_options *o) {
  const bool of_run = o->last > 0 || o->best > 0;
  if (o->last > 0 && o->best > 0) {
    return trm_fail(TRM_ERR_USAGE, "average: give --last or --best, not both");
  }
  if (of_run && o->n_words != 1) {
    return trm_fail(TRM_ERR_USAGE, "average: --last and --best are of one run directory (%d given)",
                    o->n_words);
  }
  if (!of_run && o->n_words < 2) {
    return trm_fail(TRM_ERR_USAGE,
                    "average: give a run with --last N or --best N, or several checkpoints");
  }
  if (o->output) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "average: give -o CHECKPOINT.h5; see trireme help average");
}

int app_average(int argc, char **argv) {
  app_list words;
  trm_average_options o = {0};
  trm_average_result result;
  bool helped;
  const app_option options[] = {
      APP_TEXT("--output", 'o', &o.output, "CHECKPOINT.h5", "file to write"),
      APP_FORCE(&o.force),
      APP_INT("--last", 0, &o.last, 2, 1000, "N", "the newest N checkpoints of a run"),
      APP_INT("--best", 0, &o.best, 2, 64, "N",
              "the best N of a run, which it keeps with checkpoint.keep_best"),
      APP_FLAG("--raw", &o.raw, "the weights as trained, also where the run averaged them"),
  };
  trm_status status = app_parse("average", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_single_process("average");
  if (status == TRM_OK) {
    o.words = words.items;
    o.n_words = words.n;
    status = check(&o);
  }
  if (status == TRM_OK) status = trm_average_run(&o, &result);
  if (status == TRM_OK) {
    printf("%s: mean of %d checkpoints, the newest of step %" PRId64 "\n", o.output, result.n,
           result.step);
  }
  return app_end(NULL, status);
}
