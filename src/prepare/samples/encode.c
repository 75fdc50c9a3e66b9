/** Vocabularies and tokens of a corpus. */
#include <inttypes.h>
#include <string.h>

#include "corpus_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/input/data_file.h"
#include "trireme/input/tokenizer.h"

enum { TELL_EVERY = 1024 };

static void tell(const trm_corpus *c, int64_t i, const char *what) {
  const trm_prepare_samples_options *o = c->options;
  if (o->progress && i % TELL_EVERY == 0) o->progress(o->context, (double)i / (double)c->n, what);
}

/* ---- vocabularies ----------------------------------------------------------------------------- */

static trm_status add_texts(const trm_corpus *c, const trm_parts *parts, const trm_text_list *texts,
                            trm_vocab_builder *builder) {
  for (int64_t i = 0; i < c->n; ++i) {
    int64_t bytes;
    const char *text = trm_text_list_get(texts, i, &bytes);
    if (parts->n_splits == 1 && parts->part[i] != TRM_SUBSET_TRAIN) continue;
    tell(c, i, "collecting tokens");
    TRM_TRY(trm_vocab_builder_add(builder, text, bytes));
  }
  return TRM_OK;
}

/* Where the vocabulary of one side is in another data set that it is taken from. */
static trm_status find_group(const char *path, bool targets, const char **group) {
  char kind[TRM_KIND_BYTES];
  trm_container *file = NULL;
  TRM_TRY(trm_container_open(path, &file));
  const trm_status status = trm_dataset_kind_read(file, path, kind);
  if (status == TRM_OK && strcmp(kind, "samples") == 0) {
    const bool own = targets && trm_container_has(file, "/target/vocab");
    *group = own ? "/target/vocab" : "/input/vocab";
  }
  return trm_input_close(&file, status);
}

/* Of pairs: the source of one ends with a token, the target begins with one too. */
static trm_status check_ends(const trm_vocab_options *o, const trm_vocab *vocab, bool targets) {
  if (vocab->eos >= 0 && (vocab->bos >= 0 || !targets)) return TRM_OK;
  return trm_fail(
      TRM_ERR_DATA,
      "%s: its vocabulary has no %s of a sequence, which %s need; take one that has, or learn one",
      o->tokenizer ? o->tokenizer : o->vocabulary,
      targets ? "tokens for the begin and the end" : "token for the end",
      targets ? "targets" : "sources");
}

/* A vocabulary of one list of texts, or of two; `second` may be NULL. */
static trm_status make_vocab(const trm_corpus *c, const trm_parts *parts,
                             const trm_vocab_options *options, const trm_text_list *first,
                             const trm_text_list *second, trm_vocab *vocab) {
  const bool targets = second || first == &c->targets;
  trm_vocab_options o = *options;
  trm_vocab_builder *builder = NULL;
  trm_status status = TRM_OK;
  o.specials = true;
  if (o.vocabulary && !o.group) TRM_TRY(find_group(o.vocabulary, first == &c->targets, &o.group));
  TRM_TRY(trm_vocab_builder_create(&o, &builder));
  if (trm_vocab_builder_learns(builder)) {
    c->counts->vocab_of_all |= parts->n_splits > 1;
    TRM_TRY_OUT(add_texts(c, parts, first, builder));
    if (second) TRM_TRY_OUT(add_texts(c, parts, second, builder));
  }
  TRM_TRY_OUT(trm_vocab_builder_finish(builder, vocab));
  if (c->target == TRM_TARGET_TOKENS) TRM_TRY_OUT(check_ends(&o, vocab, targets));
out:
  trm_vocab_builder_destroy(&builder);
  return status;
}

/* One vocabulary cannot be taken from a data set that has two. */
static trm_status check_shared(const trm_vocab_options *o) {
  const char *group = NULL;
  if (!o->vocabulary || o->group) return TRM_OK;
  TRM_TRY(find_group(o->vocabulary, true, &group));
  if (!group || strcmp(group, "/target/vocab") != 0) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "%s: has a vocabulary of sources and one of targets; give --vocab separate to "
                  "take both",
                  o->vocabulary);
}

