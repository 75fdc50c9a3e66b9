#include "trireme/input/data_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/io/seal.h"

bool trm_dataset_is_sealed(const char *path) {
  char message[TRM_MESSAGE_BYTES];
  bool sealed = false;
  (void)snprintf(message, sizeof message, "%s", trm_message());
  if (trm_file_seal_there(path, &sealed) == TRM_OK) return sealed;
  trm_message_set(message); /* whoever writes the file will tell */
  return false;
}

trm_status trm_output_names(trm_container *file, const char *group, int64_t n,
                            const int64_t *offsets, const char *bytes) {
  char name[96];
  const int64_t n_offsets = n + 1, n_bytes = offsets[n];
  snprintf(name, sizeof name, "%s/offsets", group);
  TRM_TRY(trm_array_write(file, name, TRM_DTYPE_I64, 1, &n_offsets, offsets));
  snprintf(name, sizeof name, "%s/bytes", group);
  return trm_array_write(file, name, TRM_DTYPE_U8, 1, &n_bytes, bytes);
}

trm_status trm_output_head(trm_container *file, const char *kind, const char *source) {
  TRM_TRY(trm_attr_write_int(file, "/", "trireme_format", TRM_FORMAT_VERSION));
  TRM_TRY(trm_attr_write_text(file, "/", "kind", kind));
  TRM_TRY(trm_attr_write_text(file, "/", "source", source));
  return trm_attr_write_text(file, "/", "created_by", "trireme " TRM_VERSION);
}

trm_status trm_output_create(trm_output *output, const char *path) {
  const int64_t n_path = (int64_t)strlen(path) + 1, n_temporary = n_path + 64;
  TRM_TRY(TRM_ALLOC(&output->path, n_path, "name of the output"));
  memcpy(output->path, path, (size_t)n_path);
  char *temporary = NULL;
  TRM_TRY(TRM_ALLOC(&temporary, n_temporary, "name of the output"));
  output->temporary = temporary;
  TRM_TRY(trm_file_temporary(path, temporary, (size_t)n_temporary));
  /* From here on abandoning removes the file, and so do signals. */
  trm_file_remove_at_signal(temporary);
  return trm_container_create(temporary, &output->file);
}

trm_status trm_output_publish(trm_output *output) {
  TRM_TRY(trm_container_close(&output->file));
  TRM_TRY(trm_file_seal(output->temporary));
  const trm_status status = trm_file_publish(output->temporary, output->path);
  /* Published or removed: in both cases nothing is left by the temporary name. */
  trm_file_remove_at_signal(NULL);
  TRM_FREE(output->temporary);
  trm_output_abandon(output);
  return status;
}

/* Called after a failure, whose message must survive: closing a file that was given up may well
 * fail, and a second message would hide the cause. */
void trm_output_abandon(trm_output *output) {
  char message[TRM_MESSAGE_BYTES];
  snprintf(message, sizeof message, "%s", trm_message());
  if (trm_container_close(&output->file) != TRM_OK) trm_message_set(message);
  /* If the file cannot be removed nothing can be done about it; its name says what it is. */
  if (output->temporary) {
    trm_file_remove_at_signal(NULL);
    (void)unlink(output->temporary);
  }
  TRM_FREE(output->temporary);
  TRM_FREE(output->path);
}
