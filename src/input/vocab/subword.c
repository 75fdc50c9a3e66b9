/* Subwords: SentencePiece's shim with counted blocks and our messages. */
#include "trireme/input/subword.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentencepiece_shim.h"
#include "trireme/core/memory.h"

/* How a piece's text writes a blank. */
static const char blank_mark[] = "\xE2\x96\x81";
enum { BLANK_MARK_BYTES = 3 };

struct trm_subword {
  trm_shim *shim;
  bool adds_blank;
};

/* A result of the shim as a counted block, with a 0 behind it. */
typedef struct result {
  void *block;
  int64_t n;
} result;

static void *take_room(void *context, int64_t n, int64_t size) {
  result *r = context;
  r->n = n;
  return trm_alloc_bytes(&r->block, n + 1, (size_t)size, "what SentencePiece made") == TRM_OK
             ? r->block
             : NULL;
}

static trm_status failed(trm_shim_status status, const char *label, const trm_shim_error *error) {
  return trm_fail(status == TRM_SHIM_MEMORY ? TRM_ERR_MEMORY : TRM_ERR_DATA, "%s: %s", label,
                  error->message);
}

/* Its own words name options that only it has. */
static trm_status training_failed(const trm_subword_options *options, trm_shim_status status,
                                  const trm_shim_error *error) {
  const char *small = strstr(error->message, "smaller than required_chars"), *needed = NULL;
  if (small) needed = strstr(small, " vs ");
  if (!needed) return failed(status, "training subwords", error);
  return trm_fail(TRM_ERR_DATA,
                  "training subwords: a vocabulary of %lld is too small for the characters of the "
                  "texts, all bytes and the special tokens; %lld is the least",
                  (long long)options->size, atoll(needed + 4));
}

bool trm_subword_known(const char *algorithm) {
  return strcmp(algorithm, "bpe") == 0 || strcmp(algorithm, "unigram") == 0;
}

trm_status trm_subword_train(const trm_subword_options *options, trm_text_next next, void *context,
                             char **model, int64_t *n_model) {
  TRM_ASSERT(trm_subword_known(options->algorithm));
  char size[32];
  (void)snprintf(size, sizeof size, "%lld", (long long)options->size);
  const char *const exact = options->sentences ? "false" : "true";
  const char *const sentences = options->sentences ? "true" : "false";
  /* The longest line that is looked at is a limit of the trainer's, 4192 bytes unless set. */
  const trm_shim_option all[] = {
      {"model_type", options->algorithm},
      {"vocab_size", size},
      {"hard_vocab_limit", "false"},
      {"byte_fallback", "true"},
      {"character_coverage", "1.0"},
      {"normalization_rule_name", "identity"},
      {"add_dummy_prefix", sentences},
      {"remove_extra_whitespaces", sentences},
      {"allow_whitespace_only_pieces", exact},
      {"max_sentence_length", "1073741824"},
      {"num_threads", "1"},
      {"minloglevel", "4"},
  };
  trm_shim_error error;
  result made = {0};
  const trm_shim_status status =
      trm_shim_train(all, (int)(sizeof all / sizeof *all), next, context, take_room, &made, &error);
  if (status != TRM_SHIM_OK) return training_failed(options, status, &error);
  *model = made.block;
  *n_model = made.n;
  return TRM_OK;
}

trm_status trm_subword_open(const char *model, int64_t n_model, const char *label,
                            trm_subword **out) {
  *out = NULL;
  trm_subword *s = NULL;
  trm_shim_error error;
  TRM_TRY(TRM_ALLOC(&s, 1, "subword model"));
  const trm_shim_status opened = trm_shim_open(model, n_model, &s->shim, &error);
  if (opened != TRM_SHIM_OK) {
    TRM_FREE(s);
    if (opened == TRM_SHIM_MEMORY) return failed(opened, label, &error);
    return trm_fail(TRM_ERR_DATA, "%s: no SentencePiece model can be made of its %lld bytes", label,
                    (long long)n_model);
  }
  int32_t *pieces = NULL;
  int64_t n, bytes;
  const trm_status status = trm_subword_encode(s, "a", 1, &pieces, &n);
  if (status != TRM_OK) {
    trm_subword_close(&s);
    return status;
  }
  const char *text = n > 0 ? trm_subword_text(s, pieces[0], &bytes) : "";
  s->adds_blank = n > 0 && bytes >= BLANK_MARK_BYTES && memcmp(text, blank_mark, 3) == 0;
  TRM_FREE(pieces);
  *out = s;
  return TRM_OK;
}

void trm_subword_close(trm_subword **subword) {
  if (*subword) trm_shim_close((*subword)->shim);
  TRM_FREE(*subword);
}

int64_t trm_subword_pieces(const trm_subword *subword) {
  return trm_shim_pieces(subword->shim);
}

void trm_subword_specials(const trm_subword *subword, int32_t *unk, int32_t *bos, int32_t *eos) {
  trm_shim_specials(subword->shim, unk, bos, eos);
}

const char *trm_subword_text(const trm_subword *subword, int32_t piece, int64_t *bytes) {
  return trm_shim_text(subword->shim, piece, bytes);
}

bool trm_subword_adds_blank(const trm_subword *subword) {
  return subword->adds_blank;
}

int64_t trm_subword_surface(const trm_subword *subword, int32_t piece, char *out) {
  int64_t bytes, n = 0;
  unsigned byte;
  const char *text = trm_subword_text(subword, piece, &bytes);
  switch (trm_shim_type_of(subword->shim, piece)) {
  case TRM_SHIM_UNKNOWN:
  case TRM_SHIM_CONTROL:
    return 0;
  case TRM_SHIM_BYTE:
    if (sscanf(text, "<0x%2X>", &byte) != 1) return 0;
    out[0] = (char)byte;
    return 1;
  case TRM_SHIM_NORMAL:
    break;
  }
  for (int64_t at = 0; at < bytes;) {
    if (bytes - at >= BLANK_MARK_BYTES && memcmp(text + at, blank_mark, BLANK_MARK_BYTES) == 0) {
      out[n++] = ' ';
      at += BLANK_MARK_BYTES;
    } else {
      out[n++] = text[at++];
    }
  }
  return n;
}

trm_status trm_subword_encode(const trm_subword *subword, const char *text, int64_t bytes,
                              int32_t **pieces, int64_t *n) {
  trm_shim_error error;
  result made = {0};
  const trm_shim_status status =
      trm_shim_encode(subword->shim, text, bytes, take_room, &made, &error);
  if (status != TRM_SHIM_OK) return failed(status, "encoding a text", &error);
  *pieces = made.block;
  *n = made.n;
  return TRM_OK;
}

trm_status trm_subword_decode(const trm_subword *subword, const int32_t *pieces, int64_t n,
                              char **text, int64_t *bytes) {
  trm_shim_error error;
  result made = {0};
  const trm_shim_status status =
      trm_shim_decode(subword->shim, pieces, n, take_room, &made, &error);
  if (status != TRM_SHIM_OK) return failed(status, "decoding tokens", &error);
  *text = made.block;
  *bytes = made.n;
  return TRM_OK;
}
