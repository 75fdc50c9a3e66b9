/** Back ends of gemm.c and their start-up. */
#ifndef TRIREME_MATH_GEMM_INTERNAL_H
#define TRIREME_MATH_GEMM_INTERNAL_H

#include "trireme/math/gemm.h"

#define TRM_BACKEND(name) extern const trm_gemm_backend trm_gemm_##name;
#include "backend_list.h"
#undef TRM_BACKEND

#define TRM_BACKEND_NAME(backend) .selector = "math.gemm", .name = backend
#define TRM_BACKEND_PART(backend) .part = {TRM_BACKEND_NAME(backend)}

/** Factors as BLAS has them: leading dimensions of A [M, K] and B [K, N], or of their transposes. */
static inline trm_factors trm_factors_of(bool transpose_a, bool transpose_b, int64_t M, int64_t N,
                                         int64_t K, const trm_real *a, int64_t lda,
                                         const trm_real *b, int64_t ldb) {
  return (trm_factors){.M = M,
                       .N = N,
                       .K = K,
                       .a = a,
                       .a_row = transpose_a ? 1 : lda,
                       .a_k = transpose_a ? lda : 1,
                       .b = b,
                       .ldb = ldb,
                       .transpose_b = transpose_b};
}

/** Loads OpenBLAS, once, so that it starts no threads of its own, and sees whether there is memory for a
 *  call on each compute thread. @return TRM_ERR_CONFIG: there is none; TRM_ERR_MEMORY */
trm_status trm_openblas_load(void);

#endif
