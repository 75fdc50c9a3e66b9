/** The tokens of a vocabulary by their texts. */
#ifndef TRIREME_INPUT_TEXT_TABLE_H
#define TRIREME_INPUT_TEXT_TABLE_H

#include "trireme/input/vocab.h"

/** Open addressing, at most half full. The vocabulary must outlive it. */
typedef struct trm_text_table {
  const trm_vocab *vocab;
  int32_t *places; /* [size] token + 1, or 0; owned */
  int64_t size;    /* a power of two */
} trm_text_table;

/**
 * Makes the table of all tokens but the special ones.
 * @param[out] first, again  the first two tokens of one text; -1: there are none
 */
trm_status trm_text_table_create(const trm_vocab *vocab, trm_text_table *table, int64_t *first,
                                 int64_t *again);
void trm_text_table_free(trm_text_table *table);
/** The token of a text, -1: there is none. */
int32_t trm_text_table_find(const trm_text_table *table, const char *text, int64_t bytes);

#endif
