#include "value_facts.h"

#include <inttypes.h>
#include <string.h>

#include "names_facts.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "vocab_facts.h"

enum { SHOWN_BYTES = 60 };

static const char fact_size[] = "image/size", fact_center[] = "scale/center",
                  fact_scale[] = "scale/deviation", fact_fill[] = "scale/fill",
                  fact_flag[] = "scale/flag", fact_levels[] = "table/levels";

static const trm_names_fact number_names = {"table/numbers/offsets", "table/numbers/bytes"},
                            category_names = {"table/categories/offsets", "table/categories/bytes"},
                            level_names = {"table/level_names/offsets", "table/level_names/bytes"};

/* ---- put ------------------------------------------------------------------------------------- */

static trm_status put_table(trm_facts *facts, const trm_table *t, const trm_sample_scale *s) {
  static const int64_t none = 0;
  TRM_TRY(trm_facts_put_array(facts, fact_fill, TRM_DTYPE_F32, s->n, s->fill));
  TRM_TRY(trm_facts_put_array(facts, fact_flag, TRM_DTYPE_U8, s->n, s->flag));
  TRM_TRY(trm_names_fact_put(facts, number_names, &t->number_names));
  TRM_TRY(trm_names_fact_put(facts, category_names, &t->category_names));
  TRM_TRY(trm_names_fact_put(facts, level_names, &t->level_names));
  return trm_facts_put_array(facts, fact_levels, TRM_DTYPE_I64, t->n_categories + 1,
                             t->n_categories > 0 ? t->levels : &none);
}

trm_status trm_value_facts_put(trm_facts *facts, const trm_sample_view *view) {
  const trm_samples *data = view->data;
  const trm_sample_scale *s = view->scale;
  if (data->input == TRM_INPUT_TOKENS) return TRM_OK;
  TRM_TRY(trm_facts_put_array(facts, fact_center, TRM_DTYPE_F32, s->n, s->center));
  TRM_TRY(trm_facts_put_array(facts, fact_scale, TRM_DTYPE_F32, s->n, s->scale));
  if (data->input == TRM_INPUT_ROW) return put_table(facts, &data->table, s);
  const int64_t size[3] = {data->images.height, data->images.width, data->images.channels};
  return trm_facts_put_array(facts, fact_size, TRM_DTYPE_I64, 3, size);
}

/* ---- get ------------------------------------------------------------------------------------- */

static trm_status damaged(const char *path) {
  return trm_fail(TRM_ERR_DATA, "%s: what it says of its inputs is damaged; use another checkpoint",
                  path);
}

/* An array of n elements. */
static trm_status get(const trm_facts *facts, const char *path, const char *name, trm_dtype dtype,
                      int64_t n, const void **array) {
  int64_t found = -1;
  *array = trm_facts_array(facts, name, dtype, &found);
  return *array && found == n ? TRM_OK : damaged(path);
}

/* None, or n of them. */
static trm_status get_names(const trm_facts *facts, const char *path, trm_names_fact fact,
                            int64_t n, trm_texts *names) {
  const bool good = trm_names_fact_get(facts, fact, names) && (names->n == 0 || names->n == n);
  return good ? TRM_OK : damaged(path);
}

/* Columns and levels that a model was trained on; borrowed. */
static trm_status get_table(const trm_facts *facts, const char *path, trm_table *t) {
  int64_t n = 0, n_numbers = 0;
  *t = (trm_table){.levels = trm_facts_array(facts, fact_levels, TRM_DTYPE_I64, &n)};
  if (!t->levels || n < 1 || !trm_facts_array(facts, fact_center, TRM_DTYPE_F32, &n_numbers)) {
    return damaged(path);
  }
  t->n_numbers = n_numbers;
  t->n_categories = n - 1;
  bool rising = t->levels[0] == 0;
  for (int64_t c = 0; rising && c < n - 1; ++c) rising = t->levels[c] <= t->levels[c + 1];
  if (!rising) return damaged(path);
  TRM_TRY(get_names(facts, path, number_names, n_numbers, &t->number_names));
  TRM_TRY(get_names(facts, path, category_names, t->n_categories, &t->category_names));
  return get_names(facts, path, level_names, t->levels[n - 1], &t->level_names);
}

