/* Batches of images, rows and sets of classes: the scale is of what is trained on, values are where they
 * belong, every sample comes once an epoch, within the bounds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kernel_check.h"
#include "trireme/core/memory.h"
#include "trireme/input/sample_batches.h"

enum { N = 403, H = 5, W = 7, MOST_CHANNELS = 4, N_NUMBERS = 3, N_CATEGORIES = 2, N_CLASSES = 5 };

typedef struct fixture {
  trm_samples data;
  uint8_t *pixels;
  float *numbers;
  int32_t *categories, *labels, *set_values, *train;
  int64_t *set_offsets, n_train;
  trm_sample_scale scale;
} fixture;

static uint8_t pixel_of(int64_t s, int64_t c, int64_t y, int64_t x) {
  return (uint8_t)((s * 37 + c * 91 + y * 13 + x * x * 5) % 256);
}

/* Column 1 misses something in training, column 2 only outside of it; column 0 never. */
static float number_of(int64_t s, int64_t c) {
  if (c == 1 && s % 7 == 2) return NAN;
  if (c == 2 && s % 10 == 4) return NAN;
  return c == 0 ? 3.25F : (float)(s * (c + 5) % 31) * 100 - 700;
}

static int32_t category_of(int64_t s, int64_t c) {
  return (int32_t)((s * 3 + c) % (c == 0 ? 3 : 5)) - 1; /* levels 0, 1 and 0 to 3 */
}

static fixture make(trm_sample_input input, int64_t channels) {
  static const int64_t levels[] = {0, 2, 6};
  fixture f = {.n_train = 0};
  f.pixels = test_calloc(N * MOST_CHANNELS * H * W, sizeof *f.pixels);
  f.numbers = test_calloc(N * N_NUMBERS, sizeof *f.numbers);
  f.categories = test_calloc(N * N_CATEGORIES, sizeof *f.categories);
  f.labels = test_calloc(N, sizeof *f.labels);
  f.set_values = test_calloc(N * 2, sizeof *f.set_values);
  f.set_offsets = test_calloc(N + 1, sizeof *f.set_offsets);
  f.train = test_calloc(N, sizeof *f.train);
  uint8_t *pixel = f.pixels;
  int64_t n_set = 0;
  for (int32_t s = 0; s < N; ++s) {
    for (int64_t i = 0; i < channels * H * W; ++i) {
      *pixel++ = pixel_of(s, i / (H * W), i / W % H, i % W);
    }
    for (int64_t c = 0; c < N_NUMBERS; ++c) f.numbers[s * N_NUMBERS + c] = number_of(s, c);
    for (int64_t c = 0; c < N_CATEGORIES; ++c) {
      f.categories[s * N_CATEGORIES + c] = category_of(s, c);
    }
    f.labels[s] = s % N_CLASSES;
    if (s % 3 > 0) f.set_values[n_set++] = s % 2;
    if (s % 3 > 1) f.set_values[n_set++] = 2 + s % 3;
    f.set_offsets[s + 1] = n_set;
    if (s % 10 != 4) f.train[f.n_train++] = s;
  }
  f.data = (trm_samples){.n = N, .input = input, .target = TRM_TARGET_CLASS};
  f.data.images = (trm_images){channels, H, W, f.pixels};
  f.data.table = (trm_table){.n_numbers = N_NUMBERS,
                             .numbers = f.numbers,
                             .n_categories = N_CATEGORIES,
                             .categories = f.categories,
                             .levels = levels};
  f.data.classes = (trm_classes){.n = N_CLASSES, .labels = f.labels};
  f.data.class_sets = (trm_ragged){f.set_offsets, f.set_values};
  CHECK_OK(trm_sample_scale_fit(&f.data, (trm_ids){f.train, f.n_train}, &f.scale));
  return f;
}

static void release(fixture *f) {
  trm_sample_scale_free(&f->scale);
  CHECK(f->scale.center == NULL && f->scale.n == 0);
  free(f->pixels);
  free(f->numbers);
  free(f->categories);
  free(f->labels);
  free(f->set_values);
  free(f->set_offsets);
  free(f->train);
}

