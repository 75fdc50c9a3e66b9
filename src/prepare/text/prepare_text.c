/**
 * `trireme prepare text`: files, one after another, into one token array.
 *
 * Files are streamed in pieces, up to three times: the vocabulary is learned, tokens are counted, tokens
 * are written. Unit byte needs the last pass alone, unit char counts while it learns. A file that
 * changes in between is found out by its length, or by a character that was not there.
 *
 * Words, symbols and subwords are encoded segment by segment: a line with its end, or of a longer line
 * as much as a segment takes, up to white space. A segment is in the part in which it begins.
 */
#include <stdio.h>
#include <string.h>

#include "text_files.h"
#include "token_output.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/tokenizer.h"

enum { SEGMENT_BYTES = 1 << 16, LEARN = 0, COUNT = 1, WRITE = 2, N_PASSES = 3 };

enum { TRAIN = 0, VALID = 1, N_PARTS = 2 };

typedef struct job {
  const trm_prepare_options *options;
  trm_vocab_options vocab_options;
  trm_text_files parts[N_PARTS]; /* valid: n = 0 when it is a share of train */
  int64_t cut;                   /* bytes of the training text, when validation is a share */
  bool by_segment;
  trm_vocab_builder *builder;
  trm_vocab vocab;
  trm_tokenizer *tokenizer;
  trm_token_output output;
  int pass, part;                /* under way */
  bool passes[N_PASSES];         /* that are needed */
  int64_t n_characters[N_PARTS]; /* of each part's text */
  int64_t n_tokens[N_PARTS];     /* counted; of validation as a share all are in train at first */
  int64_t n_unknown[N_PARTS];    /* written; as n_tokens */
  trm_unknown unknown;           /* of a pass: what the vocabulary lacks */
  char unknown_from[320];        /* where it first came: "new.txt, from byte 17 on" */
  trm_unknown_rule rule;
} job;

/* ---- passes --------------------------------------------------------------------------------- */

static int64_t count_characters(const char *text, int64_t bytes) {
  int64_t n = 0;
  for (int64_t i = 0; i < bytes; ++i) n += ((unsigned char)text[i] & 0xC0u) != 0x80u;
  return n;
}

/* What is wrong with a text, and where it is. */
static trm_status name_place(const trm_text_place *place, int64_t at, trm_status status) {
  char what[TRM_MESSAGE_BYTES];
  if (status != TRM_ERR_DATA) return status;
  (void)snprintf(what, sizeof what, "%s", trm_message());
  return trm_fail(TRM_ERR_DATA, "%s, from byte %lld on: %.400s", place->file,
                  (long long)(place->in_file + at), what);
}

/* Notes where what the vocabulary lacks came first. One that was learned and has no token for it lacks
 * nothing, unless a file has changed. */
static trm_status note_unknown(job *j, const trm_text_place *place, int64_t at) {
  if (j->unknown.n == 0) return TRM_OK;
  if (trm_vocab_builder_learns(j->builder) && j->vocab.unk < 0) {
    return trm_fail(TRM_ERR_DATA, "%s: changed while it was read; run prepare again", place->file);
  }
  if (j->unknown_from[0]) return TRM_OK;
  (void)snprintf(j->unknown_from, sizeof j->unknown_from, "%.256s, from byte %lld on", place->file,
                 (long long)(place->in_file + at + j->unknown.at));
  return TRM_OK;
}

/* Of tokens that will be written next, those that stand for what is unknown. */
static void count_unknown(job *j, const int32_t *tokens, int64_t n) {
  const int64_t first = j->output.n_written + j->output.n_pending;
  for (int64_t i = 0; i < n; ++i) {
    if (tokens[i] != j->vocab.unk) continue;
    ++j->n_unknown[first + i < j->n_tokens[TRAIN] ? TRAIN : VALID];
  }
}

/* One text whose tokens are those of the whole: a segment, or a piece of bytes or characters. */
static trm_status take_text(job *j, const trm_text_place *place, const char *text, int64_t at,
                            int64_t bytes) {
  const int part =
      j->part == TRAIN && j->by_segment && place->in_all + at >= j->cut ? VALID : j->part;
  if (j->pass == LEARN) {
    j->n_tokens[part] += j->passes[COUNT] ? 0 : count_characters(text + at, bytes);
    if (part == VALID && j->by_segment) return TRM_OK;
    return trm_vocab_builder_add(j->builder, text + at, bytes);
  }
  int32_t *tokens;
  int64_t n;
  trm_status status =
      trm_tokenizer_encode(j->tokenizer, text + at, bytes, &tokens, &n, &j->unknown);
  if (status != TRM_OK) return name_place(place, at, status);
  status = note_unknown(j, place, at);
  if (j->pass == COUNT) {
    j->n_tokens[part] += n;
    j->n_characters[part] += count_characters(text + at, bytes);
  } else if (status == TRM_OK) {
    count_unknown(j, tokens, n);
    status = trm_token_output_put(&j->output, tokens, n);
  }
  TRM_FREE(tokens);
  return status;
}

