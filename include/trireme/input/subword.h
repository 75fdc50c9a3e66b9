/**
 * Subwords by SentencePiece: training a model, and a model as a tokenizer uses it.
 * Not collective. Source: Kudo and Richardson 2018, arXiv:1808.06226; of the algorithms Kudo 2018,
 * arXiv:1804.10959 (unigram), and Sennrich, Haddow and Birch 2016, arXiv:1508.07909 (bpe).
 */
#ifndef TRIREME_INPUT_SUBWORD_H
#define TRIREME_INPUT_SUBWORD_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

typedef struct trm_subword_options {
  const char *algorithm; /* "bpe", whose counts are whole numbers, or "unigram" */
  int64_t size;          /* pieces; fewer when the texts do not give that many */
  bool sentences; /* texts are sentences: runs of blanks are one, and one goes ahead, so that a word
                     is the same piece at the beginning; false: every text comes back as it was */
} trm_subword_options;

/** Whether an algorithm of this name exists. */
bool trm_subword_known(const char *algorithm);

/** Gives the next training text, borrowed until the next call; false: there is none. */
typedef bool (*trm_text_next)(void *context, const char **text, int64_t *bytes);

/**
 * Trains a model: byte fallback, every character of the texts, no normalisation; piece 0 is for the
 * unknown, 1 and 2 begin and end a sequence. On one thread: the same texts give the same bytes.
 * @param[out] model  [n_model] the model file, a counted block (TRM_FREE)
 * @return TRM_ERR_DATA when the texts are empty or `size` is too small for their characters, TRM_ERR_MEMORY
 */
trm_status trm_subword_train(const trm_subword_options *options, trm_text_next next, void *context,
                             char **model, int64_t *n_model);

/** A model in memory. */
typedef struct trm_subword trm_subword;

/** `label` (a file name) begins the message. @return TRM_ERR_DATA when the bytes are no model */
trm_status trm_subword_open(const char *model, int64_t n_model, const char *label,
                            trm_subword **out);
/** NULL is accepted. */
void trm_subword_close(trm_subword **subword);

/** Pieces of the model. */
int64_t trm_subword_pieces(const trm_subword *subword);
/** Ids of the special tokens, -1: there is none. */
void trm_subword_specials(const trm_subword *subword, int32_t *unk, int32_t *bos, int32_t *eos);
/** The text of a piece as it stands in the model; borrowed. */
const char *trm_subword_text(const trm_subword *subword, int32_t piece, int64_t *bytes);
/** What a piece adds to a text: blanks for U+2581, one byte for "<0x0A>", nothing for special ones. At
 *  most as many bytes as its text has; returns how many. */
int64_t trm_subword_surface(const trm_subword *subword, int32_t piece, char *out);
/** Whether the model puts a blank ahead of a text, which decoding takes away. */
bool trm_subword_adds_blank(const trm_subword *subword);

/** As trm_tokenizer_encode and trm_tokenizer_decode, of valid UTF-8. */
trm_status trm_subword_encode(const trm_subword *subword, const char *text, int64_t bytes,
                              int32_t **pieces, int64_t *n);
trm_status trm_subword_decode(const trm_subword *subword, const int32_t *pieces, int64_t n,
                              char **text, int64_t *bytes);

#endif
