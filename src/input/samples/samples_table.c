/** Every element of the columns of a table. */
#include <inttypes.h>
#include <math.h>

#include "samples_internal.h"
#include "trireme/core/integers.h"

/* Levels without anything in the file behind each are held in proportion. */
enum { MOST_LEVELS = 1 << 20, LEVELS_AN_ELEMENT = 16 };

/* One array needs another. */
static trm_status check_beside(const trm_samples_file *f, int place, int other) {
  if (!f->arrays[place] || f->arrays[other]) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: there is '%s', but no '%s'", f->path,
                  trm_sample_arrays[place].name, trm_sample_arrays[other].name);
}

static trm_status check_columns(const trm_samples_file *f) {
  TRM_TRY(check_beside(f, TRM_SA_NUMBER_NAME_OFFSETS, TRM_SA_ROW_NUMBERS));
  TRM_TRY(check_beside(f, TRM_SA_CATEGORY_NAME_OFFSETS, TRM_SA_ROW_CATEGORIES));
  TRM_TRY(check_beside(f, TRM_SA_LEVELS, TRM_SA_ROW_CATEGORIES));
  TRM_TRY(check_beside(f, TRM_SA_ROW_CATEGORIES, TRM_SA_LEVELS));
  TRM_TRY(check_beside(f, TRM_SA_LEVEL_NAME_OFFSETS, TRM_SA_LEVELS));
  if (f->data.table.numbers || f->data.table.categories) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: neither '%s' nor '%s' is there; a row has one column at least",
                  f->path, trm_sample_arrays[TRM_SA_ROW_NUMBERS].name,
                  trm_sample_arrays[TRM_SA_ROW_CATEGORIES].name);
}

static trm_status check_numbers(const trm_samples_file *f) {
  const trm_table *t = &f->data.table;
  const int64_t n = f->data.n * t->n_numbers;
  for (int64_t i = 0; i < n; ++i) {
    if (!isinf(t->numbers[i])) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: '%s' is infinite in row %" PRId64 ", column %" PRId64
                    "; numbers are finite, or NaN where one is missing",
                    f->path, trm_sample_arrays[TRM_SA_ROW_NUMBERS].name, i / t->n_numbers,
                    i % t->n_numbers);
  }
  return TRM_OK;
}

static trm_status check_levels(const trm_samples_file *f) {
  const trm_table *t = &f->data.table;
  const char *name = trm_sample_arrays[TRM_SA_LEVELS].name;
  const int64_t most = trm_max_i64(MOST_LEVELS, f->data.n * t->n_categories * LEVELS_AN_ELEMENT);
  for (int64_t c = 0; c <= t->n_categories; ++c) {
    const int64_t last = c > 0 ? t->levels[c - 1] : 0;
    if (t->levels[c] >= last && t->levels[c] <= most && (c > 0 || t->levels[c] == 0)) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: '%s' is %" PRId64 " at index %" PRId64
                    "; it starts at 0, never falls (%" PRId64 " before), and is at most %" PRId64,
                    f->path, name, t->levels[c], c, last, most);
  }
  if (!t->level_names.offsets || t->level_names.n == t->levels[t->n_categories]) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: '%s' ends at %" PRId64 ", but there are %" PRId64 " names",
                  f->path, name, t->levels[t->n_categories], t->level_names.n);
}

static trm_status check_categories(const trm_samples_file *f) {
  const trm_table *t = &f->data.table;
  const int32_t *at = t->categories;
  for (int64_t i = 0; i < f->data.n; ++i) {
    for (int64_t c = 0; c < t->n_categories; ++c, ++at) {
      const int64_t levels = t->levels[c + 1] - t->levels[c];
      if (*at >= -1 && *at < levels) continue;
      return trm_fail(TRM_ERR_DATA,
                      "%s: '%s' is %d in row %" PRId64 ", column %" PRId64 ", out of [-1, %" PRId64
                      "), the levels of the column and -1 for what is missing",
                      f->path, trm_sample_arrays[TRM_SA_ROW_CATEGORIES].name, (int)*at, i, c,
                      levels);
    }
  }
  return TRM_OK;
}

trm_status trm_samples_check_table(trm_samples_file *f) {
  trm_table *t = &f->data.table;
  TRM_TRY(check_columns(f));
  if (t->numbers) TRM_TRY(check_numbers(f));
  if (t->categories) {
    TRM_TRY(check_levels(f));
    TRM_TRY(check_categories(f));
  }
  if (t->number_names.offsets) t->number_names.n = t->n_numbers;
  if (t->category_names.offsets) t->category_names.n = t->n_categories;
  return TRM_OK;
}
