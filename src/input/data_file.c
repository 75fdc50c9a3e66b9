/** What kind of data set a file holds, the first question to every one. */
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/data_file.h"

trm_status trm_dataset_kind_read(trm_container *file, const char *path, char kind[TRM_KIND_BYTES]) {
  if (!trm_attr_has(file, "/", "trireme_format") || !trm_attr_has(file, "/", "kind")) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: not a Trireme data set%s: no attributes 'trireme_format' and 'kind'; make "
                    "one with `trireme prepare`",
                    path, trm_container_has(file, "/model") ? " (a checkpoint, it seems)" : "");
  }
  int64_t format;
  TRM_TRY(trm_attr_read_int(file, "/", "trireme_format", &format));
  if (format != TRM_FORMAT_VERSION) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: format %lld, this program reads format %d; prepare the data again, or use "
                    "the program that wrote it",
                    path, (long long)format, TRM_FORMAT_VERSION);
  }
  char *text = NULL;
  TRM_TRY(trm_attr_read_text(file, "/", "kind", &text));
  trm_text_escape(text, (int64_t)strlen(text), kind, TRM_KIND_BYTES);
  TRM_FREE(text);
  return TRM_OK;
}

trm_status trm_dataset_kind(const char *path, char kind[TRM_KIND_BYTES]) {
  trm_container *file = NULL;
  TRM_TRY(trm_container_open(path, &file));
  const trm_status status = trm_dataset_kind_read(file, path, kind);
  return trm_input_close(&file, status);
}

trm_status trm_input_close(trm_container **file, trm_status status) {
  char message[TRM_MESSAGE_BYTES];
  const size_t length = strnlen(trm_message(), sizeof message - 1);
  memcpy(message, trm_message(), length);
  message[length] = 0;
  const trm_status closed = trm_container_close(file);
  if (closed == TRM_OK || status == TRM_OK) return status == TRM_OK ? closed : status;
  trm_message_set(message);
  return status;
}

trm_status trm_note_read(trm_container *file, const char *name, char **text) {
  if (trm_attr_has(file, "/", name)) return trm_attr_read_text(file, "/", name, text);
  return TRM_ALLOC(text, 1, name);
}
