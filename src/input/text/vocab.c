#include <stdio.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/vocab.h"

void trm_vocab_free(trm_vocab *vocab) {
  TRM_FREE(vocab->offsets);
  TRM_FREE(vocab->bytes);
  vocab->n = 0;
  vocab->unit[0] = 0;
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
    const int64_t length = vocab->offsets[i + 1] - vocab->offsets[i];
    if (length != 1) {
      return trm_fail(TRM_ERR_DATA, "%s: token %lld has %lld bytes, unit byte has one each", label,
                      (long long)i, (long long)length);
    }
    const unsigned char byte = (unsigned char)vocab->bytes[i];
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

trm_status trm_vocab_check(const trm_vocab *vocab, int64_t n_bytes, const char *label) {
  if (vocab->n < 1) return trm_fail(TRM_ERR_DATA, "%s: the vocabulary is empty", label);
  TRM_TRY(check_offsets(vocab, n_bytes, label));
  if (strcmp(vocab->unit, "byte") == 0) return check_bytes(vocab, label);
  if (strcmp(vocab->unit, "char") == 0) return check_characters(vocab, label);
  return trm_fail(TRM_ERR_DATA, "%s: unit is '%s', expected 'byte' or 'char'", label, vocab->unit);
}

static trm_status encode_bytes(const trm_vocab *vocab, const char *text, int64_t bytes,
                               int32_t *tokens, int64_t *n) {
  int32_t token[256];
  for (int i = 0; i < 256; ++i) token[i] = -1;
  for (int64_t i = 0; i < vocab->n; ++i) token[(unsigned char)vocab->bytes[i]] = (int32_t)i;
  for (int64_t i = 0; i < bytes; ++i) {
    tokens[i] = token[(unsigned char)text[i]];
    if (tokens[i] < 0) {
      return trm_fail(TRM_ERR_DATA, "byte 0x%02X at %lld is not in the vocabulary of %lld bytes",
                      (unsigned char)text[i], (long long)i, (long long)vocab->n);
    }
  }
  *n = bytes;
  return TRM_OK;
}

/* UTF-8 sorts as its code points do, so the texts can be compared as bytes. */
static int32_t find_character(const trm_vocab *vocab, const char *text, int length) {
  int64_t low = 0, high = vocab->n;
  while (low < high) {
    const int64_t mid = low + (high - low) / 2;
    const int64_t mid_length = vocab->offsets[mid + 1] - vocab->offsets[mid];
    const int64_t common = mid_length < length ? mid_length : length;
    int order = memcmp(vocab->bytes + vocab->offsets[mid], text, (size_t)common);
    if (order == 0) order = (mid_length > length) - (mid_length < length);
    if (order == 0) return (int32_t)mid;
    if (order < 0) {
      low = mid + 1;
    } else {
      high = mid;
    }
  }
  return -1;
}

static trm_status encode_characters(const trm_vocab *vocab, const char *text, int64_t bytes,
                                    int32_t *tokens, int64_t *n) {
  int64_t count = 0;
  for (int64_t at = 0; at < bytes;) {
    uint32_t cp;
    const int length = trm_utf8_decode(text + at, bytes - at, &cp);
    if (length <= 0) {
      return trm_fail(TRM_ERR_DATA, "invalid UTF-8 at byte %lld of the text (0x%02X)",
                      (long long)at, (unsigned char)text[at]);
    }
    const int32_t token = find_character(vocab, text + at, length);
    if (token < 0) {
      char shown[32];
      trm_text_escape(text + at, length, shown, sizeof shown);
      return trm_fail(TRM_ERR_DATA,
                      "character '%s' (U+%04X) at byte %lld of the text is not among the %lld of "
                      "the vocabulary",
                      shown, (unsigned)cp, (long long)at, (long long)vocab->n);
    }
    tokens[count++] = token;
    at += length;
  }
  *n = count;
  return TRM_OK;
}

trm_status trm_vocab_encode(const trm_vocab *vocab, const char *text, int64_t bytes,
                            int32_t **tokens, int64_t *n) {
  *tokens = NULL;
  *n = 0;
  int32_t *block = NULL;
  TRM_TRY(TRM_ALLOC(&block, bytes, "tokens of a text"));
  const bool by_byte = strcmp(vocab->unit, "byte") == 0;
  const trm_status status = by_byte ? encode_bytes(vocab, text, bytes, block, n)
                                    : encode_characters(vocab, text, bytes, block, n);
  if (status != TRM_OK) {
    TRM_FREE(block);
    return status;
  }
  *tokens = block;
  return TRM_OK;
}

bool trm_vocab_equal(const trm_vocab *a, const trm_vocab *b) {
  return a->n == b->n && strcmp(a->unit, b->unit) == 0 &&
         memcmp(a->offsets, b->offsets, (size_t)(a->n + 1) * sizeof *a->offsets) == 0 &&
         memcmp(a->bytes, b->bytes, (size_t)a->offsets[a->n]) == 0;
}
