/** `trireme prepare labelled`: texts with a class or a number each. */
#include "samples.h"

enum { MOST_FILES = 4096 };

static trm_status run(app_prepare_call *call) {
  app_samples_given given = APP_SAMPLES_GIVEN(call);
  trm_labelled_files files = {0};
  const char *given_valid[MOST_FILES], *given_test[MOST_FILES], *given_classes[MOST_FILES];
  app_list tables, valid = {given_valid, 0, MOST_FILES}, test = {given_test, 0, MOST_FILES},
                   classes = {given_classes, 0, MOST_FILES};
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--text", 0, &files.text, "COLUMN", "of the texts, by name or number from 1"),
      APP_TEXT("--label", 0, &files.label, "COLUMN", "of their classes"),
      APP_FLAG("--unlabelled", &files.unlabelled, "there are none: texts to predict"),
      APP_TEXT("--no-label", 0, &files.no_label, "VALUE",
               "leave samples out whose label is this, or empty"),
      APP_TEXT("--id", 0, &files.id, "COLUMN", "of their names, which predictions show"),
      APP_FLAG("--real", &files.real, "labels are numbers, to be met"),
      APP_LIST("--class", 0, &classes, "NAME=FILE",
               "instead of tables: a class and its file, a text a line; once for each"),
      APP_LIST("--valid", 0, &valid, "FILE", "table of samples for validation"),
      APP_LIST("--test", 0, &test, "FILE", "table of samples to test"),
      APP_TEXT("--split", 0, &files.split, "COLUMN",
               "of parts: train, valid (val, dev) or test (default: files, or shares)"),
      APP_TEXT("--fold", 0, &files.fold, "COLUMN", "of folds: fold k is the test part of split k"),
      APP_INT("--folds", 0, &given.options.n_folds, 2, 1e6, "N", "deal N folds at random"),
      APP_SAMPLES_OPTIONS(&given, "word"),
  };
  trm_prepare_samples_counts counts;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &tables));
  if (call->done) return TRM_OK;
  TRM_TRY(app_samples_complete(call, &given, "word"));
  files.tables = tables.items, files.n_tables = tables.n;
  files.valid = valid.items, files.n_valid = valid.n;
  files.test = test.items, files.n_test = test.n;
  files.classes = classes.items, files.n_classes = classes.n;
  trm_notes notes = {0};
  given.options.notes = &notes;
  const trm_status status = trm_prepare_labelled(&files, &given.options, &counts);
  if (status == TRM_OK) app_tell_notes(call->log, &notes);
  trm_notes_free(&notes);
  TRM_TRY(status);
  return app_tell_samples(call, &given.options, &counts);
}

const app_prepare_way app_prepare_way_labelled = {
    .name = "labelled",
    .words = "FILES...",
    .summary = "texts with a class or a number each, from CSV or TSV",
    .run = run,
};
