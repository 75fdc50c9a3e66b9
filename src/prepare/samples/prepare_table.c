/** `trireme prepare table`: rows of numbers and categories with a target each. */
#include <string.h>
#include <sys/stat.h>

#include "table_internal.h"
#include "trireme/core/memory.h"

void trm_table_report_free(trm_table_report *report) {
  TRM_FREE(report->columns);
  report->n_columns = 0;
}

static trm_status check_unlabelled(const trm_prepare_table_options *o) {
  if (!o->target && !o->target_kind && !o->labels_separator && !o->drop_missing_target &&
      !o->no_label && !o->fold && !o->split && o->n_folds == 0 &&
      o->n_tables[TRM_SUBSET_VALID] == 0 && o->n_tables[TRM_SUBSET_TEST] == 0) {
    return TRM_OK;
  }
  return trm_fail(TRM_ERR_USAGE,
                  "--unlabelled rows have no targets, folds or parts; leave --target and what is "
                  "of it, --fold, --folds, --split, --valid and --test out");
}

static trm_status check_options(const trm_prepare_table_options *o) {
  if (o->n_tables[TRM_SUBSET_TRAIN] == 0) {
    return trm_fail(TRM_ERR_USAGE, "give a table to train on");
  }
  if (o->unlabelled) return check_unlabelled(o);
  if (o->split && (o->n_tables[TRM_SUBSET_VALID] > 0 || o->n_tables[TRM_SUBSET_TEST] > 0)) {
    return trm_fail(TRM_ERR_USAGE, "--split tells the parts; leave --valid and --test out");
  }
  if (!o->target) {
    return trm_fail(
        TRM_ERR_USAGE,
        "give the target by --target COLUMN; --unlabelled takes rows alone, to predict");
  }
  if (o->target_kind && strcmp(o->target_kind, "number") != 0 &&
      strcmp(o->target_kind, "class") != 0) {
    return trm_fail(TRM_ERR_USAGE, "--target-kind is '%s', expected number or class",
                    o->target_kind);
  }
  if (!o->labels_separator) return TRM_OK;
  if (!o->labels_separator[0]) {
    return trm_fail(TRM_ERR_USAGE, "--labels-separator is empty; give what parts the classes");
  }
  if (!o->target_kind || strcmp(o->target_kind, "class") == 0) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "--labels-separator parts classes, but --target-kind is number");
}

/* Several targets are a class each, and nothing else. */
static trm_status check_targets(const trm_table_data *t) {
  if (t->n_targets < 2) return TRM_OK;
  if (t->options->labels_separator) {
    return trm_fail(TRM_ERR_USAGE,
                    "--labels-separator parts the classes of one column; --target has %d",
                    t->n_targets);
  }
  if (!t->options->target_kind || strcmp(t->options->target_kind, "class") == 0) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "one column of numbers can be the target; --target has %d",
                  t->n_targets);
}

/* A pipe has nothing left for a second pass. */
static trm_status check_regular(const char *path) {
  struct stat of;
  if (stat(path, &of) != 0 || S_ISREG(of.st_mode)) return TRM_OK;
  return trm_fail(TRM_ERR_IO, "%s: not a regular file; it is read twice, so save it first", path);
}

/* ---- files ------------------------------------------------------------------------------------ */

static trm_status read_records(trm_table_data *t, trm_records *r, bool look, trm_subset part) {
  bool more;
  int64_t n = 0;
  for (bool first = true;; first = false) {
    TRM_TRY(trm_records_next(r, &more));
    if (!more) break;
    if (first) {
      TRM_TRY(trm_table_find_columns(t, r));
      TRM_TRY(check_targets(t));
      if (look) trm_records_tell(r, t->options->notes, t->header);
      if (look) TRM_TRY(trm_table_check_first(t, r));
    }
    if (first && t->header) continue;
    TRM_TRY(look ? trm_table_look(t, r, first) : trm_table_take(t, r, part));
    ++n;
  }
  return n > 0 ? TRM_OK : trm_fail(TRM_ERR_DATA, "%s: has no rows", r->path);
}

