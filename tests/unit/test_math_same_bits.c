/**
 * Every kernel gives the same bits compiled for x86-64-v3 (AVX2 and fused multiply-add) and for
 * x86-64-v4 (AVX-512): many seeded random calls each, whose results are compared number by number.
 * NaN counts as NaN, whatever its sign and payload.
 *
 * The list of kernels is that of dispatch.c, made of the prototypes: a kernel without a case here does
 * not compile. With the argument `hashes` the program prints one hash of the results for each
 * instruction set and kernel instead: for comparing compilers, options and machines.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kernel_list.h"
#include "trireme/core/batch.h"
#include "trireme/core/hash.h"
#include "trireme/core/integers.h"
#include "trireme/math/attention.h"
#include "trireme/math/gemm.h"
#include "trireme/math/graph_attention.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/math/images.h"
#include "trireme/math/kernels.h"
#include "trireme/math/stripes.h"
#include "trireme/math/threads.h"

enum { TRIALS = 48, MAX_ARRAYS = 64 };

/** One call of a kernel: random inputs drawn from `state`, and what it wrote. */
typedef struct trial {
  uint64_t state;
  bool special; /* some inputs are infinite, subnormal, NaN, zeros of both signs */
  void *arrays[MAX_ARRAYS];
  int n_arrays;
  uint64_t *results; /* bit patterns */
  int64_t n_results, capacity;
} trial;

static void *must_have(void *p) {
  if (p) return p;
  perror("memory");
  exit(1);
}

/* ---- random inputs --------------------------------------------------------------------------- */

static int64_t below(trial *t, int64_t n) {
  t->state = t->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (int64_t)((t->state >> 33) % (uint64_t)n);
}
static bool coin(trial *t) {
  return below(t, 2) == 1;
}
static float uniform(trial *t) {
  return (float)((double)below(t, 1 << 24) * 0x1p-23 - 1.0);
}

static void *array(trial *t, int64_t n, size_t size) {
  TRM_ASSERT(t->n_arrays < MAX_ARRAYS);
  void *p = must_have(calloc((size_t)(n > 0 ? n : 1), size));
  t->arrays[t->n_arrays++] = p;
  return p;
}

static float *reals_of(trial *t, int64_t n, float scale) {
  static const float specials[] = {0.0F, -0.0F, 1e-40F, -1e-40F, 3e38F, -INFINITY, INFINITY, NAN};
  float *x = array(t, n, sizeof *x);
  for (int64_t i = 0; i < n; ++i) x[i] = scale * uniform(t);
  for (int64_t i = 0; t->special && i < n; i += 1 + below(t, 60)) x[i] = specials[below(t, 8)];
  return x;
}
static float *reals(trial *t, int64_t n) {
  static const float scales[] = {1, 1, 0.01F, 9};
  return reals_of(t, n, scales[below(t, 4)]);
}
/* Counts and sums of weights: not negative. */
static float *degrees_of(trial *t, int64_t n) {
  float *x = array(t, n, sizeof *x);
  for (int64_t i = 0; i < n; ++i) x[i] = (float)below(t, 9) * (coin(t) ? 1.0F : 0.37F);
  return x;
}
static int32_t *ids_of(trial *t, int64_t n, int64_t limit) {
  int32_t *x = array(t, n, sizeof *x);
  for (int64_t i = 0; i < n; ++i) x[i] = (int32_t)below(t, limit);
  return x;
}

/* Tails of 1 to 40, and what lies about multiples of 8, 16, 32 and 64. */
static int64_t width(trial *t) {
  switch (below(t, 8)) {
  case 0:
    return 64 * (1 + below(t, 4)) + below(t, 3) - 1;
  case 1:
    return 512 + below(t, 60);
  case 2:
  case 3:
    return 8 * (1 + below(t, 12)) + below(t, 3) - 1;
  default:
    return 1 + below(t, 40);
  }
}
/* Mostly few; more than the chunks of columns.h have rows now and then. */
static int64_t rows(trial *t) {
  return below(t, 8) == 0 ? 500 + below(t, 100) : 1 + below(t, 20);
}
static int64_t length(trial *t) {
  return below(t, 4) == 0 ? TRM_CHUNK + below(t, 80) - 20 : width(t);
}

static trm_random_key key_of(trial *t) {
  return trm_random_key_make((uint64_t)below(t, 99), TRM_RANDOM_DROPOUT, 1, 2);
}

static trm_csr csr_of(trial *t, int64_t n_rows, int64_t n_columns, bool values) {
  int64_t *offsets = array(t, n_rows + 1, sizeof *offsets);
  for (int64_t i = 0; i < n_rows; ++i) {
    const int64_t n = below(t, 30) == 0 ? 60 + below(t, 90) : below(t, 8);
    offsets[i + 1] = offsets[i] + n;
  }
  const int64_t n_edges = offsets[n_rows];
  int64_t *map = array(t, n_edges, sizeof *map);
  for (int64_t e = 0; e < n_edges; ++e) map[e] = n_edges - 1 - e;
  const int32_t *columns = ids_of(t, n_edges, n_columns);
  const float *weights = values ? reals(t, n_edges) : NULL;
  const int64_t *places = values && coin(t) ? map : NULL;
  return (trm_csr){n_rows, n_columns, n_edges, offsets, columns, weights, places};
}

/* Rows of own selves, -1 among them. */
static int32_t *selves_of(trial *t, int64_t n, int64_t limit) {
  int32_t *x = ids_of(t, n, limit);
  for (int64_t i = 0; i < n; ++i) x[i] = below(t, 5) == 0 ? -1 : x[i];
  return x;
}

/* Rows about a tile (64) and a group of tiles (256), few or none among them. */
static int64_t sequence_rows_of(trial *t) {
  static const int64_t lengths[] = {0, 1, 1, 24, 56, 120, 250};
  return lengths[below(t, 7)] + below(t, 20);
}

static const trm_sequences *ragged_of(trial *t, int64_t n) {
  trm_sequences *s = array(t, 1, sizeof *s);
  int64_t *offsets = array(t, n + 1, sizeof *offsets), longest = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t rows_here = sequence_rows_of(t);
    offsets[i + 1] = offsets[i] + rows_here;
    longest = trm_max_i64(longest, rows_here);
  }
  *s = (trm_sequences){n, offsets[n], longest, offsets};
  return s;
}

static const trm_sequences *sequences_of(trial *t, int64_t n) {
  if (coin(t)) return ragged_of(t, n);
  trm_sequences *s = array(t, 1, sizeof *s);
  *s = trm_sequences_equal(n, sequence_rows_of(t));
  return s;
}

static int64_t *segments_of(trial *t, int64_t n) {
  int64_t *offsets = array(t, n + 1, sizeof *offsets);
  offsets[0] = below(t, 3);
  for (int64_t i = 0; i < n; ++i) offsets[i + 1] = offsets[i] + below(t, 9);
  return offsets;
}

/* ---- results --------------------------------------------------------------------------------- */

static void note_bits(trial *t, uint64_t bits) {
  if (t->n_results == t->capacity) {
    t->capacity = 2 * t->capacity + 1024;
    t->results = must_have(realloc(t->results, (size_t)t->capacity * sizeof *t->results));
  }
  t->results[t->n_results++] = bits;
}
static void note_double(trial *t, double x) {
  uint64_t bits;
  if (isnan(x)) x = (double)NAN;
  memcpy(&bits, &x, sizeof bits);
  note_bits(t, bits);
}
static void note(trial *t, const float *x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) note_double(t, (double)x[i]);
}
static void note_ints(trial *t, const int32_t *x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) note_bits(t, (uint64_t)x[i]);
}

/* ---- element by element ---------------------------------------------------------------------- */

