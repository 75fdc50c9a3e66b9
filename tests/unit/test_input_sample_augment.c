/* Augmentation of batches: each sample by draws of its epoch and number, whatever the blocks; mixed with
 * the next of its block; never in passes. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kernel_check.h"
#include "trireme/core/memory.h"
#include "trireme/input/sample_batches.h"

enum { N = 61, H = 6, W = 4, C = 2, SIZE = H * W * C, N_NUMBERS = 3, N_CLASSES = 4, LONGEST = 12 };

/* Inputs of all three kinds, and targets of all but tokens. */
typedef struct fixture {
  uint8_t pixels[N * SIZE];
  float table[N * N_NUMBERS], numbers[N];
  int32_t tokens[N * LONGEST], labels[N], set_values[N], all[N];
  int64_t offsets[N + 1], set_offsets[N + 1];
  trm_samples data;
  trm_sample_scale scale;
} fixture;

static fixture *make(trm_sample_input input, trm_sample_target target) {
  fixture *f = test_calloc(1, sizeof *f);
  for (int32_t i = 0; i < N * SIZE; ++i) f->pixels[i] = (uint8_t)(i * 7919 % 251);
  for (int32_t i = 0; i < N * N_NUMBERS; ++i) f->table[i] = (float)(i * 31 % 17);
  for (int32_t i = 0; i < N * LONGEST; ++i) f->tokens[i] = 3 + i % 40;
  for (int32_t s = 0; s < N; ++s) {
    f->numbers[s] = (float)(s % 9) - 4;
    f->labels[s] = s % N_CLASSES;
    f->set_values[s] = s % N_CLASSES;
    f->all[s] = s;
    f->offsets[s + 1] = f->offsets[s] + 1 + s % LONGEST;
    f->set_offsets[s + 1] = s + 1;
  }
  f->data = (trm_samples){.n = N, .input = input, .target = target};
  f->data.images = (trm_images){C, H, W, f->pixels};
  f->data.table = (trm_table){.n_numbers = N_NUMBERS, .numbers = f->table};
  f->data.inputs = (trm_ragged){f->offsets, f->tokens};
  f->data.input_vocab = (trm_vocab){.n = 43, .unk = 0, .bos = 1, .eos = 2};
  f->data.classes = (trm_classes){.n = N_CLASSES, .labels = f->labels};
  f->data.class_sets = (trm_ragged){f->set_offsets, f->set_values};
  f->data.numbers = f->numbers;
  CHECK_OK(trm_sample_scale_fit(&f->data, (trm_ids){f->all, N}, &f->scale));
  return f;
}

static void release(fixture *f) {
  trm_sample_scale_free(&f->scale);
  free(f);
}

static trm_augment *list(const char *text, trm_augment_input input) {
  trm_augment *augment = NULL;
  if (!CHECK_OK(trm_augment_create("data.augment", text, input, 11, &augment))) exit(1);
  return augment;
}

static trm_sample_loader_options options_of(const fixture *f, const trm_augment *augment,
                                            int64_t batch, int64_t blocks) {
  return (trm_sample_loader_options){
      .order = {.view = {.data = &f->data,
                         .frame = {.input_begin = true, .input_end = true},
                         .scale = &f->scale,
                         .augment = augment,
                         .deviation = 1},
                .train = {f->all, N},
                .seed = 3,
                .batch = batch,
                .n_blocks = blocks,
                .pool = 2},
      .n_local = blocks,
      .end_step = 2 * ((N + batch - 1) / batch),
      .depth = 2};
}

/* What a sample is of itself. */
static void expect_sample(const fixture *f, const trm_augment *augment, int64_t id, float *out) {
  const int64_t s = id % N;
  const trm_augment_sample draws = {.epoch = id / N, .sample = s};
  float scratch[SIZE];
  if (f->data.input == TRM_INPUT_IMAGE) {
    for (int64_t i = 0; i < SIZE; ++i) {
      out[i] = (float)f->pixels[s * SIZE + i % C * (H * W) + i / C] / 255.0F;
    }
    trm_augment_image(augment, draws, out, scratch, H, W, C, f->scale.center);
    return;
  }
  for (int64_t c = 0; c < N_NUMBERS; ++c) {
    const double x = (double)f->table[s * N_NUMBERS + c] - (double)f->scale.center[c];
    out[c] = (float)(x / (double)f->scale.scale[c]);
  }
  trm_augment_row(augment, draws, out, N_NUMBERS, N_NUMBERS);
}

