/** PNG files, written. */
#ifndef TRIREME_PREPARE_PNG_H
#define TRIREME_PREPARE_PNG_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

/**
 * Writes an image of 8 bits: it appears by its name complete or not at all. Not collective.
 *
 * @param[in] pixels  [height, width, channels], rows from the top; both at least 1
 * @param     channels  1: grey; 3: red, green, blue
 * @return TRM_ERR_IO; TRM_ERR_MEMORY; TRM_ERR_ARG for sizes that a PNG file cannot have
 */
trm_status trm_png_write(const char *path, const uint8_t *pixels, int64_t height, int64_t width,
                         int64_t channels);
/** Whether a file was written by trm_png_write. */
bool trm_png_is_ours(const char *path);

#endif
