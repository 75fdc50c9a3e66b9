/** Reading the arrays of a file of samples: sizes first, which are bounded by bytes in the file. */
#include <inttypes.h>
#include <string.h>

#include "labels_internal.h"
#include "samples_internal.h"
#include "split_names_internal.h"
#include "trireme/core/memory.h"

/* Finds an array, info->n_dims = -1 when it is not there: its dimensions, and integers where they must
 * be. */
static trm_status find(const trm_samples_file *f, const char *name, trm_dtype dtype, int n_dims,
                       bool required, trm_array_info *info) {
  info->n_dims = -1;
  if (!trm_container_has(f->file, name)) {
    if (!required) return TRM_OK;
    return trm_fail(TRM_ERR_DATA,
                    "%s: no array '%s', which samples with input %s and target %s must have",
                    f->path, name, trm_sample_input_names[f->data.input],
                    trm_sample_target_names[f->data.target]);
  }
  TRM_TRY(trm_array_info_get(f->file, name, info));
  if (n_dims == 1 && info->n_dims == 2 && (info->dims[0] == 1 || info->dims[1] == 1)) {
    info->n_dims = 1; /* of a tool that knows matrices alone */
    info->dims[0] = info->n_elements;
  }
  if (info->n_dims == n_dims) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: array '%s' is %s with %d dimension%s, expected %s with %d",
                  f->path, name, trm_dtype_name(info->dtype), info->n_dims,
                  info->n_dims == 1 ? "" : "s", dtype == TRM_DTYPE_F32 ? "numbers" : "integers",
                  n_dims);
}

/* " along dimension 2" of several. */
typedef struct dimension_text {
  char text[32];
} dimension_text;

static dimension_text along(int n_dims, int d) {
  dimension_text t = {""};
  if (n_dims > 1) (void)snprintf(t.text, sizeof t.text, " along dimension %d", d + 1);
  return t;
}

static trm_status no_count(const trm_samples_file *f, const char *name, dimension_text where,
                           int64_t n, const trm_sample_count *c) {
  return trm_fail(TRM_ERR_DATA,
                  "%s: array '%s' has %" PRId64 " elements%s, expected %s%s, of which there are "
                  "from %" PRId64 " to 2147483647",
                  f->path, name, n, where.text, c->more ? "one more than the " : "the ", c->what,
                  c->least);
}

/* The length n of a dimension tells a count, or must agree with it. */
static trm_status check_dimension(trm_samples_file *f, int place, int d, int64_t n) {
  const trm_sample_array *a = &trm_sample_arrays[place];
  const trm_sample_count *c = &trm_sample_counts[a->axes[d]];
  const dimension_text where = along(trm_sample_array_dims(a), d);
  const int64_t expected = trm_sample_axis_length(&f->data, a->axes[d]), count = n - c->more;
  if (expected == c->more) { /* not told yet */
    if (count < c->least || count > INT32_MAX) return no_count(f, a->name, where, n, c);
    memcpy((unsigned char *)&f->data + c->count, &count, sizeof count);
    return TRM_OK;
  }
  if (n == expected) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: array '%s' has %" PRId64 " elements%s, expected %" PRId64 " for %" PRId64
                  " %s",
                  f->path, a->name, n, where.text, expected, expected - c->more, c->what);
}

/* Offsets that start at 0, never fall, and end where the values end. */
static trm_status check_offsets(const trm_samples_file *f, int place, int64_t n, int64_t end) {
  const char *name = trm_sample_arrays[place].name, *values = trm_sample_arrays[place + 1].name;
  const int64_t *offsets = f->arrays[place];
  for (int64_t i = 0; i < n; ++i) {
    const int64_t last = i > 0 ? offsets[i - 1] : 0;
    if (offsets[i] >= last && offsets[i] <= end && (i > 0 || offsets[i] == 0)) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: '%s' is %" PRId64 " at index %" PRId64
                    "; offsets start at 0, never fall (%" PRId64 " before) and end at %" PRId64
                    ", the length of '%s'",
                    f->path, name, offsets[i], i, last, end, values);
  }
  if (offsets[n - 1] == end) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: '%s' ends at %" PRId64 ", but '%s' has %" PRId64 " elements",
                  f->path, name, offsets[n - 1], values, end);
}

/* Names of classes are read later; how many there are is told by an attribute, or their offsets. */
static trm_status read_labels(trm_samples_file *f, int64_t n) {
  const char *name = trm_sample_arrays[TRM_SA_LABELS].name,
             *names = trm_sample_arrays[TRM_SA_CLASS_OFFSETS].name;
  int64_t told = -1;
  trm_array_info info;
  if (trm_attr_has(f->file, name, "n_classes")) {
    TRM_TRY(trm_attr_read_int(f->file, name, "n_classes", &told));
  } else if (trm_container_has(f->file, names)) {
    TRM_TRY(trm_array_info_get(f->file, names, &info));
    told = info.n_elements - 1;
  }
  return trm_labels_read(f->file, name, told, f->arrays[TRM_SA_LABELS], n);
}