static void case_trm_fill(trial *t) {
  const int64_t n = length(t);
  float *y = reals(t, n);
  const float value = uniform(t);
  trm_fill(y, value, n);
  note(t, y, n);
}
static void case_trm_scale(trial *t) {
  const int64_t n = length(t);
  float *y = reals(t, n);
  const float *x = reals(t, n);
  const float a = uniform(t);
  const bool add = coin(t);
  trm_scale(y, x, a, n, add);
  note(t, y, n);
}
static void case_trm_add(trial *t) {
  const int64_t n = length(t);
  float *y = reals(t, n);
  const float *a = reals(t, n);
  const float *b = reals(t, n);
  trm_add(y, a, b, n);
  note(t, y, n);
}
static void case_trm_bias_forward(trial *t) {
  const int64_t N = rows(t), C = width(t);
  float *y = reals(t, N * C);
  const float *x = reals(t, N * C);
  const float *b = reals(t, C);
  trm_bias_forward(y, x, b, N, C);
  note(t, y, N * C);
}
static void case_trm_bias_backward(trial *t) {
  const int64_t N = rows(t), C = width(t);
  float *db = reals(t, C);
  const float *dy = reals(t, N * C);
  const bool add = coin(t);
  trm_bias_backward(db, dy, N, C, add);
  note(t, db, C);
}

typedef void map_function(float *y, const float *x, int64_t n);
static void case_map(trial *t, map_function *function) {
  const int64_t n = length(t);
  float *y = reals(t, n);
  const float *x = reals(t, n);
  function(y, x, n);
  note(t, y, n);
}
typedef void slope_function(float *dx, const float *x, const float *dy, int64_t n, bool add);
static void case_slope(trial *t, slope_function *function) {
  const int64_t n = length(t);
  float *dx = reals(t, n);
  const float *x = reals(t, n);
  const float *dy = reals(t, n);
  const bool add = coin(t);
  function(dx, x, dy, n, add);
  note(t, dx, n);
}
static void case_trm_gelu_forward(trial *t) {
  case_map(t, trm_gelu_forward);
}
static void case_trm_gelu_backward(trial *t) {
  case_slope(t, trm_gelu_backward);
}
static void case_trm_relu_forward(trial *t) {
  case_map(t, trm_relu_forward);
}
static void case_trm_relu_backward(trial *t) {
  case_slope(t, trm_relu_backward);
}
static void case_trm_elu_forward(trial *t) {
  case_map(t, trm_elu_forward);
}
static void case_trm_elu_backward(trial *t) {
  case_slope(t, trm_elu_backward);
}

static void case_trm_combine(trial *t) {
  const int64_t n = length(t);
  float *y = reals(t, n);
  const float *a = reals(t, n), *b = coin(t) ? y : reals(t, n);
  const float alpha = uniform(t);
  const float beta = uniform(t);
  trm_combine(y, a, alpha, b, beta, n);
  note(t, y, n);
}
static void case_trm_maximum_forward(trial *t) {
  const int64_t n = length(t);
  float *y = reals(t, n);
  const float *a = reals(t, n);
  const float *b = reals(t, n);
  trm_maximum_forward(y, a, b, n);
  note(t, y, n);
}
static void case_trm_maximum_backward(trial *t) {
  const int64_t n = length(t);
  float *dx = reals(t, n);
  const float *a = reals(t, n);
  const float *b = reals(t, n);
  const float *dy = reals(t, n);
  const bool second = coin(t);
  const bool add = coin(t);
  trm_maximum_backward(dx, a, b, dy, second, n, add);
  note(t, dx, n);
}
static void case_trm_copy_columns(trial *t) {
  const int64_t N = rows(t), C = width(t), y_stride = C + below(t, 9), x_stride = C + below(t, 9);
  float *y = reals(t, N * y_stride);
  const float *x = reals(t, N * x_stride);
  const bool add = coin(t);
  trm_copy_columns(y, y_stride, x, x_stride, N, C, add);
  note(t, y, N * y_stride);
}

/* ---- normalisation --------------------------------------------------------------------------- */

static void case_trm_layernorm_forward(trial *t) {
  const int64_t N = rows(t), C = width(t);
  float *y = reals(t, N * C), *mean = reals(t, N), *rstd = reals(t, N);
  const float *x = reals(t, N * C), *w = reals(t, C), *b = coin(t) ? reals(t, C) : NULL;
  trm_layernorm_forward(y, mean, rstd, x, w, b, N, C, 1e-5F);
  note(t, y, N * C);
  note(t, mean, N);
  note(t, rstd, N);
}
static void case_trm_layernorm_backward(trial *t) {
  const int64_t N = rows(t), C = width(t);
  float *dx = reals(t, N * C), *dw = reals(t, C), *db = coin(t) ? reals(t, C) : NULL;
  const float *dy = reals(t, N * C), *x = reals(t, N * C), *mean = reals(t, N), *rstd = reals(t, N);
  const float *w = reals(t, C);
  const bool add_dx = coin(t), add_dw = coin(t);
  trm_layernorm_backward(dx, dw, db, dy, x, mean, rstd, w, N, C, add_dx, add_dw);
  note(t, dx, N * C);
  note(t, dw, C);
  if (db) note(t, db, C);
}
static void case_trm_moments(trial *t) {
  const int64_t N = rows(t), C = width(t);
  float *mean = reals(t, C), *variance = reals(t, C);
  const float *x = reals(t, N * C);
  trm_moments(mean, variance, x, N, C);
  note(t, mean, C);
  note(t, variance, C);
}
static trm_batchnorm batchnorm_of(trial *t) {
  trm_batchnorm n = {.N = rows(t), .C = width(t), .relu = coin(t)};
  n.x = reals(t, n.N * n.C);
  n.mean = reals(t, n.C);
  n.rstd = reals(t, n.C);
  n.w = reals(t, n.C);
  n.b = reals(t, n.C);
  return n;
}
static void case_trm_batchnorm_forward(trial *t) {
  const trm_batchnorm n = batchnorm_of(t);
  float *y = reals(t, n.N * n.C);
  trm_batchnorm_forward(y, &n);
  note(t, y, n.N * n.C);
}
static void case_trm_batchnorm_sums(trial *t) {
  const trm_batchnorm n = batchnorm_of(t);
  float *sums = reals(t, 4 * n.C);
  trm_batchnorm_sums(sums, reals(t, n.N * n.C), &n);
  note(t, sums, 4 * n.C);
}
static void case_trm_batchnorm_backward(trial *t) {
  const trm_batchnorm n = batchnorm_of(t);
  float *dx = reals(t, n.N * n.C), *sums = reals(t, 4 * n.C);
  const float *dy = reals(t, n.N * n.C);
  const bool given = coin(t), add = coin(t);
  trm_batchnorm_backward(dx, sums, dy, &n, given, add);
  note(t, dx, n.N * n.C);
  note(t, sums, 4 * n.C);
}
static void case_trm_scale_shift_forward(trial *t) {
  const int64_t N = rows(t), C = width(t);
  float *y = reals(t, N * C);
  const float *x = reals(t, N * C);
  const float *w = reals(t, C);
  const float *b = reals(t, C);
  trm_scale_shift_forward(y, x, w, b, N, C);
  note(t, y, N * C);
}
static void case_trm_scale_shift_backward(trial *t) {
  const int64_t N = rows(t), C = width(t);
  float *dx = reals(t, N * C);
  const float *dy = reals(t, N * C);
  const float *w = reals(t, C);
  const bool add = coin(t);
  trm_scale_shift_backward(dx, dy, w, N, C, add);
  note(t, dx, N * C);
}
static void case_trm_column_products(trial *t) {
  const int64_t N = rows(t), C = width(t);
  float *sum = reals(t, C);
  const float *a = reals(t, N * C);
  const float *b = reals(t, N * C);
  const bool add = coin(t);
  trm_column_products(sum, a, b, N, C, add);
  note(t, sum, C);
}

