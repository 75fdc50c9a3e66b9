/** PNG by libpng's simple interface, which jumps nowhere. */
#include <png.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/prepare/png.h"

enum { MOST_SIDE = 1 << 20, MOST_BYTES = 1 << 30 };

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
  TRM_TRY(TRM_ALLOC(&file, (int64_t)bytes, "PNG file"));
  trm_status status = TRM_OK;
  if (!png_image_write_to_memory(&image, file, &bytes, 0, pixels, 0, NULL)) {
    status = failed(path, &image);
  } else {
    status = trm_file_write_atomic(path, file, bytes);
  }
  TRM_FREE(file);
  return status;
}
