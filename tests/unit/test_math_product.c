/* The native product is what it says: every element is the chain of fused multiply-adds over k in
 * order (in bfloat16: of pairs of them), bit for bit, in every form, packed or not, at any depth and
 * thread count; so the rows of a product do not depend on how many there are. Merges add as separate
 * additions do. The processor's dot product of bfloat16 and plain arithmetic give the same bits, and so
 * do operands that were rounded to it before. */
#include <math.h>

#include "kernel_check.h"
#include "reference.h"
#include "trireme/core/random.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"

/* Plain loops in the type and the order of the promise. */
static trm_real step(trm_real a, trm_real b, trm_real sum) {
#if TRM_REAL_IS_DOUBLE
  return trm_math_has_fma() ? fma(a, b, sum) : a * b + sum;
#else
  return trm_math_has_fma() ? fmaf(a, b, sum) : a * b + sum;
#endif
}

static trm_real a_at(const trm_factors *f, int64_t i, int64_t k) {
  return k < f->K ? f->a[i * f->a_row + k * f->a_k] : 0;
}
static trm_real b_at(const trm_factors *f, int64_t k, int64_t j) {
  if (k >= f->K) return 0;
  return f->transpose_b ? f->b[j * f->ldb + k] : f->b[k * f->ldb + j];
}

/* bfloat16 by the double's arithmetic: 8 digits, ties to even; the test has no subnormal numbers here. */
static float round_bf16(trm_real x) {
  int exponent;
  if (x == 0 || !isfinite(x)) return (float)x;
  const double digits = frexp((double)x, &exponent) * 256; /* in [128, 256) */
  return (float)ldexp(nearbyint(digits), exponent - 8);
}

static trm_real chain(const trm_factors *f, int64_t i, int64_t j) {
  trm_real sum = 0;
  for (int64_t k = 0; !f->bf16 && k < f->K; ++k) sum = step(a_at(f, i, k), b_at(f, k, j), sum);
  for (int64_t k = 0; f->bf16 && k < f->K; k += 2) {
    sum = fmaf(round_bf16(a_at(f, i, k + 1)), round_bf16(b_at(f, k + 1, j)), (float)sum);
    sum = fmaf(round_bf16(a_at(f, i, k)), round_bf16(b_at(f, k, j)), (float)sum);
  }
  return sum;
}

/* A case with spare columns in every matrix. */
typedef struct product_case {
  trm_factors f;
  trm_real *a, *b, *bias, *packed, *c;
  int64_t ldc;
} product_case;

enum { SPARE = 3, N_ARRAYS = 3 }; /* arrays of c: two merges */

static product_case make(bool bf16, bool ta, bool tb, int64_t M, int64_t N, int64_t K) {
  uint64_t state = (uint64_t)(M * 7919 + N * 104729 + K * 31 + ta * 2 + tb);
  const int64_t lda = (ta ? M : K) + SPARE, ldb = (tb ? K : N) + SPARE;
  double *a, *b, *bias, *c;
  product_case p = {.ldc = N + SPARE};
  p.a = test_random((ta ? K : M) * lda, 1, &state, &a);
  p.b = test_random((tb ? N : K) * ldb, 1, &state, &b);
  p.bias = test_random(N, 1, &state, &bias);
  p.c = test_random(N_ARRAYS * M * p.ldc, 1, &state, &c);
  p.packed = calloc((size_t)trm_packed_elements(N, K, false) + 1, sizeof *p.packed);
  p.f = (trm_factors){.M = M,
                      .N = N,
                      .K = K,
                      .a = p.a,
                      .a_row = ta ? 1 : lda,
                      .a_k = ta ? lda : 1,
                      .b = p.b,
                      .ldb = ldb,
                      .transpose_b = tb,
                      .bf16 = bf16};
  free(a);
  free(b);
  free(bias);
  free(c);
  return p;
}

