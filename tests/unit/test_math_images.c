/* Convolution and pooling against plain loops in double, and with other thread counts to the bit; images do
 * not depend on each other. */
#include "kernel_check.h"
#include "trireme/core/integers.h"
#include "trireme/math/images.h"

enum { MERGES = 2 };

typedef struct image_case {
  trm_conv conv;
  trm_real *x, *w, *dy;
  bool add, by_channel;
} image_case;

static int64_t pixels(const trm_windows *w) {
  return w->N * w->H * w->W * w->C;
}
static int64_t places(const trm_windows *w) {
  return w->N * w->down * w->across;
}
static int64_t weights(const trm_conv *c) {
  return c->windows.height * c->windows.width * c->windows.C / c->groups * c->O;
}

/* ---- convolution -------------------------------------------------------------------------------- */

static void run_forward(void *p, trm_real **out) {
  const image_case *k = p;
  if (k->by_channel) {
    trm_conv_channels_forward(out[0], k->x, k->w, &k->conv.windows);
    return;
  }
  trm_real *scratch = NEW_REALS(trm_conv_forward_scratch(&k->conv));
  trm_conv_forward(out[0], k->x, k->w, &k->conv, scratch);
  free(scratch);
}
static void run_input(void *p, trm_real **out) {
  const image_case *k = p;
  if (k->by_channel) {
    trm_conv_channels_backward_input(out[0], k->dy, k->w, &k->conv.windows, k->add);
    return;
  }
  trm_real *scratch = NEW_REALS(trm_conv_backward_input_scratch(&k->conv));
  trm_conv_backward_input(out[0], k->dy, k->w, &k->conv, k->add, scratch);
  free(scratch);
}
static void run_weights(void *p, trm_real **out) {
  const image_case *k = p;
  if (k->by_channel) {
    trm_conv_channels_backward_weights(out[0], k->dy, k->x, &k->conv.windows, k->add, 0, 0);
    return;
  }
  trm_real *scratch = NEW_REALS(trm_conv_backward_weights_scratch(&k->conv));
  trm_conv_backward_weights(out[0], k->dy, k->x, &k->conv, k->add, 0, 0, scratch);
  free(scratch);
}

/* Every product of an input, a weight and a place, once. */
static void reference(const image_case *k, double *y, double *dx, double *dw) {
  const trm_conv *c = &k->conv;
  const trm_windows *w = &c->windows;
  const int64_t Cg = w->C / c->groups, Og = c->O / c->groups;
  for (int64_t p = 0; p < places(w); ++p) {
    const int64_t n = p / (w->down * w->across), down = p / w->across % w->down,
                  across = p % w->across;
    for (int64_t r = 0; r < weights(c) / c->O; ++r) {
      const int64_t row = down * w->stride - w->padding + r / (w->width * Cg);
      const int64_t column = across * w->stride - w->padding + r / Cg % w->width;
      if (row < 0 || row >= w->H || column < 0 || column >= w->W) continue;
      for (int64_t o = 0; o < c->O; ++o) {
        const int64_t at = ((n * w->H + row) * w->W + column) * w->C + o / Og * Cg + r % Cg;
        y[p * c->O + o] += (double)k->x[at] * (double)k->w[r * c->O + o];
        dx[at] += (double)k->dy[p * c->O + o] * (double)k->w[r * c->O + o];
        dw[r * c->O + o] += (double)k->dy[p * c->O + o] * (double)k->x[at];
      }
    }
  }
}

static void check_conv_by(trm_conv conv, bool add, bool by_channel) {
  const trm_windows *w = &conv.windows;
  const int64_t n_x = pixels(w), n_y = places(w) * conv.O, n_w = weights(&conv);
  uint64_t state = (uint64_t)(n_x * 31 + n_w);
  image_case k = {.conv = conv, .add = add, .by_channel = by_channel};
  k.x = test_random(n_x, 1, &state, NULL);
  k.w = test_random(n_w, 1, &state, NULL);
  k.dy = test_random(n_y, 1, &state, NULL);
  double *y = NEW_DOUBLES(n_y), *dx = NEW_DOUBLES(n_x), *dw = NEW_DOUBLES(n_w);
  reference(&k, y, dx, dw);
  trm_real *dx0 = test_random(n_x, 1, &state, NULL), *dw0 = test_random(n_w, 1, &state, NULL);
  const double depth = (double)(n_w / trm_max_i64(conv.O, 1) + n_w / trm_max_i64(w->C, 1));
  kernel_case c = {.name = "convolution",
                   .run = run_forward,
                   .context = &k,
                   .n = {n_y},
                   .want = {y},
                   .tolerance = {16 + 4 * sqrt(depth)}};
  check_kernel(c);
  c.name = "gradient of the input";
  c.run = run_input;
  c.n[0] = n_x;
  c.want[0] = dx;
  c.start[0] = add ? dx0 : NULL;
  check_kernel(c);
  c.name = "gradient of the weights";
  c.run = run_weights;
  c.n[0] = n_w;
  c.want[0] = dw;
  c.start[0] = add ? dw0 : NULL;
  c.tolerance[0] = 16 + 4 * sqrt((double)places(w));
  check_kernel(c);
  free(k.x), free(k.w), free(k.dy), free(y), free(dx), free(dw), free(dx0), free(dw0);
}

