/** Lines of a description that all kinds of data sets have. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "describe_internal.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { SHOWN_BYTES = 320, MOST_CLASSES = 64, NAME_BYTES = 64 };

void trm_describe_row(FILE *file, const char *label, const char *format, ...) {
  fprintf(file, "%-12s ", label);
  va_list arguments;
  va_start(arguments, format);
  vfprintf(file, format, arguments);
  va_end(arguments);
  fputc('\n', file);
}

void trm_describe_head(FILE *file, const char *path, const char *kind, const char *source,
                       const char *created_by) {
  char escaped[SHOWN_BYTES];
  trm_describe_row(file, "file", "%s", path);
  trm_describe_row(file, "kind", "%s, format %d", kind, TRM_FORMAT_VERSION);
  const struct {
    const char *label, *text;
  } notes[] = {{"source", source}, {"created by", created_by}};
  for (int i = 0; i < 2; ++i) {
    if (!notes[i].text[0]) continue;
    const int64_t n = (int64_t)strlen(notes[i].text);
    trm_text_escape_cut(notes[i].text, n, false, escaped, sizeof escaped);
    trm_describe_row(file, notes[i].label, "%s", escaped);
  }
}

trm_count_text trm_count_text_of(int64_t n) {
  trm_count_text c;
  trm_format_count((long long)n, c.text);
  return c;
}

void trm_class_sizes_describe(const trm_classes *classes, const int64_t *sizes, int64_t n,
                              const char *note, FILE *file) {
  trm_describe_row(file, "classes", "%14d  %s", classes->n, note);
  for (int c = 0; c < classes->n && c < MOST_CLASSES; ++c) {
    char label[32], name[NAME_BYTES] = "";
    snprintf(label, sizeof label, "  %d", c);
    if (classes->names.n > 0) {
      const int64_t begin = classes->names.offsets[c],
                    bytes = classes->names.offsets[c + 1] - begin;
      trm_text_escape(classes->names.bytes + begin, bytes, name, sizeof name);
    }
    trm_describe_row(file, label, "%14s  %5.1f %%%s%s", trm_count_text_of(sizes[c]).text,
                     100.0 * (double)sizes[c] / (double)n, name[0] ? "  " : "", name);
  }
  if (classes->n > MOST_CLASSES) trm_describe_row(file, "  ...", "%s", "");
}

trm_status trm_classes_describe(const trm_classes *classes, int64_t n, FILE *file) {
  char note[64];
  if (!classes->labels) {
    trm_describe_row(file, "classes", "%14s", "none");
    return TRM_OK;
  }
  int64_t *sizes = NULL, unlabelled = 0;
  TRM_TRY(TRM_ALLOC(&sizes, classes->n, "sizes of classes"));
  for (int64_t i = 0; i < n; ++i) {
    if (classes->labels[i] < 0) {
      ++unlabelled;
    } else {
      ++sizes[classes->labels[i]];
    }
  }
  (void)snprintf(note, sizeof note, "%s without a label", trm_count_text_of(unlabelled).text);
  trm_class_sizes_describe(classes, sizes, n, note, file);
  TRM_FREE(sizes);
  return TRM_OK;
}

void trm_splits_describe(const trm_ids *splits, int n_splits, int64_t n, FILE *file) {
  trm_describe_row(file, "splits", "%14d", n_splits);
  for (int s = 0; s < n_splits && s < TRM_MOST_SPLITS_SHOWN; ++s) {
    const trm_ids *subsets = &splits[s * TRM_N_SUBSETS];
    const int64_t in = subsets[0].n + subsets[1].n + subsets[2].n;
    char label[32];
    (void)snprintf(label, sizeof label, "  %d", s);
    trm_describe_row(file, label, "%14s  train, %s valid, %s test, %s in none",
                     trm_count_text_of(subsets[TRM_SUBSET_TRAIN].n).text,
                     trm_count_text_of(subsets[TRM_SUBSET_VALID].n).text,
                     trm_count_text_of(subsets[TRM_SUBSET_TEST].n).text,
                     trm_count_text_of(n - in).text);
  }
  if (n_splits > TRM_MOST_SPLITS_SHOWN) trm_describe_row(file, "  ...", "%s", "");
}
