/** Making a vocabulary out of texts, for every way of `trireme prepare`. Not collective. */
#ifndef TRIREME_PREPARE_VOCAB_BUILDER_H
#define TRIREME_PREPARE_VOCAB_BUILDER_H

#include "trireme/input/unknown.h"
#include "trireme/prepare/reading.h"

/** Zero it first: 0 and NULL are the defaults. */
typedef struct trm_vocab_options {
  const char *unit;       /* "byte", "char", "word", "symbol", "subword"; NULL: of what is taken */
  int64_t min_count;      /* char, word, symbol: least often in the texts; 0: once */
  int64_t size;           /* subword: pieces (0: 8000); word: most tokens in all (0: any number) */
  const char *subword;    /* algorithm: "bpe" (NULL), "unigram" */
  const char *tokenizer;  /* a SentencePiece model file made elsewhere, taken as it is; NULL */
  const char *vocabulary; /* a data set whose vocabulary is taken as it is; NULL */
  const char *unknown;    /* what becomes of what a vocabulary lacks, trm_unknown_rule_of */
  const char *group;      /* where in that file; NULL: "/vocab" */
  bool specials; /* texts are samples: special tokens 0 <unk>, 1 <s>, 2 </s> before the rest.
                             Subwords have them always; here it says that texts are sentences,
                             trm_subword_options */
} trm_vocab_options;

typedef struct trm_vocab_builder trm_vocab_builder;

/**
 * Checks the options and, when a vocabulary is taken, reads it: what is wrong with it shows before the
 * first text is read. `options` and its texts are kept: must outlive the builder.
 * @return TRM_ERR_USAGE for options that are unknown or go not together, TRM_ERR_IO, TRM_ERR_DATA for files
 */
trm_status trm_vocab_builder_create(const trm_vocab_options *options, trm_vocab_builder **out);
/** The rule for what the vocabulary lacks. */
trm_unknown_rule trm_vocab_builder_unknown(const trm_vocab_builder *builder);
/** The unit: as it was asked for, or of the vocabulary that is taken. */
const char *trm_vocab_builder_unit(const trm_vocab_builder *builder);
/** Whether the vocabulary depends on the texts: if not, none need be added. */
bool trm_vocab_builder_learns(const trm_vocab_builder *builder);
/** Adds one training text: a sentence, a line. Any pieces of a text give the same characters; words must
 *  be whole. Copied. @return TRM_ERR_DATA for invalid UTF-8 (unit byte takes any bytes), TRM_ERR_MEMORY */
trm_status trm_vocab_builder_add(trm_vocab_builder *builder, const char *text, int64_t bytes);
/**
 * Makes the vocabulary: the special tokens, then words by falling count and then by bytes, characters and
 * symbols by bytes. The same texts give the same vocabulary, byte for byte; the order of the texts
 * matters to subwords alone.
 * @param[out] vocab  set on success alone; trm_vocab_free
 * @return TRM_ERR_DATA when nothing is left to be a token, TRM_ERR_MEMORY
 */
trm_status trm_vocab_builder_finish(trm_vocab_builder *builder, trm_vocab *vocab);
/** Notes what the vocabulary lacks of the texts of `label`, if anything was left out, or if it was taken
 *  from elsewhere (of one that was learned it is usual). `notes` may be NULL. */
void trm_vocab_options_tell(const trm_vocab_options *options, const trm_vocab *vocab,
                            const trm_unknown *unknown, trm_notes *notes, const char *label);
/** NULL is accepted. */
void trm_vocab_builder_destroy(trm_vocab_builder **builder);

#endif
