/** What the ways share that prepare samples: options, and the summary. */
#include "samples.h"

#include <inttypes.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/core/utf8.h"

enum { MOST_CLASSES_TOLD = 20, SHOWN_BYTES = 80 };

/* Which of n names `text` is; 0 when it is not given. */
static trm_status choose(const app_prepare_call *call, const char *option, const char *text,
                         const char *const *names, int n, int *choice) {
  char known[96] = "";
  *choice = 0;
  if (!text) return TRM_OK;
  for (; *choice < n && strcmp(text, names[*choice]) != 0; ++*choice) {
    const size_t at = strlen(known);
    (void)snprintf(known + at, sizeof known - at, "%s%s", *choice ? ", " : "", names[*choice]);
  }
  if (*choice < n) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s: %s is '%s', expected one of %s", call->name, option, text,
                  known);
}

trm_status app_samples_complete(const app_prepare_call *call, app_samples_given *given,
                                const char *unit) {
  static const char *const empty_names[] = {"refuse", "drop"};
  trm_prepare_samples_options *o = &given->options;
  int over, empty;
  TRM_TRY(choose(call, "--over", given->over, trm_over_long_names, TRM_N_OVER_LONG, &over));
  TRM_TRY(choose(call, "--empty", given->empty, empty_names, 2, &empty));
  if (given->over && o->longest == 0) {
    return trm_fail(TRM_ERR_USAGE, "%s: --over needs --longest N", call->name);
  }
  o->output = call->output;
  o->over = (trm_over_long)over;
  o->drop_empty = empty == 1;
  o->seed = (uint64_t)given->seed;
  if (!o->vocab.unit && !o->vocab.tokenizer && !o->vocab.vocabulary) o->vocab.unit = unit;
  return TRM_OK;
}

/* ---- summary -------------------------------------------------------------------------------- */

/* The share of unknown tokens among rows ids[n], the first n when there is no list; 0 where none can be unknown. */
static double unknown_share(const trm_ragged *rows, const trm_vocab *vocab, const trm_ids *ids) {
  int64_t unknown = 0, all = 0;
  for (int64_t i = 0; i < ids->n; ++i) {
    const int64_t row = ids->ids ? ids->ids[i] : i;
    for (int64_t k = rows->offsets[row]; k < rows->offsets[row + 1]; ++k, ++all) {
      unknown += rows->values[k] == vocab->unk;
    }
  }
  return all > 0 ? (double)unknown / (double)all : 0;
}

static trm_status tell_lengths(const app_prepare_call *call, const char *part, const char *side,
                               const trm_ragged *rows, const trm_vocab *vocab, const trm_ids *ids) {
  trm_row_lengths l;
  TRM_TRY(trm_row_lengths_of(rows->offsets, ids->ids, ids->n, &l));
  trm_log_line(call->log,
               "%s: %s: %s of %" PRId64 " token%s at the median, %" PRId64 " at 95 %%, %" PRId64
               " at most; %.2f %% unknown",
               call->output, part, side, l.median, trm_plural(l.median), l.most_95, l.longest,
               100 * unknown_share(rows, vocab, ids));
  return TRM_OK;
}

static trm_status tell_part(const app_prepare_call *call, const trm_samples *s, trm_subset part) {
  const char *name = s->n_splits > 0 ? trm_subset_name(part) : "to predict";
  const trm_ids all = {.n = part == TRM_SUBSET_TRAIN ? s->n : 0};
  const trm_ids *ids = s->n_splits > 0 ? &s->splits[part] : &all;
  if (ids->n == 0 || s->input != TRM_INPUT_TOKENS) return TRM_OK;
  TRM_TRY(tell_lengths(call, name, s->targets.offsets ? "sources" : "texts", &s->inputs,
                       &s->input_vocab, ids));
  if (!s->targets.offsets) return TRM_OK;
  return tell_lengths(call, name, "targets", &s->targets, &s->target_vocab, ids);
}

