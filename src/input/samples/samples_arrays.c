/** The arrays of a data set of samples: the list of them, and its content hash. */
#include <string.h>

#include "samples_internal.h"
#include "trireme/core/hash.h"
#include "trireme/core/integers.h"

const char *const trm_sample_input_names[TRM_N_SAMPLE_INPUTS] = {
    [TRM_INPUT_TOKENS] = "tokens",
    [TRM_INPUT_IMAGE] = "image",
    [TRM_INPUT_ROW] = "row",
};
const char *const trm_sample_target_names[TRM_N_SAMPLE_TARGETS] = {
    [TRM_TARGET_CLASS] = "class",   [TRM_TARGET_NUMBER] = "number",
    [TRM_TARGET_TOKENS] = "tokens", [TRM_TARGET_CLASSES] = "classes",
    [TRM_TARGET_NONE] = "none",
};

#define COUNT(member, more, least, what)                                                           \
  { offsetof(trm_samples, member), more, least, what }
const trm_sample_count trm_sample_counts[TRM_N_SAMPLE_AXES] = {
    [TRM_AXIS_SAMPLES] = COUNT(n, 0, 1, "samples"),
    [TRM_AXIS_SAMPLES_1] = COUNT(n, 1, 1, "samples"),
    [TRM_AXIS_CLASSES_1] = COUNT(classes.names.n, 1, 1, "classes"),
    [TRM_AXIS_CHANNELS] = COUNT(images.channels, 0, 1, "channels"),
    [TRM_AXIS_HEIGHT] = COUNT(images.height, 0, 1, "rows of pixels"),
    [TRM_AXIS_WIDTH] = COUNT(images.width, 0, 1, "pixels of a row"),
    [TRM_AXIS_NUMBERS] = COUNT(table.n_numbers, 0, 1, "columns of numbers"),
    [TRM_AXIS_NUMBERS_1] = COUNT(table.n_numbers, 1, 1, "columns of numbers"),
    [TRM_AXIS_CATEGORIES] = COUNT(table.n_categories, 0, 1, "columns of categories"),
    [TRM_AXIS_CATEGORIES_1] = COUNT(table.n_categories, 1, 1, "columns of categories"),
    [TRM_AXIS_LEVELS_1] = COUNT(table.level_names.n, 1, 0, "levels of all columns"),
};
#undef COUNT

/* Who has an array, and along which axes it runs. */
#define INPUT(name) (1U << TRM_INPUT_##name)
#define TARGET(name) (1U << TRM_TARGET_##name)
#define ANY (~0U)
#define AXES(...)                                                                                  \
  { __VA_ARGS__ }
