/* The native product is what it says: every element is the chain of fused multiply-adds over k in
 * order, bit for bit, in every form, packed or not, at any depth and thread count; so the rows of a
 * product do not depend on how many there are. Merges add as separate additions do. */
#include <math.h>

#include "kernel_check.h"
#include "reference.h"
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

static trm_real chain(const trm_factors *f, int64_t i, int64_t j) {
  trm_real sum = 0;
  for (int64_t k = 0; k < f->K; ++k) {
    const trm_real b = f->transpose_b ? f->b[j * f->ldb + k] : f->b[k * f->ldb + j];
    sum = step(f->a[i * f->a_row + k * f->a_k], b, sum);
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

static product_case make(bool ta, bool tb, int64_t M, int64_t N, int64_t K) {
  uint64_t state = (uint64_t)(M * 7919 + N * 104729 + K * 31 + ta * 2 + tb);
  const int64_t lda = (ta ? M : K) + SPARE, ldb = (tb ? K : N) + SPARE;
  double *a, *b, *bias, *c;
  product_case p = {.ldc = N + SPARE};
  p.a = test_random((ta ? K : M) * lda, 1, &state, &a);
  p.b = test_random((tb ? N : K) * ldb, 1, &state, &b);
  p.bias = test_random(N, 1, &state, &bias);
  p.c = test_random(N_ARRAYS * M * p.ldc, 1, &state, &c);
  p.packed = calloc((size_t)trm_packed_elements(N, K) + 1, sizeof *p.packed);
  p.f = (trm_factors){.M = M,
                      .N = N,
                      .K = K,
                      .a = p.a,
                      .a_row = ta ? 1 : lda,
                      .a_k = ta ? lda : 1,
                      .b = p.b,
                      .ldb = ldb,
                      .transpose_b = tb};
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
    trm_product_pack(p->packed, f->b, f->ldb, f->transpose_b, f->N, f->K);
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

static void check_chains(void) {
  static const int64_t shapes[][3] = {{1, 1, 1},    {3, 5, 7},     {9, 48, 16},  {13, 97, 33},
                                      {64, 80, 20}, {31, 144, 12}, {70, 65, 48}, {5, 51, 4100},
                                      {300, 31, 3}, {1, 200, 2048}};
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; ++s) {
    for (int form = 0; form < 4; ++form) {
      product_case p = make(form & 1, form & 2, shapes[s][0], shapes[s][1], shapes[s][2]);
      for (int way = 0; way <= 16; ++way) check_case(&p, way, 1 + way % 3, way % 2 == 0);
      check_case(&p, 2, 3, false);
      drop(&p);
    }
  }
}

/* A transposed whose columns lie far apart is packed as well. */
static void check_far_apart(void) {
  for (int n_threads = 1; n_threads <= 3; n_threads += 2) {
    product_case p = make(true, false, 1100, 50, 9);
    check_case(&p, 7, n_threads, false);
    check_case(&p, 7, n_threads, true);
    drop(&p);
  }
}

/* Products of 1 to 300 rows equal the same rows of a product of 512. */
static void check_rows(bool ta, bool tb, int64_t N, int64_t K) {
  enum { ALL = 512, MOST = 300 };
  product_case p = make(ta, tb, ALL, N, K);
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
  product_case p = make(false, true, 9, 50, 8);
  trm_real c[9 * 50];
  p.a[0] = (trm_real)NAN;
  for (int64_t i = 0; i < 50 * p.f.ldb; ++i) p.b[i] = 0;
  trm_gemm_then(&p.f, &(trm_after){.c = c, .ldc = 50, .alpha = 1});
  CHECK(isnan(c[0]) && isnan(c[49]));
  CHECK(c[50] == 0);
  drop(&p);
}

int main(void) {
  CHECK_OK(trm_gemm_select("native"));
  check_chains();
  check_far_apart();
  check_special();
  for (int form = 0; form < 4; ++form) {
    check_rows(form & 1, form & 2, 65, 128);
    check_rows(form & 1, form & 2, 96, 37);
  }
  return check_verdict();
}
