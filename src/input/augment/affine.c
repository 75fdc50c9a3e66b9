/** Images turned and scaled about their middle. */
#include <math.h>

#include "augment_internal.h"

/* Where a pixel comes from: offsets (x, y) from the middle times this; y points down. */
typedef struct affine_map {
  float xx, xy, yx, yy;
} affine_map;

/* Pixel (y, x), or the fill where that is outside. */
static inline const float *pixel_at(const trm_augment_picture *p, int64_t y, int64_t x) {
  const bool inside = y >= 0 && y < p->height && x >= 0 && x < p->width;
  return inside ? p->scratch + (y * p->width + x) * p->channels : p->fill;
}

static inline int64_t floor_of(float x) {
  const int64_t whole = (int64_t)x;
  return whole - (x < (float)whole);
}

/* Between the four pixels around (y, x), linear both ways. */
static inline void pixel_between(const trm_augment_picture *p, float y, float x, int64_t C,
                                 float *out) {
  const int64_t top = floor_of(y), left = floor_of(x);
  const float down = y - (float)top, right = x - (float)left;
  const float *a, *b, *c, *d;
  if (top >= 0 && top + 1 < p->height && left >= 0 && left + 1 < p->width) {
    a = p->scratch + (top * p->width + left) * C;
    b = a + C;
    c = a + p->width * C;
    d = c + C;
  } else {
    a = pixel_at(p, top, left);
    b = pixel_at(p, top, left + 1);
    c = pixel_at(p, top + 1, left);
    d = pixel_at(p, top + 1, left + 1);
  }
  for (int64_t i = 0; i < C; ++i) {
    const float upper = a[i] + (b[i] - a[i]) * right, lower = c[i] + (d[i] - c[i]) * right;
    out[i] = upper + (lower - upper) * down;
  }
}

/* C is a constant where this is called for the usual channels. */
static inline void map_pixels(const trm_augment_picture *p, affine_map m, int64_t C) {
  const float middle_y = (float)(p->height - 1) / 2, middle_x = (float)(p->width - 1) / 2;
  float *to = p->pixels;
  for (int64_t y = 0; y < p->height; ++y) {
    const float dy = (float)y - middle_y;
    for (int64_t x = 0; x < p->width; ++x, to += C) {
      const float dx = (float)x - middle_x;
      pixel_between(p, middle_y + (m.yx * dx + m.yy * dy), middle_x + (m.xx * dx + m.xy * dy), C,
                    to);
    }
  }
}

static void map_picture(const trm_augment_picture *p, affine_map m) {
  trm_augment_picture_keep(p);
  if (p->channels == 1) {
    map_pixels(p, m, 1);
  } else if (p->channels == 3) {
    map_pixels(p, m, 3);
  } else {
    map_pixels(p, m, p->channels);
  }
}

static void rotate(trm_augment_given given, const trm_augment_draw *draw, trm_augment_picture *p) {
  const double pi = 3.14159265358979323846;
  const double angle = trm_augment_between(draw, 0, -given.number, given.number) * pi / 180;
  const float c = (float)cos(angle), s = (float)sin(angle);
  map_picture(p, (affine_map){.xx = c, .xy = -s, .yx = s, .yy = c});
}

/**
 * Turned by an angle uniform in [-DEGREES, DEGREES], counter-clockwise where it is positive; linear
 * between pixels, the fill outside.
 * Source: Simard, Steinkraus, Platt 2003, "Best practices for convolutional neural networks applied to
 * visual document analysis", ICDAR, section 2.
 */
const trm_augment_op trm_augment_op_rotate = {
    .name = "rotate",
    .number = "DEGREES",
    .min = 0,
    .max = 180,
    .help = "turned by up to DEGREES either way",
    .image = rotate,
};

static void scale(trm_augment_given given, const trm_augment_draw *draw, trm_augment_picture *p) {
  const double factor = trm_augment_between(draw, 0, 1 / (1 + given.number), 1 + given.number);
  const float back = (float)(1 / factor);
  map_picture(p, (affine_map){.xx = back, .yy = back});
}

/** Enlarged by a factor uniform in [1 / (1 + S), 1 + S]. Source: as for rotate. */
const trm_augment_op trm_augment_op_scale = {
    .name = "scale",
    .number = "S",
    .min = 0,
    .max = 10,
    .help = "enlarged by a factor between 1 / (1 + S) and 1 + S",
    .image = scale,
};
