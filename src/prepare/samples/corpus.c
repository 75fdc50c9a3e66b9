#include "corpus_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

const char *const trm_over_long_names[TRM_N_OVER_LONG] = {
    [TRM_OVER_REFUSE] = "refuse",
    [TRM_OVER_KEEP] = "keep",
    [TRM_OVER_CUT] = "cut",
    [TRM_OVER_DROP] = "drop",
};

/* ---- texts ------------------------------------------------------------------------------------ */

trm_status trm_text_list_add(trm_text_list *list, const char *text, int64_t bytes) {
  TRM_TRY(TRM_GROW(&list->offsets, list->n + 1, &list->offsets_capacity, "texts"));
  const int64_t at = list->offsets[list->n];
  TRM_TRY(TRM_GROW(&list->bytes, at + bytes, &list->bytes_capacity, "texts"));
  if (bytes > 0) memcpy(list->bytes + at, text, (size_t)bytes);
  list->offsets[++list->n] = at + bytes;
  return TRM_OK;
}

const char *trm_text_list_get(const trm_text_list *list, int64_t i, int64_t *bytes) {
  *bytes = list->offsets[i + 1] - list->offsets[i];
  return list->bytes + list->offsets[i];
}

trm_texts trm_text_list_texts(const trm_text_list *list) {
  return (trm_texts){.n = list->n, .offsets = list->offsets, .bytes = list->bytes};
}

void trm_text_list_free(trm_text_list *list) {
  TRM_FREE(list->offsets);
  TRM_FREE(list->bytes);
}

bool trm_is_blank(const char *text, int64_t bytes) {
  for (int64_t i = 0; i < bytes; ++i) {
    if (text[i] == 0 || !strchr(" \t\n\v\f\r", text[i])) return false;
  }
  return true;
}

/* ---- samples ---------------------------------------------------------------------------------- */

static trm_status fail_at(const trm_origin *origin, const char *format, va_list arguments) {
  char text[TRM_MESSAGE_BYTES / 2];
  vsnprintf(text, sizeof text, format, arguments);
  if (origin->line == 0) return trm_fail(TRM_ERR_DATA, "%s: %s", origin->path, text);
  return trm_fail(TRM_ERR_DATA, "%s:%lld: %s", origin->path, (long long)origin->line, text);
}

trm_status trm_corpus_fail(const trm_corpus *corpus, int64_t i, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const trm_status status = fail_at(&corpus->origins[i], format, arguments);
  va_end(arguments);
  return status;
}

/* What of a sample has no text; NULL: nothing. */
static const char *empty_side(const trm_corpus *c, const trm_corpus_row *row) {
  const bool pairs = c->target == TRM_TARGET_TOKENS;
  if (trm_is_blank(row->text, row->n_text)) return pairs ? "source" : "text";
  return pairs && trm_is_blank(row->target, row->n_target) ? "target" : NULL;
}

trm_status trm_corpus_add(trm_corpus *corpus, const trm_corpus_row *row, const trm_origin *origin) {
  trm_corpus *c = corpus;
  const char *empty = empty_side(c, row);
  if (empty && c->options->drop_empty) {
    ++c->counts->empty;
    return TRM_OK;
  }
  if (empty) {
    return trm_fail(
        TRM_ERR_DATA,
        "%s:%lld: the %s is empty; correct the line, or leave such samples out by --empty "
        "drop",
        origin->path, (long long)origin->line, empty);
  }
  TRM_TRY(trm_text_list_add(&c->sources, row->text, row->n_text));
  if (c->target == TRM_TARGET_TOKENS) {
    TRM_TRY(trm_text_list_add(&c->targets, row->target, row->n_target));
  }
  return trm_corpus_add_facts(c, row, origin);
}

trm_status trm_corpus_add_facts(trm_corpus *corpus, const trm_corpus_row *row,
                                const trm_origin *origin) {
  trm_corpus *c = corpus;
  if (c->n == INT32_MAX) {
    return trm_fail(TRM_ERR_DATA, "%s:%lld: more than 2147483647 samples", origin->path,
                    (long long)origin->line);
  }
  TRM_TRY(TRM_GROW(&c->origins, c->n, &c->origins_capacity, "samples"));
  TRM_TRY(TRM_GROW(&c->labels, c->n, &c->labels_capacity, "labels"));
  TRM_TRY(TRM_GROW(&c->numbers, c->n, &c->numbers_capacity, "numbers"));
  TRM_TRY(TRM_GROW(&c->folds, c->n, &c->folds_capacity, "folds"));
  if (c->has_groups) {
    TRM_TRY(TRM_GROW(&c->groups, c->n, &c->groups_capacity, "groups"));
    c->groups[c->n] = row->group;
  }
  if (c->has_names) TRM_TRY(trm_text_list_add(&c->names, row->name, row->n_name));
  c->origins[c->n] = *origin;
  c->labels[c->n] = row->label;
  c->numbers[c->n] = row->number;
  c->folds[c->n++] = row->fold;
  return TRM_OK;
}

