#include <stdio.h>

#include "app.h"
#include "trireme/train/train.h"

static trm_status check(const trm_translate_options *o) {
  if (o->n_best > o->beam) {
    return trm_fail(TRM_ERR_USAGE,
                    "translate: --n-best %lld is more than --beam %lld; raise the beam",
                    (long long)o->n_best, (long long)o->beam);
  }
  if (o->temperature > 0 && o->beam > 1) {
    return trm_fail(TRM_ERR_USAGE,
                    "translate: --temperature %g draws one text, but --beam is %lld; give --beam 1",
                    o->temperature, (long long)o->beam);
  }
  return TRM_OK;
}

int app_translate(int argc, char **argv) {
  app_list words;
  trm_translate_options o = {.batch = 64,
                             .beam = 5,
                             .n_best = 1,
                             .length_reward = 1,
                             .longest_ratio = 2,
                             .longest_extra = 20,
                             .top_p = 1};
  bool helped;
  int64_t threads = 0, seed = 1;
  const app_option options[] = {
      APP_TEXT("--input", 'i', &o.input, "FILE", "lines to translate (default: standard input)"),
      APP_TEXT("--output", 'o', &o.output, "FILE", "where to write (default: standard output)"),
      APP_FLAG("--force", &o.force, "write over a file that is there"),
      APP_INT("--beam", 0, &o.beam, 1, 1000, "N", "hypotheses kept; 1: greedy (default 5)"),
      APP_INT("--n-best", 0, &o.n_best, 1, 1000, "N",
              "results of a line, as: line, score, log-probability, text (default 1: text alone)"),
      APP_REAL("--length-reward", &o.length_reward, 0, 10, "ALPHA",
               "log-probabilities are divided by ((5 + tokens) / 6)^ALPHA (default 1)"),
      APP_REAL("--longest-ratio", &o.longest_ratio, 0, 1000, "X",
               "a result has at most X times the tokens of its line (default 2),"),
      APP_INT("--longest-extra", 0, &o.longest_extra, 0, 1e6, "N", "and N more (default 20)"),
      APP_REAL("--temperature", &o.temperature, 0, 100, "X",
               "draw tokens at this temperature; needs --beam 1 (default 0: the likeliest)"),
      APP_INT("--top-k", 0, &o.top_k, 0, 1e9, "N", "draw from the N likeliest (default 0: all)"),
      APP_REAL("--top-p", &o.top_p, 1e-9, 1, "P",
               "draw from the fewest tokens that hold this much probability (default 1)"),
      APP_INT("--seed", 0, &seed, 0, 9e15, "N", "the same seed draws the same (default 1)"),
      APP_INT("--batch", 0, &o.batch, 1, 4096, "N",
              "lines that a rank works on together; changes no result (default 64)"),
      APP_FLAG("--best", &o.best, "the best checkpoint, not the newest"),
      APP_FLAG("--raw", &o.raw, "the weights as trained, also where the run averaged them"),
      APP_THREADS(&threads),
  };
  trm_comm *comm = NULL;
  trm_status status = app_parse("translate", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) {
    status = app_expect("translate", &words, 1, "one run directory or checkpoint");
  }
  if (status == TRM_OK) status = check(&o);
  status = app_start(&argc, &argv, threads, status, &comm);
  if (!comm) return app_end(NULL, status);
  if (status == TRM_OK) {
    o.run = words.items[0];
    o.seed = (uint64_t)seed;
    status = trm_translate_run(comm, &o);
  }
  return app_end(&comm, status);
}
