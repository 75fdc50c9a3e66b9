/* Scores of texts, lists, classes and numbers against other packages: tests/golden/text_scores.tsv. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/train/scores/texts/tokens_13a.h"
#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/core/utf8.h"
#include "trireme/io/files.h"
#include "trireme/train/scores.h"
#include "trireme/train/text_scores.h"

enum { MAX_FIELDS = 16, MAX_NUMBERS = 128 };

/* Sums of the sentences since the last corpus, and checks of them made otherwise. */
typedef struct totals {
  double bleu[TRM_N_BLEU_COUNTS], chrf[TRM_N_CHRF_COUNTS];
  int lines[8]; /* of each kind */
} totals;

static trm_line line_of(const char *text) {
  return (trm_line){text, (int64_t)strlen(text)};
}

static int cut(char *text, char separator, char **fields) {
  int n = 0;
  for (char *at = text; at && n < MAX_FIELDS; ++n) {
    fields[n] = at;
    at = strchr(at, separator);
    if (at) *at++ = 0;
  }
  return n;
}

/* Reads \t, \n, \r, \\ and \xNN, in place; no text has a byte 0. */
static trm_line unescape(char *text) {
  char *to = text;
  for (const char *p = text; *p; ++p) {
    if (*p != '\\') {
      *to++ = *p;
    } else if (*++p == 'x') {
      const char hex[3] = {p[1], p[2], 0};
      *to++ = (char)strtol(hex, NULL, 16);
      p += 2;
    } else {
      *to++ = *p == 't' ? '\t' : *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p;
    }
  }
  *to = 0;
  return (trm_line){text, to - text};
}

static int64_t read_numbers(const char *text, double *numbers) {
  int64_t n = 0;
  char *end;
  for (const char *at = text; n < MAX_NUMBERS; at = end) {
    numbers[n] = strtod(at, &end);
    if (end == at) break;
    ++n;
  }
  return n;
}

static int64_t read_integers(const char *text, int32_t *integers) {
  double numbers[MAX_NUMBERS];
  const int64_t n = read_numbers(text, numbers);
  for (int64_t i = 0; i < n; ++i) integers[i] = (int32_t)numbers[i];
  return n;
}

static void near(const char *what, const char *name, int line, double got, double want) {
  if (fabs(got - want) <= 1e-9 * fmax(1, fabs(want))) return;
  fprintf(stderr, "text_scores.tsv:%d: %s of '%s'\n", line, what, name);
  CHECK_NEAR(got, want, 1e-9);
}

/* ---- lines of the file ----------------------------------------------------------------------- */

static void check_tokens(const char *name, trm_line text, trm_line want) {
  trm_characters tokens = {0};
  char got[4096];
  int64_t n = 0;
  CHECK_OK(trm_tokenize_13a(text, &tokens));
  for (int64_t i = 0; i < tokens.n && n + TRM_UTF8_MAX_BYTES < (int64_t)sizeof got; ++i) {
    n += trm_utf8_encode(tokens.at[i], got + n);
  }
  got[n] = 0;
  CHECK_STR(got, want.text);
  if (strcmp(got, want.text) != 0) fprintf(stderr, "  tokens of '%s'\n", name);
  trm_characters_free(&tokens);
}

/* fields: name, BLEU, chrF, [tokens,] hypothesis, references. */
static void check_sentence(char **fields, int n_fields, bool tokens, int line, totals *sums) {
  trm_line texts[MAX_FIELDS];
  double bleu[TRM_N_BLEU_COUNTS] = {0}, chrf[TRM_N_CHRF_COUNTS] = {0};
  const int first = tokens ? 4 : 3;
  for (int i = 3; i < n_fields; ++i) texts[i] = unescape(fields[i]);
  if (tokens) check_tokens(fields[0], texts[first], texts[3]);
  CHECK_OK(trm_bleu_add(bleu, texts[first], texts + first + 1, n_fields - first - 1));
  CHECK_OK(trm_chrf_add(chrf, texts[first], texts + first + 1, n_fields - first - 1));
  near("BLEU", fields[0], line, trm_bleu_score(bleu), strtod(fields[1], NULL));
  near("chrF", fields[0], line, trm_chrf_score(chrf), strtod(fields[2], NULL));
  if (tokens) return;
  for (int i = 0; i < TRM_N_BLEU_COUNTS; ++i) sums->bleu[i] += bleu[i];
  CHECK_OK(trm_chrf_add(sums->chrf, texts[first], texts + first + 1, n_fields - first - 1));
}

/* fields: name, BLEU, chrF, counts of each, signature. */
static void check_corpus(char **fields, int line, totals *sums) {
  double want[MAX_NUMBERS];
  char signature[96];
  CHECK_EQ(read_numbers(fields[3], want), TRM_BLEU_SENTENCES);
  for (int i = 0; i < TRM_BLEU_SENTENCES; ++i) CHECK_NEAR_AT(sums->bleu[i], want[i], 0, i);
  CHECK_EQ(read_numbers(fields[4], want), TRM_N_CHRF_COUNTS);
  for (int i = 0; i < TRM_N_CHRF_COUNTS; ++i) CHECK_NEAR_AT(sums->chrf[i], want[i], 0, i);
  near("BLEU", fields[0], line, trm_bleu_score(sums->bleu), strtod(fields[1], NULL));
  near("chrF", fields[0], line, trm_chrf_score(sums->chrf), strtod(fields[2], NULL));
  trm_bleu_signature(strtol(fields[5] + strlen("nrefs:"), NULL, 10), signature, sizeof signature);
  CHECK_STR(signature, fields[5]);
  memset(sums->bleu, 0, sizeof sums->bleu);
  memset(sums->chrf, 0, sizeof sums->chrf);
}

