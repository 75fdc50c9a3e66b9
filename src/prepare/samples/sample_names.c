/** Names of samples, for people: a column of the table they are from, or the path of a file. */
#include <string.h>

#include "corpus_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { SHOWN_BYTES = 80 };

void trm_corpus_take_name(const trm_records *records, int column, trm_corpus_row *row) {
  row->name = trm_records_trimmed(records, column, &row->n_name);
}

/* What is odd of a list of names. */
typedef struct oddities {
  int64_t n_empty, n_again;
  int64_t first, again; /* the first two samples of one name */
} oddities;

static trm_status find_oddities(const trm_text_list *names, trm_names *seen, oddities *o) {
  for (int64_t i = 0; i < names->n; ++i) {
    int64_t bytes;
    int32_t id;
    bool added;
    const char *name = trm_text_list_get(names, i, &bytes);
    if (bytes == 0) {
      ++o->n_empty;
      continue;
    }
    TRM_TRY(trm_names_add(seen, name, bytes, &id, &added));
    if (!added && o->n_again++ == 0) o->again = i;
  }
  return TRM_OK;
}

/* The first sample that has the name of sample i. */
static int64_t first_of(const trm_text_list *names, int64_t i) {
  int64_t bytes, n, first = 0;
  const char *name = trm_text_list_get(names, i, &bytes);
  while (first < i) {
    const char *other = trm_text_list_get(names, first, &n);
    if (n == bytes && memcmp(name, other, (size_t)n) == 0) break;
    ++first;
  }
  return first;
}

static void tell_again(const trm_corpus *c, const trm_text_list *names, const oddities *o) {
  char shown[SHOWN_BYTES];
  int64_t bytes;
  const char *name = trm_text_list_get(names, o->again, &bytes);
  trm_text_escape_cut(name, bytes, false, shown, sizeof shown);
  trm_note(c->options->notes,
           "%s: note: %lld sample%s the name of an earlier one, as samples %lld and %lld '%s'; "
           "their numbers tell them apart",
           c->options->output, (long long)o->n_again, o->n_again == 1 ? " has" : "s have",
           (long long)first_of(names, o->again), (long long)o->again, shown);
}

trm_status trm_corpus_keep_names(const trm_corpus *corpus, const uint8_t *kept,
                                 trm_text_list *names) {
  const trm_corpus *c = corpus;
  trm_names seen = {0};
  oddities o = {0};
  for (int64_t i = 0; c->has_names && i < c->n; ++i) {
    int64_t bytes;
    const char *name = trm_text_list_get(&c->names, i, &bytes);
    if (!kept || kept[i]) TRM_TRY(trm_text_list_add(names, name, bytes));
  }
  const trm_status status = find_oddities(names, &seen, &o);
  trm_names_free(&seen);
  TRM_TRY(status);
  if (o.n_again > 0) tell_again(c, names, &o);
  if (o.n_empty > 0) {
    trm_note(c->options->notes, "%s: note: %lld sample%s an empty name", c->options->output,
             (long long)o.n_empty, o.n_empty == 1 ? " has" : "s have");
  }
  return TRM_OK;
}

/* ---- classes ---------------------------------------------------------------------------------- */

static const char *class_name(const trm_corpus *c, int64_t class, char shown[SHOWN_BYTES]) {
  const int64_t *offsets = trm_names_offsets(&c->classes), begin = offsets[class];
  trm_text_escape_cut(c->classes.bytes.data + begin, offsets[class + 1] - begin, false, shown,
                      SHOWN_BYTES);
  return shown;
}

/* Adds the name of a class in lower case; *first: the class that had it first. */
static trm_status add_lower(const trm_corpus *c, int64_t class, trm_names *seen, int32_t *classes,
                            int64_t *first) {
  const int64_t *offsets = trm_names_offsets(&c->classes), begin = offsets[class];
  const int64_t n = offsets[class + 1] - begin;
  char *lower = NULL;
  int32_t id;
  bool added;
  TRM_TRY(TRM_ALLOC(&lower, n + 1, "name of a class"));
  for (int64_t i = 0; i < n; ++i) {
    const char letter = c->classes.bytes.data[begin + i];
    lower[i] = (char)(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
  }
  const trm_status status = trm_names_add(seen, lower, n, &id, &added);
  TRM_FREE(lower);
  TRM_TRY(status);
  if (added) classes[id] = (int32_t) class;
  *first = classes[id];
  return TRM_OK;
}

trm_status trm_corpus_tell_alike(const trm_corpus *corpus) {
  const trm_corpus *c = corpus;
  trm_names seen = {0};
  int32_t *classes = NULL; /* of each name in lower case */
  int64_t n_alike = 0, one = 0, other = 0;
  trm_status status = TRM_ALLOC(&classes, c->classes.n, "classes");
  for (int64_t i = 0; i < c->classes.n && status == TRM_OK; ++i) {
    int64_t first = i;
    status = add_lower(c, i, &seen, classes, &first);
    if (first < i && n_alike++ == 0) one = first, other = i;
  }
  if (status == TRM_OK && n_alike > 0) {
    char a[SHOWN_BYTES], b[SHOWN_BYTES];
    trm_note(c->options->notes,
             "%s: note: classes '%s' and '%s' differ in upper and lower case alone; write them "
             "alike if they are one",
             c->options->output, class_name(c, one, a), class_name(c, other, b));
  }
  trm_names_free(&seen);
  TRM_FREE(classes);
  return status;
}