/* ---- check ----------------------------------------------------------------------------------- */

static const char *shown(const trm_texts *texts, int64_t i, char text[SHOWN_BYTES]) {
  const int64_t begin = texts->offsets[i], n = texts->offsets[i + 1] - begin;
  trm_text_escape_cut(texts->bytes + begin, n, false, text, SHOWN_BYTES);
  return text;
}

static trm_status check_columns(const char *path, const char *data, const char *what,
                                int64_t n_here, const trm_texts *here, int64_t n_there,
                                const trm_texts *there) {
  char a[SHOWN_BYTES], b[SHOWN_BYTES];
  if (n_here != n_there) {
    return trm_fail(
        TRM_ERR_DATA,
        "%s has %" PRId64 " columns of %s, but %s was trained on %" PRId64
        "; prepare it with the same columns (prepare table --unlabelled leaves none out "
        "that has one value)",
        data, n_here, what, path, n_there);
  }
  for (int64_t i = 0; here->n > 0 && there->n > 0 && i < n_here; ++i) {
    if (trm_name_same(here, i, there, i)) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: column %" PRId64
                    " of %s is '%s', but %s was trained with '%s' there; prepare it with the same "
                    "columns in the same order",
                    data, i + 1, what, shown(here, i, a), path, shown(there, i, b));
  }
  return TRM_OK;
}

static trm_status check_images(const trm_facts *facts, const char *path, const trm_samples *data) {
  const trm_images *i = &data->images;
  const int64_t *size;
  TRM_TRY(get(facts, path, fact_size, TRM_DTYPE_I64, 3, (const void **)&size));
  if (size[0] == i->height && size[1] == i->width && size[2] == i->channels) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s has images of %" PRId64 " x %" PRId64 " pixels and %" PRId64
                  " channels, but %s was trained on %" PRId64 " x %" PRId64 " and %" PRId64
                  "; prepare it with --resize or --colour",
                  data->path, i->height, i->width, i->channels, path, size[0], size[1], size[2]);
}

trm_status trm_value_facts_check(const trm_facts *facts, const char *path,
                                 const trm_samples *data) {
  trm_table known;
  if (data->input == TRM_INPUT_TOKENS) return TRM_OK;
  if (data->input == TRM_INPUT_IMAGE) return check_images(facts, path, data);
  TRM_TRY(get_table(facts, path, &known));
  TRM_TRY(check_columns(path, data->path, "numbers", data->table.n_numbers,
                        &data->table.number_names, known.n_numbers, &known.number_names));
  return check_columns(path, data->path, "categories", data->table.n_categories,
                       &data->table.category_names, known.n_categories, &known.category_names);
}

/* Lists of names of the same length; one of them may have no names. */
static bool may_be_same(const trm_texts *a, const trm_texts *b) {
  return a->n == 0 || b->n == 0 || trm_names_same(a, b);
}

static bool same_levels(const trm_table *a, const trm_table *b) {
  return memcmp(a->levels, b->levels, (size_t)(a->n_categories + 1) * sizeof *a->levels) == 0 &&
         may_be_same(&a->level_names, &b->level_names);
}

trm_status trm_value_facts_compare(const trm_facts *ours, const trm_facts *theirs, const char *path,
                                   const char **other) {
  int64_t n;
  trm_table a, b;
  *other = NULL;
  if (!trm_facts_array(ours, fact_levels, TRM_DTYPE_I64, &n)) return TRM_OK;
  *other = "inputs";
  if (!trm_facts_array(theirs, fact_levels, TRM_DTYPE_I64, &n)) return TRM_OK;
  TRM_TRY(get_table(ours, "the data set", &a));
  TRM_TRY(get_table(theirs, path, &b));
  if (a.n_numbers != b.n_numbers || !may_be_same(&a.number_names, &b.number_names)) {
    *other = "columns of numbers";
  } else if (a.n_categories != b.n_categories ||
             !may_be_same(&a.category_names, &b.category_names)) {
    *other = "columns of categories";
  } else if (!same_levels(&a, &b)) {
    *other = "levels of categories";
  } else if (!trm_fact_arrays_same(ours, fact_flag, theirs, fact_flag, TRM_DTYPE_U8)) {
    *other = "columns that miss values";
  } else {
    *other = NULL;
  }
  return TRM_OK;
}

