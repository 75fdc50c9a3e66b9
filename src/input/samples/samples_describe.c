/** What `trireme inspect` prints of a data set of samples. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "describe_internal.h"
#include "samples_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/tokenizer.h"

enum { N_EXAMPLES = 3, N_IMAGES = 2, EXAMPLE_BYTES = 60, ROW_BYTES = 100 };

/* ---- lengths ---------------------------------------------------------------------------------- */

static int64_t row_length(const int64_t *offsets, const int32_t *ids, int64_t i) {
  const int64_t row = ids ? ids[i] : i;
  return offsets[row + 1] - offsets[row];
}

trm_status trm_row_lengths_of(const int64_t *offsets, const int32_t *ids, int64_t n,
                              trm_row_lengths *lengths) {
  trm_row_lengths l = {.n = n};
  int64_t *histogram = NULL, below = 0;
  *lengths = l;
  if (n == 0) return TRM_OK;
  for (int64_t i = 0; i < n; ++i) {
    l.longest = trm_max_i64(l.longest, row_length(offsets, ids, i));
    l.total += row_length(offsets, ids, i);
  }
  TRM_TRY(TRM_ALLOC(&histogram, l.longest + 1, "lengths of rows"));
  for (int64_t i = 0; i < n; ++i) ++histogram[row_length(offsets, ids, i)];
  l.median = l.most_95 = -1;
  for (int64_t length = 0; length <= l.longest; ++length) {
    below += histogram[length];
    if (l.median < 0 && below * 2 >= n) l.median = length;
    if (l.most_95 < 0 && below >= n - n / 20) l.most_95 = length;
  }
  TRM_FREE(histogram);
  *lengths = l;
  return TRM_OK;
}

static trm_status describe_lengths(FILE *file, const char *label, const int64_t *offsets,
                                   int64_t n) {
  trm_row_lengths l;
  TRM_TRY(trm_row_lengths_of(offsets, NULL, n, &l));
  trm_describe_row(file, label,
                   "%14.2f  tokens in the mean; median %" PRId64 ", 95 %% up to %" PRId64
                   ", longest %" PRId64,
                   (double)l.total / (double)n, l.median, l.most_95, l.longest);
  return TRM_OK;
}

/* ---- targets ---------------------------------------------------------------------------------- */

static void describe_vocab(FILE *file, const char *label, const trm_vocab *vocab, bool shared) {
  trm_describe_row(file, label, "%14s  tokens of unit %s%s", trm_count_text_of(vocab->n).text,
                   vocab->unit, shared ? ", of inputs and targets" : "");
}

static void describe_numbers(const trm_samples *s, FILE *file) {
  double sum = 0, squares = 0, least = s->numbers[0], most = s->numbers[0];
  for (int64_t i = 0; i < s->n; ++i) sum += (double)s->numbers[i];
  const double mean = sum / (double)s->n;
  for (int64_t i = 0; i < s->n; ++i) {
    const double x = (double)s->numbers[i];
    squares += (x - mean) * (x - mean);
    least = fmin(least, x);
    most = fmax(most, x);
  }
  trm_describe_row(file, "targets", "%14.6g  in the mean; deviation %.6g, from %.6g to %.6g", mean,
                   sqrt(squares / (double)s->n), least, most);
}

/* A sample counts once in each of its classes. */
static trm_status describe_sets(const trm_samples *s, FILE *file) {
  char note[64];
  int64_t *sizes = NULL;
  const int64_t n = s->class_sets.offsets[s->n];
  TRM_TRY(TRM_ALLOC(&sizes, s->classes.n, "sizes of classes"));
  for (int64_t i = 0; i < n; ++i) ++sizes[s->class_sets.values[i]];
  (void)snprintf(note, sizeof note, "%.2f of a sample in the mean", (double)n / (double)s->n);
  trm_class_sizes_describe(&s->classes, sizes, s->n, note, file);
  TRM_FREE(sizes);
  return TRM_OK;
}

static int64_t count_groups(const trm_samples *s) {
  /* Groups are numbers below n; samples that stand for themselves have one each. */
  int64_t n = 0;
  uint8_t *seen = NULL;
  if (TRM_ALLOC(&seen, s->n, "groups") != TRM_OK) return -1;
  for (int64_t i = 0; i < s->n; ++i) {
    n += !seen[s->groups[i]];
    seen[s->groups[i]] = 1;
  }
  TRM_FREE(seen);
  return n;
}

