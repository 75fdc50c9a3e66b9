/* trm_gemm against plain loops: all transposes, sizes around the tile edges, alpha, beta, leading
 * dimensions, zero sizes, NaN under beta = 0; all back ends; the same bits at 1 to 4 threads. */
#include <stdio.h>
#include <stdlib.h>

#include "kernel_check.h"
#include "reference.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"

typedef struct gemm_case {
  bool ta, tb;
  int64_t M, N, K, lda, ldb, ldc;
  double alpha, beta;
  trm_real *a, *b;
} gemm_case;

static void run(void *context, trm_real **out) {
  const gemm_case *g = context;
  trm_gemm(g->ta, g->tb, g->M, g->N, g->K, (trm_real)g->alpha, g->a, g->lda, g->b, g->ldb,
           (trm_real)g->beta, out[0], g->ldc);
}

static void check_one(bool ta, bool tb, int64_t M, int64_t N, int64_t K, double alpha, double beta,
                      int64_t spare) {
  uint64_t state = (uint64_t)(M * 1000003 + N * 1009 + K * 17 + ta * 2 + tb);
  gemm_case g = {ta, tb, M, N, K, .alpha = alpha, .beta = beta};
  g.lda = (ta ? M : K) + spare;
  g.ldb = (tb ? K : N) + spare;
  g.ldc = N + spare;
  double *a, *b, *c0;
  g.a = test_random((ta ? K : M) * g.lda, 1, &state, &a);
  g.b = test_random((tb ? N : K) * g.ldb, 1, &state, &b);
  trm_real *c = test_random(M * g.ldc, 1, &state, &c0);
  double *want = NEW_DOUBLES(M * g.ldc);
  memcpy(want, c0, (size_t)(M * g.ldc) * sizeof *want); /* columns past N keep what they hold */
  ref_gemm(ta, tb, M, N, K, alpha, a, g.lda, b, g.ldb, beta, c0, want, g.ldc);
  for (int64_t i = 0; i < M * g.ldc; ++i) {
    if (beta == 0 && i % g.ldc < N) c[i] = (trm_real)NAN;
    want[i] -= beta == 0 && i % g.ldc < N ? 0 : c0[i];
  }
  if (beta == 0 && spare == 0) {
    check_kernel((kernel_case){.name = "gemm",
                               .run = run,
                               .context = &g,
                               .n = {M * N},
                               .want = {want},
                               .tolerance = {4 * sqrt((double)K) + 8}});
  } else {
    /* The harness adds `start` to `want`: give NaN positions as plain values instead. */
    trm_real *out = guarded_new(M * g.ldc, c);
    run(&g, &out);
    CHECK(guarded_intact(out, M * g.ldc));
    for (int64_t i = 0; i < M * g.ldc; ++i) {
      const double w = want[i] + (beta == 0 && i % g.ldc < N ? 0 : c0[i]);
      CHECK_NEAR_AT(out[i], w, (4 * sqrt((double)K) + 8) * REAL_EPSILON * (1 + fabs(w)), i);
    }
    trm_real *again = guarded_new(M * g.ldc, c);
    trm_threads_set(3);
    run(&g, &again);
    trm_threads_set(1);
    CHECK(memcmp(out, again, (size_t)(M * g.ldc) * sizeof *out) == 0);
    free(out - GUARD);
    free(again - GUARD);
  }
  free(g.a);
  free(g.b);
  free(a);
  free(b);
  free(c);
  free(c0);
  free(want);
}

static void check_shapes(void) {
  static const int64_t shapes[][3] = {{1, 1, 1},     {3, 5, 7},     {0, 4, 4},      {4, 0, 4},
                                      {64, 64, 32},  {193, 385, 9}, {300, 129, 65}, {17, 700, 33},
                                      {769, 65, 40}, {65, 33, 400}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; ++i) {
    const int64_t M = shapes[i][0], N = shapes[i][1], K = shapes[i][2];
    for (int form = 0; form < 4; ++form) {
      check_one(form & 1, form & 2, M, N, K, 1, 0, 0);
      check_one(form & 1, form & 2, M, N, K, 0.5, 1, 0);
      check_one(form & 1, form & 2, M, N, K, -1, 0, 3);
      check_one(form & 1, form & 2, M, N, K, 1, 0.25, 3);
    }
  }
}

/* K = 0: scales C, or clears it without reading. */
static void check_empty_sum(void) {
  trm_real c[6] = {1, 2, 3, (trm_real)NAN, 5, 6};
  const trm_real x[1] = {0};
  trm_gemm(false, false, 2, 3, 0, 1, x, 1, x, 3, 2, c, 3);
  CHECK_EQ(c[2], 6);
  CHECK(isnan(c[3]));
  trm_gemm(false, false, 2, 3, 0, 1, x, 1, x, 3, 0, c, 3);
  for (int i = 0; i < 6; ++i) CHECK_EQ(c[i], 0);
}

/* Threads of this process. */
static int count_threads(void) {
  char line[128];
  int n = 0;
  FILE *file = fopen("/proc/self/status", "r");
  if (!CHECK(file)) return 0;
  while (n == 0 && fgets(line, sizeof line, file)) (void)sscanf(line, "Threads: %d", &n);
  (void)fclose(file);
  return n;
}

int main(void) {
  CHECK_EQ(trm_gemm_select("cublas"), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "cublas");
  CHECK_HAS(trm_message(), "openblas");
  CHECK_STR(trm_gemm_selected()->part.name, trm_math_has_fma() ? "native" : "openblas");
  CHECK(strlen(trm_gemm_selected()->kernel()) > 0);
  CHECK_OK(trm_gemm_select("native"));
  CHECK_STR(trm_gemm_selected()->part.name, "native");
  check_shapes();
  check_empty_sum();
  const int n_threads = count_threads();
  CHECK_OK(trm_gemm_select("openblas"));
  check_shapes();
  check_empty_sum();
  CHECK_STR(getenv("OPENBLAS_NUM_THREADS"), "1");
  CHECK(count_threads() <= n_threads); /* loading it has started none */
  CHECK_OK(trm_gemm_select("reference"));
  CHECK_STR(trm_gemm_selected()->part.name, "reference");
  check_one(true, false, 65, 33, 40, 1, 0, 0);
  check_one(false, true, 300, 129, 20, 1, 0, 3);
  check_empty_sum();
  CHECK_OK(trm_gemm_select("auto"));
  return check_verdict();
}
