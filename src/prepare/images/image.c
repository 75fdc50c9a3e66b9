#include "image_internal.h"

#include <string.h>

#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

trm_image_sort trm_image_sort_of(const uint8_t *data, int64_t bytes) {
  static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  static const uint8_t jpeg[] = {0xFF, 0xD8, 0xFF};
  if (bytes >= (int64_t)sizeof png && memcmp(data, png, sizeof png) == 0) return TRM_IMAGE_PNG;
  if (bytes >= (int64_t)sizeof jpeg && memcmp(data, jpeg, sizeof jpeg) == 0) return TRM_IMAGE_JPEG;
  return TRM_IMAGE_NONE;
}

trm_status trm_image_reserve(trm_image *image, const char *path, int64_t height, int64_t width,
                             int64_t channels, int64_t most_pixels) {
  int64_t pixels, bytes;
  if (height < 1 || width < 1) {
    return trm_fail(TRM_ERR_DATA, "%s: is an image of %lld x %lld pixels; leave it out", path,
                    (long long)height, (long long)width);
  }
  if (!trm_size_mul(height, width, &pixels) || pixels > most_pixels ||
      !trm_size_mul(pixels, channels, &bytes)) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: tells of an image of %lld x %lld pixels, more than --most-pixels %lld; it "
                    "is damaged, or give more",
                    path, (long long)height, (long long)width, (long long)most_pixels);
  }
  if (bytes > image->capacity) {
    TRM_FREE(image->pixels);
    image->capacity = 0;
    TRM_TRY(TRM_ALLOC(&image->pixels, bytes, "image"));
    image->capacity = bytes;
  }
  image->height = height;
  image->width = width;
  image->channels = channels;
  image->lost_alpha = false;
  return TRM_OK;
}

void trm_image_free(trm_image *image) {
  TRM_FREE(image->pixels);
  *image = (trm_image){0};
}

/* ---- colours ---------------------------------------------------------------------------------- */

/* 0.299 red + 0.587 green + 0.114 blue in 2^-16, to the nearest. */
static uint8_t luma(const uint8_t *rgb) {
  return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

trm_status trm_image_recolour(const trm_image *from, int64_t channels, trm_image *to) {
  const int64_t n = from->height * from->width;
  TRM_TRY(trm_image_reserve(to, "image", from->height, from->width, channels, INT64_MAX));
  for (int64_t i = 0; i < n; ++i) {
    if (channels == 1) {
      to->pixels[i] = from->channels == 1 ? from->pixels[i] : luma(from->pixels + 3 * i);
    } else if (from->channels == 1) {
      memset(to->pixels + 3 * i, from->pixels[i], 3);
    } else {
      memcpy(to->pixels + 3 * i, from->pixels + 3 * i, 3);
    }
  }
  return TRM_OK;
}

/* ---- sizes ------------------------------------------------------------------------------------ */

/* The weights of the pixels `in` that make a pixel of `out` add up to `unit`. */
typedef struct axis {
  int64_t in, out, unit;
} axis;

static axis make_axis(int64_t in, int64_t out) {
  return (axis){.in = in, .out = out, .unit = out <= in ? in : 2 * out};
}

/* Where the centre of pixel i of `out` lies, in 1 / (2 * out) behind the centre of pixel 0 of `in`. */
static int64_t centre_of(const axis *a, int64_t i) {
  return (2 * i + 1) * a->in - a->out;
}

/* The pixels [*first, *end) of `in` that make pixel i of `out`. */
static void span_of(const axis *a, int64_t i, int64_t *first, int64_t *end) {
  if (a->out <= a->in) {
    *first = i * a->in / a->out;
    *end = ((i + 1) * a->in + a->out - 1) / a->out;
    return;
  }
  const int64_t centre = centre_of(a, i), before = centre < 0 ? -1 : centre / a->unit;
  *first = trm_max_i64(before, 0);
  *end = trm_min_i64(before + 2, a->in);
}

/* The weight of pixel k, one of `n`. */
static int64_t weight_of(const axis *a, int64_t i, int64_t k, int64_t n) {
  if (n == 1) return a->unit;
  if (a->out <= a->in) {
    return trm_min_i64((i + 1) * a->in, (k + 1) * a->out) - trm_max_i64(i * a->in, k * a->out);
  }
  const int64_t distance = centre_of(a, i) - k * a->unit;
  return a->unit - (distance < 0 ? -distance : distance);
}

/* sums[out, channels] += weight * a row made as wide as it shall be. */
static void add_row(const axis *x, const uint8_t *row, int64_t channels, int64_t weight,
                    int64_t *sums) {
  for (int64_t i = 0; i < x->out; ++i) {
    int64_t first, end;
    span_of(x, i, &first, &end);
    for (int64_t k = first; k < end; ++k) {
      const int64_t here = weight * weight_of(x, i, k, end - first);
      for (int64_t c = 0; c < channels; ++c) sums[i * channels + c] += here * row[k * channels + c];
    }
  }
}

trm_status trm_image_resize(const trm_image *from, int64_t height, int64_t width, trm_image *to) {
  const axis x = make_axis(from->width, width), y = make_axis(from->height, height);
  const int64_t n = width * from->channels, n_from = from->width * from->channels;
  const int64_t unit = x.unit * y.unit;
  int64_t *sums = NULL;
  TRM_TRY(trm_image_reserve(to, "--resize", height, width, from->channels, INT64_MAX));
  TRM_TRY(TRM_ALLOC(&sums, n, "row of an image"));
  for (int64_t i = 0; i < height; ++i) {
    int64_t first, end;
    span_of(&y, i, &first, &end);
    memset(sums, 0, (size_t)n * sizeof *sums);
    for (int64_t k = first; k < end; ++k) {
      add_row(&x, from->pixels + k * n_from, from->channels, weight_of(&y, i, k, end - first),
              sums);
    }
    for (int64_t j = 0; j < n; ++j) {
      to->pixels[i * n + j] = (uint8_t)((2 * sums[j] + unit) / (2 * unit));
    }
  }
  TRM_FREE(sums);
  return TRM_OK;
}
