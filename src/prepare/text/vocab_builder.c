/* Making vocabularies out of texts: counting, or collecting what SentencePiece is trained on. */
#include "trireme/prepare/vocab_builder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/data_file.h"
#include "trireme/input/subword.h"

enum { DEFAULT_PIECES = 8000, LEAST_PIECES = 260, N_SPECIALS = 3 };

static const char *const special_texts[N_SPECIALS] = {"<unk>", "<s>", "</s>"};

struct trm_vocab_builder {
  const trm_vocab_options *options;
  char unit[16];
  trm_unknown_rule unknown;
  trm_vocab taken;    /* when one is taken; n = 0: none */
  trm_names names;    /* what was counted */
  trm_buffer counts;  /* int64_t [names.n] */
  int32_t ascii[128]; /* char: id of a name + 1, 0: not seen */
  trm_buffer texts;   /* subword: all of them */
  trm_buffer ends;    /* int64_t, of each text */
  int64_t next;       /* text that training takes next */
};

/* ---- options -------------------------------------------------------------------------------- */

static trm_status read_file(const char *path, trm_buffer *to) {
  char piece[1 << 14];
  size_t n;
  trm_status status = TRM_OK;
  FILE *file = fopen(path, "rb");
  if (!file)
    return trm_fail(trm_status_of_errno(errno), "%s: cannot be opened: %s", path, strerror(errno));
  while (status == TRM_OK && (n = fread(piece, 1, sizeof piece, file)) > 0) {
    status = trm_buffer_append(to, piece, (int64_t)n);
  }
  if (status == TRM_OK && ferror(file)) {
    status = trm_fail(TRM_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
  }
  (void)fclose(file); /* read only */
  return status;
}

static trm_status take_model(trm_vocab_builder *b) {
  trm_buffer file = {0};
  const char *path = b->options->tokenizer;
  trm_status status = read_file(path, &file);
  if (status == TRM_OK) status = trm_vocab_of_model(file.data, file.n, path, &b->taken);
  trm_buffer_free(&file);
  return status;
}

static trm_status take_vocabulary(trm_vocab_builder *b) {
  const char *path = b->options->vocabulary;
  char kind[TRM_KIND_BYTES];
  trm_container *file = NULL;
  TRM_TRY(trm_container_open(path, &file));
  trm_status status = trm_dataset_kind_read(file, path, kind);
  if (status == TRM_OK) {
    status =
        trm_vocab_read(file, path, b->options->group ? b->options->group : "/vocab", &b->taken);
  }
  return trm_input_close(&file, status);
}

static trm_status check_options(const trm_vocab_options *o) {
  const bool subword = (o->unit && strcmp(o->unit, "subword") == 0) || (!o->unit && o->tokenizer);
  if (o->tokenizer && o->vocabulary) {
    return trm_fail(TRM_ERR_USAGE, "a tokenizer (%s) and a vocabulary (%s): give one of them",
                    o->tokenizer, o->vocabulary);
  }
  if (o->unit && !trm_vocab_unit_known(o->unit)) {
    return trm_fail(TRM_ERR_USAGE, "unit '%s', expected %s", o->unit, trm_vocab_units);
  }
  if (!o->unit && !o->tokenizer && !o->vocabulary) {
    return trm_fail(TRM_ERR_USAGE, "no unit was given: %s", trm_vocab_units);
  }
  if (o->tokenizer && !subword) {
    return trm_fail(TRM_ERR_USAGE, "%s: is a tokenizer of subwords, unit '%s' needs none",
                    o->tokenizer, o->unit);
  }
  if (o->subword && !trm_subword_known(o->subword)) {
    return trm_fail(TRM_ERR_USAGE, "subwords by '%s', expected 'bpe' or 'unigram'", o->subword);
  }
  if (o->min_count < 0 || o->size < 0) {
    return trm_fail(TRM_ERR_USAGE,
                    "least count %lld, size of the vocabulary %lld: neither may be "
                    "negative",
                    (long long)o->min_count, (long long)o->size);
  }
  if (subword && o->size > 0 && o->size < LEAST_PIECES) {
    return trm_fail(TRM_ERR_USAGE,
                    "a vocabulary of %lld subwords: expected %d at least, for 256 bytes and the "
                    "special tokens",
                    (long long)o->size, LEAST_PIECES);
  }
  return TRM_OK;
}

static trm_status create(trm_vocab_builder *b) {
  const trm_vocab_options *o = b->options;
  b->taken = TRM_VOCAB_NONE;
  TRM_TRY(trm_unknown_rule_of(o->unknown, &b->unknown));
  if (o->tokenizer) TRM_TRY(take_model(b));
  if (o->vocabulary) TRM_TRY(take_vocabulary(b));
  (void)snprintf(b->unit, sizeof b->unit, "%s", b->taken.n > 0 ? b->taken.unit : o->unit);
  if (!o->unit || strcmp(o->unit, b->unit) == 0) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "%s: its vocabulary has unit %s, unit %s is asked for; leave it away",
                  o->vocabulary, b->unit, o->unit);
}