/* ---- first values ----------------------------------------------------------------------------- */

static void case_trm_fill_normal(trial *t) {
  const int64_t n = length(t);
  float *y = reals(t, n);
  trm_fill_normal(y, (double)uniform(t), key_of(t), (uint64_t)below(t, 1 << 20), n);
  note(t, y, n);
}
static void case_trm_fill_uniform(trial *t) {
  const int64_t n = length(t);
  float *y = reals(t, n);
  trm_fill_uniform(y, (double)uniform(t), key_of(t), (uint64_t)below(t, 1 << 20), n);
  note(t, y, n);
}

/* ---- products --------------------------------------------------------------------------------- */

static void case_trm_packed_elements(trial *t) {
  const int64_t N = width(t), K = width(t);
  note_bits(t, (uint64_t)trm_packed_elements(N, K, coin(t)));
}
static void case_trm_product_scratch(trial *t) {
  note_bits(t, (uint64_t)trm_product_scratch((int)below(t, 9)));
}
static void case_trm_product_pack(trial *t) {
  const int64_t N = width(t), K = rows(t);
  const bool bf16 = coin(t), transposed = coin(t);
  const int64_t n = trm_packed_elements(N, K, bf16);
  float *packed = reals(t, n);
  trm_product_pack(packed, reals(t, N * K), transposed ? K : N, transposed, N, K, bf16);
  for (int64_t i = 0; i < n; ++i) {
    uint32_t bits; /* pairs are no numbers */
    memcpy(&bits, &packed[i], sizeof bits);
    note_bits(t, bits);
  }
}
static void case_trm_bf16_round(trial *t) {
  const int64_t n = coin(t) ? length(t) : 9000 + length(t);
  float *x = reals(t, n);
  trm_bf16_round(x, n);
  for (int64_t i = 0; i < n; ++i) {
    trm_bf16 upper;
    memcpy(&upper, (const char *)x + (size_t)i * sizeof upper, sizeof upper);
    note_bits(t, upper);
  }
}
/* n numbers, or NULL where they are not to be rounded before. */
static trm_bf16 *rounded(trial *t, int64_t n, bool before) {
  if (!before) return NULL;
  float *x = reals(t, n);
  trm_bf16_round(x, n);
  return (trm_bf16 *)(void *)x;
}
/* In bfloat16 the instruction of x86-64-v4, where there is one, against plain arithmetic. */
static void case_trm_product(trial *t) {
  const int64_t M = rows(t), N = width(t), K = below(t, 9) == 0 ? 2048 + rows(t) : rows(t);
  const bool ta = coin(t), tb = coin(t), bias = coin(t), bf16 = coin(t);
  const trm_factors f = {.M = M,
                         .N = N,
                         .K = K,
                         .a = reals(t, M * K),
                         .a_row = ta ? 1 : K,
                         .a_k = ta ? M : 1,
                         .b = reals(t, N * K),
                         .ldb = tb ? K : N,
                         .transpose_b = tb,
                         .a_bf16 = rounded(t, M * K, bf16 && coin(t)),
                         .b_bf16 = rounded(t, N * K, bf16 && coin(t)),
                         .bf16 = bf16,
                         .instruction = trm_bf16_instruction()};
  float *c = reals(t, 2 * M * N),
        *scratch = array(t, trm_product_scratch(trm_threads_get()), sizeof *scratch);
  const trm_after after = {.c = c + M * N,
                           .ldc = N,
                           .alpha = coin(t) ? 1 : uniform(t),
                           .beta = coin(t) ? 0 : uniform(t),
                           .bias = bias ? reals(t, N) : NULL,
                           .n_merges = (int)below(t, 2),
                           .merge_step = M * N};
  trm_product(&f, &after, scratch);
  note(t, c, 2 * M * N);
}

/* ---- embeddings ------------------------------------------------------------------------------ */

static void case_trm_embedding_forward(trial *t) {
  const int64_t N = rows(t), C = width(t), V = 1 + below(t, 30);
  float *y = reals(t, N * C);
  const float *w = reals(t, V * C);
  const int32_t *ids = ids_of(t, N, V);
  trm_embedding_forward(y, w, ids, N, C);
  note(t, y, N * C);
}
static void case_trm_embedding_backward(trial *t) {
  const int64_t N = rows(t), C = width(t), V = 1 + below(t, 30);
  float *dw = reals(t, V * C);
  const float *dy = reals(t, N * C);
  const int32_t *ids = ids_of(t, N, V);
  const bool add = coin(t);
  trm_embedding_backward(dw, dy, ids, N, C, V, add);
  note(t, dw, V * C);
}
static void case_trm_position_forward(trial *t) {
  const trm_sequences *s = sequences_of(t, 1 + below(t, 4));
  const int64_t C = width(t), n = s->n_rows * C;
  float *y = reals(t, n);
  const float *x = reals(t, n), *p = reals(t, s->longest * C), scale = coin(t) ? 1 : uniform(t);
  trm_position_forward(y, x, p, scale, s, C);
  note(t, y, n);
}
static void case_trm_position_backward(trial *t) {
  const trm_sequences *s = sequences_of(t, 1 + below(t, 4));
  const int64_t C = width(t);
  float *dp = reals(t, s->longest * C);
  const float *dy = reals(t, s->n_rows * C);
  const bool add = coin(t);
  trm_position_backward(dp, dy, s, C, add);
  note(t, dp, s->longest * C);
}
static void case_trm_position_sinusoidal(trial *t) {
  const int64_t T = 1 + below(t, 300), C = 1 + below(t, 70);
  float *p = reals(t, T * C);
  trm_position_sinusoidal(p, T, C);
  note(t, p, T * C);
}

/* ---- attention ------------------------------------------------------------------------------- */

/* Heads of 1 to 70 columns; to itself, to others, or to the keys of a table. */
static trm_attention attention_of(trial *t, bool with_table) {
  const int64_t n = 1 + below(t, 2), H = 1 + below(t, 3);
  const int64_t d = coin(t) ? 1 + below(t, 40) : 8 * (1 + below(t, 8)) + below(t, 3) - 1;
  const bool self = coin(t);
  trm_attention a = {.H = H, .d = d, .causal = coin(t)};
  a.queries = sequences_of(t, n);
  a.keys = self ? a.queries : sequences_of(t, n);
  a.q_step = self ? 3 * H * d : H * d;
  a.kv_step = self ? 3 * H * d : 2 * H * d;
  const float *q = reals_of(t, a.queries->n_rows * a.q_step, 1);
  a.q = q;
  a.k = self ? q + H * d : reals_of(t, a.keys->n_rows * a.kv_step, 1);
  a.v = a.k + H * d;
  if (with_table && a.keys->n_rows > 0 && coin(t)) {
    a.key_rows = ids_of(t, a.keys->n_rows, a.keys->n_rows);
  }
  a.dropout = coin(t) ? 0 : 0.3;
  a.key = key_of(t);
  a.sample0 = below(t, 1000);
  return a;
}