static trm_status make_vocabs(const trm_corpus *c, const trm_parts *parts, trm_encoded *e) {
  const bool pairs = c->target == TRM_TARGET_TOKENS;
  if (pairs && c->shared_vocab) TRM_TRY(check_shared(&c->options->vocab));
  TRM_TRY(make_vocab(c, parts, &c->options->vocab, &c->sources,
                     pairs && c->shared_vocab ? &c->targets : NULL, &e->input_vocab));
  if (!pairs || c->shared_vocab) return TRM_OK;
  return make_vocab(c, parts, &c->options->target_vocab, &c->targets, NULL, &e->target_vocab);
}

/* ---- tokens ----------------------------------------------------------------------------------- */

static trm_status rows_add(trm_token_rows *rows, const int32_t *tokens, int64_t n) {
  TRM_TRY(TRM_GROW(&rows->offsets, rows->n + 1, &rows->offsets_capacity, "tokens"));
  const int64_t at = rows->offsets[rows->n];
  TRM_TRY(TRM_GROW(&rows->values, at + n, &rows->values_capacity, "tokens"));
  if (n > 0) memcpy(rows->values + at, tokens, (size_t)n * sizeof *tokens);
  rows->offsets[++rows->n] = at + n;
  return TRM_OK;
}

/* One side of all samples. */
typedef struct encoder {
  const char *what;
  const trm_text_list *texts;
  const trm_vocab_options *options; /* of the vocabulary */
  trm_unknown_rule rule;            /* theirs */
  trm_tokenizer *tokenizer;
  trm_unknown unknown;
  int64_t first_unknown; /* sample */
} encoder;

/* One side of one sample. */
typedef struct side {
  const char *what;
  int32_t *tokens;
  int64_t n, n_unknown;
} side;

/* A side without tokens: white space alone, or all of it unknown and left out. */
static trm_status treat_empty(const trm_corpus *c, int64_t i, const side *s, trm_encoded *e) {
  if (s->n_unknown == 0) {
    return trm_corpus_fail(c, i, "the %s has text, but no tokens; take another unit", s->what);
  }
  if (!c->options->drop_empty) {
    return trm_corpus_fail(c, i,
                           "nothing of the %s is in the vocabulary; leave such samples out by "
                           "--empty drop",
                           s->what);
  }
  c->counts->empty += e->kept[i];
  e->kept[i] = 0;
  return TRM_OK;
}

static trm_status encode_side(const trm_corpus *c, int64_t i, encoder *r, trm_encoded *e, side *s) {
  int64_t bytes;
  const char *text = trm_text_list_get(r->texts, i, &bytes);
  const int64_t before = r->unknown.n;
  s->what = r->what;
  const trm_status status =
      trm_tokenizer_encode(r->tokenizer, text, bytes, &s->tokens, &s->n, &r->unknown);
  s->n_unknown = r->unknown.n - before;
  if (before == 0) r->first_unknown = i;
  if (status == TRM_ERR_DATA) {
    char message[TRM_MESSAGE_BYTES / 2];
    (void)snprintf(message, sizeof message, "%.*s", (int)sizeof message - 1, trm_message());
    return trm_corpus_fail(c, i, "the %s: %s", s->what, message);
  }
  TRM_TRY(status);
  return s->n > 0 ? TRM_OK : treat_empty(c, i, s, e);
}

static trm_status refuse(const trm_corpus *c, int64_t i, const side *s) {
  return trm_corpus_fail(
      c, i,
      "the %s has %lld tokens, --longest is %lld; give --over cut, drop or keep, or a "
      "larger --longest",
      s->what, (long long)s->n, (long long)c->options->longest);
}

/* What the options say about a sample one of whose sides is too long. */
static trm_status treat_long(const trm_corpus *c, int64_t i, side *input, side *target,
                             trm_encoded *e) {
  const int64_t longest = c->options->longest;
  if (longest == 0 || (input->n <= longest && target->n <= longest)) return TRM_OK;
  ++c->counts->over_long;
  switch (c->options->over) {
  case TRM_OVER_REFUSE:
    return refuse(c, i, input->n > longest ? input : target);
  case TRM_OVER_CUT:
    e->lossless = e->lossless && target->n <= longest;
    input->n = trm_min_i64(input->n, longest);
    target->n = trm_min_i64(target->n, longest);
    return TRM_OK;
  case TRM_OVER_DROP:
    e->kept[i] = 0;
    return TRM_OK;
  default:
    return TRM_OK;
  }
}

