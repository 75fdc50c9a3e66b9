#include "characters.h"

#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

void trm_characters_free(trm_characters *text) {
  TRM_FREE(text->at);
  *text = (trm_characters){0};
}

static trm_status reserve(trm_characters *text, int64_t room) {
  uint32_t *at = NULL;
  TRM_TRY(TRM_ALLOC(&at, room, "characters of a text"));
  if (text->n > 0) memcpy(at, text->at, (size_t)text->n * sizeof *at);
  TRM_FREE(text->at);
  text->at = at;
  text->room = room;
  return TRM_OK;
}

trm_status trm_characters_push(trm_characters *text, uint32_t c) {
  if (text->n == text->room) TRM_TRY(reserve(text, 2 * text->room + 64));
  text->at[text->n++] = c;
  return TRM_OK;
}

/* Bytes that are read as one U+FFFD: the longest beginning of a character, or one byte. */
static int64_t bad_length(const char *text, int64_t bytes) {
  uint32_t c;
  int64_t n = 1;
  while (n < bytes && trm_utf8_decode(text, n, &c) == TRM_UTF8_INCOMPLETE &&
         trm_utf8_decode(text, n + 1, &c) == TRM_UTF8_INCOMPLETE) {
    ++n;
  }
  return n;
}

trm_status trm_characters_read(trm_characters *text, trm_line line) {
  for (int64_t i = 0; i < line.bytes;) {
    uint32_t c = 0;
    const int length = trm_utf8_decode(line.text + i, line.bytes - i, &c);
    TRM_TRY(trm_characters_push(text, length > 0 ? c : 0xFFFD));
    i += length > 0 ? length : bad_length(line.text + i, line.bytes - i);
  }
  return TRM_OK;
}

bool trm_character_is_space(uint32_t c) {
  if (c < 0x80) return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}