/* fields: name, edits, two lists. */
static void check_edits(char **fields) {
  int32_t a[MAX_NUMBERS], b[MAX_NUMBERS];
  int64_t edits = -1;
  const int64_t n_a = read_integers(fields[2], a), n_b = read_integers(fields[3], b);
  CHECK_OK(trm_edit_distance(a, n_a, b, n_b, &edits));
  CHECK_EQ(edits, strtol(fields[1], NULL, 10));
}

/* fields: name, classes, Matthews, labels, predicted. */
static void check_classes(char **fields, int line) {
  int32_t labels[MAX_NUMBERS], predicted[MAX_NUMBERS];
  double counts[TRM_N_CLASS_COUNTS * 8] = {0};
  const int64_t n_classes = strtol(fields[1], NULL, 10), n = read_integers(fields[3], labels);
  CHECK_EQ(read_integers(fields[4], predicted), n);
  trm_class_counts_add(counts, n_classes, labels, predicted, n);
  near("Matthews", fields[0], line, trm_class_counts_mcc(counts, n_classes),
       strtod(fields[2], NULL));
}

/* fields: name, RMSE, MAE, R2, targets, predicted. */
static void check_numbers(char **fields, int line) {
  double targets[MAX_NUMBERS], predicted[MAX_NUMBERS];
  trm_estimate estimates[MAX_NUMBERS];
  const int64_t n = read_numbers(fields[4], targets);
  CHECK_EQ(read_numbers(fields[5], predicted), n);
  for (int64_t i = 0; i < n; ++i) estimates[i] = (trm_estimate){predicted[i], targets[i]};
  const trm_fit fit = trm_score_numbers(estimates, n);
  near("RMSE", fields[0], line, fit.rmse, strtod(fields[1], NULL));
  near("MAE", fields[0], line, fit.mae, strtod(fields[2], NULL));
  near("R2", fields[0], line, fit.r2, strtod(fields[3], NULL));
}

static const char *const kinds[] = {"case", "sentence", "corpus", "edits", "classes", "numbers"};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static void check_line(char *text, int line, totals *sums) {
  char *fields[MAX_FIELDS];
  const int n = cut(text, '\t', fields);
  int kind = 0;
  while (kind < N_KINDS && strcmp(fields[0], kinds[kind]) != 0) ++kind;
  if (kind == 0) check_sentence(fields + 1, n - 1, true, line, sums);
  if (kind == 1) check_sentence(fields + 1, n - 1, false, line, sums);
  if (kind == 2) check_corpus(fields + 1, line, sums);
  if (kind == 3) check_edits(fields + 1);
  if (kind == 4) check_classes(fields + 1, line);
  if (kind == 5) check_numbers(fields + 1, line);
  if (CHECK(kind < N_KINDS)) ++sums->lines[kind];
}

static void check_file(void) {
  char *text = NULL, *next;
  int64_t bytes = 0;
  int line = 1;
  totals sums = {0};
  if (!CHECK_OK(trm_file_read_all(TRM_SOURCE_DIR "/tests/golden/text_scores.tsv", (int64_t)1 << 24,
                                  &text, &bytes)))
    return;
  for (char *at = text; at < text + bytes; at = next, ++line) {
    char *end = strchr(at, '\n');
    if (!CHECK(end != NULL)) break;
    *end = 0;
    next = end + 1;
    if (*at != '#') check_line(at, line, &sums);
  }
  static const int least[N_KINDS] = {40, 300, 5, 60, 24, 16}; /* the file is all there */
  for (int k = 0; k < N_KINDS; ++k) CHECK(sums.lines[k] >= least[k]);
  TRM_FREE(text);
}

/* ---- what the file does not say -------------------------------------------------------------- */

static void check_tokenized(void) {
  const trm_line before = line_of("the boat left ."), plain = line_of("the boat left.");
  double counts[TRM_N_BLEU_COUNTS] = {0};
  for (int i = 0; i < 99; ++i) CHECK_OK(trm_bleu_add(counts, before, &plain, 1));
  CHECK_OK(trm_bleu_add(counts, line_of("."), &plain, 1));
  CHECK(!trm_bleu_looks_tokenized(counts));
  CHECK_OK(trm_bleu_add(counts, plain, &before, 1));
  CHECK(trm_bleu_looks_tokenized(counts));
  CHECK_NEAR(counts[TRM_BLEU_TOKENIZED], 100, 0);
  CHECK_NEAR(counts[TRM_BLEU_SENTENCES], 101, 0);
}

