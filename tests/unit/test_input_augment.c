/* Augmentation: lists that are refused, each operation on small things, odds, keys of draws, and values
 * that tests/golden/augment.py computed by formulas of its own. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/input/augment.h"

enum { SEED = 3, MOST = 4096 };

static const float fill[4] = {0.5f, 0.25f, 0.125f, 0.75f};

static trm_augment *made(const char *text, trm_augment_input input, uint64_t seed) {
  trm_augment *a = NULL;
  CHECK_OK(trm_augment_create("data.augment", text, input, seed, &a));
  CHECK(a != NULL);
  return a;
}

static void run(const trm_augment *a, int64_t epoch, int64_t sample, float *pixels, int64_t H,
                int64_t W, int64_t C) {
  float scratch[MOST];
  trm_augment_image(a, (trm_augment_sample){epoch, sample}, pixels, scratch, H, W, C, fill);
}

/* ---- lists ------------------------------------------------------------------------------------ */

static void refuse(trm_augment_input input, const char *text, const char *part) {
  trm_augment *a = NULL;
  CHECK_EQ(trm_augment_create("data.augment", text, input, SEED, &a), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), part);
  CHECK(a == NULL);
}

#define FOR_TOKENS "drop P, mask P, swap P"
#define FOR_ROWS "noise SIGMA, drop P, mixup ALPHA"

static void test_lists(void) {
  trm_augment *a = NULL;
  CHECK_OK(trm_augment_create("data.augment", "", TRM_AUGMENT_IMAGES, SEED, &a));
  CHECK(a == NULL);
  CHECK_OK(trm_augment_create("data.augment", " \n", TRM_AUGMENT_ROWS, SEED, &a));
  CHECK(a == NULL);
  a = made(" crop 4 reflect ,flip,\tflip 0.25 , mixup 2e-1", TRM_AUGMENT_IMAGES, SEED);
  CHECK(trm_augment_mixes(a) && !trm_augment_needs_unk(a));
  trm_augment_destroy(&a);
  CHECK(a == NULL);
  trm_augment_destroy(&a);
  a = made("drop 0.1,swap 1", TRM_AUGMENT_TOKENS, SEED);
  CHECK(!trm_augment_mixes(a) && !trm_augment_needs_unk(a));
  trm_augment_destroy(&a);
  a = made("drop 0.1,mask 0.1", TRM_AUGMENT_TOKENS, SEED);
  CHECK(trm_augment_needs_unk(a));
  trm_augment_destroy(&a);

  refuse(TRM_AUGMENT_IMAGES, "flip, rotat 3",
         "data.augment: 'rotat 3': there is no 'rotat'; did you mean 'rotate'?; for images there "
         "are shift N, crop N [reflect], flip [P], flip_alternate, rotate DEGREES");
  refuse(TRM_AUGMENT_TOKENS, "flip",
         "data.augment: 'flip': 'flip' is not for sequences of tokens; for them there "
         "are " FOR_TOKENS);
  refuse(TRM_AUGMENT_ROWS, "xyzzy",
         "data.augment: 'xyzzy': there is no 'xyzzy'; for rows of a table there are " FOR_ROWS);
  refuse(TRM_AUGMENT_IMAGES, "crop",
         "data.augment: 'crop': it needs a number; write crop N [reflect], N a whole number from 0 "
         "to 4096");
  refuse(TRM_AUGMENT_IMAGES, "crop reflect 4", "N is 'reflect'; allowed: a whole number from 0 to");
  refuse(TRM_AUGMENT_IMAGES, "crop 4.5", "N is '4.5'; allowed: a whole number from 0 to 4096");
  refuse(TRM_AUGMENT_IMAGES, "crop -1", "N is '-1'; allowed: a whole number from 0 to 4096");
  refuse(TRM_AUGMENT_IMAGES, "crop 99999999999999999999", "N is '99999999999999999999'; allowed");
  refuse(TRM_AUGMENT_IMAGES, "crop 4 mirror",
         "data.augment: 'crop 4 mirror': 'mirror' is not expected; write crop N [reflect]");
  refuse(TRM_AUGMENT_IMAGES, "crop 4 reflect 5 6", "'5' is not expected; write crop N [reflect]");
  refuse(TRM_AUGMENT_IMAGES, "flip_alternate 1", "'1' is not expected; write flip_alternate");
  refuse(TRM_AUGMENT_IMAGES, "flip nan", "P is 'nan'; allowed: a number from 0 to 1");
  refuse(TRM_AUGMENT_IMAGES, "flip 1.01", "P is '1.01'; allowed: a number from 0 to 1");
  refuse(TRM_AUGMENT_IMAGES, "hue 0.6", "H is '0.6'; allowed: a number from 0 to 0.5");
  refuse(TRM_AUGMENT_IMAGES, "mixup 0", "ALPHA is '0'; allowed: a number from 0.001 to 1000");
  refuse(TRM_AUGMENT_IMAGES, "mixup 1, flip, mixup 1", "mixed once; keep one of two");
  refuse(TRM_AUGMENT_IMAGES, "crop 4,,flip",
         "data.augment: 'crop 4,,flip': an operation is missing beside a comma");
  refuse(TRM_AUGMENT_IMAGES, "flip,", "an operation is missing beside a comma");
  refuse(TRM_AUGMENT_IMAGES, ",", "an operation is missing beside a comma");
  char text[400];
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = 0;
  refuse(TRM_AUGMENT_IMAGES, text, "xxx...': too long for an operation and its number");
}

