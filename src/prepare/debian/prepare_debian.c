/**
 * `trireme prepare debian`: the package index as text, the structured parts beside it.
 * Packages keep the order of the index, so package i's text is tokens [text[i], text[i + 1]).
 */
#include <stdio.h>
#include <string.h>

#include "charset.h"
#include "debian_internal.h"
#include "token_output.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { PIECE = 1 << 16 };

typedef struct job {
  const trm_prepare_options *options;
  trm_debian_index index;
  trm_charset set;
  int64_t *starts; /* [packages + 1] in tokens */
  int64_t n_tokens, n_train;
  trm_token_output output;
} job;

/* Characters of the text, and where packages start counted in them. */
static trm_status count_characters(job *j) {
  const int64_t *offsets = (const int64_t *)(const void *)j->index.text_offsets.data;
  TRM_TRY(trm_charset_create(&j->set));
  for (int64_t p = 0; p < j->index.packages.n; ++p) {
    const int64_t bytes = offsets[p + 1] - offsets[p];
    const int64_t taken =
        trm_charset_scan(&j->set, j->index.text.data + offsets[p], bytes, &j->n_tokens);
    TRM_ASSERT(taken == bytes); /* the text was made UTF-8 when it was collected */
    j->starts[p + 1] = j->n_tokens;
  }
  return trm_charset_close(&j->set, "package index");
}

static trm_status write_tokens(job *j, bool by_byte) {
  int32_t *tokens = NULL;
  TRM_TRY(TRM_ALLOC(&tokens, PIECE, "tokens of a piece"));
  const char *text = j->index.text.data;
  trm_status status = TRM_OK;
  int64_t n = 0;
  for (int64_t at = 0; at < j->index.text.n;) {
    uint32_t cp = (unsigned char)text[at];
    at += by_byte ? 1 : trm_utf8_decode(text + at, j->index.text.n - at, &cp);
    tokens[n++] = (int32_t)(by_byte ? cp : j->set.token[cp] - 1u);
    if (n < PIECE && at < j->index.text.n) continue;
    TRM_TRY_OUT(trm_token_output_put(&j->output, tokens, n));
    n = 0;
    trm_prepare_progress(j->options, 0.5 + 0.5 * (double)at / (double)j->index.text.n,
                         "writing tokens");
  }
out:
  TRM_FREE(tokens);
  return status;
}

static trm_status write_structure(job *j) {
  const trm_debian_index *index = &j->index;
  trm_container *file = j->output.data.file;
  const int64_t n = index->packages.n, n_starts = n + 1;
  TRM_TRY(trm_output_names(file, "/debian/packages", n, trm_names_offsets(&index->packages),
                           index->packages.bytes.data));
  TRM_TRY(trm_output_names(file, "/debian/sections", index->sections.n,
                           trm_names_offsets(&index->sections), index->sections.bytes.data));
  TRM_TRY(trm_array_write(file, "/debian/section", TRM_DTYPE_I32, 1, &n, index->section.data));
  TRM_TRY(trm_array_write(file, "/debian/text", TRM_DTYPE_I64, 1, &n_starts, j->starts));
  return trm_debian_write_relations(index, file);
}

/* The split moves down to the start of a package: no package is in both parts. */
static trm_status split_between_packages(job *j) {
  TRM_TRY(
      trm_token_output_split(j->n_tokens, j->options->valid_share, "package index", &j->n_train));
  int64_t p = j->index.packages.n;
  while (p > 0 && j->starts[p] > j->n_train) --p;
  if (p > 0) j->n_train = j->starts[p];
  return TRM_OK;
}

static trm_status prepare(job *j, const char *index_file, trm_prepare_summary *summary) {
  const bool by_byte = strcmp(j->options->vocab.unit, "byte") == 0;
  TRM_TRY(trm_debian_read(&j->index, index_file, j->options));
  TRM_TRY(TRM_ALLOC(&j->starts, j->index.packages.n + 1, "package starts"));
  if (by_byte) {
    memcpy(j->starts, j->index.text_offsets.data, (size_t)j->index.text_offsets.n);
    j->n_tokens = j->index.text.n;
  } else {
    TRM_TRY(count_characters(j));
  }
  TRM_TRY(split_between_packages(j));
  trm_vocab vocab;
  TRM_TRY(trm_vocab_make(by_byte ? NULL : &j->set, &vocab));
  const int64_t n_vocab = vocab.n;
  const char *source = index_file ? index_file : "apt-cache dumpavail";
  const trm_status begun =
      trm_token_output_begin(&j->output, j->options->output, &vocab, j->n_tokens, source);
  trm_vocab_free(&vocab);
  TRM_TRY(begun);
  TRM_TRY(write_tokens(j, by_byte));
  TRM_TRY(write_structure(j));
  TRM_TRY(trm_token_output_finish(&j->output, j->n_train));
  TRM_TRY(trm_token_output_publish(&j->output));
  *summary = (trm_prepare_summary){.n_files = 1,
                                   .n_bytes = j->index.n_bytes,
                                   .n_tokens = j->n_tokens,
                                   .n_train = j->n_train,
                                   .n_valid = j->n_tokens - j->n_train,
                                   .vocab = n_vocab,
                                   .n_packages = j->index.packages.n};
  return TRM_OK;
}

static trm_status check_unit(const char *unit) {
  if (unit && (strcmp(unit, "byte") == 0 || strcmp(unit, "char") == 0)) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "unit '%s' of a package index, expected 'byte' or 'char'",
                  unit ? unit : "");
}

trm_status trm_prepare_debian(const char *index, const trm_prepare_options *options,
                              trm_prepare_summary *summary) {
  job j = {.options = options};
  TRM_TRY(check_unit(options->vocab.unit));
  TRM_TRY(trm_token_output_check(options, &index, index ? 1 : 0));
  const trm_status status = prepare(&j, index, summary);
  trm_token_output_abandon(&j.output);
  trm_charset_free(&j.set);
  trm_debian_free(&j.index);
  TRM_FREE(j.starts);
  return status;
}
