/**
 * Convolutions of the shapes that models take them in: GFLOP/s of the forward pass and of both gradients,
 * as a share of the processor's best rate (peak.h); beside them a large product and the passes over memory
 * that stand about a convolution, in GB/s.
 *
 * Usage: bench_conv [--threads N] [--rounds N] [--groups GROUP,...] [--images N]
 * The passes and the loop of the peak take turns round by round; the table has the best of the rounds, and
 * it as a share of the peak's best since the start: other programs on the machine only take away.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peak.h"
#include "trireme/core/clock.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/math/images.h"
#include "trireme/math/kernels.h"
#include "trireme/math/threads.h"

enum { MAX_LAYERS = 12 };
static const double round_s = 0.003;

/* ---- layers ------------------------------------------------------------------------------------ */

typedef struct layer {
  int64_t size, C, O, window, stride, padding, groups;
} layer;

typedef struct group {
  const char *name;
  layer layers[MAX_LAYERS];
} group;

static const group groups[] = {
    {"cnn",
     {{28, 1, 32, 3, 1, 1, 1},
      {28, 1, 32, 5, 1, 2, 1},
      {14, 32, 64, 3, 1, 1, 1},
      {14, 32, 64, 5, 1, 2, 1}}},
    {"resnet20",
     {{32, 3, 16, 3, 1, 1, 1},
      {32, 16, 16, 3, 1, 1, 1},
      {32, 16, 32, 3, 2, 1, 1},
      {32, 16, 32, 1, 2, 0, 1},
      {16, 32, 32, 3, 1, 1, 1},
      {16, 32, 64, 3, 2, 1, 1},
      {8, 64, 64, 3, 1, 1, 1}}},
    {"airbench94",
     {{32, 3, 24, 2, 1, 0, 1},
      {31, 24, 64, 3, 1, 1, 1},
      {15, 64, 64, 3, 1, 1, 1},
      {15, 64, 256, 3, 1, 1, 1},
      {7, 256, 256, 3, 1, 1, 1},
      {3, 256, 256, 3, 1, 1, 1}}},
    {"grouped", {{16, 64, 64, 3, 1, 1, 4}, {16, 64, 64, 3, 1, 1, 64}}},
};
enum { N_GROUPS = sizeof groups / sizeof groups[0] };

static trm_conv conv_of(const layer *l, int64_t N) {
  const int64_t places = (l->size + 2 * l->padding - l->window) / l->stride + 1;
  return (trm_conv){.windows = {.N = N,
                                .H = l->size,
                                .W = l->size,
                                .C = l->C,
                                .height = l->window,
                                .width = l->window,
                                .stride = l->stride,
                                .padding = l->padding,
                                .down = places,
                                .across = places},
                    .O = l->O,
                    .groups = l->groups};
}

/* ---- passes ------------------------------------------------------------------------------------ */

typedef struct operands {
  trm_conv conv;
  int64_t n_x, n_w, n_y, n_scratch;
  trm_real *x, *dx, *w, *dw, *y, *dy, *before, *sums, *scratch;
} operands;

static bool by_channel(const operands *o) {
  return o->conv.groups == o->conv.O && o->conv.groups == o->conv.windows.C;
}

static void forward(const operands *o) {
  if (by_channel(o)) {
    trm_conv_channels_forward(o->y, o->x, o->w, &o->conv.windows);
    return;
  }
  trm_conv_forward(o->y, o->x, o->w, &o->conv, o->scratch);
}
static void gradient_of_weights(const operands *o) {
  if (by_channel(o)) {
    trm_conv_channels_backward_weights(o->dw, o->dy, o->x, &o->conv.windows, false, 0, 0);
    return;
  }
  trm_conv_backward_weights(o->dw, o->dy, o->x, &o->conv, false, 0, 0, o->scratch);
}
static void gradient_of_input(const operands *o) {
  if (by_channel(o)) {
    trm_conv_channels_backward_input(o->dx, o->dy, o->w, &o->conv.windows, false);
    return;
  }
  trm_conv_backward_input(o->dx, o->dy, o->w, &o->conv, false, o->scratch);
}
/* Batch normalisation of the output with a ReLU, in training. */
static void normalize(const operands *o) {
  const int64_t C = o->conv.O, N = o->n_y / C;
  trm_real *mean = o->sums, *variance = mean + C;
  const trm_batchnorm norm = {N, C, o->y, mean, variance, mean, mean, true};
  trm_moments(mean, variance, o->y, N, C);
  trm_batchnorm_forward(o->dy, &norm);
}
/* And its gradient. */
static void normalize_backward(const operands *o) {
  const int64_t C = o->conv.O, N = o->n_y / C;
  const trm_real *some = o->sums;
  const trm_batchnorm norm = {N, C, o->y, some, some, some, some, true};
  trm_batchnorm_sums(o->sums + 2 * C, o->dy, &norm);
  trm_batchnorm_backward(o->before, o->sums + 2 * C, o->dy, &norm, false, false);
}
static void copy(const operands *o) {
  memcpy(o->dy, o->y, (size_t)o->n_y * sizeof *o->dy);
}

