#include "charset.h"

#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

trm_status trm_charset_create(trm_charset *set) {
  set->n = 0;
  return TRM_ALLOC(&set->token, TRM_N_CODE_POINTS, "table of characters");
}

void trm_charset_free(trm_charset *set) {
  TRM_FREE(set->token);
}

int64_t trm_charset_scan(trm_charset *set, const char *text, int64_t bytes, int64_t *n_characters) {
  int64_t at = 0, count = 0;
  while (at < bytes) {
    uint32_t cp;
    const int length = trm_utf8_decode(text + at, bytes - at, &cp);
    if (length <= 0) break;
    set->token[cp] = 1;
    at += length;
    ++count;
  }
  *n_characters += count;
  return at;
}

trm_status trm_charset_close(trm_charset *set, const char *label) {
  int64_t n = 0;
  for (int64_t cp = 0; cp < TRM_N_CODE_POINTS; ++cp) n += set->token[cp] != 0;
  if (n > TRM_MAX_CHARS) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: %lld distinct characters, at most %d can be tokens; take unit byte", label,
                    (long long)n, TRM_MAX_CHARS);
  }
  set->n = 0;
  for (int64_t cp = 0; cp < TRM_N_CODE_POINTS; ++cp) {
    if (set->token[cp] != 0) set->token[cp] = (uint16_t)++set->n;
  }
  return TRM_OK;
}
