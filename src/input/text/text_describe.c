/** What `trireme inspect` prints of a data set. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kind_internal.h"
#include "text_internal.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { SAMPLE_TOKENS = 240, SAMPLE_LINES = 6, LINE_BYTES = 76, SHOWN_BYTES = 320 };

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

static void describe_vocab(const trm_vocab *vocab, FILE *file) {
  char escaped[SHOWN_BYTES], count[32];
  trm_format_count((long long)vocab->n, count);
  if (strcmp(vocab->unit, "byte") == 0) {
    trm_describe_row(file, "vocabulary", "%14s  bytes", count);
    return;
  }
  const int64_t n_bytes = vocab->offsets[vocab->n];
  const bool cut = trm_text_escape(vocab->bytes, n_bytes, escaped, sizeof escaped) < n_bytes;
  trm_describe_row(file, "vocabulary", "%14s  characters: \"%s\"%s", count, escaped,
                   cut ? " ..." : "");
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

/* The first tokens of the training split as text, a few lines under each other. */
static trm_status describe_sample(trm_dataset *d, FILE *file) {
  const int64_t there = d->subset[TRM_SUBSET_TRAIN].n;
  const int64_t n = there < SAMPLE_TOKENS ? there : SAMPLE_TOKENS;
  int32_t tokens[SAMPLE_TOKENS];
  char text[SAMPLE_TOKENS * 4]; /* a token has 4 bytes at most */
  TRM_TRY(trm_dataset_tokens_read(d, d->subset[TRM_SUBSET_TRAIN].begin, n, tokens));
  int64_t n_bytes = 0;
  for (int64_t i = 0; i < n; ++i) {
    int bytes;
    const char *token = trm_dataset_token_text(d, tokens[i], &bytes);
    memcpy(text + n_bytes, token, (size_t)bytes);
    n_bytes += bytes;
  }
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
  return TRM_OK;
}

trm_status trm_dataset_describe(trm_dataset *dataset, FILE *file) {
  trm_describe_head(file, dataset->path, "text", dataset->source, dataset->created_by);
  describe_tokens(dataset, file);
  describe_vocab(&dataset->vocab, file);
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
