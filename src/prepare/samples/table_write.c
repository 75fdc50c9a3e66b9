/** A table becomes a data set: parts, and the arrays of the file. */
#include "table_internal.h"
#include "trireme/core/memory.h"

/* What trm_samples borrows. */
typedef struct arrays {
  trm_text_list number_names, category_names, level_names, names;
  int64_t *levels;
  trm_ids *splits;
  int32_t *ids;
} arrays;

static trm_status add_name(const trm_names *names, int64_t id, trm_text_list *list) {
  const int64_t *offsets = trm_names_offsets(names);
  return trm_text_list_add(list, names->bytes.data + offsets[id], offsets[id + 1] - offsets[id]);
}

static trm_status name_columns(const trm_table_data *t, arrays *a) {
  TRM_TRY(TRM_ALLOC(&a->levels, t->n_categories + 1, "levels of categories"));
  for (int c = 0; c < t->n_columns; ++c) {
    const trm_table_column *column = &t->columns[c];
    if (column->use == TRM_COLUMN_NUMBER) TRM_TRY(add_name(&t->names, c, &a->number_names));
    if (column->use != TRM_COLUMN_CATEGORY) continue;
    TRM_TRY(add_name(&t->names, c, &a->category_names));
    for (int64_t i = 0; i < column->levels.n; ++i) {
      TRM_TRY(add_name(&column->levels, i, &a->level_names));
    }
    a->levels[column->at + 1] = a->level_names.n;
  }
  return TRM_OK;
}

/* Levels that no row to train on has, of a data set with one split. */
static trm_status count_new_levels(const trm_table_data *t, const trm_parts *parts,
                                   const arrays *a) {
  uint8_t *trained = NULL;
  if (parts->n_splits > 1 || t->options->unlabelled) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&trained, a->level_names.n, "levels that are trained on"));
  for (int64_t i = 0; i < t->corpus.n; ++i) {
    for (int64_t k = 0; k < t->n_categories && parts->part[i] == TRM_SUBSET_TRAIN; ++k) {
      const int32_t level = t->categories[i * t->n_categories + k];
      if (level >= 0) trained[a->levels[k] + level] = 1;
    }
  }
  for (int c = 0; c < t->n_columns; ++c) {
    const trm_table_column *column = &t->columns[c];
    for (int64_t i = 0; column->use == TRM_COLUMN_CATEGORY && i < column->levels.n; ++i) {
      t->report->columns[c].new_levels += !trained[a->levels[column->at] + i];
    }
  }
  TRM_FREE(trained);
  return TRM_OK;
}

static trm_status write(const trm_table_data *t, const trm_parts *parts, const arrays *a) {
  const trm_corpus *c = &t->corpus;
  trm_samples s = {.source = c->inputs.source,
                   .n = c->n,
                   .input = TRM_INPUT_ROW,
                   .table = {.n_numbers = t->n_numbers,
                             .numbers = t->n_numbers > 0 ? t->numbers : NULL,
                             .number_names = trm_text_list_texts(&a->number_names),
                             .n_categories = t->n_categories,
                             .categories = t->n_categories > 0 ? t->categories : NULL,
                             .category_names = trm_text_list_texts(&a->category_names),
                             .levels = t->n_categories > 0 ? a->levels : NULL,
                             .level_names = trm_text_list_texts(&a->level_names)},
                   .target = c->target,
                   .groups = parts->groups,
                   .names = trm_text_list_texts(&a->names),
                   .n_splits = c->target == TRM_TARGET_NONE ? 0 : parts->n_splits,
                   .splits = a->splits};
  if (c->target == TRM_TARGET_NUMBER) {
    s.numbers = c->numbers;
  } else if (c->target != TRM_TARGET_NONE) {
    s.classes = (trm_classes){.n = (int)c->classes.n,
                              .labels = c->target == TRM_TARGET_CLASS ? c->labels : NULL,
                              .names = {.n = c->classes.n,
                                        .offsets = trm_names_offsets(&c->classes),
                                        .bytes = c->classes.bytes.data}};
  }
  if (c->target == TRM_TARGET_CLASSES) {
    s.class_sets = (trm_ragged){t->class_sets.offsets, t->class_sets.values};
  }
  return trm_samples_write(t->options->output, &s);
}

trm_status trm_table_write(trm_table_data *table) {
  trm_corpus *c = &table->corpus;
  trm_parts parts = {0};
  arrays a = {0};
  trm_status status = TRM_OK;
  if (c->has_folds) TRM_TRY(trm_corpus_sort_names(c, &c->fold_names, c->folds));
  TRM_TRY_OUT(trm_parts_make(c, &parts));
  TRM_TRY_OUT(trm_parts_check(c, &parts, NULL));
  TRM_TRY_OUT(trm_parts_lists(&parts, c->n, NULL, &a.splits, &a.ids));
  TRM_TRY_OUT(name_columns(table, &a));
  TRM_TRY_OUT(count_new_levels(table, &parts, &a));
  TRM_TRY_OUT(trm_corpus_keep_names(c, NULL, &a.names));
  TRM_TRY_OUT(write(table, &parts, &a));
  table->report->leaked = table->counts.leaked;
out:
  trm_text_list_free(&a.number_names);
  trm_text_list_free(&a.category_names);
  trm_text_list_free(&a.level_names);
  trm_text_list_free(&a.names);
  TRM_FREE(a.levels);
  TRM_FREE(a.splits);
  TRM_FREE(a.ids);
  trm_parts_free(&parts);
  return status;
}
