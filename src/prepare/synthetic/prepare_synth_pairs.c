/** Synthetic pairs: sequences of symbols, and what a task makes of them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../names_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/input/data_file.h"
#include "trireme/input/samples.h"
#include "trireme/prepare/samples.h"

/* Special tokens come before the symbols. */
enum { UNK, BOS, EOS, FIRST_SYMBOL, MOST_SYMBOLS = 1000000, MOST_LENGTH = 1 << 20 };
/* A sequence that is there already is drawn anew; more draws than this have no chance. */
enum { MOST_DRAWS = 10000 };

typedef struct job {
  const trm_synthetic_pairs_options *options;
  int64_t n; /* samples done */
  int64_t capacity, n_values;
  int64_t *offsets;          /* [all samples + 1] */
  int32_t *inputs, *targets; /* [n_values] */
  trm_names seen;            /* sequences, as the bytes of their ids */
  trm_vocab vocab;
  int32_t *ids; /* [all samples] */
} job;

static const char *const tasks[] = {"reverse", "copy", "sort"};

static trm_status check_options(const trm_synthetic_pairs_options *o) {
  bool known = false;
  for (int i = 0; i < 3; ++i) known = known || (o->task && strcmp(o->task, tasks[i]) == 0);
  if (!known) {
    return trm_fail(TRM_ERR_USAGE,
                    "synthetic pairs: no task '%s'; there are reverse, copy and sort",
                    o->task ? o->task : "");
  }
  const struct {
    const char *what;
    int64_t value, min, max;
  } rows[] = {{"symbols", o->n_symbols, 2, MOST_SYMBOLS},
              {"samples to train on", o->n[TRM_SUBSET_TRAIN], 1, INT32_MAX},
              {"samples for validation", o->n[TRM_SUBSET_VALID], 0, INT32_MAX},
              {"samples to test", o->n[TRM_SUBSET_TEST], 0, INT32_MAX},
              {"shortest length", o->shortest, 1, MOST_LENGTH},
              {"longest length", o->longest, o->shortest, MOST_LENGTH},
              {"shortest length to test", o->test_shortest, 0, MOST_LENGTH},
              {"longest length to test", o->test_longest, o->test_shortest, MOST_LENGTH},
              {"samples", o->n[0] + o->n[1] + o->n[2], 1, INT32_MAX}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    if (rows[i].value >= rows[i].min && rows[i].value <= rows[i].max) continue;
    return trm_fail(TRM_ERR_USAGE,
                    "synthetic pairs: %s is %" PRId64 ", allowed from %" PRId64 " to %" PRId64,
                    rows[i].what, rows[i].value, rows[i].min, rows[i].max);
  }
  return TRM_OK;
}

/* "s0", "s1", ... behind the special tokens. */
static trm_status make_vocab(int64_t n_symbols, trm_vocab *vocab) {
  static const char *const specials[] = {"<unk>", "<s>", "</s>"};
  enum { TEXT_BYTES = 16 };
  const int64_t n = n_symbols + FIRST_SYMBOL;
  TRM_TRY(TRM_ALLOC(&vocab->offsets, n + 1, "vocabulary"));
  TRM_TRY(TRM_ALLOC(&vocab->bytes, n * TEXT_BYTES, "vocabulary"));
  for (int64_t i = 0; i < n; ++i) {
    char text[TEXT_BYTES];
    const int bytes = i < FIRST_SYMBOL
                          ? snprintf(text, sizeof text, "%s", specials[i])
                          : snprintf(text, sizeof text, "s%d", (int)(i - FIRST_SYMBOL));
    memcpy(vocab->bytes + vocab->offsets[i], text, (size_t)bytes);
    vocab->offsets[i + 1] = vocab->offsets[i] + bytes;
  }
  vocab->n = n;
  vocab->unk = UNK, vocab->bos = BOS, vocab->eos = EOS;
  (void)snprintf(vocab->unit, sizeof vocab->unit, "symbol");
  return TRM_OK;
}

/* ---- sequences -------------------------------------------------------------------------------- */

static trm_status reserve(job *j, int64_t length) {
  if (j->n_values + length <= j->capacity) return TRM_OK;
  const int64_t capacity = 2 * (j->n_values + length) + 1024;
  int32_t *grown[2] = {NULL, NULL};
  TRM_TRY(TRM_ALLOC(&grown[0], capacity, "sequences"));
  const trm_status status = TRM_ALLOC(&grown[1], capacity, "sequences");
  if (status != TRM_OK) {
    TRM_FREE(grown[0]);
    return status;
  }
  if (j->n_values > 0) {
    memcpy(grown[0], j->inputs, (size_t)j->n_values * sizeof *j->inputs);
    memcpy(grown[1], j->targets, (size_t)j->n_values * sizeof *j->targets);
  }
  TRM_FREE(j->inputs);
  TRM_FREE(j->targets);
  j->inputs = grown[0];
  j->targets = grown[1];
  j->capacity = capacity;
  return TRM_OK;
}