static void test_memory(void) {
  const trm_alloc_counts before = trm_alloc_counts_get();
  for (int i = 0; i < 2; ++i) {
    trm_augment *a = NULL;
    trm_alloc_fail_after(i);
    CHECK_EQ(trm_augment_create("data.augment", "flip", TRM_AUGMENT_IMAGES, SEED, &a),
             TRM_ERR_MEMORY);
    trm_alloc_fail_after(-1);
  }
  CHECK_EQ(trm_alloc_counts_get().live_blocks, before.live_blocks);
}

static void test_help(void) {
  char text[4096] = "";
  FILE *file = fmemopen(text, sizeof text, "w");
  if (!CHECK(file != NULL)) return;
  trm_augment_help(file);
  (void)fclose(file);
  CHECK_HAS(text, "images:\n  shift N ");
  CHECK_HAS(text, "\nsequences of tokens:\n  drop P ");
  CHECK_HAS(text, "  flip [P]           left and right exchanged with probability P (0.5)\n");
}

/* ---- moving ----------------------------------------------------------------------------------- */

static void numbered(float *pixels, int64_t n) {
  for (int64_t i = 0; i < n; ++i) pixels[i] = (float)i / 4096;
}

static int64_t mirror(int64_t i, int64_t n) { /* one bounce or more, one step at a time */
  while (n > 1 && (i < 0 || i >= n)) i = i < 0 ? -i : 2 * (n - 1) - i;
  return n > 1 ? i : 0;
}

static bool is_moved(const float *got, const float *from, const int64_t dims[3], int64_t down,
                     int64_t right, bool reflect) {
  const int64_t H = dims[0], W = dims[1], C = dims[2];
  for (int64_t y = 0; y < H; ++y) {
    for (int64_t x = 0; x < W; ++x) {
      for (int64_t c = 0; c < C; ++c) {
        int64_t v = y + down, u = x + right;
        if (reflect) v = mirror(v, H), u = mirror(u, W);
        const bool inside = v >= 0 && v < H && u >= 0 && u < W;
        const float want = inside ? from[(v * W + u) * C + c] : fill[c];
        if (got[(y * W + x) * C + c] != want) return false;
      }
    }
  }
  return true;
}

/* Every outcome is a move by no more than N, and each of them comes. */
static void check_moves(const char *text, int64_t N, const int64_t dims[3], bool reflect) {
  trm_augment *a = made(text, TRM_AUGMENT_IMAGES, SEED);
  const int64_t n = dims[0] * dims[1] * dims[2], span = 2 * N + 1;
  int seen[15 * 15] = {0};
  for (int64_t sample = 0; sample < 60 * span * span; ++sample) {
    float from[MOST], got[MOST];
    int n_fit = 0;
    numbered(from, n);
    memcpy(got, from, sizeof got);
    run(a, 0, sample, got, dims[0], dims[1], dims[2]);
    for (int64_t k = 0; k < span * span; ++k) {
      if (!is_moved(got, from, dims, k / span - N, k % span - N, reflect)) continue;
      ++n_fit;
      ++seen[k];
    }
    if (!CHECK(n_fit >= 1)) break;
  }
  /* 60 expected of each; where several look alike, more. */
  for (int64_t k = 0; k < span * span; ++k) CHECK(seen[k] >= 25);
  trm_augment_destroy(&a);
}

