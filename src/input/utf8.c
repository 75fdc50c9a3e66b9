#include "utf8_internal.h"

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