static float mixed(float a, float b, float share) {
  return share * a + (1 - share) * b;
}

static void check_targets(const fixture *f, const trm_sample_batch *b, int64_t i, int64_t s,
                          int64_t next, float share) {
  switch (f->data.target) {
  case TRM_TARGET_CLASS:
    CHECK_EQ(b->targets[i], f->labels[s]);
    CHECK_EQ(b->mixed_targets[i], f->labels[next]);
    CHECK(b->mix[i] == share);
    return;
  case TRM_TARGET_NUMBER:
    CHECK(b->numbers[i] == mixed(f->numbers[s], f->numbers[next], share));
    CHECK(!b->mixed_targets);
    return;
  default:
    for (int c = 0; c < N_CLASSES; ++c) {
      const float own = (float)(s % N_CLASSES == c), other = (float)(next % N_CLASSES == c);
      CHECK(b->class_shares[i * N_CLASSES + c] == mixed(own, other, share));
    }
  }
}

/* Every value of a block, mixed by who stands next in it. */
static void check_block(const fixture *f, const trm_augment *augment, const trm_sample_block *block,
                        int64_t size) {
  const trm_sample_batch *b = &block->batch;
  for (int64_t i = 0; i < b->n; ++i) {
    const int64_t id = block->samples[i], next = block->samples[(i + 1) % b->n];
    float own[SIZE], other[SIZE];
    const float share =
        b->n == 1 ? 1
                  : (float)trm_augment_mix(augment,
                                           (trm_augment_sample){.epoch = id / N, .sample = id % N});
    CHECK(share >= 0.5F && share <= 1);
    expect_sample(f, augment, id, own);
    expect_sample(f, augment, next, other);
    for (int64_t k = 0; k < size; ++k) {
      CHECK(b->values.values[i * size + k] == mixed(own[k], other[k], share));
    }
    check_targets(f, b, i, id % N, next % N, share);
  }
}

static void check_mixed(trm_sample_input input, trm_sample_target target, const char *text,
                        int64_t batch, int64_t blocks) {
  const bool images = input == TRM_INPUT_IMAGE;
  fixture *f = make(input, target);
  trm_augment *augment = list(text, images ? TRM_AUGMENT_IMAGES : TRM_AUGMENT_ROWS);
  const trm_sample_loader_options o = options_of(f, augment, batch, blocks);
  trm_sample_loader *loader = NULL;
  CHECK_OK(trm_sample_loader_create(&o, &loader));
  for (int64_t k = 0; k < o.end_step; ++k) {
    const trm_sample_block *block;
    int64_t step;
    CHECK_OK(trm_sample_loader_next(loader, &step, &block));
    for (int64_t b = 0; b < blocks; ++b) {
      check_block(f, augment, &block[b], images ? SIZE : N_NUMBERS);
    }
  }
  trm_sample_loader_destroy(&loader);
  trm_augment_destroy(&augment);
  release(f);
}

/* ---- tokens ----------------------------------------------------------------------------------- */

/* Tokens of each sample of each epoch, as the blocks of a layout have them: [2 N, LONGEST + 2]. */
static int64_t gather_tokens(const fixture *f, const trm_augment *augment, int64_t blocks,
                             int32_t *tokens) {
  const trm_sample_loader_options o = options_of(f, augment, 20, blocks);
  trm_sample_loader *loader = NULL;
  trm_sample_batch bounds;
  int64_t total = 0;
  CHECK_OK(trm_sample_order_bounds(&o.order, &bounds));
  CHECK_OK(trm_sample_loader_create(&o, &loader));
  for (int64_t k = 0; k < o.end_step; ++k) {
    const trm_sample_block *block;
    int64_t step;
    CHECK_OK(trm_sample_loader_next(loader, &step, &block));
    for (int64_t b = 0; b < blocks; ++b) {
      const trm_sequences *s = &block[b].batch.inputs;
      int64_t longest = 0;
      CHECK(s->n == block[b].batch.n && s->n_rows == s->offsets[s->n]);
      CHECK(s->n_rows <= bounds.inputs.n_rows && s->longest <= bounds.inputs.longest);
      for (int64_t i = 0; i < s->n; ++i) {
        const int64_t rows = trm_sequence_rows(s, i);
        const int32_t *from = block[b].batch.input_tokens + s->offsets[i];
        CHECK(rows >= 3 && from[0] == 1 && from[rows - 1] == 2);
        memcpy(tokens + block[b].samples[i] * (LONGEST + 2), from, (size_t)rows * sizeof *from);
        longest = rows > longest ? rows : longest;
      }
      CHECK_EQ(s->longest, longest);
      total += s->n_rows;
    }
  }
  trm_sample_loader_destroy(&loader);
  return total;
}

