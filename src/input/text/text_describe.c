/** What `trireme inspect` prints of a data set. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "describe_internal.h"
#include "kind_internal.h"
#include "text_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/tokenizer.h"

enum {
  SAMPLE_TOKENS = 240,
  SAMPLE_LINES = 6,
  LINE_BYTES = 76,
  SHOWN_BYTES = 320,
  PIECE_TOKENS = 1 << 16
};

static void describe_tokens(const trm_dataset *d, FILE *file) {
  char count[32];
  trm_format_count((long long)d->n_tokens, count);
  trm_describe_row(file, "tokens", "%14s  unit %s, stored as %s", count, d->vocab.unit,
                   trm_dtype_name(d->stored));
  for (int s = 0; s < TRM_N_TEXT_SUBSETS; ++s) {
    trm_format_count((long long)d->subset[s].n, count);
    trm_describe_row(file, trm_subset_name((trm_subset)s), "%14s  %5.1f %%, from token %" PRId64,
                     count, 100.0 * (double)d->subset[s].n / (double)d->n_tokens,
                     d->subset[s].begin);
  }
}

static trm_status count_unknown(trm_dataset *d, trm_token_range subset, int64_t *n) {
  int32_t *tokens = NULL;
  trm_status status = TRM_OK;
  *n = 0;
  TRM_TRY(TRM_ALLOC(&tokens, PIECE_TOKENS, "tokens of a text"));
  for (int64_t at = 0; at < subset.n; at += PIECE_TOKENS) {
    const int64_t here = trm_min_i64(subset.n - at, PIECE_TOKENS);
    TRM_TRY_OUT(trm_dataset_tokens_read(d, subset.begin + at, here, tokens));
    for (int64_t i = 0; i < here; ++i) *n += tokens[i] == d->vocab.unk;
  }
out:
  TRM_FREE(tokens);
  return status;
}

/* Tokens that stand for what is unknown, a part. */
static trm_status describe_unknown(trm_dataset *d, FILE *file) {
  for (int s = 0; s < TRM_N_TEXT_SUBSETS && d->vocab.unk >= 0; ++s) {
    int64_t n;
    char count[32];
    TRM_TRY(count_unknown(d, d->subset[s], &n));
    trm_format_count((long long)n, count);
    trm_describe_row(file, "unknown", "%14s  of %s, %.2f %%", count, trm_subset_name((trm_subset)s),
                     d->subset[s].n > 0 ? 100.0 * (double)n / (double)d->subset[s].n : 0.0);
  }
  return TRM_OK;
}

static void describe_specials(const trm_vocab *vocab, FILE *file) {
  const int32_t ids[] = {vocab->unk, vocab->bos, vocab->eos};
  static const char *const names[] = {"unknown", "begin", "end"};
  char text[128] = "";
  for (int i = 0; i < 3; ++i) {
    const size_t used = strlen(text);
    if (ids[i] < 0) continue;
    (void)snprintf(text + used, sizeof text - used, "%s%s %d", used ? ", " : "", names[i], ids[i]);
  }
  if (*text) trm_describe_row(file, "specials", "%s", text);
}

/* Subwords that are one byte ("<0x0A>"): all the same in every vocabulary. */
static bool is_byte_piece(const trm_vocab *vocab, int64_t token) {
  const int64_t begin = vocab->offsets[token], bytes = vocab->offsets[token + 1] - begin;
  return vocab->model && bytes == 6 && memcmp(vocab->bytes + begin, "<0x", 3) == 0;
}

/* The first texts, those of characters side by side. */
static void describe_texts(const trm_vocab *vocab, FILE *file) {
  char escaped[SHOWN_BYTES] = "", count[32];
  const bool joined = strcmp(vocab->unit, "char") != 0;
  size_t used = 0;
  bool cut = false;
  for (int64_t i = 0; i < vocab->n && !cut; ++i) {
    const int64_t bytes = vocab->offsets[i + 1] - vocab->offsets[i];
    char one[SHOWN_BYTES];
    if (trm_vocab_is_special(vocab, i) || is_byte_piece(vocab, i)) continue;
    cut = trm_text_escape(vocab->bytes + vocab->offsets[i], bytes, one, sizeof one) < bytes ||
          strlen(one) + 1 >= sizeof escaped - used;
    if (cut) break;
    used += (size_t)snprintf(escaped + used, sizeof escaped - used, "%s%s",
                             joined && used > 0 ? " " : "", one);
  }
  trm_format_count((long long)vocab->n, count);
  trm_describe_row(file, "vocabulary", "%14s  %s: \"%s\"%s", count,
                   trm_unit_word(vocab->unit, vocab->n != 1), escaped, cut ? " ..." : "");
}

