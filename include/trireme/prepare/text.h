/** `trireme prepare`: makes data sets (data/FORMAT.md) from what users have. */
#ifndef TRIREME_PREPARE_TEXT_H
#define TRIREME_PREPARE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"
#include "trireme/prepare/reading.h"
#include "trireme/prepare/vocab_builder.h"

typedef struct trm_prepare_options {
  const char *output;
  trm_vocab_options vocab; /* debian: unit byte or char alone */
  double valid_share; /* of the text, from its end; in (0, 1). Of bytes and characters exactly, else
                              up to the start of a line */
  const char *const *valid_files; /* text only: the validation text, instead of a share; NULL */
  int n_valid_files;
  trm_notes *notes; /* text only: what was found out; NULL: nowhere */
  /** Progress, may be NULL: share done in [0, 1] and what is being done. */
  void (*progress)(void *context, double share, const char *what);
  void *context;
} trm_prepare_options;

typedef struct trm_prepare_summary {
  int64_t n_files, n_bytes, n_tokens, n_train, n_valid, vocab;
  int64_t
      unknown[2]; /* of the tokens of train and of valid, those that stand for what is unknown */
  int64_t n_packages; /* debian only */
} trm_prepare_summary;

/**
 * Concatenates text files. Empty text and, save for unit byte, invalid UTF-8 (file and offset are named)
 * are TRM_ERR_DATA; unit byte takes any bytes. Files are streamed, up to three times; but training
 * subwords holds the training text. The output appears atomically or not at all.
 *
 * Words, symbols and subwords are learned from the training text alone, and no token crosses the end of
 * a line; characters are those of the validation text too. Words and symbols have special tokens, as
 * have characters with a least count.
 */
trm_status trm_prepare_text(const char *const *files, int n_files,
                            const trm_prepare_options *options, trm_prepare_summary *summary);

/**
 * The package index of this machine (`apt-cache dumpavail`, or a file in that format when `index`
 * is not NULL) as text: name, section and description of each package. The structured parts
 * (packages, sections, dependencies by kind) are stored beside the tokens for later use as a graph.
 */
trm_status trm_prepare_debian(const char *index, const trm_prepare_options *options,
                              trm_prepare_summary *summary);

/**
 * Synthetic tokens for tests and benchmarks: an order-1 Markov chain that a model can learn. With
 * probability 3/4 a token is followed by its one successor (a keyed permutation of the vocabulary),
 * else by any token. The last tenth is the validation split. Same arguments, same file.
 *
 * @param[in] vocab  in [2, 65535]; stored as unit "char"
 */
trm_status trm_prepare_synthetic(int64_t n_tokens, int64_t vocab, uint64_t seed,
                                 const char *output);

/** Nats per token that the best model of trm_prepare_synthetic's chain reaches. */
double trm_synthetic_entropy(int64_t vocab);

#endif
