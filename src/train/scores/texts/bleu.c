#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grams.h"
#include "tokens_13a.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

/* ---- tokens as numbers ----------------------------------------------------------------------- */

/* A token of some text, and where its number is to be. */
typedef struct token {
  const uint32_t *at;
  int64_t n;
  uint32_t *symbol;
} token;

/* The texts of a sentence: the hypothesis, then its references. */
typedef struct sentence {
  int64_t n;             /* texts */
  trm_characters *texts; /* [n] */
  trm_grams *grams;      /* [n] */
  token *tokens;         /* of all texts */
  int64_t n_tokens;
  int64_t *scratch; /* [tokens of the hypothesis] */
} sentence;

static void sentence_free(sentence *s) {
  for (int64_t i = 0; s->texts && i < s->n; ++i) trm_characters_free(&s->texts[i]);
  for (int64_t i = 0; s->grams && i < s->n; ++i) trm_grams_free(&s->grams[i]);
  TRM_FREE(s->texts);
  TRM_FREE(s->grams);
  TRM_FREE(s->tokens);
  TRM_FREE(s->scratch);
}

static int64_t count_tokens(const trm_characters *text) {
  int64_t n = text->n > 0;
  for (int64_t i = 0; i < text->n; ++i) n += text->at[i] == ' ';
  return n;
}

static trm_status read_texts(sentence *s, trm_line hypothesis, const trm_line *references) {
  TRM_TRY(TRM_ALLOC(&s->texts, s->n, "texts of a sentence"));
  TRM_TRY(TRM_ALLOC(&s->grams, s->n, "n-grams of a sentence"));
  for (int64_t i = 0; i < s->n; ++i) {
    TRM_TRY(trm_tokenize_13a(i == 0 ? hypothesis : references[i - 1], &s->texts[i]));
    TRM_TRY(trm_grams_create(count_tokens(&s->texts[i]), &s->grams[i]));
    s->n_tokens += s->grams[i].n;
  }
  TRM_TRY(TRM_ALLOC(&s->scratch, s->grams[0].n, "counts of n-grams"));
  return TRM_ALLOC(&s->tokens, s->n_tokens, "tokens of a sentence");
}

static void cut_texts(sentence *s) {
  token *next = s->tokens;
  for (int64_t i = 0; i < s->n; ++i) {
    const trm_characters *text = &s->texts[i];
    for (int64_t k = 0, at = 0; k < s->grams[i].n; ++k) {
      const int64_t begin = at;
      while (at < text->n && text->at[at] != ' ') ++at;
      *next++ = (token){text->at + begin, at - begin, &s->grams[i].symbols[k]};
      ++at;
    }
  }
}

static int by_text(const void *a, const void *b) {
  const token *x = a, *y = b;
  if (x->n != y->n) return x->n < y->n ? -1 : 1;
  return memcmp(x->at, y->at, (size_t)x->n * sizeof *x->at);
}

/* Equal tokens get equal numbers, from 1. */
static void number_tokens(sentence *s) {
  uint32_t number = 1;
  qsort(s->tokens, (size_t)s->n_tokens, sizeof *s->tokens, by_text);
  for (int64_t i = 0; i < s->n_tokens; ++i) {
    if (i > 0 && by_text(&s->tokens[i - 1], &s->tokens[i]) != 0) ++number;
    *s->tokens[i].symbol = number;
  }
  for (int64_t i = 0; i < s->n; ++i) trm_grams_sort(&s->grams[i]);
}

/* ---- counts ---------------------------------------------------------------------------------- */

static bool ends_tokenized(trm_line line) {
  return line.bytes >= 2 && memcmp(line.text + line.bytes - 2, " .", 2) == 0;
}

static int64_t nearest_length(const sentence *s) {
  int64_t best = s->grams[1].n;
  for (int64_t i = 2; i < s->n; ++i) {
    const int64_t n = s->grams[i].n, own = s->grams[0].n;
    if (llabs(n - own) < llabs(best - own) || (llabs(n - own) == llabs(best - own) && n < best)) {
      best = n;
    }
  }
  return best;
}

static void add_counts(const sentence *s, double *counts) {
  const trm_grams *own = &s->grams[0];
  counts[TRM_BLEU_SENTENCES] += 1;
  counts[TRM_BLEU_LENGTH] += (double)own->n;
  counts[TRM_BLEU_REFERENCE] += (double)nearest_length(s);
  for (int n = 1; n <= TRM_BLEU_ORDER; ++n) {
    counts[TRM_BLEU_MATCHES + n - 1] +=
        (double)trm_grams_matches(own, s->grams + 1, s->n - 1, n, s->scratch);
    counts[TRM_BLEU_TOTALS + n - 1] += (double)trm_grams_count(own, n);
  }
}

trm_status trm_bleu_add(double *counts, trm_line hypothesis, const trm_line *references,
                        int64_t n_references) {
  sentence s = {.n = 1 + n_references};
  TRM_ASSERT(n_references >= 1);
  const trm_status status = read_texts(&s, hypothesis, references);
  if (status == TRM_OK) {
    cut_texts(&s);
    number_tokens(&s);
    add_counts(&s, counts);
    counts[TRM_BLEU_TOKENIZED] += ends_tokenized(hypothesis);
    for (int64_t r = 0; r < n_references; ++r) {
      counts[TRM_BLEU_TOKENIZED] += ends_tokenized(references[r]);
    }
  }
  sentence_free(&s);
  return status;
}

/* ---- the score ------------------------------------------------------------------------------- */

static double brevity_penalty(const double *counts) {
  const double length = counts[TRM_BLEU_LENGTH], reference = counts[TRM_BLEU_REFERENCE];
  if (length >= reference) return 1;
  return length > 0 ? exp(1 - reference / length) : 0;
}

double trm_bleu_score(const double *counts) {
  const double *matches = counts + TRM_BLEU_MATCHES, *totals = counts + TRM_BLEU_TOTALS;
  double smooth = 1, logs = 0;
  bool any = false;
  for (int n = 0; n < TRM_BLEU_ORDER; ++n) {
    any = any || matches[n] > 0;
    if (totals[n] == 0) return 0;
    if (matches[n] == 0) smooth *= 2;
    logs += matches[n] > 0 ? log(100 * matches[n] / totals[n]) : log(100 / (smooth * totals[n]));
  }
  return any ? brevity_penalty(counts) * exp(logs / TRM_BLEU_ORDER) : 0;
}

void trm_bleu_signature(int64_t n_references, char *out, size_t size) {
  char number[24] = "var";
  if (n_references > 0) (void)snprintf(number, sizeof number, "%" PRId64, n_references);
  (void)snprintf(out, size,
                 "nrefs:%s|case:mixed|eff:no|tok:13a|smooth:exp|version:" TRM_SACREBLEU_VERSION,
                 number);
}

bool trm_bleu_looks_tokenized(const double *counts) {
  return counts[TRM_BLEU_TOKENIZED] >= 100;
}
