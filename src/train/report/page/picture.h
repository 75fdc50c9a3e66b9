/** Small images inside a page. */
#ifndef TRIREME_TRAIN_PICTURE_H
#define TRIREME_TRAIN_PICTURE_H

#include <stdio.h>

#include "trireme/input/samples.h"

/** Writes image `i` as "data:image/bmp;base64,...", at most 64 pixels wide and high: of larger ones, some of
 *  their pixels. Images of one channel are grey, of two or more the first ones are red, green, blue. */
void trm_picture_write(const trm_images *images, int64_t i, FILE *file);

/** data[n] in base64 (RFC 4648). */
void trm_base64_write(const uint8_t *data, int64_t n, FILE *file);

#endif