static trm_sample_order_options options_of(const fixture *f, int64_t batch, int64_t blocks,
                                           bool levels) {
  return (trm_sample_order_options){
      .view = {.data = &f->data, .frame = {.levels = levels}, .scale = &f->scale, .deviation = 1},
      .train = {f->train, f->n_train},
      .seed = 5,
      .batch = batch,
      .n_blocks = blocks,
      .pool = 4};
}

/* ---- scale ------------------------------------------------------------------------------------ */

static void moments(const double *values, int64_t n, double *mean, double *deviation) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < n; ++i) sum += values[i];
  *mean = sum / (double)n;
  for (int64_t i = 0; i < n; ++i) squares += (values[i] - *mean) * (values[i] - *mean);
  *deviation = sqrt(squares / (double)n);
}

static int rising(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Of training samples alone. */
static void check_image_scale(void) {
  fixture f = make(TRM_INPUT_IMAGE, 2);
  double *values = test_calloc(N * H * W, sizeof *values), mean, deviation;
  CHECK_EQ(f.scale.n, 2);
  CHECK(!f.scale.fill && !f.scale.flag);
  for (int64_t c = 0; c < 2; ++c) {
    int64_t n = 0;
    for (int64_t i = 0; i < f.n_train; ++i) {
      for (int64_t p = 0; p < H * W; ++p) {
        values[n++] = pixel_of(f.train[i], c, p / W, p % W) / 255.0;
      }
    }
    moments(values, n, &mean, &deviation);
    CHECK_NEAR_AT(f.scale.center[c], mean, 1e-7, c);
    CHECK_NEAR_AT(f.scale.scale[c], deviation, 1e-7, c);
  }
  /* One colour everywhere is divided by 1. */
  trm_sample_scale plain;
  memset(f.pixels, 77, N * 2 * H * W);
  CHECK_OK(trm_sample_scale_fit(&f.data, (trm_ids){f.train, f.n_train}, &plain));
  CHECK_NEAR(plain.center[1], 77 / 255.0, 1e-7);
  CHECK(plain.scale[1] == 1);
  trm_sample_scale_free(&plain);
  free(values);
  release(&f);
}

static void check_row_scale(void) {
  fixture f = make(TRM_INPUT_ROW, 1);
  double *values = test_calloc(N, sizeof *values), mean, deviation;
  CHECK_EQ(f.scale.n, N_NUMBERS);
  for (int64_t c = 0; c < N_NUMBERS; ++c) {
    int64_t n = 0;
    for (int64_t i = 0; i < f.n_train; ++i) {
      const float x = number_of(f.train[i], c);
      if (!isnan(x)) values[n++] = (double)x;
    }
    moments(values, n, &mean, &deviation);
    qsort(values, (size_t)n, sizeof *values, rising);
    const double median = n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
    CHECK_NEAR_AT(f.scale.center[c], mean, 1e-4, c);
    CHECK_NEAR_AT(f.scale.scale[c], c == 0 ? 1 : deviation, 1e-4, c);
    CHECK_NEAR_AT(f.scale.fill[c], median, 0, c);
    CHECK_EQ(f.scale.flag[c], c == 1);
  }
  /* Two samples, of which the second column misses both. */
  trm_sample_scale small;
  const int32_t two[] = {2, 9};
  CHECK_OK(trm_sample_scale_fit(&f.data, (trm_ids){two, 2}, &small));
  CHECK(small.center[1] == 0 && small.scale[1] == 1 && small.fill[1] == 0 && small.flag[1] == 1);
  CHECK_NEAR(small.fill[2], (number_of(2, 2) + number_of(9, 2)) / 2, 0);
  trm_sample_scale_free(&small);
  free(values);
  release(&f);
}

static void check_scale_memory(void) {
  fixture f = make(TRM_INPUT_ROW, 1);
  const int64_t live = trm_alloc_counts_get().live_blocks;
  trm_sample_scale scale;
  for (int n = 0;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status = trm_sample_scale_fit(&f.data, (trm_ids){f.train, 9}, &scale);
    trm_alloc_fail_after(-1);
    if (status == TRM_OK) break;
    CHECK_EQ(status, TRM_ERR_MEMORY);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  }
  trm_sample_scale_free(&scale);
  release(&f);
}

/* ---- contents of batches ---------------------------------------------------------------------- */

static void check_image(const fixture *f, const trm_values *v, int64_t i, int32_t sample) {
  const int64_t C = f->data.images.channels;
  CHECK(v->n_dims == 3 && v->dims[0] == H && v->dims[1] == W && v->dims[2] == C);
  const float *at = v->values + i * H * W * C;
  for (int64_t y = 0; y < H; ++y) {
    for (int64_t x = 0; x < W; ++x) {
      for (int64_t c = 0; c < C; ++c, ++at) {
        CHECK(*at == (float)pixel_of(sample, c, y, x) / 255.0F);
      }
    }
  }
  for (int64_t c = 0; c < C; ++c) {
    const double mean = (double)f->scale.center[c], deviation = (double)f->scale.scale[c];
    CHECK_NEAR((double)v->scale[c] * 0.75 + (double)v->shift[c], (0.75 - mean) / deviation, 1e-5);
  }
}

/* Three columns, the flag of the second, then levels unless they are apart. */
static void check_row(const fixture *f, const trm_values *v, int64_t i, int32_t sample, int64_t n,
                      bool levels) {
  CHECK(v->n_dims == 1 && v->dims[0] == (levels ? 4 : 10) && !v->scale && !v->shift);
  CHECK_EQ(v->n_levels, levels ? N_CATEGORIES : 0);
  const float *at = v->values + i * v->dims[0];
  for (int64_t c = 0; c < N_NUMBERS; ++c) {
    float x = number_of(sample, c);
    if (isnan(x)) x = f->scale.fill[c];
    CHECK_NEAR_AT(at[c], (double)(x - f->scale.center[c]) / (double)f->scale.scale[c], 1e-6, c);
  }
  CHECK(at[3] == (float)isnan(number_of(sample, 1)));
  for (int64_t c = 0; c < N_CATEGORIES; ++c) {
    const int32_t level = category_of(sample, c);
    if (levels) {
      CHECK_EQ(v->levels[c * n + i], level + 1);
      continue;
    }
    const int64_t first = c == 0 ? 0 : 2, size = c == 0 ? 2 : 4;
    for (int64_t l = 0; l < size; ++l) CHECK(at[4 + first + l] == (float)(l == level));
  }
}

static void check_targets(const fixture *f, const trm_sample_batch *b, int64_t i, int32_t sample) {
  if (f->data.target == TRM_TARGET_CLASS) {
    CHECK_EQ(b->targets[i], sample % N_CLASSES);
    CHECK(!b->class_shares);
    return;
  }
  CHECK(!b->targets && b->class_shares);
  float want[N_CLASSES] = {0};
  if (sample % 3 > 0) want[sample % 2] = 1;
  if (sample % 3 > 1) want[2 + sample % 3] = 1;
  CHECK(memcmp(b->class_shares + i * N_CLASSES, want, sizeof want) == 0);
}

static void check_batch(const fixture *f, const trm_sample_batch *b, const int32_t *samples,
                        const trm_sample_batch *bounds, bool levels) {
  CHECK(b->n <= bounds->n && b->inputs.n == b->n && b->inputs.n_rows == b->n);
  CHECK(b->n == 0 || trm_sequence_rows(&b->inputs, b->n - 1) == 1);
  CHECK(!b->input_tokens && b->outputs.n == 0 && !b->mixed_targets && !b->numbers);
  CHECK(bounds->values.n_dims == b->values.n_dims && !bounds->values.values);
  CHECK(bounds->values.n_levels == b->values.n_levels);
  CHECK(memcmp(bounds->values.dims, b->values.dims, sizeof b->values.dims) == 0);
  for (int64_t i = 0; i < b->n; ++i) {
    if (f->data.input == TRM_INPUT_IMAGE) {
      check_image(f, &b->values, i, samples[i]);
    } else {
      check_row(f, &b->values, i, samples[i], b->n, levels);
    }
    check_targets(f, b, i, samples[i]);
  }
}

/* Three epochs on all blocks: each training sample once in each, another order each time. */
static void check_loader(const fixture *f, int64_t batch, int64_t blocks, bool levels) {
  trm_sample_loader_options o = {
      .order = options_of(f, batch, blocks, levels), .n_local = blocks, .depth = 2};
  trm_sample_loader *loader = NULL;
  trm_sample_order *order = NULL;
  trm_sample_batch bounds;
  int seen[N] = {0}, at_first[3] = {0};
  CHECK_OK(trm_sample_order_create(&o.order, &order));
  const int64_t S = trm_sample_order_epoch_steps(order);
  trm_sample_order_destroy(&order);
  o.end_step = 3 * S;
  CHECK_OK(trm_sample_order_bounds(&o.order, &bounds));
  const int64_t most = (f->n_train + S - 1) / S; /* samples of a step */
  CHECK_EQ(bounds.n, (most + blocks - 1) / blocks);
  CHECK_OK(trm_sample_loader_create(&o, &loader));
  for (int64_t k = 0; k < 3 * S; ++k) {
    const trm_sample_block *block;
    int64_t step;
    CHECK_OK(trm_sample_loader_next(loader, &step, &block));
    for (int64_t b = 0; b < blocks; ++b) {
      int32_t samples[N];
      for (int64_t i = 0; i < block[b].batch.n; ++i) {
        CHECK_EQ(block[b].samples[i] / f->n_train, k / S);
        samples[i] = f->train[block[b].samples[i] % f->n_train];
        ++seen[samples[i]];
      }
      check_batch(f, &block[b].batch, samples, &bounds, levels);
      if (k % S == 0 && b == 0) at_first[k / S] = samples[0];
    }
  }
  for (int32_t s = 0; s < N; ++s) CHECK_EQ(seen[s], s % 10 == 4 ? 0 : 3);
  CHECK(at_first[0] != at_first[1] || at_first[1] != at_first[2]);
  trm_sample_loader_destroy(&loader);
}

static void check_passes(const fixture *f, bool levels) {
  const trm_sample_view view = options_of(f, 1, 1, levels).view;
  trm_sample_passes *passes = NULL;
  trm_sample_batch bounds, batch;
  int32_t all[N];
  int seen[N] = {0};
  for (int32_t s = 0; s < N; ++s) all[s] = s;
  CHECK_OK(trm_sample_passes_create(&view, all, N, &passes));
  trm_sample_passes_bounds(passes, &bounds);
  for (int64_t g = 0; g < trm_sample_passes_n(passes); ++g) {
    const int32_t *ids;
    CHECK_OK(trm_sample_passes_make(passes, g, &batch, &ids));
    check_batch(f, &batch, ids, &bounds, levels);
    for (int64_t i = 0; i < batch.n; ++i) ++seen[ids[i]];
  }
  for (int32_t s = 0; s < N; ++s) CHECK_EQ(seen[s], 1);
  trm_sample_passes_destroy(&passes);
}

/* Groups of large images are small. */
static void check_large(void) {
  fixture f = make(TRM_INPUT_IMAGE, 1);
  uint8_t *pixels = test_calloc(3 * 300 * 300, sizeof *pixels);
  trm_sample_passes *passes = NULL;
  trm_sample_batch bounds;
  const int32_t all[] = {0, 1, 2};
  f.data.images = (trm_images){1, 300, 300, pixels};
  const trm_sample_view view = options_of(&f, 1, 1, false).view;
  CHECK_OK(trm_sample_passes_create(&view, all, 3, &passes));
  trm_sample_passes_bounds(passes, &bounds);
  CHECK_EQ(trm_sample_passes_n(passes), 3);
  CHECK_EQ(bounds.n, 1);
  trm_sample_passes_destroy(&passes);
  free(pixels);
  release(&f);
}

int main(void) {
  check_image_scale();
  check_row_scale();
  check_scale_memory();
  for (int64_t channels = 1; channels <= MOST_CHANNELS; ++channels) {
    fixture f = make(TRM_INPUT_IMAGE, channels);
    check_loader(&f, 32, 4, false);
    check_loader(&f, 5, 8, false); /* more blocks than samples */
    f.data.target = TRM_TARGET_CLASSES;
    check_passes(&f, false);
    release(&f);
  }
  for (int levels = 0; levels <= 1; ++levels) {
    fixture f = make(TRM_INPUT_ROW, 1);
    check_passes(&f, levels);
    f.data.target = TRM_TARGET_CLASSES;
    check_loader(&f, 50, 3, levels);
    release(&f);
  }
  check_large();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
