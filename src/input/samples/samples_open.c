/** Kind `samples`: opening, closing, what callers ask. */
#include <string.h>

#include "kind_internal.h"
#include "samples_internal.h"
#include "trireme/core/memory.h"
#include "trireme/io/seal.h"

static const char input_vocab[] = "/input/vocab", target_vocab[] = "/target/vocab";

/* An attribute of the root that is one of n names: which. */
static trm_status read_choice(const trm_samples_file *f, const char *name, const char *const *names,
                              int n, int *choice) {
  char *text = NULL, known[96] = "";
  if (!trm_attr_has(f->file, "/", name)) {
    return trm_fail(TRM_ERR_DATA, "%s: no attribute '%s', which samples must have", f->path, name);
  }
  TRM_TRY(trm_attr_read_text(f->file, "/", name, &text));
  for (*choice = 0; *choice < n && strcmp(text, names[*choice]) != 0; ++*choice) {
    const size_t at = strlen(known);
    (void)snprintf(known + at, sizeof known - at, "%s'%s'", *choice ? ", " : "", names[*choice]);
  }
  trm_status status = TRM_OK;
  if (*choice == n) {
    status = trm_fail(TRM_ERR_DATA, "%s: attribute '%s' is '%.40s', expected one of %s", f->path,
                      name, text, known);
  }
  TRM_FREE(text);
  return status;
}

static trm_status read_head(trm_samples_file *f) {
  char kind[TRM_KIND_BYTES];
  int input = 0, target = 0;
  TRM_TRY(trm_dataset_kind_read(f->file, f->path, kind));
  if (strcmp(kind, trm_data_kind_samples.name) != 0) {
    return trm_data_kind_refuse(f->path, kind, "'samples'");
  }
  TRM_TRY(trm_note_read(f->file, "source", &f->source));
  TRM_TRY(trm_note_read(f->file, "created_by", &f->created_by));
  TRM_TRY(read_choice(f, "input", trm_sample_input_names, TRM_N_SAMPLE_INPUTS, &input));
  TRM_TRY(read_choice(f, "target", trm_sample_target_names, TRM_N_SAMPLE_TARGETS, &target));
  f->data.input = (trm_sample_input)input;
  f->data.target = (trm_sample_target)target;
  f->data.path = f->path;
  f->data.source = f->source;
  f->data.created_by = f->created_by;
  return TRM_OK;
}

static trm_status read_vocabs(trm_samples_file *f) {
  trm_samples *s = &f->data;
  const bool tokens = s->input == TRM_INPUT_TOKENS;
  if (tokens) TRM_TRY(trm_vocab_read(f->file, f->path, input_vocab, &s->input_vocab));
  if (s->target != TRM_TARGET_TOKENS) return TRM_OK;
  s->shared_vocab = tokens && !trm_container_has(f->file, target_vocab);
  if (!s->shared_vocab) {
    return trm_vocab_read(f->file, f->path, target_vocab, &s->target_vocab);
  }
  s->target_vocab = s->input_vocab;
  return TRM_OK;
}

static trm_status open_checked(trm_samples_file *f, const char *path) {
  const int64_t n_path = (int64_t)strlen(path) + 1;
  bool sealed; /* a file of another tool is not */
  TRM_TRY(TRM_ALLOC(&f->path, n_path, "path of a data set"));
  memcpy(f->path, path, (size_t)n_path);
  TRM_TRY(trm_container_open(path, &f->file));
  TRM_TRY(trm_file_seal_check(path, &sealed));
  TRM_TRY(read_head(f));
  TRM_TRY(read_vocabs(f));
  TRM_TRY(trm_samples_read_arrays(f));
  TRM_TRY(trm_samples_read_splits(f));
  TRM_TRY(trm_samples_check(f));
  f->data.digest = trm_samples_digest(&f->data);
  return trm_container_close(&f->file);
}

static void file_close(trm_samples_file *f) {
  (void)trm_input_close(&f->file, TRM_ERR_DATA);
  if (!f->data.shared_vocab) trm_vocab_free(&f->data.target_vocab);
  trm_vocab_free(&f->data.input_vocab);
  for (int i = 0; i < TRM_N_SAMPLE_PLACES; ++i) TRM_FREE(f->arrays[i]);
  TRM_FREE(f->splits);
  TRM_FREE(f->ids);
  TRM_FREE(f->path);
  TRM_FREE(f->source);
  TRM_FREE(f->created_by);
  TRM_FREE(f);
}

/* ---- public ----------------------------------------------------------------------------------- */

trm_status trm_samples_open(const char *path, trm_samples **out) {
  trm_samples_file *f = NULL;
  *out = NULL;
  TRM_TRY(TRM_ALLOC(&f, 1, "samples"));
  f->data.input_vocab = f->data.target_vocab = TRM_VOCAB_NONE;
  const trm_status status = open_checked(f, path);
  if (status == TRM_OK) {
    *out = &f->data;
  } else {
    file_close(f);
  }
  return status;
}

void trm_samples_close(trm_samples **samples) {
  if (*samples) file_close((trm_samples_file *)(void *)*samples);
  *samples = NULL;
}

trm_status trm_samples_split(const trm_samples *samples, int split, trm_subset subset,
                             trm_ids *ids) {
  const int n = samples->n_splits;
  *ids = (trm_ids){0};
  if (n == 0) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "%s: has no splits; prepare it with parts: --valid-share and --test-share, files (--valid, "
        "--test) or --folds",
        samples->path);
  }
  if (split < 0 || split >= n) {
    return trm_fail(TRM_ERR_CONFIG, "%s: has no split %d; there are %d, from 0 to %d",
                    samples->path, split, n, n - 1);
  }
  *ids = samples->splits[split * TRM_N_SUBSETS + (int)subset];
  return TRM_OK;
}

void trm_samples_set_split(trm_samples *samples, int split, trm_subset subset, trm_ids ids) {
  trm_samples_file *f = (trm_samples_file *)(void *)samples;
  TRM_ASSERT(split >= 0 && split < samples->n_splits);
  f->splits[split * TRM_N_SUBSETS + (int)subset] = ids;
}

/* ---- the kind --------------------------------------------------------------------------------- */

static trm_status describe(const char *path, FILE *file) {
  trm_samples *samples = NULL;
  TRM_TRY(trm_samples_open(path, &samples));
  const trm_status status = trm_samples_describe(samples, file);
  trm_samples_close(&samples);
  return status;
}

static trm_status count_splits(const char *path, int *n) {
  trm_samples *samples = NULL;
  *n = 0;
  TRM_TRY(trm_samples_open(path, &samples));
  *n = samples->n_splits;
  trm_samples_close(&samples);
  return TRM_OK;
}

const trm_data_kind trm_data_kind_samples = {
    .name = "samples", .splits = "splits", .describe = describe, .count_splits = count_splits};
