/**
 * Tokenizers. Bytes are looked up in a table of 256, other texts in a hash table, characters of ASCII
 * in a table before; subwords are SentencePiece's. What tokens add to a text is made once.
 */
#include "trireme/input/tokenizer.h"

#include <inttypes.h>
#include <string.h>

#include "text_table.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/subword.h"
#include "white.h"

enum { SHOWN_BYTES = 96 };

/* Tokens of a text on their way. */
typedef struct encoding {
  int32_t *tokens; /* one for each byte of the text at most */
  int64_t n;
  trm_unknown *unknown; /* NULL: refused where there is no token for it */
} encoding;

struct trm_tokenizer {
  const trm_vocab *vocab;
  trm_status (*encode)(const trm_tokenizer *t, const char *text, int64_t bytes, encoding *e);
  int32_t ascii[256];   /* token of a byte, or of a character below 128; -1: none */
  trm_text_table table; /* char, word, symbol */
  trm_subword *subword; /* subword */
  int64_t *offsets;     /* [n + 1] into pieces */
  char *pieces;         /* what each token adds to a text, a blank ahead of words */
  bool joined;          /* by blanks: words, symbols */
};

/* ---- encoding ------------------------------------------------------------------------------- */

static trm_status put(const trm_tokenizer *t, int32_t token, encoding *e, const char *text,
                      int64_t at, int64_t bytes) {
  const trm_vocab *v = t->vocab;
  if (token < 0 && v->unk < 0 && !e->unknown) {
    char shown[SHOWN_BYTES];
    trm_unknown_show(v, text + at, bytes, shown, sizeof shown);
    return trm_fail(TRM_ERR_DATA,
                    "%s %s at byte %" PRId64 " of the text is not among the %" PRId64
                    " of the vocabulary",
                    trm_unit_word(v->unit, false), shown, at, v->n);
  }
  if (token < 0 && e->unknown && e->unknown->n == 0) e->unknown->at = at;
  if (token < 0 && e->unknown) trm_unknown_add(e->unknown, v, text + at, bytes);
  if (token < 0 && (v->unk < 0 || (e->unknown && e->unknown->skip))) return TRM_OK;
  e->tokens[e->n++] = token < 0 ? v->unk : token;
  return TRM_OK;
}

static trm_status encode_bytes(const trm_tokenizer *t, const char *text, int64_t bytes,
                               encoding *e) {
  for (int64_t i = 0; i < bytes; ++i) {
    TRM_TRY(put(t, t->ascii[(unsigned char)text[i]], e, text, i, 1));
  }
  return TRM_OK;
}

/* Length of the character at `at`, 1 to 4. */
static trm_status character_length(const char *text, int64_t at, int64_t bytes, int *length) {
  uint32_t cp;
  *length = trm_utf8_decode(text + at, bytes - at, &cp);
  if (*length > 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "invalid UTF-8 at byte %lld of the text (0x%02X)", (long long)at,
                  (unsigned char)text[at]);
}

static trm_status encode_characters(const trm_tokenizer *t, const char *text, int64_t bytes,
                                    encoding *e) {
  for (int64_t at = 0; at < bytes;) {
    int length;
    TRM_TRY(character_length(text, at, bytes, &length));
    const int32_t token = length == 1 ? t->ascii[(unsigned char)text[at]]
                                      : trm_text_table_find(&t->table, text + at, length);
    TRM_TRY(put(t, token, e, text, at, length));
    at += length;
  }
  return TRM_OK;
}

static trm_status encode_words(const trm_tokenizer *t, const char *text, int64_t bytes,
                               encoding *e) {
  for (int64_t at = 0; at < bytes;) {
    if (trm_is_white(text[at])) {
      ++at;
      continue;
    }
    const int64_t begin = at;
    while (at < bytes && !trm_is_white(text[at])) {
      int length;
      TRM_TRY(character_length(text, at, bytes, &length));
      at += length;
    }
    const int32_t token = trm_text_table_find(&t->table, text + begin, at - begin);
    TRM_TRY(put(t, token, e, text, begin, at - begin));
  }
  return TRM_OK;
}

