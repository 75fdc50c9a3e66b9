#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "trireme/core/log.h"
#include "trireme/input/prepare.h"

static void show_progress(void *context, double share, const char *what) {
  trm_log_progress(context, false, "%s: %3.0f %%", what, 100 * share);
}

static void print_summary(trm_log *log, const char *output, const trm_prepare_summary *s) {
  char tokens[32], train[32], valid[32], packages[32];
  trm_format_count(s->n_tokens, tokens);
  trm_format_count(s->n_train, train);
  trm_format_count(s->n_valid, valid);
  trm_format_count(s->n_packages, packages);
  if (s->n_packages > 0) trm_log_line(log, "%s: %s packages", output, packages);
  trm_log_line(log, "%s: %s tokens (%s for training, %s for validation), vocabulary %lld", output,
               tokens, train, valid, (long long)s->vocab);
}

int app_prepare(int argc, char **argv) {
  app_list words;
  const char *output = NULL, *unit = "char", *index = NULL;
  double valid_share = 0.1;
  int64_t n_tokens = 1000000, vocab = 65, seed = 1;
  bool helped;
  const app_option options[] = {
      {"--output", 'o', APP_TEXT, &output, .value_name = "DATA.h5", .help = "file to write"},
      {"--unit", 0, APP_TEXT, &unit, .value_name = "char|byte",
       .help = "tokens are characters (default) or bytes"},
      {"--valid-share", 0, APP_REAL, &valid_share, .min = 0.0001, .max = 0.9999,
       .value_name = "SHARE", .help = "of the text, from its end, for validation (default 0.1)"},
      {"--index", 0, APP_TEXT, &index, .value_name = "FILE",
       .help = "debian: a package index instead of apt-cache dumpavail"},
      {"--tokens", 0, APP_INT, &n_tokens, .min = 2, .max = 1e12, .value_name = "N",
       .help = "synth: how many tokens to make (default 1000000)"},
      {"--vocab", 0, APP_INT, &vocab, .min = 2, .max = 65535, .value_name = "N",
       .help = "synth: vocabulary (default 65)"},
      {"--seed", 0, APP_INT, &seed, .min = 0, .max = 9e15, .value_name = "N",
       .help = "synth: seed (default 1)"},
  };
  const int n_options = (int)(sizeof options / sizeof options[0]);
  trm_log log;
  trm_log_init(&log, stderr);
  trm_status status = app_parse("prepare", argc, argv, options, n_options, &words, &helped);
  if (status == TRM_OK && helped) return 0;
  if (status == TRM_OK) status = app_single_process("prepare");
  if (status == TRM_OK && (words.n < 1 || !output)) {
    status = trm_fail(TRM_ERR_USAGE, "prepare: give what to prepare (text FILES..., debian or "
                                     "synth) and -o DATA.h5; see trireme help prepare");
  }
  if (status != TRM_OK) return app_end(NULL, status);

  const trm_prepare_options prepare = {.output = output,
                                       .unit = unit,
                                       .valid_share = valid_share,
                                       .progress = show_progress,
                                       .context = &log};
  trm_prepare_summary summary = {0};
  const char *kind = words.items[0];
  if (strcmp(kind, "text") == 0) {
    status = trm_prepare_text(words.items + 1, words.n - 1, &prepare, &summary);
  } else if (strcmp(kind, "debian") == 0) {
    status = trm_prepare_debian(index, &prepare, &summary);
  } else if (strcmp(kind, "synth") == 0) {
    status = trm_prepare_synthetic(n_tokens, vocab, (uint64_t)seed, output);
    summary.n_tokens = n_tokens;
    summary.n_valid = n_tokens / 10;
    summary.n_train = n_tokens - summary.n_valid;
    summary.vocab = vocab;
  } else {
    status =
        trm_fail(TRM_ERR_USAGE, "prepare: no kind '%s'; there are text, debian and synth", kind);
  }
  if (status == TRM_OK) print_summary(&log, output, &summary);
  trm_log_close(&log);
  return app_end(NULL, status);
}
