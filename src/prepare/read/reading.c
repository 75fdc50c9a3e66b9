#include "trireme/prepare/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "form_internal.h"
#include "trireme/core/memory.h"

enum { LINE_BYTES = 1024 };

void trm_note(trm_notes *notes, const char *format, ...) {
  char line[LINE_BYTES];
  if (!notes) return;
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(line, sizeof line - 2, format, arguments);
  va_end(arguments);
  const int64_t n = (int64_t)strlen(line);
  line[n] = '\n';
  line[n + 1] = 0;
  if (notes->text && strstr(notes->text, line)) return; /* a table that was read again */
  if (notes->capacity - notes->n < n + 2) {
    const int64_t capacity = 2 * notes->capacity + 4 * LINE_BYTES;
    char *more = NULL;
    if (TRM_ALLOC(&more, capacity, "notes") != TRM_OK) return;
    if (notes->n > 0) memcpy(more, notes->text, (size_t)notes->n);
    TRM_FREE(notes->text);
    notes->text = more;
    notes->capacity = capacity;
  }
  memcpy(notes->text + notes->n, line, (size_t)n + 1);
  notes->n += n + 1;
  notes->text[notes->n] = 0;
}

void trm_notes_free(trm_notes *notes) {
  TRM_FREE(notes->text);
  notes->n = notes->capacity = 0;
}

static trm_status check_word(const char *option, const char *given, const char *a, const char *b) {
  if (!given || strcmp(given, a) == 0 || strcmp(given, b) == 0) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s is '%s', expected %s or %s", option, given, a, b);
}

trm_status trm_reading_check(const trm_reading *reading) {
  char separator = 0;
  TRM_TRY(check_word("--header", reading->header, "yes", "no"));
  TRM_TRY(check_word("--base", reading->base, "0", "1"));
  TRM_TRY(check_word("--feature-base", reading->feature_base, "0", "1"));
  TRM_TRY(check_word("--ids", reading->ids, "numbers", "names"));
  return trm_separator_find(reading->separator, &separator);
}
