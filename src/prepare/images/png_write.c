/** PNG by libpng's simple interface, which jumps nowhere. */
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/prepare/png.h"

enum { MOST_SIDE = 1 << 20, MOST_BYTES = 1 << 30, HEAD_BYTES = 33 /* signature and IHDR */ };
/* A chunk of text behind them: "tEXt", a keyword, 0, what it says. By it our sheets are known again. */
static const char mark[] = "tEXtSoftware\0trireme";
enum { MARK_BYTES = sizeof mark - 1, CHUNK_BYTES = 4 + MARK_BYTES + 4 };

static void put_u32(uint8_t *to, uint32_t value) {
  for (int i = 0; i < 4; ++i) to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Makes room for the chunk in a file of `bytes` bytes. */
static void put_mark(uint8_t *file, size_t bytes) {
  uint8_t *chunk = file + HEAD_BYTES;
  memmove(chunk + CHUNK_BYTES, chunk, bytes - HEAD_BYTES);
  put_u32(chunk, MARK_BYTES - 4); /* without the type */
  memcpy(chunk + 4, mark, MARK_BYTES);
  put_u32(chunk + 4 + MARK_BYTES, (uint32_t)crc32(0, chunk + 4, MARK_BYTES));
}

bool trm_png_is_ours(const char *path) {
  char begin[HEAD_BYTES + CHUNK_BYTES], message[TRM_MESSAGE_BYTES];
  int64_t bytes = 0;
  (void)snprintf(message, sizeof message, "%s", trm_message());
  if (trm_file_read_start(path, begin, sizeof begin, &bytes) != TRM_OK) {
    trm_message_set(message); /* whoever writes the file will tell */
    return false;
  }
  return bytes == sizeof begin && memcmp(begin + HEAD_BYTES + 4, mark, MARK_BYTES) == 0;
}

/* No memory, as far as the library fails here at all. */
static trm_status failed(const char *path, png_image *image) {
  const trm_status status =
      trm_fail(TRM_ERR_MEMORY, "%.400s: cannot be made (libpng: %s)", path, image->message);
  png_image_free(image);
  return status;
}

trm_status trm_png_write(const char *path, const uint8_t *pixels, int64_t height, int64_t width,
                         int64_t channels) {
  uint8_t *file = NULL;
  if (height < 1 || width < 1 || height > MOST_SIDE || width > MOST_SIDE ||
      (channels != 1 && channels != 3) || height * width > MOST_BYTES / channels) {
    return trm_fail(TRM_ERR_ARG, "%.400s: an image of %lld x %lld x %lld cannot be written", path,
                    (long long)height, (long long)width, (long long)channels);
  }
  png_image image = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)width,
                     .height = (png_uint_32)height,
                     .format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
  TRM_TRY(TRM_ALLOC(&file, (int64_t)bytes + CHUNK_BYTES, "PNG file"));
  trm_status status = TRM_OK;
  if (!png_image_write_to_memory(&image, file, &bytes, 0, pixels, 0, NULL)) {
    status = failed(path, &image);
  } else {
    put_mark(file, bytes);
    status = trm_file_write_atomic(path, file, bytes + CHUNK_BYTES);
  }
  TRM_FREE(file);
  return status;
}