static void drop(product_case *p) {
  free(p->a);
  free(p->b);
  free(p->bias);
  free(p->packed);
  free(p->c);
}

static bool same_bits(trm_real a, trm_real b) {
  return memcmp(&a, &b, sizeof a) == 0;
}

/* Everything that can follow a product, against the loops. `way` chooses. */
static void check_case(product_case *p, int way, int n_threads, bool packed) {
  const trm_factors *f = &p->f;
  const int64_t step_c = f->M * p->ldc, n = N_ARRAYS * step_c;
  trm_real *got = malloc((size_t)(n + 1) * sizeof *got);
  memcpy(got, p->c, (size_t)n * sizeof *got);
  trm_after after = {.c = got + (N_ARRAYS - 1) * step_c, .ldc = p->ldc, .alpha = 1};
  if (way & 1) after.beta = 1;
  if (way & 2) after.bias = p->bias;
  if (way & 4) after.n_merges = 2;
  if (way & 8) after.alpha = (trm_real)-0.7;
  if (way == 16) after.beta = (trm_real)0.3;
  after.merge_step = step_c;
  trm_factors g = *f;
  if (packed) {
    trm_product_pack(p->packed, f->b, f->ldb, f->transpose_b, f->N, f->K, f->bf16);
    g.packed = p->packed;
    g.b = NULL;
  }
  trm_threads_set(n_threads);
  trm_gemm_then(&g, &after);
  trm_threads_set(1);
  int64_t n_wrong = 0;
  for (int64_t i = 0; i < f->M; ++i) {
    for (int64_t j = 0; j < p->ldc; ++j) {
      const int64_t at = i * p->ldc + j;
      trm_real want = j < f->N ? chain(f, i, j) : 0;
      const trm_real *c = p->c + (N_ARRAYS - 1) * step_c + at;
      if (way & 8) want *= after.alpha;
      if (way & 2) want += p->bias[j < f->N ? j : 0];
      if (way & 1) want = *c + want;
      if (way == 16) want = step(after.beta, *c, want);
      for (int m = 0; m < after.n_merges; ++m) want = c[-(m + 1) * step_c] + want;
      const int written = N_ARRAYS - 1 - after.n_merges;
      for (int array = 0; array < N_ARRAYS; ++array) { /* the others keep what they hold */
        const trm_real is = got[array * step_c + at], was = p->c[array * step_c + at];
        n_wrong += !same_bits(is, j < f->N && array == written ? want : was);
      }
    }
  }
  CHECK_EQ(n_wrong, 0);
  free(got);
}

static void check_chains(bool bf16) {
  static const int64_t shapes[][3] = {{1, 1, 1},    {3, 5, 7},      {9, 48, 16},  {13, 97, 33},
                                      {64, 80, 20}, {31, 144, 12},  {70, 65, 48}, {5, 51, 4100},
                                      {300, 31, 3}, {1, 200, 2048}, {9, 50, 4099}};
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; ++s) {
    for (int form = 0; form < 4; ++form) {
      product_case p = make(bf16, form & 1, form & 2, shapes[s][0], shapes[s][1], shapes[s][2]);
      for (int way = 0; way <= 16; ++way) check_case(&p, way, 1 + way % 3, way % 2 == 0);
      check_case(&p, 2, 3, false);
      drop(&p);
    }
  }
}

/* A transposed whose columns lie far apart is packed as well. */
static void check_far_apart(bool bf16) {
  for (int n_threads = 1; n_threads <= 3; n_threads += 2) {
    product_case p = make(bf16, true, false, 1100, 50, 9);
    check_case(&p, 7, n_threads, false);
    check_case(&p, 7, n_threads, true);
    drop(&p);
  }
}

