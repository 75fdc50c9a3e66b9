#include "text_generate.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "task.h"
#include "token_sampler.h"
#include "trireme/core/memory.h"
#include "vocab_facts.h"

static trm_status put_token(const trm_vocab *vocab, int32_t token, FILE *out) {
  const int64_t begin = vocab->offsets[token], end = vocab->offsets[token + 1];
  const size_t bytes = (size_t)(end - begin);
  if (fwrite(vocab->bytes + begin, 1, bytes, out) != bytes || fflush(out) != 0) {
    return trm_fail(TRM_ERR_IO, "writing the text failed: %s", strerror(errno));
  }
  return TRM_OK;
}

/* The prompt, or one newline (token 0 where there is none) when it is empty. */
static trm_status encode_prompt(const trm_vocab *vocab, const char *prompt, int32_t **tokens,
                                int64_t *n) {
  if (*prompt) return trm_vocab_encode(vocab, prompt, (int64_t)strlen(prompt), tokens, n);
  if (trm_vocab_encode(vocab, "\n", 1, tokens, n) == TRM_OK) return TRM_OK;
  *n = 1;
  return TRM_ALLOC(tokens, 1, "prompt");
}

static trm_status next_token(trm_restored *restored, trm_token_sampler *sampler,
                             const int32_t *window, int64_t T, uint64_t position, int32_t *token) {
  const trm_pass pass = {.training = false};
  const trm_tokens tokens = {.N = 1, .T = T, .inputs = window};
  trm_tape_begin(restored->learner.tape, &pass);
  const trm_batch batch = {.tokens = &tokens};
  const trm_var *logits =
      trm_model_outputs(restored->learner.model, restored->learner.tape, &batch);
  TRM_TRY(trm_tape_status(restored->learner.tape));
  *token = trm_token_sampler_draw(sampler, logits->data + (T - 1) * logits->dims[1], position);
  return TRM_OK;
}

/* Tokens are rows of the model's outputs. */
static trm_status check_vocab(const trm_restored *restored, int64_t n_tokens, const char *path) {
  const int64_t n_outputs = trm_facts_outputs(&restored->info.facts);
  if (n_tokens == n_outputs) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: its vocabulary has %" PRId64 " tokens, its model %" PRId64
                  " outputs; use another checkpoint",
                  path, n_tokens, n_outputs);
}

static trm_status restore_model(trm_restored *restored, const char *path) {
  const trm_model_dims dims = {.n_outputs = trm_facts_outputs(&restored->info.facts)};
  TRM_TRY(trm_restore_weights(path, &dims, restored));
  const trm_tokens tokens = {.N = 1, .T = trm_config_int(restored->config, "model.context")};
  TRM_TRY(trm_learner_plan(&restored->learner, TRM_PLAN_OUTPUTS, (trm_pass){0},
                           &(trm_batch){.tokens = &tokens}));
  return trm_tape_reserve(restored->learner.tape);
}

trm_status trm_text_generate(trm_restored *restored, const char *path,
                             const trm_generate_options *options, FILE *out) {
  trm_token_sampler sampler = {0};
  int32_t *prompt = NULL, *text = NULL;
  int64_t n_prompt = 0;
  trm_vocab vocab;
  trm_status status = TRM_OK;
  TRM_TRY(trm_vocab_facts_get(&restored->info.facts, path, &vocab));
  TRM_TRY(check_vocab(restored, vocab.n, path));
  TRM_TRY(restore_model(restored, path));
  const int64_t context = trm_config_int(restored->config, "model.context");
  TRM_TRY_OUT(encode_prompt(&vocab, options->prompt, &prompt, &n_prompt));
  TRM_TRY_OUT(TRM_ALLOC(&text, n_prompt + options->n_tokens, "text"));
  TRM_TRY_OUT(trm_token_sampler_create(vocab.n, options->temperature, options->top_k,
                                       options->top_p, options->seed, &sampler));
  memcpy(text, prompt, (size_t)n_prompt * sizeof *text);
  if (*options->prompt) {
    for (int64_t i = 0; i < n_prompt; ++i) TRM_TRY_OUT(put_token(&vocab, text[i], out));
  }
  for (int64_t i = 0; i < options->n_tokens; ++i) {
    const int64_t n = n_prompt + i;
    const int64_t T = n < context ? n : context;
    TRM_TRY_OUT(next_token(restored, &sampler, text + n - T, T, (uint64_t)i, &text[n]));
    TRM_TRY_OUT(put_token(&vocab, text[n], out));
  }
out:
  trm_token_sampler_free(&sampler);
  TRM_FREE(prompt);
  TRM_FREE(text);
  return status;
}
