/* Vocabularies: what is checked of one, copies, comparison. */
#include "trireme/input/vocab.h"

#include <string.h>

#include "text_table.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/subword.h"
#include "white.h"

const char *const trm_vocab_units = "byte, char, word, symbol or subword";

bool trm_vocab_unit_known(const char *unit) {
  static const char *const units[] = {"byte", "char", "word", "symbol", "subword"};
  for (int i = 0; i < 5; ++i) {
    if (strcmp(unit, units[i]) == 0) return true;
  }
  return false;
}

bool trm_vocab_is_special(const trm_vocab *vocab, int64_t token) {
  return token == vocab->unk || token == vocab->bos || token == vocab->eos;
}

void trm_vocab_free(trm_vocab *vocab) {
  TRM_FREE(vocab->offsets);
  TRM_FREE(vocab->bytes);
  TRM_FREE(vocab->model);
  *vocab = TRM_VOCAB_NONE;
}

static trm_status copy_bytes(const void *from, int64_t bytes, void *to) {
  char *block = NULL;
  TRM_TRY(TRM_ALLOC(&block, bytes, "vocabulary"));
  if (bytes > 0) memcpy(block, from, (size_t)bytes);
  memcpy(to, &block, sizeof block);
  return TRM_OK;
}

trm_status trm_vocab_copy(const trm_vocab *from, trm_vocab *to) {
  trm_status status = TRM_OK;
  *to = *from;
  to->offsets = NULL;
  to->bytes = to->model = NULL;
  const int64_t n_offset_bytes = (from->n + 1) * (int64_t)sizeof *from->offsets;
  TRM_TRY_OUT(copy_bytes(from->offsets, n_offset_bytes, &to->offsets));
  TRM_TRY_OUT(copy_bytes(from->bytes, from->offsets[from->n], &to->bytes));
  if (from->model) TRM_TRY_OUT(copy_bytes(from->model, from->n_model, &to->model));
out:
  if (status != TRM_OK) trm_vocab_free(to);
  return status;
}

static trm_status check_offsets(const trm_vocab *vocab, int64_t n_bytes, const char *label) {
  if (vocab->offsets[0] != 0) {
    return trm_fail(TRM_ERR_DATA, "%s: vocabulary offset 0 is %lld, expected 0", label,
                    (long long)vocab->offsets[0]);
  }
  for (int64_t i = 0; i < vocab->n; ++i) {
    if (vocab->offsets[i + 1] <= vocab->offsets[i]) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: vocabulary offset %lld is %lld after %lld: they must rise, a token's "
                      "text is never empty",
                      label, (long long)(i + 1), (long long)vocab->offsets[i + 1],
                      (long long)vocab->offsets[i]);
    }
    if (vocab->offsets[i + 1] > n_bytes) {
      return trm_fail(TRM_ERR_DATA, "%s: vocabulary offset %lld is %lld, there are %lld bytes",
                      label, (long long)(i + 1), (long long)vocab->offsets[i + 1],
                      (long long)n_bytes);
    }
  }
  if (vocab->offsets[vocab->n] != n_bytes) {
    return trm_fail(TRM_ERR_DATA, "%s: vocabulary offsets end at %lld, there are %lld bytes", label,
                    (long long)vocab->offsets[vocab->n], (long long)n_bytes);
  }
  return TRM_OK;
}

static trm_status check_bytes(const trm_vocab *vocab, const char *label) {
  int64_t owner[256];
  for (int i = 0; i < 256; ++i) owner[i] = -1;
  for (int64_t i = 0; i < vocab->n; ++i) {
    if (trm_vocab_is_special(vocab, i)) continue;
    const int64_t length = vocab->offsets[i + 1] - vocab->offsets[i];
    if (length != 1) {
      return trm_fail(TRM_ERR_DATA, "%s: token %lld has %lld bytes, unit byte has one each", label,
                      (long long)i, (long long)length);
    }
    const unsigned char byte = (unsigned char)vocab->bytes[vocab->offsets[i]];
    if (owner[byte] >= 0) {
      return trm_fail(TRM_ERR_DATA, "%s: byte 0x%02X is token %lld and token %lld", label, byte,
                      (long long)owner[byte], (long long)i);
    }
    owner[byte] = i;
  }
  return TRM_OK;
}

static trm_status check_characters(const trm_vocab *vocab, const char *label) {
  int64_t last = -1;
  for (int64_t i = 0; i < vocab->n; ++i) {
    if (trm_vocab_is_special(vocab, i)) continue;
    const int64_t length = vocab->offsets[i + 1] - vocab->offsets[i];
    uint32_t cp;
    if (trm_utf8_decode(vocab->bytes + vocab->offsets[i], length, &cp) != length) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: the text of token %lld (%lld bytes) is not one UTF-8 character", label,
                      (long long)i, (long long)length);
    }
    if ((int64_t)cp <= last) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: token %lld is U+%04X after U+%04X: the characters of a vocabulary must "
                      "rise (sort them)",
                      label, (long long)i, (unsigned)cp, (unsigned)last);
    }
    last = cp;
  }
  return TRM_OK;
}

