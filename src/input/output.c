#include "output_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "input_internal.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/io/seal.h"

void trm_output_progress(const trm_prepare_options *options, double share, const char *what) {
  if (options->progress) options->progress(options->context, share < 1 ? share : 1, what);
}

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

trm_status trm_output_check(const trm_prepare_options *options, const char *const *inputs,
                            int n_inputs) {
  const char *output = options->output;
  if (!output || !output[0]) return trm_fail(TRM_ERR_USAGE, "no output file was given");
  if (!options->unit ||
      (strcmp(options->unit, "byte") != 0 && strcmp(options->unit, "char") != 0)) {
    return trm_fail(TRM_ERR_USAGE, "unit '%s', expected 'byte' or 'char'",
                    options->unit ? options->unit : "");
  }
  if (!(options->valid_share > 0 && options->valid_share < 1)) {
    return trm_fail(TRM_ERR_USAGE, "validation share %g, expected a number between 0 and 1",
                    options->valid_share);
  }
  return trm_output_check_place(output, inputs, n_inputs);
}

trm_status trm_output_split(int64_t n_tokens, double valid_share, const char *label,
                            int64_t *n_train) {
  *n_train = (int64_t)((1.0 - valid_share) * (double)n_tokens);
  if (*n_train >= 2 && n_tokens - *n_train >= 2) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: %lld tokens cannot be split into training and validation at share %g: each "
                  "must have 2; give more text",
                  label, (long long)n_tokens, valid_share);
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

static trm_status write_head(trm_output *output, const trm_vocab *vocab, const char *source) {
  trm_container *file = output->file;
  TRM_TRY(trm_output_head(file, "text", source));
  TRM_TRY(trm_attr_write_text(file, "/", "unit", vocab->unit));
  TRM_TRY(trm_output_names(file, "/vocab", vocab->n, vocab->offsets, vocab->bytes));
  return trm_array_create(file, "/tokens", output->dtype, 1, &output->n_tokens);
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

trm_status trm_output_begin(trm_output *output, const char *path, const trm_vocab *vocab,
                            int64_t n_tokens, const char *source) {
  TRM_ASSERT(vocab->n <= TRM_MAX_CHARS);
  output->dtype = trm_token_dtype(vocab->n);
  output->n_tokens = n_tokens;
  TRM_TRY(trm_alloc_bytes(&output->pending, TRM_PIECE_TOKENS, trm_dtype_bytes(output->dtype),
                          "tokens to be written"));
  TRM_TRY(trm_output_create(output, path));
  return write_head(output, vocab, source);
}

static trm_status write_pending(trm_output *output) {
  if (output->n_pending == 0) return TRM_OK;
  TRM_TRY(trm_array_write_range(output->file, "/tokens", output->dtype, output->n_written,
                                output->n_pending, output->pending));
  output->n_written += output->n_pending;
  output->n_pending = 0;
  return TRM_OK;
}

static trm_status length_changed(const trm_output *output) {
  return trm_fail(TRM_ERR_DATA, "%s: the input changed while it was read; run prepare again",
                  output->path);
}

trm_status trm_output_put(trm_output *output, const uint16_t *tokens, int64_t n) {
  if (n > output->n_tokens - output->n_written - output->n_pending) return length_changed(output);
  for (int64_t done = 0; done < n;) {
    const int64_t room = TRM_PIECE_TOKENS - output->n_pending;
    const int64_t here = n - done < room ? n - done : room;
    if (output->dtype == TRM_DTYPE_U8) {
      uint8_t *to = (uint8_t *)output->pending + output->n_pending;
      for (int64_t i = 0; i < here; ++i) to[i] = (uint8_t)tokens[done + i];
    } else {
      uint16_t *to = (uint16_t *)output->pending + output->n_pending;
      memcpy(to, tokens + done, (size_t)here * sizeof *to);
    }
    output->n_pending += here;
    done += here;
    if (output->n_pending == TRM_PIECE_TOKENS) TRM_TRY(write_pending(output));
  }
  return TRM_OK;
}

trm_status trm_output_finish(trm_output *output, int64_t n_train) {
  TRM_TRY(write_pending(output));
  if (output->n_written != output->n_tokens) return length_changed(output);
  const int64_t two = 2, train[2] = {0, n_train}, valid[2] = {n_train, output->n_tokens};
  TRM_TRY(trm_array_write(output->file, "/splits/train", TRM_DTYPE_I64, 1, &two, train));
  return trm_array_write(output->file, "/splits/valid", TRM_DTYPE_I64, 1, &two, valid);
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
  TRM_FREE(output->pending);
  TRM_FREE(output->path);
}
