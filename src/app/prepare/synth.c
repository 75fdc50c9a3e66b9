/** `trireme prepare synth`: tokens that a model can learn. */
#include "trireme/prepare/text.h"
#include "ways.h"

static trm_status run(app_prepare_call *call) {
  int64_t n_tokens = 1000000, vocab = 65, seed = 1;
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_INT("--tokens", 0, &n_tokens, 2, 1e12, "N", "how many (default 1000000)"),
      APP_INT("--vocab", 0, &vocab, 2, 65535, "N", "vocabulary (default 65)"),
      APP_INT("--seed", 0, &seed, 0, 9e15, "N", "of the random numbers (default 1)"),
  };
  app_list words;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  TRM_TRY(app_prepare_words(call, &words, 0, "no files"));
  TRM_TRY(trm_prepare_synthetic(n_tokens, vocab, (uint64_t)seed, call->output));
  app_tell_tokens(call, &(trm_prepare_summary){.n_tokens = n_tokens,
                                               .n_train = n_tokens - n_tokens / 10,
                                               .n_valid = n_tokens / 10,
                                               .vocab = vocab});
  return TRM_OK;
}

const app_prepare_way app_prepare_way_synth = {
    .name = "synth",
    .words = "",
    .summary = "random tokens of any number that a model can learn",
    .run = run,
};
