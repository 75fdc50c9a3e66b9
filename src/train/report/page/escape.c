/* Text of others in HTML and SVG. */
#include <string.h>

#include "trireme/core/utf8.h"
#include "trireme/train/report.h"

static const char *replacement(char c) {
  switch (c) {
  case '&':
    return "&amp;";
  case '<':
    return "&lt;";
  case '>':
    return "&gt;";
  case '"':
    return "&quot;";
  case '\'':
    return "&#39;";
  default:
    return NULL;
  }
}

/* What XML may not have, whether escaped or not. */
static bool is_forbidden(uint32_t code) {
  return (code < 0x20 && code != '\t' && code != '\n') || code == 0x7f || code == 0xfffe ||
         code == 0xffff;
}

void trm_report_text(FILE *file, const char *text) {
  int64_t left = (int64_t)strlen(text);
  while (left > 0) {
    uint32_t code = 0;
    const int n = trm_utf8_decode(text, left, &code);
    const char *instead = n == 1 ? replacement(*text) : NULL;
    if (n <= 0 || is_forbidden(code)) instead = "\xef\xbf\xbd"; /* U+FFFD */
    if (instead) {
      (void)fputs(instead, file);
    } else {
      (void)fwrite(text, 1, (size_t)n, file);
    }
    const int step = n > 0 ? n : 1;
    text += step;
    left -= step;
  }
}