static void check_conv(trm_conv conv, bool add) {
  check_conv_by(conv, add, false);
  if (conv.groups == conv.windows.C && conv.groups == conv.O) check_conv_by(conv, add, true);
}

static trm_windows windows(int64_t N, int64_t H, int64_t W, int64_t C, int64_t height,
                           int64_t width, int64_t stride, int64_t padding) {
  return (trm_windows){.N = N,
                       .H = H,
                       .W = W,
                       .C = C,
                       .height = height,
                       .width = width,
                       .stride = stride,
                       .padding = padding,
                       .down = (H + 2 * padding - height) / stride + 1,
                       .across = (W + 2 * padding - width) / stride + 1};
}

static void check_convs(bool add) {
  check_conv((trm_conv){windows(0, 4, 4, 2, 3, 3, 1, 1), 3, 1}, add);
  check_conv((trm_conv){windows(1, 1, 1, 1, 1, 1, 1, 0), 1, 1}, add);
  check_conv((trm_conv){windows(3, 9, 7, 1, 3, 3, 1, 1), 32, 1}, add);
  check_conv((trm_conv){windows(5, 8, 8, 3, 3, 3, 1, 1), 16, 1}, add);
  check_conv((trm_conv){windows(2, 33, 30, 5, 5, 5, 1, 2), 20, 1}, add); /* bands */
  check_conv((trm_conv){windows(2, 15, 14, 16, 3, 3, 2, 1), 64, 1}, add);
  check_conv((trm_conv){windows(2, 8, 8, 16, 1, 1, 2, 0), 48, 1}, add); /* some reach nothing */
  check_conv((trm_conv){windows(3, 4, 4, 33, 3, 3, 1, 0), 80, 1}, add); /* in place */
  check_conv((trm_conv){windows(2, 11, 10, 6, 2, 3, 3, 1), 9, 3}, add);
  check_conv((trm_conv){windows(2, 9, 9, 24, 3, 3, 1, 1), 24, 24}, add);
  check_conv((trm_conv){windows(3, 9, 8, 83, 3, 2, 2, 1), 83, 83}, add);
  check_conv((trm_conv){windows(2, 2, 2, 3, 5, 5, 4, 4), 3, 3}, add);
  check_conv((trm_conv){windows(2, 10, 300, 2, 3, 3, 1, 1), 5, 1}, add); /* wide */
  check_conv((trm_conv){windows(1, 2, 2, 3, 5, 5, 4, 4), 7, 1}, add);
}

/* An image has the bits that it has alone. */
static void check_alone(void *context, const char *isa) {
  (void)context;
  (void)isa;
  enum { N = 9, H = 6, W = 5, C = 3, O = 21, SIZE = H * W * C };
  uint64_t state = 7;
  image_case k = {.conv = {windows(N, H, W, C, 3, 3, 1, 1), O, 1}};
  k.x = test_random(N * SIZE, 1, &state, NULL);
  k.w = test_random(9 * C * O, 1, &state, NULL);
  trm_real *all = NEW_REALS(N * H * W * O), *one = NEW_REALS(H * W * O);
  run_forward(&k, &all);
  image_case alone = k;
  alone.conv.windows.N = 1;
  for (int64_t n = 0; n < N; ++n) {
    alone.x = k.x + n * SIZE;
    run_forward(&alone, &one);
    CHECK(memcmp(one, all + n * H * W * O, H * W * O * sizeof *one) == 0);
  }
  free(k.x), free(k.w), free(all), free(one);
}