static trm_status read_array(trm_samples_file *f, int place) {
  const trm_sample_array *a = &trm_sample_arrays[place];
  const bool ends = a->axes[0] == TRM_AXIS_ENDS;
  const int n_dims = trm_sample_array_dims(a);
  trm_array_info info;
  if (!trm_sample_array_belongs(&f->data, place)) return TRM_OK;
  if (ends && !f->arrays[place - 1]) return TRM_OK;
  TRM_TRY(find(f, a->name, a->dtype, n_dims, a->required, &info));
  if (info.n_dims < 0) return TRM_OK;
  for (int d = 0; d < n_dims && !ends; ++d) TRM_TRY(check_dimension(f, place, d, info.dims[d]));
  const int64_t n = info.n_elements;
  TRM_TRY(trm_alloc_bytes(&f->arrays[place], n, trm_dtype_bytes(a->dtype), a->name));
  TRM_TRY(place == TRM_SA_LABELS ? read_labels(f, n)
                                 : trm_array_read(f->file, a->name, a->dtype, f->arrays[place], n));
  memcpy((unsigned char *)&f->data + a->data, &f->arrays[place], sizeof(void *));
  return ends ? check_offsets(f, place - 1, trm_sample_elements(&f->data, place - 1), n) : TRM_OK;
}

/* Inputs first: they tell how many samples there are. */
trm_status trm_samples_read_arrays(trm_samples_file *f) {
  for (int inputs = 1; inputs >= 0; --inputs) {
    for (int i = 0; i < TRM_N_SAMPLE_PLACES; ++i) {
      if ((trm_sample_arrays[i].inputs != ~0U) == inputs) TRM_TRY(read_array(f, i));
    }
  }
  return TRM_OK;
}

/* ---- splits ----------------------------------------------------------------------------------- */

/* How many splits: numbered from 0 without a gap. */
static trm_status count_splits(trm_samples_file *f) {
  char name[TRM_SAMPLE_NAME_BYTES];
  int64_t n_groups = 0;
  int n = 0;
  if (!trm_container_has(f->file, "/splits")) return TRM_OK;
  TRM_TRY(trm_container_count(f->file, "/splits", &n_groups));
  for (;; ++n) {
    (void)snprintf(name, sizeof name, "/splits/%d", n);
    if (n == INT32_MAX / 8 || !trm_container_has(f->file, name)) break;
  }
  TRM_TRY(trm_split_names_check(f->file, n));
  f->data.n_splits = n;
  if (n > 0 && n_groups == n) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: group '/splits' has %" PRId64 " members, but no '/splits/%d'; splits are "
                  "numbered from 0 without gaps",
                  f->path, n_groups, n);
}

/* The sizes of all subsets; *total: of all together. */
static trm_status size_splits(trm_samples_file *f, int64_t *total) {
  char name[TRM_SAMPLE_NAME_BYTES];
  trm_array_info info;
  *total = 0;
  for (int i = 0; i < f->data.n_splits * TRM_N_SUBSETS; ++i) {
    trm_ids *subset = &f->splits[i];
    trm_sample_split_name(i / TRM_N_SUBSETS, i % TRM_N_SUBSETS, name);
    TRM_TRY(find(f, name, TRM_DTYPE_I32, 1, i % TRM_N_SUBSETS == TRM_SUBSET_TRAIN, &info));
    subset->n = info.n_dims < 0 ? 0 : info.n_elements;
    *total += subset->n;
    if (subset->n > f->data.n) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: array '%s' has %" PRId64 " elements, there are %" PRId64 " samples",
                      f->path, name, subset->n, f->data.n);
    }
    if (subset->n > 0 || i % TRM_N_SUBSETS != TRM_SUBSET_TRAIN) continue;
    return trm_fail(TRM_ERR_DATA, "%s: '%s' is empty; a split needs samples to train on", f->path,
                    name);
  }
  return TRM_OK;
}

trm_status trm_samples_read_splits(trm_samples_file *f) {
  char name[TRM_SAMPLE_NAME_BYTES];
  int64_t total;
  TRM_TRY(count_splits(f));
  const int n = f->data.n_splits * TRM_N_SUBSETS;
  if (n == 0) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&f->splits, n, "splits of samples"));
  f->data.splits = f->splits;
  TRM_TRY(size_splits(f, &total));
  TRM_TRY(TRM_ALLOC(&f->ids, total, "splits of samples"));
  int32_t *next = f->ids;
  for (int i = 0; i < n; ++i) {
    f->splits[i].ids = next;
    if (f->splits[i].n == 0) continue;
    trm_sample_split_name(i / TRM_N_SUBSETS, i % TRM_N_SUBSETS, name);
    TRM_TRY(trm_array_read(f->file, name, TRM_DTYPE_I32, next, f->splits[i].n));
    if (f->splits[i].n == f->data.n) f->splits[i].n = trm_mask_to_ids(next, f->data.n);
    if (f->splits[i].n == 0 && i % TRM_N_SUBSETS == TRM_SUBSET_TRAIN) {
      return trm_fail(TRM_ERR_DATA, "%s: '%s' has no 1; a split needs samples to train on", f->path,
                      name);
    }
    next += f->splits[i].n;
  }
  return TRM_OK;
}