static void test_moves(void) {
  check_moves("shift 2", 2, (int64_t[]){5, 7, 3}, false);
  check_moves("crop 2", 2, (int64_t[]){5, 7, 3}, false);
  check_moves("crop 2 reflect", 2, (int64_t[]){5, 4, 3}, true);
  check_moves("crop 1", 1, (int64_t[]){4, 3, 1}, false);
  check_moves("shift 4", 4, (int64_t[]){2, 3, 4}, false); /* past the image */
  check_moves("crop 5 reflect", 5, (int64_t[]){3, 2, 1}, true);
  check_moves("crop 3 reflect", 3, (int64_t[]){1, 2, 2}, true);
  check_moves("shift 0", 0, (int64_t[]){2, 2, 1}, false);
}

/* ---- flips ------------------------------------------------------------------------------------ */

static bool flipped(const trm_augment *a, int64_t epoch, int64_t sample) {
  float row[6] = {0, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f}; /* two pixels of three channels */
  run(a, epoch, sample, row, 1, 2, 3);
  const bool is = row[0] > row[3];
  CHECK_NEAR(row[is ? 3 : 0], 0, 0);
  CHECK_NEAR(row[is ? 2 : 5], 0.5f, 0);
  return is;
}

static double share_of(double hits, double n, double p) {
  return (hits - n * p) / sqrt(n * p * (1 - p)); /* in standard deviations */
}

static void test_flips(void) {
  enum { N = 4000 };
  trm_augment *half = made("flip", TRM_AUGMENT_IMAGES, SEED),
              *third = made("flip 0.3", TRM_AUGMENT_IMAGES, SEED),
              *alternate = made("flip_alternate", TRM_AUGMENT_IMAGES, SEED);
  int n_half = 0, n_third = 0, n_first = 0, n_changed = 0;
  for (int64_t i = 0; i < N; ++i) {
    n_half += flipped(half, 0, i);
    n_changed += flipped(half, 0, i) != flipped(half, 1, i);
    n_third += flipped(third, 5, i);
    const bool first = flipped(alternate, 0, i);
    n_first += first;
    for (int64_t epoch = 1; epoch < 5; ++epoch) {
      CHECK_EQ(flipped(alternate, epoch, i), first ^ (epoch & 1));
    }
  }
  CHECK(fabs(share_of(n_half, N, 0.5)) < 3);
  CHECK(fabs(share_of(n_changed, N, 0.5)) < 3); /* epochs know nothing of each other */
  CHECK(fabs(share_of(n_third, N, 0.3)) < 3);
  CHECK(fabs(share_of(n_first, N, 0.5)) < 3);
  trm_augment_destroy(&half);
  trm_augment_destroy(&third);
  trm_augment_destroy(&alternate);

  float row[5] = {0, 0.1f, 0.2f, 0.3f, 0.4f}; /* odd, one channel */
  trm_augment *always = made("flip 1", TRM_AUGMENT_IMAGES, SEED);
  run(always, 0, 0, row, 1, 5, 1);
  for (int i = 0; i < 5; ++i) CHECK_NEAR_AT(row[i], (float)(4 - i) / 10, 1e-7, i);
  trm_augment_destroy(&always);
}

/* ---- what other operations keep to ------------------------------------------------------------ */

static void test_cutout(void) {
  enum { N = 3, H = 6, W = 5 };
  trm_augment *a = made("cutout 3", TRM_AUGMENT_IMAGES, SEED);
  int seen[H][W] = {{0}};
  for (int64_t sample = 0; sample < 60 * H * W; ++sample) {
    float got[H * W];
    int n_fit = 0;
    for (int i = 0; i < H * W; ++i) got[i] = 0;
    run(a, 2, sample, got, H, W, 1);
    for (int k = 0; k < H * W; ++k) { /* middles */
      bool fits = true;
      for (int i = 0; i < H * W; ++i) {
        const bool in = abs(i / W - k / W) <= 1 && abs(i % W - k % W) <= 1;
        fits = fits && (got[i] == fill[0]) == in;
      }
      if (!fits) continue;
      ++n_fit;
      ++seen[k / W][k % W];
    }
    if (!CHECK_EQ(n_fit, 1)) break;
  }
  for (int k = 0; k < H * W; ++k) CHECK(seen[k / W][k % W] >= 25);
  trm_augment_destroy(&a);
}

