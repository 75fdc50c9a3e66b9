/** What a vocabulary lacks: counting it, and the rule for it. Not collective. */
#ifndef TRIREME_INPUT_UNKNOWN_H
#define TRIREME_INPUT_UNKNOWN_H

#include "trireme/input/vocab.h"

/** What becomes of a byte, a character, a word or symbol that a vocabulary lacks; of subwords, of a run of
 *  characters that its model neither has nor falls back to bytes for. */
typedef enum trm_unknown_rule {
  TRM_UNKNOWN_USUAL,  /* the token for the unknown; refused where there is none */
  TRM_UNKNOWN_TOKEN,  /* the same; a vocabulary that is learned gets that token */
  TRM_UNKNOWN_SKIP,   /* left out */
  TRM_UNKNOWN_REFUSE, /* refused */
} trm_unknown_rule;
/** The rule of "token", "skip", "refuse", NULL (usual). @return TRM_ERR_USAGE */
trm_status trm_unknown_rule_of(const char *text, trm_unknown_rule *rule);

/**
 * What was met that a vocabulary lacks, over any number of texts. It becomes the token for the unknown where
 * there is one, and is left out where there is none, or where `skip` says so; whoever refuses it judges
 * afterwards, and can say how much there is. Zero it first.
 */
typedef struct trm_unknown {
  bool skip;       /* in: leave it out in any case */
  int64_t n;       /* how often it came */
  int64_t at;      /* byte of the first one in its text, not of subwords */
  char shown[120]; /* the first different ones, not of subwords: "'#' (U+0023), '~' (U+007E)" */
  bool more;       /* there were others */
} trm_unknown;

/** Counts one. */
void trm_unknown_add(trm_unknown *unknown, const trm_vocab *vocab, const char *text, int64_t bytes);
/** One of them as messages show it: "'~' (U+007E)" of a character, "0xFF" of a byte, "'word'". */
void trm_unknown_show(const trm_vocab *vocab, const char *text, int64_t bytes, char *out,
                      size_t size);
/** What tokens of a unit are called, one or many: "character", "characters". */
const char *trm_unit_word(const char *unit, bool many);

enum { TRM_UNKNOWN_TEXT_BYTES = 240 };
/** "3 characters ('~' (U+007E) and others)". */
void trm_unknown_say(const trm_unknown *unknown, const trm_vocab *vocab,
                     char text[TRM_UNKNOWN_TEXT_BYTES]);
/** @param[in] where  begins the message: "new.txt, from byte 17 on"
 *  @return TRM_ERR_DATA, which says how much there is and what can be done, when the rule refuses it */
trm_status trm_unknown_judge(const trm_unknown *unknown, trm_unknown_rule rule,
                             const trm_vocab *vocab, const char *where);

#endif