typedef struct pass {
  const char *name;
  void (*run)(const operands *o);
} pass;
static const pass passes[] = {
    {"forward", forward},     {"weights", gradient_of_weights}, {"input", gradient_of_input},
    {"norm+relu", normalize}, {"backward", normalize_backward}, {"copy", copy}};
enum { N_PASSES = sizeof passes / sizeof passes[0], N_PRODUCTS = 3 };

static trm_status operands_make(operands *o, const layer *l, int64_t N) {
  trm_status status = TRM_OK;
  *o = (operands){.conv = conv_of(l, N)};
  const trm_windows *w = &o->conv.windows;
  o->n_x = N * w->H * w->W * w->C;
  o->n_w = w->height * w->width * w->C / o->conv.groups * o->conv.O;
  o->n_y = N * w->down * w->across * o->conv.O;
  o->n_scratch = trm_conv_forward_scratch(&o->conv);
  o->n_scratch = trm_max_i64(o->n_scratch, trm_conv_backward_input_scratch(&o->conv));
  o->n_scratch = trm_max_i64(o->n_scratch, trm_conv_backward_weights_scratch(&o->conv));
  TRM_TRY_OUT(TRM_ALLOC(&o->x, o->n_x, "x"));
  TRM_TRY_OUT(TRM_ALLOC(&o->dx, o->n_x, "dx"));
  TRM_TRY_OUT(TRM_ALLOC(&o->w, o->n_w, "w"));
  TRM_TRY_OUT(TRM_ALLOC(&o->dw, o->n_w, "dw"));
  TRM_TRY_OUT(TRM_ALLOC(&o->y, o->n_y, "y"));
  TRM_TRY_OUT(TRM_ALLOC(&o->dy, o->n_y, "dy"));
  TRM_TRY_OUT(TRM_ALLOC(&o->before, o->n_y, "gradient before the normalisation"));
  TRM_TRY_OUT(TRM_ALLOC(&o->sums, 6 * o->conv.O, "statistics"));
  TRM_TRY_OUT(TRM_ALLOC(&o->scratch, o->n_scratch, "scratch"));
  for (int64_t i = 0; i < o->n_x; ++i) o->x[i] = (trm_real)(i % 13 - 6);
  for (int64_t i = 0; i < o->n_w; ++i) o->w[i] = (trm_real)(i % 11 - 5);
  for (int64_t i = 0; i < o->n_y; ++i) o->dy[i] = (trm_real)(i % 7 - 3);
out:
  return status;
}

static void operands_free(operands *o) {
  TRM_FREE(o->x);
  TRM_FREE(o->dx);
  TRM_FREE(o->w);
  TRM_FREE(o->dw);
  TRM_FREE(o->y);
  TRM_FREE(o->dy);
  TRM_FREE(o->before);
  TRM_FREE(o->sums);
  TRM_FREE(o->scratch);
}

/* ---- measuring --------------------------------------------------------------------------------- */

typedef struct settings {
  int threads, n_rounds;
  int64_t images;
  const char *groups; /* NULL: all */
} settings;

static const peak_loop *peak;

static double time_s(const pass *p, const operands *o, int repeats) {
  const double start_s = trm_clock_s();
  for (int i = 0; i < repeats; ++i) p->run(o);
  return (trm_clock_s() - start_s) / repeats;
}

/* The rate of a pass that has so much work. */
static double rate_of(const pass *p, const operands *o, double work) {
  (void)time_s(p, o, 1);
  const int repeats = 1 + (int)(round_s / time_s(p, o, 1));
  return work / time_s(p, o, repeats);
}

/* The peak's rate, the best so far. */
static double peak_so_far(const settings *s) {
  static double best;
  const double now = peak_rate(peak, s->threads, round_s);
  if (now > best) best = now;
  return best;
}

static void print_product(double rate, double of) {
  printf(" | %6.1f %3.0f%%", rate * 1e-9, 100 * rate / of);
}