static int by_id(const void *a, const void *b) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static void make_target(const job *j, int64_t length) {
  const int32_t *input = j->inputs + j->n_values;
  int32_t *target = j->targets + j->n_values;
  const bool reverse = strcmp(j->options->task, "reverse") == 0;
  for (int64_t i = 0; i < length; ++i) target[i] = input[reverse ? length - 1 - i : i];
  if (strcmp(j->options->task, "sort") == 0) {
    qsort(target, (size_t)length, sizeof *target, by_id);
  }
}

/* One sequence for a part, new unless it is to train on: drawn again until it is. */
static trm_status draw(job *j, trm_subset part) {
  const trm_synthetic_pairs_options *o = j->options;
  const bool own = part == TRM_SUBSET_TEST && o->test_longest > 0;
  const int64_t shortest = own ? o->test_shortest : o->shortest,
                longest = own ? o->test_longest : o->longest;
  for (int k = 0; k < MOST_DRAWS; ++k) {
    const trm_random_key key = trm_random_key_make(o->seed, TRM_RANDOM_TEST, (uint64_t)k, 1);
    const int64_t length = shortest + (int64_t)trm_random_below(key, (uint64_t)j->n, 0,
                                                                (uint64_t)(longest - shortest + 1));
    bool added;
    int32_t id;
    TRM_TRY(reserve(j, length));
    for (int64_t i = 0; i < length; ++i) {
      j->inputs[j->n_values + i] =
          FIRST_SYMBOL +
          (int32_t)trm_random_below(key, (uint64_t)j->n, (uint64_t)i + 1, (uint64_t)o->n_symbols);
    }
    TRM_TRY(trm_names_add(&j->seen, (const char *)(j->inputs + j->n_values),
                          length * (int64_t)sizeof *j->inputs, &id, &added));
    if (!added && part != TRM_SUBSET_TRAIN) continue;
    make_target(j, length);
    j->n_values += length;
    j->offsets[++j->n] = j->n_values;
    return TRM_OK;
  }
  return trm_fail(TRM_ERR_USAGE,
                  "synthetic pairs: no sequences of %" PRId64 " to %" PRId64 " of %" PRId64
                  " symbols are left for the %s part; take longer ones, or fewer samples",
                  shortest, longest, o->n_symbols, trm_subset_name(part));
}

static trm_status write(const job *j) {
  const trm_synthetic_pairs_options *o = j->options;
  trm_ids splits[TRM_N_SUBSETS];
  char source[160];
  int64_t first = 0;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    splits[p] = (trm_ids){.ids = j->ids + first, .n = o->n[p]};
    first += o->n[p];
  }
  (void)snprintf(source, sizeof source, "synthetic: %s of %" PRId64 " symbols, seed %" PRIu64,
                 o->task, o->n_symbols, o->seed);
  const trm_samples s = {.source = source,
                         .n = j->n,
                         .input = TRM_INPUT_TOKENS,
                         .inputs = {j->offsets, j->inputs},
                         .input_vocab = j->vocab,
                         .target = TRM_TARGET_TOKENS,
                         .targets = {j->offsets, j->targets},
                         .target_vocab = j->vocab,
                         .shared_vocab = true,
                         .n_splits = 1,
                         .splits = splits};
  return trm_samples_write(o->output, &s);
}

trm_status trm_prepare_synthetic_pairs(const trm_synthetic_pairs_options *options) {
  job j = {.options = options, .vocab = TRM_VOCAB_NONE};
  trm_status status = TRM_OK;
  TRM_TRY(check_options(options));
  TRM_TRY(trm_output_check_place(options->output, NULL, 0));
  const int64_t n = options->n[0] + options->n[1] + options->n[2];
  TRM_TRY_OUT(TRM_ALLOC(&j.offsets, n + 1, "sequences"));
  TRM_TRY_OUT(TRM_ALLOC(&j.ids, n, "sequences"));
  for (int64_t i = 0; i < n; ++i) j.ids[i] = (int32_t)i;
  TRM_TRY_OUT(make_vocab(options->n_symbols, &j.vocab));
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    for (int64_t i = 0; i < options->n[p]; ++i) TRM_TRY_OUT(draw(&j, (trm_subset)p));
  }
  TRM_TRY_OUT(write(&j));
out:
  TRM_FREE(j.offsets);
  TRM_FREE(j.inputs);
  TRM_FREE(j.targets);
  TRM_FREE(j.ids);
  trm_names_free(&j.seen);
  trm_vocab_free(&j.vocab);
  return status;
}
