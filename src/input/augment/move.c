/** Images moved by whole pixels. */
#include <string.h>

#include "augment_internal.h"

enum { MOST = 4096 };

static void fill_pixels(const trm_augment_picture *p, float *to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t c = 0; c < p->channels; ++c) *to++ = p->fill[c];
  }
}

/* Pixel (y, x) becomes what was at (y + down, x + right), fill where that is outside. */
static void move_filled(const trm_augment_picture *p, int64_t down, int64_t right) {
  const int64_t C = p->channels, W = p->width;
  int64_t left = right < 0 ? -right : 0; /* columns [left, left + n) come from inside */
  int64_t n = W - (right < 0 ? -right : right);
  if (n < 0) n = left = 0;
  for (int64_t y = 0; y < p->height; ++y) {
    float *to = p->pixels + y * W * C;
    if (y + down < 0 || y + down >= p->height || n == 0) {
      fill_pixels(p, to, W);
      continue;
    }
    const float *from = p->scratch + ((y + down) * W + left + right) * C;
    fill_pixels(p, to, left);
    memcpy(to + left * C, from, (size_t)(n * C) * sizeof *to);
    fill_pixels(p, to + (left + n) * C, W - left - n);
  }
}

/* Place of i in [0, n) when the axis is mirrored at its ends, which are not repeated: -1 is 1. */
static int64_t mirrored(int64_t i, int64_t n) {
  const int64_t period = n > 1 ? 2 * (n - 1) : 1;
  i %= period;
  if (i < 0) i += period;
  return i < n ? i : period - i;
}

static void move_mirrored(const trm_augment_picture *p, int64_t down, int64_t right) {
  const int64_t C = p->channels, W = p->width;
  const size_t pixel_bytes = (size_t)C * sizeof *p->pixels;
  for (int64_t y = 0; y < p->height; ++y) {
    const float *from = p->scratch + mirrored(y + down, p->height) * W * C;
    float *to = p->pixels + y * W * C;
    int64_t x = 0;
    for (; x < W && x + right < 0; ++x)
      memcpy(to + x * C, from + mirrored(x + right, W) * C, pixel_bytes);
    const int64_t inside = W - (x + right) < W - x ? W - (x + right) : W - x;
    if (inside > 0) {
      memcpy(to + x * C, from + (x + right) * C, (size_t)inside * pixel_bytes);
      x += inside;
    }
    for (; x < W; ++x) memcpy(to + x * C, from + mirrored(x + right, W) * C, pixel_bytes);
  }
}

static void draw_and_move(trm_augment_given given, const trm_augment_draw *draw,
                          trm_augment_picture *p) {
  const int64_t N = (int64_t)given.number;
  const int64_t down = trm_augment_below(draw, 0, 2 * N + 1) - N;
  const int64_t right = trm_augment_below(draw, 1, 2 * N + 1) - N;
  if (down == 0 && right == 0) return;
  trm_augment_picture_keep(p);
  if (given.word) {
    move_mirrored(p, down, right);
  } else {
    move_filled(p, down, right);
  }
}

/**
 * Moves by a number of pixels each way, uniform in [-N, N].
 * Source: LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document
 * recognition", Proc. IEEE 86(11), section III.
 */
const trm_augment_op trm_augment_op_shift = {
    .name = "shift",
    .number = "N",
    .min = 0,
    .max = MOST,
    .whole = true,
    .help = "moved by up to N pixels each way; what comes in is the mean colour",
    .image = draw_and_move,
};

/**
 * A piece of the image's own size out of the image with N pixels more on each side, which is a move by
 * up to N: filled, or mirrored at the border pixel.
 * Source: He, Zhang, Ren, Sun 2015, arXiv:1512.03385, section 4.2.
 */
const trm_augment_op trm_augment_op_crop = {
    .name = "crop",
    .number = "N",
    .min = 0,
    .max = MOST,
    .whole = true,
    .word = "reflect",
    .help =
        "a piece of the same size out of the image with N pixels more on each side, of the mean "
        "colour or mirrored",
    .image = draw_and_move,
};
