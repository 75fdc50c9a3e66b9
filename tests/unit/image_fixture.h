/** Files of images for tests: IDX, PNG, JPEG, as they should be; a test may damage them then. */
#ifndef TRIREME_TESTS_IMAGE_FIXTURE_H
#define TRIREME_TESTS_IMAGE_FIXTURE_H

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

#include "input_fixture.h"

/** "FOLDER/NAME"; enough for all a check holds at a time. */
static inline const char *image_path(const char *folder, const char *name) {
  enum { N_PATHS = 128, BYTES = 512 };
  static char paths[N_PATHS][BYTES];
  static int next;
  char joined[BYTES];
  const int n = snprintf(joined, sizeof joined, "%s/%s", folder, name);
  if (!CHECK(n > 0 && n < BYTES)) exit(1);
  char *path = paths[next++ % N_PATHS];
  memcpy(path, joined, sizeof joined);
  return path;
}

/** A new folder's path; its parents are there. */
static inline const char *image_folder(const char *folder, const char *name) {
  const char *path = image_path(folder, name);
  CHECK(mkdir(path, 0777) == 0);
  return path;
}

/** Plain, or gzip when the name ends with ".gz". */
static inline void image_bytes(const char *path, const void *data, size_t bytes) {
  const size_t n = strlen(path);
  if (n < 3 || strcmp(path + n - 3, ".gz") != 0) {
    fixture_file(path, data, bytes);
    return;
  }
  gzFile file = gzopen(path, "wb9");
  CHECK(file && gzwrite(file, data, (unsigned)bytes) == (int)bytes && gzclose(file) == Z_OK);
}

/** An IDX file of bytes: its axes, then values[n_values], which need not be as many as the axes tell. */
static inline void image_idx(const char *path, int n_axes, const int *axes, const uint8_t *values,
                             size_t n_values) {
  uint8_t data[4096] = {0, 0, 8, (uint8_t)n_axes};
  size_t at = 4;
  for (int i = 0; i < n_axes; ++i) {
    for (int shift = 24; shift >= 0; shift -= 8) data[at++] = (uint8_t)(axes[i] >> shift);
  }
  memcpy(data + at, values, n_values);
  image_bytes(path, data, at + n_values);
}

/** What a PNG is made of; palette and transparency where their counts are not 0. */
typedef struct image_png {
  int height, width, depth, colour; /* colour: PNG_COLOR_TYPE_... */
  bool interlaced;
  const uint8_t *rows; /* [height] rows as the file has them, before filters */
  size_t row_bytes;
  const png_color *palette;
  int n_palette;
  const uint8_t *alphas; /* of the palette */
  int n_alphas;
} image_png;

static inline void image_png_write(const char *path, const image_png *p) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(png);
  FILE *file = fopen(path, "wb");
  if (!CHECK(file && info)) exit(1);
  png_init_io(png, file);
  png_set_IHDR(png, info, (png_uint_32)p->width, (png_uint_32)p->height, p->depth, p->colour,
               p->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
               PNG_FILTER_TYPE_BASE);
  if (p->n_palette > 0) png_set_PLTE(png, info, p->palette, p->n_palette);
  if (p->n_alphas > 0) png_set_tRNS(png, info, p->alphas, p->n_alphas, NULL);
  png_write_info(png, info);
  const int passes = png_set_interlace_handling(png);
  for (int pass = 0; pass < passes; ++pass) {
    for (int i = 0; i < p->height; ++i) png_write_row(png, p->rows + (size_t)i * p->row_bytes);
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  CHECK(fclose(file) == 0);
}

/** 8 bits, grey or RGB. */
static inline void image_png_plain(const char *path, int height, int width, int channels,
                                   const uint8_t *pixels) {
  const image_png p = {.height = height,
                       .width = width,
                       .depth = 8,
                       .colour = channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                       .rows = pixels,
                       .row_bytes = (size_t)(width * channels)};
  image_png_write(path, &p);
}

/** Grey, RGB or (4 channels) CMYK, of the best quality. */
static inline void image_jpeg(const char *path, int height, int width, int channels,
                              const uint8_t *pixels) {
  struct jpeg_compress_struct c;
  struct jpeg_error_mgr errors;
  FILE *file = fopen(path, "wb");
  if (!CHECK(file)) exit(1);
  c.err = jpeg_std_error(&errors);
  jpeg_create_compress(&c);
  jpeg_stdio_dest(&c, file);
  c.image_height = (JDIMENSION)height;
  c.image_width = (JDIMENSION)width;
  c.input_components = channels;
  c.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, 100, TRUE);
  jpeg_start_compress(&c, TRUE);
  while (c.next_scanline < c.image_height) {
    JSAMPROW row = (JSAMPROW)pixels + (size_t)c.next_scanline * (size_t)(width * channels);
    (void)jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  CHECK(fclose(file) == 0);
}

/** Bytes of a file, at most `capacity`. */
static inline size_t image_read(const char *path, uint8_t *data, size_t capacity) {
  FILE *file = fopen(path, "rb");
  if (!CHECK(file)) exit(1);
  const size_t n = fread(data, 1, capacity, file);
  CHECK(fclose(file) == 0);
  return n;
}

/** The file without its last bytes. */
static inline void image_cut(const char *path, long bytes) {
  struct stat of;
  CHECK(stat(path, &of) == 0 && truncate(path, of.st_size - bytes) == 0);
}

/** Changes the bytes at `at`, from the end when it is negative. */
static inline void image_patch(const char *path, long at, const void *bytes, size_t n) {
  FILE *file = fopen(path, "r+b");
  if (!CHECK(file)) exit(1);
  CHECK(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET) == 0 && fwrite(bytes, 1, n, file) == n);
  CHECK(fclose(file) == 0);
}

#endif