/* Of an even side: as far as half of it before the middle, one less behind. */
static void test_cutout_even(void) {
  trm_augment *a = made("cutout 2", TRM_AUGMENT_IMAGES, SEED);
  bool corner = false, square = false;
  for (int64_t sample = 0; sample < 200; ++sample) {
    float got[9] = {0};
    int n = 0;
    run(a, 0, sample, got, 3, 3, 1);
    for (int i = 0; i < 9; ++i) n += got[i] == fill[0];
    corner |= n == 1 && got[0] == fill[0];
    square |= n == 4 && got[8] == fill[0];
    CHECK(n == 1 || n == 2 || n == 4);
  }
  CHECK(corner && square);
  trm_augment_destroy(&a);
}

/* Nothing by 0: to the bit, or nearly where colours are taken apart. */
static void test_zeros(void) {
  static const char *const lists[] = {"rotate 0",   "scale 0", "brightness 0",
                                      "contrast 0", "hue 0",   "saturation 0",
                                      "noise 0",    "shift 0", "crop 0 reflect"};
  for (size_t k = 0; k < sizeof lists / sizeof *lists; ++k) {
    trm_augment *a = made(lists[k], TRM_AUGMENT_IMAGES, SEED);
    float from[5 * 4 * 3], got[5 * 4 * 3];
    for (int i = 0; i < 60; ++i) got[i] = from[i] = (float)(i * 37 % 61) / 60;
    run(a, 1, 1, got, 5, 4, 3);
    for (int i = 0; i < 60; ++i) CHECK_NEAR_AT(got[i], from[i], k == 4 ? 2e-7 : 0, i);
    trm_augment_destroy(&a);
  }
}

/* Images that are not red, green and blue have no colours to change. */
static void test_grey(void) {
  trm_augment *a = made("saturation 1, hue 0.5", TRM_AUGMENT_IMAGES, SEED);
  float grey[6] = {0, 0.1f, 0.2f, 0.3f, 0.4f, 1}, three[3] = {0.5f, 0.5f, 0.5f};
  run(a, 0, 0, grey, 2, 3, 1);
  for (int i = 0; i < 5; ++i) CHECK_NEAR_AT(grey[i], (float)i / 10, 1e-7, i);
  run(a, 0, 0, grey, 3, 1, 2);
  for (int i = 0; i < 5; ++i) CHECK_NEAR_AT(grey[i], (float)i / 10, 1e-7, i);
  run(a, 0, 0, three, 1, 1, 3); /* nor has grey */
  for (int i = 0; i < 3; ++i) CHECK_NEAR_AT(three[i], 0.5, 1e-4, i);
  trm_augment_destroy(&a);

  a = made("contrast 1", TRM_AUGMENT_IMAGES, SEED); /* about the mean of two channels: 0.4 */
  float two[4] = {0.2f, 0.4f, 0.4f, 0.6f};
  run(a, 0, 1, two, 2, 1, 2);
  CHECK_NEAR(two[1], 0.4, 1e-6);
  CHECK_NEAR(two[0] + two[3], 0.8, 1e-6);
  CHECK(fabsf(two[3] - 0.6f) > 1e-3f);
  trm_augment_destroy(&a);
}

