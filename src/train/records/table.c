#include "table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "text_file.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"

static trm_status failed(const trm_step_table *table, const char *what) {
  return trm_fail(TRM_ERR_IO,
                  "%s: %s failed: %s; free the disk or mend the permissions, then resume",
                  table->path, what, strerror(errno));
}

/* A table whose rows are to be added to must have the columns of those rows. */
static trm_status check_header(const char *path, const char *text, const char *header) {
  const size_t n = strcspn(text, "\n");
  if (text[n] == 0 || (n == strlen(header) && memcmp(text, header, n) == 0)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: has other columns than this program writes now (it is of another version, "
                  "or of other data); move it away, then resume",
                  path);
}

/* Whether a resumed run repeats a row. */
static bool is_repeated(const char *row, int64_t last_step, bool whole) {
  char *second = NULL;
  const int64_t step = strtoll(row, &second, 10);
  return step > last_step || (step == last_step && !whole && strncmp(second, ",,", 2) == 0);
}

static trm_status drop_rows(const char *path, const char *header, int64_t last_step, bool whole) {
  if (!trm_path_exists(path)) return TRM_OK;
  char *text = NULL;
  int64_t bytes = 0;
  TRM_TRY(trm_file_read_all(path, (int64_t)1 << 40, &text, &bytes));
  trm_status status = check_header(path, text, header);
  char *keep_end = strchr(text, '\n');
  keep_end = keep_end ? keep_end + 1 : text;
  for (char *line = keep_end; *line;) {
    char *end = strchr(line, '\n');
    if (!end) break; /* a row cut short by a kill */
    if (is_repeated(line, last_step, whole)) break;
    line = keep_end = end + 1;
  }
  if (status == TRM_OK && keep_end != text + bytes) {
    status = trm_file_write_atomic(path, text, (size_t)(keep_end - text));
  }
  TRM_FREE(text);
  return status;
}

/* A table that is new, or empty, gets its header. */
static trm_status begin(const char *path, const char *header) {
  struct stat facts;
  trm_text_file file;
  if (stat(path, &facts) == 0 && facts.st_size > 0) return TRM_OK;
  TRM_TRY(trm_text_file_begin(&file));
  (void)fprintf(file.stream, "%s\n", header);
  return trm_text_file_publish(&file, path);
}

trm_status trm_step_table_open(trm_step_table *table, const char *folder, const char *name,
                               const char *header, int64_t last_step, bool whole) {
  table->file = NULL;
  TRM_TRY(trm_path_join(table->path, sizeof table->path, folder, name));
  TRM_TRY(drop_rows(table->path, header, last_step, whole));
  TRM_TRY(begin(table->path, header));
  table->file = fopen(table->path, "a");
  return table->file ? TRM_OK : failed(table, "opening");
}

/* Place of a column among those of a header; -1: there is none. */
static int column_place(const char *header, const char *column) {
  const size_t n = strlen(column);
  for (int place = 0;; ++place) {
    if (strncmp(header, column, n) == 0 && (header[n] == ',' || header[n] == 0)) return place;
    header = strchr(header, ',');
    if (!header) return -1;
    ++header;
  }
}

trm_status trm_step_table_last(const trm_step_table *table, const char *header, const char *column,
                               double *value) {
  char *text = NULL, *end = NULL;
  int64_t bytes = 0;
  TRM_TRY(trm_file_read_all(table->path, (int64_t)1 << 40, &text, &bytes));
  const char *row = text, *first = strchr(text, '\n');
  while (bytes > 0 && text[bytes - 1] == '\n') text[--bytes] = 0;
  if (strrchr(text, '\n')) row = strrchr(text, '\n') + 1;
  if (first && row > first) {
    for (int place = column_place(header, column); place > 0 && row; --place) {
      row = strchr(row, ',');
      if (row) ++row;
    }
    const double found = row ? strtod(row, &end) : 0;
    if (row && end != row) *value = found;
  }
  TRM_FREE(text);
  return TRM_OK;
}

trm_status trm_step_table_put(trm_step_table *table, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int n = vfprintf(table->file, format, arguments);
  va_end(arguments);
  return n < 0 ? failed(table, "writing") : TRM_OK;
}

trm_status trm_step_table_flush(trm_step_table *table) {
  return fflush(table->file) == 0 ? TRM_OK : failed(table, "writing");
}

trm_status trm_step_table_close(trm_step_table *table) {
  if (!table->file) return TRM_OK;
  FILE *file = table->file;
  table->file = NULL;
  return fclose(file) == 0 ? TRM_OK : failed(table, "closing");
}
