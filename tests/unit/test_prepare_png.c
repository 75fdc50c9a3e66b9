/* PNG files that are written: read back by libpng, whole or not there, sizes that are refused. */
#include <png.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/prepare/png.h"

enum { MOST = 4096 };

static char folder[512];

static void check_back(const char *path, const uint8_t *pixels, int64_t H, int64_t W, int64_t C) {
  static uint8_t got[MOST];
  png_image image = {.version = PNG_IMAGE_VERSION};
  if (!CHECK(png_image_begin_read_from_file(&image, path))) return;
  CHECK_EQ(image.height, H);
  CHECK_EQ(image.width, W);
  CHECK_EQ(image.format, C == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY); /* as it is stored */
  CHECK(png_image_finish_read(&image, NULL, got, 0, NULL));
  CHECK(memcmp(got, pixels, (size_t)(H * W * C)) == 0);
}

static void check_size(int64_t H, int64_t W, int64_t C) {
  uint8_t pixels[MOST];
  char path[600];
  (void)snprintf(path, sizeof path, "%s/image.png", folder);
  for (int64_t i = 0; i < H * W * C; ++i) pixels[i] = (uint8_t)(i * i * 7 + H);
  CHECK_OK(trm_png_write(path, pixels, H, W, C)); /* over what was there */
  check_back(path, pixels, H, W, C);
}

static void refuse(int64_t H, int64_t W, int64_t C) {
  static const uint8_t pixels[4];
  CHECK_EQ(trm_png_write("x.png", pixels, H, W, C), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), "x.png: an image of ");
  CHECK(!trm_path_exists("x.png"));
}

static void test_failures(void) {
  static const uint8_t pixels[3] = {1, 2, 3};
  char path[600];
  const trm_alloc_counts before = trm_alloc_counts_get();
  (void)snprintf(path, sizeof path, "%s/none/image.png", folder);
  CHECK_EQ(trm_png_write(path, pixels, 1, 1, 3), TRM_ERR_MISSING);
  CHECK_HAS(trm_message(), path);
  (void)snprintf(path, sizeof path, "%s/other.png", folder);
  trm_alloc_fail_after(0);
  CHECK_EQ(trm_png_write(path, pixels, 1, 1, 3), TRM_ERR_MEMORY);
  trm_alloc_fail_after(-1);
  CHECK(!trm_path_exists(path));
  CHECK_EQ(trm_alloc_counts_get().live_blocks, before.live_blocks);
}

int main(void) {
  (void)snprintf(folder, sizeof folder, "%s", check_temp_folder());
  check_size(1, 1, 1);
  check_size(1, 1, 3);
  check_size(13, 17, 3);
  check_size(40, 100, 1);
  refuse(0, 1, 1);
  refuse(1, -1, 3);
  refuse(1, 1, 2);
  refuse(1, 1, 4);
  refuse(INT64_C(1) << 21, 1, 1);
  refuse(1 << 20, 1 << 20, 3);
  test_failures();
  return check_verdict();
}