static void test_noise(void) {
  enum { N = 2000, SAMPLES = 50 };
  trm_augment *row = made("noise 0.5", TRM_AUGMENT_ROWS, SEED),
              *image = made("noise 0.5", TRM_AUGMENT_IMAGES, SEED);
  double sum = 0, squares = 0, cubes = 0, fourths = 0, product = 0;
  for (int64_t sample = 0; sample < SAMPLES; ++sample) {
    float x[N + 3];
    for (int i = 0; i < N + 3; ++i) x[i] = 1;
    trm_augment_row(row, (trm_augment_sample){4, sample}, x, N, N + 3);
    for (int i = 0; i < N; ++i) {
      const double z = ((double)x[i] - 1) / 0.5;
      sum += z, squares += z * z, cubes += z * z * z, fourths += z * z * z * z;
      product += z * ((double)x[i ^ 1] - 1) / 0.5;
    }
    for (int i = N; i < N + 3; ++i) CHECK_NEAR_AT(x[i], 1, 0, i); /* flags and levels */
  }
  const double n = N * SAMPLES, root = sqrt(n);
  CHECK_NEAR(sum / n, 0, 3 / root);
  CHECK_NEAR(squares / n, 1, 3 * sqrt(2) / root);
  CHECK_NEAR(cubes / n, 0, 3 * sqrt(15) / root);
  CHECK_NEAR(fourths / n, 3, 3 * sqrt(96) / root);
  CHECK_NEAR(product / n, 0, 3 * sqrt(2) / root);
  trm_augment_destroy(&row);

  float pixels[300];
  int n_ends = 0;
  for (int i = 0; i < 300; ++i) pixels[i] = 0.5f;
  run(image, 0, 0, pixels, 10, 10, 3);
  for (int i = 0; i < 300; ++i) {
    CHECK(pixels[i] >= 0 && pixels[i] <= 1);
    n_ends += pixels[i] == 0 || pixels[i] == 1;
  }
  CHECK(fabs(share_of(n_ends, 300, 0.3173)) < 3);
  trm_augment_destroy(&image);
}

/* ---- rows and sequences ----------------------------------------------------------------------- */

static void test_drop_numbers(void) {
  enum { N = 5000 };
  trm_augment *a = made("drop 0.2", TRM_AUGMENT_ROWS, SEED);
  float x[N + 2];
  int n_gone = 0;
  for (int i = 0; i < N + 2; ++i) x[i] = 1;
  trm_augment_row(a, (trm_augment_sample){0, 7}, x, N, N + 2);
  for (int i = 0; i < N; ++i) {
    CHECK(x[i] == 0 || x[i] == 1);
    n_gone += x[i] == 0;
  }
  CHECK(fabs(share_of(n_gone, N, 0.2)) < 3);
  CHECK(x[N] == 1 && x[N + 1] == 1);
  trm_augment_destroy(&a);
}

static int64_t run_tokens(const char *text, int64_t epoch, int64_t sample, int32_t *tokens,
                          int64_t n) {
  trm_augment *a = made(text, TRM_AUGMENT_TOKENS, SEED);
  for (int64_t i = 0; i < n; ++i) tokens[i] = (int32_t)(100 + i);
  trm_augment_tokens(a, (trm_augment_sample){epoch, sample}, tokens, &n, 1);
  trm_augment_destroy(&a);
  return n;
}

static void test_drop_tokens(void) {
  enum { N = 4000 };
  int32_t tokens[N];
  const int64_t n = run_tokens("drop 0.3", 0, 0, tokens, N);
  CHECK(fabs(share_of((double)n, N, 0.7)) < 3);
  for (int64_t i = 1; i < n; ++i) CHECK(tokens[i] > tokens[i - 1]);
  int seen[4] = {0};
  for (int64_t sample = 0; sample < 400; ++sample) {
    CHECK_EQ(run_tokens("drop 1", 0, sample, tokens, 4), 1);
    ++seen[tokens[0] - 100];
  }
  for (int i = 0; i < 4; ++i) CHECK(fabs(share_of(seen[i], 400, 0.25)) < 3.5);
  CHECK_EQ(run_tokens("drop 0", 0, 0, tokens, 9), 9);
  CHECK_EQ(tokens[8], 108);
  CHECK_EQ(run_tokens("drop 0.5", 0, 0, tokens, 1), 1);
}

static void test_mask_and_swap(void) {
  enum { N = 4000 };
  int32_t tokens[N];
  int n_hidden = 0, n_moved = 0;
  CHECK_EQ(run_tokens("mask 0.15", 0, 0, tokens, N), N);
  for (int i = 0; i < N; ++i) {
    CHECK(tokens[i] == 1 || tokens[i] == 100 + i);
    n_hidden += tokens[i] == 1;
  }
  CHECK(fabs(share_of(n_hidden, N, 0.15)) < 3);

  CHECK_EQ(run_tokens("swap 0.25", 0, 0, tokens, N), N);
  for (int i = 0; i < N; ++i) {
    if (tokens[i] == 100 + i) continue;
    CHECK(i + 1 < N && tokens[i] == 101 + i && tokens[i + 1] == 100 + i);
    ++n_moved;
    ++i;
  }
  CHECK(fabs(share_of(n_moved, N, 0.2)) <
        3); /* 0.25 of the 0.8 that did not move by the one before */
  CHECK_EQ(run_tokens("swap 1", 0, 0, tokens, 5), 5);
  const int32_t want[5] = {101, 100, 103, 102, 104};
  for (int i = 0; i < 5; ++i) CHECK_EQ(tokens[i], want[i]);
  CHECK_EQ(run_tokens("swap 1", 0, 0, tokens, 1), 1);
}

