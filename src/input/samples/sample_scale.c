/** How channels of images and columns of tables become numbers for a model, fitted to some samples. */
#include <math.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/input/sample_batches.h"

static const char what[] = "scale of inputs";

void trm_sample_scale_free(trm_sample_scale *scale) {
  TRM_FREE(scale->center);
  TRM_FREE(scale->scale);
  TRM_FREE(scale->fill);
  TRM_FREE(scale->flag);
  *scale = (trm_sample_scale){0};
}

/* A deviation to divide by: what is the same everywhere stays 0 once its mean is taken away. */
static float divisor(double deviation) {
  const float d = (float)deviation;
  return d > 0 ? d : 1;
}

/* ---- images ----------------------------------------------------------------------------------- */

/* Sums over counts of each byte: exact, whatever the order. */
static void fit_channel(const trm_samples *data, trm_ids ids, int64_t c, trm_sample_scale *scale) {
  const trm_images *images = &data->images;
  const int64_t area = images->height * images->width;
  int64_t counts[256] = {0}, n = ids.n * area;
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < ids.n; ++i) {
    const uint8_t *pixels = images->pixels + (ids.ids[i] * images->channels + c) * area;
    for (int64_t p = 0; p < area; ++p) ++counts[pixels[p]];
  }
  if (n == 0) n = 1;
  for (int b = 0; b < 256; ++b) sum += b * (double)counts[b];
  const double mean = sum / (double)n;
  for (int b = 0; b < 256; ++b) squares += (b - mean) * (b - mean) * (double)counts[b];
  scale->center[c] = (float)(mean / 255);
  scale->scale[c] = divisor(sqrt(squares / (double)n) / 255);
}

static trm_status fit_images(const trm_samples *data, trm_ids ids, trm_sample_scale *scale) {
  scale->n = data->images.channels;
  TRM_TRY(TRM_ALLOC(&scale->center, scale->n, what));
  TRM_TRY(TRM_ALLOC(&scale->scale, scale->n, what));
  for (int64_t c = 0; c < scale->n; ++c) fit_channel(data, ids, c, scale);
  return TRM_OK;
}

/* ---- rows ------------------------------------------------------------------------------------- */

/* Bits that rise as numbers do. */
static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits & 0x80000000U ? ~bits : bits | 0x80000000U;
}

static float number_of(uint32_t bits) {
  float x;
  bits = bits & 0x80000000U ? bits & 0x7FFFFFFFU : ~bits;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* The number that k of values[n] come before, found byte by byte. */
static float ranked(const float *values, int64_t n, int64_t k) {
  uint32_t prefix = 0, mask = 0;
  for (int shift = 24; shift >= 0; shift -= 8) {
    int64_t counts[256] = {0};
    uint32_t byte = 0;
    for (int64_t i = 0; i < n; ++i) {
      const uint32_t bits = bits_of(values[i]);
      if ((bits & mask) == prefix) ++counts[bits >> shift & 255U];
    }
    while (k >= counts[byte]) k -= counts[byte++];
    prefix |= byte << shift;
    mask |= 255U << shift;
  }
  return number_of(prefix);
}

static double median(const float *values, int64_t n) {
  if (n == 0) return 0;
  const double high = (double)ranked(values, n, n / 2);
  return n % 2 ? high : ((double)ranked(values, n, n / 2 - 1) + high) / 2;
}

/* values: room for one of each sample. */
static void fit_column(const trm_samples *data, trm_ids ids, int64_t c, float *values,
                       trm_sample_scale *scale) {
  const trm_table *t = &data->table;
  double sum = 0, squares = 0;
  int64_t n = 0;
  bool same = true;
  for (int64_t i = 0; i < ids.n; ++i) {
    const float x = t->numbers[ids.ids[i] * t->n_numbers + c];
    if (isnan(x)) continue;
    values[n++] = x;
    sum += (double)x;
    same &= x == values[0];
  }
  const double mean = n > 0 ? sum / (double)n : 0;
  for (int64_t i = 0; i < n; ++i) {
    squares += ((double)values[i] - mean) * ((double)values[i] - mean);
  }
  scale->center[c] = n > 0 && same ? values[0] : (float)mean;
  scale->scale[c] = same ? 1 : divisor(sqrt(squares / (double)n));
  scale->fill[c] = (float)median(values, n);
  scale->flag[c] = n < ids.n;
}

static trm_status fit_rows(const trm_samples *data, trm_ids ids, trm_sample_scale *scale) {
  float *values = NULL;
  scale->n = data->table.n_numbers;
  TRM_TRY(TRM_ALLOC(&scale->center, scale->n, what));
  TRM_TRY(TRM_ALLOC(&scale->scale, scale->n, what));
  TRM_TRY(TRM_ALLOC(&scale->fill, scale->n, what));
  TRM_TRY(TRM_ALLOC(&scale->flag, scale->n, what));
  TRM_TRY(TRM_ALLOC(&values, ids.n, what));
  for (int64_t c = 0; c < scale->n; ++c) fit_column(data, ids, c, values, scale);
  TRM_FREE(values);
  return TRM_OK;
}

trm_status trm_sample_scale_fit(const trm_samples *data, trm_ids ids, trm_sample_scale *scale) {
  trm_status status = TRM_OK;
  *scale = (trm_sample_scale){0};
  if (data->input == TRM_INPUT_IMAGE) status = fit_images(data, ids, scale);
  if (data->input == TRM_INPUT_ROW) status = fit_rows(data, ids, scale);
  if (status != TRM_OK) trm_sample_scale_free(scale);
  return status;
}

int64_t trm_sample_row_values(const trm_samples *data, const trm_sample_scale *scale,
                              trm_frame frame) {
  const trm_table *t = &data->table;
  int64_t n = t->n_numbers;
  for (int64_t c = 0; c < scale->n; ++c) n += scale->flag[c];
  return frame.levels || t->n_categories == 0 ? n : n + t->levels[t->n_categories];
}
