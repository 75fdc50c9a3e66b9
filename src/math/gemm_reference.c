/**
 * The "reference" back end: plain loops, for tests and for machines without the library. Sums run
 * over k in order, in double.
 */
#include "gemm_internal.h"

static void reference_tile(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K,
                           trm_real alpha, const trm_real *a, int64_t lda, const trm_real *b,
                           int64_t ldb, trm_real beta, trm_real *c, int64_t ldc) {
  for (int64_t i = 0; i < M; ++i) {
    for (int64_t j = 0; j < N; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < K; ++k) {
        const trm_real x = transpose_a ? a[k * lda + i] : a[i * lda + k];
        const trm_real y = transpose_b ? b[j * ldb + k] : b[k * ldb + j];
        sum += (double)x * (double)y;
      }
      const trm_real product = (trm_real)((double)alpha * sum);
      trm_real *to = c + i * ldc + j;
      *to = beta == 0 ? product : product + beta * *to;
    }
  }
}

static const char *reference_kernel(void) {
  return "plain loops";
}

const trm_gemm_backend trm_gemm_reference = {TRM_BACKEND_PART("reference"), .tile = reference_tile,
                                             .kernel = reference_kernel, .isa_free = true};
