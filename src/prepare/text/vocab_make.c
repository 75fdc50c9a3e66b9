/* Making vocabularies: of all bytes, or of characters. */
#include <stdio.h>
#include <string.h>

#include "charset.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

static trm_status vocab_reserve(trm_vocab *vocab, const char *unit, int64_t n, int64_t n_bytes) {
  *vocab = TRM_VOCAB_NONE;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&vocab->offsets, n + 1, "vocabulary"));
  TRM_TRY_OUT(TRM_ALLOC(&vocab->bytes, n_bytes, "vocabulary"));
  vocab->n = n;
  snprintf(vocab->unit, sizeof vocab->unit, "%s", unit);
out:
  if (status != TRM_OK) trm_vocab_free(vocab);
  return status;
}

static void vocab_append(trm_vocab *vocab, int64_t token, uint32_t character) {
  const int64_t at = vocab->offsets[token];
  char text[TRM_UTF8_MAX_BYTES];
  const int length = trm_utf8_encode(character, text);
  memcpy(vocab->bytes + at, text, (size_t)length);
  vocab->offsets[token + 1] = at + length;
}

trm_status trm_vocab_make_characters(const uint32_t *characters, int64_t n, trm_vocab *vocab) {
  TRM_TRY(vocab_reserve(vocab, "char", n, n * TRM_UTF8_MAX_BYTES));
  for (int64_t i = 0; i < n; ++i) vocab_append(vocab, i, characters[i]);
  return TRM_OK;
}

trm_status trm_vocab_make(const trm_charset *set, trm_vocab *vocab) {
  if (!set) {
    TRM_TRY(vocab_reserve(vocab, "byte", 256, 256));
    for (int64_t i = 0; i < 256; ++i) {
      vocab->bytes[i] = (char)i;
      vocab->offsets[i + 1] = i + 1;
    }
    return TRM_OK;
  }
  TRM_TRY(vocab_reserve(vocab, "char", set->n, set->n * TRM_UTF8_MAX_BYTES));
  int64_t token = 0;
  for (int64_t cp = 0; cp < TRM_N_CODE_POINTS; ++cp) {
    if (set->token[cp] != 0) vocab_append(vocab, token++, (uint32_t)cp);
  }
  return TRM_OK;
}