static void case_trm_attention_forward_scratch(trial *t) {
  const trm_attention a = attention_of(t, true);
  note_bits(t, (uint64_t)trm_attention_forward_scratch(&a));
}
static void case_trm_attention_backward_scratch(trial *t) {
  const trm_attention a = attention_of(t, false);
  note_bits(t, (uint64_t)trm_attention_backward_scratch(&a));
}
static void case_trm_attention_forward(trial *t) {
  const trm_attention a = attention_of(t, true);
  const int64_t R = a.queries->n_rows, n = R * a.H * a.d;
  float *out = reals(t, n), *lse = reals(t, R * a.H);
  float *scratch = array(t, trm_attention_forward_scratch(&a), sizeof *scratch);
  trm_attention_forward(out, lse, &a, scratch);
  note(t, out, n);
  note(t, lse, R * a.H);
}
static void case_trm_attention_backward(trial *t) {
  const trm_attention a = attention_of(t, false);
  const bool self = a.keys == a.queries, add_q = coin(t), add_kv = self ? add_q : coin(t);
  const int64_t C = a.H * a.d, n = a.queries->n_rows * C, n_q = a.queries->n_rows * a.q_step;
  const int64_t n_kv = self ? 0 : a.keys->n_rows * a.kv_step;
  float *dq = reals(t, n_q), *dkv = self ? dq + C : reals(t, n_kv);
  const float *dout = reals(t, n), *out = reals(t, n), *lse = reals(t, a.queries->n_rows * a.H);
  float *scratch = array(t, trm_attention_backward_scratch(&a), sizeof *scratch);
  trm_attention_backward(dq, dkv, dkv + C, dout, out, lse, &a, add_q, add_kv, scratch);
  note(t, dq, n_q);
  if (!self) note(t, dkv, n_kv);
}
static void case_trm_head_dot_forward(trial *t) {
  const int64_t N = rows(t), H = 1 + below(t, 9), C = 1 + below(t, 70);
  float *s = reals(t, N * H);
  const float *x = reals(t, N * H * C);
  const float *a = reals(t, H * C);
  trm_head_dot_forward(s, x, a, N, H, C);
  note(t, s, N * H);
}
static void case_trm_head_dot_backward(trial *t) {
  const int64_t N = rows(t), H = 1 + below(t, 9), C = 1 + below(t, 70), which = below(t, 3);
  float *dx = which == 0 ? NULL : reals(t, N * H * C), *da = which == 1 ? NULL : reals(t, H * C);
  const float *ds = reals(t, N * H), *x = reals(t, N * H * C), *a = reals(t, H * C);
  const bool add_dx = coin(t), add_da = coin(t);
  trm_head_dot_backward(dx, da, ds, x, a, N, H, C, add_dx, add_da);
  if (dx) note(t, dx, N * H * C);
  if (da) note(t, da, H * C);
}
static void case_trm_head_mean_forward(trial *t) {
  const int64_t N = rows(t), H = 1 + below(t, 9), C = 1 + below(t, 70);
  float *y = reals(t, N * C);
  const float *x = reals(t, N * H * C);
  trm_head_mean_forward(y, x, N, H, C);
  note(t, y, N * C);
}
static void case_trm_head_mean_backward(trial *t) {
  const int64_t N = rows(t), H = 1 + below(t, 9), C = 1 + below(t, 70);
  float *dx = reals(t, N * H * C);
  const float *dy = reals(t, N * C);
  const bool add = coin(t);
  trm_head_mean_backward(dx, dy, N, H, C, add);
  note(t, dx, N * H * C);
}

/* ---- dropout --------------------------------------------------------------------------------- */

static double rate_of(trial *t) {
  return below(t, 4) == 0 ? 0 : (double)below(t, 900) / 1000;
}
static void case_trm_dropout(trial *t) {
  const trm_sequences *s = sequences_of(t, 1 + below(t, 4));
  const int64_t C = width(t), sample0 = below(t, 1000);
  float *y = reals(t, s->n_rows * C);
  const float *x = reals(t, s->n_rows * C);
  const double p = rate_of(t);
  const trm_random_key key = key_of(t);
  const bool add = coin(t);
  trm_dropout(y, x, s, C, p, key, sample0, add);
  note(t, y, s->n_rows * C);
}
static void case_trm_dropout_rows(trial *t) {
  const int64_t N = rows(t), C = width(t);
  float *y = reals(t, N * C);
  const float *x = reals(t, N * C);
  const int32_t *ids = ids_of(t, N, 1 << 30);
  const double p = rate_of(t);
  const trm_random_key key = key_of(t);
  const bool add = coin(t);
  trm_dropout_rows(y, x, ids, N, C, p, key, add);
  note(t, y, N * C);
}

/* ---- losses ---------------------------------------------------------------------------------- */

static trm_xent how_of(trial *t, int64_t V) {
  trm_xent how = {.smoothing = coin(t) ? 0 : 0.1};
  if (coin(t)) how.weights = degrees_of(t, V);
  return how;
}
static void case_trm_softmax_xent_forward(trial *t) {
  const int64_t N = rows(t), V = width(t);
  float *lse = reals(t, N), *mean = reals(t, N);
  double loss = 0;
  const float *logits = reals(t, N * V);
  const int32_t *targets = selves_of(t, N, V);
  const trm_xent how = how_of(t, V);
  note_double(t, trm_softmax_xent_forward(&loss, lse, mean, logits, targets, &how, N, V));
  note_double(t, loss);
  note(t, lse, N);
  note(t, mean, N);
}
static void case_trm_softmax_xent_backward(trial *t) {
  const int64_t N = rows(t), V = width(t);
  float *dlogits = reals(t, N * V);
  const float *logits = reals(t, N * V), *lse = reals(t, N);
  const int32_t *targets = selves_of(t, N, V);
  const float dloss = uniform(t);
  const bool add = coin(t);
  const trm_xent how = how_of(t, V);
  trm_softmax_xent_backward(dlogits, logits, lse, targets, &how, dloss, N, V, add);
  note(t, dlogits, N * V);
}
static void case_trm_softmax_kl_forward(trial *t) {
  const int64_t N = rows(t), V = width(t);
  float *kept = reals(t, 3 * N);
  double loss = 0;
  const float *a = reals(t, N * V), *b = reals(t, N * V);
  const int32_t *targets = coin(t) ? NULL : selves_of(t, N, V);
  trm_softmax_kl_forward(&loss, kept, a, b, targets, N, V);
  note_double(t, loss);
  note(t, kept, 3 * N);
}
static void case_trm_softmax_kl_backward(trial *t) {
  const int64_t N = rows(t), V = width(t);
  float *da = reals(t, N * V), *db = reals(t, N * V);
  const float *a = reals(t, N * V), *b = reals(t, N * V), *kept = reals(t, 3 * N);
  const int32_t *targets = coin(t) ? NULL : selves_of(t, N, V);
  const float dloss = uniform(t);
  const bool add_da = coin(t), add_db = coin(t), only_b = coin(t);
  trm_softmax_kl_backward(only_b ? NULL : da, db, a, b, kept, targets, dloss, N, V, add_da, add_db);
  note(t, da, N * V);
  note(t, db, N * V);
}
static void case_trm_xent_tile_forward(trial *t) {
  const int64_t N = rows(t), n = width(t), first = coin(t) ? 0 : 1008;
  float *max = reals(t, N), *sum = degrees_of(t, N), *at = reals(t, N);
  float *total = coin(t) ? NULL : reals(t, N);
  const float *logits = reals(t, N * n);
  const int32_t *targets = selves_of(t, N, first + n);
  trm_xent_tile_forward(max, sum, at, total, logits, targets, N, first, n);
  note(t, max, N);
  note(t, sum, N);
  note(t, at, N);
  if (total) note(t, total, N);
}
static void case_trm_xent_tiles_end(trial *t) {
  const int64_t N = rows(t), V = 9;
  float *lse = reals(t, N);
  const float *max = reals(t, N), *sum = degrees_of(t, N), *at = reals(t, N), *total = reals(t, N);
  const int32_t *targets = selves_of(t, N, V);
  const trm_xent how = how_of(t, V);
  double loss = 0;
  note_double(t, trm_xent_tiles_end(&loss, lse, max, sum, at, total, targets, &how, N, V));
  note_double(t, loss);
  note(t, lse, N);
}
static void case_trm_xent_tile_backward(trial *t) {
  const int64_t N = rows(t), n = width(t), first = coin(t) ? 0 : 1008, V = first + n;
  float *dlogits = reals(t, N * n);
  const float *logits = reals(t, N * n), *lse = reals(t, N);
  const int32_t *targets = selves_of(t, N, V);
  const float dloss = uniform(t);
  const trm_xent how = how_of(t, V);
  trm_xent_tile_backward(dlogits, logits, lse, targets, &how, dloss, N, V, first, n);
  note(t, dlogits, N * n);
}
static trm_number_error error_of(trial *t) {
  return (trm_number_error){(trm_error_kind)below(t, 3), 0.5};
}
static void case_trm_number_error_forward(trial *t) {
  const int64_t N = rows(t);
  const float *y = reals(t, N), *targets = reals(t, N);
  const trm_number_error how = error_of(t);
  double loss = 0;
  note_double(t, trm_number_error_forward(&loss, y, targets, &how, N));
  note_double(t, loss);
}
static void case_trm_number_error_backward(trial *t) {
  const int64_t N = rows(t);
  float *dy = reals(t, N);
  const float *y = reals(t, N), *targets = reals(t, N), dloss = uniform(t);
  const bool add = coin(t);
  const trm_number_error how = error_of(t);
  trm_number_error_backward(dy, y, targets, &how, dloss, N, add);
  note(t, dy, N);
}
static void case_trm_sigmoid_xent_forward(trial *t) {
  const int64_t n = rows(t);
  const float *x = reals(t, n), *shares = reals(t, n);
  double loss = 0;
  trm_sigmoid_xent_forward(&loss, x, shares, n);
  note_double(t, loss);
}
static void case_trm_sigmoid_xent_backward(trial *t) {
  const int64_t n = rows(t);
  float *dx = reals(t, n);
  const float *x = reals(t, n), *shares = reals(t, n), dloss = uniform(t);
  trm_sigmoid_xent_backward(dx, x, shares, dloss, n, coin(t));
  note(t, dx, n);
}
static void case_trm_bpr_forward(trial *t) {
  const int64_t n = rows(t), C = width(t), R = 1 + below(t, 30);
  float *loss = reals(t, n), *slope = reals(t, n);
  const float *e = reals(t, R * C), *z = reals(t, R * C), l2 = coin(t) ? 0.1F : 0;
  const int32_t *u = ids_of(t, n, R), *p = ids_of(t, n, R), *q = ids_of(t, n, R);
  trm_bpr_forward(loss, slope, e, z, u, p, q, n, C, l2);
  note(t, loss, n);
  note(t, slope, n);
}
static void case_trm_bpr_backward(trial *t) {
  const int64_t n = rows(t), C = width(t), R = 1 + below(t, 30);
  float *de = reals(t, R * C);
  const float *e = reals(t, R * C), *slope = reals(t, n);
  const trm_csr uses = csr_of(t, R, 3 * n, false);
  const int32_t *u = ids_of(t, n, R), *p = ids_of(t, n, R), *q = ids_of(t, n, R);
  const float dloss = uniform(t);
  const bool add = coin(t);
  trm_bpr_backward(de, e, slope, &uses, u, p, q, dloss, C, add);
  note(t, de, R * C);
}
static void case_trm_bpr_decay_backward(trial *t) {
  const int64_t C = width(t), R = rows(t);
  float *dz = reals(t, R * C);
  const trm_csr uses = csr_of(t, R, 9, false);
  const float *z = reals(t, R * C);
  const float scale = uniform(t);
  const bool add = coin(t);
  trm_bpr_decay_backward(dz, z, &uses, scale, C, add);
  note(t, dz, R * C);
}

