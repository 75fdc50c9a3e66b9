/**
 * Brightness, contrast, saturation and hue, as torchvision's ColorJitter defines them, but in the order
 * of the list. Images of 3 channels are red, green and blue; those of others have no saturation and no
 * hue, and what contrast goes by is the mean of their channels.
 * Sources: Howard 2013, "Some improvements on deep convolutional neural network based image
 * classification", arXiv:1312.5402, section 2; torchvision 0.20, transforms/_functional_tensor.py.
 */
#include "augment_internal.h"

static const float red_share = 0.2989f, green_share = 0.587f, blue_share = 0.114f;

static inline float grey_of(const float *pixel) {
  return red_share * pixel[0] + green_share * pixel[1] + blue_share * pixel[2];
}

/* Uniform in [max(0, 1 - x), 1 + x]. */
static float factor_of(trm_augment_given given, const trm_augment_draw *draw) {
  const double low = 1 - given.number;
  return (float)trm_augment_between(draw, 0, low > 0 ? low : 0, 1 + given.number);
}

static void brightness(trm_augment_given given, const trm_augment_draw *draw,
                       trm_augment_picture *p) {
  const float factor = factor_of(given, draw);
  const int64_t n = p->height * p->width * p->channels;
  for (int64_t i = 0; i < n; ++i) p->pixels[i] = trm_augment_unit(p->pixels[i] * factor);
}
const trm_augment_op trm_augment_op_brightness = {
    .name = "brightness",
    .number = "B",
    .min = 0,
    .max = 10,
    .help = "times a factor between max(0, 1 - B) and 1 + B",
    .image = brightness,
};

/* Of the grey image, pixel by pixel in order. */
static float mean_grey(const trm_augment_picture *p) {
  const int64_t n = p->height * p->width, C = p->channels;
  double sum = 0;
  if (C == 3) {
    for (int64_t i = 0; i < n; ++i) sum += (double)grey_of(p->pixels + i * 3);
    return (float)(sum / (double)n);
  }
  for (int64_t i = 0; i < n * C; ++i) sum += (double)p->pixels[i];
  return (float)(sum / (double)(n * C));
}

static void contrast(trm_augment_given given, const trm_augment_draw *draw,
                     trm_augment_picture *p) {
  const float factor = factor_of(given, draw), rest = (1 - factor) * mean_grey(p);
  const int64_t n = p->height * p->width * p->channels;
  for (int64_t i = 0; i < n; ++i) p->pixels[i] = trm_augment_unit(factor * p->pixels[i] + rest);
}
const trm_augment_op trm_augment_op_contrast = {
    .name = "contrast",
    .number = "C",
    .min = 0,
    .max = 10,
    .help = "distance from the image's mean grey times a factor between max(0, 1 - C) and 1 + C",
    .image = contrast,
};

static void saturation(trm_augment_given given, const trm_augment_draw *draw,
                       trm_augment_picture *p) {
  const float factor = factor_of(given, draw);
  const int64_t n = p->height * p->width;
  if (p->channels != 3) return;
  for (int64_t i = 0; i < n; ++i) {
    float *pixel = p->pixels + i * 3;
    const float rest = (1 - factor) * grey_of(pixel);
    for (int c = 0; c < 3; ++c) pixel[c] = trm_augment_unit(factor * pixel[c] + rest);
  }
}
const trm_augment_op trm_augment_op_saturation = {
    .name = "saturation",
    .number = "S",
    .min = 0,
    .max = 10,
    .help = "distance of colours from their grey times a factor between max(0, 1 - S) and 1 + S",
    .image = saturation,
};

/* A colour: hue in [0, 1) of the circle, chroma (value times saturation), value. */
typedef struct colour_hsv {
  float hue, chroma, value;
} colour_hsv;

static inline colour_hsv hsv_of(const float *pixel) {
  const float r = pixel[0], g = pixel[1], b = pixel[2];
  float most = r > g ? r : g, least = r < g ? r : g;
  if (b > most) most = b;
  if (b < least) least = b;
  const float chroma = most - least;
  if (chroma == 0) return (colour_hsv){0, 0, most};
  const float sixths = most == r   ? (g - b) / chroma
                       : most == g ? 2 + (b - r) / chroma
                                   : 4 + (r - g) / chroma;
  return (colour_hsv){sixths < 0 ? sixths / 6 + 1 : sixths / 6, chroma, most};
}

static inline void rgb_of(colour_hsv k, float *pixel) {
  const float sixths = k.hue * 6;
  const int sector = (int)sixths;
  const float part = sixths - (float)sector;
  const float low = k.value - k.chroma;
  const float falls = k.value - k.chroma * part, rises = k.value - k.chroma * (1 - part);
  const float table[6][3] = {{k.value, rises, low}, {falls, k.value, low}, {low, k.value, rises},
                             {low, falls, k.value}, {rises, low, k.value}, {k.value, low, falls}};
  for (int c = 0; c < 3; ++c) pixel[c] = trm_augment_unit(table[sector % 6][c]);
}

static void hue(trm_augment_given given, const trm_augment_draw *draw, trm_augment_picture *p) {
  const float by = (float)trm_augment_between(draw, 0, -given.number, given.number);
  const int64_t n = p->height * p->width;
  if (p->channels != 3) return;
  for (int64_t i = 0; i < n; ++i) {
    colour_hsv k = hsv_of(p->pixels + i * 3);
    k.hue += by;
    if (k.hue < 0) k.hue += 1;
    if (k.hue >= 1) k.hue -= 1;
    rgb_of(k, p->pixels + i * 3);
  }
}
const trm_augment_op trm_augment_op_hue = {
    .name = "hue",
    .number = "H",
    .min = 0,
    .max = 0.5,
    .help = "turned around the circle of colours by up to H of it either way",
    .image = hue,
};
