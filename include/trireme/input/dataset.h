/**
 * Data sets: what `trireme prepare` wrote (data/FORMAT.md), opened and checked in full.
 *
 * kind "text": one long array of token ids with a vocabulary and contiguous splits.
 * A *sample* of a text is a window of T tokens and the T tokens that follow each of them.
 * Not collective; knows nothing of MPI.
 */
#ifndef TRIREME_INPUT_DATASET_H
#define TRIREME_INPUT_DATASET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trireme/core/status.h"
#include "trireme/input/subset.h"
#include "trireme/input/vocab.h"

typedef struct trm_dataset trm_dataset;

enum { TRM_N_TEXT_SUBSETS = 2 }; /* train and valid: a text has no test subset */

/** Opens and checks everything (lengths, ids in range, splits) before memory is sized by it. */
trm_status trm_dataset_open(const char *path, trm_dataset **out);
/** NULL is accepted. The message of a failure before is kept. */
void trm_dataset_close(trm_dataset **dataset);

/** As it was opened; borrowed. */
const char *trm_dataset_path(const trm_dataset *dataset);
/** Tokens of the vocabulary. */
int64_t trm_dataset_vocab(const trm_dataset *dataset);
/** Tokens of train or valid; a text has no other subset. */
int64_t trm_dataset_tokens(const trm_dataset *dataset, trm_subset subset);
/** Characters of the text that those tokens stand for, with all its white space; -1: not known. */
int64_t trm_dataset_characters(const trm_dataset *dataset, trm_subset subset);
/** Content hash of tokens, vocabulary and splits; the same on every rank if the files are. */
uint64_t trm_dataset_digest(const trm_dataset *dataset);

/**
 * Lets the parts be others, in memory alone: with n_folds > 0 training and validation part together are cut into
 * n_folds + 1 pieces, of which fold `fold` trains on the first fold + 1 and validates on the next, since what comes
 * later must not be known; then the first `share` of the training part is kept.
 * @return TRM_ERR_CONFIG where the validation part does not follow the training part
 */
trm_status trm_dataset_set_parts(trm_dataset *dataset, int64_t n_folds, int64_t fold, double share);
/** UTF-8 text of a token as the vocabulary has it, not 0-terminated; *bytes its length. Borrowed. */
const char *trm_dataset_token_text(const trm_dataset *dataset, int32_t token, int *bytes);
/** Tokens of a UTF-8 text, see trm_vocab_encode. *tokens is a counted block (TRM_FREE). */
trm_status trm_dataset_encode(const trm_dataset *dataset, const char *text, int64_t bytes,
                              int32_t **tokens, int64_t *n);

/** Borrowed until the data set is closed. */
const trm_vocab *trm_dataset_vocabulary(const trm_dataset *dataset);

/** Prints what `trireme inspect` shows: kind, sizes, splits, vocabulary, a sample. */
trm_status trm_dataset_describe(trm_dataset *dataset, FILE *file);

/** Fails (TRM_ERR_DATA) when the training split is too short for one window of T tokens at every
 *  phase: for start-up, before the functions below, which take this for granted. */
trm_status trm_dataset_check_context(const trm_dataset *dataset, int64_t T);

/** Training samples an epoch has at context T: windows at stride T with a random phase an epoch,
 *  floor((n - T) / T) whatever the phase. */
int64_t trm_dataset_epoch_samples(const trm_dataset *dataset, int64_t T);
/** Evaluation samples: windows that cover every token of the split once, the last one short. */
int64_t trm_dataset_eval_samples(const trm_dataset *dataset, trm_subset subset, int64_t T);

/**
 * Where the sample `index` (from 0, over all epochs) of training lies: a keyed permutation of each
 * epoch's windows, O(1) for any index.
 * @param[out] token first token of the window in the split
 */
void trm_dataset_locate(const trm_dataset *dataset, uint64_t seed, int64_t T, int64_t index,
                        int64_t *epoch, int64_t *window, int64_t *token);

/** Reads n evaluation windows from `first` on: inputs[n*T], targets[n*T], padded with 0 and -1. */
trm_status trm_dataset_eval_read(trm_dataset *dataset, trm_subset subset, int64_t T, int64_t first,
                                 int64_t n, int32_t *inputs, int32_t *targets);

#endif
