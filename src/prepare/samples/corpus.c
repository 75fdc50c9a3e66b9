#include "corpus_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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
  if (c->n == INT32_MAX) {
    return trm_fail(TRM_ERR_DATA, "%s:%lld: more than 2147483647 samples", origin->path,
                    (long long)origin->line);
  }
  TRM_TRY(trm_text_list_add(&c->sources, row->text, row->n_text));
  if (c->target == TRM_TARGET_TOKENS) {
    TRM_TRY(trm_text_list_add(&c->targets, row->target, row->n_target));
  }
  TRM_TRY(TRM_GROW(&c->origins, c->n, &c->origins_capacity, "samples"));
  TRM_TRY(TRM_GROW(&c->labels, c->n, &c->labels_capacity, "labels"));
  TRM_TRY(TRM_GROW(&c->numbers, c->n, &c->numbers_capacity, "numbers"));
  TRM_TRY(TRM_GROW(&c->folds, c->n, &c->folds_capacity, "folds"));
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
  trm_scan scan = {
      .path = records->path, .form = "a number", .fd = -1, .line = text, .n_line = bytes};
  const bool good = trm_scan_real(&scan, what, value) == TRM_OK && !trm_scan_more(&scan);
  (void)trm_scan_close(&scan, TRM_OK);
  if (good) return TRM_OK;
  trm_text_escape(text, bytes, shown, sizeof shown);
  return trm_records_fail(
      records, "%s '%s' is no finite number that a float holds; correct it%s", what, shown,
      records->line == 1 ? ", or give --header yes if the line names columns" : "");
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
  static const struct {
    const char *name;
    char separator;
  } rows[] = {{"tab", '\t'}, {"comma", ','}, {"semicolon", ';'}};
  *form = (trm_records_form){.any_bytes = trm_corpus_takes_any_bytes(corpus)};
  *header = TRM_HEADER_AS_NAMED;
  for (int i = 0; o->separator && i < 3; ++i) {
    if (strcmp(o->separator, rows[i].name) == 0) form->separator = rows[i].separator;
  }
  if (o->separator && !form->separator) {
    return trm_fail(TRM_ERR_USAGE, "--separator is '%s', expected tab, comma or semicolon",
                    o->separator);
  }
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
  TRM_FREE(corpus->origins);
  TRM_FREE(corpus->labels);
  TRM_FREE(corpus->numbers);
  TRM_FREE(corpus->folds);
  trm_names_free(&corpus->classes);
  trm_names_free(&corpus->fold_names);
  trm_inputs_free(&corpus->inputs);
}

/* ---- names in order --------------------------------------------------------------------------- */

typedef struct ranked_name {
  const char *text;
  int64_t bytes;
  int32_t id;
  bool numbers; /* all names are whole numbers */
} ranked_name;

static bool is_whole_number(const char *text, int64_t bytes) {
  const int64_t sign = bytes > 1 && text[0] == '-';
  for (int64_t i = sign; i < bytes; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
  }
  return bytes > sign && bytes < 18;
}

/* A whole number that is not followed by a 0. */
static int64_t number_of(const ranked_name *name) {
  char text[20] = "";
  memcpy(text, name->text, (size_t)name->bytes);
  return strtoll(text, NULL, 10);
}

static int by_name(const void *left, const void *right) {
  const ranked_name *a = left, *b = right;
  if (a->numbers) {
    const int64_t x = number_of(a), y = number_of(b);
    if (x != y) return x < y ? -1 : 1;
  }
  const int64_t common = a->bytes < b->bytes ? a->bytes : b->bytes;
  const int order = memcmp(a->text, b->text, (size_t)common);
  return order ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static void collect_names(const trm_names *names, ranked_name *ranked) {
  const int64_t *offsets = trm_names_offsets(names);
  bool numbers = true;
  for (int64_t i = 0; i < names->n; ++i) {
    ranked[i] = (ranked_name){.text = names->bytes.data + offsets[i],
                              .bytes = offsets[i + 1] - offsets[i],
                              .id = (int32_t)i};
    numbers = numbers && is_whole_number(ranked[i].text, ranked[i].bytes);
  }
  for (int64_t i = 0; i < names->n; ++i) ranked[i].numbers = numbers;
}

trm_status trm_corpus_sort_names(trm_corpus *corpus, trm_names *names, int32_t *ids) {
  ranked_name *ranked = NULL;
  int32_t *place = NULL, id;
  trm_names sorted = {0};
  trm_status status = TRM_OK;
  bool added;
  TRM_TRY_OUT(TRM_ALLOC(&ranked, names->n, "names"));
  TRM_TRY_OUT(TRM_ALLOC(&place, names->n, "names"));
  collect_names(names, ranked);
  if (names->n > 0) qsort(ranked, (size_t)names->n, sizeof *ranked, by_name);
  for (int64_t i = 0; i < names->n; ++i) {
    TRM_TRY_OUT(trm_names_add(&sorted, ranked[i].text, ranked[i].bytes, &id, &added));
    place[ranked[i].id] = id;
  }
  for (int64_t i = 0; i < corpus->n; ++i) ids[i] = place[ids[i]];
  trm_names_free(names);
  *names = sorted;
  sorted = (trm_names){0};
out:
  trm_names_free(&sorted);
  TRM_FREE(ranked);
  TRM_FREE(place);
  return status;
}
