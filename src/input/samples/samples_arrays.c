/** The arrays of a data set of samples: the list of them, and its content hash. */
#include <string.h>

#include "samples_internal.h"
#include "trireme/core/hash.h"
#include "trireme/core/integers.h"

const char *const trm_sample_input_names[TRM_N_SAMPLE_INPUTS] = {[TRM_INPUT_TOKENS] = "tokens"};
const char *const trm_sample_target_names[TRM_N_SAMPLE_TARGETS] = {
    [TRM_TARGET_CLASS] = "class",
    [TRM_TARGET_NUMBER] = "number",
    [TRM_TARGET_TOKENS] = "tokens",
};

#define ARRAY(name, type, length, target, required, member)                                        \
  { name, TRM_DTYPE_##type, TRM_SAMPLE_##length, target, required, offsetof(trm_samples, member) }
const trm_sample_array trm_sample_arrays[TRM_N_SAMPLE_PLACES] = {
    [TRM_SA_INPUT_OFFSETS] = ARRAY("/input/offsets", I64, ROWS, -1, true, inputs.offsets),
    [TRM_SA_INPUT_VALUES] = ARRAY("/input/values", I32, VALUES, -1, true, inputs.values),
    [TRM_SA_LABELS] = ARRAY("/target/labels", I32, EACH, TRM_TARGET_CLASS, true, classes.labels),
    [TRM_SA_CLASS_OFFSETS] =
        ARRAY("/classes/offsets", I64, NAMES, TRM_TARGET_CLASS, false, classes.names.offsets),
    [TRM_SA_CLASS_BYTES] =
        ARRAY("/classes/bytes", U8, VALUES, TRM_TARGET_CLASS, true, classes.names.bytes),
    [TRM_SA_NUMBERS] = ARRAY("/target/numbers", F32, EACH, TRM_TARGET_NUMBER, true, numbers),
    [TRM_SA_TARGET_OFFSETS] =
        ARRAY("/target/offsets", I64, OFFSETS, TRM_TARGET_TOKENS, true, targets.offsets),
    [TRM_SA_TARGET_VALUES] =
        ARRAY("/target/values", I32, VALUES, TRM_TARGET_TOKENS, true, targets.values),
    [TRM_SA_TEXT_OFFSETS] =
        ARRAY("/target/texts/offsets", I64, OFFSETS, TRM_TARGET_TOKENS, false, references.offsets),
    [TRM_SA_TEXT_BYTES] =
        ARRAY("/target/texts/bytes", U8, VALUES, TRM_TARGET_TOKENS, true, references.bytes),
    [TRM_SA_GROUPS] = ARRAY("/groups", I32, EACH, -1, false, groups),
};
#undef ARRAY

const void *trm_sample_array_of(const trm_samples *samples, int place) {
  const trm_sample_array *a = &trm_sample_arrays[place];
  const void *array;
  if (a->target >= 0 && a->target != (int)samples->target) return NULL;
  memcpy(&array, (const unsigned char *)samples + a->data, sizeof array);
  return array;
}

int64_t trm_sample_elements(const trm_samples *samples, int place) {
  if (!trm_sample_array_of(samples, place)) return -1;
  switch (trm_sample_arrays[place].length) {
  case TRM_SAMPLE_ROWS:
  case TRM_SAMPLE_OFFSETS:
    return samples->n + 1;
  case TRM_SAMPLE_EACH:
    return samples->n;
  case TRM_SAMPLE_NAMES:
    return samples->classes.names.n + 1;
  case TRM_SAMPLE_VALUES:
    break;
  }
  const int64_t *offsets = trm_sample_array_of(samples, place - 1);
  const int64_t n = trm_sample_elements(samples, place - 1);
  return n > 0 ? offsets[n - 1] : -1;
}

void trm_sample_split_name(int split, int subset, char name[TRM_SAMPLE_NAME_BYTES]) {
  (void)snprintf(name, TRM_SAMPLE_NAME_BYTES, "/splits/%d/%s", split,
                 trm_subset_name((trm_subset)subset));
}

/* ---- digest ----------------------------------------------------------------------------------- */

/* Count, then elements in pieces, as the digest of a graph. */
static uint64_t digest_array(const void *data, int64_t n, trm_dtype dtype, uint64_t h) {
  const size_t bytes = trm_dtype_bytes(dtype);
  h = trm_hash64(&n, sizeof n, h);
  for (int64_t first = 0; first < n; first += TRM_PIECE_TOKENS) {
    const int64_t here = trm_min_i64(n - first, TRM_PIECE_TOKENS);
    h = trm_hash64((const unsigned char *)data + (size_t)first * bytes, (size_t)here * bytes, h);
  }
  return h;
}

static uint64_t digest_vocab(const trm_vocab *vocab, uint64_t h) {
  const int64_t specials[] = {vocab->unk, vocab->bos, vocab->eos};
  h = trm_hash64(vocab->unit, strlen(vocab->unit), h);
  h = trm_hash64(specials, sizeof specials, h);
  h = digest_array(vocab->offsets, vocab->n + 1, TRM_DTYPE_I64, h);
  h = digest_array(vocab->bytes, vocab->offsets[vocab->n], TRM_DTYPE_U8, h);
  return digest_array(vocab->model, vocab->model ? vocab->n_model : -1, TRM_DTYPE_U8, h);
}

uint64_t trm_samples_digest(const trm_samples *s) {
  static const char kind[] = "samples";
  const char *input = trm_sample_input_names[s->input],
             *target = trm_sample_target_names[s->target];
  const int64_t scalars[] = {s->classes.n, s->shared_vocab};
  uint64_t h = trm_hash64(kind, strlen(kind), 0);
  h = trm_hash64(input, strlen(input), h);
  h = trm_hash64(target, strlen(target), h);
  h = trm_hash64(scalars, sizeof scalars, h);
  for (int i = 0; i < TRM_N_SAMPLE_PLACES; ++i) {
    h = digest_array(trm_sample_array_of(s, i), trm_sample_elements(s, i),
                     trm_sample_arrays[i].dtype, h);
  }
  h = digest_vocab(&s->input_vocab, h);
  if (s->target == TRM_TARGET_TOKENS && !s->shared_vocab) h = digest_vocab(&s->target_vocab, h);
  for (int i = 0; i < s->n_splits * TRM_N_SUBSETS; ++i) {
    h = digest_array(s->splits[i].ids, s->splits[i].n, TRM_DTYPE_I32, h);
  }
  return h;
}
