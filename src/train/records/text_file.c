#include "text_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/io/files.h"

trm_status trm_text_file_begin(trm_text_file *file) {
  *file = (trm_text_file){0};
  file->stream = open_memstream(&file->text, &file->bytes);
  if (file->stream) return TRM_OK;
  return trm_fail(TRM_ERR_MEMORY, "no memory for a text: %s", strerror(errno));
}

void trm_text_file_discard(trm_text_file *file) {
  if (file->stream) (void)fclose(file->stream); /* in memory */
  free(file->text);
  *file = (trm_text_file){0};
}

trm_status trm_text_file_publish(trm_text_file *file, const char *path) {
  const bool bad = ferror(file->stream) != 0;
  trm_status status = TRM_OK;
  if (fclose(file->stream) != 0 || bad) {
    status = trm_fail(TRM_ERR_MEMORY, "%s: no memory for its text", path);
  }
  if (status == TRM_OK && strcmp(path, TRM_TEXT_TO_TERMINAL) == 0) {
    (void)fwrite(file->text, 1, file->bytes, stdout); /* whether it arrived is seen at the end */
  } else if (status == TRM_OK) {
    status = trm_file_write_atomic(path, file->text, file->bytes);
  }
  free(file->text);
  *file = (trm_text_file){0};
  return status;
}

void trm_put_one_line(FILE *file, const char *text, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const unsigned char c = (unsigned char)text[i];
    (void)fputc(c < 0x20 || c == 0x7f ? ' ' : c, file);
  }
}

void trm_put_text_field(FILE *file, const trm_texts *texts, int64_t i) {
  (void)fputc('\t', file);
  trm_put_one_line(file, texts->bytes + texts->offsets[i],
                   texts->offsets[i + 1] - texts->offsets[i]);
}
