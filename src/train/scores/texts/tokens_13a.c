/*
 * The script's regular expressions, one after another as it has them: what one sets apart, the next
 * one sees.
 */
#include "tokens_13a.h"

#include <string.h>

/* ---- the sentence as it is meant ------------------------------------------------------------- */

static bool begins_with(const trm_characters *text, int64_t at, const char *word, int64_t n) {
  if (at + n > text->n) return false;
  for (int64_t i = 0; i < n; ++i) {
    if (text->at[at + i] != (unsigned char)word[i]) return false;
  }
  return true;
}

/* Every `word` becomes `by`, no longer than it; from left to right, in place. */
static void replace(trm_characters *text, const char *word, const char *by) {
  const int64_t n_word = (int64_t)strlen(word), n_by = (int64_t)strlen(by);
  int64_t n = 0;
  for (int64_t i = 0; i < text->n;) {
    if (!begins_with(text, i, word, n_word)) {
      text->at[n++] = text->at[i++];
      continue;
    }
    for (int64_t k = 0; k < n_by; ++k) text->at[n++] = (unsigned char)by[k];
    i += n_word;
  }
  text->n = n;
}

/* With a space before and after. */
static trm_status read_sentence(trm_line line, trm_characters *text) {
  TRM_TRY(trm_characters_push(text, ' '));
  TRM_TRY(trm_characters_read(text, line));
  while (text->n > 1 && trm_character_is_space(text->at[text->n - 1])) --text->n;
  replace(text, "<skipped>", "");
  replace(text, "-\n", "");
  replace(text, "\n", " ");
  replace(text, "&quot;", "\"");
  replace(text, "&amp;", "&");
  replace(text, "&lt;", "<");
  replace(text, "&gt;", ">");
  return trm_characters_push(text, ' ');
}

/* ---- what is set apart ----------------------------------------------------------------------- */

static bool is_digit(uint32_t c) {
  return c >= '0' && c <= '9';
}

static bool is_no_digit(uint32_t c) {
  return !is_digit(c);
}

static bool is_point(uint32_t c) {
  return c == '.' || c == ',';
}

static bool is_dash(uint32_t c) {
  return c == '-';
}

/* ASCII that is neither letter, digit, control character nor one of ' , - . */
static bool is_mark(uint32_t c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
         (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

static trm_status part_marks(const trm_characters *in, trm_characters *out) {
  for (int64_t i = 0; i < in->n; ++i) {
    const bool mark = is_mark(in->at[i]);
    if (mark) TRM_TRY(trm_characters_push(out, ' '));
    TRM_TRY(trm_characters_push(out, in->at[i]));
    if (mark) TRM_TRY(trm_characters_push(out, ' '));
  }
  return TRM_OK;
}

/* Two characters between which a space is put, and another one before the first or after the second. */
typedef struct pair_rule {
  bool (*first)(uint32_t c);
  bool (*second)(uint32_t c);
  bool before;
} pair_rule;

static trm_status part_pairs(const pair_rule *rule, const trm_characters *in, trm_characters *out) {
  for (int64_t i = 0; i < in->n;) {
    if (i + 1 == in->n || !rule->first(in->at[i]) || !rule->second(in->at[i + 1])) {
      TRM_TRY(trm_characters_push(out, in->at[i++]));
      continue;
    }
    if (rule->before) TRM_TRY(trm_characters_push(out, ' '));
    TRM_TRY(trm_characters_push(out, in->at[i]));
    TRM_TRY(trm_characters_push(out, ' '));
    TRM_TRY(trm_characters_push(out, in->at[i + 1]));
    if (!rule->before) TRM_TRY(trm_characters_push(out, ' '));
    i += 2; /* neither is part of another pair */
  }
  return TRM_OK;
}

static void swap(trm_characters *a, trm_characters *b) {
  const trm_characters kept = *a;
  *a = *b;
  *b = kept;
}

static trm_status part(trm_characters *text, trm_characters *spare) {
  static const pair_rule rules[] = {
      {is_no_digit, is_point, false},
      {is_point, is_no_digit, true},
      {is_digit, is_dash, false},
  };
  TRM_TRY(part_marks(text, spare));
  swap(text, spare);
  for (size_t r = 0; r < sizeof rules / sizeof rules[0]; ++r) {
    spare->n = 0;
    TRM_TRY(part_pairs(&rules[r], text, spare));
    swap(text, spare);
  }
  return TRM_OK;
}

/* One space between words, none at either end. */
static void squeeze(trm_characters *text) {
  int64_t n = 0;
  for (int64_t i = 0; i < text->n; ++i) {
    if (!trm_character_is_space(text->at[i])) {
      text->at[n++] = text->at[i];
    } else if (n > 0 && text->at[n - 1] != ' ') {
      text->at[n++] = ' ';
    }
  }
  text->n = n > 0 && text->at[n - 1] == ' ' ? n - 1 : n;
}

trm_status trm_tokenize_13a(trm_line line, trm_characters *tokens) {
  trm_characters spare = {0};
  tokens->n = 0;
  trm_status status = read_sentence(line, tokens);
  if (status == TRM_OK) status = part(tokens, &spare);
  if (status == TRM_OK) squeeze(tokens);
  trm_characters_free(&spare);
  return status;
}