/* Rows that rise, each column once. */
static trm_csr rising_of(trial *t, int64_t n, int64_t C) {
  int64_t *offsets = array(t, n + 1, sizeof *offsets);
  int32_t *columns = array(t, n * C, sizeof *columns);
  for (int64_t i = 0; i < n; ++i) {
    offsets[i + 1] = offsets[i];
    for (int64_t c = below(t, 9); c < C; c += 1 + below(t, 9)) {
      columns[offsets[i + 1]++] = (int32_t)c;
    }
  }
  return (trm_csr){n, C, offsets[n], offsets, columns, NULL, NULL};
}
static trm_choices choices_of(trial *t, int64_t n, int64_t J) {
  trm_choices c = {.n_customers = n, .n_products = J, .n_habits = 1 + below(t, 5)};
  c.bought = rising_of(t, n, J);
  c.known = rising_of(t, n, J);
  c.habits = reals(t, c.known.n_edges * c.n_habits);
  int32_t *rivals = ids_of(t, c.bought.n_edges, J);
  float *shares = array(t, J, sizeof *shares);
  for (int64_t j = 0; j < J; ++j) shares[j] = coin(t) ? 0 : -(float)below(t, 9);
  for (int64_t i = 0; i < c.bought.n_edges; i += 1 + below(t, 5)) rivals[i] = -1;
  c.rivals = rivals;
  c.log_shares = shares;
  return c;
}
static void case_trm_choice_complete(trial *t) {
  const int64_t n = 1 + below(t, 20), J = width(t);
  const trm_choices c = choices_of(t, n, J);
  const int64_t step = 1 + c.n_habits + below(t, 3);
  float *s = reals(t, n * J);
  const trm_choice_scores scores = {reals(t, J), reals(t, n * step), step};
  trm_choice_complete(s, &c, &scores);
  note(t, s, n * J);
}
static void case_trm_choice(trial *t) {
  const int64_t n = 1 + below(t, 20), J = width(t);
  const trm_choices c = choices_of(t, n, J);
  float *s = reals(t, n * J), *losses = reals(t, n), *dh = reals(t, n * (1 + c.n_habits));
  float *scratch = reals(t, c.bought.n_edges);
  trm_choice(s, losses, dh, scratch, &c, reals(t, n), (trm_choice_loss)below(t, 3));
  note(t, s, n * J);
  note(t, losses, n);
  note(t, dh, n * (1 + c.n_habits));
}

/* ---- over flat arrays ------------------------------------------------------------------------ */

static void case_trm_sum_squares(trial *t) {
  const int64_t n = length(t);
  const float *x = reals(t, n);
  note_double(t, trm_sum_squares(x, n));
}
static void case_trm_dot(trial *t) {
  const int64_t n = length(t);
  const float *a = reals(t, n);
  const float *b = reals(t, n);
  note_double(t, trm_dot(a, b, n));
}
static void case_trm_sum_squares_chunks(trial *t) {
  const int64_t n = length(t);
  double sums[4];
  const float *x = reals(t, n);
  trm_sum_squares_chunks(sums, x, n);
  for (int64_t k = 0; k * TRM_CHUNK < n; ++k) note_double(t, sums[k]);
}
static void case_trm_hash_reals(trial *t) {
  const int64_t n = length(t);
  note_bits(t, trm_hash_reals(reals(t, n), n));
}
static void case_trm_find_not_finite(trial *t) {
  const int64_t n = length(t);
  const float *x = reals(t, n);
  note_bits(t, (uint64_t)trm_find_not_finite(x, n));
}

static trm_adamw_scalars scalars_of(trial *t) {
  return (trm_adamw_scalars){.scale = uniform(t),
                             .lr = 1e-3F,
                             .beta1 = 0.9,
                             .beta2 = 0.999,
                             .eps = 1e-8F,
                             .correction1 = 0.271F,
                             .correction2 = 0.003F};
}
/* Second moments are not negative. */
static float *squares_of(trial *t, int64_t n) {
  float *v = reals(t, n);
  for (int64_t i = 0; i < n; ++i) v[i] *= v[i];
  return v;
}
typedef void adam_function(float *w, float *m, float *v, const float *g, float decay,
                           trm_adamw_scalars s, int64_t n);
