#include "trireme/input/data_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/io/seal.h"

static trm_status check_folder(const char *output) {
  const char *slash = strrchr(output, '/');
  char folder[4096];
  const int n = !slash ? snprintf(folder, sizeof folder, ".")
                : slash == output
                    ? snprintf(folder, sizeof folder, "/")
                    : snprintf(folder, sizeof folder, "%.*s", (int)(slash - output), output);
  if (n < 0 || n >= (int)sizeof folder) {
    return trm_fail(TRM_ERR_USAGE, "the name of the output has %zu bytes: too long",
                    strlen(output));
  }
  struct stat of;
  if (stat(folder, &of) != 0) {
    return trm_fail(TRM_ERR_IO, "%s: cannot be written, folder '%s': %s; make the folder first",
                    output, folder, strerror(errno));
  }
  if (!S_ISDIR(of.st_mode)) {
    return trm_fail(TRM_ERR_IO, "%s: cannot be written, '%s' is not a folder", output, folder);
  }
  return TRM_OK;
}

trm_status trm_output_check_place(const char *output, const char *const *inputs, int n_inputs) {
  if (!output || !output[0]) return trm_fail(TRM_ERR_USAGE, "no output file was given");
  TRM_TRY(check_folder(output));
  struct stat to, from;
  if (stat(output, &to) != 0) return TRM_OK; /* not there yet */
  if (S_ISDIR(to.st_mode)) {
    return trm_fail(TRM_ERR_USAGE, "%s: is a folder, the output must be a file", output);
  }
  TRM_TRY(trm_file_check_target(output));
  for (int i = 0; i < n_inputs; ++i) {
    if (stat(inputs[i], &from) == 0 && from.st_dev == to.st_dev && from.st_ino == to.st_ino) {
      return trm_fail(TRM_ERR_USAGE, "%s: is both input and output; give the output another name",
                      inputs[i]);
    }
  }
  return TRM_OK;
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
  const int64_t n_path = (int64_t)strlen(path) + 1, n_temporary = n_path + 32;
  TRM_TRY(TRM_ALLOC(&output->path, n_path, "name of the output"));
  memcpy(output->path, path, (size_t)n_path);
  char *temporary = NULL;
  TRM_TRY(TRM_ALLOC(&temporary, n_temporary, "name of the output"));
  snprintf(temporary, (size_t)n_temporary, "%s.%ld.tmp", path, (long)getpid());
  /* From here on abandoning removes the file. */
  output->temporary = temporary;
  return trm_container_create(temporary, &output->file);
}

trm_status trm_output_publish(trm_output *output) {
  TRM_TRY(trm_container_close(&output->file));
  TRM_TRY(trm_file_seal(output->temporary));
  const trm_status status = trm_file_publish(output->temporary, output->path);
  /* Published or removed: in both cases nothing is left by the temporary name. */
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
  if (output->temporary) (void)unlink(output->temporary);
  TRM_FREE(output->temporary);
  TRM_FREE(output->path);
}