/* Products of 1 to 300 rows equal the same rows of a product of 512. */
static void check_rows(bool bf16, bool ta, bool tb, int64_t N, int64_t K) {
  enum { ALL = 512, MOST = 300 };
  product_case p = make(bf16, ta, tb, ALL, N, K);
  trm_real *all = malloc(sizeof(trm_real) * (size_t)(ALL * N)),
           *few = malloc(sizeof(trm_real) * (size_t)(ALL * N));
  trm_gemm_then(&p.f, &(trm_after){.c = all, .ldc = N, .alpha = 1, .bias = p.bias});
  int n_wrong = 0;
  for (int64_t rows = 1; rows <= MOST; ++rows) {
    const int64_t first = rows * 37 % (ALL - rows + 1);
    trm_factors f = p.f;
    f.M = rows;
    f.a += first * f.a_row;
    trm_threads_set(1 + (int)(rows % 3));
    trm_gemm_then(&f, &(trm_after){.c = few, .ldc = N, .alpha = 1, .bias = p.bias});
    n_wrong += memcmp(few, all + first * N, sizeof *few * (size_t)(rows * N)) != 0;
  }
  trm_threads_set(1);
  CHECK_EQ(n_wrong, 0);
  free(all);
  free(few);
  drop(&p);
}

/* NaN and infinity pass through; a matrix of zeros does not hide them. */
static void check_special(void) {
  product_case p = make(false, false, true, 9, 50, 8);
  trm_real c[9 * 50];
  p.a[0] = (trm_real)NAN;
  for (int64_t i = 0; i < 50 * p.f.ldb; ++i) p.b[i] = 0;
  trm_gemm_then(&p.f, &(trm_after){.c = c, .ldc = 50, .alpha = 1});
  CHECK(isnan(c[0]) && isnan(c[49]));
  CHECK(c[50] == 0);
  drop(&p);
}

#if !TRM_REAL_IS_DOUBLE

static float of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static float flush(float x) {
  return bits_of(x) & 0x7F800000u ? x : of_bits(bits_of(x) & 0x80000000u);
}

/* A million chains of dot products over values of every kind: any bits, subnormal, infinite, NaN. */
static void check_dot(void) {
  enum { M = 512, N = 2048, K = 6 };
  uint64_t state = 5;
  float *a = malloc(sizeof(float) * M * K), *b = malloc(sizeof(float) * N * K);
  float *plain = malloc(sizeof(float) * M * N), *fast = malloc(sizeof(float) * M * N);
  static const uint32_t special[] = {0,          0x80000000, 0x00010000, 0x007F0000, 0x00800000,
                                     0x7F7F0000, 0x7F800000, 0xFF800000, 0x7FC00000, 0x3F800000};
  for (int64_t i = 0; i < M * K + N * K; ++i) {
    const uint64_t r = state = trm_mix64(state + (uint64_t)i);
    uint32_t bits = (uint32_t)(r >> 32) & 0xFFFF0000u;
    /* A third near 1, so that sums cancel; a third whose products are subnormal or barely not. */
    if (r % 3 == 1) bits = (bits & 0x83FF0000u) | 0x3C000000u;
    if (r % 3 == 2) bits = (bits & 0x81FF0000u) | 0x1F000000u;
    if (r % 37 == 0) bits = special[r / 64 % (sizeof special / sizeof special[0])];
    *(i < M * K ? &a[i] : &b[i - M * K]) = of_bits(bits);
  }
  const trm_factors f = {.M = M,
                         .N = N,
                         .K = K,
                         .a = a,
                         .a_row = K,
                         .a_k = 1,
                         .b = b,
                         .ldb = K,
                         .transpose_b = true,
                         .bf16 = true};
  setenv("TRIREME_BF16", "reference", 1);
  trm_gemm_then(&f, &(trm_after){.c = plain, .ldc = N, .alpha = 1});
  unsetenv("TRIREME_BF16");
  trm_gemm_then(&f, &(trm_after){.c = fast, .ldc = N, .alpha = 1});
  int64_t n_wrong = 0, n_differ = 0, n_flushed = 0, n_nan = 0;
  for (int64_t i = 0; i < M; ++i) {
    for (int64_t j = 0; j < N; ++j) {
      float sum = 0, unflushed = 0;
      for (int64_t k = 0; k < K; k += 2) {
        for (int64_t h = 1; h >= 0; --h) {
          const float x = a[i * K + k + h], y = b[j * K + k + h];
          sum = flush(fmaf(flush(x), flush(y), sum));
          unflushed = fmaf(x, y, unflushed);
        }
      }
      const float p = plain[i * N + j], q = fast[i * N + j];
      n_wrong += isnan(sum) ? !isnan(p) : bits_of(sum) != bits_of(p);
      n_differ += isnan(p) ? !isnan(q) : bits_of(p) != bits_of(q);
      n_flushed += isfinite(sum) && bits_of(sum) != bits_of(unflushed);
      n_nan += isnan(sum);
    }
  }
  CHECK_EQ(n_wrong, 0);
  CHECK_EQ(n_differ, 0);
  CHECK(n_flushed > 1000 && n_nan > 1000); /* the cases are there */
  if (!trm_bf16_instruction()) printf("no AVX512_BF16 here: plain arithmetic alone was tested\n");
  free(a);
  free(b);
  free(plain);
  free(fast);
}