static void case_adam(trial *t, adam_function *function) {
  const int64_t n = length(t);
  float *w = reals(t, n), *m = reals(t, n), *v = squares_of(t, n);
  const float *g = reals(t, n);
  const float decay = coin(t) ? 0.01F : 0;
  const trm_adamw_scalars s = scalars_of(t);
  function(w, m, v, g, decay, s, n);
  note(t, w, n);
  note(t, m, n);
  note(t, v, n);
}
static void case_trm_adamw_update(trial *t) {
  case_adam(t, trm_adamw_update);
}
static void case_trm_adam_update(trial *t) {
  case_adam(t, trm_adam_update);
}
static void case_trm_average_update(trial *t) {
  const int64_t n = length(t);
  float *w = reals(t, n);
  const float *g = reals(t, n);
  const float scale = uniform(t);
  const float rate = uniform(t);
  trm_average_update(w, g, scale, rate, n);
  note(t, w, n);
}
static void case_trm_sgd_update(trial *t) {
  const int64_t n = length(t);
  float *w = reals(t, n), *u = coin(t) ? reals(t, n) : NULL;
  const float *g = reals(t, n), decay = uniform(t), scale = uniform(t);
  const bool nesterov = coin(t);
  trm_sgd_update(w, u, g, decay, scale, 0.1F, u ? 0.9F : 0, 0.7F, nesterov, n);
  note(t, w, n);
  if (u) note(t, u, n);
}

/* ---- graphs ---------------------------------------------------------------------------------- */

static void case_trm_spmm(trial *t) {
  const int64_t N = rows(t), M = 1 + below(t, 40), C = width(t);
  float *y = reals(t, N * C);
  const trm_csr a = csr_of(t, N, M, coin(t));
  const float *x = reals(t, M * C), *r = coin(t) ? reals(t, N) : NULL;
  const float *c = coin(t) ? reals(t, M) : NULL;
  const int64_t n_self = below(t, trm_min_i64(N, M) + 1);
  const int32_t *self = coin(t) ? selves_of(t, N, M) : NULL;
  const bool add = coin(t);
  trm_spmm(y, x, &a, r, c, self, n_self, C, add);
  note(t, y, N * C);
}
static void case_trm_neighbor_max(trial *t) {
  const int64_t N = rows(t), M = 1 + below(t, 40), C = width(t);
  float *y = reals(t, N * C);
  trm_winner *winners = coin(t) ? ids_of(t, N * C, 2) : NULL;
  const trm_csr a = csr_of(t, N, M, false);
  const int64_t n_self = below(t, trm_min_i64(N, M) + 1);
  const int32_t *self = coin(t) ? selves_of(t, N, M) : NULL;
  const int32_t *ids = coin(t) ? ids_of(t, M, 1000) : NULL;
  const float *x = reals(t, M * C);
  trm_neighbor_max(y, winners, x, &a, self, n_self, ids, C);
  note(t, y, N * C);
  if (winners) note_ints(t, winners, N * C);
}
static void case_trm_neighbor_max_backward(trial *t) {
  const int64_t N = rows(t), M = 1 + below(t, 40), C = width(t);
  float *dx = reals(t, N * C);
  const trm_csr a = csr_of(t, N, M, false);
  const int32_t *winners = selves_of(t, M * C, trm_min_i64(N, 5));
  const int64_t n_self = below(t, trm_min_i64(N, M) + 1);
  const int32_t *self = coin(t) ? selves_of(t, N, M) : NULL;
  const int32_t *ids = coin(t) ? ids_of(t, N, 5) : NULL;
  const float *dy = reals(t, M * C);
  const bool add = coin(t);
  trm_neighbor_max_backward(dx, dy, winners, &a, self, n_self, ids, C, add);
  note(t, dx, N * C);
}
static void case_trm_target_scales(trial *t) {
  const int64_t n = length(t);
  float *y = reals(t, n);
  const float *over = coin(t) ? degrees_of(t, n) : NULL;
  const float *under = degrees_of(t, n);
  const bool self = coin(t);
  trm_target_scales(y, over, under, self, n);
  note(t, y, n);
}
static void case_trm_source_scales(trial *t) {
  const int64_t n = length(t);
  float *y = reals(t, n);
  const float *degrees = degrees_of(t, n);
  const bool self = coin(t);
  trm_source_scales(y, degrees, self, n);
  note(t, y, n);
}
static void case_trm_gather_rows(trial *t) {
  const int64_t n = rows(t), C = width(t);
  float *y = reals(t, n * C);
  const float *x = reals(t, n * C);
  const int32_t *ids = coin(t) ? selves_of(t, n, n) : NULL;
  const bool add = coin(t);
  trm_gather_rows(y, x, ids, n, C, add);
  note(t, y, n * C);
}
static void case_trm_sort_rows(trial *t) {
  const int64_t n = rows(t), R = 1 + below(t, 30);
  int64_t *offsets = array(t, R + 1, sizeof *offsets);
  int32_t *order = ids_of(t, n, 2);
  const int32_t *ids = ids_of(t, n, R);
  trm_sort_rows(offsets, order, ids, n, R);
  for (int64_t r = 0; r <= R; ++r) note_bits(t, (uint64_t)offsets[r]);
  note_ints(t, order, n);
}
static void case_trm_top_k(trial *t) {
  const int64_t n = 1 + below(t, 20), C = width(t), K = 1 + below(t, 20);
  int32_t *top = ids_of(t, n * K, 2);
  const float *x = reals(t, n * C);
  const trm_csr exclude = rising_of(t, n, C);
  const trm_csr *given = coin(t) ? &exclude : NULL;
  trm_top_k(top, x, given, n, C, K);
  note_ints(t, top, n * K);
}
static void case_trm_top_k_tile(trial *t) {
  const int64_t n = 1 + below(t, 20), C = width(t), K = 1 + below(t, C < 20 ? C : 20);
  int32_t *columns = ids_of(t, n * K, 2);
  float *values = reals(t, n * K);
  const float *x = reals(t, n * C);
  trm_top_k_tile(columns, values, x, n, 0, C, K);
  note_ints(t, columns, n * K);
  note(t, values, n * K);
}
static void case_trm_segment_sum(trial *t) {
  const int64_t n = 1 + below(t, 20), C = width(t), *offsets = segments_of(t, n);
  float *y = reals(t, n * C);
  const float *x = reals(t, offsets[n] * C);
  const bool mean = coin(t);
  trm_segment_sum(y, x, offsets, n, C, mean);
  note(t, y, n * C);
}
static void case_trm_segment_sum_backward(trial *t) {
  const int64_t n = 1 + below(t, 20), C = width(t), *offsets = segments_of(t, n);
  const int64_t N = offsets[n] + below(t, 3);
  float *dx = reals(t, N * C);
  const bool mean = coin(t);
  const float *dy = reals(t, n * C);
  const bool add = coin(t);
  trm_segment_sum_backward(dx, dy, offsets, n, N, C, mean, add);
  note(t, dx, N * C);
}
static void case_trm_segment_max(trial *t) {
  const int64_t n = 1 + below(t, 20), C = width(t), *offsets = segments_of(t, n);
  float *y = reals(t, n * C);
  trm_winner *winners = ids_of(t, n * C, 2);
  const float *x = reals(t, offsets[n] * C);
  trm_segment_max(y, winners, x, offsets, n, C);
  note(t, y, n * C);
  note_ints(t, winners, n * C);
}
static void case_trm_segment_max_backward(trial *t) {
  const int64_t n = 1 + below(t, 20), C = width(t), *offsets = segments_of(t, n);
  const int64_t N = offsets[n] + below(t, 3);
  float *dx = reals(t, N * C);
  const int32_t *winners = selves_of(t, n * C, 8);
  const float *dy = reals(t, n * C);
  const bool add = coin(t);
  trm_segment_max_backward(dx, dy, winners, offsets, n, N, C, add);
  note(t, dx, N * C);
}
static void case_trm_segment_first(trial *t) {
  const int64_t n = 1 + below(t, 20), C = width(t), *offsets = segments_of(t, n);
  float *y = reals(t, n * C);
  const float *x = reals(t, offsets[n] * C);
  trm_segment_first(y, x, offsets, n, C);
  note(t, y, n * C);
}
static void case_trm_segment_first_backward(trial *t) {
  const int64_t n = 1 + below(t, 20), C = width(t), *offsets = segments_of(t, n);
  const int64_t N = offsets[n] + below(t, 3);
  float *dx = reals(t, N * C);
  const float *dy = reals(t, n * C);
  const bool add = coin(t);
  trm_segment_first_backward(dx, dy, offsets, n, N, C, add);
  note(t, dx, N * C);
}
static void case_trm_feature_rows(trial *t) {
  const int64_t n = rows(t), F = width(t);
  float *y = reals(t, n * F);
  const float *x = reals(t, n * F);
  const int32_t *from = coin(t) ? ids_of(t, n, n) : NULL;
  const double p = rate_of(t);
  const trm_random_key key = key_of(t);
  const int32_t *ids = ids_of(t, n, 1 << 30);
  trm_feature_rows(y, x, from, n, F, p, key, ids);
  note(t, y, n * F);
}
static void case_trm_sparse_dropout(trial *t) {
  const int64_t n = rows(t);
  const trm_csr a = csr_of(t, n, 30, coin(t));
  float *values = reals(t, a.n_edges);
  const int32_t *ids = ids_of(t, n, 1 << 30);
  const double p = rate_of(t);
  const trm_random_key key = key_of(t);
  trm_sparse_dropout(values, &a, ids, p, key);
  note(t, values, a.n_edges);
}