static trm_status describe_targets(const trm_samples *s, FILE *file) {
  switch (s->target) {
  case TRM_TARGET_CLASS:
    return trm_classes_describe(&s->classes, s->n, file);
  case TRM_TARGET_NUMBER:
    describe_numbers(s, file);
    return TRM_OK;
  case TRM_TARGET_CLASSES:
    return describe_sets(s, file);
  case TRM_TARGET_NONE:
    return TRM_OK;
  default:
    TRM_TRY(describe_lengths(file, "targets", s->targets.offsets, s->n));
    if (!s->shared_vocab) describe_vocab(file, "  vocabulary", &s->target_vocab, false);
    return TRM_OK;
  }
}

/* ---- examples --------------------------------------------------------------------------------- */

/* A row of tokens as text, escaped and cut. */
static trm_status show_tokens(const trm_ragged *rows, int64_t row, const trm_vocab *vocab,
                              char text[EXAMPLE_BYTES]) {
  trm_tokenizer *tokenizer = NULL;
  char *decoded = NULL;
  int64_t n;
  const int64_t begin = rows->offsets[row],
                n_tokens = trm_min_i64(rows->offsets[row + 1] - begin, EXAMPLE_BYTES);
  TRM_TRY(trm_tokenizer_create(vocab, &tokenizer));
  const bool more = begin + n_tokens < rows->offsets[row + 1];
  const trm_status status =
      trm_tokenizer_decode(tokenizer, rows->values + begin, n_tokens, &decoded, &n);
  if (status == TRM_OK) trm_text_escape_cut(decoded, n, more, text, EXAMPLE_BYTES);
  TRM_FREE(decoded);
  trm_tokenizer_destroy(&tokenizer);
  return status;
}

static void show_text(const trm_texts *texts, int64_t i, char text[EXAMPLE_BYTES]) {
  const int64_t begin = texts->offsets[i], n = texts->offsets[i + 1] - begin;
  trm_text_escape_cut(texts->bytes + begin, n, false, text, EXAMPLE_BYTES);
}

static void show_class(const trm_samples *s, int32_t class, char text[EXAMPLE_BYTES]) {
  if (s->classes.names.n > 0) {
    show_text(&s->classes.names, class, text);
  } else {
    (void)snprintf(text, EXAMPLE_BYTES, "%d", (int)class);
  }
}

/* "a, b, c"; what there is no room for is cut. */
static void show_set(const trm_samples *s, int64_t i, char text[EXAMPLE_BYTES]) {
  const int64_t *at = s->class_sets.offsets + i;
  int length = snprintf(text, EXAMPLE_BYTES, "%s", at[0] == at[1] ? "none" : "");
  for (int64_t k = at[0]; k < at[1] && length < EXAMPLE_BYTES; ++k) {
    char name[EXAMPLE_BYTES];
    show_class(s, s->class_sets.values[k], name);
    length += snprintf(text + length, EXAMPLE_BYTES - (size_t)length, "%s%s", k > at[0] ? ", " : "",
                       name);
  }
}

static trm_status show_target(const trm_samples *s, int64_t i, char text[EXAMPLE_BYTES]) {
  if (s->target == TRM_TARGET_NUMBER) {
    (void)snprintf(text, EXAMPLE_BYTES, "%.6g", (double)s->numbers[i]);
  } else if (s->target == TRM_TARGET_CLASS) {
    show_class(s, s->classes.labels[i], text);
  } else if (s->target == TRM_TARGET_CLASSES) {
    show_set(s, i, text);
  } else if (s->references.n > 0) {
    show_text(&s->references, i, text);
  } else {
    return show_tokens(&s->targets, i, &s->target_vocab, text);
  }
  return TRM_OK;
}

/* The lines of an input; `label` stands before the first. */
static trm_status describe_input(const trm_samples *s, int64_t i, const char *label, FILE *file) {
  char text[ROW_BYTES];
  if (s->input == TRM_INPUT_IMAGE) {
    trm_image_show(s, i, label, file);
    return TRM_OK;
  }
  if (s->input == TRM_INPUT_ROW) {
    trm_table_row_show(s, i, text, sizeof text);
  } else {
    TRM_TRY(show_tokens(&s->inputs, i, &s->input_vocab, text));
  }
  trm_describe_row(file, label, "| %s", text);
  return TRM_OK;
}

static trm_status describe_examples(const trm_samples *s, FILE *file) {
  const int64_t most = s->input == TRM_INPUT_IMAGE ? N_IMAGES : N_EXAMPLES;
  for (int64_t i = 0; i < s->n && i < most; ++i) {
    char target[EXAMPLE_BYTES], name[EXAMPLE_BYTES];
    TRM_TRY(describe_input(s, i, i == 0 ? "examples" : "", file));
    if (s->names.n > 0) {
      show_text(&s->names, i, name);
      trm_describe_row(file, "", "|   name %s", name);
    }
    if (s->target == TRM_TARGET_NONE) continue;
    TRM_TRY(show_target(s, i, target));
    trm_describe_row(file, "", "|   -> %s", target);
  }
  return TRM_OK;
}

