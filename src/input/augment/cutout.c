#include "augment_internal.h"

/* What of [at, at + n) lies in [0, size). */
static void clip(int64_t at, int64_t n, int64_t size, int64_t *begin, int64_t *end) {
  *begin = at < 0 ? 0 : at;
  *end = at + n > size ? size : at + n;
}

static void cutout(trm_augment_given given, const trm_augment_draw *draw, trm_augment_picture *p) {
  const int64_t N = (int64_t)given.number;
  int64_t top, bottom, left, right;
  clip(trm_augment_below(draw, 0, p->height) - N / 2, N, p->height, &top, &bottom);
  clip(trm_augment_below(draw, 1, p->width) - N / 2, N, p->width, &left, &right);
  for (int64_t y = top; y < bottom; ++y) {
    for (int64_t x = left; x < right; ++x) {
      float *pixel = p->pixels + (y * p->width + x) * p->channels;
      for (int64_t c = 0; c < p->channels; ++c) pixel[c] = p->fill[c];
    }
  }
}

/**
 * A square of side N becomes the fill; its middle is any pixel, and what lies past the border is cut off.
 * Source: DeVries, Taylor 2017, arXiv:1708.04552, section 3.2.
 */
const trm_augment_op trm_augment_op_cutout = {
    .name = "cutout",
    .number = "N",
    .min = 1,
    .max = 4096,
    .whole = true,
    .help = "a square of N pixels a side, with its middle anywhere, becomes the mean colour",
    .image = cutout,
};
