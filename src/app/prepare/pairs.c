/** `trireme prepare pairs`: texts to be made of other texts. */
#include <string.h>

#include "samples.h"

enum { NAME_BYTES = 256, MOST_FILES = 1024 };

/* The two columns of "A,B". */
static trm_status cut_columns(const app_prepare_call *call, const char *text,
                              char source[NAME_BYTES], trm_pair_files *files) {
  const char *comma = strchr(text, ',');
  if (!comma || comma == text || !comma[1] || comma - text >= NAME_BYTES) {
    return trm_fail(TRM_ERR_USAGE, "%s: --columns is '%s', expected two columns like 1,2",
                    call->name, text);
  }
  memcpy(source, text, (size_t)(comma - text));
  source[comma - text] = 0;
  files->source_column = source;
  files->target_column = comma + 1;
  return TRM_OK;
}

static trm_status share_vocab(const app_prepare_call *call, const char *vocab,
                              const char *target_unit, bool *shared) {
  *shared = !vocab ? !target_unit : strcmp(vocab, "shared") == 0;
  if (vocab && !*shared && strcmp(vocab, "separate") != 0) {
    return trm_fail(TRM_ERR_USAGE, "%s: --vocab is '%s', expected shared or separate", call->name,
                    vocab);
  }
  if (!*shared || !target_unit) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s: with --target-unit vocabularies are separate", call->name);
}

static trm_status run(app_prepare_call *call) {
  app_samples_given given = APP_SAMPLES_GIVEN(call);
  trm_pair_files files = {0};
  const char *given_valid[MOST_FILES], *given_test[MOST_FILES];
  app_list tables, valid = {given_valid, 0, MOST_FILES}, test = {given_test, 0, MOST_FILES};
  const char *vocab = NULL, *target_unit = NULL, *columns = "1,2";
  const char **source = files.source, **target = files.target;
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--source", 0, &source[0], "FILE", "sources to train on, a text a line"),
      APP_TEXT("--target", 0, &target[0], "FILE", "their targets, line by line"),
      APP_TEXT("--valid-source", 0, &source[1], "FILE", "the same for validation"),
      APP_TEXT("--valid-target", 0, &target[1], "FILE", "the same for validation"),
      APP_TEXT("--test-source", 0, &source[2], "FILE", "the same to test"),
      APP_TEXT("--test-target", 0, &target[2], "FILE", "the same to test"),
      APP_TEXT("--columns", 0, &columns, "SOURCE,TARGET", "of tables (default 1,2)"),
      APP_TEXT("--split", 0, &files.split_column, "COLUMN",
               "of tables: parts, train, valid (val, dev) or test (default: files, or shares)"),
      APP_TEXT("--id", 0, &files.id_column, "COLUMN", "of tables: names of the pairs"),
      APP_LIST("--valid", 0, &valid, "FILE", "table of samples for validation"),
      APP_LIST("--test", 0, &test, "FILE", "table of samples to test"),
      APP_TEXT("--vocab", 0, &vocab, "shared|separate",
               "of sources and targets (default shared, separate with --target-unit)"),
      APP_TEXT("--target-unit", 0, &target_unit, "UNIT", "of the targets (default as --unit)"),
      APP_SAMPLES_OPTIONS(&given, "subword"),
  };
  char source_column[NAME_BYTES];
  bool shared;
  trm_prepare_samples_counts counts;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &tables));
  if (call->done) return TRM_OK;
  TRM_TRY(app_samples_complete(call, &given, "subword"));
  TRM_TRY(cut_columns(call, columns, source_column, &files));
  TRM_TRY(share_vocab(call, vocab, target_unit, &shared));
  const app_list *lists[TRM_N_SUBSETS] = {&tables, &valid, &test};
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    files.tables[p] = lists[p]->items;
    files.n_tables[p] = lists[p]->n;
  }
  given.options.target_vocab = given.options.vocab;
  if (target_unit) {
    given.options.target_vocab.unit = target_unit;
    given.options.target_vocab.tokenizer = NULL;
  }
  trm_notes notes = {0};
  given.options.notes = &notes;
  const trm_status status = trm_prepare_pairs(&files, shared, &given.options, &counts);
  if (status == TRM_OK) app_tell_notes(call->log, &notes);
  trm_notes_free(&notes);
  TRM_TRY(status);
  return app_tell_samples(call, &given.options, &counts);
}

const app_prepare_way app_prepare_way_pairs = {
    .name = "pairs",
    .words = "[FILES...]",
    .summary = "texts and what is to be made of them: parallel files, or two columns",
    .run = run,
};
