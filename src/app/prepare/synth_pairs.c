/** `trireme prepare synth --pairs`: sequences and what a task makes of them. */
#include <stdlib.h>
#include <string.h>

#include "samples.h"

/* "5" or "1-20". */
static trm_status read_range(const app_prepare_call *call, const char *option, const char *text,
                             int64_t *low, int64_t *high) {
  char *end;
  *low = *high = strtoll(text, &end, 10);
  if (end != text && *end == '-') {
    const char *second = end + 1;
    *high = strtoll(second, &end, 10);
    if (end == second) end = (char *)(uintptr_t)text;
  }
  if (end != text && *end == 0 && *low >= 1 && *high >= *low) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s: %s is '%s', expected lengths like 1-20", call->name, option,
                  text);
}

static trm_status run(app_prepare_call *call) {
  const char *task = "", *length = "1-20", *test_length = NULL;
  int64_t seed = 1;
  trm_synthetic_pairs_options o = {.n_symbols = 50, .n = {20000, 1000, 1000}};
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_OPTIONAL_TEXT("--pairs", &task, "TASK", "reverse (default), copy or sort"),
      APP_INT("--symbols", 0, &o.n_symbols, 2, 1e6, "N", "different symbols (default 50)"),
      APP_TEXT("--length", 0, &length, "N-M", "of the sequences (default 1-20)"),
      APP_TEXT("--test-length", 0, &test_length, "N-M", "of those to test (default as --length)"),
      APP_INT("--samples", 0, &o.n[TRM_SUBSET_TRAIN], 1, 1e9, "N", "to train on (default 20000)"),
      APP_INT("--valid", 0, &o.n[TRM_SUBSET_VALID], 0, 1e9, "N", "for validation (default 1000)"),
      APP_INT("--test", 0, &o.n[TRM_SUBSET_TEST], 0, 1e9, "N", "to test (default 1000)"),
      APP_INT("--seed", 0, &seed, 0, 9e15, "N", "of the random numbers (default 1)"),
  };
  app_list words;
  const trm_prepare_samples_options none = {0};
  const trm_prepare_samples_counts nothing = {0};
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  TRM_TRY(app_prepare_words(call, &words, 1, "one task"));
  const char *word = words.n > 0 ? words.items[0] : NULL;
  if (*task && word) {
    return trm_fail(TRM_ERR_USAGE, "%s: takes one task, but '%s' and '%s' are given", call->name,
                    task, word);
  }
  o.output = call->output;
  o.task = word ? word : *task ? task : "reverse";
  o.seed = (uint64_t)seed;
  TRM_TRY(read_range(call, "--length", length, &o.shortest, &o.longest));
  if (test_length) {
    TRM_TRY(read_range(call, "--test-length", test_length, &o.test_shortest, &o.test_longest));
  }
  TRM_TRY(trm_prepare_synthetic_pairs(&o));
  return app_tell_samples(call, &none, &nothing);
}

const app_prepare_way app_prepare_way_synth_pairs = {
    .name = "synth",
    .variant = "--pairs",
    .words = "[reverse | copy | sort]",
    .summary = "sequences of symbols, and the same reversed, copied or sorted",
    .run = run,
};