trm_status trm_vocab_builder_create(const trm_vocab_options *options, trm_vocab_builder **out) {
  *out = NULL;
  trm_vocab_builder *b = NULL;
  TRM_TRY(check_options(options));
  TRM_TRY(TRM_ALLOC(&b, 1, "vocabulary"));
  b->options = options;
  const trm_status status = create(b);
  if (status != TRM_OK) {
    trm_vocab_builder_destroy(&b);
    return status;
  }
  *out = b;
  return TRM_OK;
}

void trm_vocab_builder_destroy(trm_vocab_builder **builder) {
  trm_vocab_builder *b = *builder;
  if (!b) return;
  trm_vocab_free(&b->taken);
  trm_names_free(&b->names);
  trm_buffer_free(&b->counts);
  trm_buffer_free(&b->texts);
  trm_buffer_free(&b->ends);
  TRM_FREE(*builder);
}

trm_unknown_rule trm_vocab_builder_unknown(const trm_vocab_builder *builder) {
  return builder->unknown;
}

const char *trm_vocab_builder_unit(const trm_vocab_builder *builder) {
  return builder->unit;
}

bool trm_vocab_builder_learns(const trm_vocab_builder *builder) {
  return builder->taken.n == 0 && strcmp(builder->unit, "byte") != 0;
}

/* ---- texts ---------------------------------------------------------------------------------- */

static int64_t *counts_of(const trm_vocab_builder *b) {
  return (int64_t *)(void *)b->counts.data;
}

static trm_status count(trm_vocab_builder *b, const char *text, int64_t bytes, int32_t *id) {
  const int64_t zero = 0;
  bool added;
  TRM_TRY(trm_names_add(&b->names, text, bytes, id, &added));
  if (added) TRM_TRY(trm_buffer_append(&b->counts, &zero, (int64_t)sizeof zero));
  ++counts_of(b)[*id];
  return TRM_OK;
}

static trm_status count_character(trm_vocab_builder *b, const char *text, int64_t bytes) {
  int32_t id;
  if (bytes > 1) return count(b, text, bytes, &id);
  int32_t *seen = &b->ascii[(unsigned char)*text];
  if (*seen > 0) {
    ++counts_of(b)[*seen - 1];
    return TRM_OK;
  }
  TRM_TRY(count(b, text, bytes, &id));
  *seen = id + 1;
  return TRM_OK;
}