/* The gradient of the weights goes into the lowest array. */
static void check_merges(void *context, const char *isa) {
  (void)context;
  (void)isa;
  enum { C = 3, O = 21, SIZE = 9 * C * O };
  uint64_t state = 5;
  image_case k = {.conv = {windows(2, 6, 5, C, 3, 3, 1, 1), O, 1}};
  k.x = test_random(2 * 6 * 5 * C, 1, &state, NULL);
  k.dy = test_random(2 * 6 * 5 * O, 1, &state, NULL);
  trm_real *dw = NEW_REALS(SIZE), *below = test_random((MERGES + 1) * SIZE, 1, &state, NULL);
  trm_real *before = NEW_REALS((MERGES + 1) * SIZE);
  memcpy(before, below, (MERGES + 1) * SIZE * sizeof *before);
  run_weights(&k, &dw);
  trm_real *scratch = NEW_REALS(trm_conv_backward_weights_scratch(&k.conv));
  trm_conv_backward_weights(below + MERGES * SIZE, k.dy, k.x, &k.conv, false, MERGES, SIZE,
                            scratch);
  for (int64_t i = 0; i < SIZE; ++i) {
    CHECK(below[i] == dw[i] + before[SIZE + i] + before[i]);
    CHECK(below[SIZE + i] == before[SIZE + i]);
  }
  free(k.x), free(k.dy), free(dw), free(below), free(before), free(scratch);
}

/* ---- pooling ------------------------------------------------------------------------------------ */

static void run_max(void *p, trm_real **out) {
  const image_case *k = p;
  const trm_windows *w = &k->conv.windows;
  trm_winner *winners = test_calloc(places(w) * w->C, sizeof *winners);
  trm_pool_max_forward(out[0], winners, k->x, w);
  trm_pool_max_backward(out[1], k->dy, winners, w, k->add);
  free(winners);
}
static void run_mean(void *p, trm_real **out) {
  const image_case *k = p;
  trm_pool_sum_forward(out[0], k->x, &k->conv.windows, true);
  trm_pool_sum_backward(out[1], k->dy, &k->conv.windows, true, k->add);
}
static void run_sum(void *p, trm_real **out) {
  const image_case *k = p;
  trm_pool_sum_forward(out[0], k->x, &k->conv.windows, false);
  trm_pool_sum_backward(out[1], k->dy, &k->conv.windows, false, k->add);
}

typedef enum pooling { MAXIMUM, MEAN, SUM } pooling;

/* The window at place p of all, channel c; the pixels it sees are listed. */
static void pool_window(const image_case *k, pooling how, int64_t p, int64_t c, double *y,
                        double *dx) {
  const trm_windows *w = &k->conv.windows;
  const int64_t n = p / (w->down * w->across);
  const int64_t top = p / w->across % w->down * w->stride - w->padding;
  const int64_t left = p % w->across * w->stride - w->padding;
  int64_t seen[64], n_seen = 0, best = 0;
  for (int64_t row = trm_max_i64(top, 0); row < trm_min_i64(top + w->height, w->H); ++row) {
    for (int64_t col = trm_max_i64(left, 0); col < trm_min_i64(left + w->width, w->W); ++col) {
      seen[n_seen] = ((n * w->H + row) * w->W + col) * w->C + c;
      if (k->x[seen[n_seen]] > k->x[seen[best]]) best = n_seen;
      ++n_seen;
    }
  }
  const double dy = (double)k->dy[p * w->C + c];
  if (how == MAXIMUM) {
    y[p * w->C + c] = (double)k->x[seen[best]];
    dx[seen[best]] += dy;
    return;
  }
  const double scale = how == MEAN ? 1 / (double)n_seen : 1;
  for (int64_t i = 0; i < n_seen; ++i) {
    y[p * w->C + c] += scale * (double)k->x[seen[i]];
    dx[seen[i]] += scale * dy;
  }
}

static void check_pool(trm_windows w, pooling how, bool add) {
  const int64_t n_x = pixels(&w), n_y = places(&w) * w.C;
  uint64_t state = (uint64_t)(n_x * 31 + n_y);
  image_case k = {.conv = {w, 1, 1}, .add = add};
  k.x = test_random(n_x, 1, &state, NULL);
  for (int64_t i = 0; i < n_x; ++i) k.x[i] = (trm_real)floor(4 * (double)k.x[i]); /* equals */
  k.dy = test_random(n_y, 1, &state, NULL);
  trm_real *dx0 = test_random(n_x, 1, &state, NULL);
  double *y = NEW_DOUBLES(n_y), *dx = NEW_DOUBLES(n_x);
  for (int64_t i = 0; i < n_y; ++i) pool_window(&k, how, i / w.C, i % w.C, y, dx);
  check_kernel((kernel_case){.name = "pooling",
                             .run = how == MAXIMUM ? run_max : (how == MEAN ? run_mean : run_sum),
                             .context = &k,
                             .n = {n_y, n_x},
                             .want = {y, dx},
                             .start = {NULL, add ? dx0 : NULL},
                             .tolerance = {64, 64}});
  free(k.x), free(k.dy), free(dx0), free(y), free(dx);
}

