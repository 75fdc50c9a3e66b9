/**
 * Scores of texts and of lists of tokens. A sentence is counted, counts are whole numbers that add up
 * over sentences and ranks in any order, and a score comes from the sums.
 *
 * Texts are UTF-8; bytes that are none count as U+FFFD, as Python's errors="replace" reads them.
 */
#ifndef TRIREME_TRAIN_TEXT_SCORES_H
#define TRIREME_TRAIN_TEXT_SCORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trireme/core/status.h"

/** A text that somebody else holds; without a 0 at its end. */
typedef struct trm_line {
  const char *text;
  int64_t bytes;
} trm_line;

/* ---- BLEU ------------------------------------------------------------------------------------ */

/** The version of sacreBLEU whose scores these were compared with. */
#define TRM_SACREBLEU_VERSION "2.6.0"

enum { TRM_BLEU_ORDER = 4 };
/** What is counted of hypotheses: the first ten are sacreBLEU's statistics, in its order. */
typedef enum trm_bleu_count {
  TRM_BLEU_LENGTH,    /* tokens of hypotheses */
  TRM_BLEU_REFERENCE, /* tokens of the reference that is nearest in length, the shorter of equals */
  TRM_BLEU_MATCHES, /* of n-grams, n = 1, 2, 3, 4: each as often as in the reference that has most */
  TRM_BLEU_TOTALS = TRM_BLEU_MATCHES + TRM_BLEU_ORDER, /* n-grams of hypotheses */
  TRM_BLEU_SENTENCES = TRM_BLEU_TOTALS + TRM_BLEU_ORDER,
  TRM_BLEU_TOKENIZED, /* hypotheses or references that end in " .": trm_bleu_looks_tokenized */
  TRM_N_BLEU_COUNTS
} trm_bleu_count;

/**
 * Adds the counts of a sentence. Tokens are those of mteval-v13a, case is kept.
 * @param[in,out] counts      [TRM_N_BLEU_COUNTS]
 * @param[in]     references  [n_references], n_references >= 1
 * @return TRM_ERR_MEMORY
 */
trm_status trm_bleu_add(double *counts, trm_line hypothesis, const trm_line *references,
                        int64_t n_references);
/**
 * BLEU, 0 to 100: brevity penalty * exp(mean over n of log precision), where the k-th precision without
 * a match is 1 / (2^k n-grams); 0 without any match, or where hypotheses have no n-gram of some order.
 * Equal to sacreBLEU's with its default settings (trm_bleu_signature). Of few sentences it is low.
 * Source: Papineni et al. 2002; Chen and Cherry 2014, method 3; Post 2018, arXiv:1804.08771.
 */
double trm_bleu_score(const double *counts);
/** sacreBLEU's name for how a score was made: "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0".
 *  n_references 0: their number varies. Always 0-terminated; 96 bytes do. */
void trm_bleu_signature(int64_t n_references, char *out, size_t size);
/** Whether texts seem to be tokenized already, which makes their score another one: 100 of them or more
 *  end in " ." (sacreBLEU's test, of references too). */
bool trm_bleu_looks_tokenized(const double *counts);

/* ---- chrF ------------------------------------------------------------------------------------ */

enum { TRM_CHRF_ORDER = 6, TRM_N_CHRF_COUNTS = 3 * TRM_CHRF_ORDER };

/**
 * Adds the counts of a sentence: n-grams of hypothesis and reference, and matches, for n = 1 to 6, of
 * characters without white space. Of several references the one with the best score of the sentence
 * counts, the first of equals.
 * @param[in,out] counts      [TRM_CHRF_ORDER, 3]
 * @param[in]     references  [n_references], n_references >= 1
 * @return TRM_ERR_MEMORY
 */
trm_status trm_chrf_add(double *counts, trm_line hypothesis, const trm_line *references,
                        int64_t n_references);
/**
 * chrF2, 0 to 100: 5 p r / (4 p + r) of the means p and r of precision and recall over those n that both
 * sides have n-grams of; 0 without. Equal to sacreBLEU's with its default settings, whose signature is
 * "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0".
 * Source: Popovic 2015, "chrF: character n-gram F-score for automatic MT evaluation".
 */
double trm_chrf_score(const double *counts);

/* ---- edits ----------------------------------------------------------------------------------- */

/** Lists of tokens one after another: list i is tokens[offsets[i], offsets[i + 1]). */
typedef struct trm_token_lists {
  const int32_t *tokens;
  const int64_t *offsets; /* [n + 1] */
  int64_t n;
} trm_token_lists;

/** Insertions, deletions and substitutions that make b of a: Levenshtein's distance. Time n_a * n_b.
 *  @return TRM_ERR_MEMORY */
trm_status trm_edit_distance(const int32_t *a, int64_t n_a, const int32_t *b, int64_t n_b,
                             int64_t *edits);

/** What is counted of samples, each against its best reference: the one with the fewest edits for its
 *  length, the first of equals. */
typedef enum trm_edit_count {
  TRM_EDITS,        /* that make the reference of the hypothesis */
  TRM_EDIT_LENGTH,  /* tokens of references */
  TRM_EDIT_WRONG,   /* samples with an edit */
  TRM_EDIT_SAMPLES, /* all samples */
  TRM_N_EDIT_COUNTS
} trm_edit_count;

/**
 * Adds the counts of a sample.
 * @param[in,out] counts      [TRM_N_EDIT_COUNTS]
 * @param[in]     hypothesis  [n]
 * @param[in]     references  one list or more
 * @return TRM_ERR_MEMORY
 */
trm_status trm_edits_add(double *counts, const int32_t *hypothesis, int64_t n,
                         const trm_token_lists *references);
/** Edits a token of the references, 0 to 1 or more: the phoneme error rate where tokens are phonemes. NaN
 *  without tokens. */
double trm_edit_rate(const double *counts);
/** Share of samples with an edit: the word error rate of a pronouncing dictionary. NaN without samples. */
double trm_wrong_rate(const double *counts);
/** Share of samples without: exact match. NaN without samples. */
double trm_exact_rate(const double *counts);

#endif
