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
    } else if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0)) {
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