static trm_status encode_subwords(const trm_tokenizer *t, const char *text, int64_t bytes,
                                  encoding *e) {
  for (int64_t at = 0; at < bytes;) {
    int length;
    TRM_TRY(character_length(text, at, bytes, &length));
    at += length;
  }
  TRM_TRY(trm_subword_encode(t->subword, text, bytes, &e->tokens, &e->n));
  if (!e->unknown) return TRM_OK;
  const int64_t n = e->n;
  e->n = 0;
  for (int64_t i = 0; i < n; ++i) {
    const bool lacking = e->tokens[i] == t->vocab->unk;
    e->unknown->n += lacking;
    if (!lacking || !e->unknown->skip) e->tokens[e->n++] = e->tokens[i];
  }
  return TRM_OK;
}

trm_status trm_tokenizer_encode(const trm_tokenizer *tokenizer, const char *text, int64_t bytes,
                                int32_t **tokens, int64_t *n, trm_unknown *unknown) {
  *tokens = NULL;
  *n = 0;
  encoding e = {.unknown = unknown};
  if (!tokenizer->subword) TRM_TRY(TRM_ALLOC(&e.tokens, bytes, "tokens of a text"));
  const trm_status status = tokenizer->encode(tokenizer, text, bytes, &e);
  if (status != TRM_OK) {
    TRM_FREE(e.tokens);
    return status;
  }
  *tokens = e.tokens;
  *n = e.n;
  return TRM_OK;
}

trm_status trm_vocab_encode(const trm_vocab *vocab, const char *text, int64_t bytes,
                            int32_t **tokens, int64_t *n) {
  trm_tokenizer *tokenizer;
  *tokens = NULL;
  *n = 0;
  TRM_TRY(trm_tokenizer_create(vocab, &tokenizer));
  const trm_status status = trm_tokenizer_encode(tokenizer, text, bytes, tokens, n, NULL);
  trm_tokenizer_destroy(&tokenizer);
  return status;
}

/* ---- decoding ------------------------------------------------------------------------------- */

const char *trm_tokenizer_piece(const trm_tokenizer *tokenizer, int32_t token, bool first,
                                int64_t *bytes) {
  TRM_ASSERT(token >= 0 && token < tokenizer->vocab->n);
  const char *text = tokenizer->pieces + tokenizer->offsets[token];
  *bytes = tokenizer->offsets[token + 1] - tokenizer->offsets[token];
  const bool ahead =
      tokenizer->joined || (tokenizer->subword && trm_subword_adds_blank(tokenizer->subword));
  if (!first || !ahead || *bytes == 0 || *text != ' ') return text;
  --*bytes;
  return text + 1;
}

static trm_status decode_subwords(const trm_tokenizer *t, const int32_t *tokens, int64_t n,
                                  char **text, int64_t *bytes) {
  int32_t *plain = NULL;
  int64_t n_plain = 0;
  TRM_TRY(TRM_ALLOC(&plain, n, "tokens to decode"));
  for (int64_t i = 0; i < n; ++i) {
    TRM_ASSERT(tokens[i] >= 0 && tokens[i] < t->vocab->n);
    if (!trm_vocab_is_special(t->vocab, tokens[i])) plain[n_plain++] = tokens[i];
  }
  const trm_status status = trm_subword_decode(t->subword, plain, n_plain, text, bytes);
  TRM_FREE(plain);
  return status;
}

