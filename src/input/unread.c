/** Arrays of a file that its kind knows nothing of: they are passed over, as one with a slip in its name is. */
#include <stdio.h>
#include <string.h>

#include "describe_internal.h"
#include "trireme/core/utf8.h"

enum { MOST_NAMED = 8, SHOWN_BYTES = 96 };

typedef struct look {
  trm_known_array is_known;
  const void *context;
  FILE *file;
  int64_t n;
} look;

static trm_status note_array(void *context, const char *name) {
  look *l = context;
  char shown[SHOWN_BYTES];
  if (l->is_known(l->context, name) || l->n++ >= MOST_NAMED) return TRM_OK;
  trm_text_escape(name, (int64_t)strlen(name), shown, sizeof shown);
  trm_describe_row(l->file, l->n == 1 ? "not read" : "", "%s", shown);
  return TRM_OK;
}

trm_status trm_unread_describe(const char *path, trm_known_array is_known, const void *context,
                               FILE *file) {
  trm_container *container = NULL;
  look l = {is_known, context, file, 0};
  TRM_TRY(trm_container_open(path, &container));
  const trm_status status = trm_container_names(container, note_array, &l);
  if (l.n > MOST_NAMED) {
    trm_describe_row(file, "", "and %s more", trm_count_text_of(l.n - MOST_NAMED).text);
  }
  return trm_input_close(&container, status);
}

bool trm_is_below(const char *name, const char *group) {
  const size_t n = strlen(group);
  return strncmp(name, group, n) == 0 && name[n] == '/';
}
