/** What a vocabulary lacks: counting it, and the rule for it. */
#include "trireme/input/unknown.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/log.h"
#include "trireme/core/utf8.h"

enum { SHOWN_BYTES = 96, ONE_BYTES = 32 };

trm_status trm_unknown_rule_of(const char *text, trm_unknown_rule *rule) {
  static const char *const names[] = {"token", "skip", "refuse"};
  *rule = TRM_UNKNOWN_USUAL;
  if (!text) return TRM_OK;
  for (int i = 0; i < 3; ++i) {
    if (strcmp(text, names[i]) != 0) continue;
    *rule = (trm_unknown_rule)(TRM_UNKNOWN_TOKEN + i);
    return TRM_OK;
  }
  return trm_fail(TRM_ERR_USAGE, "--unknown is '%s', expected token, skip or refuse", text);
}

const char *trm_unit_word(const char *unit, bool many) {
  static const char *const words[][3] = {{"byte", "byte", "bytes"},
                                         {"char", "character", "characters"},
                                         {"word", "word", "words"},
                                         {"symbol", "symbol", "symbols"}};
  for (int i = 0; i < 4; ++i) {
    if (strcmp(unit, words[i][0]) == 0) return words[i][many ? 2 : 1];
  }
  return many ? "subwords" : "subword";
}

void trm_unknown_show(const trm_vocab *vocab, const char *text, int64_t bytes, char *out,
                      size_t size) {
  char shown[SHOWN_BYTES];
  uint32_t cp = 0;
  if (strcmp(vocab->unit, "byte") == 0) {
    (void)snprintf(out, size, "0x%02X", (unsigned char)*text);
    return;
  }
  const size_t room = size - 3 < sizeof shown ? size - 3 : sizeof shown; /* quotes, 0 */
  trm_text_escape_cut(text, bytes, false, shown, (int64_t)room);
  if (strcmp(vocab->unit, "char") != 0) {
    (void)snprintf(out, size, "'%s'", shown);
    return;
  }
  (void)trm_utf8_decode(text, bytes, &cp);
  (void)snprintf(out, size, "'%s' (U+%04X)", shown, (unsigned)cp);
}

void trm_unknown_add(trm_unknown *unknown, const trm_vocab *vocab, const char *text,
                     int64_t bytes) {
  trm_unknown *u = unknown;
  char one[ONE_BYTES];
  const size_t used = strlen(u->shown);
  ++u->n;
  if (u->more) return;
  trm_unknown_show(vocab, text, bytes, one, sizeof one);
  if (strstr(u->shown, one)) return;
  u->more = used + strlen(one) + 3 > sizeof u->shown; /* ", ", 0 */
  if (u->more) return;
  (void)snprintf(u->shown + used, sizeof u->shown - used, "%s%s", used ? ", " : "", one);
}

void trm_unknown_say(const trm_unknown *unknown, const trm_vocab *vocab,
                     char text[TRM_UNKNOWN_TEXT_BYTES]) {
  const bool shown = unknown->shown[0] != 0;
  char count[32];
  trm_format_count((long long)unknown->n, count);
  (void)snprintf(text, TRM_UNKNOWN_TEXT_BYTES, "%s %s%s%s%s%s", count,
                 trm_unit_word(vocab->unit, unknown->n != 1), shown ? " (" : "", unknown->shown,
                 unknown->more ? " and others" : "", shown ? ")" : "");
}

trm_status trm_unknown_judge(const trm_unknown *unknown, trm_unknown_rule rule,
                             const trm_vocab *vocab, const char *where) {
  char what[TRM_UNKNOWN_TEXT_BYTES];
  const bool one = unknown->n == 1, none = vocab->unk < 0;
  if (unknown->n == 0 || rule == TRM_UNKNOWN_SKIP) return TRM_OK;
  if (!none && rule != TRM_UNKNOWN_REFUSE) return TRM_OK;
  trm_unknown_say(unknown, vocab, what);
  return trm_fail(TRM_ERR_DATA,
                  "%s: %s %s not among the %" PRId64 " of the vocabulary%s; leave %s out by "
                  "--unknown skip, or %s",
                  where, what, one ? "is" : "are", vocab->n,
                  none ? ", which has no token for what is unknown" : "", one ? "it" : "them",
                  none ? "train on data prepared with --unknown token"
                       : "take the token for what is unknown by --unknown token");
}