/* `targets` may be NULL. */
static trm_status encode_sample(const trm_corpus *c, int64_t i, encoder *inputs, encoder *targets,
                                trm_encoded *e) {
  side input = {0}, target = {0};
  trm_status status = TRM_OK;
  e->kept[i] = 1;
  TRM_TRY_OUT(encode_side(c, i, inputs, e, &input));
  if (targets) TRM_TRY_OUT(encode_side(c, i, targets, e, &target));
  if (e->kept[i]) TRM_TRY_OUT(treat_long(c, i, &input, &target, e));
  if (!e->kept[i]) goto out;
  e->lossless = e->lossless && target.n_unknown == 0;
  TRM_TRY_OUT(rows_add(&e->inputs, input.tokens, input.n));
  if (targets) TRM_TRY_OUT(rows_add(&e->targets, target.tokens, target.n));
out:
  TRM_FREE(input.tokens);
  TRM_FREE(target.tokens);
  return status;
}

/* Whether the tokens of a unit give a text back as it was, but for white space between symbols. */
static bool is_lossless(const trm_vocab *vocab) {
  return strcmp(vocab->unit, "byte") == 0 || strcmp(vocab->unit, "char") == 0 ||
         strcmp(vocab->unit, "symbol") == 0;
}

static trm_status encoder_create(const trm_vocab *vocab, encoder *r) {
  TRM_TRY(trm_unknown_rule_of(r->options->unknown, &r->rule));
  r->unknown.skip = r->rule == TRM_UNKNOWN_SKIP;
  return trm_tokenizer_create(vocab, &r->tokenizer);
}

/* Refuses or tells what the vocabulary lacked, once for all samples. */
static trm_status judge_unknown(const trm_corpus *c, const encoder *r) {
  char where[TRM_MESSAGE_BYTES / 2];
  const trm_vocab *vocab = trm_tokenizer_vocab(r->tokenizer);
  const trm_origin *o = &c->origins[r->first_unknown];
  (void)snprintf(where, sizeof where,
                 o->line > 0 ? "%.320s:%" PRId64 ": first of the %ss" : "%.320s", o->path, o->line,
                 r->what);
  TRM_TRY(trm_unknown_judge(&r->unknown, r->rule, vocab, where));
  (void)snprintf(where, sizeof where, "%.320s: %ss", c->inputs.source, r->what);
  trm_vocab_options_tell(r->options, vocab, &r->unknown, c->options->notes, where);
  return TRM_OK;
}

trm_status trm_corpus_encode(trm_corpus *corpus, const trm_parts *parts, trm_encoded *encoded) {
  const trm_corpus *c = corpus;
  const trm_prepare_samples_options *o = c->options;
  const bool pairs = c->target == TRM_TARGET_TOKENS;
  trm_encoded *e = encoded;
  encoder inputs = {.what = pairs ? "source" : "text", .texts = &c->sources, .options = &o->vocab};
  encoder targets = {.what = "target",
                     .texts = &c->targets,
                     .options = c->shared_vocab ? &o->vocab : &o->target_vocab};
  trm_status status = TRM_OK;
  TRM_TRY(make_vocabs(c, parts, e));
  const trm_vocab *target_vocab = c->shared_vocab ? &e->input_vocab : &e->target_vocab;
  TRM_TRY_OUT(TRM_ALLOC(&e->kept, c->n, "samples"));
  TRM_TRY_OUT(encoder_create(&e->input_vocab, &inputs));
  if (pairs) {
    TRM_TRY_OUT(encoder_create(target_vocab, &targets));
    e->lossless = is_lossless(target_vocab);
  }
  for (int64_t i = 0; i < c->n; ++i) {
    tell(c, i, "making tokens");
    TRM_TRY_OUT(encode_sample(c, i, &inputs, pairs ? &targets : NULL, e));
  }
  TRM_TRY_OUT(judge_unknown(c, &inputs));
  if (pairs) TRM_TRY_OUT(judge_unknown(c, &targets));
out:
  trm_tokenizer_destroy(&inputs.tokenizer);
  trm_tokenizer_destroy(&targets.tokenizer);
  return status;
}

void trm_encoded_free(trm_encoded *encoded) {
  trm_vocab_free(&encoded->input_vocab);
  trm_vocab_free(&encoded->target_vocab);
  TRM_FREE(encoded->inputs.offsets);
  TRM_FREE(encoded->inputs.values);
  TRM_FREE(encoded->targets.offsets);
  TRM_FREE(encoded->targets.values);
  TRM_FREE(encoded->kept);
}