static void describe_vocab(const trm_vocab *vocab, FILE *file) {
  char count[32];
  trm_format_count((long long)vocab->n, count);
  if (strcmp(vocab->unit, "byte") == 0) {
    trm_describe_row(file, "vocabulary", "%14s  bytes", count);
  } else {
    describe_texts(vocab, file);
  }
  describe_specials(vocab, file);
  if (!vocab->model) return;
  trm_format_count((long long)vocab->n_model, count);
  trm_describe_row(file, "model", "%14s  bytes of SentencePiece", count);
}

static void describe_debian(const trm_debian_counts *c, FILE *file) {
  if (!c->present) return;
  char count[32];
  trm_format_count((long long)c->n_packages, count);
  trm_describe_row(file, "packages", "%14s", count);
  trm_format_count((long long)c->n_sections, count);
  trm_describe_row(file, "sections", "%14s", count);
  for (int kind = 0; kind < TRM_N_RELATIONS; ++kind) {
    trm_format_count((long long)c->n_edges[kind], count);
    trm_describe_row(file, trm_relation_names[kind],
                     "%14s  edges; named but not there: %" PRId64 " virtual, %" PRId64 " unknown",
                     count, c->n_virtual[kind], c->n_unresolved[kind]);
  }
}

static void describe_lines(const char *text, int64_t n_bytes, FILE *file) {
  int lines = 0;
  for (int64_t at = 0; at < n_bytes && lines < SAMPLE_LINES; ++lines) {
    const char *end = memchr(text + at, '\n', (size_t)(n_bytes - at));
    const int64_t line = end ? end - (text + at) : n_bytes - at;
    char escaped[LINE_BYTES + 8];
    const int64_t shown = trm_text_escape(text + at, line, escaped, sizeof escaped);
    trm_describe_row(file, lines == 0 ? "sample" : "", "| %s", escaped);
    at += shown;
    if (shown == line && end) ++at;
  }
}

/* The first tokens of the training split as text, a few lines under each other. */
static trm_status describe_sample(trm_dataset *d, FILE *file) {
  const int64_t there = d->subset[TRM_SUBSET_TRAIN].n;
  const int64_t n = there < SAMPLE_TOKENS ? there : SAMPLE_TOKENS;
  int32_t tokens[SAMPLE_TOKENS];
  trm_tokenizer *tokenizer;
  char *text;
  int64_t n_bytes;
  TRM_TRY(trm_dataset_tokens_read(d, d->subset[TRM_SUBSET_TRAIN].begin, n, tokens));
  TRM_TRY(trm_tokenizer_create(&d->vocab, &tokenizer));
  const trm_status status = trm_tokenizer_decode(tokenizer, tokens, n, &text, &n_bytes);
  if (status == TRM_OK) describe_lines(text, n_bytes, file);
  TRM_FREE(text);
  trm_tokenizer_destroy(&tokenizer);
  return status;
}

static bool is_known(const void *context, const char *name) {
  (void)context;
  return strcmp(name, "/tokens") == 0 || strcmp(name, "/splits/train") == 0 ||
         strcmp(name, "/splits/valid") == 0 || trm_is_below(name, "/vocab") ||
         trm_is_below(name, "/debian");
}

trm_status trm_dataset_describe(trm_dataset *dataset, FILE *file) {
  trm_describe_head(file, dataset->path, "text", dataset->source, dataset->created_by);
  describe_tokens(dataset, file);
  TRM_TRY(describe_unknown(dataset, file));
  describe_vocab(&dataset->vocab, file);
  TRM_TRY(trm_unread_describe(dataset->path, is_known, NULL, file));
  trm_describe_row(file, "digest", "%016" PRIx64, dataset->digest);
  describe_debian(&dataset->debian, file);
  TRM_TRY(describe_sample(dataset, file));
  if (fflush(file) != 0 || ferror(file)) {
    return trm_fail(TRM_ERR_IO, "%s: its description could not be written", dataset->path);
  }
  return TRM_OK;
}

static trm_status describe_path(const char *path, FILE *file) {
  trm_dataset *dataset = NULL;
  TRM_TRY(trm_dataset_open(path, &dataset));
  const trm_status status = trm_dataset_describe(dataset, file);
  trm_dataset_close(&dataset);
  return status;
}

const trm_data_kind trm_data_kind_text = {.name = "text", .describe = describe_path};
