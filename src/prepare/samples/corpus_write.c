/** A corpus becomes a data set: the samples that are kept, their splits and groups. */
#include <string.h>

#include "corpus_internal.h"
#include "trireme/core/memory.h"

/* What trm_samples borrows. */
typedef struct arrays {
  int32_t *labels, *groups, *ids; /* of what is kept; ids of all splits */
  float *numbers;
  trm_ids *splits;
  trm_text_list references, names;
} arrays;

static trm_status keep_targets(const trm_corpus *c, const trm_encoded *e, arrays *a) {
  const bool references = c->target == TRM_TARGET_TOKENS && !e->lossless;
  int64_t n = 0;
  TRM_TRY(TRM_ALLOC(&a->labels, c->n, "labels"));
  TRM_TRY(TRM_ALLOC(&a->numbers, c->n, "numbers"));
  for (int64_t i = 0; i < c->n; ++i) {
    if (!e->kept[i]) continue;
    a->labels[n] = c->labels[i];
    a->numbers[n++] = c->numbers[i];
    if (!references) continue;
    int64_t bytes;
    const char *text = trm_text_list_get(&c->targets, i, &bytes);
    TRM_TRY(trm_text_list_add(&a->references, text, bytes));
  }
  return TRM_OK;
}

/* Groups of what is kept, numbered anew in the order of their first sample; none when no two samples are in
 * one. */
static trm_status keep_groups(const trm_corpus *c, const trm_parts *parts, const trm_encoded *e,
                              arrays *a) {
  int32_t *number = NULL, n_groups = 0;
  int64_t n = 0;
  if (!parts->groups) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&a->groups, c->n, "groups"));
  TRM_TRY(TRM_ALLOC(&number, c->n, "groups"));
  for (int64_t i = 0; i < c->n; ++i) {
    int32_t *group = &number[parts->groups[i]];
    if (!e->kept[i]) continue;
    if (*group == 0) *group = ++n_groups;
    a->groups[n++] = *group - 1;
  }
  TRM_FREE(number);
  if (n_groups == n) TRM_FREE(a->groups);
  return TRM_OK;
}

static trm_status write(const trm_corpus *c, const trm_parts *parts, const trm_encoded *e,
                        const arrays *a) {
  trm_samples s = {.source = c->inputs.source,
                   .n = e->inputs.n,
                   .input = TRM_INPUT_TOKENS,
                   .inputs = {e->inputs.offsets, e->inputs.values},
                   .input_vocab = e->input_vocab,
                   .target = c->target,
                   .groups = a->groups,
                   .names = trm_text_list_texts(&a->names),
                   .n_splits = parts->n_splits,
                   .splits = a->splits};
  if (c->target == TRM_TARGET_CLASS) {
    s.classes = (trm_classes){.n = (int)c->classes.n,
                              .labels = a->labels,
                              .names = {.n = c->classes.n,
                                        .offsets = trm_names_offsets(&c->classes),
                                        .bytes = c->classes.bytes.data}};
  } else if (c->target == TRM_TARGET_NUMBER) {
    s.numbers = a->numbers;
  } else if (c->target == TRM_TARGET_NONE) {
    s.n_splits = 0;
  } else {
    s.targets = (trm_ragged){e->targets.offsets, e->targets.values};
    s.shared_vocab = c->shared_vocab;
    s.target_vocab = c->shared_vocab ? e->input_vocab : e->target_vocab;
    s.references = trm_text_list_texts(&a->references);
  }
  return trm_samples_write(c->options->output, &s);
}

trm_status trm_corpus_write(trm_corpus *corpus) {
  trm_corpus *c = corpus;
  trm_parts parts = {0};
  trm_encoded e = {.input_vocab = TRM_VOCAB_NONE, .target_vocab = TRM_VOCAB_NONE};
  arrays a = {0};
  trm_status status = TRM_OK;
  if (c->n == 0) return trm_fail(TRM_ERR_DATA, "%s: there are no samples", c->inputs.source);
  if (c->target == TRM_TARGET_CLASS && !c->classes_given) {
    TRM_TRY(trm_corpus_sort_names(c, &c->classes, c->labels));
    TRM_TRY(trm_corpus_tell_alike(c));
  }
  if (c->has_folds) TRM_TRY(trm_corpus_sort_names(c, &c->fold_names, c->folds));
  TRM_TRY_OUT(trm_parts_make(c, &parts));
  TRM_TRY_OUT(trm_parts_check(c, &parts, NULL));
  TRM_TRY_OUT(trm_corpus_encode(c, &parts, &e));
  if (e.inputs.n < c->n) TRM_TRY_OUT(trm_parts_check(c, &parts, e.kept));
  TRM_TRY_OUT(keep_targets(c, &e, &a));
  TRM_TRY_OUT(keep_groups(c, &parts, &e, &a));
  TRM_TRY_OUT(trm_corpus_keep_names(c, e.kept, &a.names));
  TRM_TRY_OUT(trm_parts_lists(&parts, c->n, e.kept, &a.splits, &a.ids));
  TRM_TRY_OUT(write(c, &parts, &e, &a));
out:
  TRM_FREE(a.labels);
  TRM_FREE(a.numbers);
  TRM_FREE(a.groups);
  TRM_FREE(a.ids);
  TRM_FREE(a.splits);
  trm_text_list_free(&a.references);
  trm_text_list_free(&a.names);
  trm_encoded_free(&e);
  trm_parts_free(&parts);
  return status;
}
