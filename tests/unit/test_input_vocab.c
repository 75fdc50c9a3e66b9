/* UTF-8, vocabularies: checking, encoding bytes and characters, messages. */
#include <stdlib.h>
#include <string.h>

#include "../../src/input/text/text_internal.h"
#include "../../src/prepare/text/charset.h"
#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

static int decode(const char *text, int64_t n) {
  uint32_t cp;
  return trm_utf8_decode(text, n, &cp);
}

static void check_utf8(void) {
  /* Every code point there and back. */
  for (uint32_t cp = 0; cp < TRM_N_CODE_POINTS; ++cp) {
    if (cp >= 0xD800 && cp <= 0xDFFF) continue;
    char text[TRM_UTF8_MAX_BYTES];
    uint32_t back = 0;
    const int length = trm_utf8_encode(cp, text);
    if (!CHECK_EQ(trm_utf8_decode(text, length, &back), length)) return;
    if (!CHECK_EQ(back, cp)) return;
    for (int cut = 1; cut < length; ++cut) {
      if (!CHECK_EQ(decode(text, cut), TRM_UTF8_INCOMPLETE)) return;
    }
  }
  CHECK_EQ(decode("\x80", 1), TRM_UTF8_INVALID);             /* continuation first */
  CHECK_EQ(decode("\xC0\x80", 2), TRM_UTF8_INVALID);         /* overlong 0 */
  CHECK_EQ(decode("\xE0\x9F\xBF", 3), TRM_UTF8_INVALID);     /* overlong */
  CHECK_EQ(decode("\xF0\x8F\xBF\xBF", 4), TRM_UTF8_INVALID); /* overlong */
  CHECK_EQ(decode("\xED\xA0\x80", 3), TRM_UTF8_INVALID);     /* surrogate */
  CHECK_EQ(decode("\xF4\x90\x80\x80", 4), TRM_UTF8_INVALID); /* past U+10FFFF */
  CHECK_EQ(decode("\xF5\x80\x80\x80", 4), TRM_UTF8_INVALID);
  CHECK_EQ(decode("\xE2\x82z", 3), TRM_UTF8_INVALID); /* cut by an ASCII byte */
  CHECK_EQ(decode("\xC3(", 2), TRM_UTF8_INVALID);
}

static void check_characters(void) {
  static const uint32_t characters[] = {'\n', 'a', 'z', 0xE9, 0x20AC, 0xFFFD, 0x1F600};
  trm_vocab vocab;
  int32_t *tokens = NULL;
  int64_t n = 0;
  CHECK_OK(trm_vocab_make_characters(characters, 7, &vocab));
  CHECK_OK(trm_vocab_check(&vocab, vocab.offsets[vocab.n], "v"));
  static const char text[] = "z\xC3\xA9\xE2\x82\xAC"
                             "a\n\xF0\x9F\x98\x80\xEF\xBF\xBD";
  static const int32_t want[] = {2, 3, 4, 1, 0, 6, 5};
  CHECK_OK(trm_vocab_encode(&vocab, text, (int64_t)sizeof text - 1, &tokens, &n));
  CHECK_EQ(n, 7);
  for (int64_t i = 0; i < n && tokens; ++i) CHECK_EQ(tokens[i], want[i]);
  TRM_FREE(tokens);
  CHECK_OK(trm_vocab_encode(&vocab, "", 0, &tokens, &n));
  CHECK_EQ(n, 0);
  TRM_FREE(tokens);
  CHECK_EQ(trm_vocab_encode(&vocab, "az\xC3\xA8", 4, &tokens, &n), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "character '\xC3\xA8' (U+00E8) at byte 2 ");
  CHECK(tokens == NULL);
  CHECK_EQ(trm_vocab_encode(&vocab, "a\t", 2, &tokens, &n), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "character '\\t' (U+0009) at byte 1 ");
  CHECK_EQ(trm_vocab_encode(&vocab, "a\xC3", 2, &tokens, &n), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "invalid UTF-8 at byte 1 ");
  trm_vocab_free(&vocab);
}

static void check_bytes(void) {
  trm_vocab vocab;
  int32_t *tokens = NULL;
  int64_t n = 0;
  char all[256];
  for (int i = 0; i < 256; ++i) all[i] = (char)(255 - i);
  CHECK_OK(trm_vocab_make(NULL, &vocab));
  CHECK_EQ(vocab.n, 256);
  CHECK_OK(trm_vocab_check(&vocab, 256, "v"));
  CHECK_OK(trm_vocab_encode(&vocab, all, 256, &tokens, &n));
  CHECK_EQ(n, 256);
  for (int i = 0; i < 256 && tokens; ++i) {
    CHECK_EQ(tokens[i], 255 - i);
    CHECK_EQ(vocab.bytes[vocab.offsets[tokens[i]]], all[i]);
  }
  TRM_FREE(tokens);
  trm_vocab_free(&vocab);

  static int64_t offsets[] = {0, 1, 2};
  static char two[] = "q\xFF";
  trm_vocab small = TRM_VOCAB_NONE;
  memcpy(small.unit, "byte", 5);
  small.n = 2;
  small.offsets = offsets;
  small.bytes = two;
  CHECK_OK(trm_vocab_check(&small, 2, "v"));
  CHECK_EQ(trm_vocab_encode(&small, "q\xFF!", 3, &tokens, &n), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "byte 0x21 at byte 2 of the text is not among the 2");
}

