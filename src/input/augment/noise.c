/**
 * Normal noise on pixels and on scaled numbers.
 *
 * A number a pixel is too many for the C library's logarithm and cosine, so Box and Muller's are made
 * of polynomials here: right to 1e-10, and the same bits on every processor.
 */
#include <math.h>
#include <string.h>

#include "augment_internal.h"

/* Logarithm of u in (0, 1]: u = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh((m - 1) / (m + 1)). */
static inline double log_of(double u) {
  uint64_t bits;
  memcpy(&bits, &u, sizeof bits);
  int e = (int)(bits >> 52) - 1023;
  bits = (bits & UINT64_C(0x000FFFFFFFFFFFFF)) | UINT64_C(0x3FF0000000000000);
  double m;
  memcpy(&m, &bits, sizeof m); /* in [1, 2) */
  if (m > 1.41421356237309504880) {
    m *= 0.5;
    ++e;
  }
  const double s = (m - 1) / (m + 1), q = s * s;
  const double odd = 1 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * (1.0 / 9 + q / 11))));
  return (double)e * 0.69314718055994530942 + 2 * s * odd;
}

/* Sine and cosine of v of a full circle, v in [0, 1), by the nearest quarter. */
static inline void circle(double v, double *sine, double *cosine) {
  const int quarter = (int)(v * 4 + 0.5);
  const double x = (v * 4 - (double)quarter) * 1.57079632679489661923, q = x * x;
  const double s =
      x * (1 + q * (-1.0 / 6 + q * (1.0 / 120 + q * (-1.0 / 5040 + q * (1.0 / 362880)))));
  const double c =
      1 + q * (-1.0 / 2 + q * (1.0 / 24 + q * (-1.0 / 720 + q * (1.0 / 40320 - q / 3628800))));
  const double sines[4] = {s, c, -s, -c};
  *sine = sines[quarter & 3];
  *cosine = sines[(quarter + 1) & 3];
}

/* Two standard normal numbers of two words; none is past 6.7. */
static inline void normal_pair(uint32_t a, uint32_t b, float out[2]) {
  double sine, cosine;
  const double radius = sqrt(-2 * log_of(((double)a + 1) * 0x1p-32));
  circle((double)b * 0x1p-32, &sine, &cosine);
  out[0] = (float)(radius * cosine);
  out[1] = (float)(radius * sine);
}

static void add_noise(double sigma, const trm_augment_draw *draw, float *x, int64_t n) {
  const trm_random_key key = trm_augment_key(draw);
  for (int64_t i = 0; i < n; i += 4) {
    uint32_t words[4];
    float z[4];
    trm_random_words(key, (uint64_t)draw->of.sample, (uint64_t)(i / 4), words);
    normal_pair(words[0], words[1], z);
    normal_pair(words[2], words[3], z + 2);
    for (int64_t j = 0; j < 4 && i + j < n; ++j) x[i + j] += (float)sigma * z[j];
  }
}

static void noise_image(trm_augment_given given, const trm_augment_draw *draw,
                        trm_augment_picture *p) {
  const int64_t n = p->height * p->width * p->channels;
  add_noise(given.number, draw, p->pixels, n);
  for (int64_t i = 0; i < n; ++i) p->pixels[i] = trm_augment_unit(p->pixels[i]);
}

static void noise_row(trm_augment_given given, const trm_augment_draw *draw, float *numbers,
                      int64_t n) {
  add_noise(given.number, draw, numbers, n);
}

/**
 * A normal number of deviation SIGMA added to each pixel and channel, the sum kept in [0, 1]; or to
 * each number of a row.
 * Sources: Bishop 1995, "Training with noise is equivalent to Tikhonov regularization", Neural
 * Computation 7(1); Box, Muller 1958, "A note on the generation of random normal deviates", Annals of
 * Mathematical Statistics 29(2).
 */
const trm_augment_op trm_augment_op_noise = {
    .name = "noise",
    .number = "SIGMA",
    .min = 0,
    .max = 10,
    .help = "normal noise of that deviation on pixels in [0, 1], or on numbers of deviation 1",
    .image = noise_image,
    .row = noise_row,
};
