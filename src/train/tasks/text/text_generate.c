#include "text_generate.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "continuation.h"
#include "task.h"
#include "token_sampler.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/input/tokenizer.h"
#include "vocab_facts.h"

/* The text that is written, token by token. */
typedef struct writer {
  const trm_tokenizer *tokenizer;
  FILE *out;
  bool begun; /* something was written */
} writer;

static trm_status put_text(writer *w, const char *text, int64_t bytes) {
  w->begun = w->begun || bytes > 0;
  if (fwrite(text, 1, (size_t)bytes, w->out) == (size_t)bytes && fflush(w->out) == 0) return TRM_OK;
  return trm_fail(TRM_ERR_IO, "writing the text failed: %s", strerror(errno));
}

static trm_status put_token(writer *w, int32_t token) {
  int64_t bytes;
  const char *text = trm_tokenizer_piece(w->tokenizer, token, !w->begun, &bytes);
  return put_text(w, text, bytes);
}

/* What an empty prompt is: a newline, or where there is none what begins a sequence, or token 0. */
static trm_status encode_nothing(const trm_tokenizer *tokenizer, int32_t **tokens, int64_t *n) {
  const trm_vocab *vocab = trm_tokenizer_vocab(tokenizer);
  trm_unknown unknown = {0};
  trm_status status = trm_tokenizer_encode(tokenizer, "\n", 1, tokens, n, &unknown);
  if (status == TRM_OK && *n > 0 && unknown.n == 0) return TRM_OK;
  if (status == TRM_ERR_MEMORY) return status;
  TRM_FREE(*tokens);
  *n = 1;
  TRM_TRY(TRM_ALLOC(tokens, 1, "prompt"));
  (*tokens)[0] = vocab->bos >= 0 ? vocab->bos : 0;
  return TRM_OK;
}

/* Says, or refuses, what of the prompt the vocabulary lacks. */
static trm_status judge_unknown(const trm_unknown *unknown, trm_unknown_rule rule,
                                const trm_vocab *vocab, trm_log *log) {
  char what[TRM_UNKNOWN_TEXT_BYTES];
  if (unknown->n == 0) return TRM_OK;
  TRM_TRY(trm_unknown_judge(unknown, rule, vocab, "the prompt"));
  trm_unknown_say(unknown, vocab, what);
  trm_log_warn(log, "the vocabulary does not have all of the prompt: %s %s", what,
               unknown->skip     ? "left out for the model"
               : unknown->n == 1 ? "stands for what is unknown"
                                 : "stand for what is unknown");
  return TRM_OK;
}

static trm_status encode_prompt(const trm_tokenizer *tokenizer, const trm_generate_options *options,
                                trm_log *log, int32_t **tokens, int64_t *n) {
  const char *prompt = options->prompt;
  trm_unknown unknown = {0};
  trm_unknown_rule rule;
  const int64_t bytes = (int64_t)strlen(prompt);
  if (bytes == 0) return encode_nothing(tokenizer, tokens, n);
  TRM_TRY(trm_unknown_rule_of(options->unknown, &rule));
  unknown.skip = rule == TRM_UNKNOWN_SKIP;
  TRM_TRY(trm_tokenizer_encode(tokenizer, prompt, bytes, tokens, n, &unknown));
  TRM_TRY(judge_unknown(&unknown, rule, trm_tokenizer_vocab(tokenizer), log));
  if (*n > 0) return TRM_OK;
  TRM_FREE(*tokens); /* a prompt of blanks alone, or of what was left out */
  return encode_nothing(tokenizer, tokens, n);
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

static trm_status restore_model(trm_restored *restored, const char *path,
                                trm_continuation_reader *reader) {
  const trm_model_dims dims = {.n_outputs = trm_facts_outputs(&restored->info.facts)};
  TRM_TRY(trm_restore_weights(path, &dims, restored));
  TRM_TRY(trm_continuation_begin(&restored->learner, reader));
  return trm_tape_reserve(restored->learner.tape);
}

/* Where the text will be longer than what the model sees, before it is written. */
static void say_context(trm_log *log, int64_t context, int64_t n) {
  if (n <= context) return;
  trm_log_line(log,
               "the text will be longer than model.context (%" PRId64 "): the model then sees the "
               "last %" PRId64 " to %" PRId64 " tokens",
               context, (context + 1) / 2, context);
}

static trm_status write_on(trm_continuation_reader *reader, trm_token_sampler *sampler, writer *w,
                           int32_t *text, int64_t n_prompt, int64_t n_tokens) {
  for (int64_t i = 0; i < n_tokens; ++i) {
    const int64_t n = n_prompt + i;
    const trm_real *logits;
    TRM_TRY(trm_continuation_read(reader, text, n, &logits));
    text[n] = trm_token_sampler_draw(sampler, logits, (uint64_t)i);
    TRM_TRY(put_token(w, text[n]));
  }
  return TRM_OK;
}

trm_status trm_text_generate(trm_restored *restored, const char *path,
                             const trm_generate_options *options, FILE *out) {
  trm_token_sampler sampler = {0};
  trm_continuation_reader reader = {0};
  int32_t *prompt = NULL, *text = NULL;
  int64_t n_prompt = 0;
  trm_vocab vocab;
  trm_tokenizer *tokenizer = NULL;
  trm_log log;
  trm_status status = TRM_OK;
  trm_log_init(&log, stderr);
  TRM_TRY(trm_vocab_facts_get(&restored->info.facts, path, "", &vocab));
  TRM_TRY(check_vocab(restored, vocab.n, path));
  TRM_TRY_OUT(restore_model(restored, path, &reader));
  TRM_TRY_OUT(trm_tokenizer_create(&vocab, &tokenizer));
  writer w = {.tokenizer = tokenizer, .out = out};
  TRM_TRY_OUT(encode_prompt(tokenizer, options, &log, &prompt, &n_prompt));
  TRM_TRY_OUT(TRM_ALLOC(&text, n_prompt + options->n_tokens, "text"));
  TRM_TRY_OUT(trm_token_sampler_create(vocab.n, options->temperature, options->top_k,
                                       options->top_p, options->seed, &sampler));
  memcpy(text, prompt, (size_t)n_prompt * sizeof *text);
  say_context(&log, reader.context, n_prompt + options->n_tokens);
  TRM_TRY_OUT(put_text(&w, options->prompt, (int64_t)strlen(options->prompt)));
  TRM_TRY_OUT(write_on(&reader, &sampler, &w, text, n_prompt, options->n_tokens));
out:
  trm_token_sampler_free(&sampler);
  trm_continuation_free(&reader);
  trm_tokenizer_destroy(&tokenizer);
  TRM_FREE(prompt);
  TRM_FREE(text);
  return status;
}
