/** Images and rows of a batch, as floats. */
#include <math.h>
#include <string.h>

#include "batch_internal.h"
#include "buffer_internal.h"
#include "trireme/core/memory.h"

static const char what[] = "batch of samples";

trm_values trm_batch_value_sizes(const trm_sample_view *view) {
  const trm_samples *data = view->data;
  const trm_images *images = &data->images;
  if (data->input == TRM_INPUT_TOKENS) return (trm_values){0};
  if (data->input == TRM_INPUT_IMAGE) {
    return (trm_values){.n_dims = 3, .dims = {images->height, images->width, images->channels}};
  }
  TRM_ASSERT(view->scale);
  return (trm_values){.n_dims = 1,
                      .dims = {trm_sample_row_values(data, view->scale, view->frame)},
                      .n_levels = view->frame.levels ? data->table.n_categories : 0};
}

/* Values of one sample. */
static int64_t size_of(const trm_values *v) {
  int64_t n = 1;
  for (int d = 0; d < v->n_dims; ++d) n *= v->dims[d];
  return n;
}

/* ---- images ----------------------------------------------------------------------------------- */

/* Bytes [channels, area] to out[area, channels] in [0, 1]. Common numbers of channels have loops of
 * their own, which the compiler vectorises. */
static void convert(const uint8_t *restrict bytes, int64_t area, int64_t channels,
                    float *restrict out) {
  if (channels == 1) {
    for (int64_t p = 0; p < area; ++p) out[p] = (float)bytes[p] / 255.0F;
  } else if (channels == 3) {
    const uint8_t *restrict green = bytes + area, *restrict blue = bytes + 2 * area;
    for (int64_t p = 0; p < area; ++p) {
      out[3 * p] = (float)bytes[p] / 255.0F;
      out[3 * p + 1] = (float)green[p] / 255.0F;
      out[3 * p + 2] = (float)blue[p] / 255.0F;
    }
  } else {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < area; ++p) {
        out[p * channels + c] = (float)bytes[c * area + p] / 255.0F;
      }
    }
  }
}

static void fill_images(trm_batch_store *s, const trm_sample_view *view,
                        trm_batch_samples samples) {
  const trm_images *images = &view->data->images;
  const int64_t area = images->height * images->width, size = area * images->channels;
  const bool augmented = trm_batch_augmented(view, samples);
  for (int64_t i = 0; i < samples.n; ++i) {
    float *to = s->values + i * size;
    convert(images->pixels + samples.ids[i] * size, area, images->channels, to);
    if (!augmented) continue;
    trm_augment_image(view->augment, trm_batch_draws_of(samples, i), to, s->scratch, images->height,
                      images->width, images->channels, view->scale->center);
  }
}

/* What models see is value * scale + shift = (value - mean) / deviation. */
static trm_status fill_channels(trm_batch_store *s, const trm_sample_scale *scale, trm_values *v) {
  TRM_TRY(TRM_BUFFER_GROW(&s->channels, &s->channels_room, 2 * scale->n, 0, what));
  for (int64_t c = 0; c < scale->n; ++c) {
    s->channels[c] = 1 / scale->scale[c];
    s->channels[scale->n + c] = -scale->center[c] / scale->scale[c];
  }
  v->scale = s->channels;
  v->shift = s->channels + scale->n;
  return TRM_OK;
}

/* ---- rows ------------------------------------------------------------------------------------- */

/* Columns of numbers, then flags of those that missed something. @return where the row goes on */
static float *fill_numbers(const trm_sample_view *view, int32_t sample, float *to) {
  const trm_sample_scale *scale = view->scale;
  const float *from = view->data->table.numbers + sample * scale->n;
  float *flag = to + scale->n;
  for (int64_t c = 0; c < scale->n; ++c) {
    const bool missing = isnan(from[c]);
    const double x = (double)(missing ? scale->fill[c] : from[c]);
    to[c] = (float)((x - (double)scale->center[c]) / (double)scale->scale[c]);
    if (scale->flag[c]) *flag++ = missing;
  }
  return flag;
}

/* All zeros where a level is missing. */
static void fill_one_hot(const trm_table *t, int32_t sample, float *to) {
  const int32_t *from = t->categories + sample * t->n_categories;
  memset(to, 0, (size_t)t->levels[t->n_categories] * sizeof *to);
  for (int64_t c = 0; c < t->n_categories; ++c) {
    if (from[c] >= 0) to[t->levels[c] + from[c]] = 1;
  }
}