/* ---- mixup ------------------------------------------------------------------------------------ */

/* The kept share's mean for Beta(a, a): 1/2 + E|l - 1/2|; its variance from that of l. */
static void check_mixup(const char *text, double alpha, double mean_distance) {
  enum { N = 20000 };
  trm_augment *a = made(text, TRM_AUGMENT_IMAGES, SEED);
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < N; ++i) {
    const double share = trm_augment_mix(a, (trm_augment_sample){i % 3, i});
    if (!CHECK(share >= 0.5 && share <= 1)) break;
    sum += share - 0.5;
    squares += (share - 0.5) * (share - 0.5);
  }
  const double variance = 1 / (4 * (2 * alpha + 1)); /* of l, about 1/2 */
  CHECK_NEAR(squares / N, variance, 3 * 0.25 * sqrt(1.0 / N));
  CHECK_NEAR(sum / N, mean_distance,
             3 * sqrt((variance - mean_distance * mean_distance) / N) + 1e-9);
  trm_augment_destroy(&a);
}

static void test_mixup(void) {
  check_mixup("mixup 1", 1, 0.25); /* uniform */
  check_mixup("flip, mixup 2", 2, 0.1875);
  /* Beta(1/2, 1/2) is sin^2 of a uniform angle: E|cos| / 2. */
  check_mixup("mixup 0.5, flip", 0.5, 0.31830988618379);
  /* E|l - 1/2| = 2^(-2a) / (a B(a, a)). */
  for (int k = 0; k < 3; ++k) {
    static const char *const texts[] = {"mixup 0.2", "mixup 0.01", "mixup 100"};
    static const double alphas[] = {0.2, 0.01, 100};
    const double a = alphas[k], log_beta = 2 * lgamma(a) - lgamma(2 * a);
    check_mixup(texts[k], a, exp(-2 * a * log(2) - log_beta) / a);
  }
  trm_augment *a = made("mixup 0.001", TRM_AUGMENT_ROWS, SEED),
              *none = made("flip", TRM_AUGMENT_IMAGES, 1);
  for (int64_t i = 0; i < 1000; ++i) {
    const double share = trm_augment_mix(a, (trm_augment_sample){0, i});
    CHECK(share >= 0.5 && share <= 1);
  }
  CHECK_NEAR(trm_augment_mix(none, (trm_augment_sample){0, 0}), 1, 0);
  trm_augment_destroy(&a);
  trm_augment_destroy(&none);
}

/* ---- keys of draws ---------------------------------------------------------------------------- */

#define EVERYTHING                                                                                 \
  "crop 2 reflect, flip, rotate 20, scale 0.2, brightness 0.3, contrast 0.3, saturation 0.3, hue " \
  "0.1, noise 0.05, cutout 3"

enum { SIDE = 8, SIZE = SIDE * SIDE * 3, SAMPLES = 48 };

static void make_all(const trm_augment *a, int64_t epoch, int64_t sample, float *got) {
  for (int i = 0; i < SIZE; ++i) got[i] = (float)(i * 37 % 101) / 100;
  run(a, epoch, sample, got, SIDE, SIDE, 3);
}

typedef struct job {
  const trm_augment *a;
  int64_t first;
  float (*got)[SIZE];
} job;

static void *every_fourth(void *context) {
  const job *j = context;
  for (int64_t s = SAMPLES - 1 - j->first; s >= 0; s -= 4) make_all(j->a, 1, s, j->got[s]);
  return NULL;
}

