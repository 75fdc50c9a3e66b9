#include "trireme/core/json.h"

#include <math.h>

#include "trireme/core/utf8.h"

void trm_json_text(FILE *file, const char *text) {
  (void)fputc('"', file);
  for (const char *p = text; *p;) {
    uint32_t code;
    const int n = trm_utf8_decode(p, TRM_UTF8_MAX_BYTES, &code);
    if (n <= 0) {
      (void)fputs("\\ufffd", file);
      ++p;
      continue;
    }
    if (code == '"' || code == '\\') {
      (void)fprintf(file, "\\%c", (int)code);
    } else if (code < 0x20 || code == 0x7F) {
      (void)fprintf(file, "\\u%04x", (unsigned)code);
    } else {
      (void)fwrite(p, 1, (size_t)n, file);
    }
    p += n;
  }
  (void)fputc('"', file);
}

void trm_json_real(FILE *file, double value) {
  if (isfinite(value)) {
    (void)fprintf(file, "%.17g", value);
  } else {
    (void)fputs("null", file);
  }
}
