/** The tokens of mteval-v13a, which BLEU counts. */
#ifndef TRIREME_TRAIN_TOKENS_13A_H
#define TRIREME_TRAIN_TOKENS_13A_H

#include "characters.h"

/**
 * Cuts a line into tokens: four entities are read, punctuation is set apart, but not an apostrophe, a
 * dash that follows no digit, or a period or comma between digits.
 * @param[out] tokens  filled from empty: tokens with one space between two
 * @return TRM_ERR_MEMORY
 */
trm_status trm_tokenize_13a(trm_line line, trm_characters *tokens);

#endif
