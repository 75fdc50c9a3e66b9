/* Writing a data set of kind text: the stream of its tokens. */
#include "token_output.h"

#include <stdio.h>
#include <string.h>

#include "trireme/core/memory.h"

void trm_prepare_progress(const trm_prepare_options *options, double share, const char *what) {
  if (options->progress) options->progress(options->context, share < 1 ? share : 1, what);
}

trm_status trm_token_output_check(const trm_prepare_options *options, const char *const *inputs,
                                  int n_inputs) {
  const char *output = options->output;
  if (!output || !output[0]) return trm_fail(TRM_ERR_USAGE, "no output file was given");
  if (!(options->valid_share > 0 && options->valid_share < 1)) {
    return trm_fail(TRM_ERR_USAGE, "validation share %g, expected a number between 0 and 1",
                    options->valid_share);
  }
  return trm_output_check_place(output, inputs, n_inputs);
}

trm_status trm_token_output_split(int64_t n_tokens, double valid_share, const char *label,
                                  int64_t *n_train) {
  *n_train = (int64_t)((1.0 - valid_share) * (double)n_tokens);
  if (*n_train >= 2 && n_tokens - *n_train >= 2) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: %lld tokens cannot be split into training and validation at share %g: each "
                  "must have 2; give more text",
                  label, (long long)n_tokens, valid_share);
}

trm_status trm_token_output_check_splits(int64_t n_train, int64_t n_valid, const char *label,
                                         const char *how) {
  if (n_train >= 2 && n_valid >= 2) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: %lld tokens for training and %lld for validation: each must "
                  "have 2; %s",
                  label, (long long)n_train, (long long)n_valid, how);
}

static trm_status write_head(trm_token_output *output, const trm_vocab *vocab, const char *source) {
  trm_container *file = output->data.file;
  TRM_TRY(trm_output_head(file, "text", source));
  TRM_TRY(trm_vocab_write(file, "/vocab", vocab));
  return trm_array_create(file, "/tokens", output->dtype, 1, &output->n_tokens);
}

trm_status trm_token_output_begin(trm_token_output *output, const char *path,
                                  const trm_vocab *vocab, int64_t n_tokens, const char *source) {
  output->dtype = trm_token_dtype(vocab->n);
  output->n_tokens = n_tokens;
  TRM_TRY(trm_alloc_bytes(&output->pending, TRM_PIECE_TOKENS, trm_dtype_bytes(output->dtype),
                          "tokens to be written"));
  TRM_TRY(trm_output_create(&output->data, path));
  return write_head(output, vocab, source);
}

static trm_status write_pending(trm_token_output *output) {
  if (output->n_pending == 0) return TRM_OK;
  TRM_TRY(trm_array_write_range(output->data.file, "/tokens", output->dtype, output->n_written,
                                output->n_pending, output->pending));
  output->n_written += output->n_pending;
  output->n_pending = 0;
  return TRM_OK;
}

static trm_status length_changed(const trm_token_output *output) {
  return trm_fail(TRM_ERR_DATA, "%s: the input changed while it was read; run prepare again",
                  output->data.path);
}

/* to[at ...] = the n tokens. */
static void narrow(trm_dtype dtype, const int32_t *tokens, int64_t n, void *to, int64_t at) {
  switch (dtype) {
  case TRM_DTYPE_U8:
    for (int64_t i = 0; i < n; ++i) ((uint8_t *)to)[at + i] = (uint8_t)tokens[i];
    break;
  case TRM_DTYPE_U16:
    for (int64_t i = 0; i < n; ++i) ((uint16_t *)to)[at + i] = (uint16_t)tokens[i];
    break;
  default:
    memcpy((int32_t *)to + at, tokens, (size_t)n * sizeof *tokens);
  }
}

trm_status trm_token_output_put(trm_token_output *output, const int32_t *tokens, int64_t n) {
  if (n > output->n_tokens - output->n_written - output->n_pending) return length_changed(output);
  for (int64_t done = 0; done < n;) {
    const int64_t room = TRM_PIECE_TOKENS - output->n_pending;
    const int64_t here = n - done < room ? n - done : room;
    narrow(output->dtype, tokens + done, here, output->pending, output->n_pending);
    output->n_pending += here;
    done += here;
    if (output->n_pending == TRM_PIECE_TOKENS) TRM_TRY(write_pending(output));
  }
  return TRM_OK;
}

trm_status trm_token_output_finish(trm_token_output *output, int64_t n_train) {
  TRM_TRY(write_pending(output));
  if (output->n_written != output->n_tokens) return length_changed(output);
  const int64_t two = 2, train[2] = {0, n_train}, valid[2] = {n_train, output->n_tokens};
  TRM_TRY(trm_array_write(output->data.file, "/splits/train", TRM_DTYPE_I64, 1, &two, train));
  return trm_array_write(output->data.file, "/splits/valid", TRM_DTYPE_I64, 1, &two, valid);
}

trm_status trm_token_output_publish(trm_token_output *output) {
  TRM_FREE(output->pending);
  return trm_output_publish(&output->data);
}

void trm_token_output_abandon(trm_token_output *output) {
  TRM_FREE(output->pending);
  trm_output_abandon(&output->data);
}