trm_status trm_records_real(const trm_records *records, int column, const char *what,
                            float *value) {
  int64_t bytes;
  const char *text = trm_records_field(records, column, &bytes);
  char shown[80];
  trm_scan scan = {.path = records->path, .form = "a number", .line = text, .n_line = bytes};
  const bool good = trm_scan_real(&scan, what, value) == TRM_OK && !trm_scan_more(&scan);
  (void)trm_scan_close(&scan, TRM_OK);
  if (good) return TRM_OK;
  trm_text_escape(text, bytes, shown, sizeof shown);
  const trm_number_flaw flaw = trm_flaw_of_number(text, bytes);
  if (flaw.has) {
    return trm_records_fail(records, "%s '%s' has %s; %s", what, shown, flaw.has, flaw.remedy);
  }
  return trm_records_fail(
      records, "%s '%s' is no finite number that a float holds; correct it%s", what, shown,
      records->line == 1 ? ", or give --header yes if the line names columns" : "");
}

trm_status trm_corpus_take_part(trm_corpus *corpus, const trm_records *records, int column,
                                trm_subset *part) {
  char shown[80];
  int64_t bytes;
  bool none;
  const char *text = trm_records_trimmed(records, column, &bytes);
  if (trm_part_of_word(text, bytes, part, &none) && !none) {
    corpus->has_part[*part] = true;
    return TRM_OK;
  }
  trm_text_escape(text, bytes, shown, sizeof shown);
  return trm_records_fail(
      records, "'%s' is no part (--split); expected train, valid (or val, validation, dev) or test",
      shown);
}

static bool is_bytes(const trm_vocab_options *o) {
  return o->unit && strcmp(o->unit, "byte") == 0;
}

bool trm_corpus_takes_any_bytes(const trm_corpus *corpus) {
  const trm_prepare_samples_options *o = corpus->options;
  if (corpus->target != TRM_TARGET_TOKENS || corpus->shared_vocab) return is_bytes(&o->vocab);
  return is_bytes(&o->vocab) && is_bytes(&o->target_vocab);
}

trm_status trm_corpus_table_form(const trm_corpus *corpus, trm_records_form *form,
                                 trm_header *header) {
  const trm_prepare_samples_options *o = corpus->options;
  *form = (trm_records_form){.any_bytes = trm_corpus_takes_any_bytes(corpus)};
  *header = TRM_HEADER_AS_NAMED;
  TRM_TRY(trm_separator_find(o->separator, &form->separator));
  if (!o->header) return TRM_OK;
  if (strcmp(o->header, "yes") != 0 && strcmp(o->header, "no") != 0) {
    return trm_fail(TRM_ERR_USAGE, "--header is '%s', expected yes or no", o->header);
  }
  *header = strcmp(o->header, "yes") == 0 ? TRM_HEADER_YES : TRM_HEADER_NO;
  return TRM_OK;
}

void trm_corpus_free(trm_corpus *corpus) {
  trm_text_list_free(&corpus->sources);
  trm_text_list_free(&corpus->targets);
  trm_text_list_free(&corpus->names);
  TRM_FREE(corpus->origins);
  TRM_FREE(corpus->labels);
  TRM_FREE(corpus->numbers);
  TRM_FREE(corpus->folds);
  TRM_FREE(corpus->groups);
  trm_names_free(&corpus->classes);
  trm_names_free(&corpus->fold_names);
  trm_inputs_free(&corpus->inputs);
}

/* ---- names in order --------------------------------------------------------------------------- */

trm_status trm_corpus_sort_names(trm_corpus *corpus, trm_names *names, int32_t *ids) {
  int32_t *place = NULL;
  if (names->n == 0) return TRM_OK; /* what is to be predicted has none */
  TRM_TRY(trm_names_sort(names, &place));
  for (int64_t i = 0; i < corpus->n; ++i) ids[i] = place[ids[i]];
  TRM_FREE(place);
  return TRM_OK;
}
