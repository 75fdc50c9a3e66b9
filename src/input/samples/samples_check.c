/** Every element of a data set of samples. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "samples_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

enum { MOST_CLASSES = 1 << 20 };

/* ---- arrays ----------------------------------------------------------------------------------- */

/* Ids in [0, high); the extremes first, which the compiler vectorises. */
static trm_status check_ids(const trm_samples_file *f, const char *name, const int32_t *ids,
                            int64_t n, int64_t high, const char *of) {
  int32_t least = INT32_MAX, most = INT32_MIN;
  for (int64_t i = 0; i < n; ++i) {
    least = ids[i] < least ? ids[i] : least;
    most = ids[i] > most ? ids[i] : most;
  }
  if (n == 0 || (least >= 0 && most < high)) return TRM_OK;
  int64_t bad = 0;
  while (ids[bad] >= 0 && ids[bad] < high) ++bad;
  return trm_fail(TRM_ERR_DATA,
                  "%s: '%s' is %d at index %" PRId64 ", out of [0, %" PRId64 "), the %s", f->path,
                  name, (int)ids[bad], bad, high, of);
}

static trm_status check_tokens(const trm_samples_file *f, int values, const trm_vocab *vocab) {
  return check_ids(f, trm_sample_arrays[values].name, f->arrays[values],
                   trm_sample_elements(&f->data, values), vocab->n, "tokens of its vocabulary");
}

static trm_status check_inputs(trm_samples_file *f) {
  if (f->data.input == TRM_INPUT_ROW) return trm_samples_check_table(f);
  if (f->data.input == TRM_INPUT_IMAGE) return TRM_OK; /* a byte is a pixel */
  const int64_t *offsets = f->data.inputs.offsets;
  for (int64_t i = 0; i < f->data.n; ++i) {
    if (offsets[i] < offsets[i + 1]) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: the input of sample %" PRId64 " is empty; an input has one token at least",
                    f->path, i);
  }
  return check_tokens(f, TRM_SA_INPUT_VALUES, &f->data.input_vocab);
}

/* How many classes: what the attribute tells, or the names, or one more than the highest label. */
static trm_status count_classes(trm_samples_file *f) {
  trm_classes *classes = &f->data.classes;
  int64_t told = classes->names.n > 0 ? classes->names.n : -1;
  const int place = trm_sample_classes_place(&f->data);
  const char *name = trm_sample_arrays[place].name;
  if (trm_attr_has(f->file, name, "n_classes")) {
    int64_t n;
    TRM_TRY(trm_attr_read_int(f->file, name, "n_classes", &n));
    if (told >= 0 && told != n) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: attribute 'n_classes' of '%s' is %" PRId64 ", '/classes' has %" PRId64
                      " names",
                      f->path, name, n, told);
    }
    told = n;
  }
  if (told < 0) {
    const int32_t *labels = f->arrays[place];
    const int64_t n = trm_sample_elements(&f->data, place);
    told = 0;
    for (int64_t i = 0; i < n; ++i) told = trm_max_i64(told, (int64_t)labels[i] + 1);
  }
  if (told < 1 || told > MOST_CLASSES) {
    return trm_fail(TRM_ERR_DATA, "%s: '%s' has %" PRId64 " classes, expected 1 to %d", f->path,
                    name, told, MOST_CLASSES);
  }
  classes->n = (int)told;
  return TRM_OK;
}

/* The classes of a sample rise, so that each is there once. */
static trm_status check_sets(const trm_samples_file *f) {
  const trm_ragged *sets = &f->data.class_sets;
  for (int64_t i = 0; i < f->data.n; ++i) {
    for (int64_t k = sets->offsets[i] + 1; k < sets->offsets[i + 1]; ++k) {
      if (sets->values[k] > sets->values[k - 1]) continue;
      return trm_fail(TRM_ERR_DATA,
                      "%s: '%s' is %d at index %" PRId64
                      " after %d; the classes of a sample (%" PRId64 ") must rise, each once",
                      f->path, trm_sample_arrays[TRM_SA_SET_VALUES].name, (int)sets->values[k], k,
                      (int)sets->values[k - 1], i);
    }
  }
  return TRM_OK;
}

/* What is said of no label in files of other tools has become -1. */
static trm_status check_labelled(const trm_samples_file *f) {
  const int32_t *labels = f->arrays[TRM_SA_LABELS];
  for (int64_t i = 0; labels && i < f->data.n; ++i) {
    if (labels[i] != -1) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: '%s' says of sample %" PRId64
                    " that it has no label (-1, NaN, or the largest value of its type); leave such "
                    "samples out, or all labels (attribute target: none) for a data set to predict",
                    f->path, trm_sample_arrays[TRM_SA_LABELS].name, i);
  }
  return TRM_OK;
}

static trm_status check_classes(trm_samples_file *f) {
  const int place = trm_sample_classes_place(&f->data);
  TRM_TRY(check_labelled(f));
  TRM_TRY(count_classes(f));
  return check_ids(f, trm_sample_arrays[place].name, f->arrays[place],
                   trm_sample_elements(&f->data, place), f->data.classes.n, "classes");
}

static trm_status check_numbers(const trm_samples_file *f) {
  for (int64_t i = 0; i < f->data.n; ++i) {
    if (isfinite(f->data.numbers[i])) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: '%s' is %f at index %" PRId64 "; targets must be finite numbers", f->path,
                    trm_sample_arrays[TRM_SA_NUMBERS].name, (double)f->data.numbers[i], i);
  }
  return TRM_OK;
}

