/** Writing a data set of kind text: what every way to make one ends in. */
#ifndef TRIREME_PREPARE_TOKEN_OUTPUT_H
#define TRIREME_PREPARE_TOKEN_OUTPUT_H

#include "trireme/input/data_file.h"
#include "trireme/input/vocab.h"
#include "trireme/prepare/text.h"

/** Zero it first; trm_token_output_abandon is always safe and is a no-op after publication. */
typedef struct trm_token_output {
  trm_output data;
  trm_dtype dtype;
  int64_t n_tokens; /* announced */
  int64_t n_written, n_pending;
  void *pending; /* [TRM_PIECE_TOKENS] dtype */
} trm_token_output;

/** Checks the validation share and the place of the output. */
trm_status trm_token_output_check(const trm_prepare_options *options, const char *const *inputs,
                                  int n_inputs);
/** Tokens of the training split: the first (1 - valid_share) n; both must have 2 at least. */
trm_status trm_token_output_split(int64_t n_tokens, double valid_share, const char *label,
                                  int64_t *n_train);
/** That both splits have 2 tokens at least; `how` says what they came from, and what to do. */
trm_status trm_token_output_check_splits(int64_t n_train, int64_t n_valid, const char *label,
                                         const char *how);
/** Creates the temporary file with attributes, vocabulary and an empty token array. */
trm_status trm_token_output_begin(trm_token_output *output, const char *path,
                                  const trm_vocab *vocab, int64_t n_tokens, const char *source);
/** Appends tokens; more than announced is TRM_ERR_DATA (an input grew meanwhile). */
trm_status trm_token_output_put(trm_token_output *output, const int32_t *tokens, int64_t n);
/** Writes the rest and the splits, train [0, n_train), valid the rest. */
trm_status trm_token_output_finish(trm_token_output *output, int64_t n_train);
/** Closes the file and gives it its name. */
trm_status trm_token_output_publish(trm_token_output *output);
/** What was written is removed; always safe. */
void trm_token_output_abandon(trm_token_output *output);

/** Tells options->progress, if there is one, how far things are: share in [0, 1]. */
void trm_prepare_progress(const trm_prepare_options *options, double share, const char *what);

#endif