static void check_nothing(void) {
  const double bleu[TRM_N_BLEU_COUNTS] = {0}, chrf[TRM_N_CHRF_COUNTS] = {0};
  const double edits[TRM_N_EDIT_COUNTS] = {0};
  CHECK_NEAR(trm_bleu_score(bleu), 0, 0);
  CHECK_NEAR(trm_chrf_score(chrf), 0, 0);
  CHECK(isnan(trm_edit_rate(edits)));
  CHECK(isnan(trm_wrong_rate(edits)));
  CHECK(isnan(trm_exact_rate(edits)));
}

/* A text may hold any byte, and end inside a character. */
static void check_any_bytes(void) {
  char text[2][256];
  const trm_random_key key = trm_random_key_make(7, TRM_RANDOM_TEST, 0, 0);
  for (uint64_t i = 0; i < 200; ++i) {
    double bleu[TRM_N_BLEU_COUNTS] = {0}, chrf[TRM_N_CHRF_COUNTS] = {0};
    trm_line lines[2];
    for (uint64_t t = 0; t < 2; ++t) {
      const uint64_t n = trm_random_below(key, i, t, 256);
      for (uint64_t k = 0; k < n; ++k) {
        text[t][k] = (char)trm_random_below(key, i, 1000 * (t + 1) + k, 1 + (i * 37) % 256);
      }
      lines[t] = (trm_line){text[t], (int64_t)n};
    }
    CHECK_OK(trm_bleu_add(bleu, lines[0], &lines[1], 1));
    CHECK_OK(trm_chrf_add(chrf, lines[0], &lines[1], 1));
    CHECK(trm_bleu_score(bleu) >= 0 && trm_bleu_score(bleu) <= 100 + 1e-9);
    CHECK(trm_chrf_score(chrf) >= 0 && trm_chrf_score(chrf) <= 100 + 1e-9);
  }
}

/* Every allocation may fail, and then nothing is kept or counted. */
static void check_memory(void) {
  const trm_line own = line_of("The boat left the harbour at dawn, 5-year."), other = line_of("x");
  const trm_line references[] = {other, own};
  const int64_t before = trm_alloc_counts_get().live_blocks;
  trm_status status = TRM_ERR_MEMORY;
  for (int n = 0; status != TRM_OK && n < 100; ++n) {
    double bleu[TRM_N_BLEU_COUNTS] = {0};
    trm_alloc_fail_after(n);
    status = trm_bleu_add(bleu, own, references, 2);
    CHECK_NEAR(bleu[TRM_BLEU_SENTENCES], status == TRM_OK, 0);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, before);
  }
  CHECK_EQ(status, TRM_OK);
  status = TRM_ERR_MEMORY;
  for (int n = 0; status != TRM_OK && n < 100; ++n) {
    double chrf[TRM_N_CHRF_COUNTS] = {0};
    trm_alloc_fail_after(n);
    status = trm_chrf_add(chrf, own, references, 2);
    CHECK_NEAR(trm_chrf_score(chrf), status == TRM_OK ? 100 : 0, 1e-12);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, before);
  }
  CHECK_EQ(status, TRM_OK);
  trm_alloc_fail_after(-1);
}

static void add_edits(double *counts, int64_t n, const int32_t *hypothesis, int64_t n_lists,
                      const int64_t *offsets, const int32_t *tokens) {
  const trm_token_lists lists = {tokens, offsets, n_lists};
  CHECK_OK(trm_edits_add(counts, hypothesis, n, &lists));
}

static void check_best_edits(void) {
  double c[TRM_N_EDIT_COUNTS] = {0};
  const int32_t own[] = {1, 2, 3, 4};
  /* 1 of 2, 1 of 5, 1 of 5 (later), 2 of 3: the second. */
  add_edits(c, 4, own, 4, (int64_t[]){0, 3, 8, 13, 16},
            (int32_t[]){2, 3, 4, /* */ 1, 2, 3, 4, 5, /* */ 9, 1, 2, 3, 4, /* */ 1, 2, 9});
  CHECK_NEAR(c[TRM_EDITS], 1, 0);
  CHECK_NEAR(c[TRM_EDIT_LENGTH], 5, 0);
  add_edits(c, 4, own, 2, (int64_t[]){0, 0, 4},
            own); /* an empty one is all wrong; the same: none */
  add_edits(c, 0, NULL, 2, (int64_t[]){0, 4, 4}, own); /* nothing is equal to nothing */
  add_edits(c, 4, own, 1, (int64_t[]){0, 0}, NULL);    /* and 4 tokens too many */
  CHECK_NEAR(c[TRM_EDITS], 5, 0);
  CHECK_NEAR(c[TRM_EDIT_LENGTH], 9, 0);
  CHECK_NEAR(trm_edit_rate(c), 5.0 / 9, 1e-15);
  CHECK_NEAR(trm_wrong_rate(c), 0.5, 0);
  CHECK_NEAR(trm_exact_rate(c), 0.5, 0);
}

int main(void) {
  check_file();
  check_tokenized();
  check_nothing();
  check_any_bytes();
  check_memory();
  check_best_edits();
  return check_verdict();
}