trm_status trm_tokenizer_decode(const trm_tokenizer *tokenizer, const int32_t *tokens, int64_t n,
                                char **text, int64_t *bytes) {
  *text = NULL;
  *bytes = 0;
  if (tokenizer->subword) return decode_subwords(tokenizer, tokens, n, text, bytes);
  int64_t n_bytes = 0, used = 0, length;
  char *block = NULL;
  for (int64_t i = 0; i < n; ++i) {
    (void)trm_tokenizer_piece(tokenizer, tokens[i], false, &length);
    n_bytes += length;
  }
  TRM_TRY(TRM_ALLOC(&block, n_bytes + 1, "text of tokens"));
  for (int64_t i = 0; i < n; ++i) {
    const char *piece = trm_tokenizer_piece(tokenizer, tokens[i], used == 0, &length);
    memcpy(block + used, piece, (size_t)length);
    used += length;
  }
  *text = block;
  *bytes = used;
  return TRM_OK;
}

/* ---- making one ----------------------------------------------------------------------------- */

/* What token i adds to a text; at most one byte more than its own text. */
static int64_t make_piece(const trm_tokenizer *t, int64_t i, char *out) {
  const trm_vocab *v = t->vocab;
  if (t->subword) return trm_subword_surface(t->subword, (int32_t)i, out);
  if (trm_vocab_is_special(v, i)) return 0;
  const int64_t bytes = v->offsets[i + 1] - v->offsets[i];
  if (t->joined) *out++ = ' ';
  memcpy(out, v->bytes + v->offsets[i], (size_t)bytes);
  return bytes + t->joined;
}

static trm_status make_pieces(trm_tokenizer *t) {
  const trm_vocab *v = t->vocab;
  TRM_TRY(TRM_ALLOC(&t->offsets, v->n + 1, "texts of tokens"));
  TRM_TRY(TRM_ALLOC(&t->pieces, v->offsets[v->n] + v->n, "texts of tokens"));
  for (int64_t i = 0; i < v->n; ++i) {
    t->offsets[i + 1] = t->offsets[i] + make_piece(t, i, t->pieces + t->offsets[i]);
  }
  return TRM_OK;
}

static trm_status make_lookups(trm_tokenizer *t) {
  const trm_vocab *v = t->vocab;
  int64_t first, again;
  if (strcmp(v->unit, "subword") == 0) {
    t->encode = encode_subwords;
    return trm_subword_open(v->model, v->n_model, "vocabulary", &t->subword);
  }
  const bool by_byte = strcmp(v->unit, "byte") == 0, by_char = strcmp(v->unit, "char") == 0;
  t->encode = by_byte ? encode_bytes : by_char ? encode_characters : encode_words;
  t->joined = !by_byte && !by_char;
  for (int i = 0; i < 256; ++i) t->ascii[i] = -1;
  for (int64_t i = 0; i < v->n; ++i) {
    if (trm_vocab_is_special(v, i) || v->offsets[i + 1] - v->offsets[i] != 1) continue;
    t->ascii[(unsigned char)v->bytes[v->offsets[i]]] = (int32_t)i;
  }
  return by_byte ? TRM_OK : trm_text_table_create(v, &t->table, &first, &again);
}

trm_status trm_tokenizer_create(const trm_vocab *vocab, trm_tokenizer **out) {
  *out = NULL;
  trm_tokenizer *t = NULL;
  TRM_TRY(TRM_ALLOC(&t, 1, "tokenizer"));
  t->vocab = vocab;
  trm_status status = make_lookups(t);
  if (status == TRM_OK) status = make_pieces(t);
  if (status != TRM_OK) {
    trm_tokenizer_destroy(&t);
    return status;
  }
  *out = t;
  return TRM_OK;
}

void trm_tokenizer_destroy(trm_tokenizer **tokenizer) {
  trm_tokenizer *t = *tokenizer;
  if (!t) return;
  trm_text_table_free(&t->table);
  trm_subword_close(&t->subword);
  TRM_FREE(t->offsets);
  TRM_FREE(t->pieces);
  TRM_FREE(*tokenizer);
}

const trm_vocab *trm_tokenizer_vocab(const trm_tokenizer *tokenizer) {
  return tokenizer->vocab;
}
