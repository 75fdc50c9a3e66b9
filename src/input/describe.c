/** Lines of a description that all kinds of data sets have. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/utf8.h"
#include "trireme/input/data_file.h"

enum { SHOWN_BYTES = 320 };

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
    const bool cut = trm_text_escape(notes[i].text, n, escaped, sizeof escaped) < n;
    trm_describe_row(file, notes[i].label, "%s%s", escaped, cut ? " ..." : "");
  }
}
