/**
 * Operations of augmentation on images, one thread: microseconds an image.
 *
 * Usage: bench_augment [SIDE [LIST]...]     (32; the usual lists)
 */
#include <stdio.h>
#include <stdlib.h>

#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/input/augment.h"

enum { ROUNDS = 7, CHANNELS = 3 };
static const double round_s = 0.02;

static const char *const usual[] = {"shift 2",      "crop 4",         "crop 4 reflect", "flip",
                                    "crop 4, flip", "cutout 8",       "rotate 15",      "scale 0.2",
                                    "contrast 0.2", "brightness 0.2", "saturation 0.2", "hue 0.1",
                                    "noise 0.1"};

typedef struct bench {
  int64_t side;
  float *pixels, *scratch;
  const float *fill;
} bench;

static double one_round(const bench *b, const trm_augment *a, int64_t n) {
  const double start = trm_clock_s();
  for (int64_t i = 0; i < n; ++i) {
    trm_augment_image(a, (trm_augment_sample){0, i}, b->pixels, b->scratch, b->side, b->side,
                      CHANNELS, b->fill);
  }
  return (trm_clock_s() - start) / (double)n;
}

static trm_status measure(const bench *b, const char *list) {
  trm_augment *a = NULL;
  TRM_TRY(trm_augment_create("data.augment", list, TRM_AUGMENT_IMAGES, 1, &a));
  double best = one_round(b, a, 16);
  const int64_t n = 1 + (int64_t)(round_s / best);
  for (int i = 0; i < ROUNDS; ++i) {
    const double s = one_round(b, a, n);
    if (s < best) best = s;
  }
  printf("%-32s %8.2f us\n", list, 1e6 * best);
  trm_augment_destroy(&a);
  return TRM_OK;
}

int main(int argc, char **argv) {
  static const float fill[CHANNELS] = {0.5f, 0.5f, 0.5f};
  bench b = {.side = argc > 1 ? atoi(argv[1]) : 32, .fill = fill};
  const int64_t n = b.side * b.side * CHANNELS;
  const int n_lists = argc > 2 ? argc - 2 : (int)(sizeof usual / sizeof *usual);
  trm_status status = TRM_OK;
  if (b.side < 1 || b.side > 4096) {
    fprintf(stderr, "bench_augment: give a side from 1 to 4096\n");
    return 64;
  }
  TRM_TRY_OUT(TRM_ALLOC(&b.pixels, n, "image"));
  TRM_TRY_OUT(TRM_ALLOC(&b.scratch, n, "image"));
  for (int64_t i = 0; i < n; ++i) b.pixels[i] = (float)(i * 37 % 101) / 100;
  for (int i = 0; i < n_lists; ++i) {
    const char *list = argc > 2 ? argv[i + 2] : usual[i];
    TRM_TRY_OUT(measure(&b, list));
  }
out:
  if (status != TRM_OK) fprintf(stderr, "error: %s\n", trm_message());
  TRM_FREE(b.pixels);
  TRM_FREE(b.scratch);
  return trm_status_exit_code(status);
}