/* ---- graph attention ------------------------------------------------------------------------- */

typedef struct attention_case {
  trm_hop hop;
  trm_gat gat;
  int64_t h_stride, stride;
} attention_case;

static void attention_case_make(attention_case *k, trial *t) {
  static const int64_t heads[] = {1, 1, 2, 3, 4, 8, 9, 16, 20};
  const int64_t T = 1 + below(t, 20), S = T + below(t, 9), H = heads[below(t, 9)];
  const int64_t C = below(t, 16) == 0 ? 500 + below(t, 100) : 1 + below(t, 40);
  memset(k, 0, sizeof *k);
  k->hop.in = csr_of(t, T, S, false);
  int64_t *offsets = array(t, S + 1, sizeof *offsets);
  int32_t *columns = ids_of(t, k->hop.in.n_edges, 1);
  trm_csr_transpose(&k->hop.in, offsets, columns, NULL);
  k->hop.out = (trm_csr){S, T, k->hop.in.n_edges, offsets, columns, NULL, NULL};
  k->hop.source_ids = ids_of(t, S, 1 << 30);
  k->hop.target_ids = ids_of(t, T, 1 << 30);
  k->gat = (trm_gat){.hop = &k->hop, .H = H, .C = C, .slope = 0.2F};
  k->gat.self = coin(t);
  k->gat.dropout = rate_of(t);
  k->gat.key = key_of(t);
  k->h_stride = H * C + below(t, 5);
  k->stride = H + below(t, 5);
}
static void case_trm_gat_forward(trial *t) {
  attention_case k;
  attention_case_make(&k, t);
  const int64_t T = k.hop.in.n_rows, S = k.hop.in.n_columns, H = k.gat.H, wide = H * k.gat.C;
  float *out = reals(t, T * wide), *lse = reals(t, T * H);
  float *kept = coin(t) ? reals(t, T * (wide + H)) : NULL;
  const float *h = reals(t, S * k.h_stride), *source = reals(t, S * k.stride);
  const float *target = reals(t, T * H);
  trm_gat_forward(out, lse, kept, h, k.h_stride, source, k.stride, target, &k.gat);
  note(t, out, T * wide);
  note(t, lse, T * H);
  if (kept) note(t, kept, T * (wide + H));
}
static void case_trm_gat_backward_targets(trial *t) {
  attention_case k;
  attention_case_make(&k, t);
  const int64_t T = k.hop.in.n_rows, H = k.gat.H, wide = H * k.gat.C;
  float *dtarget = coin(t) ? reals(t, T * H) : NULL, *D = reals(t, T * k.stride);
  const float *dout = reals(t, T * wide), *out = reals(t, T * wide);
  const float *kept = reals(t, T * (wide + H));
  const bool add = coin(t);
  trm_gat_backward_targets(dtarget, D, k.stride, dout, out, kept, &k.gat, add);
  note(t, D, T * k.stride);
  if (dtarget) note(t, dtarget, T * H);
}
static void case_trm_gat_backward_sources(trial *t) {
  attention_case k;
  attention_case_make(&k, t);
  const int64_t T = k.hop.in.n_rows, S = k.hop.in.n_columns, H = k.gat.H, wide = H * k.gat.C;
  const int64_t which = below(t, 3);
  float *dh = which == 0 ? NULL : reals(t, S * wide),
        *dsource = which == 1 ? NULL : reals(t, S * H);
  const float *h = reals(t, S * k.h_stride), *source = reals(t, S * k.stride);
  const int64_t dout_stride = wide + below(t, 5);
  trm_gat_targets targets = {.dout_stride = dout_stride, .stride = k.stride};
  targets.dout = reals(t, T * dout_stride);
  targets.target = reals(t, T * k.stride);
  targets.lse = reals(t, T * k.stride);
  targets.D = reals(t, T * k.stride);
  const bool add_dh = coin(t), add_dsource = coin(t);
  trm_gat_backward_sources(dh, dsource, h, k.h_stride, source, k.stride, &targets, &k.gat, add_dh,
                           add_dsource);
  if (dh) note(t, dh, S * wide);
  if (dsource) note(t, dsource, S * H);
}

/* ---- images ----------------------------------------------------------------------------------- */

/* Windows with places enough for all tiles, and few. */
static trm_windows windows_of(trial *t, int64_t C) {
  trm_windows w = {.N = 1 + below(t, 3), .H = 1 + below(t, 20), .W = 1 + below(t, 20), .C = C};
  w.height = 1 + below(t, trm_min_i64(w.H, 5));
  w.width = 1 + below(t, trm_min_i64(w.W, 5));
  w.stride = 1 + below(t, 3);
  w.padding = below(t, trm_min_i64(w.height, w.width));
  w.down = (w.H + 2 * w.padding - w.height) / w.stride + 1;
  w.across = (w.W + 2 * w.padding - w.width) / w.stride + 1;
  return w;
}
static trm_conv conv_of(trial *t) {
  const int64_t groups = coin(t) ? 1 : 1 + below(t, 3);
  const int64_t C = groups * (1 + below(t, 9)), O = groups * (1 + below(t, 60));
  return (trm_conv){.windows = windows_of(t, C), .O = O, .groups = groups};
}
static int64_t pixels(const trm_windows *w) {
  return w->N * w->H * w->W * w->C;
}
static int64_t places(const trm_windows *w) {
  return w->N * w->down * w->across;
}
static int64_t weights(const trm_conv *c) {
  return c->windows.height * c->windows.width * c->windows.C / c->groups * c->O;
}