static void expect_bad(const char *unit, int64_t n, const int64_t *offsets, const char *bytes,
                       int64_t n_bytes, const char *part) {
  int64_t o[8];
  char b[16] = {0};
  memcpy(o, offsets, (size_t)(n + 1) * sizeof *o);
  memcpy(b, bytes, (size_t)n_bytes);
  trm_vocab vocab = TRM_VOCAB_NONE;
  vocab.n = n;
  vocab.offsets = o;
  vocab.bytes = b;
  memcpy(vocab.unit, unit, strlen(unit) + 1);
  CHECK_EQ(trm_vocab_check(&vocab, n_bytes, "here.h5"), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "here.h5: ");
  CHECK_HAS(trm_message(), part);
}

static void check_bad(void) {
  expect_bad("char", 0, (int64_t[]){0}, "", 0, "vocabulary is empty");
  expect_bad("char", 2, (int64_t[]){1, 2, 3}, "abc", 3, "offset 0 is 1, expected 0");
  expect_bad("char", 2, (int64_t[]){0, 2, 1}, "ab", 2, "offset 2 is 1 after 2");
  expect_bad("char", 2, (int64_t[]){0, 1, 1}, "a", 1, "offset 2 is 1 after 1");
  expect_bad("char", 2, (int64_t[]){0, 1, 99}, "ab", 2, "offset 2 is 99, there are 2 bytes");
  expect_bad("char", 3, (int64_t[]){0, 1, 99, 2}, "ab", 2, "offset 2 is 99, there are 2 bytes");
  expect_bad("char", 2, (int64_t[]){0, 1, 2}, "abc", 3, "end at 2, there are 3 bytes");
  expect_bad("char", 2, (int64_t[]){0, 1, 3}, "abc", 3, "token 1 (2 bytes) is not one UTF-8");
  expect_bad("char", 2, (int64_t[]){0, 1, 2}, "a\xFF", 2, "token 1 (1 bytes) is not one UTF-8");
  expect_bad("char", 2, (int64_t[]){0, 1, 2}, "ba", 2, "token 1 is U+0061 after U+0062");
  expect_bad("char", 2, (int64_t[]){0, 1, 2}, "aa", 2, "token 1 is U+0061 after U+0061");
  expect_bad("byte", 2, (int64_t[]){0, 1, 3}, "abc", 3, "token 1 has 2 bytes");
  expect_bad("byte", 3, (int64_t[]){0, 1, 2, 3}, "aba", 3, "byte 0x61 is token 0 and token 2");
  expect_bad("line", 1, (int64_t[]){0, 1}, "a", 1,
             "unit is 'line', expected byte, char, word, symbol or subword");
  expect_bad("word", 2, (int64_t[]){0, 1, 4}, "aa b", 4, "token 1 has white space at its byte 1");
  expect_bad("symbol", 2, (int64_t[]){0, 1, 3}, "aa\xFF", 3, "token 1 is no UTF-8 at its byte 1");
  expect_bad("word", 3, (int64_t[]){0, 2, 3, 5}, "abcab", 5, "tokens 0 and 2 have the same text");
  expect_bad("subword", 1, (int64_t[]){0, 1}, "a", 1, "needs its SentencePiece model");
}

static void check_set(void) {
  trm_charset set;
  trm_vocab vocab;
  int64_t n = 0;
  CHECK_OK(trm_charset_create(&set));
  CHECK_EQ(trm_charset_scan(&set, "hello \xC3\xA9\xC3", 9, &n), 8);
  CHECK_EQ(n, 7);
  CHECK_OK(trm_charset_close(&set, "x"));
  CHECK_EQ(set.n, 6);
  CHECK_EQ(set.token[' '], 1);
  CHECK_EQ(set.token[0xE9], 6);
  CHECK_OK(trm_vocab_make(&set, &vocab));
  CHECK_EQ(memcmp(vocab.bytes, " ehlo\xC3\xA9", 7), 0);
  CHECK_OK(trm_vocab_check(&vocab, 7, "x"));
  trm_vocab_free(&vocab);
  /* One more than fits: 0 to 65535 without the surrogates, and on until there are 65536. */
  for (uint32_t cp = 0; cp < 65536 + 2048; ++cp) set.token[cp] = cp < 0xD800 || cp > 0xDFFF;
  CHECK_EQ(trm_charset_close(&set, "big.txt"), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "big.txt: 65536 distinct characters, at most 65535");
  CHECK_HAS(trm_message(), "unit byte");
  set.token[0] = 0;
  CHECK_OK(trm_charset_close(&set, "big.txt"));
  CHECK_EQ(set.token[65536 + 2047], 65535);
  trm_charset_free(&set);
}

static void check_escape(void) {
  char out[32];
  trm_text_escape_cut("abcdefgh", 8, false, out, 9 + 4); /* all of it fits beside the mark */
  CHECK_STR(out, "abcdefgh");
  trm_text_escape_cut("abcdefgh", 8, true, out, 9 + 4);
  CHECK_STR(out, "abcdefgh ...");
  trm_text_escape_cut("abcdefgh", 8, false, out, 8);
  CHECK_STR(out, "abc ...");
  trm_text_escape_cut("ab", 2, false, out, 5);
  CHECK_STR(out, " ...");
  CHECK_EQ(trm_text_escape("a\n\"\x01\xFFz", 6, out, sizeof out), 6);
  CHECK_STR(out, "a\\n\\\"\\u0001\\xFFz");
  /* Cut at a whole character, always ended. */
  CHECK_EQ(trm_text_escape("ab\xC3\xA9", 4, out, 4), 2);
  CHECK_STR(out, "ab");
}

int main(void) {
  check_utf8();
  check_characters();
  check_bytes();
  check_bad();
  check_set();
  check_escape();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
