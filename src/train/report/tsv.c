#include "tsv.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/io/files.h"

static int cut(char *line, char *fields[TRM_TSV_FIELDS + 1]) {
  int n = 0;
  for (char *at = line; at && n <= TRM_TSV_FIELDS;) {
    fields[n++] = at;
    at = strchr(at, '\t');
    if (at) *at++ = 0;
  }
  return n;
}

static trm_status read_lines(char *text, const char *path, trm_tsv_visitor visit, void *context) {
  char *fields[TRM_TSV_FIELDS + 1];
  int n_fields = 0;
  int64_t number = 0;
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    ++number;
    const int n = cut(line, fields);
    if (n_fields == 0) n_fields = n;
    if (n != n_fields || n > TRM_TSV_FIELDS) {
      return trm_fail(TRM_ERR_DATA,
                      "%s:%" PRId64 ": has %d fields, not %d; remove the file, and the report goes "
                      "without it",
                      path, number, n, n_fields);
    }
    visit(context, fields, n);
  }
  return TRM_OK;
}

trm_status trm_tsv_read(const char *folder, const char *name, trm_tsv_visitor visit,
                        void *context) {
  char path[4096], *text = NULL;
  int64_t bytes;
  TRM_TRY(trm_path_join(path, sizeof path, folder, name));
  if (!trm_path_exists(path)) return TRM_OK;
  TRM_TRY(trm_file_read_all(path, 1 << 26, &text, &bytes));
  const trm_status status = read_lines(text, path, visit, context);
  TRM_FREE(text);
  return status;
}