/* The same backwards and on four threads, and by another list of the same text. */
static void test_order(void) {
  static float one[SAMPLES][SIZE], many[SAMPLES][SIZE];
  trm_augment *a = made(EVERYTHING, TRM_AUGMENT_IMAGES, SEED),
              *again = made(EVERYTHING, TRM_AUGMENT_IMAGES, SEED);
  pthread_t threads[4];
  job jobs[4];
  for (int64_t s = 0; s < SAMPLES; ++s) make_all(a, 1, s, one[s]);
  for (int t = 0; t < 4; ++t) {
    jobs[t] = (job){again, t, many};
    CHECK_EQ(pthread_create(&threads[t], NULL, every_fourth, &jobs[t]), 0);
  }
  for (int t = 0; t < 4; ++t) CHECK_EQ(pthread_join(threads[t], NULL), 0);
  CHECK(memcmp(one, many, sizeof one) == 0);
  trm_augment_destroy(&a);
  trm_augment_destroy(&again);
}

static bool differs(const trm_augment *a, int64_t epoch_a, int64_t sample_a, const trm_augment *b,
                    int64_t epoch_b, int64_t sample_b) {
  float x[SIZE], y[SIZE];
  make_all(a, epoch_a, sample_a, x);
  make_all(b, epoch_b, sample_b, y);
  return memcmp(x, y, sizeof x) != 0;
}

static void test_keys(void) {
  trm_augment *a = made(EVERYTHING, TRM_AUGMENT_IMAGES, SEED),
              *b = made(EVERYTHING, TRM_AUGMENT_IMAGES, SEED + 1),
              *first = made("noise 0.1, flip 0", TRM_AUGMENT_IMAGES, SEED),
              *second = made("flip 0, noise 0.1", TRM_AUGMENT_IMAGES, SEED);
  CHECK(!differs(a, 3, 4, a, 3, 4));
  CHECK(differs(a, 3, 4, a, 4, 4));
  CHECK(differs(a, 3, 4, a, 3, 5));
  CHECK(differs(a, 3, 4, a, 4, 3));
  CHECK(differs(a, 3, 4, b, 3, 4));
  CHECK(differs(first, 3, 4, second, 3, 4)); /* places in the list */
  CHECK(differs(a, 0, INT64_C(1) << 32, a, 0, 0));
  trm_augment_destroy(&a);
  trm_augment_destroy(&b);
  trm_augment_destroy(&first);
  trm_augment_destroy(&second);
}

/* ---- values of other formulas ----------------------------------------------------------------- */

/* A line: list ; seed ; epoch ; sample ; height ; width ; channels ; values. The script says what image. */
static void check_line(const char *line) {
  char list[64];
  long long seed, epoch, sample, H, W, C;
  int at = 0;
  float pixels[MOST];
  if (!CHECK(sscanf(line, "%63[^;];%lld;%lld;%lld;%lld;%lld;%lld;%n", list, &seed, &epoch, &sample,
                    &H, &W, &C, &at) == 7)) {
    return;
  }
  trm_augment *a = made(list, TRM_AUGMENT_IMAGES, (uint64_t)seed);
  for (int64_t i = 0; i < H * W * C; ++i) pixels[i] = (float)(i * i * 37 % 101) / 100;
  run(a, epoch, sample, pixels, H, W, C);
  for (int64_t i = 0; i < H * W * C; ++i) {
    double want;
    int n = 0;
    if (!CHECK(sscanf(line + at, "%lf%n", &want, &n) == 1)) break;
    if (!CHECK_NEAR_AT(pixels[i], want, 2e-6, i)) fprintf(stderr, "  of %s\n", list);
    at += n;
  }
  trm_augment_destroy(&a);
}

static void test_golden(void) {
  static char line[1 << 14];
  int n = 0;
  FILE *file = fopen(TRM_SOURCE_DIR "/tests/golden/augment_values.txt", "r");
  if (!CHECK(file != NULL)) return;
  while (fgets(line, sizeof line, file)) {
    if (line[0] == '#') continue;
    check_line(line);
    ++n;
  }
  CHECK(n >= 8);
  (void)fclose(file);
}

int main(void) {
  test_lists();
  test_memory();
  test_help();
  test_moves();
  test_flips();
  test_cutout();
  test_cutout_even();
  test_zeros();
  test_grey();
  test_noise();
  test_drop_numbers();
  test_drop_tokens();
  test_mask_and_swap();
  test_mixup();
  test_order();
  test_keys();
  test_golden();
  return check_verdict();
}