static trm_status measure(const settings *s, const layer *l) {
  trm_status status = TRM_OK;
  operands o;
  double best[N_PASSES] = {0}, of = 0;
  TRM_TRY_OUT(operands_make(&o, l, s->images));
  const trm_windows *w = &o.conv.windows;
  const double products = (double)(o.n_y * w->height * w->width * w->C / o.conv.groups);
  for (int r = 0; r < s->n_rounds; ++r) {
    of = peak_so_far(s);
    for (int p = 0; p < N_PASSES; ++p) {
      const double work = p < N_PRODUCTS ? 2 * products : 2.0 * sizeof *o.y * (double)o.n_y;
      const double rate = rate_of(&passes[p], &o, work);
      if (rate > best[p]) best[p] = rate;
    }
  }
  printf("%3lld %3lld>%-3lld %lld/%lld g%-2lld %6.1f", (long long)l->size, (long long)l->C,
         (long long)l->O, (long long)l->window, (long long)l->stride, (long long)l->groups,
         2e-6 * products);
  for (int p = 0; p < N_PRODUCTS; ++p) print_product(best[p], of);
  for (int p = N_PRODUCTS; p < N_PASSES; ++p) printf(" | %9.1f", best[p] * 1e-9);
  printf("\n");
  (void)fflush(stdout);
out:
  operands_free(&o);
  return status;
}

/* A product too large for the caches. */
static trm_status measure_product(const settings *s) {
  enum { SIZE = 1024 };
  trm_status status = TRM_OK;
  trm_real *a = NULL, *c = NULL;
  double best = 0, of = 0;
  TRM_TRY_OUT(TRM_ALLOC(&a, SIZE * SIZE, "A"));
  TRM_TRY_OUT(TRM_ALLOC(&c, SIZE * SIZE, "C"));
  const trm_factors f = {
      .M = SIZE, .N = SIZE, .K = SIZE, .a = a, .a_row = SIZE, .a_k = 1, .b = a, .ldb = SIZE};
  const trm_after after = {.c = c, .ldc = SIZE, .alpha = 1};
  for (int r = 0; r < s->n_rounds; ++r) {
    of = peak_so_far(s);
    const double start_s = trm_clock_s();
    trm_gemm_then(&f, &after);
    const double rate = 2.0 * SIZE * SIZE * SIZE / (trm_clock_s() - start_s);
    if (rate > best) best = rate;
  }
  printf("product of %d^3", SIZE);
  print_product(best, of);
  printf("\n");
out:
  TRM_FREE(a);
  TRM_FREE(c);
  return status;
}

static bool wanted(const settings *s, const char *name) {
  const size_t length = strlen(name);
  for (const char *at = s->groups; at; at = strchr(at, ',')) {
    if (*at == ',') ++at;
    if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == 0)) return true;
  }
  return !s->groups;
}

static trm_status run_all(const settings *s) {
  peak = peak_best(PEAK_FLOAT32);
  TRM_TRY(trm_gemm_select("native"));
  trm_threads_set(s->threads);
  printf("%s: %.0f GFLOP/s on %d threads; kernels of %s; %lld images\n", peak->name,
         peak_rate(peak, s->threads, 10 * round_s) * 1e-9, s->threads, trm_math_isa(),
         (long long)s->images);
  TRM_TRY(measure_product(s));
  printf("%-27s", "size C>O window/stride MFLOP");
  for (int p = 0; p < N_PASSES; ++p) {
    printf(p < N_PRODUCTS ? " | %-11s" : " | %-9s", passes[p].name);
  }
  printf("\n");
  for (int g = 0; g < N_GROUPS; ++g) {
    if (!wanted(s, groups[g].name)) continue;
    printf("%s\n", groups[g].name);
    for (int i = 0; i < MAX_LAYERS && groups[g].layers[i].size > 0; ++i) {
      TRM_TRY(measure(s, &groups[g].layers[i]));
    }
  }
  return TRM_OK;
}

static bool parse(int argc, char **argv, settings *s) {
  *s = (settings){.threads = 1, .n_rounds = 9, .images = 16};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--threads") == 0) {
      s->threads = atoi(argv[i + 1]);
    } else if (strcmp(argv[i], "--rounds") == 0) {
      s->n_rounds = atoi(argv[i + 1]);
    } else if (strcmp(argv[i], "--images") == 0) {
      s->images = atoi(argv[i + 1]);
    } else if (strcmp(argv[i], "--groups") == 0) {
      s->groups = argv[i + 1];
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && s->threads >= 1 && s->n_rounds >= 1 && s->images >= 1;
}

int main(int argc, char **argv) {
  trm_math_init();
  settings s;
  if (!parse(argc, argv, &s)) {
    fprintf(stderr, "usage: bench_conv [--threads N] [--rounds N] [--images N] "
                    "[--groups GROUP,...]\ngroups:");
    for (int g = 0; g < N_GROUPS; ++g) fprintf(stderr, " %s", groups[g].name);
    fprintf(stderr, "\n");
    return trm_status_exit_code(TRM_ERR_USAGE);
  }
  const trm_status status = run_all(&s);
  if (status != TRM_OK) fprintf(stderr, "error: %s\n", trm_message());
  return trm_status_exit_code(status);
}