static void check_tokens(void) {
  fixture *f = make(TRM_INPUT_TOKENS, TRM_TARGET_CLASS);
  trm_augment *augment = list("drop 0.4, mask 0.2", TRM_AUGMENT_TOKENS);
  const int64_t n = 2 * N * (LONGEST + 2);
  int32_t *one = test_calloc(n, sizeof *one), *four = test_calloc(n, sizeof *four);
  const int64_t full = 2 * (f->offsets[N] + 2 * N);
  const int64_t total = gather_tokens(f, augment, 1, one);
  CHECK(total < full - full / 5);
  CHECK_EQ(gather_tokens(f, augment, 4, four), total);
  CHECK(memcmp(one, four, (size_t)n * sizeof *one) == 0);
  for (int64_t id = 0; id < 2 * N; ++id) {
    int32_t want[LONGEST + 2] = {1};
    const int64_t s = id % N;
    int64_t rows = f->offsets[s + 1] - f->offsets[s];
    memcpy(want + 1, f->tokens + f->offsets[s], (size_t)rows * sizeof *want);
    trm_augment_tokens(augment, (trm_augment_sample){.epoch = id / N, .sample = s}, want + 1, &rows,
                       0);
    want[1 + rows] = 2;
    CHECK(memcmp(want, one + id * (LONGEST + 2), (size_t)(rows + 2) * sizeof *want) == 0);
  }
  CHECK(memcmp(one, one + N * (LONGEST + 2), (size_t)(n / 2) * sizeof *one) != 0);
  free(one);
  free(four);
  trm_augment_destroy(&augment);
  release(f);
}

/* ---- passes ----------------------------------------------------------------------------------- */

static void check_passes(void) {
  fixture *f = make(TRM_INPUT_IMAGE, TRM_TARGET_CLASS);
  trm_augment *augment = list("flip 1, mixup 1", TRM_AUGMENT_IMAGES);
  const trm_sample_view view = options_of(f, augment, 1, 1).order.view;
  trm_sample_passes *passes = NULL;
  trm_sample_batch batch;
  const int32_t *ids;
  CHECK_OK(trm_sample_passes_create(&view, f->all, N, &passes));
  CHECK_EQ(trm_sample_passes_n(passes), 1);
  CHECK_OK(trm_sample_passes_make(passes, 0, &batch, &ids));
  CHECK(!batch.mix && !batch.mixed_targets);
  for (int64_t i = 0; i < batch.n * SIZE; ++i) {
    const int64_t at = i % SIZE;
    const uint8_t pixel = f->pixels[ids[i / SIZE] * SIZE + at % C * (H * W) + at / C];
    CHECK(batch.values.values[i] == (float)pixel / 255.0F);
  }
  trm_sample_passes_destroy(&passes);
  trm_augment_destroy(&augment);
  release(f);
}

int main(void) {
  check_mixed(TRM_INPUT_IMAGE, TRM_TARGET_CLASS, "crop 1, flip, mixup 0.4", 16, 4);
  check_mixed(TRM_INPUT_IMAGE, TRM_TARGET_CLASSES, "mixup 1, cutout 2", 3, 5); /* 1 a block */
  check_mixed(TRM_INPUT_ROW, TRM_TARGET_NUMBER, "drop 0.3, mixup 0.4", 16, 3);
  check_mixed(TRM_INPUT_ROW, TRM_TARGET_CLASSES, "mixup 0.4", 61, 1);
  check_tokens();
  check_passes();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