/* A pass over all files. */
static trm_status read_all(trm_table_data *t, bool look) {
  const trm_prepare_table_options *o = t->options;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    for (int i = 0; i < o->n_tables[p]; ++i) {
      trm_records records;
      trm_status status =
          trm_records_open(&records, o->tables[p][i], &t->form, &t->corpus.progress);
      if (status == TRM_OK) status = read_records(t, &records, look, (trm_subset)p);
      TRM_TRY(trm_records_close(&records, status));
    }
    t->corpus.has_part[p] = t->corpus.has_part[p] || o->n_tables[p] > 0;
  }
  return TRM_OK;
}

static trm_status find_files(trm_table_data *t) {
  const trm_prepare_table_options *o = t->options;
  trm_header header;
  TRM_TRY(trm_corpus_table_form(&t->corpus, &t->form, &header));
  t->form.any_bytes = false;
  t->form.values = true;
  t->form.no_units = true;
  t->header = trm_table_has_header(o, header);
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    for (int i = 0; i < o->n_tables[p]; ++i) {
      TRM_TRY(trm_inputs_add(&t->corpus.inputs, o->tables[p][i]));
    }
  }
  TRM_TRY(trm_inputs_check(&t->corpus.inputs, o->output, &t->corpus.progress));
  for (int64_t i = 0; i < t->corpus.inputs.n; ++i)
    TRM_TRY(check_regular(t->corpus.inputs.paths[i]));
  t->corpus.progress.total *= 2; /* passes */
  return TRM_OK;
}

/* ---- all -------------------------------------------------------------------------------------- */

static trm_status name_report(trm_table_data *t) {
  TRM_TRY(TRM_ALLOC(&t->report->columns, t->n_columns, "report of columns"));
  t->report->n_columns = t->n_columns;
  for (int c = 0; c < t->n_columns; ++c) trm_table_name(t, c, t->report->columns[c].name);
  return TRM_OK;
}

static trm_status prepare(trm_table_data *t) {
  TRM_TRY(check_options(t->options));
  TRM_TRY(find_files(t));
  TRM_TRY(read_all(t, true));
  if (t->n_rows == 0) {
    return trm_fail(TRM_ERR_DATA, "%s: no row has a target", t->corpus.inputs.source);
  }
  TRM_TRY(trm_table_decide(t));
  TRM_TRY(name_report(t));
  TRM_TRY(read_all(t, false));
  TRM_TRY(trm_table_finish(t));
  return trm_table_write(t);
}

static void release(trm_table_data *t) {
  for (int c = 0; t->columns && c < t->n_columns; ++c) trm_names_free(&t->columns[c].levels);
  TRM_FREE(t->columns);
  TRM_FREE(t->field_of);
  TRM_FREE(t->targets);
  TRM_FREE(t->numbers);
  TRM_FREE(t->categories);
  TRM_FREE(t->class_sets.offsets);
  TRM_FREE(t->class_sets.values);
  trm_names_free(&t->names);
  trm_names_free(&t->groups);
  trm_names_free(&t->target_values);
  (void)trm_scan_close(&t->scan, TRM_OK);
  trm_corpus_free(&t->corpus);
}

trm_status trm_prepare_table(const trm_prepare_table_options *options, trm_table_report *report) {
  const trm_prepare_table_options *o = options;
  trm_table_data t = {.options = o,
                      .report = report,
                      .deal = {.output = o->output,
                               .separator = o->separator,
                               .header = o->header,
                               .valid_share = o->valid_share,
                               .test_share = o->test_share,
                               .n_folds = o->n_folds,
                               .seed = o->seed,
                               .notes = o->notes},
                      .corpus = {.progress = {.show = o->progress, .context = o->context},
                                 .has_folds = o->fold != NULL,
                                 .has_groups = o->group != NULL,
                                 .has_names = o->id != NULL},
                      .target_whole = true,
                      .group = -1,
                      .fold = -1,
                      .split = -1,
                      .id = -1};
  t.corpus.options = &t.deal;
  t.corpus.counts = &t.counts;
  *report = (trm_table_report){0};
  const trm_status status = prepare(&t);
  release(&t);
  return status;
}
