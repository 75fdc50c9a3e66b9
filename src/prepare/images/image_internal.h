/**
 * Images in memory: decoded from PNG and JPEG, made grey or coloured, made of another size.
 * What is wrong with a file is named by its path.
 */
#ifndef TRIREME_PREPARE_IMAGE_INTERNAL_H
#define TRIREME_PREPARE_IMAGE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

/** Rows from the top, the channels of a pixel side by side. Zero it first; the memory is used again for
 *  the next image. */
typedef struct trm_image {
  int64_t height, width, channels; /* 1: grey; 3: red, green, blue */
  uint8_t *pixels;                 /* [height, width, channels] */
  int64_t capacity;                /* bytes */
  bool lost_alpha;                 /* pixels were not all opaque, and are now */
} trm_image;

/** A file that is to be decoded. */
typedef struct trm_image_file {
  const char *path; /* for messages */
  const uint8_t *data;
  int64_t bytes;
  int64_t most_pixels; /* of an image; more are refused before memory is taken */
  bool drop_alpha;     /* else pixels that are not opaque are refused */
} trm_image_file;

/** What a file is, by its first bytes. */
typedef enum trm_image_sort { TRM_IMAGE_NONE, TRM_IMAGE_PNG, TRM_IMAGE_JPEG } trm_image_sort;
trm_image_sort trm_image_sort_of(const uint8_t *data, int64_t bytes);

/**
 * Grey stays grey; palettes become colours, 16 bits become 8, fewer than 8 fill the range. Gamma, colour
 * profiles and the orientation of a camera (EXIF) are not applied.
 * @return TRM_ERR_DATA: damaged, cut short, without pixels, with too many of them, not opaque; of JPEG
 *         also colours for printing (CMYK); TRM_ERR_MEMORY
 */
trm_status trm_png_decode(const trm_image_file *file, trm_image *image);
trm_status trm_jpeg_decode(const trm_image_file *file, trm_image *image);

/** Checks the size and makes room for it. `path`: what tells of the size, for messages. */
trm_status trm_image_reserve(trm_image *image, const char *path, int64_t height, int64_t width,
                             int64_t channels, int64_t most_pixels);
void trm_image_free(trm_image *image);

/** From grey to colour, or the reverse by the luma of ITU-R BT.601. */
trm_status trm_image_recolour(const trm_image *from, int64_t channels, trm_image *to);
/**
 * To another size, along each axis of its own: the mean over the area that a pixel covers where there are
 * fewer of them, else straight between the two nearest centres. In whole numbers, rounded once, to the
 * nearest (a half up).
 */
trm_status trm_image_resize(const trm_image *from, int64_t height, int64_t width, trm_image *to);

#endif