static bool is_white(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static trm_status add_words(trm_vocab_builder *b, const char *text, int64_t bytes) {
  for (int64_t at = 0; at < bytes;) {
    int32_t id;
    const int64_t begin = at;
    while (at < bytes && !is_white(text[at])) ++at;
    if (at > begin) TRM_TRY(count(b, text + begin, at - begin, &id));
    while (at < bytes && is_white(text[at])) ++at;
  }
  return TRM_OK;
}

/* Characters of a text, counted when they are the unit. */
static trm_status add_characters(trm_vocab_builder *b, const char *text, int64_t bytes,
                                 bool counted) {
  for (int64_t at = 0; at < bytes;) {
    uint32_t cp;
    const int length = trm_utf8_decode(text + at, bytes - at, &cp);
    if (length <= 0) {
      return trm_fail(TRM_ERR_DATA, "invalid UTF-8 at byte %lld of the text (0x%02X)",
                      (long long)at, (unsigned char)text[at]);
    }
    if (counted) TRM_TRY(count_character(b, text + at, length));
    at += length;
  }
  return TRM_OK;
}

trm_status trm_vocab_builder_add(trm_vocab_builder *builder, const char *text, int64_t bytes) {
  trm_vocab_builder *b = builder;
  if (!trm_vocab_builder_learns(b)) return TRM_OK;
  const bool by_char = strcmp(b->unit, "char") == 0;
  TRM_TRY(add_characters(b, text, bytes, by_char));
  if (by_char) return TRM_OK;
  if (strcmp(b->unit, "subword") != 0) return add_words(b, text, bytes);
  if (bytes == 0) return TRM_OK;
  TRM_TRY(trm_buffer_append(&b->texts, text, bytes));
  return trm_buffer_append(&b->ends, &b->texts.n, (int64_t)sizeof b->texts.n);
}

/* ---- the vocabulary ------------------------------------------------------------------------- */

/* A token on its way. */
typedef struct entry {
  const char *text;
  int64_t bytes, count;
} entry;

static int by_bytes(const void *a, const void *b) {
  const entry *x = a, *y = b;
  const int64_t common = x->bytes < y->bytes ? x->bytes : y->bytes;
  const int order = memcmp(x->text, y->text, (size_t)common);
  if (order != 0) return order;
  return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static int by_count(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (x->count != y->count) return x->count < y->count ? 1 : -1;
  return by_bytes(a, b);
}

/* Special tokens, if any, then the entries. */
static trm_status fill(const trm_vocab_builder *b, const entry *entries, int64_t n,
                       trm_vocab *vocab) {
  const int64_t first = b->options->specials ? N_SPECIALS : 0;
  int64_t n_bytes = 0;
  for (int64_t i = 0; i < first; ++i) n_bytes += (int64_t)strlen(special_texts[i]);
  for (int64_t i = 0; i < n; ++i) n_bytes += entries[i].bytes;
  *vocab = TRM_VOCAB_NONE;
  TRM_TRY(TRM_ALLOC(&vocab->offsets, first + n + 1, "vocabulary"));
  TRM_TRY(TRM_ALLOC(&vocab->bytes, n_bytes, "vocabulary"));
  vocab->n = first + n;
  (void)snprintf(vocab->unit, sizeof vocab->unit, "%s", b->unit);
  for (int64_t i = 0; i < first + n; ++i) {
    const entry special = {.text = i < first ? special_texts[i] : NULL,
                           .bytes = i < first ? (int64_t)strlen(special_texts[i]) : 0};
    const entry *e = i < first ? &special : &entries[i - first];
    memcpy(vocab->bytes + vocab->offsets[i], e->text, (size_t)e->bytes);
    vocab->offsets[i + 1] = vocab->offsets[i] + e->bytes;
  }
  if (first == 0) return TRM_OK;
  vocab->unk = 0;
  vocab->bos = 1;
  vocab->eos = 2;
  return TRM_OK;
}

/* Words that are the name of a special token stay text that the vocabulary has not. */
static bool is_special(const trm_vocab_builder *b, const entry *e) {
  for (int i = 0; b->options->specials && i < N_SPECIALS; ++i) {
    if (strlen(special_texts[i]) == (size_t)e->bytes &&
        memcmp(special_texts[i], e->text, (size_t)e->bytes) == 0) {
      return true;
    }
  }
  return false;
}

static trm_status finish_counted(const trm_vocab_builder *b, trm_vocab *vocab) {
  const trm_vocab_options *o = b->options;
  const int64_t *offsets = trm_names_offsets(&b->names), *counts = counts_of(b);
  const bool word = strcmp(b->unit, "word") == 0;
  entry *entries = NULL;
  int64_t n = 0;
  TRM_TRY(TRM_ALLOC(&entries, b->names.n, "words"));
  for (int64_t i = 0; i < b->names.n; ++i) {
    const entry e = {b->names.bytes.data + offsets[i], offsets[i + 1] - offsets[i], counts[i]};
    if (e.count >= o->min_count && !is_special(b, &e)) entries[n++] = e;
  }
  if (n > 0) qsort(entries, (size_t)n, sizeof *entries, word ? by_count : by_bytes);
  const int64_t most = o->size - (o->specials ? N_SPECIALS : 0);
  if (word && o->size > 0 && n > most) n = most > 0 ? most : 0;
  const trm_status status =
      n > 0 ? fill(b, entries, n, vocab)
            : trm_fail(TRM_ERR_DATA,
                       "the vocabulary is empty: of %lld %ss in the texts none comes %lld times",
                       (long long)b->names.n, b->unit, (long long)o->min_count);
  TRM_FREE(entries);
  return status;
}

static trm_status finish_bytes(const trm_vocab_builder *b, trm_vocab *vocab) {
  char bytes[256];
  entry entries[256];
  for (int i = 0; i < 256; ++i) {
    bytes[i] = (char)i;
    entries[i] = (entry){.text = &bytes[i], .bytes = 1};
  }
  return fill(b, entries, 256, vocab);
}

static bool next_text(void *context, const char **text, int64_t *bytes) {
  trm_vocab_builder *b = context;
  const int64_t *ends = (const int64_t *)(const void *)b->ends.data;
  if (b->next == b->ends.n / (int64_t)sizeof *ends) return false;
  const int64_t begin = b->next > 0 ? ends[b->next - 1] : 0;
  *text = b->texts.data + begin;
  *bytes = ends[b->next++] - begin;
  return true;
}

static trm_status finish_subwords(trm_vocab_builder *b, trm_vocab *vocab) {
  const trm_vocab_options *o = b->options;
  const trm_subword_options train = {.algorithm = o->subword ? o->subword : "bpe",
                                     .size = o->size > 0 ? o->size : DEFAULT_PIECES,
                                     .sentences = o->specials};
  char *model;
  int64_t n_model;
  b->next = 0;
  if (b->ends.n == 0) return trm_fail(TRM_ERR_DATA, "training subwords: the texts are empty");
  TRM_TRY(trm_subword_train(&train, next_text, b, &model, &n_model));
  const trm_status status = trm_vocab_of_model(model, n_model, "subwords", vocab);
  TRM_FREE(model);
  return status;
}

trm_status trm_vocab_builder_finish(trm_vocab_builder *builder, trm_vocab *vocab) {
  trm_vocab made = TRM_VOCAB_NONE;
  trm_status status;
  if (builder->taken.n > 0) {
    status = trm_vocab_copy(&builder->taken, &made);
  } else if (strcmp(builder->unit, "byte") == 0) {
    status = finish_bytes(builder, &made);
  } else if (strcmp(builder->unit, "subword") == 0) {
    status = finish_subwords(builder, &made);
  } else {
    status = finish_counted(builder, &made);
  }
  if (status != TRM_OK) {
    trm_vocab_free(&made);
    return status;
  }
  *vocab = made;
  return TRM_OK;
}

void trm_vocab_options_tell(const trm_vocab_options *options, const trm_vocab *vocab,
                            const trm_unknown *unknown, trm_notes *notes, const char *label) {
  const char *from = options->vocabulary ? options->vocabulary : options->tokenizer;
  char what[TRM_UNKNOWN_TEXT_BYTES];
  if (unknown->n == 0 || (!unknown->skip && !from)) return;
  trm_unknown_say(unknown, vocab, what);
  if (unknown->skip) {
    trm_note(notes, "%s: left out: %s, which the vocabulary has not", label, what);
  } else {
    trm_note(notes,
             "%s: note: %s, which the vocabulary of %s has not: token %d, for what is unknown",
             label, what, from, vocab->unk);
  }
}
