/** Tokenizers: from text to tokens and back, by a vocabulary. Not collective; any thread may use one
 *  tokenizer, several at once. */
#ifndef TRIREME_INPUT_TOKENIZER_H
#define TRIREME_INPUT_TOKENIZER_H

#include "trireme/input/unknown.h"

typedef struct trm_tokenizer trm_tokenizer;

/** @param[in] vocab  checked; kept: must outlive the tokenizer. @return TRM_ERR_MEMORY */
trm_status trm_tokenizer_create(const trm_vocab *vocab, trm_tokenizer **out);
/** NULL is accepted. */
void trm_tokenizer_destroy(trm_tokenizer **tokenizer);
/** As it was given. */
const trm_vocab *trm_tokenizer_vocab(const trm_tokenizer *tokenizer);

/**
 * Tokens of a text, without any for its beginning and end; `n` may be 0.
 *
 * Text that looks like the name of a special token ("<s>") is text like any other.
 * @param[out]    tokens   a counted block (TRM_FREE), of n
 * @param[in,out] unknown  what the vocabulary has not; NULL: where there is no token for it, it is refused
 * @return TRM_ERR_DATA for invalid UTF-8 (unit byte takes any bytes), and for what is refused: both are
 *         named with their place; TRM_ERR_MEMORY
 */
trm_status trm_tokenizer_encode(const trm_tokenizer *tokenizer, const char *text, int64_t bytes,
                                int32_t **tokens, int64_t *n, trm_unknown *unknown);
/**
 * The text of tokens, detokenised: bytes and characters one behind the other, words and symbols with one
 * blank between, subwords as SentencePiece decodes them. Special tokens give nothing.
 * @param[in]  tokens  in [0, n of the vocabulary)
 * @param[out] text    a counted block (TRM_FREE) of `bytes`, and a 0 behind them
 */
trm_status trm_tokenizer_decode(const trm_tokenizer *tokenizer, const int32_t *tokens, int64_t n,
                                char **text, int64_t *bytes);
/**
 * What a token adds to a text that is written token by token: what trm_tokenizer_decode makes of all is
 * these one behind the other, but that of subwords it replaces bytes that are no UTF-8.
 * @param[in]  first  nothing was written before: no blank goes ahead of the text
 * @param[out] bytes  of the text, 0 for special tokens
 * @return borrowed, not 0-terminated
 */
const char *trm_tokenizer_piece(const trm_tokenizer *tokenizer, int32_t token, bool first,
                                int64_t *bytes);

#endif
