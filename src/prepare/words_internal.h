/** Words of documents, and those of them that make good features. */
#ifndef TRIREME_PREPARE_WORDS_INTERNAL_H
#define TRIREME_PREPARE_WORDS_INTERNAL_H

#include "names_internal.h"

/** Words in the order of their first appearance. Zero it first. */
typedef struct trm_words {
  trm_names names;
  trm_buffer seen;      /* int64_t [names.n] the document that had the word last, + 1 */
  trm_buffer documents; /* int64_t [names.n] how many have it */
  trm_buffer ids;       /* int32_t: the words of each document, each once, in order of appearance */
  trm_buffer ends;      /* int64_t [n_documents] where each document's end in `ids` */
  int64_t n_documents;  /* ended */
} trm_words;

/** Adds one word to the document under way, as it is. */
trm_status trm_words_add(trm_words *words, const char *word, int64_t bytes);
/** Adds the words of a text: runs of letters and digits with a letter among them, in lower case
 *  (ASCII; other bytes of UTF-8 are letters), '+' and '#' after the first character included. */
trm_status trm_words_add_text(trm_words *words, const char *text, int64_t bytes);
/** The words since the last call were those of one document. */
trm_status trm_words_end_document(trm_words *words);
void trm_words_free(trm_words *words);

/** Words of document d: ids[*first, *end). */
const int32_t *trm_words_of(const trm_words *words, int64_t d, int64_t *n);
/** Documents that have the word. */
int64_t trm_words_documents(const trm_words *words, int32_t word);

/**
 * The words that become features: in `least` documents or more, in no more than `most_share` of them;
 * of these the `max` most frequent, equal ones in order of their bytes.
 * @param[out] rank    [names.n] place by frequency, -1: not chosen
 * @param[out] chosen  [min(max, names.n)] by rank
 */
trm_status trm_words_choose(const trm_words *words, int64_t least, double most_share, int64_t max,
                            int32_t *rank, int32_t *chosen, int64_t *n);

#endif
