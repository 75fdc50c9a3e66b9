#include "trireme/core/utf8.h"

#include <stdio.h>
#include <string.h>

#include "trireme/core/status.h"

int trm_utf8_decode(const char *text, int64_t bytes, uint32_t *code_point) {
  const unsigned char *p = (const unsigned char *)text;
  if (p[0] < 0x80) {
    *code_point = p[0];
    return 1;
  }
  if (p[0] < 0xC2 || p[0] > 0xF4) return TRM_UTF8_INVALID;
  const int length = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
  uint32_t cp = p[0] & (0x7Fu >> length);
  for (int i = 1; i < length; ++i) {
    if (i >= bytes) return TRM_UTF8_INCOMPLETE;
    /* The second byte's range shuts out overlong forms, surrogates and values past U+10FFFF. */
    unsigned low = 0x80, high = 0xBF;
    if (i == 1 && p[0] == 0xE0) low = 0xA0;
    if (i == 1 && p[0] == 0xED) high = 0x9F;
    if (i == 1 && p[0] == 0xF0) low = 0x90;
    if (i == 1 && p[0] == 0xF4) high = 0x8F;
    if (p[i] < low || p[i] > high) return TRM_UTF8_INVALID;
    cp = (cp << 6) | (p[i] & 0x3Fu);
  }
  *code_point = cp;
  return length;
}

int trm_utf8_encode(uint32_t code_point, char out[TRM_UTF8_MAX_BYTES]) {
  TRM_ASSERT(code_point < TRM_N_CODE_POINTS && (code_point < 0xD800 || code_point > 0xDFFF));
  const int length = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
  static const unsigned lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (int i = length - 1; i > 0; --i) {
    out[i] = (char)(0x80u | (code_point & 0x3Fu));
    code_point >>= 6;
  }
  out[0] = (char)(lead[length] | code_point);
  return length;
}

/* Characters that are not seen, or look like a blank and are none. */
static const struct {
  uint32_t first, last;
  const char *name;
} invisible[] = {
    {0x00A0, 0x00A0, "a no-break space"},        {0x00AD, 0x00AD, "a soft hyphen"},
    {0x061C, 0x061C, "a mark of direction"},     {0x1680, 0x1680, "an Ogham space"},
    {0x180E, 0x180E, "a vowel separator"},       {0x2000, 0x200A, "a space of special width"},
    {0x200B, 0x200D, "a mark of no width"},      {0x200E, 0x200F, "a mark of direction"},
    {0x2028, 0x2029, "a line separator"},        {0x202A, 0x202E, "a mark of direction"},
    {0x202F, 0x202F, "a narrow no-break space"}, {0x205F, 0x205F, "a mathematical space"},
    {0x2060, 0x206F, "a mark of no width"},      {0x3000, 0x3000, "an ideographic space"},
    {0xFEFF, 0xFEFF, "a byte order mark"},
};

const char *trm_text_invisible(uint32_t code_point) {
  for (size_t i = 0; i < sizeof invisible / sizeof invisible[0]; ++i) {
    if (code_point < invisible[i].first) return NULL;
    if (code_point <= invisible[i].last) return invisible[i].name;
  }
  return NULL;
}

int64_t trm_text_escape(const char *text, int64_t bytes, char *out, int64_t size) {
  int64_t at = 0, used = 0;
  while (at < bytes) {
    uint32_t cp = 0;
    const int length = trm_utf8_decode(text + at, bytes - at, &cp);
    char piece[16];
    int n;
    if (length <= 0) {
      n = snprintf(piece, sizeof piece, "\\x%02X", (unsigned char)text[at]);
    } else if (cp == '\n' || cp == '\t' || cp == '\r' || cp == '"' || cp == '\\') {
      const char *named = cp == '\n' ? "\\n" : cp == '\t' ? "\\t" : cp == '\r' ? "\\r" : NULL;
      n = named ? snprintf(piece, sizeof piece, "%s", named)
                : snprintf(piece, sizeof piece, "\\%c", (char)cp);
    } else if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || (cp >= 0xA0 && trm_text_invisible(cp))) {
      n = snprintf(piece, sizeof piece, "\\u%04X", (unsigned)cp);
    } else {
      n = snprintf(piece, sizeof piece, "%.*s", length, text + at);
    }
    if (n < 0 || used + n >= size) break;
    memcpy(out + used, piece, (size_t)n);
    used += n;
    at += length > 0 ? length : 1;
  }
  out[used] = 0;
  return at;
}

void trm_text_escape_cut(const char *text, int64_t bytes, bool more, char *out, int64_t size) {
  static const char mark[] = " ...";
  const int64_t room = size - (int64_t)sizeof mark + 1;
  TRM_ASSERT(room >= 1);
  if (trm_text_escape(text, bytes, out, room) == bytes && !more) return;
  (void)snprintf(out + strlen(out), sizeof mark, "%s", mark);
}