/* To nearest, ties to even; NaN stays NaN, also where its digits are all in the lower half. */
static void check_rounding(void) {
  static const uint32_t cases[][2] = {
      {0x3F800000, 0x3F800000}, {0x3F808000, 0x3F800000}, {0x3F808001, 0x3F810000},
      {0x3F818000, 0x3F820000}, {0x3F807FFF, 0x3F800000}, {0xBF818000, 0xBF820000},
      {0x7F7FFFFF, 0x7F800000}, {0x7F800000, 0x7F800000}, {0x00FFFFFF, 0x01000000}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    const float a[2] = {of_bits(cases[i][0]), 0}, b[2] = {1, 0};
    float c = 0;
    const trm_factors f = {
        .M = 1, .N = 1, .K = 2, .a = a, .a_row = 2, .a_k = 1, .b = b, .ldb = 1, .bf16 = true};
    trm_gemm_then(&f, &(trm_after){.c = &c, .ldc = 1, .alpha = 1});
    CHECK_EQ(bits_of(c), cases[i][1]);
  }
  const float nan[2] = {of_bits(0x7F800001), 0}, one[2] = {1, 0};
  float c = 0;
  const trm_factors f = {
      .M = 1, .N = 1, .K = 2, .a = nan, .a_row = 2, .a_k = 1, .b = one, .ldb = 1, .bf16 = true};
  trm_gemm_then(&f, &(trm_after){.c = &c, .ldc = 1, .alpha = 1});
  CHECK(isnan(c));
}

/* Lengths about those at which rounding in place goes from piece to piece, and to all threads. */
static void check_rounding_in_place(void) {
  static const int64_t lengths[] = {0, 1, 63, 64, 65, 4095, 4096, 4097, 8191, 8193, 100003};
  uint64_t state = 11;
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; ++i) {
    for (int n_threads = 1; n_threads <= 3; ++n_threads) {
      const int64_t n = lengths[i];
      int64_t n_wrong = 0;
      float *x = test_random(n, 1, &state, NULL), *want = malloc(sizeof *want * (size_t)(n + 1));
      for (int64_t k = 0; k < n; ++k) want[k] = round_bf16(x[k]);
      trm_threads_set(n_threads);
      trm_bf16_round(x, n);
      trm_threads_set(1);
      for (int64_t k = 0; k < n; ++k) {
        trm_bf16 upper;
        memcpy(&upper, (const char *)x + (size_t)k * sizeof upper, sizeof upper);
        n_wrong += (uint32_t)upper << 16 != bits_of(want[k]);
      }
      CHECK_EQ(n_wrong, 0);
      free(want);
      free(x);
    }
  }
}

