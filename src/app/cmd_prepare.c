#include <math.h>
#include <stdio.h>
#include <string.h>

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

/* The options as given; what was not is NULL, NAN or -1 and becomes the default. */
typedef struct request {
  const char *output, *unit, *index;
  double valid_share;
  int64_t n_tokens, vocab, seed;
} request;

/* Words and options that the kind has no use for are mistakes. */
static trm_status check_words(const char *kind, const app_list *words, const request *r) {
  const bool text = strcmp(kind, "text") == 0, debian = strcmp(kind, "debian") == 0;
  const bool synth = strcmp(kind, "synth") == 0;
  if (!text && !debian && !synth) {
    return trm_fail(TRM_ERR_USAGE, "prepare: no kind '%s'; there are text, debian and synth", kind);
  }
  if (text && words->n < 2) return trm_fail(TRM_ERR_USAGE, "prepare text: give the text files");
  if (!text && words->n > 1) {
    return trm_fail(TRM_ERR_USAGE, "prepare %s: takes no files, but '%s' is given", kind,
                    words->items[1]);
  }
  const struct {
    const char *option;
    bool given, fits;
  } rows[] = {
      {"--unit", r->unit != NULL, text || debian},
      {"--valid-share", !isnan(r->valid_share), text || debian},
      {"--index", r->index != NULL, debian},
      {"--tokens", r->n_tokens >= 0, synth},
      {"--vocab", r->vocab >= 0, synth},
      {"--seed", r->seed >= 0, synth},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    if (!rows[i].given || rows[i].fits) continue;
    return trm_fail(TRM_ERR_USAGE, "prepare %s: takes no %s; see trireme help prepare", kind,
                    rows[i].option);
  }
  return TRM_OK;
}

static trm_status prepare_synthetic(const request *r, trm_prepare_summary *s) {
  const int64_t n_tokens = r->n_tokens >= 0 ? r->n_tokens : 1000000;
  const int64_t vocab = r->vocab >= 0 ? r->vocab : 65;
  TRM_TRY(trm_prepare_synthetic(n_tokens, vocab, r->seed >= 0 ? (uint64_t)r->seed : 1, r->output));
  *s = (trm_prepare_summary){.n_tokens = n_tokens,
                             .n_train = n_tokens - n_tokens / 10,
                             .n_valid = n_tokens / 10,
                             .vocab = vocab};
  return TRM_OK;
}

static trm_status prepare(const app_list *words, const request *r, trm_log *log) {
  const char *kind = words->items[0];
  const trm_prepare_options options = {.output = r->output,
                                       .unit = r->unit ? r->unit : "char",
                                       .valid_share = isnan(r->valid_share) ? 0.1 : r->valid_share,
                                       .progress = show_progress,
                                       .context = log};
  trm_prepare_summary summary = {0};
  if (strcmp(kind, "text") == 0) {
    TRM_TRY(trm_prepare_text(words->items + 1, words->n - 1, &options, &summary));
  } else if (strcmp(kind, "debian") == 0) {
    TRM_TRY(trm_prepare_debian(r->index, &options, &summary));
  } else {
    TRM_TRY(prepare_synthetic(r, &summary));
  }
  print_summary(log, r->output, &summary);
  return TRM_OK;
}

int app_prepare(int argc, char **argv) {
  app_list words;
  request r = {.valid_share = (double)NAN, .n_tokens = -1, .vocab = -1, .seed = -1};
  bool helped;
  const app_option options[] = {
      APP_TEXT("--output", 'o', &r.output, "DATA.h5", "file to write"),
      APP_TEXT("--unit", 0, &r.unit, "char|byte",
               "text, debian: tokens are characters (default) or bytes"),
      APP_REAL("--valid-share", &r.valid_share, 0.0001, 0.9999, "SHARE",
               "text, debian: of the text, from its end, for validation (default 0.1)"),
      APP_TEXT("--index", 0, &r.index, "FILE",
               "debian: a package index instead of apt-cache dumpavail"),
      APP_INT("--tokens", 0, &r.n_tokens, 2, 1e12, "N", "synth: how many (default 1000000)"),
      APP_INT("--vocab", 0, &r.vocab, 2, 65535, "N", "synth: vocabulary (default 65)"),
      APP_INT("--seed", 0, &r.seed, 0, 9e15, "N", "synth: seed (default 1)"),
  };
  trm_log log;
  trm_log_init(&log, stderr);
  trm_status status = app_parse("prepare", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_single_process("prepare");
  if (status == TRM_OK && (words.n < 1 || !r.output)) {
    status = trm_fail(TRM_ERR_USAGE, "prepare: give what to prepare (text FILES..., debian or "
                                     "synth) and -o DATA.h5; see trireme help prepare");
  }
  if (status == TRM_OK) status = check_words(words.items[0], &words, &r);
  if (status == TRM_OK) status = prepare(&words, &r, &log);
  trm_log_close(&log);
  return app_end(NULL, status);
}