/* ---- take ------------------------------------------------------------------------------------ */

static trm_status copy(const trm_facts *facts, const char *path, const char *name, trm_dtype dtype,
                       int64_t n, void **out) {
  const void *array;
  TRM_TRY(get(facts, path, name, dtype, n, &array));
  TRM_TRY(trm_alloc_bytes(out, n, trm_dtype_bytes(dtype), "scale of inputs"));
  memcpy(*out, array, (size_t)n * trm_dtype_bytes(dtype));
  return TRM_OK;
}

static trm_status take_scale(const trm_facts *facts, const char *path, const trm_samples *data,
                             trm_sample_scale *s) {
  const bool rows = data->input == TRM_INPUT_ROW;
  s->n = rows ? data->table.n_numbers : data->images.channels;
  TRM_TRY(copy(facts, path, fact_center, TRM_DTYPE_F32, s->n, (void **)&s->center));
  TRM_TRY(copy(facts, path, fact_scale, TRM_DTYPE_F32, s->n, (void **)&s->scale));
  if (!rows) return TRM_OK;
  TRM_TRY(copy(facts, path, fact_fill, TRM_DTYPE_F32, s->n, (void **)&s->fill));
  return copy(facts, path, fact_flag, TRM_DTYPE_U8, s->n, (void **)&s->flag);
}

/* Places of the levels of column c of the data set among those of the checkpoint, -1: unknown. */
static trm_status find_levels(const trm_table *here, const trm_table *known, int64_t c,
                              int32_t *places) {
  const int64_t first = here->levels[c], n = here->levels[c + 1] - first;
  const int64_t first_known = known->levels[c], n_known = known->levels[c + 1] - first_known;
  if (here->level_names.n > 0 && known->level_names.n > 0) {
    return trm_names_places((trm_names_part){&known->level_names, first_known, n_known},
                            (trm_names_part){&here->level_names, first, n}, places);
  }
  for (int64_t l = 0; l < n; ++l) places[l] = l < n_known ? (int32_t)l : -1;
  return TRM_OK;
}

/* Places of all levels of the data set, then its categories by them. */
static trm_status take_levels(const trm_table *known, trm_samples *data, int32_t **categories) {
  trm_table *t = &data->table;
  const int64_t K = t->n_categories;
  int32_t *places = NULL;
  TRM_TRY(TRM_ALLOC(categories, data->n * K, "categories"));
  TRM_TRY(TRM_ALLOC(&places, t->levels[K], "levels of categories"));
  trm_status status = TRM_OK;
  for (int64_t c = 0; c < K && status == TRM_OK; ++c) {
    status = find_levels(t, known, c, places + t->levels[c]);
  }
  for (int64_t i = 0; i < data->n * K && status == TRM_OK; ++i) {
    const int32_t level = t->categories[i];
    (*categories)[i] = level < 0 ? -1 : places[t->levels[i % K] + level];
  }
  TRM_FREE(places);
  TRM_TRY(status);
  t->levels = known->levels;
  t->level_names = known->level_names;
  t->categories = *categories;
  return TRM_OK;
}

trm_status trm_value_facts_take(const trm_facts *facts, const char *path, trm_samples *data,
                                trm_sample_scale *scale, int32_t **categories) {
  trm_table known;
  *scale = (trm_sample_scale){0};
  *categories = NULL;
  if (data->input == TRM_INPUT_TOKENS) return TRM_OK;
  TRM_TRY(take_scale(facts, path, data, scale));
  if (data->input != TRM_INPUT_ROW || data->table.n_categories == 0) return TRM_OK;
  TRM_TRY(get_table(facts, path, &known));
  return take_levels(&known, data, categories);
}