static trm_status describe_inputs(const trm_samples *s, FILE *file) {
  if (s->input == TRM_INPUT_ROW) return trm_table_describe(s, file);
  if (s->input == TRM_INPUT_IMAGE) {
    trm_images_describe(s, file);
    return TRM_OK;
  }
  TRM_TRY(describe_lengths(file, "inputs", s->inputs.offsets, s->n));
  describe_vocab(file, "  vocabulary", &s->input_vocab, s->shared_vocab);
  return TRM_OK;
}

/* Tokens of rows ids[n], the first n when there is no list, that stand for what is unknown. */
static void describe_unknown_of(FILE *file, const char *part, const char *side,
                                const trm_ragged *rows, const trm_vocab *vocab,
                                const trm_ids *ids) {
  int64_t unknown = 0, all = 0;
  if (vocab->unk < 0 || ids->n == 0) return;
  for (int64_t i = 0; i < ids->n; ++i) {
    const int64_t row = ids->ids ? ids->ids[i] : i;
    for (int64_t k = rows->offsets[row]; k < rows->offsets[row + 1]; ++k, ++all) {
      unknown += rows->values[k] == vocab->unk;
    }
  }
  trm_describe_row(file, "unknown", "%14s  of the tokens of %s%s%s, %.2f %%",
                   trm_count_text_of(unknown).text, part, *part ? " " : "", side,
                   all > 0 ? 100.0 * (double)unknown / (double)all : 0.0);
}

/* Of each part of the first split; of all samples where there is none. */
static void describe_unknown(const trm_samples *s, FILE *file) {
  const trm_ids all = {.n = s->n};
  if (s->input != TRM_INPUT_TOKENS) return;
  for (int p = 0; p < (s->n_splits > 0 ? TRM_N_SUBSETS : 1); ++p) {
    const char *part = s->n_splits > 0 ? trm_subset_name((trm_subset)p) : "";
    const trm_ids *ids = s->n_splits > 0 ? &s->splits[p] : &all;
    describe_unknown_of(file, part, "inputs", &s->inputs, &s->input_vocab, ids);
    if (!s->targets.offsets) continue;
    describe_unknown_of(file, part, "targets", &s->targets, &s->target_vocab, ids);
  }
}

/* Groups are of one input where inputs are tokens (data/FORMAT.md). */
static void describe_groups(const trm_samples *s, FILE *file) {
  const bool tokens = s->input == TRM_INPUT_TOKENS;
  if (!s->groups) return;
  trm_describe_row(file, tokens ? "  inputs" : "  groups", "%14s  %s",
                   trm_count_text_of(count_groups(s)).text,
                   tokens ? "different ones; those with several targets are in one part"
                          : "of samples that are in one part");
}

static void describe_names(const trm_samples *s, FILE *file) {
  if (s->names.n == 0) return;
  trm_describe_row(file, "names", "%14s  samples have names", trm_count_text_of(s->names.n).text);
}

static bool is_known(const void *context, const char *name) {
  const trm_samples *s = context;
  for (int i = 0; i < TRM_N_SAMPLE_PLACES; ++i) {
    if (trm_sample_array_belongs(s, i) && strcmp(trm_sample_arrays[i].name, name) == 0) return true;
  }
  return trm_is_below(name, "/splits") ||
         (s->input == TRM_INPUT_TOKENS && trm_is_below(name, "/input/vocab")) ||
         (s->target == TRM_TARGET_TOKENS && trm_is_below(name, "/target/vocab"));
}

trm_status trm_samples_describe(const trm_samples *s, FILE *file) {
  trm_describe_head(file, s->path, "samples", s->source, s->created_by);
  trm_describe_row(file, "samples", "%14s  from %s to %s", trm_count_text_of(s->n).text,
                   trm_sample_input_names[s->input], trm_sample_target_names[s->target]);
  describe_groups(s, file);
  describe_names(s, file);
  TRM_TRY(describe_inputs(s, file));
  TRM_TRY(describe_targets(s, file));
  if (s->n_splits > 0) trm_splits_describe(s->splits, s->n_splits, s->n, file);
  describe_unknown(s, file);
  TRM_TRY(trm_unread_describe(s->path, is_known, s, file));
  trm_describe_row(file, "digest", "%016" PRIx64, s->digest);
  TRM_TRY(describe_examples(s, file));
  if (fflush(file) != 0 || ferror(file)) {
    return trm_fail(TRM_ERR_IO, "%s: its description could not be written", s->path);
  }
  return TRM_OK;
}