static trm_status check_targets(trm_samples_file *f) {
  trm_samples *s = &f->data;
  switch (s->target) {
  case TRM_TARGET_CLASS:
    return check_classes(f);
  case TRM_TARGET_CLASSES:
    TRM_TRY(check_classes(f));
    return check_sets(f);
  case TRM_TARGET_NUMBER:
    return check_numbers(f);
  case TRM_TARGET_NONE:
    return TRM_OK;
  default:
    return check_tokens(f, TRM_SA_TARGET_VALUES, &s->target_vocab);
  }
}

/* ---- groups ----------------------------------------------------------------------------------- */

/* Groups of images and of rows belong together, for whatever reason; those of tokens are one input with
 * several targets. */
static bool may_group(const trm_samples *s, int64_t a, int64_t b) {
  if (s->input != TRM_INPUT_TOKENS) return true;
  const int64_t *o = s->inputs.offsets, n = o[a + 1] - o[a];
  return n == o[b + 1] - o[b] && memcmp(s->inputs.values + o[a], s->inputs.values + o[b],
                                        (size_t)n * sizeof *s->inputs.values) == 0;
}

/* first[n]: the first sample of each group, -1 where there is none. */
static trm_status check_groups(const trm_samples_file *f, int32_t *first) {
  const trm_samples *s = &f->data;
  TRM_TRY(check_ids(f, trm_sample_arrays[TRM_SA_GROUPS].name, s->groups, s->n, s->n,
                    "numbers of groups, one a sample at most"));
  for (int64_t i = 0; i < s->n; ++i) first[i] = -1;
  for (int64_t i = 0; i < s->n; ++i) {
    int32_t *lead = &first[s->groups[i]];
    if (*lead < 0) *lead = (int32_t)i;
    if (may_group(s, *lead, i)) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: samples %d and %" PRId64 " are in group %d, but their inputs differ",
                    f->path, (int)*lead, i, (int)s->groups[i]);
  }
  return TRM_OK;
}

/* ---- splits ----------------------------------------------------------------------------------- */

/* Rising ids of samples that are in no other subset of the split; taken[n]: 1 more than the subset. */
static trm_status check_subset(const trm_samples_file *f, int split, int subset, uint8_t *taken) {
  const trm_ids *list = &f->data.splits[split * TRM_N_SUBSETS + subset];
  char name[TRM_SAMPLE_NAME_BYTES], other[TRM_SAMPLE_NAME_BYTES];
  trm_sample_split_name(split, subset, name);
  TRM_TRY(check_ids(f, name, list->ids, list->n, f->data.n, "samples"));
  for (int64_t i = 0; i < list->n; ++i) {
    const int32_t id = list->ids[i];
    if (i > 0 && id <= list->ids[i - 1]) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: '%s' is %d at index %" PRId64 " after %d; ids must be rising, each once",
                      f->path, name, (int)id, i, (int)list->ids[i - 1]);
    }
    if (taken[id]) {
      trm_sample_split_name(split, taken[id] - 1, other);
      return trm_fail(TRM_ERR_DATA,
                      "%s: sample %d is in '%s' and in '%s'; the parts of a split must not overlap",
                      f->path, (int)id, other, name);
    }
    taken[id] = (uint8_t)(subset + 1);
  }
  return TRM_OK;
}

/* A group is in one subset, whole, or in none. */
static trm_status check_whole_groups(const trm_samples_file *f, int split, const uint8_t *taken,
                                     const int32_t *first) {
  const trm_samples *s = &f->data;
  for (int64_t i = 0; i < s->n; ++i) {
    const int32_t lead = first[s->groups[i]];
    if (taken[i] == taken[lead]) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: samples %d and %" PRId64 " are in group %d, but '/splits/%d' parts them",
                    f->path, (int)lead, i, (int)s->groups[i], split);
  }
  return TRM_OK;
}

static trm_status check_splits(const trm_samples_file *f, uint8_t *taken, const int32_t *first) {
  for (int k = 0; k < f->data.n_splits; ++k) {
    memset(taken, 0, (size_t)f->data.n);
    for (int p = 0; p < TRM_N_SUBSETS; ++p) TRM_TRY(check_subset(f, k, p, taken));
    if (first) TRM_TRY(check_whole_groups(f, k, taken, first));
  }
  return TRM_OK;
}

/* ---- all -------------------------------------------------------------------------------------- */

static int64_t longest(const int64_t *offsets, int64_t n) {
  int64_t most = 0;
  for (int64_t i = 0; i < n; ++i) most = trm_max_i64(most, offsets[i + 1] - offsets[i]);
  return most;
}

trm_status trm_samples_check(trm_samples_file *f) {
  trm_samples *s = &f->data;
  int32_t *first = NULL;
  uint8_t *taken = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(check_inputs(f));
  TRM_TRY(check_targets(f));
  if (s->groups) {
    TRM_TRY_OUT(TRM_ALLOC(&first, s->n, "check of groups"));
    TRM_TRY_OUT(check_groups(f, first));
  }
  TRM_TRY_OUT(TRM_ALLOC(&taken, s->n, "check of splits"));
  TRM_TRY_OUT(check_splits(f, taken, first));
  if (s->references.offsets) s->references.n = s->n;
  if (s->names.offsets) s->names.n = s->n;
  if (s->inputs.offsets) s->longest_input = longest(s->inputs.offsets, s->n);
  if (s->targets.offsets) s->longest_target = longest(s->targets.offsets, s->n);
out:
  TRM_FREE(first);
  TRM_FREE(taken);
  return status;
}