static void check_pools(pooling how, bool add) {
  check_pool(windows(0, 4, 4, 3, 2, 2, 2, 0), how, add);
  check_pool(windows(1, 1, 1, 1, 1, 1, 1, 0), how, add);
  check_pool(windows(3, 32, 30, 16, 2, 2, 2, 0), how, add);
  check_pool(windows(2, 9, 12, 37, 3, 3, 2, 1), how, add);
  check_pool(windows(2, 7, 8, 5, 3, 2, 1, 1), how, add);
  check_pool(windows(2, 7, 9, 5, 2, 2, 3, 0), how, add);
  check_pool(windows(4, 7, 7, 64, 7, 7, 1, 0), how, add);
}

/* A NaN is the maximum of its window, wherever it stands. */
static void check_nan(void *context, const char *isa) {
  (void)context;
  (void)isa;
  const trm_windows w = windows(1, 2, 2, 20, 2, 2, 2, 0);
  for (int64_t place = 0; place < 4; ++place) {
    trm_real x[4 * 20] = {0}, y[20];
    trm_winner winners[20];
    for (int64_t i = 0; i < 4 * 20; ++i) x[i] = (trm_real)i;
    for (int64_t c = 0; c < 20; ++c) x[place * 20 + c] = (trm_real)NAN;
    trm_pool_max_forward(y, winners, x, &w);
    for (int64_t c = 0; c < 20; ++c) CHECK(isnan(y[c]) && winners[c] == place);
  }
}

/* ---- channels ----------------------------------------------------------------------------------- */

typedef struct channel_case {
  int64_t N, C;
  const trm_real *x;
  const float *scale, *shift;
  bool add;
} channel_case;

static void run_channels(void *p, trm_real **out) {
  const channel_case *k = p;
  trm_channel_scale_forward(out[0], k->x, k->scale, k->shift, k->N, k->C);
  trm_channel_scale_backward(out[1], k->x, k->scale, k->N, k->C, k->add);
}

static void check_channels(int64_t N, int64_t C, bool scaled, bool shifted, bool add) {
  uint64_t state = (uint64_t)(N + C);
  double *x;
  trm_real *numbers = test_random(N * C, 1, &state, &x);
  trm_real *dx0 = test_random(N * C, 1, &state, NULL);
  float *scale = test_calloc(C, sizeof *scale), *shift = test_calloc(C, sizeof *shift);
  for (int64_t c = 0; c < C; ++c) {
    scale[c] = (float)test_uniform(&state);
    shift[c] = (float)test_uniform(&state);
  }
  channel_case k = {N, C, numbers, scaled ? scale : NULL, shifted ? shift : NULL, add};
  double *y = NEW_DOUBLES(N * C), *dx = NEW_DOUBLES(N * C);
  for (int64_t i = 0; i < N * C; ++i) {
    dx[i] = x[i] * (scaled ? (double)scale[i % C] : 1);
    y[i] = dx[i] + (shifted ? (double)shift[i % C] : 0);
  }
  check_kernel((kernel_case){.name = "channel scale",
                             .run = run_channels,
                             .context = &k,
                             .n = {N * C, N * C},
                             .want = {y, dx},
                             .start = {NULL, add ? dx0 : NULL},
                             .tolerance = {4, 4}});
  free(numbers), free(x), free(dx0), free(scale), free(shift), free(y), free(dx);
}

int main(void) {
  for (int add = 0; add < 2; ++add) {
    check_convs(add);
    for (pooling how = MAXIMUM; how <= SUM; ++how) check_pools(how, add);
    check_channels(0, 3, true, true, add);
    check_channels(7000, 3, true, true, add);
    check_channels(5, 700, true, false, add);
    check_channels(20, 1500, false, true, add);
  }
  for_each_isa(check_alone, NULL);
  for_each_isa(check_merges, NULL);
  for_each_isa(check_nan, NULL);
  return check_verdict();
}
