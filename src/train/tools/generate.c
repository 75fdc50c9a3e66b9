/* Text from a checkpoint. The window slides: each token is drawn from a pass over the last
 * `context` tokens. */
#include <errno.h>
#include <string.h>

#include "restore.h"
#include "rundir.h"
#include "sample.h"
#include "trireme/core/memory.h"
#include "trireme/input/dataset.h"
#include "trireme/train/train.h"

static trm_vocab vocab_of(const trm_ckpt_info *info) {
  trm_vocab vocab = {.n = info->vocab, .offsets = info->vocab_offsets, .bytes = info->vocab_bytes};
  (void)snprintf(vocab.unit, sizeof vocab.unit, "%s", info->vocab_unit);
  return vocab;
}

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

static trm_status next_token(trm_restored *restored, trm_sampler *sampler, const int32_t *window,
                             int64_t T, uint64_t position, int32_t *token) {
  const trm_pass pass = {.training = false};
  const trm_tokens tokens = {.N = 1, .T = T, .inputs = window};
  trm_tape_begin(restored->learner.tape, &pass);
  const trm_batch batch = {.tokens = &tokens};
  const trm_var *logits =
      trm_model_outputs(restored->learner.model, restored->learner.tape, &batch);
  TRM_TRY(trm_tape_status(restored->learner.tape));
  *token = trm_sampler_draw(sampler, logits->data + (T - 1) * restored->info.vocab, position);
  return TRM_OK;
}

static trm_status restore_text(trm_comm *comm, const char *path, trm_restored *restored) {
  int64_t vocab;
  TRM_TRY(trm_restore_begin(comm, path, restored, &vocab));
  const trm_model_dims dims = {.n_outputs = vocab};
  trm_status status = TRM_OK;
  if (strcmp(trm_model_data(restored->config)[0], "text") != 0) {
    status = trm_fail(TRM_ERR_CONFIG,
                      "%s: a %s model writes no text; trireme predict says what it has learned",
                      path, trm_config_string(restored->config, "model.kind"));
  }
  if (status == TRM_OK) status = trm_restore_weights(comm, path, &dims, restored);
  if (status == TRM_OK) {
    status = trm_learner_plan_tokens(&restored->learner, 1,
                                     trm_config_int(restored->config, "model.context"), false);
  }
  if (status != TRM_OK) trm_restored_free(restored);
  return status;
}

trm_status trm_generate_run(trm_comm *comm, const trm_generate_options *options, FILE *out) {
  char path[TRM_PATH_BYTES];
  trm_restored restored = {0};
  trm_sampler sampler = {0};
  int32_t *prompt = NULL, *text = NULL;
  int64_t n_prompt = 0;
  trm_status status = TRM_OK;
  trm_log log; /* damaged checkpoints that are passed over are named */
  trm_log_init(&log, stderr);
  TRM_TRY(trm_checkpoint_resolve(options->run, options->best, path, sizeof path, &log));
  TRM_TRY(restore_text(comm, path, &restored));
  const trm_vocab vocab = vocab_of(&restored.info);
  const int64_t context = trm_config_int(restored.config, "model.context");
  TRM_TRY_OUT(encode_prompt(&vocab, options->prompt, &prompt, &n_prompt));
  TRM_TRY_OUT(TRM_ALLOC(&text, n_prompt + options->n_tokens, "text"));
  TRM_TRY_OUT(trm_sampler_create(vocab.n, options->temperature, options->top_k, options->top_p,
                                 options->seed, &sampler));
  memcpy(text, prompt, (size_t)n_prompt * sizeof *text);
  if (*options->prompt) {
    for (int64_t i = 0; i < n_prompt; ++i) TRM_TRY_OUT(put_token(&vocab, text[i], out));
  }
  for (int64_t i = 0; i < options->n_tokens; ++i) {
    const int64_t n = n_prompt + i;
    const int64_t T = n < context ? n : context;
    TRM_TRY_OUT(next_token(&restored, &sampler, text + n - T, T, (uint64_t)i, &text[n]));
    TRM_TRY_OUT(put_token(&vocab, text[n], out));
  }
out:
  trm_sampler_free(&sampler);
  TRM_FREE(prompt);
  TRM_FREE(text);
  trm_restored_free(&restored);
  return status;
}
