/**
 * Images of a data set on one sheet.
 *
 * A grid of cells with a gap around each. Without augmentation a sample each, row by row; with it a row
 * for each sample: as it is, then as it is in each epoch. Small images are enlarged by a whole factor,
 * each pixel to a square.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "show.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/input/sample_batches.h"
#include "trireme/prepare/png.h"

enum { CELL = 96, GAP = 4, PAPER = 255, MOST_PIXELS = 1 << 27 };

typedef struct sheet {
  const app_showing *s;
  trm_sample_scale scale; /* its centre is the mean colour */
  int64_t H, W, C;        /* of an image */
  int64_t shown;          /* channels of the sheet: 1 or 3 */
  int64_t factor, rows, columns, height, width;
  uint8_t *paper;          /* [height, width, shown] */
  float *images, *scratch; /* [n, H, W, C] of a column, and one more; [H, W, C] */
} sheet;

static int64_t square_side(int64_t n) {
  int64_t side = 1;
  while (side * side < n) ++side;
  return side;
}

static trm_status plan(sheet *t) {
  const trm_images *images = &t->s->data->images;
  const int64_t n = t->s->n;
  t->H = images->height;
  t->W = images->width;
  t->C = images->channels;
  t->shown = t->C >= 3 ? 3 : 1;
  t->factor = trm_max_i64(1, CELL / trm_max_i64(t->H, t->W));
  t->columns = t->s->augment ? 1 + t->s->epochs : square_side(n);
  t->rows = t->s->augment ? n : trm_ceil_div(n, t->columns);
  t->height = t->rows * (t->H * t->factor + GAP) + GAP;
  t->width = t->columns * (t->W * t->factor + GAP) + GAP;
  if (t->height <= MOST_PIXELS / t->width) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "inspect: a sheet of %" PRId64 " x %" PRId64
                  " images is too large; ask for fewer --samples or --epochs",
                  t->rows, t->columns);
}

static trm_status make_paper(sheet *t) {
  const int64_t size = t->H * t->W * t->C, pixels = t->height * t->width * t->shown;
  const trm_samples *data = t->s->data;
  trm_ids train;
  TRM_TRY(TRM_ALLOC(&t->paper, pixels, "sheet"));
  TRM_TRY(TRM_ALLOC(&t->images, (t->s->n + 1) * size, "images"));
  TRM_TRY(TRM_ALLOC(&t->scratch, size, "images"));
  memset(t->paper, PAPER, (size_t)pixels);
  TRM_TRY(trm_samples_split(data, 0, TRM_SUBSET_TRAIN, &train));
  return trm_sample_scale_fit(data, train, &t->scale);
}

/* From [C, H, W] of bytes. */
static void take_image(const sheet *t, int64_t sample, float *to) {
  const int64_t area = t->H * t->W;
  const uint8_t *from = t->s->data->images.pixels + sample * area * t->C;
  for (int64_t c = 0; c < t->C; ++c) {
    for (int64_t i = 0; i < area; ++i) to[i * t->C + c] = (float)from[c * area + i] / 255;
  }
}

static void put_image(const sheet *t, int64_t row, int64_t column, const float *image) {
  const int64_t f = t->factor;
  uint8_t *corner =
      t->paper +
      ((row * (t->H * f + GAP) + GAP) * t->width + column * (t->W * f + GAP) + GAP) * t->shown;
  for (int64_t y = 0; y < t->H * f; ++y) {
    uint8_t *to = corner + y * t->width * t->shown;
    for (int64_t x = 0; x < t->W * f; ++x) {
      const float *from = image + (y / f * t->W + x / f) * t->C;
      for (int64_t c = 0; c < t->shown; ++c) *to++ = (uint8_t)(from[c] * 255 + 0.5F);
    }
  }
}

/* Each with the next, the last with the first, as in a batch of them. */
static void mix(const sheet *t, int64_t epoch) {
  const int64_t size = t->H * t->W * t->C, n = t->s->n;
  memcpy(t->images + n * size, t->images, (size_t)size * sizeof *t->images);
  for (int64_t k = 0; k < n; ++k) {
    const trm_augment_sample of = {epoch, app_showing_sample(t->s, k)};
    const float share = (float)trm_augment_mix(t->s->augment, of);
    float *own = t->images + k * size;
    for (int64_t i = 0; i < size; ++i) own[i] = share * own[i] + (1 - share) * own[size + i];
  }
}

static void draw_epoch(const sheet *t, int64_t epoch) {
  const int64_t size = t->H * t->W * t->C;
  for (int64_t k = 0; k < t->s->n; ++k) {
    const trm_augment_sample of = {epoch, app_showing_sample(t->s, k)};
    float *image = t->images + k * size;
    take_image(t, of.sample, image);
    trm_augment_image(t->s->augment, of, image, t->scratch, t->H, t->W, t->C, t->scale.center);
  }
  if (trm_augment_mixes(t->s->augment)) mix(t, epoch);
  for (int64_t k = 0; k < t->s->n; ++k) put_image(t, k, 1 + epoch, t->images + k * size);
}

static void draw(const sheet *t) {
  const int64_t across = t->s->augment ? 1 : t->columns;
  for (int64_t k = 0; k < t->s->n; ++k) {
    take_image(t, app_showing_sample(t->s, k), t->images);
    put_image(t, k / across, k % across, t->images);
  }
  for (int64_t epoch = 0; epoch < t->s->epochs; ++epoch) draw_epoch(t, epoch);
}

/* What is where, row by row. */
static void tell(const sheet *t) {
  const app_showing *s = t->s;
  const int64_t across = s->augment ? 1 : t->columns;
  char target[APP_TARGET_BYTES];
  printf("%s: %" PRId64 " images of %" PRId64 " x %" PRId64 " x %" PRId64
         " (height, width, channels), enlarged %" PRId64 " times\n",
         s->output, s->n, t->H, t->W, t->C, t->factor);
  if (s->augment) {
    printf("columns: as it is; then epochs 0 to %" PRId64 " of '%s'\n", s->epochs - 1, s->list);
  }
  for (int64_t row = 0; row < t->rows; ++row) {
    printf("row %" PRId64 ": ", row);
    for (int64_t k = row * across; k < trm_min_i64(s->n, (row + 1) * across); ++k) {
      const int64_t sample = app_showing_sample(s, k);
      printf("%ssample %" PRId64 "%s", k > row * across ? ", " : "", sample,
             app_showing_target(s, sample, target));
    }
    printf("\n");
  }
}

trm_status app_show_images(const app_showing *s) {
  trm_status status = TRM_OK;
  sheet t = {.s = s};
  if (!s->output) {
    return trm_fail(TRM_ERR_USAGE, "inspect: images are shown on a sheet; give -o SHEET.png");
  }
  TRM_TRY_OUT(plan(&t));
  TRM_TRY_OUT(make_paper(&t));
  draw(&t);
  TRM_TRY_OUT(trm_png_write(s->output, t.paper, t.height, t.width, t.shown));
  tell(&t);
out:
  TRM_FREE(t.paper);
  TRM_FREE(t.images);
  TRM_FREE(t.scratch);
  trm_sample_scale_free(&t.scale);
  return status;
}