trm_status app_tell_classes(const app_prepare_call *call, const trm_samples *s) {
  int64_t *sizes = NULL;
  const bool sets = s->target == TRM_TARGET_CLASSES;
  const int32_t *ids = sets ? s->class_sets.values : s->classes.labels;
  const int64_t n = sets ? s->class_sets.offsets[s->n] : s->n;
  if (!sets && s->target != TRM_TARGET_CLASS) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&sizes, s->classes.n, "classes"));
  for (int64_t i = 0; i < n; ++i) ++sizes[ids[i]];
  for (int c = 0; c < s->classes.n && c < MOST_CLASSES_TOLD; ++c) {
    const int64_t *offsets = s->classes.names.offsets;
    char name[SHOWN_BYTES], count[32];
    trm_text_escape(s->classes.names.bytes + offsets[c], offsets[c + 1] - offsets[c], name,
                    sizeof name);
    trm_format_count(sizes[c], count);
    trm_log_line(call->log, "%s: class %s: %s (%.1f %%)", call->output, name, count,
                 100 * (double)sizes[c] / (double)s->n);
  }
  if (s->classes.n > MOST_CLASSES_TOLD) {
    trm_log_line(call->log, "%s: and %d more classes", call->output,
                 s->classes.n - MOST_CLASSES_TOLD);
  }
  TRM_FREE(sizes);
  return TRM_OK;
}

static void tell_counts(const app_prepare_call *call, const trm_prepare_samples_options *o,
                        const trm_prepare_samples_counts *c) {
  static const char *const done[TRM_N_OVER_LONG] = {"", "kept", "cut", "left out"};
  char count[32];
  if (c->empty > 0) {
    trm_format_count(c->empty, count);
    trm_log_line(call->log, "%s: left out: samples without text: %s", call->output, count);
  }
  if (c->no_label > 0) {
    trm_format_count(c->no_label, count);
    trm_log_line(call->log, "%s: left out: samples without a label: %s", call->output, count);
  }
  if (c->over_long > 0) {
    trm_format_count(c->over_long, count);
    trm_log_line(call->log, "%s: %s: samples of more than %" PRId64 " token%s: %s", call->output,
                 done[o->over], o->longest, trm_plural(o->longest), count);
  }
  if (c->leaked > 0) {
    trm_format_count(c->leaked, count);
    trm_log_line(call->log,
                 "%s: note: samples to validate or test whose source is also trained on: %s",
                 call->output, count);
  }
  if (c->vocab_of_all) {
    trm_log_line(call->log,
                 "%s: note: with several splits the vocabulary is made of all samples, those to "
                 "validate and test too",
                 call->output);
  }
}

static void tell_vocabs(const app_prepare_call *call, const trm_samples *s) {
  app_line l = {0};
  app_say(&l, s->input_vocab.n, "token", "tokens");
  trm_log_line(call->log, "%s: vocabulary: %s of unit %s", call->output, l.text,
               s->input_vocab.unit);
  if (!s->targets.offsets || s->shared_vocab) return;
  l = (app_line){0};
  app_say(&l, s->target_vocab.n, "token", "tokens");
  trm_log_line(call->log, "%s: vocabulary of the targets: %s of unit %s", call->output, l.text,
               s->target_vocab.unit);
}

static void tell_images(const app_prepare_call *call, const trm_images *images) {
  trm_log_line(call->log, "%s: images of %" PRId64 " x %" PRId64 " pixels (height x width), %s",
               call->output, images->height, images->width,
               images->channels == 1 ? "grey" : "coloured");
}

void app_tell_parts(const app_prepare_call *call, const trm_samples *s, const char *one,
                    const char *many) {
  app_line l = {0}, parts = {0};
  app_say(&l, s->n, one, many);
  if (s->n_splits == 0) {
    trm_log_line(call->log, "%s: %s to predict", call->output, l.text);
    return;
  }
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    const char *name = trm_subset_name((trm_subset)p);
    app_say(&parts, s->splits[p].n, name, name);
  }
  if (s->n_splits > 1) app_say(&l, s->n_splits, "split", "splits");
  trm_log_line(call->log, "%s: %s (%s%s)", call->output, l.text,
               s->n_splits > 1 ? "the first: " : "", parts.text);
}

trm_status app_tell_samples(const app_prepare_call *call,
                            const trm_prepare_samples_options *options,
                            const trm_prepare_samples_counts *counts) {
  trm_samples *s = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(trm_samples_open(call->output, &s));
  app_tell_parts(call, s, "sample", "samples");
  if (s->input == TRM_INPUT_TOKENS) tell_vocabs(call, s);
  if (s->input == TRM_INPUT_IMAGE) tell_images(call, &s->images);
  for (int p = 0; p < TRM_N_SUBSETS; ++p) TRM_TRY_OUT(tell_part(call, s, (trm_subset)p));
  TRM_TRY_OUT(app_tell_classes(call, s));
  tell_counts(call, options, counts);
out:
  trm_samples_close(&s);
  return status;
}
