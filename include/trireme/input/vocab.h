/** Vocabularies: what the token ids of a text stand for. Not collective. */
#ifndef TRIREME_INPUT_VOCAB_H
#define TRIREME_INPUT_VOCAB_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

/** A vocabulary by itself, as it is stored in checkpoints too (so that generate needs no data). */
typedef struct trm_vocab {
  char unit[16]; /* "byte" or "char" */
  int64_t n;
  int64_t *offsets; /* [n + 1] into bytes */
  char *bytes;      /* UTF-8 texts one after another */
} trm_vocab;
/** Whether two vocabularies have the same unit and the same texts in the same order. */
bool trm_vocab_equal(const trm_vocab *a, const trm_vocab *b);
/** Releases the arrays. */
void trm_vocab_free(trm_vocab *vocab);
/** Checks a vocabulary that was read from a file: offsets from 0 and rising, n bytes in all, one
 *  byte or one UTF-8 character a token, no token twice, characters in rising order.
 *  `label` (a file name) begins the message. @return TRM_ERR_DATA */
trm_status trm_vocab_check(const trm_vocab *vocab, int64_t n_bytes, const char *label);
/** Tokens of a UTF-8 text; a character outside the vocabulary is TRM_ERR_DATA and is named. *tokens is a
 *  counted block (TRM_FREE). */
trm_status trm_vocab_encode(const trm_vocab *vocab, const char *text, int64_t bytes,
                            int32_t **tokens, int64_t *n);

#endif
