/** Making vocabularies: all bytes, or the characters that a text has. */
#ifndef TRIREME_PREPARE_CHARSET_H
#define TRIREME_PREPARE_CHARSET_H

#include <stdint.h>

#include "trireme/input/vocab.h"

/* Most distinct characters: token ids are stored in 16 bits. */
enum { TRM_MAX_CHARS = 65535 };

/** The set of characters of a text, and each one's token once it is closed. */
typedef struct trm_charset {
  uint16_t *token; /* [TRM_N_CODE_POINTS] 0: not in the set; 1: in it; closed: token + 1 */
  int64_t n;       /* distinct characters */
} trm_charset;

/** An empty set. @return TRM_ERR_MEMORY */
trm_status trm_charset_create(trm_charset *set);
void trm_charset_free(trm_charset *set);
/** Adds the characters of a text. Returns the bytes taken: fewer than given when the text ends
 *  inside a character or is invalid there. Adds their number to *n_characters. */
int64_t trm_charset_scan(trm_charset *set, const char *text, int64_t bytes, int64_t *n_characters);
/** Gives out tokens in rising order of the characters. @return TRM_ERR_DATA when there are more
 *  than TRM_MAX_CHARS; `label` names the text. */
trm_status trm_charset_close(trm_charset *set, const char *label);

/** Vocabulary of the closed set; of all 256 bytes when `set` is NULL. */
trm_status trm_vocab_make(const trm_charset *set, trm_vocab *vocab);
/** Vocabulary of n given characters, rising. */
trm_status trm_vocab_make_characters(const uint32_t *characters, int64_t n, trm_vocab *vocab);

#endif