#define ARRAY(name, type, axes, inputs, targets, required, member)                                 \
  { name, TRM_DTYPE_##type, axes, inputs, targets, required, offsetof(trm_samples, member) }
#define OFFSETS(name, axis, inputs, targets, required, member)                                     \
  ARRAY(name, I64, AXES(TRM_AXIS_##axis##_1), inputs, targets, required, member)
#define VALUES(name, type, inputs, targets, member)                                                \
  ARRAY(name, type, AXES(TRM_AXIS_ENDS), inputs, targets, true, member)
#define EACH(name, type, targets, required, member)                                                \
  ARRAY(name, type, AXES(TRM_AXIS_SAMPLES), ANY, targets, required, member)
const trm_sample_array trm_sample_arrays[TRM_N_SAMPLE_PLACES] = {
    [TRM_SA_INPUT_OFFSETS] =
        OFFSETS("/input/offsets", SAMPLES, INPUT(TOKENS), ANY, true, inputs.offsets),
    [TRM_SA_INPUT_VALUES] = VALUES("/input/values", I32, INPUT(TOKENS), ANY, inputs.values),
    [TRM_SA_LABELS] = EACH("/target/labels", I32, TARGET(CLASS), true, classes.labels),
    [TRM_SA_CLASS_OFFSETS] = OFFSETS("/classes/offsets", CLASSES, ANY,
                                     TARGET(CLASS) | TARGET(CLASSES), false, classes.names.offsets),
    [TRM_SA_CLASS_BYTES] =
        VALUES("/classes/bytes", U8, ANY, TARGET(CLASS) | TARGET(CLASSES), classes.names.bytes),
    [TRM_SA_NUMBERS] = EACH("/target/numbers", F32, TARGET(NUMBER), true, numbers),
    [TRM_SA_TARGET_OFFSETS] =
        OFFSETS("/target/offsets", SAMPLES, ANY, TARGET(TOKENS), true, targets.offsets),
    [TRM_SA_TARGET_VALUES] = VALUES("/target/values", I32, ANY, TARGET(TOKENS), targets.values),
    [TRM_SA_TEXT_OFFSETS] =
        OFFSETS("/target/texts/offsets", SAMPLES, ANY, TARGET(TOKENS), false, references.offsets),
    [TRM_SA_TEXT_BYTES] = VALUES("/target/texts/bytes", U8, ANY, TARGET(TOKENS), references.bytes),
    [TRM_SA_GROUPS] = EACH("/groups", I32, ANY, false, groups),
    [TRM_SA_PIXELS] =
        ARRAY("/input/pixels", U8,
              AXES(TRM_AXIS_SAMPLES, TRM_AXIS_CHANNELS, TRM_AXIS_HEIGHT, TRM_AXIS_WIDTH),
              INPUT(IMAGE), ANY, true, images.pixels),
    [TRM_SA_ROW_NUMBERS] = ARRAY("/input/numbers", F32, AXES(TRM_AXIS_SAMPLES, TRM_AXIS_NUMBERS),
                                 INPUT(ROW), ANY, false, table.numbers),
    [TRM_SA_NUMBER_NAME_OFFSETS] = OFFSETS("/input/number_names/offsets", NUMBERS, INPUT(ROW), ANY,
                                           false, table.number_names.offsets),
    [TRM_SA_NUMBER_NAME_BYTES] =
        VALUES("/input/number_names/bytes", U8, INPUT(ROW), ANY, table.number_names.bytes),
    [TRM_SA_ROW_CATEGORIES] =
        ARRAY("/input/categories", I32, AXES(TRM_AXIS_SAMPLES, TRM_AXIS_CATEGORIES), INPUT(ROW),
              ANY, false, table.categories),
    [TRM_SA_CATEGORY_NAME_OFFSETS] = OFFSETS("/input/category_names/offsets", CATEGORIES,
                                             INPUT(ROW), ANY, false, table.category_names.offsets),
    [TRM_SA_CATEGORY_NAME_BYTES] =
        VALUES("/input/category_names/bytes", U8, INPUT(ROW), ANY, table.category_names.bytes),
    [TRM_SA_LEVELS] = OFFSETS("/input/levels", CATEGORIES, INPUT(ROW), ANY, false, table.levels),
    [TRM_SA_LEVEL_NAME_OFFSETS] = OFFSETS("/input/level_names/offsets", LEVELS, INPUT(ROW), ANY,
                                          false, table.level_names.offsets),
    [TRM_SA_LEVEL_NAME_BYTES] =
        VALUES("/input/level_names/bytes", U8, INPUT(ROW), ANY, table.level_names.bytes),
    [TRM_SA_SET_OFFSETS] =
        OFFSETS("/target/offsets", SAMPLES, ANY, TARGET(CLASSES), true, class_sets.offsets),
    [TRM_SA_SET_VALUES] = VALUES("/target/values", I32, ANY, TARGET(CLASSES), class_sets.values),
    [TRM_SA_NAME_OFFSETS] = OFFSETS("/names/offsets", SAMPLES, ANY, ANY, false, names.offsets),
    [TRM_SA_NAME_BYTES] = VALUES("/names/bytes", U8, ANY, ANY, names.bytes),
};
#undef INPUT
#undef TARGET
#undef ANY
#undef AXES
#undef ARRAY
#undef OFFSETS
#undef VALUES
#undef EACH

bool trm_sample_array_belongs(const trm_samples *samples, int place) {
  const trm_sample_array *a = &trm_sample_arrays[place];
  return (a->inputs >> samples->input & 1U) && (a->targets >> samples->target & 1U);
}

int trm_sample_array_dims(const trm_sample_array *array) {
  int n = 0;
  while (n < TRM_MAX_DIMS && array->axes[n] != TRM_AXIS_NONE) ++n;
  return n;
}

const void *trm_sample_array_of(const trm_samples *samples, int place) {
  const trm_sample_array *a = &trm_sample_arrays[place];
  const void *array;
  if (!trm_sample_array_belongs(samples, place)) return NULL;
  memcpy(&array, (const unsigned char *)samples + a->data, sizeof array);
  return array;
}

int64_t trm_sample_axis_length(const trm_samples *samples, trm_sample_axis axis) {
  const trm_sample_count *c = &trm_sample_counts[axis];
  int64_t count;
  memcpy(&count, (const unsigned char *)samples + c->count, sizeof count);
  return count + c->more;
}

int trm_sample_shape(const trm_samples *samples, int place, int64_t dims[TRM_MAX_DIMS]) {
  const trm_sample_array *a = &trm_sample_arrays[place];
  if (!trm_sample_array_of(samples, place)) return 0;
  if (a->axes[0] == TRM_AXIS_ENDS) {
    const int64_t *offsets = trm_sample_array_of(samples, place - 1);
    if (!offsets) return 0;
    dims[0] = offsets[trm_sample_elements(samples, place - 1) - 1];
    return 1;
  }
  const int n = trm_sample_array_dims(a);
  for (int d = 0; d < n; ++d) dims[d] = trm_sample_axis_length(samples, a->axes[d]);
  return n;
}

int64_t trm_sample_elements(const trm_samples *samples, int place) {
  int64_t dims[TRM_MAX_DIMS], elements = 1;
  const int n = trm_sample_shape(samples, place, dims);
  for (int d = 0; d < n; ++d) elements *= dims[d];
  return n == 0 ? -1 : elements;
}

int trm_sample_classes_place(const trm_samples *samples) {
  if (samples->target == TRM_TARGET_CLASS) return TRM_SA_LABELS;
  return samples->target == TRM_TARGET_CLASSES ? TRM_SA_SET_VALUES : -1;
}

void trm_sample_split_name(int split, int subset, char name[TRM_SAMPLE_NAME_BYTES]) {
  (void)snprintf(name, TRM_SAMPLE_NAME_BYTES, "/splits/%d/%s", split,
                 trm_subset_name((trm_subset)subset));
}

/* ---- digest ----------------------------------------------------------------------------------- */

/* Elements in pieces. */
static uint64_t digest_elements(const void *data, int64_t n, trm_dtype dtype, uint64_t h) {
  const size_t bytes = trm_dtype_bytes(dtype);
  for (int64_t first = 0; first < n; first += TRM_PIECE_TOKENS) {
    const int64_t here = trm_min_i64(n - first, TRM_PIECE_TOKENS);
    h = trm_hash64((const unsigned char *)data + (size_t)first * bytes, (size_t)here * bytes, h);
  }
  return h;
}

/* Count, then elements, as the digest of a graph. */
static uint64_t digest_array(const void *data, int64_t n, trm_dtype dtype, uint64_t h) {
  return digest_elements(data, n, dtype, trm_hash64(&n, sizeof n, h));
}

/* As many of the list as there were before images and rows count as absent, later ones do not count,
 * where a data set has other inputs or targets. */
static uint64_t digest_place(const trm_samples *s, int place, uint64_t h) {
  int64_t dims[TRM_MAX_DIMS] = {-1};
  if (place >= TRM_SA_PIXELS && !trm_sample_array_belongs(s, place)) return h;
  const int n = trm_sample_shape(s, place, dims);
  h = trm_hash64(dims, (size_t)(n ? n : 1) * sizeof *dims, h);
  return digest_elements(trm_sample_array_of(s, place), trm_sample_elements(s, place),
                         trm_sample_arrays[place].dtype, h);
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
  for (int i = 0; i < TRM_SA_NAME_OFFSETS; ++i) h = digest_place(s, i, h);
  if (s->input == TRM_INPUT_TOKENS) h = digest_vocab(&s->input_vocab, h);
  if (s->target == TRM_TARGET_TOKENS && !s->shared_vocab) h = digest_vocab(&s->target_vocab, h);
  for (int i = 0; i < s->n_splits * TRM_N_SUBSETS; ++i) {
    h = digest_array(s->splits[i].ids, s->splits[i].n, TRM_DTYPE_I32, h);
  }
  return h;
}