/* Length of the segment at the head of the text; 0: the rest of it is in the next piece. */
static int64_t segment_length(const char *text, int64_t bytes, bool at_end) {
  const int64_t most = bytes < SEGMENT_BYTES ? bytes : SEGMENT_BYTES;
  const char *line = memchr(text, '\n', (size_t)most);
  if (line) return line + 1 - text;
  if (bytes <= SEGMENT_BYTES) return at_end ? bytes : 0;
  for (int64_t n = most; n > 0; --n) {
    if (text[n - 1] == ' ' || text[n - 1] == '\t') return n;
  }
  int64_t n = most;
  while (((unsigned char)text[n] & 0xC0u) == 0x80u) --n; /* not inside a character */
  return n;
}

static void tell_progress(const job *j, int64_t done) {
  static const char *const what[N_PASSES] = {"collecting the vocabulary", "counting tokens",
                                             "writing tokens"};
  const int64_t all = j->parts[TRAIN].n_bytes + j->parts[VALID].n_bytes;
  int n = 0, before = 0;
  for (int pass = 0; pass < N_PASSES; ++pass) {
    n += j->passes[pass];
    before += j->passes[pass] && pass < j->pass;
  }
  if (j->part == VALID) done += j->parts[TRAIN].n_bytes;
  const double share = all > 0 ? (double)done / (double)all : 1;
  trm_prepare_progress(j->options, (before + (share < 1 ? share : 1)) / n, what[j->pass]);
}

static trm_status take(void *context, const trm_text_place *place, const char *text, int64_t bytes,
                       int64_t *taken) {
  job *j = context;
  if (!j->by_segment) {
    TRM_TRY(take_text(j, place, text, 0, bytes));
    *taken = bytes;
  } else {
    for (*taken = 0; *taken < bytes;) {
      const int64_t n = segment_length(text + *taken, bytes - *taken, place->at_end);
      if (n == 0) break;
      TRM_TRY(take_text(j, place, text, *taken, n));
      *taken += n;
    }
  }
  tell_progress(j, place->in_all + *taken);
  return TRM_OK;
}