static void case_trm_conv_forward_scratch(trial *t) {
  const trm_conv c = conv_of(t);
  note_bits(t, (uint64_t)trm_conv_forward_scratch(&c));
}
static void case_trm_conv_backward_input_scratch(trial *t) {
  const trm_conv c = conv_of(t);
  note_bits(t, (uint64_t)trm_conv_backward_input_scratch(&c));
}
static void case_trm_conv_backward_weights_scratch(trial *t) {
  const trm_conv c = conv_of(t);
  note_bits(t, (uint64_t)trm_conv_backward_weights_scratch(&c));
}
static void case_trm_conv_forward(trial *t) {
  const trm_conv c = conv_of(t);
  const int64_t n = places(&c.windows) * c.O;
  float *y = reals(t, n), *scratch = reals(t, trm_conv_forward_scratch(&c));
  const float *x = reals(t, pixels(&c.windows)), *w = reals(t, weights(&c));
  trm_conv_forward(y, x, w, &c, scratch);
  note(t, y, n);
}
static void case_trm_conv_backward_input(trial *t) {
  const trm_conv c = conv_of(t);
  const int64_t n = pixels(&c.windows);
  float *dx = reals(t, n), *scratch = reals(t, trm_conv_backward_input_scratch(&c));
  const float *dy = reals(t, places(&c.windows) * c.O), *w = reals(t, weights(&c));
  trm_conv_backward_input(dx, dy, w, &c, coin(t), scratch);
  note(t, dx, n);
}
static void case_trm_conv_backward_weights(trial *t) {
  const trm_conv c = conv_of(t);
  const int64_t n = weights(&c);
  float *dw = reals(t, 3 * n), *scratch = reals(t, trm_conv_backward_weights_scratch(&c));
  const float *dy = reals(t, places(&c.windows) * c.O), *x = reals(t, pixels(&c.windows));
  const bool add = coin(t);
  trm_conv_backward_weights(dw + 2 * n, dy, x, &c, add, (int)below(t, 3), n, scratch);
  note(t, dw, 3 * n);
}
static void case_trm_conv_channels_forward(trial *t) {
  const trm_windows s = windows_of(t, width(t));
  float *y = reals(t, places(&s) * s.C);
  const float *x = reals(t, pixels(&s)), *w = reals(t, s.height * s.width * s.C);
  trm_conv_channels_forward(y, x, w, &s);
  note(t, y, places(&s) * s.C);
}
static void case_trm_conv_channels_backward_input(trial *t) {
  const trm_windows s = windows_of(t, width(t));
  float *dx = reals(t, pixels(&s));
  const float *dy = reals(t, places(&s) * s.C), *w = reals(t, s.height * s.width * s.C);
  trm_conv_channels_backward_input(dx, dy, w, &s, coin(t));
  note(t, dx, pixels(&s));
}
static void case_trm_conv_channels_backward_weights(trial *t) {
  const trm_windows s = windows_of(t, width(t));
  const int64_t n = s.height * s.width * s.C;
  float *dw = reals(t, 3 * n);
  const float *dy = reals(t, places(&s) * s.C), *x = reals(t, pixels(&s));
  const bool add = coin(t);
  trm_conv_channels_backward_weights(dw + 2 * n, dy, x, &s, add, (int)below(t, 3), n);
  note(t, dw, 3 * n);
}
static void case_trm_pool_max_forward(trial *t) {
  const trm_windows w = windows_of(t, width(t));
  const int64_t n = places(&w) * w.C;
  float *y = reals(t, n);
  trm_winner *winners = ids_of(t, n, 9);
  trm_pool_max_forward(y, winners, reals(t, pixels(&w)), &w);
  note(t, y, n);
  note_ints(t, winners, n);
}
static void case_trm_pool_max_backward(trial *t) {
  const trm_windows w = windows_of(t, width(t));
  const int64_t n = places(&w) * w.C;
  float *dx = reals(t, pixels(&w));
  const float *dy = reals(t, n);
  const int32_t *winners = ids_of(t, n, w.height * w.width);
  trm_pool_max_backward(dx, dy, winners, &w, coin(t));
  note(t, dx, pixels(&w));
}
static void case_trm_pool_sum_forward(trial *t) {
  const trm_windows w = windows_of(t, width(t));
  const int64_t n = places(&w) * w.C;
  float *y = reals(t, n);
  const float *x = reals(t, pixels(&w));
  trm_pool_sum_forward(y, x, &w, coin(t));
  note(t, y, n);
}
static void case_trm_pool_sum_backward(trial *t) {
  const trm_windows w = windows_of(t, width(t));
  float *dx = reals(t, pixels(&w));
  const float *dy = reals(t, places(&w) * w.C);
  const bool mean = coin(t), add = coin(t);
  trm_pool_sum_backward(dx, dy, &w, mean, add);
  note(t, dx, pixels(&w));
}
static void case_trm_channel_scale_forward(trial *t) {
  const int64_t N = rows(t), C = below(t, 20) == 0 ? 1100 : width(t);
  float *y = reals(t, N * C);
  const float *x = reals(t, N * C), *scale = coin(t) ? reals(t, C) : NULL;
  const float *shift = coin(t) ? reals(t, C) : NULL;
  trm_channel_scale_forward(y, x, scale, shift, N, C);
  note(t, y, N * C);
}
static void case_trm_channel_scale_backward(trial *t) {
  const int64_t N = rows(t), C = below(t, 20) == 0 ? 1100 : width(t);
  float *dx = reals(t, N * C);
  const float *dy = reals(t, N * C), *scale = coin(t) ? reals(t, C) : NULL;
  trm_channel_scale_backward(dx, dy, scale, N, C, coin(t));
  note(t, dx, N * C);
}

/* ---- all of them ----------------------------------------------------------------------------- */

typedef struct kernel {
  const char *name;
  void (*run)(trial *t);
} kernel;

#define ROW(result, name, parameters, arguments) {#name, case_##name},
static const kernel kernels[] = {TRM_KERNEL_LIST(ROW)};
enum { N_KERNELS = sizeof kernels / sizeof kernels[0] };

static const char *const isas[] = {"x86-64-v2", "x86-64-v3", "x86-64-v4"};

/** Whether this build and processor have the set; the kernels are those of it then. */
static bool choose_isa(const char *isa) {
  if (setenv("TRIREME_ISA", isa, 1) != 0) perror("setenv");
  trm_math_init();
  return strcmp(trm_math_isa(), isa) == 0;
}

static trial run_trial(const kernel *k, int number) {
  trial t = {.state = trm_hash64(k->name, strlen(k->name), (uint64_t)number),
             .special = number % 4 == 3};
  k->run(&t);
  for (int i = 0; i < t.n_arrays; ++i) free(t.arrays[i]);
  return t;
}

static double number_of(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* The first difference of a kernel is printed. */
static void compare(const kernel *k) {
  for (int i = 0; i < TRIALS; ++i) {
    (void)choose_isa("x86-64-v3");
    trial a = run_trial(k, i);
    (void)choose_isa("x86-64-v4");
    trial b = run_trial(k, i);
    CHECK_EQ(a.n_results, b.n_results);
    int64_t at = 0;
    while (at < a.n_results && a.results[at] == b.results[at]) ++at;
    const bool same = at == a.n_results;
    if (!same) {
      const unsigned long long v3 = a.results[at], v4 = b.results[at];
      fprintf(stderr, "%s: trial %d, number %lld of %lld: %.9g (%llx) and %.9g (%llx)\n", k->name,
              i, (long long)at, (long long)a.n_results, number_of(v3), v3, number_of(v4), v4);
      CHECK(same);
    }
    free(a.results);
    free(b.results);
    if (!same) return;
  }
}

static void print_hashes(void) {
  for (size_t s = 0; s < sizeof isas / sizeof isas[0]; ++s) {
    if (!choose_isa(isas[s])) continue;
    for (int k = 0; k < N_KERNELS; ++k) {
      uint64_t hash = 0;
      for (int i = 0; i < TRIALS; ++i) {
        trial t = run_trial(&kernels[k], i);
        hash = trm_hash64(t.results, (size_t)t.n_results * sizeof *t.results, hash);
        free(t.results);
      }
      printf("%s %016llx %s\n", isas[s], (unsigned long long)hash, kernels[k].name);
    }
  }
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "hashes") == 0) {
    print_hashes();
    return 0;
  }
  if (!choose_isa("x86-64-v3") || !choose_isa("x86-64-v4")) {
    return check_skip("this processor has not both x86-64-v3 and x86-64-v4");
  }
  for (int k = 0; k < N_KERNELS; ++k) compare(&kernels[k]);
  return check_verdict();
}