static void fill_levels(const trm_table *t, trm_batch_samples samples, int32_t *to) {
  for (int64_t c = 0; c < t->n_categories; ++c) {
    for (int64_t i = 0; i < samples.n; ++i) {
      *to++ = t->categories[samples.ids[i] * t->n_categories + c] + 1;
    }
  }
}

static void fill_rows(trm_batch_store *s, const trm_sample_view *view, trm_batch_samples samples,
                      const trm_values *v) {
  const trm_table *t = &view->data->table;
  const bool augmented = trm_batch_augmented(view, samples);
  for (int64_t i = 0; i < samples.n; ++i) {
    float *row = s->values + i * v->dims[0], *rest = row;
    if (t->n_numbers > 0) rest = fill_numbers(view, samples.ids[i], row);
    if (t->n_categories > 0 && !view->frame.levels) fill_one_hot(t, samples.ids[i], rest);
    if (!augmented) continue;
    trm_augment_row(view->augment, trm_batch_draws_of(samples, i), row, t->n_numbers, v->dims[0]);
  }
  if (v->n_levels > 0) fill_levels(t, samples, s->levels);
}

trm_status trm_batch_fill_values(trm_batch_store *store, const trm_sample_view *view,
                                 trm_batch_samples samples, trm_sample_batch *batch) {
  trm_batch_store *s = store;
  TRM_ASSERT(view->scale);
  trm_values v = trm_batch_value_sizes(view);
  TRM_TRY(TRM_BUFFER_GROW(&s->values, &s->values_room, samples.n * size_of(&v), 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&s->scratch, &s->scratch_room, size_of(&v), 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&s->levels, &s->levels_room, samples.n * v.n_levels, 0, what));
  v.values = s->values;
  if (v.n_dims == 3) {
    TRM_TRY(fill_channels(s, view->scale, &v));
    fill_images(s, view, samples);
  } else {
    fill_rows(s, view, samples, &v);
  }
  if (v.n_levels > 0) v.levels = s->levels;
  batch->values = v;
  return TRM_OK;
}

/* ---- mixing ----------------------------------------------------------------------------------- */

/* rows[n, size]: each becomes mix of itself and 1 - mix of the next, the last of the first, which is
 * kept in first[size]. */
static void mix_rows(float *rows, int64_t n, int64_t size, const float *mix, float *first) {
  memcpy(first, rows, (size_t)size * sizeof *first);
  for (int64_t i = 0; i < n; ++i) {
    float *row = rows + i * size;
    const float *next = i + 1 < n ? row + size : first;
    for (int64_t k = 0; k < size; ++k) row[k] = mix[i] * row[k] + (1 - mix[i]) * next[k];
  }
}

static trm_status mix_targets(trm_batch_store *s, const trm_sample_view *view, int64_t n,
                              trm_sample_batch *batch) {
  const int64_t n_classes = view->data->classes.n;
  TRM_TRY(TRM_BUFFER_GROW(&s->scratch, &s->scratch_room, n_classes, 0, what));
  if (batch->class_shares) mix_rows(s->class_shares, n, n_classes, s->mix, s->scratch);
  if (batch->numbers) mix_rows(s->numbers, n, 1, s->mix, s->scratch);
  if (!batch->targets) return TRM_OK;
  TRM_TRY(TRM_BUFFER_GROW(&s->mixed_targets, &s->mixed_targets_room, n, 0, what));
  for (int64_t i = 0; i < n; ++i) s->mixed_targets[i] = s->targets[(i + 1) % n];
  batch->mixed_targets = s->mixed_targets;
  batch->mix = s->mix;
  return TRM_OK;
}

trm_status trm_batch_mix(trm_batch_store *store, const trm_sample_view *view,
                         trm_batch_samples samples, trm_sample_batch *batch) {
  trm_batch_store *s = store;
  const int64_t n = samples.n;
  TRM_TRY(TRM_BUFFER_GROW(&s->mix, &s->mix_room, n, 0, what));
  for (int64_t i = 0; i < n; ++i) {
    s->mix[i] = n == 1 ? 1 : (float)trm_augment_mix(view->augment, trm_batch_draws_of(samples, i));
  }
  if (n > 1) mix_rows(s->values, n, size_of(&batch->values), s->mix, s->scratch);
  return mix_targets(s, view, n, batch);
}