static trm_status run_pass(job *j, int pass) {
  j->pass = pass;
  if (!j->passes[pass]) return TRM_OK;
  for (j->part = TRAIN; j->part < N_PARTS; ++j->part) {
    const bool learned = pass != LEARN || j->part == TRAIN || !j->by_segment;
    if (j->parts[j->part].n == 0 || !learned) continue;
    TRM_TRY(trm_text_files_read(&j->parts[j->part], take, j));
  }
  return TRM_OK;
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Which passes there are; and of units that need no counting how many tokens. */
static void plan_passes(job *j, const char *unit) {
  const bool by_byte = strcmp(unit, "byte") == 0, by_char = strcmp(unit, "char") == 0;
  const bool taken = j->vocab_options.vocabulary != NULL;
  j->by_segment = !by_byte && !by_char;
  j->passes[LEARN] = trm_vocab_builder_learns(j->builder);
  j->passes[COUNT] = j->by_segment || taken || (by_char && j->rule != TRM_UNKNOWN_USUAL);
  j->passes[WRITE] = true;
  for (int part = 0; part < N_PARTS; ++part) {
    j->parts[part].any_bytes = by_byte;
    if (by_byte && !j->passes[COUNT]) j->n_tokens[part] = j->parts[part].n_bytes;
  }
  /* A share of the bytes, up to the start of a line. */
  j->cut = j->parts[VALID].n > 0
               ? INT64_MAX
               : (int64_t)((1.0 - j->options->valid_share) * (double)j->parts[TRAIN].n_bytes);
}

/* Tokens of train and of valid, which may be a share of the tokens of train. */
static trm_status split(job *j, const char *source) {
  if (j->parts[VALID].n > 0) {
    return trm_token_output_check_splits(j->n_tokens[TRAIN], j->n_tokens[VALID], source,
                                         "give more text");
  }
  if (j->by_segment) {
    return trm_token_output_check_splits(
        j->n_tokens[TRAIN], j->n_tokens[VALID], source,
        "the share for validation begins at a line; give text of more lines, or a file (--valid)");
  }
  const int64_t n = j->n_tokens[TRAIN];
  TRM_TRY(trm_token_output_split(n, j->options->valid_share, source, &j->n_tokens[TRAIN]));
  j->n_tokens[VALID] = n - j->n_tokens[TRAIN];
  return TRM_OK;
}

/* Characters of the splits, so that losses of tokens can be told a character. */
static trm_status write_characters(job *j) {
  static const char *const splits[N_PARTS] = {"/splits/train", "/splits/valid"};
  if (!j->by_segment) return TRM_OK;
  for (int part = 0; part < N_PARTS; ++part) {
    TRM_TRY(
        trm_attr_write_int(j->output.data.file, splits[part], "characters", j->n_characters[part]));
  }
  return TRM_OK;
}

static trm_status write_all(job *j, const char *source) {
  const int64_t n_tokens = j->n_tokens[TRAIN] + j->n_tokens[VALID];
  TRM_TRY(trm_token_output_begin(&j->output, j->options->output, &j->vocab, n_tokens, source));
  TRM_TRY(run_pass(j, WRITE));
  TRM_TRY(trm_token_output_finish(&j->output, j->n_tokens[TRAIN]));
  TRM_TRY(write_characters(j));
  return trm_token_output_publish(&j->output);
}

/* What files had besides text. */
static void tell_files(const job *j) {
  for (int part = 0; part < N_PARTS; ++part) {
    const trm_text_files *f = &j->parts[part];
    if (f->n == 0) continue;
    if (f->n_marks > 0) {
      trm_note(j->options->notes,
               f->any_bytes ? "%s: note: %lld byte order mark%s, which unit byte keeps as bytes"
                            : "%s: left out: %lld byte order mark%s",
               f->files[0], (long long)f->n_marks, f->n_marks == 1 ? "" : "s");
    }
    if (f->records) {
      trm_note(
          j->options->notes,
          "%s: note: is JSON, a record a line, names and quotes are taken too; of texts alone: "
          "jq -r .text x > x.txt",
          f->records);
    }
    if (f->not_text) {
      trm_note(j->options->notes, "%s: note: is no text by its first bytes; all of it is taken",
               f->not_text);
    }
  }
}

static trm_status prepare(job *j, trm_prepare_summary *summary) {
  char source[TRM_TEXT_SOURCE_BYTES];
  trm_text_files_name(&j->parts[TRAIN], source);
  TRM_TRY(trm_vocab_builder_create(&j->vocab_options, &j->builder));
  j->rule = trm_vocab_builder_unknown(j->builder);
  j->unknown.skip = j->rule == TRM_UNKNOWN_SKIP;
  plan_passes(j, trm_vocab_builder_unit(j->builder));
  TRM_TRY(run_pass(j, LEARN));
  TRM_TRY(trm_vocab_builder_finish(j->builder, &j->vocab));
  TRM_TRY(trm_tokenizer_create(&j->vocab, &j->tokenizer));
  TRM_TRY(run_pass(j, COUNT));
  TRM_TRY(trm_unknown_judge(&j->unknown, j->rule, &j->vocab, j->unknown_from));
  trm_vocab_options_tell(&j->vocab_options, &j->vocab, &j->unknown, j->options->notes, source);
  TRM_TRY(split(j, source));
  TRM_TRY(write_all(j, source));
  tell_files(j);
  *summary = (trm_prepare_summary){
      .n_files = j->parts[TRAIN].n + j->parts[VALID].n,
      .n_bytes = j->parts[TRAIN].n_bytes + j->parts[VALID].n_bytes,
      .n_tokens = j->n_tokens[TRAIN] + j->n_tokens[VALID],
      .n_train = j->n_tokens[TRAIN],
      .n_valid = j->n_tokens[VALID],
      .vocab = j->vocab.n,
      .unknown = {j->n_unknown[TRAIN], j->n_unknown[VALID]},
  };
  return TRM_OK;
}

/* Special tokens where there can be unknown ones. */
static trm_vocab_options text_vocab(const trm_vocab_options *options) {
  trm_vocab_options o = *options;
  const char *unit = o.unit ? o.unit : "";
  o.specials = strcmp(unit, "word") == 0 || strcmp(unit, "symbol") == 0 ||
               (strcmp(unit, "char") == 0 &&
                (o.min_count > 1 || (o.unknown && strcmp(o.unknown, "token") == 0)));
  return o;
}

trm_status trm_prepare_text(const char *const *files, int n_files,
                            const trm_prepare_options *options, trm_prepare_summary *summary) {
  job j = {.options = options,
           .vocab_options = text_vocab(&options->vocab),
           .parts = {{.files = files, .n = n_files},
                     {.files = options->valid_files, .n = options->n_valid_files}},
           .vocab = TRM_VOCAB_NONE};
  TRM_TRY(trm_token_output_check(options, files, n_files));
  TRM_TRY(trm_output_check_place(options->output, options->valid_files, options->n_valid_files));
  TRM_TRY(trm_text_files_check(&j.parts[TRAIN]));
  if (j.parts[VALID].n > 0) TRM_TRY(trm_text_files_check(&j.parts[VALID]));
  const trm_status status = prepare(&j, summary);
  trm_token_output_abandon(&j.output);
  trm_tokenizer_destroy(&j.tokenizer);
  trm_vocab_free(&j.vocab);
  trm_vocab_builder_destroy(&j.builder);
  return status;
}