/* One word of UTF-8, without white space. */
static trm_status check_word(const trm_vocab *vocab, int64_t token, const char *label) {
  const char *text = vocab->bytes + vocab->offsets[token];
  const int64_t bytes = vocab->offsets[token + 1] - vocab->offsets[token];
  for (int64_t at = 0; at < bytes;) {
    uint32_t cp;
    const int length = trm_utf8_decode(text + at, bytes - at, &cp);
    if (length <= 0 || trm_is_white(text[at])) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: the text of token %lld %s at its byte %lld (0x%02X), unit %s has words "
                      "of UTF-8",
                      label, (long long)token, length <= 0 ? "is no UTF-8" : "has white space",
                      (long long)at, (unsigned char)text[at], vocab->unit);
    }
    at += length;
  }
  return TRM_OK;
}

static trm_status check_words(const trm_vocab *vocab, const char *label) {
  trm_text_table table;
  int64_t first, again;
  for (int64_t i = 0; i < vocab->n; ++i) {
    if (!trm_vocab_is_special(vocab, i)) TRM_TRY(check_word(vocab, i, label));
  }
  TRM_TRY(trm_text_table_create(vocab, &table, &first, &again));
  trm_text_table_free(&table);
  if (again < 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: tokens %lld and %lld have the same text", label,
                  (long long)first, (long long)again);
}

static trm_status check_pieces(const trm_vocab *vocab, const trm_subword *model,
                               const char *label) {
  int32_t unk, bos, eos;
  if (trm_subword_pieces(model) != vocab->n) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: the vocabulary has %lld tokens, its subword model %lld pieces", label,
                    (long long)vocab->n, (long long)trm_subword_pieces(model));
  }
  trm_subword_specials(model, &unk, &bos, &eos);
  if (vocab->unk != unk || vocab->bos != bos || vocab->eos != eos) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: special tokens unk %d, bos %d, eos %d, in its subword model %d, %d, %d",
                    label, vocab->unk, vocab->bos, vocab->eos, unk, bos, eos);
  }
  for (int64_t i = 0; i < vocab->n; ++i) {
    int64_t bytes;
    const char *text = trm_subword_text(model, (int32_t)i, &bytes);
    if (vocab->offsets[i + 1] - vocab->offsets[i] != bytes ||
        memcmp(vocab->bytes + vocab->offsets[i], text, (size_t)bytes) != 0) {
      return trm_fail(TRM_ERR_DATA, "%s: the text of token %lld is not that of its subword model",
                      label, (long long)i);
    }
  }
  return TRM_OK;
}

static trm_status check_subwords(const trm_vocab *vocab, const char *label) {
  trm_subword *model;
  if (!vocab->model) {
    return trm_fail(TRM_ERR_DATA, "%s: unit subword needs its SentencePiece model, there is none",
                    label);
  }
  TRM_TRY(trm_subword_open(vocab->model, vocab->n_model, label, &model));
  const trm_status status = check_pieces(vocab, model, label);
  trm_subword_close(&model);
  return status;
}

static trm_status check_specials(const trm_vocab *vocab, const char *label) {
  static const char *const names[] = {"unk", "bos", "eos"};
  const int32_t ids[] = {vocab->unk, vocab->bos, vocab->eos};
  int64_t n = 0;
  for (int i = 0; i < 3; ++i) {
    if (ids[i] < -1 || ids[i] >= vocab->n) {
      return trm_fail(TRM_ERR_DATA, "%s: special token %s is %d, out of vocabulary (%lld)", label,
                      names[i], ids[i], (long long)vocab->n);
    }
    n += ids[i] >= 0;
    for (int k = 0; k < i; ++k) {
      if (ids[i] < 0 || ids[i] != ids[k]) continue;
      return trm_fail(TRM_ERR_DATA, "%s: special tokens %s and %s are both token %d", label,
                      names[k], names[i], ids[i]);
    }
  }
  if (n < vocab->n) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: the vocabulary has special tokens alone", label);
}

trm_status trm_vocab_check(const trm_vocab *vocab, int64_t n_bytes, const char *label) {
  if (!trm_vocab_unit_known(vocab->unit)) {
    char shown[32];
    trm_text_escape(vocab->unit, (int64_t)strlen(vocab->unit), shown, sizeof shown);
    return trm_fail(TRM_ERR_DATA, "%s: unit is '%s', expected %s", label, shown, trm_vocab_units);
  }
  if (vocab->n < 1) return trm_fail(TRM_ERR_DATA, "%s: the vocabulary is empty", label);
  if (vocab->n >= INT32_MAX) {
    return trm_fail(TRM_ERR_DATA, "%s: the vocabulary has %lld tokens, at most %d are allowed",
                    label, (long long)vocab->n, INT32_MAX - 1);
  }
  TRM_TRY(check_offsets(vocab, n_bytes, label));
  TRM_TRY(check_specials(vocab, label));
  if (strcmp(vocab->unit, "byte") == 0) return check_bytes(vocab, label);
  if (strcmp(vocab->unit, "char") == 0) return check_characters(vocab, label);
  if (strcmp(vocab->unit, "subword") == 0) return check_subwords(vocab, label);
  return check_words(vocab, label);
}

bool trm_vocab_equal(const trm_vocab *a, const trm_vocab *b) {
  return a->n == b->n && strcmp(a->unit, b->unit) == 0 && a->unk == b->unk && a->bos == b->bos &&
         a->eos == b->eos && a->n_model == b->n_model &&
         memcmp(a->offsets, b->offsets, (size_t)(a->n + 1) * sizeof *a->offsets) == 0 &&
         memcmp(a->bytes, b->bytes, (size_t)a->offsets[a->n]) == 0 &&
         (a->n_model == 0 || memcmp(a->model, b->model, (size_t)a->n_model) == 0);
}