/* A matrix [rows, columns], rounded; its rows are `step` apart, NaN between them. */
static trm_bf16 *rounded(const float *x, int64_t rows, int64_t columns, int64_t ld, int64_t step) {
  float *y = malloc(sizeof *y * (size_t)(rows * step + 1));
  for (int64_t i = 0; i < rows * step; ++i) {
    y[i] = i % step < columns ? x[i / step * ld + i % step] : of_bits(0x7FC00000);
  }
  trm_bf16_round(y, rows * step);
  return (trm_bf16 *)(void *)y;
}

/* B, A or both rounded before, with 0 or 1 number between their rows. */
static void check_rounded_before(bool ta, bool tb, int64_t M, int64_t N, int64_t K) {
  product_case p = make(true, ta, tb, M, N, K);
  const int64_t a_rows = ta ? K : M, a_columns = ta ? M : K;
  const int64_t b_rows = tb ? N : K, b_columns = tb ? K : N, lda = ta ? p.f.a_k : p.f.a_row;
  float *want = malloc(sizeof *want * (size_t)(M * N)),
        *got = malloc(sizeof *got * (size_t)(M * N));
  int n_wrong = 0;
  trm_gemm_then(&p.f, &(trm_after){.c = want, .ldc = N, .alpha = 1, .bias = p.bias});
  for (int way = 0; way < 6; ++way) {
    trm_factors f = p.f;
    const int64_t spare = way % 2, a_step = a_columns + spare, b_step = b_columns + spare;
    trm_bf16 *a = rounded(p.a, a_rows, a_columns, lda, a_step);
    trm_bf16 *b = rounded(p.b, b_rows, b_columns, p.f.ldb, b_step);
    if (way / 2 != 0) {
      f.a = NULL;
      f.a_bf16 = a;
      *(ta ? &f.a_k : &f.a_row) = a_step;
    }
    if (way / 2 != 1) {
      f.b = NULL;
      f.b_bf16 = b;
      f.ldb = b_step;
    }
    trm_threads_set(1 + way % 3);
    trm_gemm_then(&f, &(trm_after){.c = got, .ldc = N, .alpha = 1, .bias = p.bias});
    trm_threads_set(1);
    n_wrong += memcmp(got, want, sizeof *got * (size_t)(M * N)) != 0;
    free(a);
    free(b);
  }
  CHECK_EQ(n_wrong, 0);
  free(want);
  free(got);
  drop(&p);
}

static void check_all_rounded_before(void) {
  static const int64_t depths[] = {1, 2, 33, 64, 130};
  check_rounding_in_place();
  for (int form = 0; form < 4; ++form) {
    for (int64_t M = 1; M <= 70; ++M) {
      check_rounded_before(form & 1, form & 2, M, 1 + M * 7 % 101, depths[M % 5]);
    }
    check_rounded_before(form & 1, form & 2, 13, 50, 4098);
    check_rounded_before(form & 1, form & 2, 9, 53, 4301);
    check_rounded_before(form & 1, form & 2, 1026, 9, 10);
  }
}

static void check_bf16(void) {
  check_dot();
  for (int way = 0; way < 2; ++way) {
    if (way == 1) setenv("TRIREME_BF16", "reference", 1);
    check_rounding();
    check_chains(true);
    check_far_apart(true);
    check_all_rounded_before();
    for (int form = 0; form < 4; ++form) check_rows(true, form & 1, form & 2, 65, 129);
    unsetenv("TRIREME_BF16");
  }
}

#endif

int main(void) {
  CHECK_OK(trm_gemm_select("native"));
  check_chains(false);
  check_far_apart(false);
  check_special();
  for (int form = 0; form < 4; ++form) {
    check_rows(false, form & 1, form & 2, 65, 128);
    check_rows(false, form & 1, form & 2, 96, 37);
  }
#if !TRM_REAL_IS_DOUBLE
  check_bf16();
#endif
  return check_verdict();
}
